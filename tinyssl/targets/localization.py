"""Localisation: where the centres of disc and fovea are, as a map of probability.

A map and not two coordinates: it shares its weights over all places, so that a dozen
labels may do; it shows where the network hesitates; and its decoder can be carried over
from restoring images. The loss is the cross-entropy between its softmax and a small
Gaussian at the true place. The answer is the mean position within two deviations of
the highest place: finer than a pixel, and not pulled between two candidates.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tinyssl import metrics
from tinyssl.cases import Cases, Reading, gather
from tinyssl.data import Table, load_points
from tinyssl.summary import Metric
from tinyssl.targets.baselines import nearest, ridge
from tinyssl.task import Figures, OnNetwork, Target
from tinyssl.training import to_tensor
from tinyssl.transforms import adjust, flip, sample_adjustments, sample_flips

POINTS = ("disc", "fovea")
# Shares of the field's width: medians of 51 discs annotated in IDRiD (.117 to .187), as
# circles of equal area, and of 300 synthetic eyes (.113 to .147)
DISC_DIAMETER, TOY_DISC_DIAMETER = 0.154, 0.128
SHIFT = 0.08  # of the side: how far training views are moved, either way


class Localization(OnNetwork, Target):
    """Find one place for each point: a map of logits a point.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, P, H, W): ``Restorer(encoder, channels=P)``.
    sigma : float, deviation of the Gaussian target, as a share of the image's side
    augment : bool, mirror, shift, brightness and contrast; no eye is upside down
    """

    name = "localization"
    title = "Disc and fovea from a few labelled images"
    measure = "Distances are in disc diameters; a point within half of one is found."
    columns = ("image", "points")
    metrics = {  # noqa: RUF012
        "error": Metric("error in disc diameters", higher=False),
        "within": Metric("share within half a disc"),
    }
    channels, decodes = len(POINTS), True
    defaults = {  # noqa: RUF012
        "encoder": "sononet",
        "images": (1, 2, 5, 10, "all"),
        "steps": 150,
        "batch_size": 16,
    }

    def __init__(self, network, *, sigma: float = 0.03, augment: bool = True):
        super().__init__()
        self.network, self.sigma, self.augment = network, sigma, augment

    @classmethod
    def read(cls, table: Table, reading: Reading) -> Cases:
        """Read whole images and the places of disc and fovea."""
        images, table = reading.images(table)
        points = np.stack(read_points(table, reading), 1)
        columns = {"image": images, "points": points}
        disc = TOY_DISC_DIAMETER if table.layout == "toy" else DISC_DIAMETER
        known = {"labelled": np.isfinite(points).all((1, 2)), "disc_diameter": disc}
        return gather(table, reading, columns, size=reading.size, **known)

    def make_batch(self, images, points, rng):
        """Show each image in a fresh view; the points, (N, P, 2), move along."""
        rng = np.random.default_rng(rng)
        if self.augment:
            images, points = mirror(images, points, sample_flips(len(images), rng=rng))
            most = round(SHIFT * images.shape[1])
            offsets = rng.integers(-most, most + 1, (len(images), 2))
            images, points = shift(images, points, offsets)
            images = adjust(images, *sample_adjustments(len(images), rng=rng))
        return images, points.reshape(len(points), -1)

    def forward(self, inputs, targets):
        """Cross-entropy between map and Gaussian; logs the error in pixels."""
        N, _, H, W = inputs.shape
        points = targets.reshape(N, -1, 2)  # (N, P, 2) as (y, x)
        log_map = log_softmax(self.network(inputs))  # (N, P, H, W)
        loss = -(gaussian(points, H, W, self.sigma * W) * log_map).sum((2, 3))
        found = decode(log_map.detach().exp(), self.sigma * W)
        return loss.mean(), {"error": (found - points).norm(dim=2).mean()}

    def answer(self, x: torch.Tensor) -> torch.Tensor:
        """Find the points of images (N, C, S, S), (y, x) in pixels: (N, P, 2)."""
        return decode(self.both(x), self.sigma * x.shape[-1])

    @torch.no_grad()
    def maps(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """Return the probability of each place, straight and mirrored: (N, P, S, S)."""
        return self.eval().both(to_tensor(images, self.device))

    def both(self, x: torch.Tensor) -> torch.Tensor:
        """As `maps`, of tensors."""
        straight = log_softmax(self.network(x)).exp()
        mirrored = log_softmax(self.network(x.flip(3))).exp().flip(3)
        return (straight + mirrored) / 2

    @staticmethod
    def pool(features: torch.Tensor) -> torch.Tensor:
        """Keep the place: maps (N, C, h, w) in 4 x 4 cells, (N, 16 C)."""
        return F.adaptive_avg_pool2d(features, 4).flatten(1)

    @classmethod
    def score(cls, cases: Cases, index: NDArray, answers: Any) -> dict[str, float]:
        """Score answers to some of the cases; see `evaluate`."""
        side, disc = cases.facts["size"], cases.facts["disc_diameter"]
        truth = cases.columns["points"][index]
        return evaluate(truth, answers, side=side, disc_diameter=disc)

    @classmethod
    def baselines(cls, cases: Cases, chosen: NDArray, held: NDArray):
        """Answer the mean place of the training points: it sees no image."""
        place = cases.columns["points"][chosen].mean(0)
        return {"mean place": np.repeat(place[None], len(held), axis=0)}

    @classmethod
    def probe(cls, cases: Cases, chosen: NDArray, *features: NDArray):
        """Answer from frozen features of chosen and held-out images."""
        points = cases.columns["points"][chosen]
        near = nearest(*features, 5)
        fitted = ridge(features[0], points.reshape(len(points), -1), features[1])
        inside = np.clip(fitted, 0, cases.facts["size"] - 1)  # a line knows no edge
        linear = inside.reshape(-1, *points.shape[1:])
        return {"linear probe": linear, "nearest neighbours": points[near].mean(1)}

    @classmethod
    def figures(cls, cases: Cases, results: dict[str, Any], load: Any) -> Figures:
        """Show what scratch and the best initialisation found with the most labels."""
        from tinyssl import plots

        images, truth = cases.take(cls.columns, cases.held(0)[:8])
        radius = cases.facts["disc_diameter"] / 2 * cases.facts["size"]
        caption = (
            "held-out images of the first fold. Circles have the radius of half a disc "
            "diameter around the true place."
        )
        shown = []
        for init in results["shown"]:
            answers = load(init).predict(images)
            figure = plots.localizations(images, truth, answers, radius=radius)
            shown.append((figure, f"{init}: {caption}"))
        return shown


def read_points(table: Table, reading: Reading, instead: str = "") -> list[NDArray]:
    """Return the places (N, 2) of disc and fovea in images of the reading's size."""
    if table.points.keys() >= {*POINTS}:
        return [load_points(table, name, reading.size) for name in POINTS]
    if reading.labelled:
        found = ", ".join(table.points) or "none"
        rule = f"needs {instead}the points disc and fovea"
        raise ValueError(f"{table.root}: {rule}, found {found}")
    return [np.full((len(table), 2), np.nan)] * len(POINTS)


