"""Checkpoints, encoders and weights of a run: all of a network, or a refusal."""

import json

import torch

from tinyssl import models
from tinyssl.files import load_plain, plain, refuse_lacking, save_state, write_text

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
