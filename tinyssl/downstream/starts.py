"""What a comparison starts from: pretraining runs, and what they hand over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyssl import runs


@dataclass(frozen=True)
class Start:
    """A run folder of pretraining, and which part of it is carried over."""

    run: Path
    transfer: str = "encoder"

    @property
    def encoder(self) -> Path:
        """The weights that the run has left."""
        return self.run / "encoder.pt"


def name_starts(inits: Iterable[Path], transfer: Sequence[str]) -> dict[str, Start]:
    """Name each start by its pretext task, and by whether its decoder comes too.

    Parameters
    ----------
    inits : iterable of paths
        Run folders of ``pretrain``.
    transfer : sequence of {"encoder", "network"}
        With both, each start that has a decoder stands twice. Rotation has none.

    Raises
    ------
    ValueError
        If two runs are of one task.
    """
    starts: dict[str, Start] = {}
    for run in map(Path, inits):
        task = runs.read_config(run)["task"]
        parts = [p for p in transfer if task != "rotation" or p == "encoder"]
        for part in parts or ["encoder"]:
            name = task if part == "encoder" else f"{task}, with decoder"
            if name in starts:
                raise ValueError(f"--init {run} is a second run of {task}")
            starts[name] = Start(run, part)
    return starts


def scale_notes(inits: Iterable[Path], *, standardised: bool) -> list[str]:
    """Name the runs whose network has learned from another scale of input.

    Parameters
    ----------
    inits : iterable of paths
        Run folders of ``pretrain``. One that recorded no "standardise" is of a time
        when restoration and shuffling always had it, rotation never.
    standardised : bool
        What the target task will show: zero mean and unit deviation, or [0, 1].
    """
    names, notes = {True: "standardised images", False: "values in [0, 1]"}, []
    for run in map(Path, inits):
        config = runs.read_config(run)
        old = config["task"] != "rotation"
        saw = config.get("task_options", {}).get("standardise", old)
        if saw != standardised:
            notes.append(
                f"--init {run} learned from {names[saw]} and is shown "
                f"{names[standardised]} here: a handicap; pretrain anew"
            )
    return notes


def images_processed(run: Path) -> int:
    """Return how many images a pretraining run processed: steps times batch size."""
    config = runs.read_config(run)
    return int(config["steps"]) * int(config["batch_size"])
