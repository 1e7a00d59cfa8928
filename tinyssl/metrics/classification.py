"""Right and wrong by class: accuracy, precision, recall and F1."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.metrics.agreement import PART, confusion_matrix

SMALL = 100_000  # labels that NumPy compares in well under .1 ms, without Numba


def accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Share of predictions that are right: 1 is all.

    As `confusion_matrix`, but of any labels that fit int64. Equals scikit-learn's
    ``accuracy_score``, and torchmetrics' ``multiclass_accuracy`` with
    ``average="micro"``. Print the share of the majority class beside it.

    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 1])
    0.75
    """
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    weights = _checks.weights(sample_weight, len(y_true))
    if weights is not None:
        return float(weights[y_true == y_pred].sum() / weights.sum())
    if y_true.size <= SMALL or y_true.dtype != y_pred.dtype:
        return int(np.count_nonzero(y_true == y_pred)) / y_true.size
    count, labels = _kernels.agreement.count_equal, (y_true, y_pred)
    [counts] = _threads.in_parts(lambda a, b: [count(a, b)], labels, least=PART)
    return int(sum(counts)) / y_true.size


def balanced_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Average the recall over the classes that occur in the truth.

    As `confusion_matrix`; 1 is all right, and a constant prediction scores
    1 / (classes that occur). Equals scikit-learn's ``balanced_accuracy_score``.
    """
    table = confusion_matrix(
        y_true, y_pred, num_classes=num_classes, sample_weight=sample_weight
    )
    support = table.sum(axis=1)
    occurs = support > 0
    return float(np.mean(table.diagonal()[occurs] / support[occurs]))


def precision(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = 0.0,
) -> float | NDArray[np.float64]:
    """Share of the predictions of a class that are right: 1 is no false alarm.

    As `confusion_matrix`, but with an average of the classes.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, labels in 0..K-1
    average : {"binary", "macro", "micro", "weighted", None}
        "binary": class 1 alone; other labels than 0 and 1 are refused. "macro": the
        plain mean over classes (all K if num_classes is given, else those that occur on
        either side). "micro": all classes counted together. "weighted": the mean
        weighted by how often each class is true. None: one value a class.
    undefined : float, default 0; value of a class that is never predicted (0/0)

    Returns
    -------
    precision : float in [0, 1], or (K,) float64 array if average is None

    Raises
    ------
    ValueError
        If average is none of the five, or num_classes is not 2 where it is "binary".

    Notes
    -----
    Equals scikit-learn's ``precision_score(..., zero_division=undefined)``, with
    ``labels=range(num_classes)`` where num_classes is given, but for nan, which it
    leaves out of a mean, as ``numpy.nanmean`` of ``average=None`` does.

    Examples
    --------
    >>> precision([0, 1, 1, 0], [1, 1, 1, 0], average="binary")
    0.6666666666666666
    """
    given = y_true, y_pred, average, num_classes, sample_weight, undefined
    return _averaged(lambda hits, true, predicted: (hits, predicted), *given)


def recall(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = 0.0,
) -> float | NDArray[np.float64]:
    """Share of the members of a class that are found: 1 is none missed.

    As `precision`, of labels as `confusion_matrix` has them, but ``undefined`` is for a
    class that is never true. Equals scikit-learn's ``recall_score``.
    """
    given = y_true, y_pred, average, num_classes, sample_weight, undefined
    return _averaged(lambda hits, true, predicted: (hits, true), *given)


def f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = 0.0,
) -> float | NDArray[np.float64]:
    """Harmonic mean of precision and recall: 1 is neither miss nor false alarm.

    As `precision`, of labels as `confusion_matrix` has them, but ``undefined`` is for a
    class neither true nor predicted. Equals scikit-learn's ``f1_score``, and without
    num_classes torchmetrics' ``multiclass_f1_score(..., average="macro")``: the mean of
    the classes' F1, not the F1 of mean precision and mean recall.
    """
    given = y_true, y_pred, average, num_classes, sample_weight, undefined
    return _averaged(lambda hits, true, predicted: (2 * hits, true + predicted), *given)


def _averaged(share, y_true, y_pred, average, num_classes, sample_weight, undefined):
    """Divide what ``share`` says class by class, or all together, and average."""
    _checks.choice("average", average, ("binary", "macro", "micro", "weighted", None))
    every_class = num_classes is not None
    if average == "binary":
        if every_class and _checks.integer("num_classes", num_classes) != 2:
            rule = "be 2 or left out when average is 'binary'"
            raise _checks.refusal("num_classes", rule, num_classes)
        num_classes = 2
    table = confusion_matrix(
        y_true, y_pred, num_classes=num_classes, sample_weight=sample_weight
    )
    undefined = _checks.number("undefined", undefined)
    counts = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    counts = list(zip(*(of_class.tolist() for of_class in counts), strict=True))
    shares = [share(*of_class) for of_class in counts]
    if average == "micro":
        return sum(part for part, _ in shares) / sum(whole for _, whole in shares)
    values = [part / whole if whole else undefined for part, whole in shares]
    if average is None:
        return np.array(values)
    if average == "binary":
        return values[1]
    each = zip(values, counts, strict=True)
    if average == "weighted":  # 0 times undefined is 0
        weighted = [value * true for value, (_, true, _) in each if true]
        return sum(weighted) / sum(true for _, true, _ in counts)
    counted = [v for v, (_, *sides) in each if every_class or any(sides)]
    return sum(counted) / len(counted)
