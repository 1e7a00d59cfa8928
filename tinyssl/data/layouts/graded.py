"""Data sets of graded eyes: APTOS 2019, and IDRiD in its three official parts.

IDRiD names no patients, but its JPEG files carry the date and number of a visit, which
stands for the patient; eight lie on both sides of the official split.
"""

import re

import numpy as np

from tinyssl.data.classes import RETINOPATHY
from tinyssl.data.decode import image_size, open_image
from tinyssl.data.files import find_image, list_images
from tinyssl.data.records import Record, build_table, read_csv
from tinyssl.data.table import DataError

IMAGES, TRUTH = "1. Original Images", "2. Groundtruths"
MASKS = "2. All Segmentation Groundtruths"
SETS = {"train": "a. Training Set", "test": "b. Testing Set"}
LESIONS = {"MA": "1. Microaneurysms", "HE": "2. Haemorrhages"}
LESIONS |= {"EX": "3. Hard Exudates", "SE": "4. Soft Exudates", "OD": "5. Optic Disc"}
POINTS = {"disc": "1. Optic Disc Center Location", "fovea": "2. Fovea Center Location"}
CAMERA_SIZE = np.array([2848, 4288])  # height, width; IDRiD's points are in its pixels


def read_aptos(root, *, skip_bad):
    """Read train.csv beside train_images/; test.csv may be absent, or unlabelled."""
    if not ((root / "train.csv").is_file() and (root / "train_images").is_dir()):
        return None
    parts = {"train": ("id_code", "diagnosis")}
    if (root / "test.csv").is_file() and (root / "test_images").is_dir():
        parts["test"] = ("id_code",)
    records = []
    for split, required in parts.items():
        for row in read_csv(root / f"{split}.csv", required=required):
            name, grade = row["id_code"], row.get("diagnosis", "")
            image = find_image(root / f"{split}_images", name)
            records.append(Record(name, image, grade, split=split))
    options = {"skip_bad": skip_bad, "class_names": RETINOPATHY}
    options["sheets"] = [root / f"{split}.csv" for split in parts]
    return build_table(records, layout="aptos", root=root, **options)


def read_idrid(root, *, skip_bad):
    """Read one part; of the root that of grading."""
    readers = {
        "B. Disease Grading": ("idrid-grading", _read_grading),
        "A. Segmentation": ("idrid-segmentation", _read_segmentation),
        "C. Localization": ("idrid-localization", _read_localization),
    }
    part = next((name for name in readers if (root / name).is_dir()), None)
    if part:
        root = root / part
    elif not (root / IMAGES).is_dir():
        return None
    elif (root / MASKS).is_dir():
        part = "A. Segmentation"
    elif any((root / TRUTH).glob("*Center Location")):
        part = "C. Localization"
    layout, read = readers[part or "B. Disease Grading"]
    folders = {split: root / IMAGES / name for split, name in SETS.items()}
    if not any(folder.is_dir() for folder in folders.values()):
        names = " or ".join(repr(name) for name in SETS.values())
        raise DataError(f"{root / IMAGES}: must hold {names}")
    records = []
    for split, folder in folders.items():
        for record in read(root, split, folder) if folder.is_dir() else ():
            record.name, record.split = f"{split}/{record.name}", split
            record.patient = _visit(record.image)
            records.append(record)
    options = {"skip_bad": skip_bad, "sheets": [*(root / TRUTH).rglob("*.csv")]}
    if layout == "idrid-grading":
        options["class_names"] = RETINOPATHY
    return build_table(records, layout=layout, root=root, **options)


def _read_grading(root, split, images):
    columns = ("image name", "retinopathy grade")
    for row in read_csv(_one_csv(root / TRUTH, split, "Labels"), required=columns):
        name, grade = (row[column] for column in columns)
        yield Record(name, find_image(images, name), grade)


def _read_segmentation(root, split, images):
    truth = root / MASKS / SETS[split]
    for image in list_images(images):
        paths = {m: truth / LESIONS[m] / f"{image.stem}_{m}.tif" for m in LESIONS}
        masks = {m: path for m, path in paths.items() if path.is_file()}
        yield Record(image.stem, image, masks=masks)


def _read_localization(root, split, images):
    lists = {k: _one_csv(root / TRUTH / POINTS[k], split, "Markups") for k in POINTS}
    places = {kind: _read_places(path) for kind, path in lists.items()}
    for name in sorted({name for column in places.values() for name in column}):
        record = Record(name, find_image(images, name))
        try:
            scale = np.array(image_size(record.image)) / CAMERA_SIZE
        except DataError as error:
            record.problem = str(error)
        else:
            found = [kind for kind in places if name in places[kind]]
            record.points = {kind: tuple(places[kind][name] * scale) for kind in found}
        yield record


def _visit(image):
    """Return a JPEG file's comment where it names a visit, such as 181120172, or ""."""
    try:
        with open_image(image) as opened:
            comment = opened.info.get("comment", b"").decode("latin-1").strip("\0 ")
    except DataError:  # the readers say what is wrong
        return ""
    return comment if re.search(r"\d{6}", comment) else ""  # a date, not "No ID"


def _read_places(path):
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


def _one_csv(folder, split, ending):
    """Return the csv of one set; its prefix differs from release to release."""
    pattern = f"*{split.capitalize()}ing*{ending}.csv"  # Training or Testing
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataError(f"{folder}: must hold one csv '{pattern}', found {len(found)}")
    return found[0]
