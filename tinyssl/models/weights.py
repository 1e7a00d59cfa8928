"""Put a state_dict into a model, and say what fitted."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

# torchvision's names -> ours; before 2018 "norm1" was written "norm.1"
_TORCHVISION = (
    (r"\.(norm|conv)\.(\d)\.", r".\1\2."),
    (r"^features\.", ""),
    (r"^(conv|norm)0\.", r"stem.\1."),
    (r"^norm5\.", r"norm."),
    (
        r"^denseblock(\d+)\.denselayer(\d+)\.",
        lambda m: f"blocks.{int(m[1]) - 1}.{int(m[2]) - 1}.",
    ),
    (r"^transition(\d+)\.", lambda m: f"transitions.{int(m[1]) - 1}."),
)
HEADS = ("head.", "classifier.", "adaptation.")  # of a size for each task


@dataclass(frozen=True)
class LoadReport:
    """What `load_weights` did, by tensor name; ``str`` of it is one line."""

    matched: tuple[str, ...]  # copied into the model
    missing: tuple[str, ...]  # of the model, which kept their values
    left_over: tuple[str, ...]  # given, not used: unknown names, or another shape
    changed: tuple[str, ...] = ()  # what was done to names and values to fit, in words

    def __str__(self) -> str:
        parts = [f"matched {len(self.matched)} tensors"]
        for label, names in (("missing", self.missing), ("left over", self.left_over)):
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            parts.append(f"{label} {len(names)}" + (f" ({shown})" if names else ""))
        return "; ".join([*parts, *self.changed])


def load_weights(model: nn.Module, state_dict: dict[str, torch.Tensor]) -> LoadReport:
    """Copy every tensor whose name and shape fit into the model.

    A head for another number of classes does not fit: it counts as left over, and the
    model's own stays as it was drawn. Kernels that see red, green and blue are summed
    for a model that sees grey: so it answers as they do to a grey image in colour. A
    ValueError, and an unchanged model, if a tensor is not finite, or another of the
    model is missing; BatchNorm's step counters may, old weights lack them.

    Examples
    --------
    >>> model = nn.Linear(2, 3)
    >>> print(load_weights(model, {"weight": torch.ones(3, 2), "bias": torch.ones(3)}))
    matched 2 tensors; missing 0; left over 0
    """
    own, given, changed = model.state_dict(), dict(state_dict), []
    for name, tensor in given.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"weights must be finite, found nan or infinity in {name}")
        wanted = own[name].shape if name in own else ()
        if tensor.shape[1:2] == (3,) and wanted == (len(tensor), 1, *tensor.shape[2:]):
            given[name] = tensor.sum(1, keepdim=True)
            changed.append(f"{name}: summed over red, green and blue")
    fits = {k: t for k, t in given.items() if k in own and own[k].shape == t.shape}
    missing = tuple(name for name in own if name not in fits)
    left_over = tuple(name for name in given if name not in fits)
    report = LoadReport(tuple(fits), missing, left_over, tuple(changed))
    optional = ("num_batches_tracked",)
    lacking = [n for n in missing if not (n.startswith(HEADS) or n.endswith(optional))]
    if lacking:  # it is not the same network, or not whole
        rule = f"weights must hold all {len(own)} tensors of the model but its head"
        raise ValueError(f"{rule}, found {len(lacking)} missing: {report}")
    model.load_state_dict(fits, strict=False)
    return report


def load_torchvision(model: nn.Module, path: str | Path) -> LoadReport:
    """Load a file of DenseNet weights as torchvision or tinyssl names them.

    As `load_weights`, of a file that ``torch.save`` wrote; it runs no code. Old names
    are read too, names with a prefix ("module.", "backbone.", ...), and a state_dict
    in a dict ("state_dict", "model", ...). A FileNotFoundError if there is no file, a
    ValueError if it holds anything else, or more than one network.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file of weights at {path}")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load's kinds of failure are not documented
        rule = "damaged, or more than tensors: save model.state_dict() alone"
        raise ValueError(f"{path} is not a file of plain weights, {rule}") from error
    try:
        tensors, changed = _unwrap(loaded, first=next(iter(model.state_dict())))
        report = load_weights(model, tensors)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return replace(report, changed=(*changed, *report.changed))


def _unwrap(loaded, first):
    """Return the tensors of the one network in a file by our names, and what it took.

    ``first`` is the model's first tensor: where that is, by any name, is a network.
    """
    ends = "|".join(map(re.escape, (first, "features.conv0.weight", "conv0.weight")))
    found = [*_networks(loaded, re.compile(rf"(|.*?\.)({ends})"), ())]
    if len(found) > 1:
        names = " and ".join(".".join((*keys, prefix)) for keys, prefix, _ in found)
        raise ValueError(f"must hold one network, found {names}: save one of them")
    keys, prefix, tensors = found[0] if found else ((), "", loaded)
    entries = tensors.items() if isinstance(tensors, dict) else [(None, None)]
    if not all(isinstance(n, str) and isinstance(t, torch.Tensor) for n, t in entries):
        kind = type(loaded).__name__
        raise ValueError(f"must hold a state_dict (names to tensors), found {kind}")
    changed = [f"taken from {'.'.join(keys)}"] if keys else []
    changed += [f"without the prefix {prefix}"] if prefix else []
    return {_rename(n.removeprefix(prefix)): t for n, t in entries}, changed


def _networks(found, first, keys):
    """Yield where each network lies in nested dicts, its prefix, and its dict."""
    if isinstance(found, dict):
        matches = (first.fullmatch(name) for name in found if isinstance(name, str))
        for prefix in sorted({match[1] for match in matches if match}):
            yield keys, prefix, found
        for name, inner in found.items():
            yield from _networks(inner, first, (*keys, str(name)))


def _rename(name):
    for pattern, ours in _TORCHVISION:
        name = re.sub(pattern, ours, name)
    return name
