"""A square of an image, the same for its pixels, masks and points."""

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Crop:
    """A square of an image, in whole pixels; may reach beyond its edges.

    Parameters
    ----------
    top, left : int, first row and column; negative where the square begins outside
    side : int, rows and columns of the square
    height, width : int, size of the image the numbers refer to
    """

    top: int
    left: int
    side: int
    height: int
    width: int

    def apply(self, array: np.ndarray, size: int) -> np.ndarray:
        """Return the square of an image or mask, resized; black beyond the edges.

        It may have any resolution: (H, W, 3) or (H, W) uint8, or (H, W) bool, becomes
        (size, size, 3) or (size, size) of the same kind. A mask is True where at least
        half of the pixel's area was.

        Raises
        ------
        TypeError
            If `array` is neither uint8 nor bool.

        Examples
        --------
        >>> mask = np.ones((2, 4), bool)
        >>> Crop(top=-1, left=0, side=4, height=2, width=4).apply(mask, 4).sum(axis=1)
        array([0, 4, 4, 0])
        """
        if array.dtype not in (np.uint8, np.bool_):
            raise TypeError(f"array must be uint8 or bool, found {array.dtype}")
        shape, full = array.shape[:2], (self.height, self.width)
        corners = np.add((self.top, self.left), [[0], [self.side]])
        start, stop = corners * shape / full
        # Whole pixels that cover the square; what lies outside stays black.
        first, last = np.floor(start).astype(int), np.ceil(stop).astype(int)
        window = np.zeros((*(last - first), *array.shape[2:]), np.uint8)
        (y0, x0), (y1, x1) = np.maximum(first, 0), np.minimum(last, shape)
        if y0 < y1 and x0 < x1:
            top, left = first
            window[y0 - top : y1 - top, x0 - left : x1 - left] = array[y0:y1, x0:x1]
        box = (*(start - first)[::-1], *(stop - first)[::-1])
        if array.dtype == np.bool_:
            area = Image.fromarray(window * np.uint8(255))
            resized = area.resize((size, size), Image.Resampling.BOX, box)
            return np.asarray(resized) >= 128
        # Lanczos would overshoot: a bright rim where the retina meets the black.
        smooth = Image.Resampling.HAMMING
        image = Image.fromarray(window)
        return np.asarray(image.resize((size, size), smooth, box, reducing_gap=2.0))

    def points(self, points: np.ndarray, size: int) -> np.ndarray:
        """Return (..., 2) points (y, x) in the pixels of the resized square.

        They may lie outside 0..size-1, where the square left them out; nan stays nan.
        """
        corner = np.array([self.top, self.left]) - 0.5  # pixel centres are integers
        return (np.asarray(points, float) - corner) * size / self.side - 0.5


def center_crop(height: int, width: int) -> Crop:
    """Return the largest central square of an image of this size."""
    side = min(height, width)
    return Crop((height - side) // 2, (width - side) // 2, side, height, width)


def round_mask(size: int) -> np.ndarray:
    """Return the disc that touches the four sides of a square: (size, size) bool array.

    True where a pixel's centre lies within size / 2 of the middle; unchanged by
    quarter turns.

    Examples
    --------
    >>> round_mask(4).astype(int)
    array([[0, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [0, 1, 1, 0]])
    """
    offset = np.arange(size) - (size - 1) / 2
    return offset[:, None] ** 2 + offset**2 <= (size / 2) ** 2
