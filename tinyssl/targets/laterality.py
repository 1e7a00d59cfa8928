"""Laterality: is it a right or a left eye? The view that an image shows."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import metrics
from tinyssl.cases import Cases, Reading, gather
from tinyssl.data import Table
from tinyssl.summary import Metric
from tinyssl.targets import baselines
from tinyssl.targets.localization import Localization, read_points
from tinyssl.task import Target
from tinyssl.transforms import adjust, flip, sample_adjustments, sample_flips

EYES = ("left", "right")  # 0 and 1


class Laterality(Target):
    """Tell right eyes from left ones: one logit an image.

    Parameters
    ----------
    augment : bool
        Mirror, which turns a right eye into a left one and its label with it, so that
        one image shows both classes; brightness and contrast.

    Notes
    -----
    In an upright image the disc of a right eye lies on the right: so left and right
    half are pooled apart, where a mean over all would forget the side.
    """

    name = "laterality"
    title = "Right eye or left from a few labelled images"
    measure = "Accuracy on whole images, each asked straight and mirrored."
    columns = ("image", "eye")
    metrics = {  # noqa: RUF012
        "accuracy": Metric("accuracy", chance=0.5),
        "auc": Metric("AUC", chance=0.5),
    }
    defaults = Localization.defaults

    def __init__(self, encoder: nn.Module, *, augment: bool = True):
        super().__init__()
        self.encoder, self.augment = encoder, augment
        self.linear = nn.Linear(2 * encoder.num_features, 1)

    @classmethod
    def read(cls, table: Table, reading: Reading) -> Cases:
        """Read whole images and which eye each is, by files or else by the points."""
        images, table = reading.images(table)
        if table.eye is not None and (table.eye != "").any():
            number = {eye: k for k, eye in enumerate(EYES)}
            eyes = np.array([number.get(eye, -1) for eye in table.eye])
        else:
            disc, fovea = read_points(table, reading, "which eye it is, or ")
            apart = disc[:, 1] - fovea[:, 1]  # a right eye's disc lies right
            eyes = np.where(np.isfinite(apart), apart > 0, -1)
        columns = {"image": images, "eye": eyes}
        known = {"labelled": eyes >= 0, "strata": eyes, "classes": "eye"}
        return gather(table, reading, columns, size=reading.size, **known)

    def make_batch(self, images, eyes, rng):
        """Mirror half of the images and exchange their labels."""
        if not self.augment:
            return images, eyes
        N, shape, rng = len(images), images.shape, np.random.default_rng(rng)
        rows = images.reshape(N, -1, *shape[-2:])  # slices of a volume in a column
        mirrored = sample_flips(N, rng=rng)
        rows = adjust(flip(rows, mirrored), *sample_adjustments(N, rng=rng))
        return rows.reshape(shape), np.where(mirrored, 1 - eyes, eyes)

    def forward(self, inputs, targets):
        """Cross-entropy of two classes."""
        logits = self.logits(inputs)
        loss = F.binary_cross_entropy_with_logits(logits, targets.float())
        return loss, {"accuracy": ((logits > 0) == (targets > 0)).float().mean()}

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Score each image; positive says right: (N,)."""
        return self.linear(self.pool(self.encoder.features(inputs)))[:, 0]

    @staticmethod
    def pool(features: torch.Tensor) -> torch.Tensor:
        """Pool each half of maps (N, C, h, w), or of volumes, by its mean: (N, 2 C)."""
        rows = features.flatten(2, -2)  # (N, C, h, w)
        return F.adaptive_avg_pool2d(rows, (1, 2)).flatten(1)

    def answer(self, x: torch.Tensor) -> torch.Tensor:
        """Return the probability of a right eye, by image and mirror image: (N,)."""
        return torch.sigmoid((self.logits(x) - self.logits(x.flip(-1))) / 2)

    @classmethod
    def score(cls, cases: Cases, index: np.ndarray, answers: Any) -> dict[str, float]:
        """Score answers to some of the cases; see `evaluate`."""
        return evaluate(cases.columns["eye"][index], answers)

    @classmethod
    def baselines(cls, cases: Cases, chosen: np.ndarray, held: np.ndarray):
        """Answer the eye that most of the labelled images are."""
        right = float(cases.columns["eye"][chosen].mean() > 0.5)
        return {"majority eye": np.full(len(held), right)}

    @classmethod
    def probe(cls, cases: Cases, chosen: np.ndarray, *features: np.ndarray):
        """Answer from frozen features of chosen and held-out images."""
        found = baselines.probes(*features, cases.columns["eye"][chosen], num_grades=2)
        return {name: p[:, 1] for name, p in found.items()}


def evaluate(eyes_true: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Score answers: accuracy, and the area under the ROC curve."""
    accuracy = metrics.accuracy(eyes_true, (probability > 0.5).astype(int))
    auc = metrics.roc_auc(eyes_true, probability)
    return {"accuracy": float(accuracy), "auc": float(auc)}
