"""The run folder: what a job leaves on disk, always whole, and read back safely.

``config.json`` all settings, versions, seed and data; ``log.jsonl`` one row a step;
``checkpoint.pt`` what a killed job resumes from; ``encoder.pt`` what is carried on;
``results.json``; ``figures/``; ``report.html``.
"""

import hashlib
import json
import math
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from tinyssl import models
from tinyssl.data.copies import SIDE

REFUSALS = (ValueError, TypeError, FileNotFoundError, NotADirectoryError)
VERSIONS = ("tinyssl", "numpy", "scipy", "numba", "pillow", "torch")


def write_atomic(path: Path, write: Callable[[Path], Any]) -> None:
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


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON: nan and infinity become null."""
    text = json.dumps(plain(value), indent=1, allow_nan=False) + "\n"
    write_atomic(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def plain(value: Any) -> Any:
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


def claim(out: Path, settings: dict[str, Any], layout: dict[str, Any] | None = None):
    """Write config.json into a new run folder; refuse one that holds another run.

    ``layout`` (threads and the like) is recorded, but may differ.
    """
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
def claimed(out: Path, settings: dict, layout: dict | None = None) -> Iterator[None]:
    """Hold a run folder while a job runs; leave no trace of one that is refused.

    Else the corrected command would be refused too: the folder "holds a run" with the
    settings that were wrong. A folder that holds anything more stays as it is.
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


def read_config(run: Path) -> dict[str, Any]:
    """Read the ``config.json`` of a run folder; refuse any other folder."""
    path = Path(run) / "config.json"
    if not path.is_file():
        raise ValueError(f"{run} is not a run folder: it has no config.json")
    return json.loads(path.read_text(encoding="utf-8"))


# The data, by content


def content_hashes(items: Sequence[np.ndarray | Path]) -> list[str]:
    """Return a short hash of the bytes of each image file or array of pixels."""
    return [
        _hash(item.read_bytes() if isinstance(item, Path) else item.tobytes())
        for item in items
    ]


def fingerprint(images: Sequence[np.ndarray]) -> str:
    """Return one hash of a whole data set, in its order."""
    return _hash("".join(content_hashes(images)).encode())


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def save_thumbnails(path: Path, small: np.ndarray) -> None:
    """Save what a run has seen, as `tinyssl.data.copies.thumbnails` makes it."""

    def write(partial):
        with partial.open("wb") as file:
            np.save(file, small)

    write_atomic(path, write)


def load_thumbnails(path: Path) -> np.ndarray:
    """Load thumbnails; never runs code from the file."""
    try:
        small = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged: pretrain again") from error
    if small.shape[1:] != (SIDE, SIDE, 3):
        raise ValueError(
            f"{path} must hold thumbnails of {SIDE} x {SIDE} pixels, found shape "
            f"{small.shape}: pretrain again"
        )
    return small


# Checkpoints: a resumed run gives the numbers of one that never stopped


def save_checkpoint(
    task: nn.Module, optimizer: Optimizer, out: Path, settings: dict, rows: list[dict]
) -> None:
    """Save all that a later process needs to go on as if nothing had happened."""
    state = {"settings": settings, "task": task.state_dict(), "rows": rows}
    state |= {"optimizer": optimizer.state_dict()}
    log = "".join(json.dumps(row) + "\n" for row in rows)
    save_state(out / "checkpoint.pt", state)
    write_atomic(out / "log.jsonl", lambda path: path.write_text(log))


def load_checkpoint(
    task: nn.Module, optimizer: Optimizer, out: Path | None, settings: dict
) -> list[dict]:
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


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save tensors and plain values atomically."""
    write_atomic(path, lambda partial: torch.save(state, partial))


def load_plain(path: Path) -> dict[str, Any]:
    """Load tensors and plain values; refuse any other file, and never run its code."""
    if not Path(path).is_file():
        raise ValueError(f"no such file: {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        text = f"{path} is not a file of plain weights: damaged, or it holds code"
        raise ValueError(text) from error


# Encoders: what pretraining hands to the target tasks


def save_encoder(
    path: Path, encoder: nn.Module, *, task: str, seen: Sequence[str]
) -> None:
    """Save weights, the plain configuration that rebuilds them, and what they saw."""
    state = {"config": encoder.config, "task": task, "seen": list(seen)}
    weights = {name: value.cpu() for name, value in encoder.state_dict().items()}
    save_state(path, state | {"state_dict": weights})


def load_encoder(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild a saved encoder; return it and the rest of what was saved."""
    state = load_plain(path)
    missing = {"config", "task", "seen", "state_dict"} - set(state)
    if missing:
        raise ValueError(f"{path} is not an encoder.pt: it lacks {sorted(missing)}")
    encoder = models.from_config(state["config"])
    own = {k: v.shape for k, v in encoder.state_dict().items()}
    found = {k: v.shape for k, v in state["state_dict"].items()}
    wrong = [name for name in own | found if own.get(name) != found.get(name)]
    if wrong:
        raise ValueError(
            f"{path} must hold the {len(own)} tensors of its encoder, {len(wrong)} are "
            f"missing, too many or of another shape: {', '.join(wrong[:3])}"
        )
    encoder.load_state_dict(state["state_dict"])
    return encoder, state
