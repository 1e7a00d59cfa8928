"""Counting overlap between two masks, as a compiled loop."""

import numpy as np

from tinyssl._kernels._compile import kernel

BLOCK = 65_536  # counted in int32, twice as many at a time as in int64


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
