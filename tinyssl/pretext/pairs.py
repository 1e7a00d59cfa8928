"""What tasks on two views of each image share: views, embeddings, what they forget."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks
from tinyssl.devices import in_float32, widened
from tinyssl.pretext.inputs import seen
from tinyssl.pretext.views import sample_views
from tinyssl.task import Pretext
from tinyssl.training import to_tensor

GROUP = 64  # images among which one is sought when scores are made
CHANGES = {  # each alone, and large, to see whether features notice it
    "crop": {"area": (0.5, 0.5), "colour": 0, "turn": False},
    "turn": {"area": (1, 1), "colour": 0, "turn": True},
    "light": {"area": (1, 1), "colour": 4, "turn": False},
}


class TwoViews(Pretext):
    """A task on the embeddings of two views of each image: (2N, d).

    Parameters
    ----------
    area : float, least share of an image's area that a view shows
    colour : float, how far brightness, contrast and colours change; 1 is mild

    Notes
    -----
    What views change, features forget: strong crops and colours destroy the size and
    the colour of a lesion. ``forgotten`` says what was; the "spread" of the embeddings
    is 1 in all directions alike, 0 if they collapsed.
    """

    main, higher = "accuracy", True
    finding = (
        "Of the distance between two images in the features, a crop to half the area "
        "moves an image by {crop:.0%}, a turn by {turn:.0%}, other light by "
        "{light:.0%}. Spread of the embeddings: {spread:.2f} (1 in all directions, 0 "
        "if they collapsed)."
    )

    def __init__(
        self,
        encoder: nn.Module,
        *,
        area: float = 0.85,
        colour: float = 1.0,
        standardise=False,
    ):
        super().__init__()
        if not 0 < _checks.number("area", area) <= 1:
            raise _checks.refusal("area", "be > 0 and <= 1", area)
        self.area, self.colour = area, _checks.not_negative("colour", colour)
        self.encoder, D = encoder, encoder.num_features
        self.head = nn.Sequential(nn.Linear(D, D), nn.ReLU(), nn.Linear(D, 64))
        self.standardise = standardise

    def make_views(self, images, rng):
        """Draw two views of each image."""
        if len(images) < 2:
            raise _checks.refusal("a batch", "hold 2 images or more", len(images))
        how = {"area": (self.area, 1), "colour": self.colour}
        return tuple(sample_views(images, rng=rng, **how) for _ in range(2))

    def embed(self, inputs):
        """Return the embeddings of views, the first of all images first: (2N, d)."""
        return self.head(self.represent(torch.cat(list(inputs))))

    def represent(self, inputs):
        """Return the features of images, pooled over space: (N, D)."""
        return seen(self, inputs)

    def forgotten(self, images, rng):
        """Tell how far images move in the features when one thing about them changes.

        As a share of the mean distance (1 - cosine) between two images: 0 where the
        features do not see a crop to half the area, a turn, or four times a mild change
        of light; 1 where it makes another image.
        """
        kinds = [sample_views(images, rng=rng, **how) for how in CHANGES.values()]
        tensors = (to_tensor(x, self.device) for x in (images, *kinds))
        x, *changed = (F.normalize(self.represent(tensor)) for tensor in tensors)
        apart = 1 - (x @ x.T).fill_diagonal_(0).sum() / (len(x) * (len(x) - 1))
        moved = ((1 - (x * y).sum(1).mean()) / apart.clamp_min(1e-9) for y in changed)
        return dict(zip(CHANGES, map(float, moved), strict=True))


def spread(z):
    """Return the deviation of unit embeddings, at 1 if all directions are alike."""
    return F.normalize(widened(z)).std(0, correction=0).mean() * z.shape[1] ** 0.5


def found(first, second):
    """Say of each row of (N, d) whether the same row of the other is the nearest."""
    first, second = (F.normalize(widened(x)) for x in (first, second))
    cosine = in_float32(torch.matmul, first, second.T)
    return cosine.argmax(1) == torch.arange(len(first), device=first.device)


def groups_of(count, rng):
    """Draw groups of 64 or all images, (groups, 64); the last is filled up."""
    size = min(GROUP, count)
    return np.resize(rng.permutation(count), (-(-count // size), size))
