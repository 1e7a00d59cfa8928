"""Folders of images: class-named, split-named, both, or plain."""

import re
from collections.abc import Iterable
from pathlib import Path

from tinyssl.data.records import SPLITS, Record, build_table, list_images
from tinyssl.data.table import DataError, Table


def read_folders(root: Path, *, skip_bad: bool) -> Table | None:
    """Read a folder of images or of class-named folders.

    Classes are the folders in sorted order, by number where all are named so. Folders
    that are all named train, val or test are the split, and hold classes or images.
    """
    folders = _folders(root)
    with_images = [folder.name for folder in folders if list_images(folder)]
    if list_images(root) and len(with_images) > 1:
        raise DataError(
            f"{root}: holds images and also folders of images "
            f"({', '.join(with_images[:5])}); give one of them, or a manifest.csv"
        )
    parts = {"": root}
    if not list_images(root):
        if folders and all(folder.name.lower() in SPLITS for folder in folders):
            parts = {folder.name: folder for folder in folders}
        elif not 1 < len(folders) == len(with_images):
            return None
    grades = _grades(parts.values())
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
    return build_table(
        records,
        layout="class-folders" if names else "images",
        root=root,
        skip_bad=skip_bad,
        class_names=found or None,
        is_fundus=None,
    )


def _grades(parts: Iterable[Path]) -> dict[str, int]:
    """Return the grade that each name of a class stands for."""
    classes = [f for part in parts if not list_images(part) for f in _folders(part)]
    names = sorted({folder.name for folder in classes})
    if all(re.fullmatch(r"\d{1,2}", name) for name in names):
        return {name: int(name) for name in names}
    return {name: position for position, name in enumerate(names)}


def _folders(root: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones."""
    return sorted(
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__"))
    )
