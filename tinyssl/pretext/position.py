"""Relative position: where does a patch lie beside another? (Doersch et al. 2015)."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.metrics import confusion_matrix
from tinyssl.pretext.inputs import pooled, standardised
from tinyssl.task import Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import adjust, sample_adjustments

STEPS = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x])
ARROWS = "↖↑↗←→↙↓↘"
VIEW = 32  # pixels across at which the network sees a patch


class RelativePosition(Pretext):
    """Say at which of eight places around a patch its neighbour was cut out.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    patch_size : int
        Side of the square patches, in pixels; a seventh of whole images.
    gap : int
        Pixels between the two; below 0 it is half a patch. Without a gap an edge that
        goes on from one to the other gives the answer away.
    jitter : int
        Pixels by which the neighbour is moved either way, for the same reason.
    colour : bool
        Show colours. A lens that bends red less than blue tells where a patch was.
    region : (H, W) bool array, optional
        All nine places lie inside it.
    standardise : bool
        As `tinyssl.pretext.ContextRestoration` has it.

    Notes
    -----
    The place of the pair is drawn before the neighbour, so that it says nothing of the
    answer; light and contrast are drawn for each patch, as an eye is darker at its rim.

    References
    ----------
    Doersch, Gupta, Efros: Unsupervised visual representation learning by context
    prediction, ICCV 2015, sections 3 and 3.1.
    """

    name = "position"
    chance = {"loss": math.log(8), "accuracy": 1 / 8}  # noqa: RUF012
    main, higher = "accuracy", True

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
        super().__init__()
        self.encoder, D = encoder, encoder.num_features
        self.head = nn.Sequential(nn.Linear(2 * D, D), nn.ReLU(), nn.Linear(D, 8))
        self.patch_size, self.jitter, self.colour = patch_size, jitter, colour
        self.pitch = patch_size + (patch_size // 2 if gap < 0 else gap)
        self.region, self.standardise = region, standardise

    @classmethod
    def build(cls, encoder, *, image_size, **options):
        """Cut patches of a seventh of the images."""
        return cls(encoder, **{"patch_size": max(4, image_size // 7)} | options)

    def make_batch(self, images, rng):
        """Cut two patches out of each image; which neighbour it is, is the target."""
        centres = self.sample_centres(images.shape[1:3], len(images), rng=rng)
        places = rng.integers(8, size=len(images))
        return self.cut(images, centres, places, rng), places

    def sample_centres(self, shape, n, *, rng):
        """Draw top left corners (n, 2) around which all eight neighbours fit."""
        reach = self.pitch + self.jitter
        side = self.patch_size + 2 * reach
        region = np.ones(shape, bool) if self.region is None else self.region
        if min(shape) >= side:
            rooms = np.lib.stride_tricks.sliding_window_view(region, (side, side))
            free = np.argwhere(rooms.all((2, 3)))
            if len(free):
                return free[rng.integers(len(free), size=n)] + reach
        raise ValueError(
            f"patch_size, gap and jitter must leave room for nine patches, {side} "
            f"pixels across, in an image of {shape[0]} x {shape[1]}"
        )

    def cut(self, images, centres, places, rng):
        """Return patches (N, s, s, C) and their neighbours, in the light they get."""
        N, s = len(images), self.patch_size
        moved = rng.integers(-self.jitter, self.jitter + 1, (N, 2))
        pair = []
        for corners in (centres, centres + self.pitch * STEPS[places] + moved):
            rows, columns = (corners[:, k, None] + np.arange(s) for k in (0, 1))
            x = images[np.arange(N)[:, None, None], rows[..., None], columns[:, None]]
            if not self.colour:
                x[:] = x.mean(3, keepdims=True)
            pair.append(adjust(x, *sample_adjustments(N, rng=rng)))
        return tuple(pair)

    def forward(self, inputs, targets):
        """Cross-entropy over the eight places."""
        logits = self.logits(inputs)
        accuracy = (logits.argmax(1) == targets).float().mean()
        return F.cross_entropy(logits, targets), {"accuracy": accuracy}

    def logits(self, inputs):
        """Pool the features of both patches and score the eight places: (N, 8)."""
        x = torch.cat(list(inputs))  # (2 N, C, s, s)
        x = standardised(x) if self.standardise else x
        x = F.interpolate(x, (VIEW, VIEW), mode="bilinear")
        both = pooled(self.encoder.features(x)).chunk(2)
        return self.head(torch.cat(both, 1))

    @torch.no_grad()
    def answer(self, pair):
        """Return the likeliest place, 0..7, of each neighbour."""
        return self.logits(to_tensor(pair, self.device)).argmax(1).cpu().numpy()

    def evaluate(self, images, rng):
        """Ask for all eight neighbours of one place of every image."""
        self.eval()
        centres = self.sample_centres(images.shape[1:3], len(images), rng=rng)
        true = np.repeat(np.arange(8), len(images))
        pairs = (self.cut(images, centres, p, rng) for p in true.reshape(8, -1))
        said = np.concatenate([self.answer(pair) for pair in pairs])
        confusion = confusion_matrix(true, said, num_classes=8).tolist()
        right = float((true == said).mean())
        return {"accuracy": right, "bar": 1 / 8, "confusion": confusion}

    def describe(self, scores, where):
        """Say how many neighbours are put at their place."""
        right = np.mean([s["accuracy"] for s in scores])
        return (
            "At which of eight places beside a patch was its neighbour? Right for "
            f"{right:.1%} of the {where}, each asked for all eight (chance 12.5 %)."
        )

    def figures(self, images, scores, *, rng):
        """Show pairs of patches with the answers, and which places are confused."""
        from tinyssl import plots

        pair, places = self.make_batch(images, rng)
        asked = {"names": ["patch", "neighbour"], "labels": ARROWS, "what": "places"}
        shown = plots.answered(pair, places, self.answer(pair), **asked)
        confusion = np.sum([s["confusion"] for s in scores], axis=0)
        table = plots.confusion(confusion, labels=list(ARROWS))
        caption = "Patches, their neighbours, and where those were and were put."
        return [(shown, caption), (table, "Rows: the place it had.")]
