"""Decoded images kept in a folder: whole and checked, or decoded again.

Many processes may share it. One that dies leaves a folder that the next sweeps away.
"""

import json
import os
import platform
import shutil
import tempfile
import zlib
from contextlib import closing
from math import prod
from pathlib import Path

import numpy as np

from tinyssl.data.table import DataError

PART = f".part-{platform.node()}-"  # and the process
BLOCK = 1024  # images that are checked at once, so that an interrupt need not wait


def cached(stem, shape, decode):
    """Return the images kept under a path without suffix, and why other rows are bad.

    They are uint8, mapped read-only; `shape` counts the bad rows too. Where they are
    not there whole, ``decode()`` yields each or its DataError.
    """
    for part in stem.parent.glob(f"{PART}*"):
        if not is_running(part.name.split("-")[-2]):
            shutil.rmtree(part, ignore_errors=True)
    for _ in range(3):  # another process may have replaced one of the two files
        if found := _read(stem, shape):
            return found
        _write(stem, shape, decode)
    raise DataError(f"{stem}.npy: is altered by others while it is written")


def is_running(process):
    """Return whether a process of this machine, by its number as text, may run."""
    if os.name == "posix" and process.isdecimal():
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return False
        except OSError:  # it is another user's
            pass
    return True  # or not known


def _read(stem, shape):
    """Return what `cached` does; None where it is missing or damaged."""
    try:
        notes = json.loads(stem.with_suffix(".json").read_text())
        bad = {int(i): reason for i, reason in notes["bad"].items()}
        images = np.lib.format.open_memmap(stem.with_suffix(".npy"), mode="r")
        crc = 0
        for first in range(0, len(images), BLOCK):
            crc = zlib.crc32(images[first : first + BLOCK], crc)
        crc = zlib.crc32(json.dumps(notes["bad"]).encode(), crc)
        good = (shape[0] - len(bad), *shape[1:])
        whole = (images.shape, images.dtype, crc) == (good, np.uint8, notes["crc32"])
    except Exception:  # damage may raise anything
        return None
    return (images, bad) if whole else None


def _write(stem, shape, decode):
    """Decode into files of other names, which get their own when they are whole."""
    folder, need, bad = stem.parent, prod(shape), {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if need > (free := shutil.disk_usage(folder).free):
            raise OSError(0, f"{free:,} are free")  # before the work
        prefix = f"{PART}{os.getpid()}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as part:
            notes, draft = Path(part) / "notes.json", Path(part) / "all.npy"
            with draft.open("wb") as file, closing(decode()) as rows:
                _write_header(file, shape)
                crc = 0
                for i, row in enumerate(rows):  # written plainly: a full disk is told
                    if isinstance(row, DataError):
                        bad[str(i)] = str(row)
                    else:
                        file.write(row)
                        crc = zlib.crc32(row, crc)
                file.seek(0)
                _write_header(file, (shape[0] - len(bad), *shape[1:]))  # as long
            crc = zlib.crc32(json.dumps(bad).encode(), crc)
            notes.write_text(json.dumps({"bad": bad, "crc32": crc}))
            notes.replace(stem.with_suffix(".json"))
            draft.replace(stem.with_suffix(".npy"))  # last: with it the cache is whole
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"{folder}: cannot keep {need:,} bytes ({why})") from None


def _write_header(file, shape):
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
