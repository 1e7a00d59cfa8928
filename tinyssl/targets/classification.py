"""Classification: classes without an order, or two, by the six numbers of the field.

Grades whose mistakes count by their distance are `tinyssl.targets.grading`'s; it hands
over to this task where the classes have no order, and where there are two.
"""

import numpy as np
from torch import nn

from tinyssl import metrics
from tinyssl.cases import Cases
from tinyssl.summary import Metric
from tinyssl.targets.grading import Grading


def evaluate(truth, answers, probabilities: np.ndarray) -> dict[str, float]:
    """Score classes (N,) and answers (N,) with their probabilities (N, K).

    AUC and AP are averaged over the classes that occur; nan where only one does.
    """
    binary = probabilities.shape[1] == 2
    scores = {"accuracy": metrics.accuracy(truth, answers)}
    how = "binary" if binary else "macro"
    parts = {"f1": metrics.f1_score, "precision": metrics.precision}
    for name, score in (parts | {"recall": metrics.recall}).items():
        scores[name] = score(truth, answers, average=how)
    occurring = [1] if binary else np.unique(truth)
    for name, score in (("auc", metrics.roc_auc), ("ap", metrics.average_precision)):
        each = [score(truth == k, probabilities[:, k]) for k in occurring]
        scores[name] = np.mean(each) if len(np.unique(truth)) > 1 else np.nan
    return {name: float(value) for name, value in scores.items()}


class Classification(Grading):
    """Name the class of an image: softmax and cross-entropy; as `Grading` otherwise."""

    name = "classification"
    measure = (
        "The area under the ROC curve (AUC) is the probability that an image of a "
        "class scores higher for it than one of another: 1 is perfect, .5 what "
        "guessing reaches. Of two classes precision, recall, F1 and average precision "
        "(AP) are those of the second, of more the mean over the classes (macro). "
        "Seen with eight views an image."
    )
    metrics = {  # noqa: RUF012
        "auc": Metric("AUC", chance=0.5),
        "accuracy": Metric("accuracy"),
        "f1": Metric("F1"),
        "precision": Metric("precision"),
        "recall": Metric("recall"),
        "ap": Metric("AP"),
    }
    evaluate = staticmethod(evaluate)
    probe_head = "softmax"

    @classmethod
    def suited(cls, cases: Cases):
        """Take the cases as they are, though they may have an order."""
        return cls

    @classmethod
    def build(cls, encoder: nn.Module, cases: Cases):
        """Put a head for as many classes as there are on an encoder."""
        return cls(encoder, num_grades=cases.facts["num_grades"], head="softmax")
