"""DINO: say of a crop what a slow teacher says of another (Caron et al. 2021)."""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import ranks
from tinyssl.devices import in_float32, widened
from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.pretext.pairs import found, groups_of
from tinyssl.pretext.views import sample_views
from tinyssl.task import Pretext
from tinyssl.training import to_tensor

LARGE, SMALL = (0.5, 1.0), (0.1, 0.35)  # shares of the area: two crops, and four


class DINO(Pretext):
    """Match the teacher's distribution over K outputs, from other crops of the image.

    Parameters
    ----------
    outputs : int, K; where all images get one distribution, the loss is ln K
    momentum : float, how slowly the teacher follows; .996 and more in long runs
    colour : float, how far light and colour of the crops change; 1 is mild
    centring, sharpening : bool
        Take the teacher's mean away, give it the lower temperature: without the one
        all images get one output, without the other all outputs alike.

    Notes
    -----
    The teacher sees the large crops, and moves in each training step. Scores seek the
    image that another crop shows among 64; entropy tells the two collapses apart.

    References
    ----------
    Caron et al.: Emerging properties in self-supervised vision transformers, ICCV 2021.
    """

    name, main, higher = "dino", "accuracy", True
    finding = (
        "Which image does another crop show? Right for {accuracy:.1%} of the {where} "
        "(chance {bar:.1%}). Entropy of the outputs {entropy:.2f}, between 0, one "
        "output for all, and {task.chance[loss]:.2f}, all outputs alike."
    )
    defaults = {"lr": 1e-3, "steps": 300}  # noqa: RUF012
    encoder = property(lambda self: self.student[0])  # carried to the target task

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
        D, self.chance = encoder.num_features, {"loss": math.log(outputs)}
        head = nn.Sequential(nn.Linear(D, 128), nn.GELU(), nn.Linear(128, 64))
        prototypes = nn.Linear(64, outputs, bias=False)
        self.student = nn.ModuleList([encoder, head, prototypes])
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(outputs))
        self.momentum, self.colour, self.centring = momentum, colour, centring
        self.sharpness = 1 / (0.04 if sharpening else 0.1)
        self.standardise = standardise

    def make_batch(self, images, rng):
        """Crop each image twice large, and four times small at half the size."""
        how, half = {"rng": rng, "colour": self.colour}, max(8, images.shape[1] // 2)
        large = [sample_views(images, area=LARGE, **how) for _ in range(2)]
        small = [sample_views(images, area=SMALL, size=half, **how) for _ in range(4)]
        return (tuple(large), tuple(small)), ()

    def forward(self, inputs, targets):
        """Cross-entropy of the teacher's and the student's outputs of two crops."""
        large, small = (torch.cat(list(crops)) for crops in inputs)
        views = torch.cat([self.outputs(x, *self.student) for x in (large, small)])
        said = (views / 0.1).log_softmax(1).unflatten(0, (6, -1))  # (6, N, K)
        with torch.no_grad():
            networks = (self.teacher.parameters(), self.student.parameters())
            for own, theirs in zip(*networks, strict=True) if self.training else ():
                own.lerp_(theirs, 1 - self.momentum)
            raw = self.outputs(large, *self.teacher)
            taught = ((raw - self.centre) * self.sharpness).softmax(1)
            taught = taught.unflatten(0, (2, -1))  # (2, N, K)
            if self.training and self.centring:
                self.centre.lerp_(ranks.mean(raw.mean(0)), 0.1)
        every = in_float32(torch.einsum, "tnk,snk->ts", -taught, said) / len(said[0])
        loss = (every.sum() - every.diagonal().sum()) / 10  # none with itself
        entropy = torch.special.entr(taught).sum(2).mean()
        crops = ranks.gather(said[:2].exp().flatten(0, 1), parts=2).chunk(2)
        accuracy = found(*crops).float().mean()
        return loss, {"accuracy": accuracy, "entropy": entropy, "kl": loss - entropy}

    def outputs(self, x, encoder, head, prototypes):
        """Return the cosines of images with K prototypes: (N, K)."""
        x = standardised(x) if self.standardise else x
        z = F.normalize(widened(head(pooled(encoder.features(x)))))
        return in_float32(torch.matmul, z, F.normalize(prototypes.weight).T)

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Seek each image by another crop among 64; the last group is filled up."""
        self.eval()
        views = [sample_views(images, rng=rng, area=LARGE) for _ in range(2)]
        z = [self.outputs(to_tensor(v, self.device), *self.student) for v in views]
        groups = groups_of(len(images), rng)
        each = [float(found(*(x[g] for x in z)).float().mean()) for g in groups]
        taught = ((z[0] - self.centre) * self.sharpness).softmax(1)
        entropy = float(torch.special.entr(taught).sum(1).mean())
        right, bar = float(np.mean(each)), 1 / groups.shape[1]
        return {"accuracy": right, "bar": bar, "entropy": entropy}

    def figures(self, images, scores, *, rng):
        """Show crops, large and small."""
        (large, small), _ = self.make_batch(images, rng)
        rows = {"large": large[0], "other large": large[1], "small": small[0]}
        title = "The teacher sees two large crops, not the four small ones"
        return self.strip(rows, title, "Crops of each image.")
