"""Counting overlap between two masks, as a compiled loop."""

import numpy as np

from tinyssl._kernels._compile import kernel


@kernel
def overlap_counts(y_true, y_pred):
    """Return the pixels in both masks, in the first, and in the second."""
    both = first = second = np.int64(0)
    for i in range(len(y_true)):
        both += y_true[i] & y_pred[i]
        first += y_true[i]
        second += y_pred[i]
    return both, first, second
