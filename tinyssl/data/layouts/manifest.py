"""manifest.csv: our own layout, which can say everything a Table holds."""

from pathlib import Path

import numpy as np

from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table
from tinyssl.data.table import DataError, Table

COLUMNS = ("image", "name", "grade", "patient", "eye", "split", "region")


def read_manifest(path: Path, *, skip_bad: bool) -> Table:
    """Return the table of a manifest; its paths are relative to its folder."""
    root = path.parent
    rows = read_csv(path, required=("image",))
    if not rows:
        raise DataError(f"{path}: must have at least one row below its header")
    points = _point_names(path, list(rows[0]))
    records = [_record(row, root, points) for row in rows]
    return build_table(
        records, layout="manifest", root=root, skip_bad=skip_bad, is_fundus=None
    )


def _record(row: dict[str, str], root: Path, points: list[str]) -> Record:
    """Return one row as a record."""
    masks = {
        column.removeprefix("mask:"): root / cell
        for column, cell in row.items()
        if column.startswith("mask:") and cell
    }
    places, problem = {}, ""
    for point in points:
        y, x = row[f"{point}_y"], row[f"{point}_x"]
        if y or x:
            try:
                places[point] = (float(y), float(x))
            except ValueError:
                places[point] = (np.inf, np.inf)
            if np.isinf(places[point]).any():
                problem = f"{point} must be two numbers or blank, found {y!r}, {x!r}"
    return Record(
        name=row.get("name") or row["image"],
        image=root / row["image"],
        grade=row.get("grade", ""),
        patient=row.get("patient", ""),
        eye=row.get("eye", ""),
        split=row.get("split", ""),
        masks=masks,
        region=root / row["region"] if row.get("region") else None,
        points=places,
        problem=problem,
    )


def _point_names(path: Path, columns: list[str]) -> list[str]:
    """Return the points that have a column _y and _x; refuse unknown columns."""
    points = [
        column[:-2]
        for column in columns
        if column.endswith("_y") and f"{column[:-2]}_x" in columns
    ]
    known = {*COLUMNS, *(f"{point}_{axis}" for point in points for axis in "yx")}
    unknown = [
        column
        for column in columns
        if column not in known and not column.startswith("mask:")
    ]
    if unknown:
        raise DataError(
            f"{path}: unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}, "
            "mask:NAME, and NAME_y with NAME_x"
        )
    return points
