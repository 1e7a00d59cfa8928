"""Lists of images: manifest.csv, which says everything, and a csv of labels.

A csv of labels may have any name, and columns as challenges call them. Its images may
lack suffix and folder; where all are like 10_left, that is the left eye of patient 10.
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from tinyssl.data.classes import in_order
from tinyssl.data.files import images_below, stem_of, suffix_of
from tinyssl.data.layouts.pairs import MASKS, words_of
from tinyssl.data.records import Record, build_table, read_csv
from tinyssl.data.table import DataError

COLUMNS = ("image", "name", "grade", "class", "patient", "eye", "split", "region")
COLUMNS += ("report",)
# Other names of image and grade, the first found counts; and of patient
IMAGE = ("image", "image_path", "path", "filename", "file_name", "file", "image_name")
IMAGE += ("image_id", "id_code", "img", "name", "id")
LABEL = ("grade", "class", "level", "diagnosis", "label", "labels", "category", "dx")
LABEL += ("target", "retinopathy_grade", "dr_grade", "adjudicated_dr_grade")
PATIENT = ("patient", "patient_id", "patientid", "subject", "subject_id")
SHEETS = (".xlsx", ".xls", ".ods")
TEXTS = ("grade", "patient", "eye", "split", "report")
EYE = r"(.+?)[\s_-](left|right|l|r|os|od)"


def refuse_sheet(path):
    """Raise the DataError that says what to do with a spreadsheet."""
    rule = "is a spreadsheet, which is not read: save its sheet as csv (UTF-8)"
    raise DataError(f"{path}: {rule} beside the images")


def read_lists(root, *, skip_bad):
    """Read the one csv of labels of a folder, whatever it is called."""
    shown = [p for p in sorted(root.iterdir()) if not p.name.startswith(".")]
    lists = [path for path in shown if suffix_of(path) == ".csv" and _is_list(path)]
    if len(lists) > 1:
        names = ", ".join(path.name for path in lists)
        rule = "must hold one csv of labels, or a manifest.csv"
        raise DataError(f"{root}: {rule}, found {names}; give the one to use")
    return read_list(lists[0], skip_bad=skip_bad) if lists else None


def read_list(path, *, skip_bad):
    """Read a csv, whose paths are relative to its folder; never None."""
    strict = path.name.lower() == "manifest.csv"
    rows = read_csv(path, required=("image",) if strict else ())
    if not rows:
        raise DataError(f"{path}: must have at least one row below its header")
    rows = rows if strict else _renamed(path, rows)
    columns = [column for column in rows[0] if not column.startswith("mask:")]
    ends = [column[:-2] for column in columns if column.endswith("_y")]
    points = [name for name in ends if f"{name}_x" in columns]
    known = {*COLUMNS, *(f"{point}_{axis}" for point in points for axis in "yx")}
    unknown = [column for column in columns if column not in known]
    if unknown and (strict or not {"grade", "class"} & {*columns}):
        rule = f"known are {', '.join(COLUMNS)}, mask:NAME, and NAME_y with NAME_x"
        raise DataError(f"{path}: unknown column {unknown[0]!r}; {rule}")
    root = path.parent
    find = (lambda name: (root / name, "")) if strict else _finder(root)
    classes = _name_classes(path, rows)
    records = [_record(row, root, find, points) for row in rows]
    matches = [re.fullmatch(EYE, stem_of(Path(r.name)), re.IGNORECASE) for r in records]
    if not strict and not {"patient", "eye"} & {*columns} and all(matches):
        for record, match in zip(records, matches, strict=True):
            record.patient, record.eye = match.groups()
    options = {"sheets": [path], "unused": [f"column {name}" for name in unknown]}
    options |= {"layout": "manifest" if strict else "csv", "is_fundus": None}
    return build_table(records, root=root, skip_bad=skip_bad, **options, **classes)


def _is_list(path):
    rows = read_csv(path, required=())[:1]
    columns = {_plain(column) for row in rows for column in row}
    return bool(columns & {*IMAGE} and columns & {*LABEL})


def _plain(column):
    return re.sub(r"[\s-]+", "_", column)


def _renamed(path, rows):
    """Return rows whose columns are called as those of a manifest."""
    columns = {_plain(column): column for column in rows[0]}
    new = {}
    for ours, theirs in (("image", IMAGE), ("grade", LABEL), ("patient", PATIENT)):
        found = [name for name in theirs if name in columns]
        if ours == "grade" and len(found) > 1 and {*found} != {"grade", "class"}:
            rule = f"must have one column of labels, found {', '.join(found)}"
            raise DataError(f"{path}: {rule}; or give a manifest.csv")
        if found and found != ["class"]:
            new[columns[found[0]]] = ours
    if "image" not in new.values():
        rule = f"must have a column of images ({', '.join(IMAGE)})"
        raise DataError(f"{path}: {rule}, found {', '.join(rows[0])}")
    return [{new.get(name, name): cell for name, cell in row.items()} for row in rows]


def _finder(root):
    """Return a function of a name: the image, which may lie below, and a problem."""
    places = defaultdict(list)
    for image in images_below(root):
        inner = image.relative_to(root)
        if not any(words_of(folder) & MASKS for folder in inner.parents):
            below = (inner.parent / stem_of(image)).as_posix()
            for word in {image.name, stem_of(image), below}:
                places[word].append(image)

    def find(name):
        direct = root / name
        found = [] if direct.is_file() else places.get(name, [])
        if len(found) < 2:
            return (found or [direct])[0], ""
        names = ", ".join(image.relative_to(root).as_posix() for image in found)
        return direct, f"must be one image, found {names}"

    return find


def _name_classes(path, rows):
    """Turn names of classes into grades, in place; return their names and order."""
    texts = {row.get("grade", "") for row in rows} - {""}
    names = {row.get("class", "") for row in rows} - {""}
    if texts and names:  # the list itself says which grade has which name
        pairs = {(row["grade"], row["class"]) for row in rows if row["class"]}
        grades = dict(sorted(pairs))
        whole = all(re.fullmatch(r"\d{1,2}", grade) for grade in grades)
        if not whole or not len(grades) == len({*grades.values()}) == len(pairs):
            found = ", ".join(f"{grade}: {name}" for grade, name in sorted(pairs)[:9])
            rule = "a grade must be an integer and have one class, a class one grade"
            raise DataError(f"{path}: {rule}, found {found}")
        named = {int(grade): name for grade, name in grades.items()}
        found = tuple(named.get(k, str(k)) for k in range(max(named) + 1))
        return {"class_names": found}
    for row in rows if names else ():
        row["grade"] = row["class"]
    texts |= names
    if not texts or any(map(_is_number, texts)):
        return {}
    found, ordered = in_order(texts)
    for row in rows:
        row["grade"] = found.index(row["grade"]) if row["grade"] else ""
    return {"class_names": found, "ordered": ordered}


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _record(row, root, find, points):
    image, problem = find(row["image"])
    record = Record(
        row.get("name") or row["image"],
        image,
        region=root / row["region"] if row.get("region") else None,
        problem=problem if row["image"] else "",
        **{name: row.get(name, "") for name in TEXTS},
    )
    for column, cell in row.items():
        if column.startswith("mask:") and cell:
            record.masks[column.removeprefix("mask:")] = root / cell
    for point in points:
        y, x = row[f"{point}_y"], row[f"{point}_x"]
        if y or x:
            numbers = [float(text) if _is_number(text) else np.inf for text in (y, x)]
            record.points[point] = tuple(numbers)
            if np.isinf(numbers).any():
                rule = "must be two numbers or blank"
                record.problem = f"{point} {rule}, found {y!r}, {x!r}"
    return record
