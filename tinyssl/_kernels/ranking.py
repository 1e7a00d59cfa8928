"""Ranking as a radix sort of each class and a merge of the two, in compiled loops."""

import numpy as np

from tinyssl._kernels._compile import kernel

SIGN = np.int64(-(2**63))


@kernel
def sortable_keys(scores, chosen, out):
    """Encode the chosen float64 scores as uint64 of the same order, -0.0 as 0.0.

    All keys are written to the last place, and only a chosen one moves it on: no branch
    is mispredicted. So ``out`` has one place more than are chosen.
    """
    place = 0
    for i in range(len(scores)):
        # the sign bit flipped, and for negative scores all bits
        bits = np.float64(scores[i] + 0.0).view(np.int64)
        out[place] = np.uint64(bits ^ ((bits >> 63) | SIGN))
        place += chosen[i]
    return place


@kernel
def radix_sort(keys, out):
    """Sort uint64 keys byte by byte, the lowest first; return keys or out, sorted."""
    # how often each byte has each value
    counts = np.zeros((8, 256), np.int64)
    for key in keys:
        for byte in range(8):
            counts[byte, (key >> np.uint64(8 * byte)) & np.uint64(255)] += 1
    for byte in range(8):
        shift = np.uint64(8 * byte)
        if counts[byte].max() == len(keys):  # one value only: nothing moves
            continue
        # where each value begins, then each key in its place
        begin = np.cumsum(counts[byte]) - counts[byte]
        for key in keys:
            value = (key >> shift) & np.uint64(255)
            out[begin[value]] = key
            begin[value] += 1
        keys, out = out, keys
    return keys


@kernel
def count_below(scores, others, out):
    """Count for each score how many of the others are lower; both ascending."""
    # a merge without a branch on the data: each step moves on in one of the arrays
    i = below = 0
    while i < len(scores) and below < len(others):
        lower = others[below] < scores[i]
        out[i] = below
        below += lower
        i += not lower
    out[i:] = len(others)
