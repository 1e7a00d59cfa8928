"""Folders of images: class-named, split-named, both, or plain."""

import re
from pathlib import Path

from tinyssl.data.records import SPLITS, Record, build_table, list_images
from tinyssl.data.table import DataError, Table


def read_folders(root: Path, *, skip_bad: bool) -> Table | None:
    """Return the table of a folder of images or of class-named folders, or None.

    Classes are the folders in sorted order, by number where all are named so. Folders
    that are all named train, val or test are the split, and hold classes or images.
    """
    folders = _folders(root)
    with_images = [folder.name for folder in folders if list_images(folder)]
    if list_images(root):
        if len(with_images) > 1:
            raise DataError(
                f"{root}: holds images and also folders of images "
                f"({', '.join(with_images[:5])}); give one of them, or a manifest.csv"
            )
        return _build(root, {"": root}, skip_bad)
    if folders and all(folder.name.lower() in SPLITS for folder in folders):
        return _build(root, {folder.name: folder for folder in folders}, skip_bad)
    if len(folders) > 1 and len(with_images) == len(folders):
        return _build(root, {"": root}, skip_bad)
    return None


def _build(root: Path, splits: dict[str, Path], skip_bad: bool) -> Table | None:
    """Return the table of the classes (or plain images) in each split."""
    names = {
        folder.name
        for part in splits.values()
        if not list_images(part)
        for folder in _folders(part)
    }
    numbered = all(re.fullmatch(r"\d{1,2}", name) for name in names)
    class_names = sorted(names, key=int if numbered else str)
    grades = {
        name: int(name) if numbered else position
        for position, name in enumerate(class_names)
    }
    records = []
    for split, part in splits.items():
        for folder in [part] if list_images(part) else _folders(part):
            for image in list_images(folder):
                name = image.relative_to(root).as_posix()
                grade = grades.get(folder.name, "") if folder != part else ""
                records.append(Record(name, image, grade, split=split))
    if not records:
        return None
    return build_table(
        records,
        layout="class-folders" if class_names else "images",
        root=root,
        skip_bad=skip_bad,
        class_names=_names_by_grade(grades),
        is_fundus=None,
    )


def _folders(root: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones."""
    return sorted(
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__"))
    )


def _names_by_grade(grades: dict[str, int]) -> tuple[str, ...] | None:
    """Return the name of each grade from 0 up; "2" where no folder had grade 2."""
    if not grades:
        return None
    names = {grade: name for name, grade in grades.items()}
    return tuple(names.get(grade, str(grade)) for grade in range(max(names) + 1))
