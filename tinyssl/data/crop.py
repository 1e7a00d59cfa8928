"""Where the retina is in a fundus photograph, the square around it, other sizes.

Squashing a 3:2 image would make the disc an ellipse, whose direction alone solves half
of the rotation task: so the square is laid around the *whole* circle, beyond it black.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.Image import Resampling
from scipy import ndimage

MIN_BRIGHTNESS = 10  # of 255: above the noise of a JPEG's black
DARK_CORNER = 30  # of 255: 95 % of RetinaMNIST's corners lie below 26


@dataclass(frozen=True)
class Crop:
    """A square of an image, in whole pixels; may reach beyond its edges."""

    top: int  # first row; negative where the square begins outside
    left: int
    side: int  # rows and columns of the square
    height: int  # of the image that the numbers refer to
    width: int

    def apply(self, array, size):
        """Return the square of an array of any resolution, resized; black beyond it.

        Of (H, W, 3) or (H, W) uint8, or (H, W) bool, True where half the area was.
        """
        if array.dtype not in (np.uint8, np.bool_):
            raise TypeError(f"array must be uint8 or bool, found {array.dtype}")
        shape, full = array.shape[:2], (self.height, self.width)
        start, stop = np.add((self.top, self.left), [[0], [self.side]]) * shape / full
        # Whole pixels that cover the square; what lies outside stays black.
        first, last = np.floor(start).astype(int), np.ceil(stop).astype(int)
        window = np.zeros((*(last - first), *array.shape[2:]), np.uint8)
        (y0, x0), (y1, x1) = np.clip([first, last], 0, shape)
        top, left = first
        window[y0 - top : y1 - top, x0 - left : x1 - left] = array[y0:y1, x0:x1]
        box = (*(start - first)[::-1], *(stop - first)[::-1])
        if array.dtype == np.bool_:
            area = Image.fromarray(window * np.uint8(255))
            return np.asarray(area.resize((size, size), Resampling.BOX, box)) >= 128
        # Lanczos would overshoot: a bright rim where the retina meets the black.
        image, smooth = Image.fromarray(window), Resampling.HAMMING
        return np.asarray(image.resize((size, size), smooth, box, reducing_gap=2.0))

    def points(self, points, size):
        """Return (..., 2) points (y, x) in pixels of the resized square, or beyond."""
        corner = np.array([self.top, self.left]) - 0.5  # pixel centres are integers
        return (np.asarray(points, float) - corner) * size / self.side - 0.5


def center_crop(height, width):
    """Return the largest central square of an image of this size."""
    side = min(height, width)
    return Crop((height - side) // 2, (width - side) // 2, side, height, width)


def round_mask(size):
    """Return the disc of diameter `size` in a square: (size, size) bool array."""
    offset = np.arange(size) - (size - 1) / 2
    return offset[:, None] ** 2 + offset**2 <= (size / 2) ** 2


def field_of_view(image):
    """Return where an (H, W, 3) uint8 image shows the retina: (H, W) bool array.

    It is the largest bright area, its holes filled; all True where nothing is dark.
    """
    brightness = image.max(axis=-1)
    black, bright = np.percentile(brightness, [1, 95])
    threshold = max(MIN_BRIGHTNESS, black + 0.1 * (bright - black))
    if black >= MIN_BRIGHTNESS + DARK_CORNER or bright <= threshold:
        return np.ones(brightness.shape, bool)
    labels, _ = ndimage.label(brightness > threshold)
    largest = 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return ndimage.binary_fill_holes(labels == largest)


def square_crop(image):
    """Return the square around the circle that fits the border of the field of view.

    That, (H, W) bool, may be given in place of the image. Without a circle: the centre.
    """
    visible = image if image.dtype == np.bool_ else field_of_view(image)
    height, width = visible.shape
    y, x, radius = _fit_circle(_free_border(visible)) or (0, 0, 0)
    short, long = sorted(visible.shape)
    if not short / 4 < radius < min(2 * short, long):  # a strip's would take gigabytes
        return center_crop(height, width)
    side = round(2 * radius)
    top, left = round(y + 0.5 - side / 2), round(x + 0.5 - side / 2)
    return Crop(top, left, side, height, width)


def resize(array, shape):
    """Resize (H, W, 3) uint8, floats, or a mask to the share covered, linearly."""
    if array.shape[:2] == tuple(shape):
        return array
    image = Image.fromarray(array if array.dtype == np.uint8 else array.astype("f4"))
    # Pillow widens the kernel with the pixels when shrinking
    return np.asarray(image.resize(shape[::-1], Resampling.BILINEAR))


def field_width(region):
    """Return how many columns a field of view spans, 0 if it is empty."""
    columns = np.flatnonzero(region.any(0))
    return int(np.ptp(columns)) + 1 if len(columns) else 0


def working_shape(region, width):
    """Return the shape at which a field is `width` wide; None or more is its own."""
    scale = min(1.0, (width or np.inf) / max(1, field_width(region)))
    return tuple(max(1, round(scale * side)) for side in region.shape)


def looks_like_fundus(images):
    """Return whether most of a few images are reddish on four black corners."""
    votes = []
    for image in images:
        corner = max(1, min(image.shape[:2]) // 14)
        ends = slice(corner), slice(-corner, None)
        corners = [image[y, x].max(axis=-1).mean() for y in ends for x in ends]
        red, _, blue = image.reshape(-1, 3).mean(axis=0)
        votes.append(max(corners) < DARK_CORNER and red > blue + 5)
    return bool(votes) and sum(votes) > len(votes) / 2


def _free_border(visible):
    """Return (M, 2) points (y, x) of the outline that the image did not cut."""
    height, width = visible.shape
    rows, columns = visible.any(axis=1).nonzero()[0], visible.any(axis=0).nonzero()[0]
    left = visible[rows].argmax(axis=1) - 0.5  # outline: the edge between two pixels
    right = width - 0.5 - visible[rows, ::-1].argmax(axis=1)
    top = visible[:, columns].argmax(axis=0) - 0.5
    bottom = height - 0.5 - visible[::-1, columns].argmax(axis=0)
    y = np.concatenate([rows, rows, top, bottom])
    x = np.concatenate([left, right, columns, columns])
    free = (y > 1) & (y < height - 2) & (x > 1) & (x < width - 2)
    return np.stack([y[free], x[free]], axis=1)


def _fit_circle(points):
    """Return (y, x, radius) of the circle most points lie on, or None."""
    kept = points
    for _ in range(10):
        if len(kept) < 16:
            return None
        # y² + x² = 2 cy y + 2 cx x + (r² - cy² - cx²) is linear in the unknowns.
        design = np.column_stack([2 * kept, np.ones(len(kept))])
        (y, x, c), *_ = np.linalg.lstsq(design, (kept**2).sum(axis=1), rcond=None)
        radius = np.sqrt(max(c + y**2 + x**2, 0))
        error = np.abs(np.hypot(*(points - (y, x)).T) - radius)
        kept = points[error <= max(1.0, 2 * np.median(error))]
    return (y, x, radius) if np.median(error) < 0.05 * radius else None
