"""Cut and paste: a piece of an image in the wrong place, as an anomaly to find."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays, _places

EXACT = 2**53  # integers up to here are exact in float64, in which colours are mixed


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
    radiographs"; Li et al. 2021, "CutPaste: self-supervised learning for anomaly
    detection and localization".

    Parameters
    ----------
    alpha : (float, float), default (0.6, 1.0)
        Least and largest opacity, 0 < low <= high <= 1.
    jitter : float, 0 <= jitter < 1, default 0.1
        Largest change of a channel's gain from 1.

    Returns
    -------
    boxes : (n, 6) int64 array
        Rows (y1, x1, y2, x2, h, w) in pixels: the top left corners the piece comes
        from and goes to, never the same, and its height and width.
    alphas : (n,) float64 array
        Opacity of the pieces.
    gains : (n, C) float64 array
        Factor for each channel of the pieces; C is 1 for (H, W).
    """
    H, W = _arrays.sides(image_shape)
    C = math.prod(tuple(image_shape)[2:])
    n = _arrays.count(n, 5 + C)
    area = _arrays.interval("area", area, most=1)
    aspect = _arrays.interval("aspect", aspect)
    low, high = _arrays.interval("alpha", alpha, most=1)
    jitter = _checks.not_negative("jitter", jitter)
    if jitter >= 1:
        raise ValueError(f"jitter must be < 1, found {jitter}")
    chances = _checks.generator(rng).random((n, 5 + C))
    region = None if region is None else _arrays.regions(region, n, H, W)
    sizes, corners = _places.rectangles(chances[:, :4], H, W, region, area, aspect)
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
    images : (N, H, W, C) or (N, H, W) array of integers or floats
        A batch of finite values, integers within +-2**53.
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

    Examples
    --------
    >>> image = np.array([[[8, 8, 0, 0]]])
    >>> pasted, mask = cut_paste(image, [[0, 0, 0, 2, 1, 1]], [0.5], [[1]])
    >>> pasted
    array([[[8, 8, 4, 0]]])
    >>> mask
    array([[[0. , 0. , 0.5, 0. ]]], dtype=float32)
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
