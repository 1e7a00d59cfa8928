"""IDRiD: its three official parts, each with a training and a testing set.

The localisation csv files give pixels of the camera's 4288 x 2848 photographs; the
points are scaled to the size of the images that are there. No file names the patients,
but the JPEG files carry a date with the number of a visit, and images that share it
are, to the eye, those of one patient: so it stands for the patient here. Eight visits
lie on both sides of the official split (``tinyssl audit`` lists them).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.data.decode import image_size
from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table, find_image, list_images
from tinyssl.data.table import DataError, Table

SETS = {"train": "a. Training Set", "test": "b. Testing Set"}
LESIONS = {
    "MA": "1. Microaneurysms",
    "HE": "2. Haemorrhages",
    "EX": "3. Hard Exudates",
    "SE": "4. Soft Exudates",
    "OD": "5. Optic Disc",
}
CAMERA_SIZE = np.array([2848, 4288])  # height, width


def read_idrid(root: Path, *, skip_bad: bool) -> Table | None:
    """Return the table of one part, for the root that of grading; or None."""
    parts = {
        "B. Disease Grading": _read_grading,
        "A. Segmentation": _read_segmentation,
        "C. Localization": _read_localization,
    }
    for name, read in parts.items():
        if (root / name).is_dir():
            return read(root / name, skip_bad)
    if not (root / "1. Original Images").is_dir():
        return None
    if (root / "2. All Segmentation Groundtruths").is_dir():
        return _read_segmentation(root, skip_bad)
    truth = root / "2. Groundtruths"
    if any(truth.glob("*Center Location")):
        return _read_localization(root, skip_bad)
    return _read_grading(root, skip_bad)


def _read_grading(root: Path, skip_bad: bool) -> Table:
    """Return part B: a grade of diabetic retinopathy for each image."""
    records = []
    for split, folder in _sets(root):
        labels = _one_csv(root / "2. Groundtruths", split, "Labels")
        columns = ("image name", "retinopathy grade")
        for row in read_csv(labels, required=columns):
            name, grade = (row[column] for column in columns)
            image = find_image(folder, name)
            record = Record(f"{split}/{name}", image, grade, split=split)
            record.patient = _visit(image)
            records.append(record)
    return build_table(records, layout="idrid-grading", root=root, skip_bad=skip_bad)


def _read_segmentation(root: Path, skip_bad: bool) -> Table:
    """Return part A: masks of four lesions and the disc, where an eye has them."""
    records = []
    for split, folder in _sets(root):
        truth = root / "2. All Segmentation Groundtruths" / SETS[split]
        for image in list_images(folder):
            masks = {
                short: truth / name / f"{image.stem}_{short}.tif"
                for short, name in LESIONS.items()
            }
            masks = {short: path for short, path in masks.items() if path.is_file()}
            name = f"{split}/{image.stem}"
            record = Record(name, image, split=split, masks=masks)
            record.patient = _visit(image)
            records.append(record)
    return build_table(
        records, layout="idrid-segmentation", root=root, skip_bad=skip_bad
    )


def _read_localization(root: Path, skip_bad: bool) -> Table:
    """Return part C: the centres of disc and fovea."""
    truth = root / "2. Groundtruths"
    kinds = {
        "disc": truth / "1. Optic Disc Center Location",
        "fovea": truth / "2. Fovea Center Location",
    }
    records = []
    for split, folder in _sets(root):
        places = {
            kind: _read_places(_one_csv(path, split, "Markups"))
            for kind, path in kinds.items()
        }
        for name in sorted({name for column in places.values() for name in column}):
            image = find_image(folder, name)
            points = {
                kind: places[kind][name] for kind in kinds if name in places[kind]
            }
            record = Record(f"{split}/{name}", image, split=split)
            record.patient = _visit(image)
            records.append(record)
            try:
                scale = np.array(image_size(image)) / CAMERA_SIZE
            except DataError as error:
                record.problem = str(error)
            else:
                record.points = {kind: tuple(p * scale) for kind, p in points.items()}
    return build_table(
        records, layout="idrid-localization", root=root, skip_bad=skip_bad
    )


def _visit(image: Path | None) -> str:
    """Return a JPEG file's comment where it names a visit, such as 181120172, or ""."""
    try:
        with Image.open(image) as opened:
            comment = opened.info.get("comment", b"")
    except (OSError, AttributeError, ValueError):  # the readers say what is wrong
        return ""
    text = comment.decode("latin-1").strip("\0 ")
    return text if re.search(r"\d{6}", text) else ""  # a date, not "No ID"


def _read_places(path: Path) -> dict[str, np.ndarray]:
    """Return (y, x) in camera pixels by image name."""
    required = ("image no", "x- coordinate", "y - coordinate")
    places, problems = {}, []
    for row in read_csv(path, required=required):
        name, x, y = (row[column] for column in required)
        if name in places:
            problems.append(f"{name}: named more than once")
        try:
            places[name] = np.array([float(y), float(x)])
        except ValueError:
            problems.append(f"{name}: coordinates must be numbers, found {x!r}, {y!r}")
    if problems:
        raise DataError.listing(path, problems)
    return places


def _sets(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the sets that are there, with the folder of their images."""
    found = [
        (split, folder)
        for split, name in SETS.items()
        if (folder := root / "1. Original Images" / name).is_dir()
    ]
    if not found:
        names = " or ".join(repr(name) for name in SETS.values())
        raise DataError(f"{root / '1. Original Images'}: must hold {names}")
    yield from found


def _one_csv(folder: Path, split: str, ending: str) -> Path:
    """Return the csv of one set; its prefix differs from release to release."""
    word = {"train": "Training", "test": "Testing"}[split]
    found = sorted(folder.glob(f"*{word}*{ending}.csv"))
    if len(found) != 1:
        raise DataError(
            f"{folder}: must hold one csv '*{word}*{ending}.csv', found {len(found)}"
        )
    return found[0]
