"""Disordered and restored images as a data set of their own."""

import json
import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.compare.restored import open_networks, score_images
from tinyssl.data import load_masks, load_points
from tinyssl.data.images import round_mask
from tinyssl.files import as_csv, plain, write_text
from tinyssl.transforms import swap_patches

README = Path(__file__).with_name("exported.md")


def export_restored(s, key):
    """Do what `tinyssl.commands.export_restored` does: all is written, or nothing.

    ValueError if ``out`` is not empty, or the run does not restore swapped patches.
    """
    run, out, data = Path(s.run), Path(s.out), s.data
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out {out} must be a new or empty folder")
    networks = open_networks(run, data, skip_bad=s.skip_bad, device=s.device)
    task, table, images = networks.tasks[0], networks.table, networks.images
    data, table = key("data", data), key.table(table)
    if not networks.swapping:
        raise ValueError(f"{run} disorders images otherwise than by swapping patches")
    N, size = images.shape[:2]
    seen = int(N - networks.unseen.sum())
    s.log(f"{data}: {N} images, {seen} of them seen in pretraining")
    masks = {key: load_masks(table, key, size) for key in table.masks}
    points = {key: load_points(table, key, size) for key in table.points}
    names = [  # safe as a file, unique by number
        f"{i:0{len(str(N))}d}_{''.join(c if c.isalnum() else '-' for c in name)[-60:]}"
        for i, name in enumerate(table.names)
    ]
    facts = {"patch_size": task.patch_size, "seed": s.seed}
    with whole_folder(out) as folder:
        key.write(folder, shown=out)
        if table.is_fundus:
            save(folder / "field.png", round_mask(size))
        write, lines = partial(write_images, folder, table, names), []
        rows = write("original", images, masks, points)
        for draw in range(1, s.per_image + 1):
            found = networks.restore(np.arange(N), draw=draw, seed=s.seed)
            swap = partial(swap_patches, swaps=found.swaps, patch_size=task.patch_size)
            moved = {key: swap(some[..., None])[..., 0] for key, some in masks.items()}
            rows += write(f"disordered-{draw}", found.disordered, moved, {})
            rows += write(f"restored-{draw}", found.restored, masks, points)
            for i, scores in enumerate(score_images(found)):
                line = {"image": names[i], "source": table.names[i]} | facts
                line |= {"draw": draw, "number": i, "seen": not networks.unseen[i]}
                lines.append(line | {"swaps": found.swaps[i], "scores": scores})
        columns = dict.fromkeys(column for row in rows for column in row)
        for kind in ("", "original", "disordered", "restored"):
            some = [row for row in rows if row["name"].startswith(kind)]
            table = [columns, *([row.get(c, "") for c in columns] for row in some)]
            write_text(folder / f"{kind or 'manifest'}.csv", as_csv(table))
        text = "".join(json.dumps(plain(line)) + "\n" for line in lines)
        write_text(folder / "swaps.jsonl", text)
        known = {"count": N, "data": Path(data).name, "run": run.name, "size": size}
        known |= {"swaps": task.num_swaps, "patch": task.patch_size}
        text = README.read_text(encoding="utf-8").format(**known)
        write_text(folder / "README.md", text)
    notes = {"written": f"{len(rows)} images to {out}, manifest.csv among them"}
    if seen:
        notes["seen"] = f"{seen} source images were seen in pretraining: swaps.jsonl"
    results = {"command": "export-restored", "images": len(rows), "notes": notes}
    return results | {"lines": [f"{name}: {text}" for name, text in notes.items()]}


@contextmanager
def whole_folder(out):
    """Give a folder to write to, renamed at the end; nothing stays if that fails."""
    beside = out.with_name(f".{out.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if out.exists():
            out.rmdir()
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_images(folder, table, names, kind, images, masks, points):
    """Write one image of every row, with its masks; return rows of the manifest."""
    rows = []
    for i, name in enumerate(names):
        row = {"image": f"{kind}/{name}.png", "name": f"{kind}/{name}"}
        save(folder / row["image"], images[i])
        for column in ("grade", "eye", "split", "patient"):
            values = getattr(table, column)
            row[column] = "" if values is None or values[i] == -1 else values[i]
        row["patient"] = row["patient"] or f"image {table.names[i]}"
        row["region"] = "field.png" if table.is_fundus else ""
        for key, some in masks.items():
            if table.masks[key][i] is not None:
                row[f"mask:{key}"] = f"{kind}/{key}/{name}.png"
                save(folder / row[f"mask:{key}"], some[i])
        for key, places in points.items():
            if np.isfinite(places[i]).all():
                row[f"{key}_y"], row[f"{key}_x"] = places[i].round(3).tolist()
        rows.append(row)
    return rows


def save(path, image):
    """Write one image or mask as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
