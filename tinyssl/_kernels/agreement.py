"""Counting agreement between two raters, as compiled loops."""

import numpy as np

from tinyssl._kernels._compile import kernel


@kernel
def rating_sums(y_true, y_pred, origin):
    """Return the five sums of quadratic weighted kappa, exactly, in int64."""
    sum_a = sum_b = sum_aa = sum_bb = sum_dd = np.int64(0)
    for i in range(len(y_true)):
        # distances from the origin, and between the raters
        a = np.int64(y_true[i]) - origin
        b = np.int64(y_pred[i]) - origin
        d = a - b
        sum_a += a
        sum_b += b
        sum_aa += a * a
        sum_bb += b * b
        sum_dd += d * d
    return sum_a, sum_b, sum_aa, sum_bb, sum_dd


@kernel
def confusion_matrix(y_true, y_pred, num_classes, table):
    """Count pairs of labels into a (K, K) int64 table of zeros."""
    for i in range(len(y_true)):
        table[y_true[i], y_pred[i]] += 1
