"""Cut and paste: a piece of an image in the wrong place, as an anomaly to find."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _places

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

    Parameters
    ----------
    n : int, >= 0
        How many images.
    image_shape : tuple of int
        (H, W) or (H, W, C).
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    region : (H, W) or (n, H, W) mask, optional
        The piece is cut from where the mask is not 0 and lands wholly there (the field
        of view without the optic disc, the lungs).
    area : (float, float), default (0.02, 0.15)
        Least and largest share of the image, 0 < low <= high <= 1.
    aspect : (float, float), default (0.3, 3.3)
        Least and largest height over width.
    alpha : (float, float), default (0.6, 1.0)
        Least and largest opacity, 0 < low <= high <= 1.
    jitter : float, default 0.1
        Largest change of a channel's gain from 1, below 1.

    Returns
    -------
    boxes : (n, 6) int64 array
        Rows (y1, x1, y2, x2, h, w) in pixels: the top left corners the piece comes
        from and goes to, never the same, and its height and width.
    alphas : (n,) float64 array
        Opacity of the pieces.
    gains : (n, C) float64 array
        Factor for each channel of the pieces; C is 1 for (H, W).

    Raises
    ------
    TypeError
        If n or image_shape are not integers, or an option is not made of numbers.
    ValueError
        If a number is out of range, region has another shape than the images, or has
        no two places for a square of the least area.

    Notes
    -----
    Area is uniform, aspect log-uniform, each place uniform among all that fit. Where
    a drawn shape does not fit into the region it moves, in four steps, towards the
    square of the least area, so nothing can hang, and what is refused does not depend
    on chance. Sizes are rounded to pixels and limited to the sides of the image. The
    draw of one image does not depend on n.

    References
    ----------
    Sato et al. 2023, "Anatomy-aware self-supervised learning for anomaly detection in
    chest radiographs"; Li et al. 2021, "CutPaste: self-supervised learning for anomaly
    detection and localization".

    Examples
    --------
    >>> boxes, alphas, gains = sample_pastes(2, (64, 64, 3), rng=0)
    >>> boxes
    array([[ 2,  0,  0, 30, 16, 27],
           [26, 49,  0,  4, 32, 11]])
    """
    n = _checks.integer("n", n)
    H, W = _places.sides(image_shape)
    area = _places.interval("area", area, most=1)
    aspect = _places.interval("aspect", aspect)
    low, high = _places.interval("alpha", alpha, most=1)
    jitter = _checks.not_negative("jitter", jitter)
    if jitter >= 1:
        raise ValueError(f"jitter must be < 1, found {jitter}")
    C = math.prod(tuple(image_shape)[2:])
    chances = _checks.generator(rng).random((n, 5 + C))
    sizes, corners = _places.rectangles(
        chances[:, :4], H, W, region, area=area, aspect=aspect
    )
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

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of integers or floats
        A batch.
    boxes : (N, 6) int array
        Rows (y1, x1, y2, x2, h, w): from, to and size, as `sample_pastes` draws them.
    alphas : (N,) array, values in [0, 1]
        Opacity of the pieces.
    gains : (N, C) or (N, 1) array, values >= 0
        Factor for each channel of the pieces.
    edge : int, >= 0, default 4
        Width in pixels over which a piece fades out, inside its box; at most so wide
        that its middle stays whole. 0 is a hard border, which gives it away.

    Returns
    -------
    pasted : array, the shape and dtype of images
        A new C-contiguous array; integers are rounded, and no value leaves the range
        of the image it is in.
    mask : (N, H, W) float32 array, values in [0, 1]
        What the piece contributes to each pixel. Where it is 0 the image is untouched,
        bit for bit.

    Raises
    ------
    TypeError
        If images hold neither integers nor floats, boxes or edge no integers, or
        alphas or gains no numbers.
    ValueError
        If shapes do not fit, a box leaves the image, a value is out of range, or
        images are not finite or beyond +-2**53.

    Notes
    -----
    ``pasted = (1 - mask) * image + mask * gain * piece``; the fade is a squared sine.
    The piece is cut from the image as it was, so boxes may overlap.

    References
    ----------
    Sato et al. 2023, "Anatomy-aware self-supervised learning for anomaly detection in
    chest radiographs"; Li et al. 2021, "CutPaste: self-supervised learning for anomaly
    detection and localization".

    Examples
    --------
    >>> image = np.array([[[8, 8, 0, 0]]])
    >>> pasted, mask = cut_paste(image, [[0, 0, 0, 2, 1, 1]], [0.5], [[1]])
    >>> pasted
    array([[[8, 8, 4, 0]]])
    >>> mask
    array([[[0. , 0. , 0.5, 0. ]]], dtype=float32)
    """
    images = _places.batch(images, kinds="iuf")
    N, H, W = images.shape[:3]
    if N:
        _checks.not_empty("images", images)
    _checks.finite("images", images)
    C = math.prod(images.shape[3:])
    boxes = _check_boxes(boxes, N, H, W)
    alphas = _per_image("alphas", alphas, [(N,)], most=1)
    gains = _per_image("gains", gains, [(N, C), (N, 1)])
    edge = _checks.integer("edge", edge)
    gains = np.broadcast_to(gains, (N, C))
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


def _check_boxes(boxes, N, H, W):
    """Return (N, 6) boxes whose both ends lie in the image."""
    boxes = _checks.array("boxes", boxes)
    if boxes.dtype.kind not in "iu":
        raise TypeError(f"boxes must be integers, found dtype {boxes.dtype}")
    if boxes.shape != (N, 6):
        raise ValueError(f"boxes must have shape ({N}, 6), found {boxes.shape}")
    given, boxes = boxes, boxes.astype(np.int64)
    size = boxes[:, 4:]
    limit = np.concatenate([[H, W] - size] * 2, axis=1)
    bad = ((boxes[:, :4] < 0) | (boxes[:, :4] > limit)).any(axis=1)
    bad |= (size < 1).any(axis=1)
    if bad.any():
        raise ValueError(
            f"boxes must be (y1, x1, y2, x2, h, w) inside {H} x {W}, "
            f"found {given[bad][0].tolist()}"
        )
    return boxes


def _per_image(name, values, shapes, most=np.inf):
    """Return float64 values of one of the shapes, 0 <= value <= most."""
    values = _checks.array(name, values)
    if values.shape not in shapes:
        raise ValueError(f"{name} must have shape {shapes[0]}, found {values.shape}")
    _checks.finite(name, values)
    if ((values < 0) | (values > most)).any():
        rule = ">= 0" if most == np.inf else f"in 0..{most}"
        found = values[(values < 0) | (values > most)][0]
        raise ValueError(f"{name} must be {rule}, found {found}")
    return values.astype(np.float64)
