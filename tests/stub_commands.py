"""Commands of the form of `tinyssl.commands` that only tell what they were given."""

import builtins
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

Positive = Annotated[int, (1, None)]
Natural = Annotated[int, (0, None)]
Views = Annotated[int, (1, 8)]
Rate = Annotated[float, (0, 10)]
Percent = Annotated[float, (0, 100), "%"]
Count = Positive | Literal["all"]
Part = Literal["frozen", "encoder", "network"]
Wrong = Literal["ValueError", "FileNotFoundError", "KeyError", "KeyboardInterrupt"]

PRETEXTS = {"rotation": "rotation:Rotation", "restoration": "restoration:Restoration"}
TARGETS = {"grade": "grading:Grading", "mask": "masks:Masks"}
OWN = {  # annotation, default, text
    "rotation": {"hide_border": (bool, True, "Mask the `border`. It tells. Really.")},
    "restoration": {
        "num_swaps": (Positive, 10, "Pairs, 5 % of the image."),
        "patch_size": (Positive | None, None, "Side of a patch."),
    },
    "grade": {"head": (Literal["softmax", "cumulative"], "softmax", "Of the network.")},
    "mask": {"mask": (str, "vessel", "Which."), "views": (Views, 1, "Of a patch.")},
    "points": {},
    "strict": {"ratio": (float, inspect.Parameter.empty, "Share to hide.")},
}
asked = []  # whose options were asked for
calls = []  # what commands were called with


def told(settings):
    calls.append(settings)
    return settings


def options_of(name):
    asked.append(name)
    if name not in OWN:
        raise ValueError(f"must be one of {', '.join(OWN)}, found {name!r}")
    return OWN[name]


def demo(
    *,
    out: Path = Path("runs/demo"),
    seed: Natural = 0,
    workers: Positive | None = None,
    log=print,
):
    """Show the main job on synthetic eyes, with a report.

    Parameters
    ----------
    out : path
        Run folder; report.html in it is the page to open.
    seed : int
        Of everything that is drawn.
    workers : int, optional
        Processes; the cores where there is
        more than one job.

    Returns
    -------
    out : dict
        Not the text of --out.
    """
    log("half way")
    told(locals())
    return {"failed": seed, "out": out, "nan": float("nan"), "lines": ["one", "two"]}


def pretrain(
    data: str,
    *,
    task: str,
    encoder: str = "small",
    target: str = "grade",
    out: Path = Path("runs/pretrain"),
    **options,
):
    """Learn from images without labels.

    Parameters
    ----------
    data : path
        A data set; see below.
    task : name
        A pretext task: `stub_commands.PRETEXTS`.
    encoder : {"small", "unet"}
        The network. It is small. It is never shown whole.
    target
        Whose images.
    out
        As `demo`, and encoder.pt is in it.
    """
    return told(locals())


def finetune(data: str, *, target: str = "grade", **options):
    """Compare initialisations on the same labelled images.

    Parameters
    ----------
    data
        As `pretrain`.
    target : name
        What is to be learnt: `stub_commands.TARGETS`, or any mask of the data.
    """
    return told(locals())


def kinds(
    number: Natural,
    others: Sequence[str] = (),
    *,
    size: Positive | None = None,
    views: Views = 1,
    any_number: int = 7,
    lr: Rate = 3e-3,
    data_range: float | None = None,
    fractions: Sequence[Percent] = (0.05, 0.07, 1.0),
    images: Sequence[Count] | None = (1, 2, "all"),
    widths: Sequence[Positive] | None = None,
    device: Literal["auto", "cpu"] = "auto",
    transfer: Sequence[Part] = ("encoder",),
    init: Sequence[Path] = (),
    features: Sequence[str] = ("random", "encoder"),
    same_compute: bool = True,
    fast: bool = False,
):
    """Take one of every kind.

    Parameters
    ----------
    number, size, views, any_number, lr, data_range, fractions, images, widths, device
        Text of many.
    others, transfer, init, features
        More text, of 100 %.
    same_compute : bool
        Add the row.
    fast : bool
        At most 20 seconds.
    """
    return told(locals())


def grade(run: Path, images: Sequence[Path]):
    """Grade images with the models of a finetune run.

    Parameters
    ----------
    run, images : path
        Of finetune.
    """
    told(locals())
    return [{"image": image, "lines": [f"{image}: 2"]} for image in images]


def stop(error: Wrong, *, out: Path = Path("runs/stop")):
    """Leave a file in a run folder, then fail.

    Parameters
    ----------
    error : name
        With what.
    out
        As `demo`.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").touch()
    raise getattr(builtins, error)("no")


COMMANDS = {
    "demo": (demo, {}),
    "pretrain": (pretrain, {}),
    "finetune": (finetune, {}),
    "segment": (finetune, {"target": "mask", "views": 4}),
    "localize": (finetune, {"target": "points"}),
    "kinds": (kinds, {}),
    "grade": (grade, {}),
    "stop-early": (stop, {}),
}
OWN_OPTIONS = {"task": "stub_commands", "target": "stub_commands"}
EPILOG = """\
DATA is a folder or file, or for synthetic eyes toy[:N[:SIZE[:SEED]]].
"""
