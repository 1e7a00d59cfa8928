"""Counting agreement of two raters, or of two masks, as compiled loops."""

import numpy as np

from tinyssl._kernels._compile import kernel

BLOCK = 32_768  # times 255 * 255 still fits in int32


@kernel
def rating_sums(y_true, y_pred, origin):
    """Return the five sums of quadratic weighted kappa, and the range, in int64."""
    sum_a = sum_b = sum_aa = sum_bb = sum_dd = np.int64(0)
    low = high = np.int64(y_true[0])
    for i in range(len(y_true)):
        # the range tells the caller whether a sum can have wrapped
        low = min(low, min(np.int64(y_true[i]), np.int64(y_pred[i])))
        high = max(high, max(np.int64(y_true[i]), np.int64(y_pred[i])))
        # distances from the origin, and between the raters
        a = np.int64(y_true[i]) - origin
        b = np.int64(y_pred[i]) - origin
        d = a - b
        sum_a += a
        sum_b += b
        sum_aa += a * a
        sum_bb += b * b
        sum_dd += d * d
    return sum_a, sum_b, sum_aa, sum_bb, sum_dd, low, high


@kernel
def byte_sums(y_true, y_pred):
    """Return the five sums for labels of one byte, block by block in int32."""
    sum_a = sum_b = sum_aa = sum_bb = sum_dd = np.int64(0)
    for start in range(0, len(y_true), BLOCK):
        block_a, block_b = y_true[start : start + BLOCK], y_pred[start : start + BLOCK]
        a1 = b1 = aa = bb = dd = np.int32(0)
        for i in range(len(block_a)):
            # int32 said at each step: Numba would widen to int64, at half the speed
            a, b = np.int32(block_a[i]), np.int32(block_b[i])
            d = np.int32(a - b)
            a1 = np.int32(a1 + a)
            b1 = np.int32(b1 + b)
            aa = np.int32(aa + np.int32(a * a))
            bb = np.int32(bb + np.int32(b * b))
            dd = np.int32(dd + np.int32(d * d))
        sum_a += a1
        sum_b += b1
        sum_aa += aa
        sum_bb += bb
        sum_dd += dd
    return sum_a, sum_b, sum_aa, sum_bb, sum_dd


@kernel
def confusion_matrix(y_true, y_pred, num_classes, table):
    """Count pairs of labels into a (K, K) table of zeros; return whether all fit."""
    for i in range(len(y_true)):
        if not (0 <= y_true[i] < num_classes and 0 <= y_pred[i] < num_classes):
            return False
        table[y_true[i], y_pred[i]] += 1
    return True


@kernel
def num_used(table):
    """Return how many classes a table has without the last that do not occur."""
    K = len(table)
    while K > 1:
        # whether anything was counted in the last row or column
        used = 0
        for j in range(K):
            used |= table[K - 1, j] | table[j, K - 1]
        if used:
            break
        K -= 1
    return K


@kernel
def count_equal(y_true, y_pred):
    """Count the positions where two arrays of one dtype agree."""
    equal = 0
    for i in range(len(y_true)):
        equal += y_true[i] == y_pred[i]
    return equal


@kernel
def overlap_counts(mask_true, mask_pred):
    """Return the pixels in both masks, in the first, and in the second."""
    both = first = second = np.int64(0)
    for start in range(0, len(mask_true), BLOCK):
        block1 = mask_true[start : start + BLOCK]
        block2 = mask_pred[start : start + BLOCK]
        n = n1 = n2 = np.int32(0)
        for i in range(len(block1)):
            # whatever is not 0 belongs to the object
            a, b = np.int32(block1[i] != 0), np.int32(block2[i] != 0)
            n = np.int32(n + (a & b))
            n1 = np.int32(n1 + a)
            n2 = np.int32(n2 + b)
        both += n
        first += n1
        second += n2
    return both, first, second
