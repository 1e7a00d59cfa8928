"""Views: random flips, rotations, zooms, shifts and lighting of images."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels


def sample_views(
    n: int,
    *,
    rng: np.random.Generator | int,
    flip: bool = True,
    max_angle: float = 180.0,
    zoom: float = 0.1,
    shift: float = 0.05,
) -> NDArray[np.float64]:
    """Draw affine maps for `warp`.

    Parameters
    ----------
    n : int, >= 0
        Number of maps.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    flip : bool, default True
        Mirror left and right with probability one half.
    max_angle : float, >= 0, default 180
        The rotation is uniform in [-max_angle, max_angle], in degrees.
    zoom : float, >= 0, default 0.1
        The scale is log-uniform in [1 / (1 + zoom), 1 + zoom].
    shift : float, >= 0, default 0.05
        Both shifts are uniform within this share of the side.

    Returns
    -------
    matrices : (n, 2, 3) float64 array
        Maps from output to input: (y, x) = matrix @ (v, u, 1), with all four
        coordinates running from -1 to 1 between the outer edges of the image.

    Raises
    ------
    TypeError
        If n is not an integer or an option not a number.
    ValueError
        If n or an option is negative or not finite.

    Notes
    -----
    Coordinates are shares of the side, so one map serves an image, its mask and the
    same image at another size.

    Examples
    --------
    >>> sample_views(3, rng=0).shape
    (3, 2, 3)
    """
    n = _checks.integer("n", n)
    max_angle = _checks.not_negative("max_angle", max_angle)
    zoom = _checks.not_negative("zoom", zoom)
    shift = _checks.not_negative("shift", shift)
    rng = np.random.default_rng(rng)
    angle = np.radians(rng.uniform(-max_angle, max_angle, n))
    scale = np.exp(rng.uniform(-1, 1, n) * np.log1p(zoom))
    mirror = np.where(flip & (rng.random(n) < 0.5), -1.0, 1.0)
    offset = 2 * shift * rng.uniform(-1, 1, (n, 2))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    rows = np.stack([cos, -sin * mirror, offset[:, 0]], 1)
    columns = np.stack([sin, cos * mirror, offset[:, 1]], 1)
    return np.stack([rows, columns], 1)


def warp(images: ArrayLike, matrices: ArrayLike) -> NDArray[np.uint8]:
    """Look at images through affine maps: bilinear, black outside.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
        A batch.
    matrices : (N, 2, 3) float array
        Maps from output to input, as `sample_views` draws them.

    Returns
    -------
    warped : (N, H, W, C) uint8 array
        A new array. The identity map returns the images bit for bit.

    Raises
    ------
    TypeError
        If images are not uint8 or matrices not numbers.
    ValueError
        If a shape does not fit or a matrix is not finite.

    Notes
    -----
    Equals ``scipy.ndimage.affine_transform(..., order=1, mode="grid-constant")``,
    rounded to the nearest integer.

    Examples
    --------
    >>> image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    >>> mirror = np.array([[[1.0, 0, 0], [0, -1, 0]]])
    >>> warp(image, mirror)[0, 0, :, 0]
    array([3, 2, 1, 0], dtype=uint8)
    """
    images = _bytes(images)
    matrices = _checks.array("matrices", matrices)
    if matrices.shape != (len(images), 2, 3):
        raise ValueError(
            f"matrices must have shape ({len(images)}, 2, 3), found {matrices.shape}"
        )
    _checks.finite("matrices", matrices)
    warped = np.empty(images.shape, np.uint8)
    if images.size:
        _kernels.views.warp(
            np.require(images, requirements="CW"),
            np.require(matrices, np.float64, "CW"),
            warped,
        )
    return warped


def sample_adjustments(
    n: int,
    *,
    rng: np.random.Generator | int,
    brightness: float = 0.1,
    contrast: float = 0.15,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw gains and offsets for `adjust`.

    Parameters
    ----------
    n : int, >= 0
        Number of images.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    brightness : float, >= 0, default 0.1
        Offsets are uniform within this share of the full range.
    contrast : float, >= 0, default 0.15
        Gains are uniform in [1 - contrast, 1 + contrast].

    Returns
    -------
    gains, offsets : (n,) float64 array
        One number an image.

    Raises
    ------
    TypeError
        If n is not an integer or an option not a number.
    ValueError
        If n or an option is negative or not finite.

    Notes
    -----
    All channels change alike: the colour of a lesion is a finding, not a nuisance.

    Examples
    --------
    >>> gains, offsets = sample_adjustments(4, rng=0)
    >>> gains.shape, offsets.shape
    ((4,), (4,))
    """
    n = _checks.integer("n", n)
    brightness = _checks.not_negative("brightness", brightness)
    contrast = _checks.not_negative("contrast", contrast)
    rng = np.random.default_rng(rng)
    gains = 1 + rng.uniform(-contrast, contrast, n)
    return gains, 255 * rng.uniform(-brightness, brightness, n)


def adjust(
    images: ArrayLike, gains: ArrayLike, offsets: ArrayLike
) -> NDArray[np.uint8]:
    """Multiply and shift intensities; black background stays black.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
        A batch.
    gains, offsets : (N,) float array
        One number an image, offsets in grey levels.

    Returns
    -------
    adjusted : (N, H, W, C) uint8 array
        A new array: gain * value + offset, rounded and limited to 0..255, where any
        channel is above 0.

    Raises
    ------
    TypeError
        If images are not uint8, or gains or offsets not numbers.
    ValueError
        If a shape does not fit, or gains or offsets are not finite.

    Notes
    -----
    Black in all channels is taken for the frame around a field of view.

    Examples
    --------
    >>> image = np.array([[[[0, 0, 0], [100, 0, 0]]]], np.uint8)
    >>> adjust(image, [1.5], [5.0])[0, 0].tolist()
    [[0, 0, 0], [155, 5, 5]]
    """
    images = _bytes(images)
    gain, offset = (
        _one_per_image(name, values, len(images))
        for name, values in (("gains", gains), ("offsets", offsets))
    )
    adjusted = np.clip(np.rint(images * gain + offset), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(adjusted * images.any(axis=-1, keepdims=True))


def _bytes(images):
    """Return (N, H, W, C) uint8 images, or refuse."""
    images = _checks.array("images", images)
    if images.dtype != np.uint8:
        raise TypeError(f"images must be uint8, found dtype {images.dtype}")
    if images.ndim != 4:
        raise ValueError(f"images must be (N, H, W, C), found shape {images.shape}")
    return images


def _one_per_image(name, values, n):
    """Return (n, 1, 1, 1) float32 values."""
    values = _checks.array(name, values)
    if values.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},), found {values.shape}")
    _checks.finite(name, values)
    return values.astype(np.float32)[:, None, None, None]
