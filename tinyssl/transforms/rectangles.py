"""Rectangles: holes for inpainting, and pieces pasted in the wrong place."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays, _places

EXACT = 2**53  # integers up to here are exact in float64, in which colours are mixed
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of the drawn shape, the rest a small square


def sample_blocks(
    n: int,
    image_shape: tuple[int, ...],
    *,
    rng: np.random.Generator | int,
    num_blocks: int = 1,
    area: tuple[float, float] = (0.05, 0.25),
    aspect: tuple[float, float] = (0.5, 2.0),
    region: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Draw rectangles to be cut out of each of n images.

    Parameters
    ----------
    n, rng : int, >= 0, how many images; numpy.random.Generator or int, a seed
    image_shape : tuple of int, (H, W), or (H, W, C) whose channels are ignored
    num_blocks : int, >= 1; T, how many for each image, which may overlap
    area : (float, float), 0 < low <= high <= 1; share of the image for one block
    aspect : (float, float); least and largest height over width
    region : (H, W) or (n, H, W) mask, optional; blocks lie wholly where it is not 0

    Returns
    -------
    blocks : (n, T, 4) int64 array
        Rows (y, x, h, w): the top left corner, height and width, in pixels.

    Raises
    ------
    ValueError
        If region has another shape, or no place for a square of the least area.

    Notes
    -----
    Area is uniform, aspect log-uniform, the place uniform among all that fit. Where a
    drawn shape does not fit into the region it moves, in four steps, towards the
    square of the least area. Pathak et al. 2016, "Context encoders", section 3.3.

    Examples
    --------
    >>> sample_blocks(1, (64, 64), rng=0, num_blocks=2)
    array([[[ 1, 23, 23, 32],
            [42, 47, 18, 12]]])
    """
    most = _checks.LARGEST_DRAW // 3
    T = _checks.integer("num_blocks", num_blocks, least=1, most=most)
    n = _arrays.count(n, 3 * T)
    H, W = _arrays.sides(image_shape)
    area = _arrays.interval("area", area, most=1)
    aspect = _arrays.interval("aspect", aspect)
    region = None if region is None else _arrays.regions(region, n, H, W)
    chances = _checks.generator(rng).random((n * T, 3))
    sizes, corners = _rectangles(chances, H, W, region, area, aspect, each=T)
    return np.concatenate([corners[:, 0], sizes], axis=1).reshape(n, T, 4)


