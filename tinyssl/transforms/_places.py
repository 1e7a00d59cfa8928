"""Where things may lie: the checks and places that tiles, masks and pastes share."""

import itertools

import numpy as np

from tinyssl import _checks

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of the drawn shape, the rest a small square


def batch(images, kinds="biufc"):
    """Return images as an array of shape (N, H, W) or (N, H, W, C)."""
    images = _checks.array("images", images, kinds=kinds)
    if images.ndim not in (3, 4):
        raise ValueError(
            f"images must be (N, H, W) or (N, H, W, C), found shape {images.shape}"
        )
    return images


def sides(image_shape):
    """Return height and width of (H, W) or (H, W, C)."""
    try:
        shape = tuple(image_shape)
    except TypeError:
        raise TypeError(
            f"image_shape must be a tuple, found {_checks.shown(image_shape)}"
        ) from None
    if len(shape) not in (2, 3):
        raise ValueError(f"image_shape must be (H, W) or (H, W, C), found {shape}")
    H, W, *_ = (_checks.integer("image_shape", side, least=1) for side in shape)
    return H, W


def cells(images, rows, cols):
    """Return a view (N, rows, columns, h, w, ...) of the cells of a grid."""
    N, H, W = images.shape[:3]
    shape = (N, rows, H // rows, cols, W // cols, *images.shape[3:])
    return np.swapaxes(images.reshape(shape), 2, 3)


def pair(name, value):
    """Return (rows, columns) of an integer or a pair of integers, both >= 1."""
    numbers = tuple(value) if np.iterable(value) else (value, value)
    if len(numbers) != 2:
        raise ValueError(
            f"{name} must be a number or (rows, columns), found {_checks.shown(value)}"
        )
    rows, cols = (_checks.integer(name, number, least=1) for number in numbers)
    return rows, cols


def divided(grid, H, W):
    """Return rows and columns that divide the image."""
    rows, cols = pair("grid", grid)
    if H % rows or W % cols:
        raise ValueError(
            f"grid must divide the image, found {rows} x {cols} for {H} x {W} pixels"
        )
    return rows, cols


def regions(region, n, H, W):
    """Return a mask for all images as (1, H, W) bools, or one each as (n, H, W)."""
    region = _checks.mask("region", region)
    if region.shape not in ((H, W), (n, H, W)):
        raise ValueError(
            f"region must have shape ({H}, {W}) or ({n}, {H}, {W}) as the images, "
            f"found {region.shape}"
        )
    return region.reshape(-1, H, W)


def interval(name, values, most=np.inf):
    """Return two floats, 0 < low <= high <= most."""
    try:
        low, high = (_checks.positive(name, value) for value in values)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{name} must be two finite numbers > 0, found {_checks.shown(values)}"
        ) from None
    if not low <= high <= most:
        limit = "" if most == np.inf else f" <= {most}"
        raise ValueError(
            f"{name} must be (low, high) with low <= high{limit}, found {values!r}"
        )
    return low, high


def pick(chances, counts):
    """Turn chances in [0, 1) into whole numbers 0..count-1, equally likely."""
    return (chances * counts).astype(np.int64)


def integral(region):
    """Return the (H+1, W+1) sums of all that lies above and to the left."""
    table = np.zeros((region.shape[0] + 1, region.shape[1] + 1), np.int32)
    table[1:, 1:] = region
    return table.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)


def free_corners(table, height, width):
    """Return where the top left corner of a rectangle wholly in the region may lie."""
    inside = table[height:, width:] - table[:-height, width:]
    inside -= table[height:, :-width]
    inside += table[:-height, :-width]
    return inside == height * width


def rectangles(chances, H, W, region, *, area, aspect):
    """Turn (n, 2 + k) chances into n sizes (h, w) and k <= 2 places (y, x) of each.

    Areas are uniform, aspects log-uniform, places uniform over all where the rectangle
    lies wholly in the region; the second place is another than the first. A shape
    without k places moves towards the smallest square in four steps.
    """
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
        for i, table in enumerate(_tables(regions(region, n, H, W), n, k, smallest)):
            tried = ((s, np.flatnonzero(free_corners(table, *s))) for s in steps[:, i])
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


def _tables(region, n, k, smallest):
    """Yield the integral image of each draw's region; refuse one that is too narrow."""
    tables = map(integral, region)
    if len(region) == 1:
        tables = itertools.repeat(next(tables), n)
    checked = None
    for table in tables:
        if table is not checked:
            _refuse_fewer(free_corners(table, *smallest).sum(), k, smallest, "region")
        checked = table
        yield table


def _refuse_fewer(count, k, smallest, where):
    """Refuse where not even the smallest rectangle has k places."""
    if count < k:
        raise ValueError(
            f"{where} must have {k} or more places for a rectangle of "
            f"{smallest[0]} x {smallest[1]} pixels, the least area, found {count}"
        )


def colour(fill, images):
    """Return a number or (C,) numbers in the dtype of images, which must hold them."""
    fill = _checks.array("fill", fill)
    if fill.shape not in ((), images.shape[3:]):
        raise ValueError(
            f"fill must be a number or one for each channel, found shape {fill.shape}"
        )
    with np.errstate(all="ignore"):
        colour = fill.astype(images.dtype)
    exact = images.dtype.kind in "fc" or np.array_equal(colour, fill)
    if not exact or not np.isfinite(colour).all():
        raise ValueError(
            f"fill must be finite and fit dtype {images.dtype}, "
            f"found {_checks.shown(fill.tolist())}"
        )
    return colour
