"""The run folder: what a job leaves on disk, always whole, and read back safely.

``config.json`` (settings, versions, seed, data), ``log.jsonl`` (a row a step),
``checkpoint.pt``, ``encoder.pt``, ``results.json``, ``figures/``, ``report.html``.
"""

import hashlib
import json
import math
import os
import platform
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from tinyssl import models
from tinyssl.data.copies import SIDE

REFUSALS = (ValueError, TypeError, FileNotFoundError, NotADirectoryError)
VERSIONS = ("tinyssl", "numpy", "scipy", "numba", "pillow", "torch")


def write_atomic(path, write):
    """Write beside the target, flush, then rename: a kill leaves old or new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path, value):
    """Write strict JSON: nan and infinity become null."""
    text = json.dumps(plain(value), indent=1, allow_nan=False) + "\n"
    write_atomic(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def plain(value):
    """Turn NumPy values, paths and tuples into what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def claim(out, settings, layout=None):
    """Write config.json; refuse another run's folder, though `layout` may differ."""
    wanted = plain(settings)
    found = read_config(out) if (out / "config.json").exists() else wanted
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ValueError(
                f"--out {out} holds a run with {name}={found.get(name)}, this one has "
                f"{name}={value}: give the same settings to resume it, or another --out"
            )
    versions = {name: metadata.version(name) for name in VERSIONS}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    settled = {"layout": layout or {}, "versions": versions}
    write_json(out / "config.json", wanted | settled)


@contextmanager
def claimed(out, settings, layout=None):
    """Hold a run folder while a job runs; leave no trace of one that is refused.

    Else the folder "holds a run" with the wrong settings, and refuses the right ones.
    """
    before, unclaimed = out.exists(), not (out / "config.json").exists()
    claim(out, settings, layout)
    try:
        yield
    except REFUSALS:
        if unclaimed and [path.name for path in out.iterdir()] == ["config.json"]:
            (out / "config.json").unlink()
            if not before:
                out.rmdir()
        raise


def read_config(run):
    """Read the ``config.json`` of a run folder; refuse any other folder."""
    path = Path(run) / "config.json"
    if not path.is_file():
        raise ValueError(f"{run} is not a run folder: it has no config.json")
    return json.loads(path.read_text(encoding="utf-8"))


# The data, by content


def content_hashes(items):
    """Return a short hash of the bytes of each image file or array of pixels."""
    files = (x.read_bytes if isinstance(x, Path) else x.tobytes for x in items)
    return [_hash(read()) for read in files]


def fingerprint(images):
    """Return one hash of a whole data set, in its order."""
    return _hash("".join(content_hashes(images)).encode())


def _hash(content):
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def save_thumbnails(path, small):
    """Save what a run has seen, as `tinyssl.data.copies.thumbnails` makes it."""

    def write(partial):
        with partial.open("wb") as file:
            np.save(file, small)

    write_atomic(path, write)


def load_thumbnails(path):
    """Load thumbnails; never runs code from the file."""
    try:
        small = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged: pretrain again") from error
    if small.shape[1:] != (SIDE, SIDE, 3):
        rule = f"must hold thumbnails of {SIDE} x {SIDE} pixels"
        raise ValueError(f"{path} {rule}, found shape {small.shape}: pretrain again")
    return small


# Checkpoints: a resumed run gives the numbers of one that never stopped


def save_checkpoint(task, optimizer, out, settings, rows):
    """Save all that a later process needs to go on as if nothing had happened."""
    state = {"settings": settings, "task": task.state_dict(), "rows": rows}
    state |= {"optimizer": optimizer.state_dict()}
    log = "".join(json.dumps(row) + "\n" for row in rows)
    save_state(out / "checkpoint.pt", state)
    write_atomic(out / "log.jsonl", lambda path: path.write_text(log))


def load_checkpoint(task, optimizer, out, settings):
    """Load the run's checkpoint where there is one; return the rows so far."""
    if out is None or not (out / "checkpoint.pt").exists():
        return []
    path = out / "checkpoint.pt"
    state = load_plain(path)
    for name, value in settings.items():
        found = state["settings"].get(name)
        if found != value:
            raise ValueError(
                f"{path} was made with {name}={found}, this run has {name}={value}: "
                "give the same settings, or another --out"
            )
    task.load_state_dict(state["task"])
    optimizer.load_state_dict(state["optimizer"])
    return state["rows"]


def save_state(path, state):
    """Save tensors and plain values atomically."""
    write_atomic(path, lambda partial: torch.save(state, partial))


def load_plain(path):
    """Load tensors and plain values; refuse any other file, and never run its code."""
    if not Path(path).is_file():
        raise ValueError(f"no such file: {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        text = f"{path} is not a file of plain weights: damaged, or it holds code"
        raise ValueError(text) from error


# Encoders: what pretraining hands to the target tasks


def save_encoder(path, encoder, *, task, seen):
    """Save weights, the plain configuration that rebuilds them, and what they saw."""
    state = {"config": encoder.config, "task": task, "seen": list(seen)}
    weights = {name: value.cpu() for name, value in encoder.state_dict().items()}
    save_state(path, state | {"state_dict": weights})


def load_encoder(path):
    """Rebuild a saved encoder; return it and the rest of what was saved."""
    state = load_plain(path)
    missing = {"config", "task", "seen", "state_dict"} - set(state)
    if missing:
        raise ValueError(f"{path} is not an encoder.pt: it lacks {sorted(missing)}")
    encoder = models.from_config(state["config"])
    refuse_others(path, encoder.state_dict(), state["state_dict"])
    encoder.load_state_dict(state["state_dict"])
    return encoder, state


def refuse_others(path, own, found):
    """Refuse tensors of other names or shapes than those of an encoder."""
    own, found = ({k: v.shape for k, v in some.items()} for some in (own, found))
    wrong = [name for name in own | found if own.get(name) != found.get(name)]
    if wrong:
        raise ValueError(
            f"{path} must hold the {len(own)} tensors of the encoder, {len(wrong)} are "
            f"missing, too many or of another shape: {', '.join(wrong[:3])}"
        )
