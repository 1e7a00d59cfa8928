"""Put a state_dict into a model, and say what fitted."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

# torchvision's names -> ours; before 2018 "norm1" was written "norm.1"
_TORCHVISION = (
    (r"\.(norm|conv)\.(\d)\.", r".\1\2."),
    (r"^features\.(conv|norm)0\.", r"stem.\1."),
    (r"^features\.norm5\.", r"norm."),
    (
        r"^features\.denseblock(\d+)\.denselayer(\d+)\.",
        lambda m: f"blocks.{int(m[1]) - 1}.{int(m[2]) - 1}.",
    ),
    (r"^features\.transition(\d+)\.", lambda m: f"transitions.{int(m[1]) - 1}."),
)


@dataclass(frozen=True)
class LoadReport:
    """What `load_weights` did, by tensor name; ``str`` of it is one line."""

    matched: tuple[str, ...]  # copied into the model
    missing: tuple[str, ...]  # of the model, which kept their values
    left_over: tuple[str, ...]  # given, not used: unknown names, or another shape

    def __str__(self) -> str:
        parts = [f"matched {len(self.matched)} tensors"]
        for label, names in (("missing", self.missing), ("left over", self.left_over)):
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            parts.append(f"{label} {len(names)}" + (f" ({shown})" if names else ""))
        return "; ".join(parts)


def load_weights(model: nn.Module, state_dict: dict[str, torch.Tensor]) -> LoadReport:
    """Copy every tensor whose name and shape fit into the model.

    A head for another number of classes does not fit: it counts as left over, and the
    model's own stays as it was drawn. A ValueError, and an unchanged model, if less
    than 90 % of its tensors match, not counting BatchNorm's step counters: old weights
    lack them.

    Examples
    --------
    >>> model = nn.Linear(2, 3)
    >>> print(load_weights(model, {"weight": torch.ones(3, 2), "bias": torch.ones(3)}))
    matched 2 tensors; missing 0; left over 0
    """
    own = model.state_dict()
    known = {name: tensor for name, tensor in state_dict.items() if name in own}
    fits = {name: t for name, t in known.items() if own[name].shape == t.shape}
    missing = tuple(name for name in own if name not in fits)
    left_over = tuple(name for name in state_dict if name not in fits)
    report = LoadReport(tuple(fits), missing, left_over)
    counted = [name for name in own if not name.endswith("num_batches_tracked")]
    share = sum(name in fits for name in counted) / max(len(counted), 1)
    if share < 0.9:  # it is not the same network
        rule = "weights must match at least 90 % of the model's tensors"
        raise ValueError(f"{rule}, found {share:.0%}: {report}")
    model.load_state_dict(fits, strict=False)
    return report


def load_torchvision(model: nn.Module, path: str | Path) -> LoadReport:
    """Load a file of torchvision's DenseNet weights, old or new names.

    As `load_weights`, of a file that ``torch.save(state_dict)`` wrote; it runs no code.
    A FileNotFoundError if there is none, a ValueError if it holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of weights at {path}")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load's kinds of failure are not documented
        raise ValueError(f"{path} is not a file of plain weights") from error
    entries = loaded.items() if isinstance(loaded, dict) else [(None, None)]
    if not all(isinstance(n, str) and isinstance(t, torch.Tensor) for n, t in entries):
        rule = "must hold a state_dict (names to tensors)"
        raise ValueError(f"{path} {rule}, found {type(loaded).__name__}")
    return load_weights(model, {_rename(name): tensor for name, tensor in entries})


def _rename(name):
    for pattern, ours in _TORCHVISION:
        name = re.sub(pattern, ours, name)
    return name
