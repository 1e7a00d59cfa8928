"""APTOS 2019: train.csv (id_code, diagnosis) beside train_images/."""

from pathlib import Path

from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table, find_image
from tinyssl.data.table import DataError, Table


def read_aptos(root: Path, *, skip_bad: bool) -> Table | None:
    """Return APTOS's table, or None for another layout; test.csv may be absent."""
    if not (root / "train.csv").is_file():
        return None
    if not (root / "train_images").is_dir():
        raise DataError(
            f"{root}: has train.csv but no folder train_images; "
            "a list of images elsewhere must be called manifest.csv"
        )
    records = _read_part(root, "train", ("id_code", "diagnosis"))
    if (root / "test.csv").is_file() and (root / "test_images").is_dir():
        records += _read_part(root, "test", ("id_code",))
    return build_table(records, layout="aptos", root=root, skip_bad=skip_bad)


def _read_part(root: Path, split: str, required: tuple[str, ...]) -> list[Record]:
    """Return the rows of one csv; a test row without a diagnosis is unlabelled."""
    return [
        Record(
            name=row["id_code"],
            image=find_image(root / f"{split}_images", row["id_code"]),
            grade=row.get("diagnosis", ""),
            split=split,
        )
        for row in read_csv(root / f"{split}.csv", required=required)
    ]
