"""Agreement between two raters: the confusion matrix and Cohen's kappas."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.metrics import _kappas

FEW = 64  # classes, in a table that fits in the first cache


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> NDArray:
    """Count how often each true class was given each predicted class.

    Parameters
    ----------
    y_true, y_pred : (n,) int array, values in 0..K-1
        Labels. Whole-valued floats and bools pass.
    num_classes : int, optional
        K; the largest label + 1 if left out.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.

    Returns
    -------
    table : (K, K) int64 array, float64 with weights
        Rows are true classes, columns predicted ones.

    Raises
    ------
    TypeError, ValueError
        If labels are not numbers, empty, not one-dimensional, of different lengths,
        fractional, negative, not finite, beyond num_classes or 4,095; if weights are
        negative, all zero, or they or their sum are not finite.

    Notes
    -----
    Equals scikit-learn's ``confusion_matrix(..., labels=range(K))``.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    weights = _checks.weights(sample_weight, len(y_true))
    large = len(y_true) > _kappas.SMALL and weights is None
    if large and num_classes is None:
        # most labels fit in a small table, and need no look before they are counted
        table = _count(y_true, y_pred, FEW)
        if table is not None:
            K = int(np.flatnonzero(table.any(axis=0) | table.any(axis=1))[-1]) + 1
            return table[:K, :K].copy()
    K = _checks.classes(y_true, y_pred, num_classes, _checks.LARGEST_TABLE)
    if large:
        return _count(y_true, y_pred, K)
    flat = y_true.astype(np.int64) * K + y_pred.astype(np.int64)
    return np.bincount(flat, weights, minlength=K * K).reshape(K, K)


def _count(y_true, y_pred, K):
    """Count pairs of labels in a (K, K) table; None if one is not in 0..K-1."""

    def count(i, j):
        table = np.zeros((K, K), dtype=np.int64)
        labels = y_true[i:j], y_pred[i:j]
        return table if _kernels.agreement.confusion_matrix(*labels, K, table) else None

    parts = _threads.spread(count, len(y_true), least=max(_kappas.PART, K * K))
    return None if any(part is None for part in parts) else sum(parts)


def quadratic_weighted_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> float:
    """Agreement of two raters on an ordered scale, beyond chance.

    As `confusion_matrix`, but of any integers; num_classes only refuses grades outside
    0..K-1. Refused are also weights further apart than 1e290.

    Parameters
    ----------
    undefined : float, default nan
        Returned when both raters give one and the same grade to all (0/0).

    Returns
    -------
    kappa : float in [-1, 1]
        1 is perfect agreement, 0 what chance gives (one constant rater gives exactly
        0), negative values are worse than chance.

    Notes
    -----
    Equals scikit-learn's ``cohen_kappa_score(..., weights="quadratic",
    labels=range(K))``, and torchmetrics' ``multiclass_cohen_kappa`` up to its float32.
    Without ``labels`` scikit-learn counts positions among the labels that occur, not
    their values: [0, 1, 4, 4] against [0, 4, 4, 1] is 0.294 here and 0.636 there.
    Shifting, scaling or reversing both scales changes nothing. Without weights the sums
    are exact integers, and the value is the float64 nearest to kappa.
    Cohen 1968, "Weighted kappa", Psychological Bulletin 70(4):213-220.

    Examples
    --------
    >>> quadratic_weighted_kappa([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2])
    0.75
    """
    return _kappa("quadratic", y_true, y_pred, num_classes, sample_weight, undefined)


def cohen_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    weights: str | None = None,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> float:
    """Agreement of two raters beyond chance, with a choice of distance.

    As `quadratic_weighted_kappa`, of labels as `confusion_matrix` has them that need no
    order: Cohen 1960, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20(1):37-46. Equals scikit-learn's
    ``cohen_kappa_score(..., labels=range(K))``: an unused grade between two counts.

    Parameters
    ----------
    weights : {None, "linear", "quadratic"}
        What a disagreement costs: 1, abs(a - b) or (a - b)**2. Others are refused.

    >>> cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1])
    0.5
    """
    _checks.choice("weights", weights, (None, "linear", "quadratic"))
    return _kappa(weights, y_true, y_pred, num_classes, sample_weight, undefined)


def _kappa(scheme, y_true, y_pred, num_classes, sample_weight, undefined):
    """Return one minus the disagreement observed over that of all pairs (a_i, b_j)."""
    undefined = _checks.number("undefined", undefined)
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    if num_classes is not None:
        _checks.classes(y_true, y_pred, num_classes)
    y_true, y_pred, weights = _checks.weighted(sample_weight, y_true, y_pred)
    if scheme != "quadratic":
        observed, expected = _kappas.costs(y_true, y_pred, weights, scheme == "linear")
    elif weights is not None:
        return _kappas.weighted_kappa(y_true, y_pred, weights, undefined)
    else:
        n, (a, b, aa, bb, dd) = len(y_true), _kappas.rating_sums(y_true, y_pred)
        observed = n * dd
        expected = n * aa + n * bb - 2 * a * b
    return float((expected - observed) / expected) if expected else undefined
