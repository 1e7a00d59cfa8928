"""Lighting: random brightness and contrast, the black frame left black."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays

LIMIT = 1e30  # of brightness and contrast: what they make still fits float32


def sample_adjustments(
    n: int,
    *,
    rng: np.random.Generator | int,
    brightness: float = 0.05,
    contrast: float = 0.1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw gains and offsets for `adjust`: two (n,) float64 arrays.

    As `sample_turns`, but all channels of an image change alike: the colour of a
    lesion is a finding, not a nuisance.

    Parameters
    ----------
    brightness : float, 0 to 1e30; offsets are uniform within this share of the range
    contrast : float, 0 to 1e30; gains are uniform in [1 - contrast, 1 + contrast]
    """
    n = _arrays.count(n)
    for name, value in (("brightness", brightness), ("contrast", contrast)):
        if _checks.not_negative(name, value) > LIMIT:
            raise ValueError(f"{name} must be <= {LIMIT:g}, found {value:g}")
    rng = _checks.generator(rng)
    gains = 1 + rng.uniform(-contrast, contrast, n)
    return gains, 255 * rng.uniform(-brightness, brightness, n)


def adjust(
    images: ArrayLike, gains: ArrayLike, offsets: ArrayLike
) -> NDArray[np.uint8]:
    """Multiply and shift intensities; black background stays black.

    See `rotate` for what all verbs share. Black in all channels is taken for the frame
    around a field of view.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array; another type is refused
    gains, offsets : (N,) float array, values within ±2.55e32
        One number an image, as `sample_adjustments` draws them, offsets in grey levels.

    Returns
    -------
    adjusted : (N, H, W, C) uint8 array
        ``gain * value + offset``, rounded and limited to 0..255, where any channel is
        above 0.

    >>> image = np.array([[[[0, 0, 0], [100, 0, 0]]]], np.uint8)
    >>> adjust(image, [1.5], [5.0])[0, 0].tolist()
    [[0, 0, 0], [155, 5, 5]]
    """
    images = _checks.array("images", images)
    if images.dtype != np.uint8:
        raise TypeError(f"images must be uint8, found dtype {images.dtype}")
    _arrays.ranked("images", images, (4,), "(N, H, W, C)")
    gain = _one_per_image("gains", gains, len(images))
    offset = _one_per_image("offsets", offsets, len(images))
    adjusted = np.clip(np.rint(images * gain + offset), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(adjusted * images.any(axis=-1, keepdims=True))


def _one_per_image(name, values, n):
    values = _arrays.shaped(name, _checks.array(name, values), (n,))
    _checks.finite(name, values)
    if (far := np.abs(values.astype(np.float64)) > 255 * LIMIT).any():
        rule = f"lie within ±{255 * LIMIT:g}"
        raise _checks.refusal(name, rule, f"{values[far][0]:g}")
    return values.astype(np.float32)[:, None, None, None]
