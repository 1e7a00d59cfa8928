"""DINO: say of a crop what a slow teacher says of another (Caron et al. 2021)."""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.pretext.views import sample_views
from tinyssl.task import Pretext
from tinyssl.training import to_tensor

GLOBAL, LOCAL, GROUP = 2, 4, 64  # crops of each kind; images among which one is sought


class DINO(Pretext):
    """Match the teacher's distribution over K outputs, from other crops of the image.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    outputs : int
        K; where all images get one distribution, the loss is ln K.
    momentum : float
        How slowly the teacher follows; .996 and more in long runs.
    colour : float
        How far light and colour of the crops change; 1 is mild.
    centring, sharpening : bool
        Take the teacher's mean away, give it the lower temperature: without the one
        all images get one output, without the other all outputs alike.
    standardise : bool
        As `tinyssl.pretext.ContextRestoration` has it.

    Notes
    -----
    Two crops of half the area and more, and four of a tenth to a third at half the
    size; the teacher sees the large ones. It moves at the head of each training step.
    Scores seek the image that another crop shows among 64; logged are the teacher's
    entropy, which tells the two collapses, and the divergence from it.

    References
    ----------
    Caron et al.: Emerging properties in self-supervised vision transformers, ICCV 2021,
    section 3. Park et al. 2022 for chest X-rays.
    """

    name = "dino"
    main, higher = "accuracy", True
    defaults = {"lr": 1e-3, "steps": 300}  # noqa: RUF012

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: int = 256,
        momentum: float = 0.98,
        colour: float = 1.0,
        centring: bool = True,
        sharpening: bool = True,
        standardise: bool = False,
    ):
        super().__init__()
        D, K = encoder.num_features, outputs
        self.encoder, self.chance = encoder, {"loss": math.log(K)}
        self.head = nn.Sequential(nn.Linear(D, 128), nn.GELU(), nn.Linear(128, 64))
        self.prototypes = nn.Linear(64, K, bias=False)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(K))
        self.momentum, self.colour = momentum, colour
        self.centring, self.standardise = centring, standardise
        self.temperature = 0.04 if sharpening else 0.1

    @property
    def student(self):
        """What learns by gradients, and what the teacher follows."""
        return nn.ModuleList([self.encoder, self.head, self.prototypes])

    def make_batch(self, images, rng):
        """Crop each image twice large and four times small."""
        S, how = images.shape[1], {"rng": rng, "colour": self.colour}
        large = [sample_views(images, area=(0.5, 1), **how) for _ in range(GLOBAL)]
        how |= {"area": (0.1, 0.35), "size": max(8, S // 2)}
        small = [sample_views(images, **how) for _ in range(LOCAL)]
        return (tuple(large), tuple(small)), ()

    def forward(self, inputs, targets):
        """Cross-entropy of the teacher's and the student's outputs of two crops."""
        if self.training:
            self.follow()
        large, small = (torch.cat(list(crops)) for crops in inputs)
        views = [self.outputs(x, *self.student) for x in (large, small)]
        said = (torch.cat(views) / 0.1).log_softmax(1)
        said = said.view(GLOBAL + LOCAL, len(inputs[0][0]), -1)  # (crops, N, K)
        with torch.no_grad():
            raw = self.outputs(large, *self.teacher)
            taught = ((raw - self.centre) / self.temperature).softmax(1)
            taught = taught.view(GLOBAL, len(inputs[0][0]), -1)
            if self.training and self.centring:
                self.centre.lerp_(raw.mean(0), 0.1)
        every = [(t, s) for t in range(GLOBAL) for s in range(GLOBAL + LOCAL) if s != t]
        losses = [-(taught[t] * said[s]).sum(1).mean() for t, s in every]
        loss = torch.stack(losses).mean()
        entropy = torch.special.entr(taught).sum(2).mean()
        accuracy = found(*said[:GLOBAL].exp()).float().mean()
        return loss, {"accuracy": accuracy, "entropy": entropy, "kl": loss - entropy}

    @torch.no_grad()
    def follow(self):
        """Move the teacher towards the student."""
        pairs = zip(self.teacher.parameters(), self.student.parameters(), strict=True)
        for own, theirs in pairs:
            own.lerp_(theirs, 1 - self.momentum)

    def outputs(self, x, encoder, head, prototypes):
        """Return the cosines of images with K prototypes: (N, K)."""
        x = standardised(x) if self.standardise else x
        z = F.normalize(head(pooled(encoder.features(x))))
        return z @ F.normalize(prototypes.weight).T

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Seek each image by another crop among 64; the last group is filled up."""
        self.eval()
        N, G = len(images), min(GROUP, len(images))
        views = [sample_views(images, rng=rng, area=(0.5, 1)) for _ in range(2)]
        tensors = (to_tensor(view, self.device) for view in views)
        z = [self.outputs(x, *self.student).cpu() for x in tensors]
        groups = np.resize(rng.permutation(N), (-(-N // G), G))
        right = [float(found(*(x[g] for x in z)).float().mean()) for g in groups]
        taught = ((z[0] - self.centre.cpu()) / self.temperature).softmax(1)
        entropy = float(torch.special.entr(taught).sum(1).mean())
        return {"accuracy": float(np.mean(right)), "bar": 1 / G, "entropy": entropy}

    def describe(self, scores, where):
        """Say how often the image is found, and how sure outputs are."""
        keys = ("accuracy", "bar", "entropy")
        right, bar, entropy = (np.mean([s[key] for s in scores]) for key in keys)
        return (
            f"Which image does another crop show? Right for {right:.1%} of the {where} "
            f"(chance {bar:.1%}). Entropy of the outputs {entropy:.2f}, between 0, one "
            f"output for all, and {self.chance['loss']:.2f}, all outputs alike."
        )

    def figures(self, images, scores, *, rng):
        """Show crops, large and small."""
        from tinyssl import plots

        large, small = ({"area": (0.5, 1)}, {"area": (0.1, 0.35)})
        how = {"rng": rng, "colour": self.colour}
        rows = [sample_views(images, **how, **kind) for kind in (large, large, small)]
        title = f"The teacher sees {GLOBAL} large crops, not the {LOCAL} small ones"
        names = ["large", "large", "small"]
        return [(plots.strip(rows, names=names, title=title), "Crops of each image.")]


def found(first, second):
    """Say of each row of (N, d) whether the same row of the other is the nearest."""
    cosine = F.normalize(first) @ F.normalize(second).T
    return cosine.argmax(1) == torch.arange(len(first), device=first.device)
