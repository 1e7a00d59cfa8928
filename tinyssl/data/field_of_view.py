"""Where the retina is in a photograph, and the square around it.

A fundus camera sees a disc. Squashing its 3:2 photograph to a square would make the
disc an ellipse, whose direction alone solves half of the rotation task. So the square
is laid around the *whole* circle: where the sensor cut it off above and below, the
square reaches beyond the photograph and is filled with black.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

MIN_BRIGHTNESS = 10  # of 255: above the noise of a JPEG's black
DARK_CORNER = 30  # of 255: 95 % of RetinaMNIST's corners lie below 26
THUMBNAIL_SIDE = 256  # a circle is found in this short side as well as in the full one


@dataclass(frozen=True)
class Crop:
    """A square of a photograph, in whole pixels; may reach beyond its edges.

    Parameters
    ----------
    top, left : int
        The first row and column; negative where the square begins outside.
    side : int
        Rows and columns of the square.
    height, width : int
        Size of the photograph the numbers refer to.
    """

    top: int
    left: int
    side: int
    height: int
    width: int

    def apply(self, array: np.ndarray, size: int) -> np.ndarray:
        """Return the square of an image or mask, resized; black beyond the edges.

        Parameters
        ----------
        array : (H, W, 3) or (H, W) uint8 array, or (H, W) bool array
            The photograph or its mask, at any resolution: H and W need not be those
            of the crop.
        size : int
            Rows and columns of the result.

        Returns
        -------
        (size, size, 3) or (size, size) array of the same kind
            A mask is True where at least half of the pixel's area was.

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
        height, width = array.shape[:2]
        top, bottom = np.array([self.top, self.top + self.side]) * height / self.height
        left, right = np.array([self.left, self.left + self.side]) * width / self.width
        # Whole pixels that cover the square; what lies outside stays black.
        y0, y1, x0, x1 = (
            *(int(np.floor(top)), int(np.ceil(bottom))),
            *(int(np.floor(left)), int(np.ceil(right))),
        )
        window = np.zeros((y1 - y0, x1 - x0, *array.shape[2:]), np.uint8)
        ys, ye, xs, xe = max(y0, 0), min(y1, height), max(x0, 0), min(x1, width)
        if ys < ye and xs < xe:
            window[ys - y0 : ye - y0, xs - x0 : xe - x0] = array[ys:ye, xs:xe]
        box = (left - x0, top - y0, right - x0, bottom - y0)
        if array.dtype == np.bool_:
            area = Image.fromarray(window * np.uint8(255))
            resized = area.resize((size, size), Image.Resampling.BOX, box)
            return np.asarray(resized) >= 128
        image = Image.fromarray(window)
        lanczos = Image.Resampling.LANCZOS
        return np.asarray(image.resize((size, size), lanczos, box, reducing_gap=2.0))

    def points(self, points: np.ndarray, size: int) -> np.ndarray:
        """Return (y, x) points of the photograph in the pixels of the resized square.

        Parameters
        ----------
        points : (..., 2) float array, pixels of the photograph; nan is missing
        size : int
            Rows and columns of the resized square.

        Returns
        -------
        (..., 2) float64 array
            May lie outside 0..size-1 where the square left a point out.

        Examples
        --------
        >>> crop = Crop(top=10, left=20, side=4, height=100, width=100)
        >>> crop.points(np.array([[10.5, 20.5]]), size=2)
        array([[0., 0.]])
        """
        corner = np.array([self.top, self.left]) - 0.5  # pixel centres are integers
        return (np.asarray(points, float) - corner) * size / self.side - 0.5


def field_of_view(image: np.ndarray) -> np.ndarray:
    """Return where a fundus photograph shows the retina rather than black border.

    Parameters
    ----------
    image : (H, W, 3) uint8 array

    Returns
    -------
    (H, W) bool array
        The largest bright area, its holes filled; all True where nothing is dark.

    Examples
    --------
    >>> image = np.zeros((5, 5, 3), np.uint8)
    >>> image[1:4, 1:4] = 90
    >>> field_of_view(image).sum()
    np.int64(9)
    """
    brightness = image.max(axis=-1)
    black = np.percentile(brightness, 1)
    bright = np.percentile(brightness, 95)
    threshold = max(MIN_BRIGHTNESS, black + 0.1 * (bright - black))
    if black >= MIN_BRIGHTNESS + DARK_CORNER or bright <= threshold:
        return np.ones(brightness.shape, bool)
    labels, count = ndimage.label(brightness > threshold)
    if count == 0:
        return np.ones(brightness.shape, bool)
    largest = 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return ndimage.binary_fill_holes(labels == largest)


def square_crop(image: np.ndarray) -> Crop:
    """Return the square around the circle of a fundus photograph.

    Parameters
    ----------
    image : (H, W, 3) uint8 array, or (H, W) bool array
        The photograph, or its field of view where that is known.

    Returns
    -------
    Crop
        Around the circle that fits the border of the field of view, ignoring where the
        photograph's edge or a notch cuts it; the central square where no circle fits.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :100]
    >>> disc = (y - 29.5) ** 2 + (x - 49.5) ** 2 < 40**2  # cut above and below
    >>> crop = square_crop(disc)
    >>> crop.top, crop.left, crop.side
    (-10, 10, 80)
    """
    visible = image if image.dtype == np.bool_ else field_of_view(image)
    height, width = visible.shape
    circle = _fit_circle(_free_border(visible))
    plausible = circle is not None and 0.25 * min(visible.shape) < circle[2] < max(
        visible.shape
    )
    if not plausible:
        return center_crop(height, width)
    y, x, radius = circle
    side = round(2 * radius)
    top, left = round(y + 0.5 - side / 2), round(x + 0.5 - side / 2)
    return Crop(top, left, side, height, width)


def center_crop(height: int, width: int) -> Crop:
    """Return the largest central square of an image of this size."""
    side = min(height, width)
    return Crop((height - side) // 2, (width - side) // 2, side, height, width)


def round_mask(size: int) -> np.ndarray:
    """Return the disc that touches the four sides of a square.

    Parameters
    ----------
    size : int
        Rows and columns of the square.

    Returns
    -------
    (size, size) bool array
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


def looks_like_fundus(images: list[np.ndarray]) -> bool:
    """Return whether most of a few images are in colour, on black corners."""
    votes = []
    for image in images:
        corner = max(1, min(image.shape[:2]) // 14)
        corners = [
            image[ys, xs].max(axis=-1).mean()
            for ys in (slice(corner), slice(-corner, None))
            for xs in (slice(corner), slice(-corner, None))
        ]
        red, _, blue = image.reshape(-1, 3).mean(axis=0)
        votes.append(max(corners) < DARK_CORNER and red > blue + 5)
    return bool(votes) and sum(votes) > len(votes) / 2


def _free_border(visible: np.ndarray) -> np.ndarray:
    """Return (M, 2) points (y, x) of the outline that the photograph did not cut."""
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


def _fit_circle(points: np.ndarray) -> tuple[float, float, float] | None:
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