def mask_blocks(
    images: ArrayLike, blocks: ArrayLike, *, fill: ArrayLike = 0
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Paint blocks over with one colour, and no other pixels.

    As `mask_patches`, in images as `split_tiles` takes them, but without a grid.

    Parameters
    ----------
    blocks : (T, 4) or (N, T, 4) int array
        Rows (y, x, h, w), for all images or for each, as `sample_blocks` draws them.
        They may overlap, but not leave the image.

    Returns
    -------
    masked : array, the shape and dtype of images
    hole : (N, H, W) bool array; the union of the blocks, where inpainting is scored
    """
    images = _arrays.batch(images)
    N, H, W = images.shape[:3]
    blocks = _arrays.integers("blocks", blocks)
    if blocks.shape[-1:] != (4,) or blocks.ndim not in (2, 3):
        raise ValueError(f"blocks must be (T, 4) or (N, T, 4), found {blocks.shape}")
    if blocks.ndim == 3 and len(blocks) != N:
        rule = f"have one list for each of {N} images"
        raise _checks.refusal("blocks", rule, f"shape {blocks.shape}")
    blocks = _arrays.boxes("blocks", "(y, x, h, w)", blocks, H, W)
    blocks = np.broadcast_to(blocks, (N, *blocks.shape[-2:]))
    colour = _arrays.colour(fill, images)
    out, hole = images.copy(order="C"), np.zeros((N, H, W), bool)
    for n in range(N):
        for y, x, h, w in blocks[n]:
            out[n, y : y + h, x : x + w] = colour
            hole[n, y : y + h, x : x + w] = True
    return out, hole


def sample_pastes(
    n: int,
    image_shape: tuple[int, ...],
    *,
    rng: np.random.Generator | int,
    region: ArrayLike | None = None,
    area: tuple[float, float] = (0.02, 0.15),
    aspect: tuple[float, float] = (0.3, 3.3),
    alpha: tuple[float, float] = (0.6, 1.0),
    jitter: float = 0.1,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Draw for each of n images which piece is pasted where, and how.

    As `sample_blocks`, but a piece has two places, both in the region: the field of
    view without the optic disc, say, or the lungs. Refused if there is but one. Sato et
    al. 2023, "Anatomy-aware self-supervised learning for anomaly detection in chest
    radiographs"; Li et al. 2021, "CutPaste".

    Parameters
    ----------
    alpha : (float, float), 0 < low <= high <= 1; least and largest opacity
    jitter : float, 0 <= jitter < 1; largest change of a channel's gain from 1

    Returns
    -------
    boxes : (n, 6) int64 array
        Rows (y1, x1, y2, x2, h, w) in pixels: the top left corners the piece comes
        from and goes to, never the same, and its height and width.
    alphas : (n,) float64 array; opacity of the pieces
    gains : (n, C) float64 array; factor for each channel, C is 1 for (H, W)
    """
    H, W = _arrays.sides(image_shape)
    C = math.prod(tuple(image_shape)[2:])
    n = _arrays.count(n, 5 + C)
    area = _arrays.interval("area", area, most=1)
    aspect = _arrays.interval("aspect", aspect)
    low, high = _arrays.interval("alpha", alpha, most=1)
    jitter = _checks.not_negative("jitter", jitter, below=1)
    chances = _checks.generator(rng).random((n, 5 + C))
    region = None if region is None else _arrays.regions(region, n, H, W)
    sizes, corners = _rectangles(chances[:, :4], H, W, region, area, aspect)
    boxes = np.concatenate([corners.reshape(n, 4), sizes], axis=1)
    gains = 1 + jitter * (2 * chances[:, 5:] - 1)
    return boxes, low + (high - low) * chances[:, 4], gains


def cut_paste(
    images: ArrayLike,
    boxes: ArrayLike,
    alphas: ArrayLike,
    gains: ArrayLike,
    *,
    edge: int = 4,
) -> tuple[NDArray, NDArray[np.float32]]:
    """Paste a piece of each image elsewhere in it, with soft edges.

    See `rotate` for what all verbs share.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of integers within +-2**53 or finite floats
    boxes, alphas, gains : (N, 6) int, (N,) and (N, C) or (N, 1) arrays
        As `sample_pastes` draws them: alphas in [0, 1], gains >= 0.
    edge : int, >= 0, default 4
        Width in pixels over which a piece fades out, inside its box; at most so wide
        that its middle stays whole. 0 is a hard border, which gives it away.

    Returns
    -------
    pasted : array, the shape and dtype of images
        ``(1 - mask) * image + mask * gain * piece``, of the image as it was; integers
        are rounded, and no value leaves the range of the image it is in.
    mask : (N, H, W) float32 array, values in [0, 1]
        What the piece contributes to each pixel, a fade by a squared sine. Where it is
        0 the image is untouched, bit for bit.

    >>> image = np.array([[[8, 8, 0, 0]]])
    >>> cut_paste(image, [[0, 0, 0, 2, 1, 1]], [0.5], [[1]])
    (array([[[8, 8, 4, 0]]]), array([[[0. , 0. , 0.5, 0. ]]], dtype=float32))
    """
    images = _arrays.batch(images, kinds="iuf")
    N, H, W = images.shape[:3]
    if N:
        _checks.not_empty("images", images)
    _checks.finite("images", images)
    C = math.prod(images.shape[3:])
    boxes = _arrays.integers("boxes", boxes, (N, 6))
    boxes = _arrays.boxes("boxes", "(y1, x1, y2, x2, h, w)", boxes, H, W)
    alphas = _per_image("alphas", alphas, (N,), most=1)
    gains = _per_image("gains", gains, (N, C))
    edge = _checks.integer("edge", edge)
    out = images.copy(order="C")
    mask = np.zeros((N, H, W), np.float32)
    rows = out.reshape(N, H, W * C)  # a row of a piece is one run of numbers
    for n, (y1, x1, y2, x2, h, w) in enumerate(boxes):
        share = mask[n, y2 : y2 + h, x2 : x2 + w]
        share[...] = alphas[n] * np.outer(_fade(h, edge), _fade(w, edge))
        box = y1, x1 * C, y2, x2 * C, h, w * C
        _mix(rows[n], box, np.tile(gains[n], w), share.repeat(C, axis=1))
    return out, mask


def _mix(image, box, gain, share):
    """Paste a piece of an image into it; share says how much of it each pixel gets."""
    y1, x1, y2, x2, h, w = box
    low, high = float(image.min()), float(image.max())
    whole = image.dtype.kind != "f"
    if whole and max(-low, high) > EXACT:
        raise ValueError(f"images must lie within +-2**53, found {low:g} to {high:g}")
    # the piece in other colours, of the same range
    with np.errstate(over="ignore"):
        piece = np.clip(image[y1 : y1 + h, x1 : x1 + w] * gain, low, high)
    # mixed with what it covers
    share = share.astype(np.float64)
    under = image[y2 : y2 + h, x2 : x2 + w]
    mixed = np.clip((1 - share) * under + share * piece, low, high)
    mixed = np.rint(mixed) if whole else mixed
    np.copyto(under, mixed, where=share > 0, casting="unsafe")


def _fade(length, edge):
    """Return weights that rise to 1 within edge pixels, and fall at the other end."""
    edge = min(edge, (length - 1) // 2)
    border = np.minimum(np.arange(length), np.arange(length)[::-1])
    return np.sin(np.pi / 2 * np.minimum(1, (border + 1) / (edge + 1))) ** 2


def _per_image(name, values, shape, most=np.inf):
    """Return float64 values of this shape, or of one column, 0 <= value <= most."""
    values = _checks.array(name, values)
    if values.shape != (shape[0], 1)[: len(shape)]:
        _arrays.shaped(name, values, shape)
    _checks.finite(name, values)
    bad = (values < 0) | (values > most)
    if bad.any():
        rule = ">= 0" if most == np.inf else f"in 0..{most}"
        raise ValueError(f"{name} must be {rule}, found {values[bad][0]}")
    return np.broadcast_to(values.astype(np.float64), shape)


def _rectangles(chances, H, W, region, area, aspect, *, each=1):
    """Turn (n, 2 + k) chances into n sizes (h, w) and k <= 2 places (y, x) of each."""
    # a second place is another than the first; a mask is for all, or for each so many
    n, k = len(chances), chances.shape[1] - 2
    # area is uniform, aspect, height over width, log-uniform
    areas = area[0] + (area[1] - area[0]) * chances[:, 0]
    low, high = np.log(aspect)
    roots = np.exp((low + (high - low) * chances[:, 1]) / 2)
    shapes = np.stack([roots, 1 / roots], axis=1) * np.sqrt(areas * H * W)[:, None]
    shapes = np.clip(np.rint(shapes), 1, [H, W])
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
                table = _places.integral(region[i // each])
                count = _places.free_corners(table, smallest).sum()
                _refuse_fewer(count, k, smallest, "region")
            tried = (
                (s, np.flatnonzero(_places.free_corners(table, s))) for s in steps[:, i]
            )
            sizes[i], free = next((s, free) for s, free in tried if free.size >= k)
            places[i] = free[_distinct(chances[i : i + 1, 2:], free.size)[0]]
    return sizes, np.stack(np.divmod(places, W + 1 - sizes[:, 1:]), axis=-1)


def _distinct(chances, counts):
    """Return (n, k) numbers below counts; the second differs from the first."""
    counts = np.reshape(counts, (-1, 1)) - np.arange(chances.shape[1])
    places = _places.pick(chances, counts)
    places[:, 1:] += places[:, 1:] >= places[:, :1]
    return places


def _refuse_fewer(count, k, smallest, where):
    if count < k:
        size = f"{smallest[0]} x {smallest[1]} pixels, the least area"
        rule = f"have {k} or more places for a rectangle of {size}"
        raise _checks.refusal(where, rule, count)
