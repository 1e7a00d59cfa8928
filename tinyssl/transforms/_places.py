"""Where patches, tiles and boxes may lie: counted, never tried out."""

import math

import numpy as np

from tinyssl import _checks
from tinyssl.transforms import _arrays

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of the drawn shape, the rest a small square


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


def rectangles(chances, H, W, region, area, aspect, *, each=1):
    """Turn (n, 2 + k) chances into n sizes (h, w) and k <= 2 places (y, x) of each."""
    # a second place is another than the first; a mask is for all, or for each so many
    n, k = len(chances), chances.shape[1] - 2
    shapes = _shapes(chances[:, :2], H, W, area, aspect)
    smallest = np.minimum(max(1, round((area[0] * H * W) ** 0.5)), [H, W])
    steps = np.array(SHARES)[:, None, None] * (shapes - smallest) + smallest
    steps = np.rint(steps).astype(np.int64)  # (5, n, 2)
    if region is None:
        counts = (np.array([H + 1, W + 1]) - steps).prod(axis=-1)
        _refuse_fewer(counts[-1].min(initial=k), k, smallest, "the image")
        step = (counts >= k).argmax(axis=0), np.arange(n)
        sizes, places = steps[step], _distinct(chances[:, 2:], counts[step])
    else:
        sizes, places = np.empty((n, 2), np.int64), np.empty((n, k), np.int64)
        for i in range(n):
            if i % each == 0 and i // each < len(region):
                table = integral(region[i // each])
                count = free_corners(table, smallest).sum()
                _refuse_fewer(count, k, smallest, "region")
            tried = ((s, np.flatnonzero(free_corners(table, s))) for s in steps[:, i])
            sizes[i], free = next((s, free) for s, free in tried if free.size >= k)
            places[i] = free[_distinct(chances[i : i + 1, 2:], free.size)[0]]
    return sizes, np.stack(np.divmod(places, W + 1 - sizes[:, 1:]), axis=-1)


def _shapes(chances, H, W, area, aspect):
    """Return (n, 2) heights and widths; aspect is height over width."""
    areas = area[0] + (area[1] - area[0]) * chances[:, 0]
    low, high = np.log(aspect)
    roots = np.exp((low + (high - low) * chances[:, 1]) / 2)
    shapes = np.stack([roots, 1 / roots], axis=1) * np.sqrt(areas * H * W)[:, None]
    return np.clip(np.rint(shapes), 1, [H, W])


def _distinct(chances, counts):
    """Return (n, k) numbers below counts; the second differs from the first."""
    places = pick(chances, np.reshape(counts, (-1, 1)) - np.arange(chances.shape[1]))
    places[:, 1:] += places[:, 1:] >= places[:, :1]
    return places


def _refuse_fewer(count, k, smallest, where):
    if count < k:
        size = f"{smallest[0]} x {smallest[1]} pixels, the least area"
        rule = f"have {k} or more places for a rectangle of {size}"
        raise _checks.refusal(where, rule, count)
