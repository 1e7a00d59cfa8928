"""Decoded images on disk: written whole or not at all, mapped when read."""

import json
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np

from tinyssl.data.table import Table

VERSION = 1  # raise it when the pixels that load_images returns change


def fingerprint(table: Table, *, size: int | None = None) -> str:
    """Return 64 hexadecimal digits that change with the images, or their `size`.

    Of files the paths, sizes and times of change count, of arrays the pixels.
    """
    digest = sha256(repr((VERSION, size, table.is_fundus)).encode())
    if isinstance(table.images, np.ndarray):
        digest.update(repr(table.images.shape).encode())
        digest.update(np.ascontiguousarray(table.images))
        return digest.hexdigest()
    regions = table.region or (None,) * len(table)
    for path in (*table.images, *regions):
        try:
            stat = path.stat() if path else None
            known = (stat.st_size, stat.st_mtime_ns) if stat else None
        except OSError:
            known = "missing"
        digest.update(repr((str(path), known)).encode())
    return digest.hexdigest()


def read_cache(stem: Path) -> tuple[np.ndarray, dict[int, str]] | None:
    """Return the cached images and why other rows were bad; None where not whole."""
    try:
        bad = json.loads(stem.with_suffix(".json").read_text())["bad"]
        images = np.load(stem.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, KeyError):
        return None
    return images, {int(i): reason for i, reason in bad.items()}


def write_cache(
    stem: Path,
    shape: tuple[int, int, int, int],
    decode_into: Callable[[np.ndarray], dict[int, str]],
) -> None:
    """Decode into files of other names, which get their own when they are whole."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=stem.parent) as part:
        notes, draft = Path(part) / "notes.json", Path(part) / "all.npy"
        images = np.lib.format.open_memmap(draft, "w+", np.uint8, shape)
        bad = decode_into(images)
        good = [i for i in range(len(images)) if i not in bad]
        if bad and good:
            for row, i in enumerate(good):  # by and by: there may be more than memory
                images[row] = images[i]
            draft = draft.with_name("good.npy")
            np.save(draft, images[: len(good)])
        images.flush()
        notes.write_text(json.dumps({"bad": bad}))
        notes.replace(stem.with_suffix(".json"))
        draft.replace(stem.with_suffix(".npy"))  # last: with it the cache is whole
