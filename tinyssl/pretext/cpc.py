"""Predictive coding (CPC): which patch lies two rows below? (van den Oord 2018)."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.pretext.choice import enlarged
from tinyssl.pretext.inputs import LIT, pooled, standardised
from tinyssl.task import Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import adjust, sample_adjustments

LEAST = 16  # pixels across at which the network sees a smaller patch
ASKED = 16  # candidates among which the right patch is named


class CPC(Pretext):
    """Predict the features of patches from the rows of patches above them; InfoNCE.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    patch_size : int
        Side of the patches, an even number of pixels; a third of whole images. Each
        overlaps the next by half.
    skip : int
        Rows between what is seen and what is predicted. With 0 half of the patch is
        seen already, and copying is enough.
    standardise : bool
        Show each patch at mean 0 and deviation 1.

    Notes
    -----
    The candidates are all predicted patches of the batch, the image's own among them;
    patches outside the field of view are none. The task's own layers normalise each
    patch alone (LayerNorm). An encoder with BatchNorm mixes the patches of a batch in
    training, which leaks; scores are of evaluation mode, where it cannot.

    References
    ----------
    van den Oord, Li, Vinyals: Representation learning with contrastive predictive
    coding, 2018, section 3.2. Henaff et al., ICML 2020, for the order of rows.
    """

    name = "cpc"
    main, higher = "accuracy", True
    chance = {"accuracy": 1 / ASKED}  # noqa: RUF012
    defaults = {"batch_size": 16, "steps": 500}  # noqa: RUF012

    def __init__(self, encoder, *, patch_size=16, skip=1, standardise=False):
        super().__init__()
        if patch_size < 2 or patch_size % 2:
            rule = "patch_size must be an even number of pixels, 2 or more"
            raise ValueError(f"{rule}, found {patch_size}")
        self.encoder, D = encoder, encoder.num_features
        self.patch_size, self.skip, self.standardise = patch_size, skip, standardise
        self.to_code = nn.Sequential(nn.Linear(D, 64), nn.LayerNorm(64))
        self.from_above = nn.GRU(64, 64, batch_first=True)
        self.predict = nn.Linear(64, 64)

    @classmethod
    def build(cls, encoder, *, image_size, region=None, standardise=False, **options):
        """Cut patches of a third of the images."""
        size = max(4, image_size // 6 * 2)
        return cls(
            encoder, **{"patch_size": size, "standardise": standardise} | options
        )

    def make_batch(self, images, rng):
        """Cut all patches, each in its own light; targets say which rows count."""
        s = self.patch_size
        windows = np.lib.stride_tricks.sliding_window_view(images, (s, s), (1, 2))
        patches = windows[:, :: s // 2, :: s // 2]  # (N, R, W, C, s, s)
        N, R, W = patches.shape[:3]
        if self.skip + 2 > R:
            rule = f"patch_size and skip must leave {self.skip + 2} rows of patches"
            raise ValueError(f"{rule}, found {R} in images of {images.shape[1]} pixels")
        patches = np.moveaxis(patches, 3, -1).reshape(-1, s, s, images.shape[-1])
        lit = (patches.max(-1) > LIT).mean((1, 2)).reshape(N, R, W) > 0.5
        return adjust(patches, *sample_adjustments(len(patches), rng=rng)), lit

    def forward(self, patches, lit):
        """Cross-entropy of the right patch among all that are predicted."""
        logits = self.logits(patches, lit)  # (M, M)
        own = torch.arange(len(logits), device=logits.device)
        others = torch.randint(len(own), (len(own), ASKED - 1), device=logits.device)
        logs = {"accuracy": first_of(logits, others)}
        logs["ln_n"] = torch.tensor(math.log(len(own)))  # what guessing costs
        return F.cross_entropy(logits, own), logs

    def logits(self, patches, lit):
        """Score each prediction with each predicted patch: (M, M)."""
        N, _, R, W = lit.shape
        x = standardised(patches) if self.standardise else patches
        code = self.to_code(pooled(self.encoder.features(enlarged(x, LEAST))))
        code = code.view(N, R, W, -1)
        columns = code.transpose(1, 2).flatten(0, 1)  # (N W, R, 64), read downwards
        context = self.from_above(columns)[0].unflatten(0, (N, W)).transpose(1, 2)
        step, known = self.skip + 1, self.known(lit)
        predicted = self.predict(context[:, :-step][known])  # (M, 64)
        return predicted @ code[:, step:][known].T / 8

    def known(self, lit):
        """Mark predictions (N, R - skip - 1, W) both of whose ends are lit."""
        step = self.skip + 1
        return (lit[:, 0, step:] > 0) & (lit[:, 0, :-step] > 0)

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Ask which of 16 patches lies there, of which 15 are drawn from all."""
        self.eval()
        right, groups = [], range(0, len(images), 32)
        for part in (images[first : first + 32] for first in groups):
            batch = to_tensor(self.make_batch(part, rng), self.device)
            logits = self.logits(*batch).cpu()
            others = rng.integers(len(logits), size=(len(logits), ASKED - 1))
            right.append(float(first_of(logits, torch.from_numpy(others))))
        return {"accuracy": float(np.mean(right)), "bar": 1 / ASKED}

    def describe(self, scores, where):
        """Say how often the right patch is named."""
        right = np.mean([s["accuracy"] for s in scores])
        return (
            f"Which of {ASKED} patches lies {self.skip + 1} rows below? Right for "
            f"{right:.1%} of the patches of the {where} (chance {1 / ASKED:.1%})."
        )

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show patches, and the one of all that each prediction fits best."""
        from tinyssl import plots

        patches, lit = self.make_batch(images, rng)
        known = self.known(torch.from_numpy(lit)[:, None]).numpy()
        wanted = np.arange(len(patches)).reshape(lit.shape)[:, self.skip + 1 :][known]
        logits = self.logits(*to_tensor((patches, lit), self.device)).cpu().numpy()
        some = rng.choice(len(wanted), min(8, len(wanted)), replace=False)
        best = logits[some].argmax(1)
        title = f"{(best == some).sum()} of {len(some)} found among {len(wanted)}"
        rows = [patches[wanted[some]], patches[wanted[best]]]
        figure = plots.strip(rows, names=["wanted", "answered"], title=title)
        return [(figure, "Patches to predict from the rows above, and the best fit.")]


def first_of(logits, others):
    """Return how often the own of (M, M) scores lies above the others, (M, K)."""
    every = torch.arange(len(logits), device=logits.device)[:, None]
    asked = logits.gather(1, others).masked_fill(others == every, -torch.inf)
    return (logits.diagonal() > asked.amax(1)).float().mean()