def mirror(images, points, which):
    """Mirror some images left to right, and the points with them."""
    mirrored = points * [1, -1] + [0, images.shape[2] - 1]
    return flip(images, which), np.where(which[:, None, None], mirrored, points)


def shift(images, points, offsets):
    """Move images by whole pixels (dy, dx), and the points; what comes in is black."""
    H, W = images.shape[1:3]
    most = int(np.abs(offsets).max())
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    both = zip(padded, most - offsets, strict=True)  # corners
    moved = [image[y : y + H, x : x + W] for image, (y, x) in both]
    return np.stack(moved), points + offsets[:, None]


def log_softmax(logits: torch.Tensor) -> torch.Tensor:
    """Logarithm of the probability of each place, (N, P, H, W)."""
    return logits.flatten(2).log_softmax(2).reshape(logits.shape)


def gaussian(points: torch.Tensor, H: int, W: int, sigma: float) -> torch.Tensor:
    """Return (N, P, H, W) maps that add up to 1, highest at the points."""
    y = torch.arange(H, device=points.device) - points[..., :1]  # (N, P, H)
    x = torch.arange(W, device=points.device) - points[..., 1:]  # (N, P, W)
    square = y[..., None] ** 2 + x[..., None, :] ** 2
    return (-square / (2 * sigma**2)).flatten(2).softmax(2).reshape(square.shape)


def decode(probability: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return (N, P, 2) positions (y, x): the mean place around the highest one."""
    H, W = probability.shape[2:]
    flat = probability.flatten(2)
    highest = flat.argmax(2, keepdim=True)
    places = torch.arange(H * W, device=flat.device)
    rows, cols = places // W, places % W
    far = (rows - highest // W) ** 2 + (cols - highest % W) ** 2
    near = flat * (far <= (2 * sigma) ** 2)
    near = near / near.sum(2, keepdim=True)
    return torch.stack([(near * rows).sum(2), (near * cols).sum(2)], 2)


def evaluate(points_true, points_pred, *, side, disc_diameter=DISC_DIAMETER):
    """Score places of disc and fovea, (N, P, 2) in pixels, in disc diameters.

    The diameter is a share of the images' side, as wide as the field of view. "error"
    is the mean distance, "within" the share that lies within half a diameter; then the
    same of "disc" and "fovea".
    """
    pairs = points_true.reshape(-1, 2), points_pred.reshape(-1, 2)
    distance = metrics.localization_error(*pairs, spacing=1 / (disc_diameter * side))
    distance = distance.reshape(points_true.shape[:2])  # (N, P)
    scores, parts = {}, (distance, *distance.T)
    for start, part in zip(("", "disc ", "fovea "), parts, strict=True):
        scores[f"{start}error"] = float(part.mean())
        scores[f"{start}within"] = float((part <= 0.5).mean())
    return scores
