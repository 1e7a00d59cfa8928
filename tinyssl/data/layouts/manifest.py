"""manifest.csv: our own layout, which can say everything a Table holds."""

from pathlib import Path

import numpy as np

from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table
from tinyssl.data.table import DataError, Table

COLUMNS = ("image", "name", "grade", "patient", "eye", "split", "region")


def read_manifest(path: Path, *, skip_bad: bool) -> Table:
    """Read a manifest, whose paths are relative to its folder; never None."""
    rows = read_csv(path, required=("image",))
    if not rows:
        raise DataError(f"{path}: must have at least one row below its header")
    columns = [column for column in rows[0] if not column.startswith("mask:")]
    ends = [name[:-2] for name in columns if name.endswith("_y")]
    points = [name for name in ends if f"{name}_x" in columns]
    known = {*COLUMNS, *(f"{point}_{axis}" for point in points for axis in "yx")}
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise DataError(
            f"{path}: unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}, "
            "mask:NAME, and NAME_y with NAME_x"
        )
    root = path.parent
    records = [_record(row, root, points) for row in rows]
    return build_table(
        records, layout="manifest", root=root, skip_bad=skip_bad, is_fundus=None
    )


def _record(row: dict[str, str], root: Path, points: list[str]) -> Record:
    masks = {
        column.removeprefix("mask:"): root / cell
        for column, cell in row.items()
        if column.startswith("mask:") and cell
    }
    record = Record(
        name=row.get("name") or row["image"],
        image=root / row["image"],
        region=root / row["region"] if row.get("region") else None,
        masks=masks,
        **{name: row.get(name, "") for name in ("grade", "patient", "eye", "split")},
    )
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
