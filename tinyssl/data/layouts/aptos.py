"""APTOS 2019: train.csv (id_code, diagnosis) beside train_images/."""

from pathlib import Path

from tinyssl.data.delimited import read_csv
from tinyssl.data.records import Record, build_table, find_image
from tinyssl.data.table import DataError, Table


def read_aptos(root: Path, *, skip_bad: bool) -> Table | None:
    """Read both parts; test.csv may be absent, and its rows are unlabelled."""
    if not (root / "train.csv").is_file():
        return None
    if not (root / "train_images").is_dir():
        raise DataError(
            f"{root}: has train.csv but no folder train_images; "
            "a list of images elsewhere must be called manifest.csv"
        )
    parts = {"train": ("id_code", "diagnosis")}
    if (root / "test.csv").is_file() and (root / "test_images").is_dir():
        parts["test"] = ("id_code",)
    records = [
        Record(
            name=row["id_code"],
            image=find_image(root / f"{split}_images", row["id_code"]),
            grade=row.get("diagnosis", ""),
            split=split,
        )
        for split, required in parts.items()
        for row in read_csv(root / f"{split}.csv", required=required)
    ]
    return build_table(records, layout="aptos", root=root, skip_bad=skip_bad)
