"""Ranking by scores: ROC AUC, average precision, curves over all thresholds."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads

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
    y_true : (n,) int array, 0 or 1 with scores (n,); 0..K-1 with scores (n, K)
    y_score : (n,) or (n, K) array, K >= 2
        Any numbers that rank, infinite ones too; only their order matters. A column
        for each class is scored one-vs-rest.
    average : {"macro", "weighted", None}, default "macro"
        For scores (n, K): the plain mean over all K classes, the mean weighted by how
        often each class is true, or one value a class.
    sample_weight : (n,) float array, >= 0, optional; weight of each sample
    undefined : float, default nan; where all labels are positive or none (0/0)

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
    integers. A class that never occurs, or alone, makes the macro mean undefined;
    ``np.nanmean`` of ``average=None`` drops it. Hanley and McNeil 1982, Radiology
    143:29-36.

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
    scores lie in [0, 1]: steps at the thresholds, no interpolation (Manning et al.
    2008, "Introduction to information retrieval", section 8.4).
    """
    area = _mean_precision
    return _one_vs_rest(area, y_true, y_score, average, sample_weight, undefined)


def roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates at each threshold.

    As `roc_auc`, of one column of scores; undefined fills a rate whose class never
    occurs. Equals scikit-learn's ``roc_curve(..., drop_intermediate=False)``.

    Returns
    -------
    false_positive_rate, true_positive_rate : (m,) float64 array, from 0 to 1
        Rates when "score >= threshold" means positive.
    thresholds : (m,) float64 array, falling
        Distinct scores, after inf, at which nothing is positive. A score of inf follows
        as a threshold of its own; integers beyond 2**53 are listed rounded.

    >>> roc_curve([0, 1], [0.1, 0.4])
    (array([0., 0., 1.]), array([0., 1., 1.]), array([inf, 0.4, 0.1]))
    """
    undefined = _checks.number("undefined", undefined)
    true, false, thresholds = _curve(y_true, y_score, sample_weight)
    return _share(false, undefined), _share(true, undefined), thresholds


def precision_recall_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall at each threshold.

    As `roc_curve`, but recall rises, undefined fills it when no label is positive, and
    no threshold is inf; labels, scores and weights as `roc_auc` has them. This is
    scikit-learn's ``precision_recall_curve`` reversed, without the point (recall 0,
    precision 1) it adds, which belongs to no threshold.
    """
    undefined = _checks.number("undefined", undefined)
    true, false, thresholds = (x[1:] for x in _curve(y_true, y_score, sample_weight))
    return true / (true + false), _share(true, undefined), thresholds


def _one_vs_rest(area, y_true, y_score, average, sample_weight, undefined):
    """Apply a binary area to the scores, class by class where there are K columns."""
    _checks.choice("average", average, ("macro", "weighted", None))
    undefined = _checks.number("undefined", undefined)
    y_true, y_score, weights = _check(y_true, y_score, sample_weight)
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
        true, false, _ = _cumulate(positive, scores, weights)
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
        true, false, _ = _cumulate(positive, scores, weights)
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


def _curve(y_true, y_score, sample_weight):
    y_true, y_score, weights = _check(y_true, y_score, sample_weight)
    if y_score.ndim != 1:
        raise _checks.refusal("y_score", "be one-dimensional", f"shape {y_score.shape}")
    return _cumulate(y_true == 1, y_score, weights)


def _share(counts, undefined):
    """Return rising counts as a share of the last."""
    return counts / counts[-1] if counts[-1] else np.full(len(counts), undefined)


def _check(y_true, y_score, sample_weight):
    """Return labels, scores, and weights of order 1, that fit together."""
    y_true = _checks.labels("y_true", y_true)
    y_score = _checks.array("y_score", y_score)
    n = len(y_true)
    if y_score.shape[:1] != (n,) or y_score.ndim > 2:
        rule = f"have shape ({n},) or ({n}, K) as y_true has"
        raise _checks.refusal("y_score", rule, y_score.shape)
    if y_score.ndim == 2 and y_score.shape[1] < 2:
        rule = f"have shape ({n},) or a column for each class, two or more"
        raise _checks.refusal("y_score", rule, y_score.shape)
    _checks.not_nan("y_score", y_score)
    _checks.label_range("y_true", y_true, (2, *y_score.shape[1:])[-1])
    if y_score.dtype.kind == "f":
        y_score = y_score.astype(np.float64, copy=False)
    # what weighs nothing is no threshold either
    return _checks.weighted(sample_weight, y_true, y_score)


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
    return true, false, np.concatenate([[np.inf], scores[ends].astype(np.float64)])


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
