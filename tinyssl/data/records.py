"""What a reader found, row by row, checked once and turned into a Table."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tinyssl.data.decode import open_rgb
from tinyssl.data.field_of_view import looks_like_fundus
from tinyssl.data.table import DataError, Table

IMAGE_SUFFIXES = {
    *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".ppm"),
}
EYES = {
    **dict.fromkeys(("left", "l", "os"), "left"),
    **dict.fromkeys(("right", "r", "od"), "right"),
    "": "",
}
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
    "": "",
}
MAX_GRADE = 99
NUM_SAMPLES = 9  # images looked at to tell eyes from others


@dataclass
class Record:
    """One row as a reader found it: text is unchecked, files may be missing."""

    name: str
    image: Path
    grade: str | int = ""
    patient: str = ""
    eye: str = ""
    split: str = ""
    masks: dict[str, Path] = field(default_factory=dict)
    region: Path | None = None
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    problem: str = ""  # what the reader itself found wrong with the row


def list_images(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, sorted; none if it is missing."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def find_image(folder: Path, stem: str) -> Path:
    """Return the image `stem` with the suffix it has; a png where it is missing."""
    for suffix in sorted(IMAGE_SUFFIXES):
        for candidate in (suffix, suffix.upper()):
            if (folder / f"{stem}{candidate}").is_file():
                return folder / f"{stem}{candidate}"
    return folder / f"{stem}.png"


def build_table(
    records: Sequence[Record],
    *,
    layout: str,
    root: Path,
    skip_bad: bool,
    class_names: tuple[str, ...] | None = None,
    is_fundus: bool | None = True,
) -> Table:
    """Return the Table of the good records; raise for the bad, or note them.

    Where `is_fundus` is None, a few of the images are looked at.
    """
    counts = Counter(record.name for record in records)
    good, bad = [], []
    for number, record in enumerate(records, start=1):
        reason = _reason_to_refuse(record, counts) or _reason_against_files(
            record, root
        )
        if reason:
            bad.append(f"{record.name or f'row {number}'}: {reason}")
        else:
            good.append(_normalized(record))
    if bad and not skip_bad:
        raise DataError.listing(root, bad)
    if not good:
        first = f"; the first row: {bad[0]}" if bad else ", the list is empty"
        raise DataError(f"{root}: no image to use{first}")
    if is_fundus is None:
        is_fundus = _sample_looks_like_fundus([record.image for record in good])
    return Table(
        layout=layout,
        root=root,
        class_names=class_names,
        is_fundus=is_fundus,
        skipped=tuple(bad),
        **_columns(good),
    )


def _reason_to_refuse(record: Record, counts: Counter) -> str | None:
    """Return what is wrong with the words of a record, or None."""
    if record.problem:
        return record.problem
    if not record.name:
        return "must name an image, found a blank"
    if counts[record.name] > 1:
        return f"named {counts[record.name]} times, each image must be listed once"
    if not re.fullmatch(r"|-1(\.0*)?|\d{1,9}(\.0*)?", str(record.grade).strip()):
        return f"grade must be an integer, found {record.grade!r}"
    if _grade(record) > MAX_GRADE:
        return f"grade must lie in 0..{MAX_GRADE}, found {record.grade!r}"
    if record.eye.lower() not in EYES:
        return f"eye must be left or right, found {record.eye!r}"
    if record.split.lower() not in SPLITS:
        return f"split must be train, val or test, found {record.split!r}"
    return None


def _reason_against_files(record: Record, root: Path) -> str | None:
    """Return which file of a record lies outside the folder or is missing, or None."""
    inside = root.resolve()
    for path in (record.image, *record.masks.values(), record.region):
        if path is None:
            continue
        try:
            resolved = path.resolve()  # follows links and ..
        except (OSError, RuntimeError, ValueError) as error:  # a loop, a null character
            return f"path cannot be followed ({error})"
        if not resolved.is_relative_to(inside):
            return f"path leaves the folder: {path}"
        if not resolved.is_file():
            return f"missing file {resolved.relative_to(inside).as_posix()}"
    return None


def _grade(record: Record) -> int:
    """Return the grade as a number, -1 where it is blank."""
    text = str(record.grade).strip()
    return int(float(text)) if text else -1


def _normalized(record: Record) -> Record:
    """Return the record with its grade, eye and split in the words of a Table."""
    return replace(
        record,
        grade=_grade(record),
        eye=EYES[record.eye.lower()],
        split=SPLITS[record.split.lower()],
    )


def _sample_looks_like_fundus(paths: list[Path]) -> bool:
    """Return whether a few of the images, evenly spread, look like eyes."""
    chosen = [
        paths[i]
        for i in np.linspace(0, len(paths) - 1, NUM_SAMPLES).round().astype(int)
    ]
    images = []
    for path in dict.fromkeys(chosen):
        try:
            images.append(np.asarray(open_rgb(path, short_side=64)[0]))
        except DataError:
            continue  # load_images will name it
    return looks_like_fundus(images)


def _columns(records: Sequence[Record]) -> dict:
    """Return the columns of a Table; a column nobody filled is None or left out."""
    grade = np.array([record.grade for record in records], np.int64)
    regions = tuple(record.region for record in records)
    mask_names = sorted({name for record in records for name in record.masks})
    point_names = sorted({name for record in records for name in record.points})
    missing = (np.nan, np.nan)
    return {
        "names": tuple(record.name for record in records),
        "images": tuple(record.image for record in records),
        "grade": grade if (grade >= 0).any() else None,
        "patient": _text_column([record.patient for record in records]),
        "eye": _text_column([record.eye for record in records]),
        "split": _text_column([record.split for record in records]),
        "masks": {
            name: tuple(record.masks.get(name) for record in records)
            for name in mask_names
        },
        "region": regions if any(regions) else None,
        "points": {
            name: np.array([record.points.get(name, missing) for record in records])
            for name in point_names
        },
    }


def _text_column(values: list[str]) -> np.ndarray | None:
    return np.array(values) if any(values) else None
