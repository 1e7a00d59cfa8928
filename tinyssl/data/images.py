"""From a table of files to one array of square images, decoded once and cached."""

import importlib.util
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from tinyssl.data.cache import cached
from tinyssl.data.crop import Crop, center_crop, field_of_view, round_mask, square_crop
from tinyssl.data.decode import open_rgb, read_image, read_mask, same_proportions
from tinyssl.data.medical import read_volume
from tinyssl.data.table import DataError, Table

__all__ = ["load_images", "load_masks", "load_points"]
__all__ += ["center_crop", "field_of_view", "read_image", "read_mask", "round_mask"]

VERSION = 2  # raise it when the pixels that load_images returns change
MOST_VOXELS = 64  # of a cube's side: what a laptop trains on
THUMBNAIL_SIDE = 256  # a circle is found in this short side as well as in the full one


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
    any other image, and pixels given as an array, to the central square. A volume is
    resampled to a cube.

    Parameters
    ----------
    table : Table, from `open_dataset`
    size : int, rows and columns of each result
    cache : path, optional
        A folder to keep the images in until a file's size or time of change differs. A
        damaged cache is made anew; each use reads all of it once, for its checksum.
    threads : int, optional; decoders at work, all cores if not given
    skip_bad : bool, note in ``Table.skipped`` what cannot be read, and leave it out
    progress : bool, show a bar on stderr at once, at a terminal it comes after 2 s

    Returns
    -------
    images : (N, size, size, 3) uint8 array, mapped read-only when cached
        Of volumes (N, size, size, size, 1).
    table : Table, the rows that were read

    Raises
    ------
    DataError, ValueError
        Naming every image that cannot be read, or what does not fit the cache or size.

    Examples
    --------
    >>> pixels = np.full((2, 8, 8, 3), 200, np.uint8)
    >>> table = Table("demo", Path("demo"), ("a", "b"), pixels, is_fundus=False)
    >>> load_images(table, 4)[0].shape
    (2, 4, 4, 3)
    """
    if size < 1:
        raise ValueError(f"size must be positive, found {size}")
    shape = (len(table), size, size, 3)
    if table.dims == 3:
        if size > MOST_VOXELS:
            rule = f"volumes are resampled to cubes: size must be at most {MOST_VOXELS}"
            raise ValueError(f"{table.root}: {rule}, found {size}")
        shape = (len(table), size, size, size, 1)
    are_files = not isinstance(table.images, np.ndarray)

    def decode(i):
        if table.dims == 3:
            volume = table.images[i] if not are_files else read_volume(table.images[i])
            return cube(volume, size)
        pixels, crop = open_with_crop(table, i, size)
        image = crop.apply(pixels, size)
        return image * round_mask(size)[..., None] if table.is_fundus else image

    def fill(i):
        images[i] = decode(i)

    how = {"threads": threads, "progress": progress and are_files}
    if cache is not None and are_files:
        stem = Path(cache) / f"images-{size}-{fingerprint(table, size)[:16]}"
        images, bad = cached(stem, shape, partial(each, decode, len(table), **how))
        return images, _without(table, bad, skip_bad)
    images = np.empty(shape, np.uint8)
    bad = try_all(fill, len(table), **how)
    table = _without(table, bad, skip_bad)
    return np.delete(images, list(bad), axis=0) if bad else images, table


def cube(volume, size):
    """Resample a volume (D, H, W, C), linear between voxels, to (S, S, S, C)."""
    scale = [size / side for side in volume.shape[:3]]
    return zoom(volume, (*scale, 1), order=1, mode="nearest", grid_mode=True)


def load_masks(
    table: Table, name: str, size: int, *, label: int | None = None
) -> np.ndarray:
    """As `load_images`, one kind of mask of its table: (N, size, size) bool array.

    The name is a key of ``table.masks``, or ``"region"``; another is a DataError. All
    is False for an image without such a file; that most files are empty is a warning.
    ``label``, as in `read_mask`, says what in the files is meant.
    """
    column = table.region if name == "region" else table.masks.get(name)
    if column is None:
        raise _lacking(table, "mask", name, table.masks)
    masks, drawn = np.zeros((len(table), size, size), bool), {}

    def fill(i):
        mask = column[i]
        if mask is not None:
            crop = open_with_crop(table, i, size)[1]
            if isinstance(mask, Path):
                mask = _read_mask_of(table, mask, i, crop.height, crop.width, label)
                drawn[i] = mask.any()
            masks[i] = crop.apply(mask, size)

    _without(table, try_all(fill, len(table)))
    warn_of_empty(table, name, drawn.values())
    return masks


def load_points(table: Table, name: str, size: int) -> np.ndarray:
    """As `load_masks`, one kind of point, a key of ``table.points``: (N, 2) float64.

    It is (y, x) in pixels of the resized image; nan where unknown.
    """
    if name not in table.points:
        raise _lacking(table, "point", name, table.points)
    points = np.full((len(table), 2), np.nan)

    def fill(i):
        crop = open_with_crop(table, i, size)[1]
        points[i] = crop.points(table.points[name][i], size)

    _without(table, try_all(fill, len(table)))
    return points


def open_with_crop(table, i, size):
    """Return the pixels of image i, perhaps reduced, and its crop in full pixels."""
    if isinstance(table.images, np.ndarray):
        return table.images[i], center_crop(*table.images.shape[1:3])
    short_side = max(2 * size, THUMBNAIL_SIDE)
    image, (height, width) = open_rgb(table.images[i], short_side=short_side)
    if not table.is_fundus:
        return image, center_crop(height, width)
    # The circle is found in a small copy, so that it hardly depends on `size`.
    scale = min(1.0, THUMBNAIL_SIDE / min(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    if table.region and table.region[i]:
        region = _read_mask_of(table, table.region[i], i, height, width)
        shrunk = Image.fromarray(region).convert("L").resize(small)
        found = square_crop(np.asarray(shrunk) >= 128)
    else:
        shrunk = Image.fromarray(image).resize(small, Image.Resampling.BOX)
        found = square_crop(np.asarray(shrunk))
    square = (round(length / scale) for length in (found.top, found.left, found.side))
    return image, Crop(*square, height, width)


def try_all(work, n, **options):
    """As `each`, but return only the DataErrors, by row."""
    results = enumerate(each(work, n, **options))
    return {i: str(error) for i, error in results if isinstance(error, DataError)}


def each(work, n, *, threads=None, progress=False):
    """Yield work(0) ... work(n - 1) in this order, done on a pool, or their DataErrors.

    What takes more than 2 s shows a bar where tqdm is installed and stderr a terminal.
    """

    def attempt(i):
        try:
            return work(i)
        except DataError as error:
            return error

    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        results = pool.map(attempt, range(n))
        if (progress or sys.stderr.isatty()) and importlib.util.find_spec("tqdm"):
            from tqdm import tqdm

            options = {"desc": "decoding", "unit": "image", "delay": 2 * (not progress)}
            results = tqdm(results, total=n, **options)
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the rest


def fingerprint(table, size):
    """Return 64 hexadecimal digits that change with the files' paths, sizes, times."""
    digest = sha256(repr((VERSION, size, table.is_fundus)).encode())
    for path in (*table.images, *(table.region or (None,) * len(table))):
        try:
            stat = path.stat() if path else None
            known = (stat.st_size, stat.st_mtime_ns) if stat else None
        except OSError:
            known = "missing"
        digest.update(repr((str(path), known)).encode())
    return digest.hexdigest()


def warn_of_empty(table, name, drawn):
    """Warn if most files of a kind of mask show nothing; drawn is a bool for each."""
    empty = len(drawn) - sum(drawn)
    if 2 * empty > len(drawn):
        what = f"nothing is drawn in {empty} of {len(drawn)} {name} masks"
        warnings.warn(f"{table.root}: {what}", stacklevel=3)


def _read_mask_of(table, path, i, height, width, label=None):
    """Return a mask of image i in its proportions; its resolution may differ."""
    mask = read_mask(path, label=label, image=table.images[i])
    if not same_proportions(mask.shape, (height, width)):
        found = "found {} x {}".format(*mask.shape)
        raise DataError(f"{path}: must be {height} x {width} as its image, {found}")
    return mask


def _lacking(table, kind, name, columns):
    have = ", ".join(columns) or "none"
    return DataError(f"{table.root}: has no {kind} {name!r}; its {kind}s are: {have}")


def _without(table, bad, skip_bad=False):
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
