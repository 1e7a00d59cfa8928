"""Ranking metrics of scores: ROC and precision-recall curves and their areas."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels

# Up to this length NumPy is quick enough not to load Numba for.
SMALL = 10_000
AVERAGES = ("macro", "weighted", None)


def roc_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Probability that a positive scores higher than a negative, ties counting half.

    Parameters
    ----------
    y_true : (n,) int array
        0 or 1 with scores (n,); 0..K-1 with scores (n, K).
    y_score : (n,) or (n, K) array
        Any numbers that rank, infinite ones too; only their order matters. A column
        for each class is scored one-vs-rest.
    average : {"macro", "weighted", None}, default "macro"
        For scores (n, K): the plain mean over all K classes, the mean weighted by how
        often each class is true, or one value a class.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each sample.
    undefined : float, default nan
        Value where all labels are positive or all negative (0/0).

    Returns
    -------
    auc : float in [0, 1], or (K,) float64 array
        1 is perfect order, .5 chance, 0 perfect reverse order.

    Raises
    ------
    TypeError
        If labels or scores are not numbers.
    ValueError
        If inputs are empty, of different lengths or shapes, labels out of range or
        fractional, scores NaN, weights negative or all zero, or average unknown.

    Notes
    -----
    Equals scikit-learn's ``roc_auc_score``, for (n, K) with ``multi_class="ovr"``.
    A class that never occurs is not dropped from the macro mean: it makes the mean
    undefined. Without weights pairs are counted in integers.

    References
    ----------
    Hanley and McNeil 1982, "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", Radiology 143(1):29-36.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return _one_vs_rest(_auc, y_true, y_score, average, sample_weight, undefined)


def average_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Mean precision over the positives, each at its own score as threshold.

    Parameters
    ----------
    y_true : (n,) int array
        0 or 1 with scores (n,); 0..K-1 with scores (n, K).
    y_score : (n,) or (n, K) array
        Any numbers that rank, as in `roc_auc`.
    average : {"macro", "weighted", None}, default "macro"
        As in `roc_auc`.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each sample.
    undefined : float, default nan
        Value where no label is positive (0/0).

    Returns
    -------
    score : float in (0, 1], or (K,) float64 array
        1 is perfect order; chance is about the share of positives.

    Raises
    ------
    TypeError
        If labels or scores are not numbers.
    ValueError
        As `roc_auc`.

    Notes
    -----
    Equals scikit-learn's ``average_precision_score``: steps at the thresholds, no
    interpolation.

    References
    ----------
    Manning, Raghavan and Schütze 2008, "Introduction to information retrieval",
    section 8.4.

    Examples
    --------
    >>> average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8333333333333333
    """
    return _one_vs_rest(
        _mean_precision, y_true, y_score, average, sample_weight, undefined
    )


def roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates at each threshold.

    Parameters
    ----------
    y_true : (n,) int array, values 0 or 1
        Labels.
    y_score : (n,) array
        Any numbers that rank.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each sample.
    undefined : float, default nan
        Fills a rate whose class never occurs (0/0).

    Returns
    -------
    false_positive_rate, true_positive_rate : (m,) float64 array, from 0 to 1
        Rates when "score >= threshold" means positive.
    thresholds : (m,) float64 array, falling
        Distinct scores, after inf, at which nothing is positive.

    Raises
    ------
    TypeError
        If labels or scores are not numbers.
    ValueError
        As `roc_auc`, and if scores are not one-dimensional.

    Notes
    -----
    Equals scikit-learn's ``roc_curve(..., drop_intermediate=False)``.

    Examples
    --------
    >>> fpr, tpr, thresholds = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr, tpr
    (array([0. , 0. , 0.5, 0.5, 1. ]), array([0. , 0.5, 0.5, 1. , 1. ]))
    >>> thresholds
    array([ inf, 0.8 , 0.4 , 0.35, 0.1 ])
    """
    true, false, thresholds = _curve(y_true, y_score, sample_weight)
    fpr, tpr = (
        count / count[-1] if count[-1] > 0 else np.full(len(count), float(undefined))
        for count in (false, true)
    )
    return fpr, tpr, thresholds


def precision_recall_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall at each threshold.

    Parameters
    ----------
    y_true : (n,) int array, values 0 or 1
        Labels.
    y_score : (n,) array
        Any numbers that rank.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each sample.
    undefined : float, default nan
        Fills the recall when no label is positive (0/0).

    Returns
    -------
    precision, recall : (m,) float64 array
        Values when "score >= threshold" means positive; recall rises.
    thresholds : (m,) float64 array, falling
        Distinct scores.

    Raises
    ------
    TypeError
        If labels or scores are not numbers.
    ValueError
        As `roc_auc`, and if scores are not one-dimensional.

    Notes
    -----
    scikit-learn's ``precision_recall_curve`` reversed, without the point
    (recall 0, precision 1) it adds, which belongs to no threshold.

    Examples
    --------
    >>> precision, recall, thresholds = precision_recall_curve(
    ...     [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    ... )
    >>> recall
    array([0.5, 0.5, 1. , 1. ])
    """
    true, false, thresholds = (
        part[1:] for part in _curve(y_true, y_score, sample_weight)
    )
    recall = true / true[-1] if true[-1] > 0 else np.full(len(true), float(undefined))
    flagged = true + false
    precision = np.full(len(true), float(undefined))
    np.divide(true, flagged, out=precision, where=flagged > 0)
    return precision, recall, thresholds


