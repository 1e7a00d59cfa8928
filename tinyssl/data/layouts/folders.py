"""A user's own images: manifest.csv, or folders that are class-named, split, plain."""

import re

import numpy as np

from tinyssl.data.classes import in_order
from tinyssl.data.records import SPLITS, Record, build_table, list_images, read_csv
from tinyssl.data.table import DataError

COLUMNS = ("image", "name", "grade", "patient", "eye", "split", "region")


def read_manifest(path, *, skip_bad):
    """Read a manifest, whose paths are relative to its folder; never None."""
    rows = read_csv(path, required=("image",))
    if not rows:
        raise DataError(f"{path}: must have at least one row below its header")
    columns = [column for column in rows[0] if not column.startswith("mask:")]
    ends = [column[:-2] for column in columns if column.endswith("_y")]
    points = [name for name in ends if f"{name}_x" in columns]
    known = {*COLUMNS, *(f"{point}_{axis}" for point in points for axis in "yx")}
    unknown = [column for column in columns if column not in known]
    if unknown:
        rule = f"known are {', '.join(COLUMNS)}, mask:NAME, and NAME_y with NAME_x"
        raise DataError(f"{path}: unknown column {unknown[0]!r}; {rule}")
    root, options = path.parent, {"skip_bad": skip_bad, "is_fundus": None}
    records = [_manifest_record(row, root, points) for row in rows]
    return build_table(records, layout="manifest", root=root, **options)


def _manifest_record(row, root, points):
    record = Record(
        name=row.get("name") or row["image"],
        image=root / row["image"],
        region=root / row["region"] if row.get("region") else None,
        **{name: row.get(name, "") for name in ("grade", "patient", "eye", "split")},
    )
    for column, cell in row.items():
        if column.startswith("mask:") and cell:
            record.masks[column.removeprefix("mask:")] = root / cell
    for point in points:
        y, x = row[f"{point}_y"], row[f"{point}_x"]
        if y or x:
            try:
                record.points[point] = (float(y), float(x))
            except ValueError:
                record.points[point] = (np.inf, np.inf)
            if np.isinf(record.points[point]).any():
                rule = "must be two numbers or blank"
                record.problem = f"{point} {rule}, found {y!r}, {x!r}"
    return record


def read_folders(root, *, skip_bad):
    """Read a folder of images or of class-named folders, perhaps below train/, ..."""
    folders = _folders(root)
    with_images = [folder.name for folder in folders if list_images(folder)]
    if list_images(root) and len(with_images) > 1:
        rule = f"images and also folders of images ({', '.join(with_images[:5])})"
        raise DataError(f"{root}: holds {rule}; give one of them, or a manifest.csv")
    parts = {"": root}
    if not list_images(root):
        if folders and all(folder.name.lower() in SPLITS for folder in folders):
            parts = {folder.name: folder for folder in folders}
        elif not 1 < len(folders) == len(with_images):
            return None
    grades, ordered = _grades(parts.values())
    records = [
        Record(
            name=image.relative_to(root).as_posix(),
            image=image,
            grade=grades.get(folder.name, "") if folder != part else "",
            split=split,
        )
        for split, part in parts.items()
        for folder in ([part] if list_images(part) else _folders(part))
        for image in list_images(folder)
    ]
    if not records:
        return None
    names = {grade: name for name, grade in grades.items()}
    # "2" where no folder had grade 2
    found = tuple(names.get(k, str(k)) for k in range(max(names, default=-1) + 1))
    layout = "class-folders" if names else "images"
    options = {"class_names": found or None, "ordered": ordered, "is_fundus": None}
    return build_table(records, layout=layout, root=root, skip_bad=skip_bad, **options)


def _grades(parts):
    """Return each class's grade, its number or its place, and whether it is ordered."""
    classes = [f for part in parts if not list_images(part) for f in _folders(part)]
    names, ordered = in_order({folder.name for folder in classes})
    numbered = all(re.fullmatch(r"\d{1,2}", name) for name in names)
    grades = {n: int(n) if numbered else place for place, n in enumerate(names)}
    return grades, ordered


def _folders(root):
    shown = [path for path in root.iterdir() if not path.name.startswith((".", "__"))]
    return sorted(path for path in shown if path.is_dir())
