"""Ranking metrics of scores: area under the ROC curve and average precision."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.metrics.curves import check, cumulate

# Up to this length NumPy is quick enough not to load Numba for: .7 ms here, .3 ms one
# longer (timeit of roc_auc(s > .5, s), s of 10000 random numbers, and 10001).
SMALL = 10_000


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
    y_score : (n,) or (n, K) array, K >= 2
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
    TypeError, ValueError
        If inputs are not numbers, empty, of shapes that do not fit, labels out of range
        or fractional, scores NaN or of one column, weights as `confusion_matrix`
        refuses them or further apart than 1e290.

    Notes
    -----
    Equals scikit-learn's ``roc_auc_score``, for (n, K) with ``multi_class="ovr"``, and
    torchmetrics' ``binary_auroc`` where scores lie in [0, 1]; others it passes through
    a float32 sigmoid, and it calls one class 0. Without weights pairs are counted in
    integers, so that no two orders share a value by rounding. A class that never
    occurs, or alone, makes the macro mean undefined: to drop it would average over
    other classes from fold to fold; ``np.nanmean`` of ``average=None`` does.
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

    As `roc_auc`, but in (0, 1], where chance is about the share of positives, and
    undefined where no label is positive. Equals scikit-learn's
    ``average_precision_score``, and torchmetrics' ``binary_average_precision`` where
    scores lie in [0, 1]: steps at the thresholds, no interpolation (Manning, Raghavan
    and Schütze 2008, "Introduction to information retrieval", section 8.4).
    """
    area = _mean_precision
    return _one_vs_rest(area, y_true, y_score, average, sample_weight, undefined)


def _one_vs_rest(area, y_true, y_score, average, sample_weight, undefined):
    """Apply a binary area to the scores, class by class where there are K columns."""
    _checks.choice("average", average, ("macro", "weighted", None))
    undefined = _checks.number("undefined", undefined)
    y_true, y_score, weights = check(y_true, y_score, sample_weight)
    if y_score.ndim == 1:
        return area(y_true == 1, y_score, weights, undefined)
    K = y_score.shape[1]
    columns = np.ascontiguousarray(y_score.T)
    areas = [area(y_true == k, columns[k], weights, undefined) for k in range(K)]
    areas = np.array(areas)
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
        true, false, _ = cumulate(positive, scores, weights)
        if true[-1] == 0 or false[-1] == 0:
            return undefined
        area = np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2
        return min(1.0, float(area / (true[-1] * false[-1])))  # rounded above 1
    winners, losers, count_below = _classes(positive, scores)
    pairs = winners.size * losers.size
    if pairs == 0:
        return undefined
    # pairs won, and lost; the ties among them count half
    won, lost = count_below((winners, losers), (losers, winners))
    return (pairs + int(won.sum()) - int(lost.sum())) / (2 * pairs)


def _mean_precision(positive, scores, weights, undefined):
    """Return the average precision of one class."""
    if weights is not None:
        true, false, _ = cumulate(positive, scores, weights)
        if true[-1] == 0:
            return undefined
        precision = true[1:] / (true + false)[1:]
        return min(1.0, float(np.sum(np.diff(true) * precision) / true[-1]))
    winners, losers, count_below = _classes(positive, scores)
    if winners.size == 0:
        return undefined
    # positives and negatives that score at least as high
    true, false = count_below((winners, winners), (winners, losers))
    true, false = winners.size - true, losers.size - false
    return float(np.mean(true / (true + false)))


def _classes(positive, scores):
    """Return the scores of both classes, ascending, and what counts those below."""
    if scores.size <= SMALL:
        return np.sort(scores[positive]), np.sort(scores[~positive]), _search_below
    if scores.dtype != np.float64:
        if max(int(scores.max()), -int(scores.min())) > 2**53:
            scores = np.unique(scores, return_inverse=True)[1]  # ranks fit float64
        scores = scores.astype(np.float64)

    def sort(chosen):
        keys = np.empty(np.count_nonzero(chosen) + 1, np.uint64)
        _kernels.ranking.sortable_keys(scores, chosen, keys)
        return _kernels.ranking.radix_sort(keys[:-1], np.empty_like(keys[:-1]))

    winners, losers = _on_threads(sort, (positive, ~positive))
    return winners, losers, _merge_below


def _search_below(*pairs):
    """Count for each of some scores how many of others are lower, pair by pair."""
    return [np.searchsorted(others, scores, "left") for scores, others in pairs]


def _merge_below(*pairs):
    """Do the same by merging, a thread for each pair."""

    def count(pair):
        below = np.empty(pair[0].size, np.int64)
        _kernels.ranking.count_below(*pair, below)
        return below

    return _on_threads(count, pairs)


def _on_threads(work, items):
    """Do the same to each item; the answers do not depend on who did it."""
    parts = _threads.spread(lambda i, j: [work(x) for x in items[i:j]], len(items))
    return [answer for part in parts for answer in part]
