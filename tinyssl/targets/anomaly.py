"""Anomaly: how far does an image lie from normal ones? Nothing is trained."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyssl import metrics
from tinyssl.cases import Cases, Reading, gather
from tinyssl.data import Table
from tinyssl.data.toy.report import NAMES
from tinyssl.dictionary import unit
from tinyssl.summary import Metric, means_of, number
from tinyssl.targets.baselines import distances, gaussian, global_intensities
from tinyssl.targets.grading import Grading, in_words
from tinyssl.task import Figures, Target

NORMAL = ("no ", "no_", "normal", "healthy")  # how the name of a normal class begins
ALIKE = "look-alikes"  # harmless spots; all of them, and of each kind


class Anomaly(Target):
    """Score images by their distance from normal ones, as a frozen encoder sees them.

    That of Mahalanobis, in a Gaussian fitted to the pooled features, at unit length, of
    normal training images: the score of `tinyssl.pretext.AnatomyPaste`'s paper.

    Notes
    -----
    The labelled images are normal ones here. Abnormal ones must not choose the encoder
    either, nor any setting. Look-alikes are harmless: a score should not tell normal
    eyes with many of them from those with few.
    """

    name = "anomaly"
    title = "Abnormal images, told from normal ones alone"
    measure = (
        "The area under the ROC curve (AUC) is how often an abnormal image lies farther"
        " from the normal training images than a normal one does; .5 is guessing."
    )
    metrics = {"auc": Metric("AUC", chance=0.5)}  # noqa: RUF012
    defaults = {"encoder": "small", "images": (10, "all")}  # noqa: RUF012
    trains, probes = False, False
    pool = staticmethod(Grading.pool)

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder, D = encoder, 2 * encoder.num_features
        self.register_buffer("mean", torch.zeros(D))
        self.register_buffer("scale", torch.eye(D))

    @classmethod
    def read(cls, table: Table, reading: Reading, *, normal: str | None = None):
        """Read whole images, and which are normal.

        Parameters
        ----------
        normal : str, class that is normal: else the one whose name says so, or grade 0
        """
        images, table = reading.images(table)
        grades = np.full(len(table), -1) if table.grade is None else table.grade
        names = list(table.class_names or map(str, range(grades.max() + 1)))
        told = [name for name in names if name.lower().startswith(NORMAL)]
        told = [normal] if normal else told or names * table.ordered
        healthy = np.isin(grades, [k for k, x in enumerate(names) if [x] == told[:1]])
        asked = questions(grades, names, healthy, table.factors)
        if reading.labelled and not (healthy.any() and "auc" in asked):
            rule = "needs images of a normal class (--normal NAME) and of another"
            raise ValueError(f"{table.root}: {rule}, found {names or 'none'}")
        columns = {"image": images, "grade": grades}
        columns["asked"] = np.array([*asked.values()], int).reshape(-1, len(table)).T
        known = {"labelled": healthy, "strata": grades, "classes": "grade"}
        known |= {"class_names": names, "asked": list(asked), "size": reading.size}
        return replace(gather(table, reading, columns, **known), scored=grades >= 0)

    def fit(self, images) -> None:
        """Learn from normal images what is normal."""
        mean, scale = map(torch.from_numpy, gaussian(self.embed(images)))
        self.mean.copy_(mean), self.scale.copy_(scale)

    def embed(self, images) -> np.ndarray:
        """Return pooled features at unit length: (N, D)."""
        return unit(self.answers(lambda x: self.pool(self.encoder.features(x)), images))

    def predict(self, images) -> np.ndarray:
        """Return how far each image lies from the normal ones: (N,)."""
        known = (x.cpu().double().numpy() for x in (self.mean, self.scale))
        return distances(self.embed(images), *known)

    @classmethod
    def score(cls, cases: Cases, index: np.ndarray, answers: Any) -> dict[str, float]:
        """Return the AUC of each question; the first is all that is abnormal."""
        each = zip(cases.facts["asked"], cases.columns["asked"][index].T, strict=True)
        return {name: auc(asked, answers) for name, asked in each}

    @classmethod
    def baselines(cls, cases: Cases, chosen: np.ndarray, held: np.ndarray):
        """Answer by the distance from the mean image, and by nine numbers."""
        some, others = map(cases.images, (chosen, held))
        apart = (others - some.mean(0)).reshape(len(held), -1)
        few, new = map(global_intensities, (some, others))
        known = {"mean image": np.linalg.norm(apart, axis=1)}
        return known | {"global intensities": distances(new, *gaussian(few))}

    @classmethod
    def figures(cls, cases: Cases, results: dict[str, Any], load: Any) -> Figures:
        """Show the AUC of each question by initialisation, with the most images."""
        from tinyssl import plots

        names, counts = cases.facts["asked"], (cases.columns["asked"] == 1).sum(0)
        means = means_of([*results["asked"], *results["rows"]], names)
        init = max(means, key=lambda key: means[key]["auc"])
        ill = [name for name in names[1:] if not name.startswith(ALIKE)]
        ends = (f(ill, key=means[init].get) for f in (max, min))
        found = (f"{name} (AUC {number(means[init][name], 2)})" for name in ends)
        title = f"By {init}, found best: {'; worst: '.join(found)}"
        each = (f"{name} {count}" for name, count in zip(names, counts, strict=True))
        caption = f"AUC beside normal images, {ALIKE} among them. {', '.join(each)}."
        return [(plots.matrix(means, title=title), caption)]


def questions(grades, names, healthy, factors) -> dict[str, np.ndarray]:
    """Return for each question who is asked: 1 beside 0, the others are -1; (N,) each.

    All abnormal images, those of a class, with a kind of lesion, beside normal ones;
    normal ones with more look-alikes than half of them have, beside the others.
    """
    kinds = {"auc": grades >= 0}
    kinds |= {in_words(k, names, short=True): grades == k for k in range(len(names))}
    for kind, (_, many) in NAMES.items():
        kinds[many] = factors.get(f"lesions {kind}", 0) > 0
    kinds = {k: x & ~healthy for k, x in kinds.items() if np.any(x & ~healthy)}
    asked = {k: np.where(healthy, 0, 2 * x - 1) for k, x in kinds.items()}
    alike = {k: x for k, x in factors.items() if k.startswith(ALIKE) and healthy.any()}
    alike |= {ALIKE: sum(alike.values())} if alike else {}
    many = {k: count > np.median(count[healthy]) for k, count in alike.items()}
    return asked | {k: np.where(healthy, x, -1) for k, x in many.items()}


def auc(asked, answers) -> float:
    """Return the AUC of the answers of 1 beside those of 0; nan where one lacks."""
    known = asked >= 0
    return metrics.roc_auc(asked[known] == 1, answers[known]) if known.any() else np.nan
