"""Lighting: random brightness and contrast, the black frame left black."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks

LIMIT = 1e30  # of brightness and contrast: what they make still fits float32


def sample_adjustments(
    n: int,
    *,
    rng: np.random.Generator | int,
    brightness: float = 0.05,
    contrast: float = 0.1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw gains and offsets for `adjust`.

    Parameters
    ----------
    n : int, >= 0
        Number of images.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    brightness : float, >= 0, default 0.05
        Offsets are uniform within this share of the full range.
    contrast : float, >= 0, default 0.1
        Gains are uniform in [1 - contrast, 1 + contrast].

    Returns
    -------
    gains, offsets : (n,) float64 array
        One number an image.

    Raises
    ------
    TypeError
        If n is not an integer, an option not a number, or rng neither a generator nor
        a seed.
    ValueError
        If n or an option is negative or not finite, or an option above 1e30.

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
    for name, value in (("brightness", brightness), ("contrast", contrast)):
        if value > LIMIT:
            raise ValueError(f"{name} must be <= {LIMIT:g}, found {value:g}")
    rng = _checks.generator(rng)
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
        If a shape does not fit, or gains or offsets are not finite or beyond
        ±2.55e32.

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
    if (far := np.abs(values.astype(np.float64)) > 255 * LIMIT).any():
        raise ValueError(
            f"{name} must lie within ±{255 * LIMIT:g}, found {values[far][0]:g}"
        )
    return values.astype(np.float32)[:, None, None, None]
