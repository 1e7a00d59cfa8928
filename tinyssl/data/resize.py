"""The size at which a network looks at an image, and the way back to its own."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resize(array: NDArray, shape: tuple[int, int]) -> NDArray:
    """Resize an (H, W, 3) uint8, (H, W) bool or (H, W) float array to (height, width).

    Each pixel is a weighted mean around its place when shrinking, and lies on the line
    between its neighbours when growing. A mask becomes float32, the share of each pixel
    that it covers; of its own size an array is returned as it is.
    """
    if array.shape[:2] == tuple(shape):
        return array
    array = array.astype(np.float32) if array.dtype != np.uint8 else array
    kind = Image.Resampling.BILINEAR  # Pillow widens it with the pixels when shrinking
    return np.asarray(Image.fromarray(array).resize(shape[::-1], kind))


def field_width(region: NDArray[np.bool_]) -> int:
    """Return how many columns a field of view spans, 0 if it is empty."""
    columns = np.flatnonzero(region.any(0))
    return int(np.ptp(columns)) + 1 if len(columns) else 0


def working_shape(region: NDArray[np.bool_], width: int | None) -> tuple[int, int]:
    """Return the height and width at which a field of view is `width` pixels wide.

    None keeps the image's own size. Nothing is enlarged: what was not photographed
    cannot be found.
    """
    scale = min(1.0, (width or np.inf) / max(1, field_width(region)))
    return tuple(max(1, round(scale * side)) for side in region.shape)
