"""Where patches may lie, in images and volumes alike: counted, never tried out."""

import functools

import numpy as np

from tinyssl import _checks


def free_places(shape, size, region):
    """Return where the first corner of a patch may lie: bool, each side - size + 1."""
    if size > min(shape):
        raise ValueError(
            f"patch_size must fit into the image, found {size} for {text(shape)}"
        )
    if region is None:
        return np.ones([side - size + 1 for side in shape], dtype=bool)
    region = _checks.mask("region", region)
    if region.shape != shape:
        raise ValueError(
            f"region must have shape {shape} as the image, found {region.shape}"
        )
    return _box_sums(region, size) == size**region.ndim


def disjoint_places(places, size):
    """Count, for each place, the free places whose patch does not overlap its own."""
    if places.all():  # then the near ones are as many rows times as many columns
        sides = (np.ones(side, dtype=bool) for side in places.shape)
        near = functools.reduce(
            np.multiply.outer, (_near(side, size) for side in sides)
        )
    else:
        near = _near(places, size)
    return np.count_nonzero(places) - near


def _near(places, size):
    """Count, for each place, the free places less than size away along every axis."""
    return _box_sums(np.pad(places, size - 1), 2 * size - 1)


def text(shape):
    """Return a shape as readers write it: 64 x 48."""
    return " x ".join(str(side) for side in shape)


def _box_sums(values, size):
    """Return the sums of all windows of this size, one axis after another."""
    sums = values.astype(np.int64)
    for axis in range(values.ndim):
        sums = np.moveaxis(sums, axis, 0)
        total = np.concatenate([np.zeros_like(sums[:1]), sums]).cumsum(axis=0)
        sums = np.moveaxis(total[size:] - total[:-size], 0, axis)
    return sums
