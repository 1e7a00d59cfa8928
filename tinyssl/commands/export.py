"""``tinyssl export-restored``: the generated images as a data set of its own."""

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tinyssl.commands.say import Say, silent

from tinyssl import runs
from tinyssl.commands.restored import Restorers, open_restorers, restore_all
from tinyssl.data import Table, load_masks, load_points
from tinyssl.data.images import round_mask
from tinyssl.downstream import restoration as quality
from tinyssl.transforms import swap_patches

README = """\
# Disordered and restored images

Made by `tinyssl export-restored` from {count} images of {data}: cropped, resized to
{size} px, {swaps} pairs of {patch} px patches swapped, put back by the network of
{run}. They are derived from those images: the licence of the originals holds for them,
and so does the duty to name their owners and the changes. Not for diagnosis.

- `original/`, `disordered-K/`, `restored-K/`: the images; one name, one eye.
- `manifest.csv`: all of them, for `tinyssl.data.open_dataset`; `original.csv`,
  `disordered.csv` and `restored.csv`: one kind each. Grade, eye and split are those of
  the source; so is the patient, or the source image where no patient is known: keep
  the images of one patient in one fold.
- `swaps.jsonl`: a line a disordered image: source, seed, swaps (y1, x1, y2, x2),
  scores, and `seen`: whether the network learned from this very image, whose
  restoration then flatters it. `swap_patches(image, swaps[::-1], patch_size)` undoes
  the disorder.
"""


def export_restored(
    run: Path,
    data: str | Path,
    *,
    out: Path,
    per_image: int = 1,
    skip_bad: bool = False,
    seed: int = 0,
    device: str = "auto",
    say: Say = silent,
) -> dict[str, Any]:
    """Write disordered and restored images with their manifest.

    Parameters
    ----------
    run : path
        Folder of ``pretrain --task restoration``.
    data : path
        See ``tinyssl.data.open_dataset``.
    out : path
        A new or empty folder. It is written beside and renamed: all or nothing.
    per_image : int
        Disordered versions of each image.
    skip_bad : bool
    seed : int
        Of the swaps.
    device : str
    say : callable

    Returns
    -------
    dict
        "images" written, and "notes".

    Raises
    ------
    ValueError
        If the folder is not empty or the run does not restore whole images.
    """
    out = Path(out)
    refuse_full(out)
    restorers = open_restorers(run, data, skip_bad=skip_bad, device=device)
    blind, first = restorers.blind(), next(iter(restorers.tasks))
    models = [first if name is None else name for name in blind]
    seen = [name is None for name in blind]
    say(f"{data}: {len(models)} images, {sum(seen)} of them seen in pretraining")
    task = restorers.tasks[first]
    with whole_folder(out) as folder:
        sheet = Sheet(folder, restorers)
        sheet.write_originals()
        everything = np.arange(len(models))
        lines = []
        for draw in range(1, per_image + 1):
            found = restore_all(restorers, models, everything, draw=draw, seed=seed)
            sheet.write_draw(found, draw, task.patch_size)
            facts = {"patch_size": task.patch_size, "seed": seed, "draw": draw}
            lines += log_lines(sheet.names, restorers.table, found, seen, facts)
        sheet.write_manifests()
        text = "".join(json.dumps(runs.plain(line)) + "\n" for line in lines)
        (folder / "swaps.jsonl").write_text(text, encoding="utf-8")
        words = {"count": len(models), "data": Path(data).name, "run": Path(run).name}
        words |= {"size": restorers.images.shape[1], "swaps": task.num_swaps}
        readme = README.format(**words, patch=task.patch_size)
        (folder / "README.md").write_text(readme, encoding="utf-8")
    count = len(sheet.rows)
    notes = {"written": f"{count} images to {out}, manifest.csv among them"}
    if any(seen):
        notes["seen"] = (
            f"{sum(seen)} source images were seen in pretraining: swaps.jsonl"
        )
    return {"command": "export-restored", "images": count, "notes": notes}


def refuse_full(out: Path) -> None:
    """Refuse a path that holds anything."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out {out} must be a new or empty folder")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write to, renamed at the end; nothing stays if that fails."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if out.exists():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class Sheet:
    """Writes images, masks and the rows of the manifest.

    Parameters
    ----------
    folder : path
    restorers : Restorers
        Its table says what is copied to each row.
    """

    def __init__(self, folder: Path, restorers: Restorers):
        self.folder, self.images = folder, restorers.images
        self.table, size = restorers.table, restorers.images.shape[1]
        digits = len(str(len(self.table)))
        self.names = [  # safe as a file, unique by number
            f"{i:0{digits}d}_{''.join(c if c.isalnum() else '-' for c in name)[-60:]}"
            for i, name in enumerate(self.table.names)
        ]
        self.masks = {k: load_masks(self.table, k, size) for k in self.table.masks}
        self.points = {k: load_points(self.table, k, size) for k in self.table.points}
        self.rows: list[dict[str, Any]] = []
        if self.table.is_fundus:
            save(folder / "field.png", round_mask(size))

    def write_originals(self) -> None:
        """Write the cropped and resized originals."""
        self.write("original", self.images, self.masks, self.points)

    def write_draw(self, found: quality.Restored, draw: int, patch_size: int) -> None:
        """Write one disordered and one restored version of every image."""
        moved = {
            name: swap_patches(masks[..., None], found.swaps, patch_size)[..., 0]
            for name, masks in self.masks.items()
        }
        self.write(f"disordered-{draw}", found.disordered, moved, {})
        self.write(f"restored-{draw}", found.restored, self.masks, self.points)

    def write(self, kind: str, images: np.ndarray, masks: dict, points: dict) -> None:
        """Write one image of every row, with its masks, and note the rows."""
        table = self.table
        for i, name in enumerate(self.names):
            row = {"image": f"{kind}/{name}.png", "name": f"{kind}/{name}"}
            save(self.folder / row["image"], images[i])
            row["grade"] = cell(table.grade, i)
            for column in ("eye", "split", "patient"):
                row[column] = cell(getattr(table, column), i)
            row["patient"] = row["patient"] or f"image {table.names[i]}"
            row["region"] = "field.png" if table.is_fundus else ""
            for key, values in masks.items():
                if table.masks[key][i] is not None:
                    row[f"mask:{key}"] = f"{kind}/{key}/{name}.png"
                    save(self.folder / row[f"mask:{key}"], values[i])
            for key, places in points.items():
                if np.isfinite(places[i]).all():
                    row[f"{key}_y"], row[f"{key}_x"] = places[i].round(3).tolist()
            self.rows.append(row)

    def write_manifests(self) -> None:
        """Write manifest.csv, and one file for each kind of image."""
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        for name in ("manifest", "original", "disordered", "restored"):
            path = self.folder / f"{name}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                for row in self.rows:
                    if name == "manifest" or row["name"].startswith(name):
                        writer.writerow(row)


def cell(column: np.ndarray | None, i: int) -> Any:
    """Return what is known of image i; blank where nothing is, or the grade is -1."""
    value = "" if column is None else column[i]
    return "" if value == -1 else value


def save(path: Path, image: np.ndarray) -> None:
    """Write one image or mask as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def log_lines(
    names: Sequence[str],
    table: Table,
    found: quality.Restored,
    seen: Sequence[bool],
    facts: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    """Yield for each disordered image how it was made and how well it came back."""
    for i, scores in enumerate(quality.score_images(found)):
        yield {
            "image": names[i],
            "source": table.names[i],
            **facts,
            "number": i,
            "seen": seen[i],
            "swaps": found.swaps[i],
            "scores": scores,
        }
