"""Counting overlap between two masks, as a compiled loop."""

import numpy as np

from tinyssl._kernels._compile import kernel


@kernel
def overlap_counts(mask_true, mask_pred):
    """Return the pixels in both masks, in the first, and in the second."""
    both = first = second = np.int64(0)
    for i in range(len(mask_true)):
        # whatever is not 0 belongs to the object
        a, b = mask_true[i] != 0, mask_pred[i] != 0
        both += a & b
        first += a
        second += b
    return both, first, second