def _one_vs_rest(area, y_true, y_score, average, sample_weight, undefined):
    """Apply a binary area to the scores, class by class where there are K columns."""
    _checks.choice("average", average, AVERAGES)
    y_true, y_score, weights = _check(y_true, y_score, sample_weight)
    if y_score.ndim == 1:
        return area(y_true == 1, y_score, weights, undefined)
    K = y_score.shape[1]
    areas = np.array(
        [area(y_true == k, y_score[:, k], weights, undefined) for k in range(K)]
    )
    if average is None:
        return areas
    if average == "macro":
        return float(areas.mean())
    share = np.bincount(y_true, weights, minlength=K)
    used = share > 0  # 0 times undefined is 0
    return float(areas[used] @ share[used] / share.sum())


def _auc(positive, scores, weights, undefined):
    """Return the area under the ROC curve of one class."""
    if weights is not None:
        true, false, _ = _cumulate(positive, scores, weights)
        if true[-1] == 0 or false[-1] == 0:
            return undefined
        area = np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2
        return float(area / (true[-1] * false[-1]))
    winners, losers = np.sort(scores[positive]), np.sort(scores[~positive])
    if winners.size == 0 or losers.size == 0:
        return undefined
    if scores.size > SMALL:
        twice = int(_kernels.ranking.ranked_pairs(winners, losers))
    else:
        below = np.searchsorted(losers, winners, "left")
        twice = int(below.sum() + np.searchsorted(losers, winners, "right").sum())
    return twice / (2 * winners.size * losers.size)


def _mean_precision(positive, scores, weights, undefined):
    """Return the average precision of one class."""
    if weights is not None:
        true, false, _ = _cumulate(positive, scores, weights)
        if true[-1] == 0:
            return undefined
        step, flagged = np.diff(true), (true + false)[1:]
        found = step > 0
        return float(np.sum(step[found] * (true[1:] / flagged)[found]) / true[-1])
    winners, losers = np.sort(scores[positive]), np.sort(scores[~positive])
    if winners.size == 0:
        return undefined
    if scores.size > SMALL:
        return float(_kernels.ranking.average_precision(winners, losers))
    true = winners.size - np.searchsorted(winners, winners, "left")
    false = losers.size - np.searchsorted(losers, winners, "left")
    return float(np.mean(true / (true + false)))


def _check(y_true, y_score, sample_weight):
    """Return labels, scores and weights that fit together."""
    y_true = _checks.labels("y_true", y_true)
    y_score = _checks.array("y_score", y_score)
    if y_score.ndim not in (1, 2) or len(y_score) != len(y_true):
        raise ValueError(
            f"y_score must have shape ({len(y_true)},) or ({len(y_true)}, K) "
            f"as y_true has, found {y_score.shape}"
        )
    _checks.not_empty("y_score", y_score)
    _checks.not_nan("y_score", y_score)
    _checks.classes(y_true, y_true, 2 if y_score.ndim == 1 else y_score.shape[1])
    if y_score.dtype.kind == "f":
        y_score = y_score.astype(np.float64, copy=False)
    return y_true, y_score, _checks.weights(sample_weight, len(y_true))


def _curve(y_true, y_score, sample_weight):
    """Check binary input and cumulate it."""
    y_true, y_score, weights = _check(y_true, y_score, sample_weight)
    if y_score.ndim != 1:
        raise ValueError(
            f"y_score must be one-dimensional, found shape {y_score.shape}"
        )
    return _cumulate(y_true == 1, y_score, weights)


def _cumulate(positive, scores, weights):
    """Return true and false positives (0 first) at each distinct score, falling."""
    order = np.argsort(scores, kind="stable")[::-1]
    positive, scores = positive[order], scores[order]
    ends = np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)
    one = np.ones(scores.size, dtype=np.int64) if weights is None else weights[order]
    true, false = (
        np.concatenate([[0], np.cumsum(np.where(part, one, 0))[ends]])
        for part in (positive, ~positive)
    )
    return true, false, np.concatenate([[np.inf], scores[ends]])
