"""Agreement between two raters: the confusion matrix and Cohen's kappas."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads

# Up to this length NumPy is quick enough not to load Numba for: 51 us here, 12 us one
# longer (python -m timeit -s "import numpy as np; from tinyssl.metrics import
# quadratic_weighted_kappa as f; a = np.arange(2000) % 5" "f(a, a)", and 2001).
SMALL = 2_000
PART = 200_000  # labels for a thread: about 50 us of work


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
    TypeError
        If labels are not numbers.
    ValueError
        If labels are empty, of different lengths, fractional, negative, NaN,
        beyond num_classes or 4,095; if weights are negative, not finite or all zero.

    Notes
    -----
    Equals scikit-learn's ``confusion_matrix(..., labels=range(K))``: a class that
    nobody uses keeps its row and column.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    K = _checks.table_classes(y_true, y_pred, num_classes)
    weights = _checks.weights(sample_weight, len(y_true))
    if len(y_true) <= SMALL or weights is not None:
        flat = y_true.astype(np.int64) * K + y_pred.astype(np.int64)
        return np.bincount(flat, weights, minlength=K * K).reshape(K, K)

    def count(i, j):
        table = np.zeros((K, K), dtype=np.int64)
        _kernels.agreement.confusion_matrix(y_true[i:j], y_pred[i:j], K, table)
        return table

    return sum(_threads.spread(count, len(y_true), least=max(PART, K * K)))


def quadratic_weighted_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    num_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> float:
    """Agreement of two raters on an ordered scale, beyond chance.

    Parameters
    ----------
    y_true, y_pred : (n,) int array
        Grades: any integers, negative ones included. Whole-valued floats and bools
        pass.
    num_classes : int, optional
        K, which turns on the check that grades lie in 0..K-1. It never changes the
        value.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.
    undefined : float, default nan
        Returned when both raters give one and the same grade to all (0/0).

    Returns
    -------
    kappa : float in [-1, 1]
        1 is perfect agreement, 0 what chance gives (one constant rater gives exactly
        0), negative values are worse than chance.

    Raises
    ------
    TypeError
        If grades are not numbers.
    ValueError
        If grades are empty, of different lengths, fractional, NaN, or outside
        0..K-1; if weights are negative, not finite or all zero.

    Notes
    -----
    Equals scikit-learn's ``cohen_kappa_score(..., weights="quadratic",
    labels=range(K))``. Without its ``labels`` scikit-learn counts positions among the
    labels that occur, not their values: [0, 1, 4, 4] against [0, 4, 4, 1] is 0.294
    here and 0.636 there. The value depends neither on K nor on unused grades, and
    shifting, scaling or reversing both scales leaves it unchanged. Without weights
    the sums are exact integers, of any size.

    References
    ----------
    Cohen 1968, "Weighted kappa", Psychological Bulletin 70(4):213-220.

    Examples
    --------
    >>> quadratic_weighted_kappa([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2])
    0.75
    """
    undefined = _checks.number("undefined", undefined)
    y_true, y_pred, weights = _ratings(y_true, y_pred, num_classes, sample_weight)
    if weights is not None:
        return _weighted_kappa(y_true, y_pred, weights, undefined)
    n, (a, b, aa, bb, dd) = len(y_true), _rating_sums(y_true, y_pred)
    # disagreement observed, and expected from all pairs (a_i, b_j)
    observed = n * dd
    expected = n * aa + n * bb - 2 * a * b
    return (expected - observed) / expected if expected else undefined


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

    Parameters
    ----------
    y_true, y_pred : (n,) int array
        Labels: any integers. Whole-valued floats and bools pass.
    weights : {None, "linear", "quadratic"}
        What a disagreement costs: 1, abs(a - b) or (a - b)**2.
    num_classes : int, optional
        K, which turns on the check that labels lie in 0..K-1.
    sample_weight : (n,) float array, >= 0, optional
        Weight of each pair.
    undefined : float, default nan
        Returned when both raters give one and the same label to all (0/0).

    Returns
    -------
    kappa : float, at most 1
        1 is perfect agreement, 0 what chance gives.

    Raises
    ------
    TypeError
        If labels are not numbers.
    ValueError
        If weights is none of the three, labels are empty, of different lengths,
        fractional, NaN, or outside 0..K-1, or sample weights are negative, not
        finite or all zero.

    Notes
    -----
    Equals scikit-learn's ``cohen_kappa_score(..., labels=range(K))``. Distances are
    those of the values, so an unused grade between two others counts.

    References
    ----------
    Cohen 1960, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20(1):37-46; Cohen 1968, as in
    `quadratic_weighted_kappa`.

    Examples
    --------
    >>> cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1])
    0.5
    """
    _checks.choice("weights", weights, (None, "linear", "quadratic"))
    if weights == "quadratic":
        return quadratic_weighted_kappa(
            y_true,
            y_pred,
            num_classes=num_classes,
            sample_weight=sample_weight,
            undefined=undefined,
        )
    undefined = _checks.number("undefined", undefined)
    y_true, y_pred, sample_weight = _ratings(y_true, y_pred, num_classes, sample_weight)
    observed, expected = _costs(y_true, y_pred, sample_weight, weights == "linear")
    return float((expected - observed) / expected) if expected else undefined


