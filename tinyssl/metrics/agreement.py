"""Agreement between two raters: the confusion matrix and Cohen's kappas."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads

# Up to this length NumPy is quick enough not to load Numba for: 16 us here, 9 us one
# longer (timeit of quadratic_weighted_kappa(a, a), a = np.arange(2000) % 5, and 2001).
SMALL = 2_000
PART = 1_000_000  # labels a thread: fewer do not pay for waking one on a busy machine
FEW = 32  # classes, in a table that fits in the first cache


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
    num_classes : int, optional; K, the largest label + 1 if left out
    sample_weight : (n,) float array, >= 0, optional; weight of each pair

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
    large = len(y_true) > SMALL and weights is None
    if large and num_classes is None:
        # most labels fit in a small table, and need no look before they are counted
        table = _count(y_true, y_pred, FEW)
        if table is not None:
            K = _kernels.agreement.num_used(table)
            return table[:K, :K].copy()
    K = _checks.classes(y_true, y_pred, num_classes, _checks.LARGEST_TABLE)
    if large:
        return _count(y_true, y_pred, K)
    flat = np.multiply(y_true, K, dtype=np.int64, casting="unsafe")
    np.add(flat, y_pred, out=flat, casting="unsafe")
    return np.bincount(flat, weights, minlength=K * K).reshape(K, K)


def _count(y_true, y_pred, K):
    """Count pairs of labels in a (K, K) table; None if one is not in 0..K-1."""

    def count(i, j):
        table = np.zeros((K, K), dtype=np.int64)
        labels = y_true[i:j], y_pred[i:j]
        return table if _kernels.agreement.confusion_matrix(*labels, K, table) else None

    parts = _threads.spread(count, len(y_true), least=max(PART, K * K))
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
    undefined : float, default nan; returned when both give one grade to all (0/0)

    Returns
    -------
    kappa : float in [-1, 1]
        1 is perfect agreement, 0 chance (and one constant rater), below 0 is worse.

    Notes
    -----
    Equals scikit-learn's ``cohen_kappa_score(..., weights="quadratic",
    labels=range(K))``, and torchmetrics' ``multiclass_cohen_kappa`` up to its float32.
    Without ``labels`` scikit-learn counts positions among the labels that occur, not
    their values: [0, 1, 4, 4] against [0, 4, 4, 1] is 0.294 here and 0.636 there.
    Without weights the sums are exact integers, and the value is the float64 nearest to
    kappa. Cohen 1968, Psychological Bulletin 70:213-220.

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
    order (Cohen 1960, Educational and Psychological Measurement 20:37-46). Equals
    scikit-learn's ``cohen_kappa_score(..., labels=range(K))``: unused grades count.

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
        observed, expected = _costs(y_true, y_pred, weights, scheme == "linear")
    elif weights is not None:
        return _weighted_kappa(y_true, y_pred, weights, undefined)
    else:
        n, (a, b, aa, bb, dd) = len(y_true), _rating_sums(y_true, y_pred)
        observed = n * dd
        expected = n * aa + n * bb - 2 * a * b
    return float((expected - observed) / expected) if expected else undefined


def _rating_sums(y_true, y_pred):
    """Return sums of a, b, a*a, b*b and (a-b)**2 as exact Python integers."""
    n = len(y_true)
    if n <= SMALL or np.uint64 in (y_true.dtype, y_pred.dtype):
        return _numpy_sums(y_true, y_pred)
    labels = y_true, y_pred
    if y_true.itemsize == 1:
        sums = _threads.in_parts(_kernels.agreement.byte_sums, labels, least=PART)
        return [int(sum(part)) for part in sums]
    # distances from any of the labels: integers that wrapped twice are right again
    origin = int(y_true[0])
    *sums, low, high = _threads.in_parts(
        lambda a, b: _kernels.agreement.rating_sums(a, b, origin), labels, least=PART
    )
    if n * (int(max(high)) - int(min(low))) ** 2 >= 2**63:  # a sum may have left int64
        return _numpy_sums(y_true, y_pred)
    return [int(sum(part)) for part in sums]


def _numpy_sums(y_true, y_pred):
    """Return the five sums from NumPy, in Python integers where float64 has no room."""
    both = np.array((y_true, y_pred), dtype=np.float64)
    (aa, ab), (_, bb) = (both @ both.T).tolist()
    if max(aa, bb) < 2**53:
        # whole numbers, and no sum of fewer of them, in any order, is larger: all exact
        sums = *both.sum(axis=1).tolist(), aa, bb, ab
        a, b, aa, bb, ab = map(int, sums)
        return a, b, aa, bb, aa + bb - 2 * ab
    a, b, span = _distances(y_true, y_pred)
    if len(a) * span**2 >= 2**63:
        a, b = a.astype(object), b.astype(object)
    d = a - b
    return int(a.sum()), int(b.sum()), int(a @ a), int(b @ b), int(d @ d)


def _weighted_kappa(y_true, y_pred, w, undefined):
    """Return the kappa of weighted ratings, in float64."""
    a, b, span = _distances(y_true, y_pred)
    if span == 0:
        return undefined
    if (a == a[0]).all() or (b == b[0]).all():
        return 0.0
    # about the label nearest to the common mean: little cancels, and a label that
    # outweighs all others is exactly 0
    n, both = w.sum(), np.concatenate([a, b])
    far = both.astype(np.float64)
    mean = (w @ far[: len(a)] + w @ far[len(a) :]) / (2 * n)
    origin = both[np.argmin(np.abs(far - mean))]
    a, b = (a - origin).astype(np.float64), (b - origin).astype(np.float64)
    observed = n * (w @ (a - b) ** 2)
    expected = n * (w @ (a * a) + w @ (b * b)) - 2 * (w @ a) * (w @ b)
    return float((expected - observed) / expected)


def _costs(y_true, y_pred, weights, linear):
    """Return disagreement observed and expected, exactly where there are no weights."""
    a, b, span = _distances(y_true, y_pred)
    # how often each rater used each value
    if span < _checks.LARGEST_TABLE:
        values, codes = np.arange(span + 1), (a, b)
    else:
        values, codes = np.unique(np.stack([a, b]), return_inverse=True)
    counts = (np.bincount(x.ravel(), weights, minlength=len(values)) for x in codes)
    count_a, count_b = (count.astype(object) for count in counts)
    n = count_a.sum()
    # how often one below and one above each gap: sums, as differences would cancel
    upto_a, upto_b = count_a.cumsum()[:-1], count_b.cumsum()[:-1]
    over_a, over_b = (count[::-1].cumsum()[-2::-1] for count in (count_a, count_b))
    if linear:
        cost = abs(a - b)
        # the mean of abs(a - b) is the area between two cumulative distributions
        gaps = np.diff(values.astype(object))
        expected = (gaps * (upto_a * over_b + upto_b * over_a)).sum()
    else:
        cost = a != b
        expected = (count_a[1:] * upto_b).sum() + (count_a[:-1] * over_b).sum()
    if weights is not None:
        return n * float(weights @ cost.astype(np.float64)), expected
    if linear and len(a) * span >= 2**63:
        cost = cost.astype(object)
    return n * int(cost.sum()), expected


def _distances(y_true, y_pred):
    """Return distances from the lowest label, int64 or Python's, and the largest."""
    low = min(int(y_true.min()), int(y_pred.min()))
    span = max(int(y_true.max()), int(y_pred.max())) - low
    wide = span >= 2**63 or np.uint64 in (y_true.dtype, y_pred.dtype)
    kind = object if wide else np.int64
    room = np.int64 if span < 2**63 else object
    a, b = ((x.astype(kind) - low).astype(room, copy=False) for x in (y_true, y_pred))
    return a, b, span
