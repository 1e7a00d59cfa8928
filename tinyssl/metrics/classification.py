"""Right and wrong by class: accuracy, precision, recall and F1."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.metrics._kappas import PART
from tinyssl.metrics.agreement import confusion_matrix

SMALL = 100_000  # labels that NumPy compares in well under .1 ms, without Numba
AVERAGES = ("binary", "macro", "micro", "weighted", None)


def accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Share of predictions that are right.

    Parameters
    ----------
    y_true, y_pred : (n,) int array
        Labels: any integers. Whole-valued floats and bools pass.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.

    Returns
    -------
    accuracy : float in [0, 1]
        1 is all right.

    Raises
    ------
    TypeError
        If labels or weights are not numbers.
    ValueError
        If labels are empty, not one-dimensional, of different lengths, fractional, not
        finite or beyond int64; if weights are negative, all zero, or they or their sum
        are not finite.

    Notes
    -----
    Equals scikit-learn's ``accuracy_score``, and torchmetrics' ``multiclass_accuracy``
    with ``average="micro"``. Always predicting the majority class scores its share:
    print that beside it.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 1])
    0.75
    """
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    weights = _checks.weights(sample_weight, len(y_true))
    if weights is not None:
        return float(weights[y_true == y_pred].sum() / weights.sum())
    if y_true.size <= SMALL or y_true.dtype != y_pred.dtype:
        return int(np.count_nonzero(y_true == y_pred)) / y_true.size
    counts = _threads.spread(
        lambda i, j: _kernels.agreement.count_equal(y_true[i:j], y_pred[i:j]),
        y_true.size,
        least=PART,
    )
    return int(sum(counts)) / y_true.size


def balanced_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Average the recall over the classes that occur in the truth.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, values in 0..K-1
        Labels. Whole-valued floats and bools pass.
    num_classes : int, optional
        K, which turns on the check that labels lie in 0..K-1.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.

    Returns
    -------
    score : float in [0, 1]
        1 is all right; a constant prediction scores 1 / (classes that occur).

    Raises
    ------
    TypeError, ValueError
        As `confusion_matrix`.

    Notes
    -----
    Equals scikit-learn's ``balanced_accuracy_score`` with ``adjusted=False``.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
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
    """Share of the predictions of a class that are right.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, values in 0..K-1
        Labels. Whole-valued floats and bools pass.
    average : {"binary", "macro", "micro", "weighted", None}
        "binary": class 1 alone, labels 0 and 1. "macro": the plain mean over classes
        (over all K if num_classes is given, else over those that occur on either
        side). "micro": all classes counted together. "weighted": the mean weighted
        by how often each class is true. None: one value a class.
    num_classes : int, optional
        K; the largest label + 1 if left out.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.
    undefined : float, default 0.0
        Value of a class that is never predicted (0/0).

    Returns
    -------
    precision : float in [0, 1], or (K,) float64 array if average is None
        1 is no false alarm.

    Raises
    ------
    TypeError
        If undefined is not a number; else as `confusion_matrix`.
    ValueError
        If average is none of the five, or "binary" meets other labels than 0 and 1,
        or another num_classes than 2; else as `confusion_matrix`.

    Notes
    -----
    Equals scikit-learn's ``precision_score(..., zero_division=undefined)``, with
    ``labels=range(num_classes)`` where num_classes is given.
    With nan the two part: scikit-learn leaves such classes out of a mean, here the mean
    is nan. ``numpy.nanmean`` of ``average=None`` leaves them out.

    Examples
    --------
    >>> precision([0, 1, 1, 0], [1, 1, 1, 0], average="binary")
    0.6666666666666666
    """
    hits, truth, predicted = _class_counts(
        y_true, y_pred, average, num_classes, sample_weight
    )
    every_class = num_classes is not None
    return _average(hits, predicted, truth, predicted, average, every_class, undefined)


def recall(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = 0.0,
) -> float | NDArray[np.float64]:
    """Share of the members of a class that are found.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, values in 0..K-1
        Labels. Whole-valued floats and bools pass.
    average : {"binary", "macro", "micro", "weighted", None}
        As in `precision`.
    num_classes : int, optional
        K; the largest label + 1 if left out.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.
    undefined : float, default 0.0
        Value of a class that is never true (0/0).

    Returns
    -------
    recall : float in [0, 1], or (K,) float64 array if average is None
        1 is none missed.

    Raises
    ------
    TypeError, ValueError
        As `precision`.

    Notes
    -----
    Equals scikit-learn's ``recall_score(..., zero_division=undefined)``, with
    ``labels=range(num_classes)`` where num_classes is given. With nan the two
    part, as for `precision`.

    Examples
    --------
    >>> recall([0, 1, 1, 1], [1, 1, 1, 0], average="binary")
    0.6666666666666666
    """
    hits, truth, predicted = _class_counts(
        y_true, y_pred, average, num_classes, sample_weight
    )
    every_class = num_classes is not None
    return _average(hits, truth, truth, predicted, average, every_class, undefined)


def f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    average: str | None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = 0.0,
) -> float | NDArray[np.float64]:
    """Harmonic mean of precision and recall.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, values in 0..K-1
        Labels. Whole-valued floats and bools pass.
    average : {"binary", "macro", "micro", "weighted", None}
        As in `precision`.
    num_classes : int, optional
        K; the largest label + 1 if left out.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.
    undefined : float, default 0.0
        Value of a class that is neither true nor predicted (0/0).

    Returns
    -------
    f1 : float in [0, 1], or (K,) float64 array if average is None
        1 is neither a miss nor a false alarm.

    Raises
    ------
    TypeError, ValueError
        As `precision`.

    Notes
    -----
    Equals scikit-learn's ``f1_score(..., zero_division=undefined)``, with
    ``labels=range(num_classes)`` where num_classes is given, and without it
    torchmetrics' ``multiclass_f1_score(..., average="macro")``. With nan it parts from
    scikit-learn, as `precision` does. "macro" is the mean of
    the classes' F1, not the F1 of mean precision and mean recall.

    Examples
    --------
    >>> f1_score([0, 1, 1, 0], [1, 1, 1, 0], average="binary")
    0.8
    """
    hits, truth, predicted = _class_counts(
        y_true, y_pred, average, num_classes, sample_weight
    )
    every_class = num_classes is not None
    return _average(
        2 * hits, truth + predicted, truth, predicted, average, every_class, undefined
    )


def _class_counts(y_true, y_pred, average, num_classes, sample_weight):
    """Return right, true and predicted counts of each class."""
    _checks.choice("average", average, AVERAGES)
    if average == "binary":
        if num_classes is None:
            num_classes = 2
        elif _checks.integer("num_classes", num_classes) != 2:
            raise ValueError(
                "num_classes must be 2 or left out when average is 'binary', "
                f"found {num_classes}"
            )
    table = confusion_matrix(
        y_true, y_pred, num_classes=num_classes, sample_weight=sample_weight
    )
    return table.diagonal(), table.sum(axis=1), table.sum(axis=0)


def _average(part, whole, truth, predicted, average, every_class, undefined):
    """Divide class by class, or all classes together, and average."""
    undefined = _checks.number("undefined", undefined)
    if average == "micro":
        return float(part.sum() / whole.sum())
    values = np.full(len(part), undefined)
    np.divide(part, whole, out=values, where=whole > 0)
    if average is None:
        return values
    if average == "binary":
        return float(values[1])
    if average == "weighted":
        used = truth > 0  # 0 times undefined is 0
        return float(values[used] @ truth[used] / truth.sum())
    counted = every_class | (truth > 0) | (predicted > 0)
    return float(values[counted].mean())