def _ratings(y_true, y_pred, num_classes, sample_weight):
    """Return checked labels, and weights of order 1 without those that are 0."""
    y_true, y_pred = _checks.label_pair(y_true, y_pred)
    if num_classes is not None:
        _checks.classes(y_true, y_pred, num_classes)
    weights = _checks.weights(sample_weight, len(y_true))
    if weights is not None:
        used = weights > 0
        y_true, y_pred, weights = y_true[used], y_pred[used], weights[used]
        weights = _checks.of_order_one(weights)
    return y_true, y_pred, weights


def _distances(y_true, y_pred):
    """Return both raters' distances from the lowest label, and the largest of them.

    They are int64, or Python integers where int64 has no room.
    """
    low = min(int(y_true.min()), int(y_pred.min()))
    span = max(int(y_true.max()), int(y_pred.max())) - low
    wide = span >= 2**63 or np.uint64 in (y_true.dtype, y_pred.dtype)
    kind = object if wide else np.int64
    return y_true.astype(kind) - low, y_pred.astype(kind) - low, span


def _costs(y_true, y_pred, weights, linear):
    """Return disagreement observed and expected, exactly where there are no weights."""
    a, b, span = _distances(y_true, y_pred)
    # how often each rater used each value
    if span < _checks.LARGEST_TABLE:
        values, codes = np.arange(span + 1), (a, b)
    else:
        values, codes = np.unique(np.stack([a, b]), return_inverse=True)
    count_a, count_b = (
        np.bincount(code.ravel(), weights, minlength=len(values)).astype(object)
        for code in codes
    )
    n = count_a.sum()
    if linear:
        cost = abs(a - b)
        # the mean of abs(a - b) is the area between two cumulative distributions
        upto_a, upto_b = count_a.cumsum()[:-1], count_b.cumsum()[:-1]
        gaps = np.diff(values.astype(object))
        expected = (gaps * (upto_a * (n - upto_b) + upto_b * (n - upto_a))).sum()
    else:
        cost = a != b
        expected = n * n - (count_a * count_b).sum()
    if weights is not None:
        return n * float(weights @ cost.astype(np.float64)), expected
    if linear and len(a) * span >= 2**63:
        cost = cost.astype(object)
    return n * int(cost.sum()), expected


def _rating_sums(y_true, y_pred):
    """Return sums of a, b, a*a, b*b and (a-b)**2 as exact Python integers."""
    n = len(y_true)
    if n <= SMALL or np.uint64 in (y_true.dtype, y_pred.dtype):
        return _numpy_sums(y_true, y_pred)
    if y_true.itemsize == 1:
        parts = _in_parts(_kernels.agreement.byte_sums, y_true, y_pred)
        return [sum(part) for part in zip(*parts, strict=True)]
    # distances from any of the labels: integers that wrapped twice are right again
    origin = int(y_true[0])
    parts = _in_parts(_kernels.agreement.rating_sums, y_true, y_pred, origin)
    *sums, low, high = zip(*parts, strict=True)
    if n * (max(high) - min(low)) ** 2 >= 2**63:  # a sum may have left int64
        return _numpy_sums(y_true, y_pred)
    return [sum(part) for part in sums]


def _in_parts(kernel, y_true, y_pred, *options):
    """Return a kernel's answers for each thread's part; short arrays have one."""
    if len(y_true) < 2 * PART:
        return [kernel(y_true, y_pred, *options)]
    return _threads.spread(
        lambda i, j: kernel(y_true[i:j], y_pred[i:j], *options),
        len(y_true),
        least=PART,
    )


def _numpy_sums(y_true, y_pred):
    """Return the five sums from NumPy, in Python integers where int64 has no room."""
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
    # about the common mean, so that little cancels
    a, b = a.astype(np.float64), b.astype(np.float64)
    n = w.sum()
    mean = (w @ a + w @ b) / (2 * n)
    a, b = a - mean, b - mean
    observed = n * (w @ (a - b) ** 2)
    expected = n * (w @ (a * a) + w @ (b * b)) - 2 * (w @ a) * (w @ b)
    return float((expected - observed) / expected)
