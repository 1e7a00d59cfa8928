"""One look at each image of all parts: whatever the audit asks, from one decode."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.data.audit.hashes import perceptual_hash, seen_area, structure
from tinyssl.data.decode import FORMATS, image_size
from tinyssl.data.images import open_with_crop, try_all
from tinyssl.data.table import DataError, Table

VIEW = 128  # px of the square in which copies are sought: larger vessels show
COARSE = 28  # px of the picture kept for baselines, as in MedMNIST
DESCRIPTION, MODEL, DATE_FOLDER, DATE = 0x010E, 0x0110, 0x8769, 0x9003  # EXIF


@dataclass(frozen=True)
class Looks:
    """What was seen of the N readable images of all parts, one row an image.

    Parameters
    ----------
    parts : dict of str to Table
        As given, bad rows included.
    part, name : (N,) str arrays
        Which part an image belongs to, and its name there.
    path : tuple of Path or None
    grade : (N,) int64 array
        -1 is unlabelled.
    patient, eye, split : (N,) str arrays
        An empty string is unknown.
    digest : (N,) str array
        Of the file's bytes, or of the pixels where there is no file.
    height, width : (N,) int64 arrays
    camera : (N,) str array
        What tells cameras and programs apart: format, colours, compression, model.
    corners : (N,) str array
        ``"light corners"`` or ``"dark corners"``; empty where no eye is shown.
    note : (N,) str array
        The comment, description or date of exposure that the file carries.
    coarse : (N, 28, 28, 3) uint8 array
    hashes : (N,) uint64 array
    structures : (N, S, S) int8 array
    gray : (N,) bool array
    brightness, detail : (N,) float64 arrays
        Inside the field of view: mean of the brightest channel, and standard deviation
        of the finest structure in green.
    unreadable : tuple of (part, name, reason)
    """

    parts: Mapping[str, Table]
    part: np.ndarray
    name: np.ndarray
    path: tuple[Path | None, ...]
    grade: np.ndarray
    patient: np.ndarray
    eye: np.ndarray
    split: np.ndarray
    digest: np.ndarray
    height: np.ndarray
    width: np.ndarray
    camera: np.ndarray
    corners: np.ndarray
    note: np.ndarray
    coarse: np.ndarray
    hashes: np.ndarray
    structures: np.ndarray
    gray: np.ndarray
    brightness: np.ndarray
    detail: np.ndarray
    unreadable: tuple[tuple[str, str, str], ...]

    def __len__(self) -> int:
        return len(self.name)

    def label(self, i: int) -> str:
        """Return the name of image i, with its part where there are several."""
        return (
            f"{self.part[i]}: {self.name[i]}" if len(self.parts) > 1 else self.name[i]
        )


COLUMNS = tuple(
    column.name
    for column in fields(Looks)
    if column.name not in ("parts", "path", "unreadable")
)


def look(
    parts: Mapping[str, Table], *, threads: int | None = None, progress: bool = False
) -> Looks:
    """Look once at every image of all parts.

    Parameters
    ----------
    parts : dict of str to Table
    threads : int, optional
        Decoders at work; all cores if not given.
    progress : bool
        Show a bar on stderr, where tqdm is installed.

    Returns
    -------
    Looks
        Memory: 20 KB an image.

    Raises
    ------
    DataError
        If not a single image can be read.
    """
    rows = [(part, i) for part, table in parts.items() for i in range(len(table))]
    seen: list[dict | None] = [None] * len(rows)
    side = min([VIEW, *(_typical_side(table) for table in parts.values())])

    def see(k: int) -> None:
        part, i = rows[k]
        seen[k] = _see(parts[part], i, side) | _words(parts[part], i) | {"part": part}

    bad = try_all(see, len(rows), threads=threads, progress=progress)
    unreadable = tuple(
        (part, parts[part].names[i], bad[k])
        for k, (part, i) in enumerate(rows)
        if k in bad
    )
    good = [row for row in seen if row is not None]
    if not good:
        raise DataError.listing("none of the images can be read", bad.values())
    columns = {name: np.array([row[name] for row in good]) for name in COLUMNS}
    path = tuple(row["path"] for row in good)
    return Looks(parts=parts, unreadable=unreadable, path=path, **columns)


def _see(table: Table, i: int, side: int) -> dict:
    """Return what the pixels of one image show."""
    from scipy import ndimage

    pixels, crop = open_with_crop(table, i, VIEW)
    view = crop.apply(pixels, side)
    green, area = view[..., 1], seen_area(view)
    fine = green.astype(np.float32) - ndimage.gaussian_filter(
        green.astype(np.float32), 1
    )
    spread = view.max(axis=-1).astype(int) - view.min(axis=-1)
    path = None if isinstance(table.images, np.ndarray) else table.images[i]
    return {
        "height": crop.height,
        "width": crop.width,
        "coarse": crop.apply(pixels, COARSE),
        "hashes": perceptual_hash(green, area),
        "structures": structure(green, area),
        "gray": spread.max() <= 4,  # a JPEG of a gray picture is not exactly gray
        "brightness": view.max(axis=-1)[area].mean(),
        "detail": fine[area].std(),
        "path": path,
        **(_read_header(path) if path else _describe_array(table.images[i])),
        "corners": _corners(pixels) if table.is_fundus else "",
    }


def _corners(pixels: np.ndarray) -> str:
    """Return whether a picture stands on black or on light."""
    length = max(1, min(pixels.shape[:2]) // 14)
    ends = (slice(length), slice(-length, None))
    light = np.mean([pixels[ys, xs].mean() for ys in ends for xs in ends])
    return "light corners" if light > 128 else "dark corners"


def _words(table: Table, i: int) -> dict:
    """Return what the table says of one image."""
    known = {"name": table.names[i]}
    known["grade"] = -1 if table.grade is None else table.grade[i]
    for column in ("patient", "eye", "split"):
        values = getattr(table, column)
        known[column] = "" if values is None else values[i]
    return known


def _read_header(path: Path) -> dict:
    """Return the digest of a file, and what its header tells of camera and visit."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with Image.open(path, formats=FORMATS) as image:
        exif = image.getexif()
        comment = image.info.get("comment", b"")
        tables = getattr(image, "quantization", None) or {}
        compression = sum(sum(table) for table in tables.values())
        camera = (image.format, image.mode, compression or "", exif.get(MODEL, ""))
    notes = (comment, exif.get(DESCRIPTION), exif.get_ifd(DATE_FOLDER).get(DATE))
    words = [_as_text(note) for note in notes]
    return {
        "digest": digest,
        "camera": " ".join(str(word) for word in camera if word),
        "note": next((word for word in words if re.search(r"\d{3}", word)), ""),
    }


def _describe_array(pixels: np.ndarray) -> dict:
    """Return the digest of an image without a file."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()
    return {"digest": digest, "camera": "", "note": ""}


def _as_text(note: object) -> str:
    """Return what a program left in a header as one line of text."""
    text = note.decode("latin-1") if isinstance(note, bytes) else str(note or "")
    return " ".join(text.replace("\0", " ").split())[:80]


def _typical_side(table: Table) -> int:
    """Return the short side that most images of a table have, from a few of them."""
    if isinstance(table.images, np.ndarray):
        return min(table.images.shape[1:3])
    few = table.images[:: max(1, len(table) // 9)]
    sides = []
    for path in few:
        try:
            sides.append(min(image_size(path)))
        except DataError:
            continue  # look names it
    return int(np.median(sides)) if sides else VIEW
