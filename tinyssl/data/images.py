"""From a table of files to one array of square images, decoded once and cached."""

import importlib.util
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.data.crop import Crop, center_crop, field_of_view, round_mask, square_crop
from tinyssl.data.decode import open_rgb, read_image, read_mask
from tinyssl.data.table import DataError, Table

__all__ = ["load_images", "load_masks", "load_points"]
__all__ += ["center_crop", "field_of_view", "read_image", "read_mask", "round_mask"]

VERSION = 1  # raise it when the pixels that load_images returns change
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
    any other image, and pixels given as an array, to the central square.

    Parameters
    ----------
    table : Table, from `open_dataset`
    size : int, rows and columns of each result
    cache : path, optional
        A folder to keep the images in until a file's size or time of change differs.
    threads : int, optional; decoders at work, all cores if not given
    skip_bad : bool, note in ``Table.skipped`` what cannot be read, and leave it out
    progress : bool, show a bar on stderr, where tqdm is installed

    Returns
    -------
    images : (N, size, size, 3) uint8 array, mapped read-only when cached
    table : Table, the rows that were read

    Raises
    ------
    DataError, ValueError
        Naming every image that cannot be read; if `size` is not positive.

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
    are_files = not isinstance(table.images, np.ndarray)

    def decode_into(images):
        def fill(i):
            pixels, crop = open_with_crop(table, i, size)
            images[i] = crop.apply(pixels, size)
            if table.is_fundus:
                images[i][~round_mask(size)] = 0

        bar = progress and are_files
        return try_all(fill, len(table), threads=threads, progress=bar)

    if cache is not None and are_files:
        stem = Path(cache) / f"images-{size}-{fingerprint(table, size)[:16]}"
        if read_cache(stem) is None:
            write_cache(stem, shape, decode_into)
        images, bad = read_cache(stem)
        return images, _without(table, bad, skip_bad)
    images = np.empty(shape, np.uint8)
    bad = decode_into(images)
    table = _without(table, bad, skip_bad)
    return np.delete(images, list(bad), axis=0) if bad else images, table


def load_masks(table: Table, name: str, size: int) -> np.ndarray:
    """As `load_images`, one kind of mask of its table: (N, size, size) bool array.

    The name is a key of ``table.masks``, or ``"region"``; another is a DataError. All
    is False for an image without such a file.
    """
    column = table.region if name == "region" else table.masks.get(name)
    if column is None:
        raise _lacking(table, "mask", name, table.masks)
    masks = np.zeros((len(table), size, size), bool)

    def fill(i):
        mask = column[i]
        if mask is not None:
            crop = open_with_crop(table, i, size)[1]
            if isinstance(mask, Path):
                mask = _read_mask_of(mask, crop.height, crop.width)
            masks[i] = crop.apply(mask, size)

    _without(table, try_all(fill, len(table)))
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
        return np.asarray(image), center_crop(height, width)
    # The circle is found in a small copy, so that it hardly depends on `size`.
    scale = min(1.0, THUMBNAIL_SIDE / min(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    if table.region and table.region[i]:
        region = Image.fromarray(_read_mask_of(table.region[i], height, width))
        found = square_crop(np.asarray(region.convert("L").resize(small)) >= 128)
    else:
        found = square_crop(np.asarray(image.resize(small, Image.Resampling.BOX)))
    square = (round(length / scale) for length in (found.top, found.left, found.side))
    return np.asarray(image), Crop(*square, height, width)


def try_all(work, n, *, threads=None, progress=False):
    """Call work(0) ... work(n - 1) on a pool; return the DataErrors by row."""

    def attempt(i):
        try:
            return work(i)  # None
        except DataError as error:
            return str(error)

    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        results = pool.map(attempt, range(n))
        if progress and importlib.util.find_spec("tqdm"):
            from tqdm import tqdm

            results = tqdm(results, total=n, desc="decoding", unit="image")
        return {i: error for i, error in enumerate(results) if error is not None}
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


def read_cache(stem):
    """Return the cached images and why other rows were bad; None where not whole."""
    try:
        bad = json.loads(stem.with_suffix(".json").read_text())["bad"]
        images = np.load(stem.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, KeyError):
        return None
    return images, {int(i): reason for i, reason in bad.items()}


def write_cache(stem, shape, decode_into):
    """Decode into files of other names, which get their own when they are whole."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=stem.parent) as part:
        notes, draft = Path(part) / "notes.json", Path(part) / "all.npy"
        images = np.lib.format.open_memmap(draft, "w+", np.uint8, shape)
        bad = decode_into(images)
        good = [i for i in range(len(images)) if i not in bad]
        if bad and good:
            for row, i in enumerate(good):  # by and by: there may be more than memory
                images[row] = images[i]
            draft = draft.with_name("good.npy")
            np.save(draft, images[: len(good)])
        images.flush()
        notes.write_text(json.dumps({"bad": bad}))
        notes.replace(stem.with_suffix(".json"))
        draft.replace(stem.with_suffix(".npy"))  # last: with it the cache is whole


def _read_mask_of(path, height, width):
    """Return a mask in the proportions of its image; its resolution may differ."""
    mask = read_mask(path)
    H, W = mask.shape
    if abs(H * width - W * height) > max(height, width):
        expected = f"{height} x {width} as its image"
        raise DataError(f"{path}: must be {expected}, found {H} x {W}")
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
