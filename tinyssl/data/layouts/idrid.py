"""IDRiD: its three official parts, each with a training and a testing set.

The localisation csv files give pixels of the camera's 4288 x 2848 images; the points
are scaled to the size of the images that are there. No file names the patients, but
the JPEG files carry a date with the number of a visit, and images that share it are, to
the eye, those of one patient: so it stands for the patient here. Eight visits lie on
both sides of the official split (``tinyssl audit`` lists them).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyssl.data.decode import image_size, open_image
from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table, existing, find_image, list_images
from tinyssl.data.table import DataError, Table

IMAGES, TRUTH = "1. Original Images", "2. Groundtruths"
MASKS = "2. All Segmentation Groundtruths"
SETS = {"train": "a. Training Set", "test": "b. Testing Set"}
LESIONS = {
    "MA": "1. Microaneurysms",
    "HE": "2. Haemorrhages",
    "EX": "3. Hard Exudates",
    "SE": "4. Soft Exudates",
    "OD": "5. Optic Disc",
}
POINTS = {"disc": "1. Optic Disc Center Location", "fovea": "2. Fovea Center Location"}
CAMERA_SIZE = np.array([2848, 4288])  # height, width


def read_idrid(root: Path, *, skip_bad: bool) -> Table | None:
    """Read one part; of the root that of grading."""
    parts = {
        "B. Disease Grading": ("grading", _read_grading),
        "A. Segmentation": ("segmentation", _read_segmentation),
        "C. Localization": ("localization", _read_localization),
    }
    folder = next((name for name in parts if (root / name).is_dir()), None)
    if folder:
        root = root / folder
    elif not (root / IMAGES).is_dir():
        return None
    elif (root / MASKS).is_dir():
        folder = "A. Segmentation"
    elif any((root / TRUTH).glob("*Center Location")):
        folder = "C. Localization"
    else:
        folder = "B. Disease Grading"
    part, read = parts[folder]
    sets = {s: root / IMAGES / name for s, name in SETS.items()}
    if not any(images.is_dir() for images in sets.values()):
        names = " or ".join(repr(name) for name in SETS.values())
        raise DataError(f"{root / IMAGES}: must hold {names}")
    records = [
        replace(
            record,
            name=f"{split}/{record.name}",
            split=split,
            patient=_visit(record.image),
        )
        for split, images in sets.items()
        if images.is_dir()
        for record in read(root, split, images)
    ]
    return build_table(records, layout=f"idrid-{part}", root=root, skip_bad=skip_bad)


def _read_grading(root: Path, split: str, images: Path) -> Iterator[Record]:
    """Part B: a grade of diabetic retinopathy for each image."""
    columns = ("image name", "retinopathy grade")
    for row in read_csv(_one_csv(root / TRUTH, split, "Labels"), required=columns):
        name, grade = (row[column] for column in columns)
        yield Record(name, find_image(images, name), grade)


def _read_segmentation(root: Path, split: str, images: Path) -> Iterator[Record]:
    """Part A: masks of four lesions and the disc, where an eye has them."""
    truth = root / MASKS / SETS[split]
    for image in list_images(images):
        masks = {
            short: truth / folder / f"{image.stem}_{short}.tif"
            for short, folder in LESIONS.items()
        }
        yield Record(image.stem, image, masks=existing(masks))


def _read_localization(root: Path, split: str, images: Path) -> Iterator[Record]:
    """Part C: the centres of disc and fovea."""
    places = {
        kind: _read_places(_one_csv(root / TRUTH / folder, split, "Markups"))
        for kind, folder in POINTS.items()
    }
    for name in sorted({name for column in places.values() for name in column}):
        record = Record(name, find_image(images, name))
        try:
            scale = np.array(image_size(record.image)) / CAMERA_SIZE
        except DataError as error:
            record.problem = str(error)
        else:
            record.points = {
                kind: tuple(column[name] * scale)
                for kind, column in places.items()
                if name in column
            }
        yield record


def _visit(image: Path) -> str:
    """Return a JPEG file's comment where it names a visit, such as 181120172, or ""."""
    try:
        with open_image(image) as opened:
            comment = opened.info.get("comment", b"").decode("latin-1").strip("\0 ")
    except DataError:  # the readers say what is wrong
        return ""
    return comment if re.search(r"\d{6}", comment) else ""  # a date, not "No ID"


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


def _one_csv(folder: Path, split: str, ending: str) -> Path:
    """Return the csv of one set; its prefix differs from release to release."""
    pattern = f"*{split.capitalize()}ing*{ending}.csv"  # Training or Testing
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataError(f"{folder}: must hold one csv '{pattern}', found {len(found)}")
    return found[0]
