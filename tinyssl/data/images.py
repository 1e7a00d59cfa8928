"""From a table of files to one array of square images, decoded once and cached."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.data.cache import fingerprint, read_cache, write_cache
from tinyssl.data.crop import Crop, center_crop, round_mask
from tinyssl.data.decode import open_rgb, read_image, read_mask
from tinyssl.data.field_of_view import (
    THUMBNAIL_SIDE,
    field_of_view,
    square_crop,
)
from tinyssl.data.table import DataError, Table

__all__ = [
    "Crop",
    "center_crop",
    "field_of_view",
    "fingerprint",
    "load_images",
    "load_masks",
    "load_points",
    "read_image",
    "read_mask",
    "round_mask",
    "square_crop",
]


def load_images(
    table: Table,
    size: int,
    *,
    cache: Path | str | None = None,
    threads: int | None = None,
    skip_bad: bool = False,
    progress: bool = False,
) -> tuple[np.ndarray, Table]:
    """Decode, crop and resize every image of a table.

    A fundus photograph is cropped to the square around its circle and masked round;
    any other image to its central square. Pixels given as an array are only resized
    (and masked round).

    Parameters
    ----------
    table : Table
        From `open_dataset`.
    size : int
        Rows and columns of each result.
    cache : path, optional
        A folder for the decoded images; the next call maps them from there. Files
        whose size or time of change differs are decoded anew. Without it the result
        stays in memory.
    threads : int, optional
        Decoders at work; all cores if not given.
    skip_bad : bool
        Leave out images that cannot be read and say so in ``Table.skipped``.
    progress : bool
        Show a bar on stderr, where tqdm is installed.

    Returns
    -------
    images : (N, size, size, 3) uint8 array
        Memory-mapped, read-only, when cached.
    table : Table
        The rows that were read.

    Raises
    ------
    DataError
        Naming every image that cannot be read, unless `skip_bad`.
    ValueError
        If `size` is not positive.

    Examples
    --------
    >>> from tinyssl.data import Table
    >>> pixels = np.full((2, 8, 8, 3), 200, np.uint8)
    >>> table = Table("demo", Path("demo"), ("a", "b"), pixels, is_fundus=False)
    >>> images, table = load_images(table, 4)
    >>> images.shape, images.dtype
    ((2, 4, 4, 3), dtype('uint8'))
    """
    if size < 1:
        raise ValueError(f"size must be positive, found {size}")
    if isinstance(table.images, np.ndarray):
        return _resize_array(table, size), table
    shape = (len(table), size, size, 3)

    def decode_into(images: np.ndarray) -> dict[int, str]:
        return _decode_into(images, table, threads=threads, progress=progress)

    if cache is None:
        images = np.empty(shape, np.uint8)
        bad = decode_into(images)
        if bad and skip_bad:
            images = np.delete(images, list(bad), axis=0)
    else:
        stem = Path(cache) / f"images-{size}-{fingerprint(table, size=size)[:16]}"
        if read_cache(stem) is None:
            write_cache(stem, shape, decode_into)
        images, bad = read_cache(stem)
    return images, _without(table, bad, skip_bad)


def load_masks(table: Table, name: str, size: int) -> np.ndarray:
    """Return one kind of mask through the same crops as `load_images`.

    Parameters
    ----------
    table : Table
        As returned by `load_images`.
    name : str
        A key of ``table.masks``, or ``"region"`` for the field of view shipped.
    size : int
        Rows and columns, as given to `load_images`.

    Returns
    -------
    (N, size, size) bool array
        All False for an image without such a file: IDRiD leaves out the file of a
        lesion that an eye does not have.

    Raises
    ------
    DataError
        If the table has no such mask, or naming every file that cannot be read.
    """
    column = table.region if name == "region" else table.masks.get(name)
    if column is None:
        have = ", ".join(table.masks) or "none"
        raise DataError(f"{table.root}: has no mask {name!r}; its masks are: {have}")
    masks = np.zeros((len(table), size, size), bool)

    def fill(i: int) -> None:
        if isinstance(column, np.ndarray):
            masks[i] = center_crop(*column.shape[1:]).apply(column[i], size)
        elif column[i] is not None:
            crop = open_with_crop(table, i, size)[1]
            masks[i] = crop.apply(
                _read_mask_of(column[i], crop.height, crop.width), size
            )

    bad = try_all(fill, len(table))
    if bad:
        raise DataError.listing(table.root, bad.values())
    return masks


def load_points(table: Table, name: str, size: int) -> np.ndarray:
    """Return one kind of point in the pixels of what `load_images` returns.

    Parameters
    ----------
    table : Table
        As returned by `load_images`.
    name : str
        A key of ``table.points``: ``"disc"`` or ``"fovea"``.
    size : int
        Rows and columns, as given to `load_images`.

    Returns
    -------
    (N, 2) float64 array
        (y, x), the centre of the first pixel at (0, 0); nan where unknown.

    Raises
    ------
    DataError
        If the table has no such point, or naming every image that cannot be read.
    """
    if name not in table.points:
        have = ", ".join(table.points) or "none"
        raise DataError(f"{table.root}: has no point {name!r}; its points are: {have}")
    points = np.full((len(table), 2), np.nan)

    def fill(i: int) -> None:
        crop = open_with_crop(table, i, size)[1]
        points[i] = crop.points(table.points[name][i], size)

    bad = try_all(fill, len(table))
    if bad:
        raise DataError.listing(table.root, bad.values())
    return points


def open_with_crop(table: Table, i: int, size: int) -> tuple[np.ndarray, Crop]:
    """Return the pixels of image i, perhaps reduced, and its crop in full pixels."""
    if isinstance(table.images, np.ndarray):
        return table.images[i], center_crop(*table.images.shape[1:3])
    image, (height, width) = open_rgb(
        table.images[i], short_side=max(2 * size, THUMBNAIL_SIDE)
    )
    pixels = np.asarray(image)
    if not table.is_fundus:
        return pixels, center_crop(height, width)
    # The circle is found in a small copy, so that it hardly depends on `size`.
    scale = min(1.0, THUMBNAIL_SIDE / min(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    if table.region and table.region[i]:
        region = _read_mask_of(table.region[i], height, width)
        region = Image.fromarray(region).convert("L")
        found = square_crop(np.asarray(region.resize(small)) >= 128)
    else:
        found = square_crop(np.asarray(image.resize(small, Image.Resampling.BOX)))
    top, left, side = (
        round(length / scale) for length in (found.top, found.left, found.side)
    )
    return pixels, Crop(top, left, side, height, width)


def _read_mask_of(path: Path, height: int, width: int) -> np.ndarray:
    """Return a mask in the proportions of its image; its resolution may differ."""
    mask = read_mask(path)
    if abs(mask.shape[0] * width - mask.shape[1] * height) > max(height, width):
        found = " x ".join(str(length) for length in mask.shape)
        raise DataError(
            f"{path}: must be {height} x {width} as its image, found {found}"
        )
    return mask


def _decode_into(
    images: np.ndarray, table: Table, *, threads: int | None, progress: bool
) -> dict[int, str]:
    """Fill the array with the images; return why each bad row is bad."""
    size = images.shape[1]
    outside = ~round_mask(size)

    def fill(i: int) -> None:
        pixels, crop = open_with_crop(table, i, size)
        images[i] = crop.apply(pixels, size)
        if table.is_fundus:
            images[i][outside] = 0

    return try_all(fill, len(table), threads=threads, progress=progress)


def try_all(
    work: Callable[[int], None],
    n: int,
    *,
    threads: int | None = None,
    progress: bool = False,
) -> dict[int, str]:
    """Call work(0) ... work(n - 1) on a pool; return the DataErrors by row."""

    def attempt(i: int) -> str | None:
        try:
            work(i)
        except DataError as error:
            return str(error)
        return None

    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        results = _with_bar(pool.map(attempt, range(n)), n, progress)
        return {i: error for i, error in enumerate(results) if error is not None}
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the rest


def _with_bar(results: Iterable, n: int, progress: bool) -> Iterable:
    """Return the iterable behind a progress bar, where wanted and installed."""
    if not progress:
        return results
    try:
        from tqdm import tqdm
    except ImportError:
        return results
    return tqdm(results, total=n, desc="decoding", unit="image")


def _resize_array(table: Table, size: int) -> np.ndarray:
    """Return the pixels of a table resized, round where they are eyes."""
    crop = center_crop(*table.images.shape[1:3])
    if crop.height == crop.width == size:
        images = table.images.copy()
    else:
        images = np.stack([crop.apply(image, size) for image in table.images])
    if table.is_fundus:
        images[:, ~round_mask(size)] = 0
    return images


def _without(table: Table, bad: dict[int, str], skip_bad: bool) -> Table:
    """Return the table without its bad rows, and saying so; raise unless asked to."""
    if not bad:
        return table
    if not skip_bad:
        raise DataError.listing(table.root, bad.values())
    if len(bad) == len(table):
        raise DataError(f"{table.root}: none of the {len(table)} images can be read")
    good = [i for i in range(len(table)) if i not in bad]
    reasons = tuple(f"{table.names[i]}: {reason}" for i, reason in bad.items())
    return replace(table.select(good), skipped=table.skipped + reasons)
