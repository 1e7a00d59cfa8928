"""Errors in counting, ranking and the refusals."""

from planted.row import rows

COMPILED = """
_kernels/agreement.py: test_kernels.py::test_rating_sums
  test_kernels.py::test_pairs_of_labels test_kernels.py::test_byte_sums
  test_kernels.py::test_confusion_matrix_never_counts_outside_its_table
    sum_bb += b * b -> sum_bb += a * b
    a = np.int64(y_true[i]) - origin -> a = np.int64(y_true[i])
    high = max(high, max( -> high = max(high, min(
    table[y_true[i], y_pred[i]] += 1 -> table[y_pred[i], y_true[i]] += 1
                return False ->             continue
    y_true[start : start + BLOCK] -> y_true[start : start + BLOCK - 1]
    equal += y_true[i] == y_pred[i] -> equal += y_true[i] <= y_pred[i]

_kernels/agreement.py: metrics/test_agreement.py
    used |= table[K - 1, j] | table[j, K - 1] -> used |= table[K - 1, j]
    used |= table[K - 1, j] | table[j, K - 1] -> used |= table[j, K - 1]
    while K > 1: -> while K > 2:

_kernels/agreement.py:
  test_kernels.py::test_byte_sums_of_a_full_block_of_the_largest_do_not_wrap
    BLOCK = 32_768 -> BLOCK = 65_536

metrics/agreement.py: metrics/test_agreement.py
    np.multiply(y_true, K, dtype=np.int64, casting="unsafe")
        -> np.multiply(y_true, K).astype(np.int64)

metrics/agreement.py: metrics/test_agreement.py
    int(max(high)) - int(min(low)) -> int(max(high))
    max(aa, bb) < 2**53 -> max(aa, bb) < 2**60
    max(aa, bb) < 2**53 -> aa < 2**53
    w @ (a - b) ** 2 -> w @ abs(a - b)
    * (w @ a) * (w @ b) -> * (w @ a) * (w @ a)
    gaps = np.diff(values.astype(object)) -> gaps = np.ones(len(values) - 1)
    cost = a != b -> cost = a > b
    kind = object if wide else np.int64 -> kind = np.int64
    a, b = a.astype(object), b.astype(object) -> pass
    room = np.int64 if span < 2**63 else object -> room = object
"""  # where integers wrap twice and are right again
UNCOMPILED = r"""
metrics/agreement.py: metrics/test_agreement.py
    # digits lost where weights lie far apart
    both[np.argmin(np.abs(far - mean))] -> both[0]
    upto_a * over_b + upto_b * over_a -> upto_a * (n - upto_b) + upto_b * (n - upto_a)

metrics/classification.py: metrics/test_classification.py
    table.diagonal(), table.sum(axis=1), table.sum(axis=0)
        -> table.diagonal(), table.sum(axis=0), table.sum(axis=1)
    return values[1] -> return values[0]
    [value * true for value, (_, true, _) -> [value * true for value, (_, _, true)
    if every_class or any(sides) -> if every_class or sides[0]
    if whole else undefined -> if whole else 0.0

_kernels/agreement.py: test_kernels.py::test_overlap_counts metrics/test_overlap.py
    (a & b) -> (a | b)
    mask_true[start : start + BLOCK] -> mask_true[start + 1 : start + BLOCK]
    np.int32(block1[i] != 0) -> np.int32(block1[i] == 1)

metrics/overlap.py: metrics/test_overlap.py
    mask_true * region, mask_pred * region -> mask_true, mask_pred * region
    area = int(np.count_nonzero(region)) -> area = region.size
    area - true - (pred - both) -> area - true - pred

metrics/localization.py: metrics/test_localization.py metrics/test_refusals.py
    (points_pred - points_true) * spacing -> (points_pred - points_true) / spacing
    np.isfinite(error).all() -> np.isfinite(error).any()

_checks.py: test_checks.py metrics/test_refusals.py
    whole != np.rint(whole) -> np.abs(whole - np.rint(whole)) > 0.25
    if _is_masked(values): -> if False:
    values.dtype.newbyteorder("=") -> values.dtype.newbyteorder(">")
    values.dtype.kind == "f" and values.itemsize > 8 -> values.dtype == np.longdouble
    isinstance(values, (list, tuple)) else [values] -> False else [values]

_checks.py: metrics/test_refusals.py
    isinstance(value, type(o)) and value == o -> value == o
    values.min() / largest < 1e-290 -> False
    (whole >= 2.0**63) -> (whole > 2.0**63)

_checks.py: metrics/test_agreement.py
  metrics/test_ranking.py
    used = values > 0 -> used = values >= 0
    np.ldexp(values, -np.frexp(largest)[1]) -> values

_kernels/ranking.py: metrics/test_ranking.py test_kernels.py::test_sortable_keys
  test_kernels.py::test_radix_sort test_kernels.py::test_count_below
    scores[i] + 0.0 -> scores[i] - 0.0
    bits ^ ((bits >> 63) | SIGN) -> bits ^ SIGN
    lower = others[below] < scores[i] -> lower = others[below] <= scores[i]
    out[i:] = len(others) -> out[i:] = below - 1
    range(8):\n        shift -> range(7):\n        shift

metrics/ranking.py: metrics/test_ranking.py
    int(won.sum()) - int(lost.sum()) -> int(won.sum())
    np.searchsorted(others, scores, "left") -> np.searchsorted(others, scores, "right")
    share = np.bincount(y_true, weights, minlength=K)
        -> share = np.bincount(y_true, minlength=K)
    used = share > 0  # 0 times undefined is 0 -> used = share >= 0
    true[1:] + true[:-1] -> 2 * true[1:]
    min(1.0, float(np.sum(np.diff(true) * precision) / true[-1]))
        -> float(np.sum(np.diff(true) * precision) / true[-1])
    > 2**53: -> > 2**63:

metrics/ranking.py: metrics/test_ranking.py
    np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)
        -> np.flatnonzero(scores[1:] != scores[:-1])
"""
ROWS = rows(COMPILED, compiled=True) + rows(UNCOMPILED)
