"""Exemplar: is a copy nearer than another image? (Dosovitskiy et al. 2014)."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks, ranks
from tinyssl.devices import in_float32, widened
from tinyssl.pretext.pairs import TwoViews, spread
from tinyssl.training import to_tensor


class Exemplar(TwoViews):
    """Bring altered copies of an image nearer together than to any other image.

    Parameters
    ----------
    margin : float, by which another image must be further (squared, of unit vectors)
    encoder, standardise
        As `tinyssl.pretext.pairs.TwoViews`, which has area and colour too, and notes.

    Notes
    -----
    Dosovitskiy et al. make each image a class; the triplet loss does without classes.
    Embeddings are normalised over their features: normalised over the batch, distances
    shrink as the batch grows, and nothing can keep the margin. A negative is another
    image: not the same one drawn twice, nor a byte-identical one. That it is another
    patient's is not asked, as pretext tasks are given images only. "accuracy" counts
    the other images that are further than the copy, two equal distances as half.

    References
    ----------
    Dosovitskiy, Springenberg, Riedmiller, Brox: Discriminative unsupervised feature
    learning with convolutional neural networks, NeurIPS 2014. Schroff, Kalenichenko,
    Philbin: FaceNet, CVPR 2015, section 3 (triplets, semi-hard negatives).
    """

    name = "exemplar"
    finding = (
        "Is a copy nearer than another image? In {accuracy:.1%} of all pairs of the "
        "{where} (chance 50 %). "
    ) + TwoViews.finding

    def __init__(self, encoder: nn.Module, *, margin: float = 0.5, **views: Any):
        super().__init__(encoder, **views)
        self.margin = _checks.positive("margin", margin)
        self.chance = {"loss": self.margin, "accuracy": 0.5}

    def make_batch(self, images, rng):
        """Draw two copies of each image; the targets say which images are the same."""
        flat = images.reshape(len(images), -1)
        which = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1)
        if (different := len(set(which))) < 2:
            raise _checks.refusal("a batch", "hold 2 different images", different)
        return self.make_views(images, rng), which

    def forward(self, inputs, targets):
        """Triplet loss of all first copies."""
        z = ranks.gather(self.embed(inputs), parts=2)
        return self.compare(z, ranks.gather(targets))

    def compare(self, z, which):
        """Return the loss of embeddings (2N, d), and which triplets are in order."""
        apart = distances(z)  # (N, N)
        own, other = apart.diag()[:, None], which[:, None] != which
        negative = semi_hard(apart, own, other)
        loss = (own[:, 0] - negative + self.margin).clamp_min(0).mean()
        right = 0.5 + 0.5 * (apart - own).sign()[other]
        return loss, {"accuracy": right.mean(), "spread": spread(z)}

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Compare the copy of every image with all other images."""
        self.eval()
        views, which = to_tensor(self.make_batch(images, rng), self.device)
        z = torch.cat([self.embed((view,)) for view in views])  # (2N, d)
        loss, logs = self.compare(z, which)
        scores = {k: float(v) for k, v in (logs | {"loss": loss}).items()}
        return scores | {"bar": 0.5} | self.forgotten(images, rng)

    @torch.no_grad()
    def figures(self, images, scores, *, rng):
        """Show images, their copies, and the other image that is nearest."""
        views, which = self.make_batch(images, rng)
        apart = distances(self.embed(to_tensor(views, self.device))).cpu().numpy()
        others = np.where(which[:, None] != which, apart, np.inf)
        right = (apart.diagonal() < others.min(1)).sum()
        title = f"{right} of {len(images)} copies are nearer than any other image shown"
        rows = {"image": views[0], "copy": views[1]}
        rows["nearest other"] = views[1][others.argmin(1)]
        caption = "Two copies of each image, and the nearest of another image."
        return self.strip(rows, title, caption)


def distances(z):
    """Return squared distances of first copies to second ones: (2N, d) to (N, N)."""
    first, second = F.normalize(widened(z)).chunk(2)
    return 2 - 2 * in_float32(torch.matmul, first, second.T)


def semi_hard(apart, own, other):
    """Return the distance of the nearest beyond the copy, else of the furthest."""
    beyond = other & (apart > own)
    nearest = apart.masked_fill(~beyond, torch.inf).amin(1)
    furthest = apart.masked_fill(~other, -torch.inf).amax(1)
    return torch.where(beyond.any(1), nearest, furthest)  # (N,)
