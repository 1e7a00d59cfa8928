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


def images_processed(run: Path) -> int:
    """Return how many images a pretraining run processed: steps times batch size."""
    config = runs.read_config(run)
    return int(config["steps"]) * int(config["batch_size"])
