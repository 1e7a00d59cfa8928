"""Files: written whole or not at all, of plain values, and refused if damaged."""

import csv
import errno
import io
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import torch

from tinyssl import ranks
from tinyssl.data.cache import is_running

# What a system says where there is no room: a disk, a quota, a limit of one file
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DAMAGED = "is damaged: give the folder back its own, or delete it to make it again"


def write_atomic(path, write):
    """Write beside the target, flush, then rename: a kill leaves old or new.

    An OSError that names the file and the free space where there is no room.
    """
    if ranks.rank():  # the first writes for all
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        raise no_room(path, error) or error from None
    finally:
        partial.unlink(missing_ok=True)


def partial_of(path):
    """Return the name of a file until it is whole, with the process that writes it."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def no_room(path, error):
    """Return what to raise where an error says that a file has no room, else None."""
    # torch raises its own error, in whose context the system's is
    cause = error if isinstance(error, OSError) else error.__context__
    if getattr(cause, "errno", None) not in FULL:
        return None
    free, reason = shutil.disk_usage(path.parent).free, os.strerror(cause.errno)
    return OSError(
        f"{path} could not be written ({reason}; {free / 2**20:,.0f} MiB free): what "
        "was saved before is kept, and the same command goes on once there is room"
    )


def free_name(stem, taken):
    """Return a stem, numbered where it is taken, and take it."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def sweep(folder):
    """Delete what writers that are no longer alive have left half done."""
    for path in [*folder.rglob(".*.partial")]:
        writer = path.name.split(".")[-2]
        if not is_running(writer):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def plain(value, *, keys=str):
    """Turn NumPy values, paths and tuples into what JSON knows; nan becomes None."""
    if isinstance(value, dict):
        return {keys(key): plain(item, keys=keys) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, keys=keys) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), keys=keys)
    if isinstance(value, np.generic):
        return plain(value.item(), keys=keys)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def write_json(path, value):
    """Write strict JSON: nan and infinity become null."""
    write_text(path, json.dumps(plain(value), indent=1, allow_nan=False) + "\n")


def write_text(path, text):
    r"""Write UTF-8; a byte of a file's name that is none becomes \udc.., as in JSON."""
    content = text.encode("utf-8", errors="backslashreplace")
    write_atomic(path, lambda partial: partial.write_bytes(content))


def as_csv(rows):
    """Write rows as the text of a .csv file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read_json(path, *names):
    """Read a JSON object that has these names; a ValueError if it is anything else."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no JSON, it {DAMAGED}") from error
    refuse_lacking(path, found, names)
    return found


def refuse_lacking(path, found, names):
    """Refuse what was read from a file if it is no dict with all of these names."""
    if not isinstance(found, dict):
        rule = f"must hold names and values, found a {type(found).__name__}"
        raise ValueError(f"{path} {rule}; {DAMAGED}")
    if lacking := [name for name in names if name not in found]:
        raise ValueError(f"{path} lacks {', '.join(lacking)}; it {DAMAGED}")


def save_state(path, state):
    """Save tensors and plain values, which is all that `load_plain` takes, atomically.

    What is not a tensor is made plain as by `plain`, but keys may be numbers.
    """
    state = plain(state, keys=lambda key: key if type(key) is int else str(key))

    def write(partial):
        with partial.open("wb") as file:  # of a path, torch would hide why it failed
            torch.save(state, file)

    write_atomic(path, write)


def load_plain(path):
    """Load tensors and plain values; refuse any other file, and never run its code.

    A ValueError also names the first tensor that is not finite.
    """
    if not Path(path).is_file():
        raise ValueError(f"no such file: {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        text = f"{path} is not a file of plain weights: damaged, or it holds code"
        raise ValueError(text) from error
    if name := _not_finite(state):
        raise ValueError(f"{path} must hold finite numbers, found others in {name}")
    return state


def _not_finite(state, name="it"):
    """Return the name of the first tensor with nan or infinity, or None."""
    if isinstance(state, torch.Tensor):
        return None if torch.isfinite(state).all() else name
    if isinstance(state, (dict, list, tuple)):
        items = state.items() if isinstance(state, dict) else enumerate(state)
        names = (_not_finite(item, str(key)) for key, item in items)
        return next(filter(None, names), None)
    return None
