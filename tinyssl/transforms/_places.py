"""Where patches, tiles and boxes may lie: counted, never tried out."""

import math

import numpy as np

from tinyssl import _checks
from tinyssl.transforms import _arrays


def pick(chances, counts):
    """Turn chances in [0, 1) into whole numbers 0..count-1, equally likely."""
    return (chances * counts).astype(np.int64)


def integral(values):
    """Return the sums of all that lies before each corner, along every axis."""
    table = np.zeros([side + 1 for side in values.shape], np.int32)
    table[(slice(1, None),) * values.ndim] = values
    for axis in range(values.ndim):
        table = table.cumsum(axis, dtype=np.int32)
    return table


def box_sums(table, sizes):
    """Return the sum of each box of these sizes, from the integral."""
    for axis, size in enumerate(sizes):
        table = np.moveaxis(table, axis, 0)
        table = np.moveaxis(table[size:] - table[:-size], 0, axis)
    return table


def free_corners(table, sizes):
    """Return where the first corner of a box wholly in the region may lie."""
    return box_sums(table, sizes) == math.prod(sizes)


def free_places(shape, size, region):
    """Return where the first corner of a patch may lie: bool, each side - size + 1."""
    if size > min(shape):
        image = _arrays.text(shape)
        raise _checks.refusal("patch_size", "fit into the image", f"{size} for {image}")
    if region is None:
        return np.ones([side - size + 1 for side in shape], dtype=bool)
    region = _checks.mask("region", region)
    _arrays.shaped("region", region, shape, like=" as the image")
    return free_corners(integral(region), [size] * len(shape))


def disjoint_places(places, size):
    """Count, for each place, the free places whose patch does not overlap its own."""
    # where all are free, those near are as many rows times as many columns
    whole = places.all()
    parts = [np.ones(side, bool) for side in places.shape] if whole else [places]
    near = np.ones((), np.int64)
    for part in parts:
        table = integral(np.pad(part, size - 1))
        near = np.multiply.outer(near, box_sums(table, [2 * size - 1] * part.ndim))
    return np.count_nonzero(places) - near
