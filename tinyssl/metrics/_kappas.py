"""The sums behind the kappas, in integers that never wrap."""

import numpy as np

from tinyssl import _checks, _kernels, _threads

# Up to this length NumPy is quick enough not to load Numba for: 51 us here, 12 us one
# longer (timeit of quadratic_weighted_kappa(a, a), a = np.arange(2000) % 5, and 2001).
SMALL = 2_000
PART = 1_000_000  # labels a thread: fewer do not pay for waking one on a busy machine


def rating_sums(y_true, y_pred):
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
    """Return the five sums from NumPy, in Python integers where int64 has no room."""
    a, b, span = _distances(y_true, y_pred)
    if len(a) * span**2 >= 2**63:
        a, b = a.astype(object), b.astype(object)
    d = a - b
    return int(a.sum()), int(b.sum()), int(a @ a), int(b @ b), int(d @ d)


def weighted_kappa(y_true, y_pred, w, undefined):
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


def costs(y_true, y_pred, weights, linear):
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
