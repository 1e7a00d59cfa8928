"""Zero-shot: is a finding there? Asked in words, beside networks taught by labels."""

from typing import Any

import numpy as np
import torch
from torch import nn

from tinyssl import metrics
from tinyssl.cases import Cases, Reading, gather
from tinyssl.data import Table
from tinyssl.data.toy.report import NAMES
from tinyssl.summary import Metric, mean_of, means_of
from tinyssl.targets import baselines
from tinyssl.targets.grading import Grading, view
from tinyssl.targets.laterality import Laterality
from tinyssl.task import Figures, Pretext, Target

BOOTSTRAPS, FEWEST = 1000, 5  # FEWEST: images with a finding, and without it
NONE = ("no ", "normal", "healthy")  # how the name of a class begins that is no finding


class ZeroShot(Target):
    """Say of every finding whether it is there: one logit each; or ask in words.

    A run of image-text contrast answers without labels: for each finding, which is
    nearer to the image, "microaneurysms" or "no microaneurysms"?

    Notes
    -----
    The probability is the softmax of two cosines, so it lies in [.12, .88]: only ranks
    mean anything. "No findings" is no finding: asked for "no no findings" the answer
    would be turned around, so names that begin so are left out. The interval is that
    of 1,000 bootstrap samples of the held-out images.

    References
    ----------
    Tiu et al. 2022, as `tinyssl.pretext.ImageText`.
    """

    name = "zero_shot"
    title = "Findings asked in words, without labels"
    measure = (
        "The area under the ROC curve (AUC), averaged over the findings: .5 is what "
        "guessing reaches. “Zero-shot” was taught by reports and by no label."
    )
    columns = ("image", "findings")
    metrics = {  # noqa: RUF012
        "auc": Metric("mean AUC", chance=0.5),
        "low": Metric("2.5 % of bootstrap"),
        "high": Metric("97.5 % of bootstrap"),
    }
    defaults = Grading.defaults | {"fractions": (0.01, 0.1, 1.0), "curve": 0}
    asks = True
    make_batch, pool = Grading.make_batch, staticmethod(Grading.pool)
    logits, forward = Grading.outputs, Laterality.forward  # (N, K), two classes each

    def __init__(self, encoder: nn.Module, *, num_findings: int, augment: bool = True):
        super().__init__()
        self.encoder, self.augment = encoder, augment
        self.linear = nn.Linear(2 * encoder.num_features, num_findings)

    @classmethod
    def read(cls, table: Table, reading: Reading) -> Cases:
        """Read whole images and their findings: kinds of mask, or classes."""
        images, table = reading.images(table)
        found = findings(table)
        if not found and reading.labelled:
            rule = f"needs a finding in {FEWEST} images, and missing in {FEWEST}"
            raise ValueError(f"{table.root}: {rule}, found none")
        there = np.stack([*found.values()], 1) if found else np.zeros((len(table), 0))
        grades = table.grade if table.grade is not None else np.zeros(len(table), int)
        columns = {"image": images, "findings": there, "grade": grades}
        known = {"labelled": (grades >= 0) & bool(found), "strata": grades}
        known |= {"classes": "grade", "findings": list(found), "size": reading.size}
        return gather(table, reading, columns, **known)

    @classmethod
    def build(cls, encoder: nn.Module, cases: Cases):
        """Put a head for as many findings as there are on an encoder."""
        return cls(encoder, num_findings=cases.columns["findings"].shape[1])

    def answer(self, x: torch.Tensor, *, views: int = 8) -> torch.Tensor:
        """Return the probability of each finding, over some views: (N, K)."""
        return torch.sigmoid(sum(self.logits(view(x, v)) for v in range(views)) / views)

    @classmethod
    def score(cls, cases: Cases, index: np.ndarray, answers: Any) -> dict[str, float]:
        """Score answers (N, K) to some of the cases, with a bootstrap interval."""
        truth = cases.columns["findings"][index] > 0
        each = auc_of_each(truth, answers)
        rng = np.random.default_rng(0)
        draws = rng.integers(len(truth), size=(BOOTSTRAPS, len(truth)))
        again = [mean_of(auc_of_each(truth[i], answers[i])) for i in draws]
        known = [value for value in again if np.isfinite(value)] or [np.nan]
        low, high = np.quantile(known, (0.025, 0.975))
        scores = {"auc": mean_of(each), "low": low, "high": high}
        named = zip(cases.facts["findings"], each, strict=True)
        return {k: float(v) for k, v in (*scores.items(), *named)}

    @classmethod
    def ask(cls, cases: Cases, learned: Pretext, held: np.ndarray):
        """Answer in words, if the task has learned any."""
        if not hasattr(learned, "similarity"):
            return {}
        names = cases.facts["findings"]
        texts = [text for name in names for text in (name, f"no {name}")]
        cosine = learned.similarity(cases.images(held), texts)
        yes, no = cosine[:, ::2], cosine[:, 1::2]
        return {"zero-shot": 1 / (1 + np.exp(no - yes))}

    @classmethod
    def baselines(cls, cases: Cases, chosen: np.ndarray, held: np.ndarray):
        """Answer by nine numbers that see no lesion."""
        parts = map(baselines.global_intensities, map(cases.images, (chosen, held)))
        return {"global intensities": _each(cases, chosen, *parts)}

    @classmethod
    def probe(cls, cases: Cases, chosen: np.ndarray, *features: np.ndarray):
        """Answer from frozen features of chosen and held-out images."""
        near = baselines.nearest(*features, min(5, len(chosen)))
        found = {"linear probe": _each(cases, chosen, *features)}
        neighbours = cases.columns["findings"][chosen][near]
        return found | {"nearest neighbours": neighbours.mean(1)}

    @classmethod
    def figures(cls, cases: Cases, results: dict[str, Any], load: Any) -> Figures:
        """Show the AUC of each finding by initialisation, with the most labels."""
        from tinyssl import plots

        means = means_of([*results["rows"], *results["asked"]], cases.facts["findings"])
        figure = plots.matrix(means, title="AUC of each finding")
        return [(figure, "With the most labels; mean over the folds. .5 is chance.")]


def findings(table: Table) -> dict[str, np.ndarray]:
    """Return for each finding that is neither rare nor everywhere where it is: (N,)."""
    known = {}
    for kind, masks in table.masks.items():
        if kind in NAMES:
            there = [m is not None and np.any(m) for m in masks]
            known[NAMES[kind][1]] = np.array(there)
    if not known and table.grade is not None:
        for k, name in enumerate(table.class_names or ()):
            if not name.lower().startswith(NONE):
                known[name] = table.grade == k
    most = len(table) - FEWEST
    return {k: there for k, there in known.items() if FEWEST <= there.sum() <= most}


def auc_of_each(truth: np.ndarray, answers: np.ndarray) -> list[float]:
    """Return the AUC of each finding, nan where all have it or none."""
    return [metrics.roc_auc(*pair) for pair in zip(truth.T, answers.T, strict=True)]


def _each(cases, chosen, features, features_new):
    """Fit each finding by logistic regression: (N, K); a half where it has one side."""
    how = {"num_grades": 2, "penalty": max(1.0, 0.1 * features.shape[1])}
    truth = cases.columns["findings"][chosen].T.astype(int)
    fit = baselines.logistic_regression
    return np.stack([fit(features, x, features_new, **how)[:, 1] for x in truth], 1)
