"""The run folder: what a job leaves on disk, always whole, and read back safely.

``config.json`` (settings, versions, seed, data), ``log.jsonl`` (a row a step),
``checkpoint.pt``, ``encoder.pt``, ``results.json``, ``figures/``, ``report.html``.
"""

import hashlib
import json
import platform
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from tinyssl import models, ranks
from tinyssl.data.copies import SIDE
from tinyssl.files import (  # offered here too
    load_plain,
    plain,
    read_json,
    refuse_lacking,
    save_state,
    sweep,
    write_atomic,
    write_json,
    write_text,
)

REFUSALS = (ValueError, TypeError, FileNotFoundError, NotADirectoryError)
VERSIONS = ("tinyssl", "numpy", "scipy", "numba", "pillow", "torch")


def refuse_foreign(out):
    """Refuse a folder that holds files but no run; hidden files do not count."""
    if not out.is_dir() or (out / "config.json").exists():
        return
    found = sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
    if found:
        raise ValueError(
            f"--out {out} must be a new or empty folder, or that of a run: it holds "
            f"{found[0]} and no config.json"
        )


def claim(out, settings, layout=None, growing=()):
    """Write config.json; refuse another run's folder, though `layout` may differ.

    The lists of settings named in `growing` may hold more than they did.
    """
    sweep(out)
    wanted = plain(settings)
    found = read_config(out) if (out / "config.json").exists() else wanted
    for name, value in wanted.items():
        was = found.get(name)
        if name in growing and isinstance(was, list) and all(x in value for x in was):
            continue
        if was != value:
            raise ValueError(
                f"--out {out} holds a run with {name}={was}, this one has "
                f"{name}={value}: give the same settings to resume it, or another --out"
            )
    versions = {name: metadata.version(name) for name in VERSIONS}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    settled = {"layout": layout or {}, "versions": versions}
    write_json(out / "config.json", wanted | settled)


@contextmanager
def claimed(out, settings, layout=None, growing=()):
    """Hold a run folder while a job runs; leave no trace of one that is refused.

    Else the folder "holds a run" with the wrong settings, and refuses the right ones.
    """
    if ranks.rank():  # the first claims it for all
        yield
        return
    refuse_foreign(out)
    there, config = set(out.iterdir()) if out.exists() else None, out / "config.json"
    before = config.read_bytes() if config.exists() else None
    claim(out, settings, layout, growing)
    try:
        yield
    except REFUSALS:
        if before is not None:
            write_atomic(config, lambda partial: partial.write_bytes(before))
        elif {config} == set(out.iterdir()) - (there or set()):
            config.unlink()
            if there is None:
                out.rmdir()
        raise


def read_config(run, *names):
    """Read a run folder's ``config.json``, which must have these names.

    A ValueError where there is none, or the file is damaged.
    """
    path = Path(run) / "config.json"
    if not path.is_file():
        raise ValueError(f"{run} is not a run folder: it has no config.json")
    return read_json(path, *names)


# Checkpoints: a resumed run gives the numbers of one that never stopped


def save_checkpoint(task, optimizer, out, settings, rows):
    """Save all that a later process needs to go on as if nothing had happened."""
    state = {"settings": settings, "task": task.state_dict(), "rows": rows}
    save_state(out / "checkpoint.pt", state | {"optimizer": optimizer.state_dict()})
    lines = [json.dumps(row, allow_nan=False) + "\n" for row in plain(rows)]
    write_text(out / "log.jsonl", "".join(lines))


def load_checkpoint(task, optimizer, out, settings):
    """Load the run's checkpoint where there is one; return the rows so far."""
    if out is None or not (out / "checkpoint.pt").exists():
        return []
    path = out / "checkpoint.pt"
    state = load_plain(path)
    refuse_lacking(path, state, ("settings", "task", "rows", "optimizer"))
    refuse_lacking(path, state["settings"], ())
    for name, value in settings.items():
        found = state["settings"].get(name)
        if found != value:
            raise ValueError(
                f"{path} was made with {name}={found}, this run has {name}={value}: "
                "give the same settings, or another --out"
            )
    fill(task, state["task"], path)
    try:
        optimizer.load_state_dict(state["optimizer"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds the optimizer of another run") from error
    return list(state["rows"])


def fill(module, tensors, path):
    """Load all tensors of a module, read from a file; refuse any others."""
    refuse_others(path, module.state_dict(), tensors)
    module.load_state_dict(tensors)
    return module


def refuse_others(path, own, found):
    """Refuse tensors of other names or shapes than those of a network."""
    refuse_lacking(path, found, ())
    own, found = ({k: shape(v) for k, v in some.items()} for some in (own, found))
    wrong = [name for name in own | found if own.get(name) != found.get(name)]
    if wrong:
        raise ValueError(
            f"{path} must hold the {len(own)} tensors of the network, {len(wrong)} are "
            f"missing, too many or of another shape: {', '.join(map(str, wrong[:3]))}"
        )


def shape(value):
    """Return the shape of a tensor; of anything else nothing that equals one."""
    return tuple(value.shape) if isinstance(value, torch.Tensor) else type(value)


# Encoders: what pretraining hands to the target tasks


def save_encoder(path, encoder, *, task, seen):
    """Save weights, the plain configuration that rebuilds them, and what they saw."""
    state = {"config": encoder.config, "task": task, "seen": list(seen)}
    weights = {name: value.cpu() for name, value in encoder.state_dict().items()}
    save_state(path, state | {"state_dict": weights})


def load_encoder(path):
    """Rebuild a saved encoder; return it and the rest of what was saved."""
    state = load_plain(path)
    refuse_lacking(path, state, ("config", "task", "seen", "state_dict"))
    try:
        encoder = models.from_config(state["config"])
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} describes no network: {error}") from error
    return fill(encoder, state["state_dict"], path), state


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
        with Path(path).open("rb") as file:
            small = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is missing or damaged: pretrain again") from error
    if small.shape[1:] != (SIDE, SIDE, 3) or small.dtype != np.uint8:
        rule = f"must hold thumbnails of {SIDE} x {SIDE} pixels, of bytes"
        found = f"shape {small.shape} of {small.dtype}"
        raise ValueError(f"{path} {rule}, found {found}: pretrain again")
    return small
