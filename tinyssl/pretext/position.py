"""Relative position: where does a patch lie beside another? (Doersch et al. 2015)."""

import itertools

import numpy as np
import torch
from torch import nn

from tinyssl.pretext.choice import Choice, enlarged
from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.pretext.patches import cut_patches, sample_rooms
from tinyssl.transforms import adjust, sample_adjustments

ARROWS = "↖↑↗←→↙↓↘"


def steps(dims):
    """Return the ways to a neighbour, (8, 2) in images, (26, 3) in volumes."""
    return np.array([s for s in itertools.product((-1, 0, 1), repeat=dims) if any(s)])


class RelativePosition(Choice):
    """Say at which of 8 places around a patch its neighbour lay; 26 in volumes.

    Parameters
    ----------
    patch_size, gap, jitter : int
        Side of the patches, a seventh of whole images; pixels between the two, half a
        patch if below 0; and by which the neighbour is moved either way. Without them,
        edges that go on from one to the other give the answer away.
    colour : bool, show colours; a lens that bends red less than blue betrays a place
    region : (H, W) bool array, optional, in which all places lie

    Notes
    -----
    The place of the pair is drawn before the neighbour, so that it says nothing of the
    answer; light and contrast are drawn for each patch, as an eye is darker at its rim.

    References
    ----------
    Doersch, Gupta, Efros: Unsupervised visual representation learning by context
    prediction, ICCV 2015, sections 3 and 3.1. Volumes: Taleb et al., NeurIPS 2020.
    """

    name, volumes = "position", True
    sized = {"patch_size": lambda side: max(4, side // 7)}  # noqa: RUF012
    finding = (
        "At which of {task.classes} places beside a patch was its neighbour? Right for "
        "{accuracy:.1%} (chance {bar:.1%}) of the {where}, each asked for all."
    )

    def __init__(
        self,
        encoder: nn.Module,
        *,
        patch_size: int = 12,
        gap: int = -1,
        jitter: int = 1,
        colour: bool = False,
        region: np.ndarray | None = None,
        standardise: bool = False,
    ):
        around, D = steps(getattr(encoder, "dims", 2)), encoder.num_features
        super().__init__(encoder, len(around))
        both = nn.Linear(2 * D, D)
        self.head = nn.Sequential(both, nn.ReLU(), nn.Linear(D, self.classes))
        self.patch_size, self.jitter, self.colour = patch_size, jitter, colour
        self.pitch = patch_size + (patch_size // 2 if gap < 0 else gap)
        self.steps, self.region, self.standardise = around, region, standardise

    def make_batch(self, images, rng):
        """Cut two patches out of each image; which neighbour it is, is the target."""
        centres = self.sample_centres(images, rng)
        places = rng.integers(self.classes, size=len(images))
        return self.cut(images, centres, places, rng), places

    def sample_centres(self, images, rng):
        """Draw corners (N, dims) of patches around which all neighbours fit."""
        reach = self.pitch + self.jitter
        side = self.patch_size + 2 * reach
        rule = f"patch_size, gap and jitter must leave room for {side} pixels a side"
        return sample_rooms(images, side, rule, region=self.region, rng=rng) + reach

    def cut(self, images, centres, places, rng):
        """Return patches (N, s, s, C) and their neighbours, in the light they get."""
        moved = rng.integers(-self.jitter, self.jitter + 1, centres.shape)
        beside = centres + self.pitch * self.steps[places] + moved
        pair = []
        for corners in (centres, beside):
            x = cut_patches(images, corners, self.patch_size)
            x = x if self.colour else np.uint8(x.mean(-1, keepdims=True) + 0 * x)
            rows = x.reshape(len(x), -1, *x.shape[-2:])  # a volume's slices in a column
            lit = adjust(rows, *sample_adjustments(len(x), rng=rng))
            pair.append(lit.reshape(x.shape))
        return tuple(pair)

    def logits(self, inputs):
        """Pool the features of both patches and score the places: (N, 8 or 26)."""
        x = torch.cat(list(inputs))  # (2 N, C, s, s)
        x = standardised(x) if self.standardise else x
        both = pooled(self.encoder.features(enlarged(x))).chunk(2)
        return self.head(torch.cat(both, 1))

    def evaluate(self, images, rng):
        """Ask for all neighbours of one place of every image."""
        self.eval()
        centres = self.sample_centres(images, rng)
        asked = np.arange(self.classes)[:, None].repeat(len(images), 1)
        said = [self.answer(self.cut(images, centres, p, rng)) for p in asked]
        return self.marked(asked.ravel(), np.concatenate(said))

    def figures(self, images, scores, *, rng):
        """Show pairs of patches with the answers, and which places are confused."""
        pair, places = self.make_batch(images, rng)
        signs = ["".join("<=>"[d + 1] for d in step) for step in self.steps]
        labels = ARROWS if self.dims == 2 else signs
        asked = {"names": ["patch", "neighbour"], "what": "places"}
        return self.shown(pair, places, scores, labels, **asked)
