"""The one table every reader returns, and the one error every reader raises."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

MAX_PIXELS = 80_000_000  # 240 MB decoded; no fundus camera comes near it


class DataError(ValueError):
    """Data on disk that cannot be used; one message lists all there is to mend."""

    @classmethod
    def listing(cls, where, problems):
        """Return one error naming the first ten problems and counting the rest."""
        problems = list(problems)
        if len(problems) == 1:
            return cls(f"{where}: {problems[0]}")
        lines = [f"{where}: {len(problems)} problems", *problems[:10]]
        if len(problems) > 10:
            lines.append(f"and {len(problems) - 10} more")
        return cls("\n  ".join(lines))


@dataclass(frozen=True, eq=False)
class Table:
    """Images and whatever is known of each of them, one row an image.

    Of masks there are ``"vessel"``, ``"vessel_2nd"`` (a second observer), ``"MA"``,
    ``"HE"``, ``"EX"``, ``"SE"``, ``"OD"``, ``"mask"`` of sets that do not say of what,
    and those of a manifest; `region` is the field of view. Points are
    ``"disc"`` and ``"fovea"``, (y, x) in pixels of the stored image, the centre of the
    first at (0, 0). Factors are what synthetic images were made from, by name. Unknown
    is -1, ``""``, nan, or None for a file or a whole column.
    """

    layout: str  # which reader made it, such as "aptos", "chase_db1", "toy"
    root: Path  # the folder or file the images came from
    names: tuple[str, ...]  # a unique one for each image, the same on every machine
    images: tuple[Path, ...] | np.ndarray  # to decode, or (N, H, W, 3) uint8; volumes
    grade: np.ndarray | None = None  # (N,) int64, grade or class of each image
    patient: np.ndarray | None = None  # (N,) str
    eye: np.ndarray | None = None  # (N,) str, "left" or "right"
    split: np.ndarray | None = None  # (N,) str, "train", "val" or "test"
    masks: dict[str, tuple[Path | None, ...] | np.ndarray] = field(default_factory=dict)
    region: tuple[Path | None, ...] | np.ndarray | None = None  # as a mask: (N, H, W)
    points: dict[str, np.ndarray] = field(default_factory=dict)  # (N, 2) float64
    factors: dict[str, np.ndarray] = field(default_factory=dict)  # (N,) numbers
    class_names: tuple[str, ...] | None = None  # of grades 0, 1, ...
    ordered: bool = True  # whether a higher grade is more of something
    dims: int = 2  # of an image; 3 of volumes, (N, D, H, W, 1) in an array
    report: np.ndarray | None = None  # (N,) str, what was dictated
    is_fundus: bool = True  # a round field of view on black, to be cropped to it
    skipped: tuple[str, ...] = ()  # "name: reason" of each row left out on request
    unused: tuple[str, ...] = ()  # what else lies there, by kind: "3 .dcm (a/1.dcm)"

    def __len__(self) -> int:
        return len(self.names)

    def select(self, index: np.ndarray) -> "Table":
        """Return the rows of `index`, an (M,) int or (N,) bool array, in its order."""
        rows = np.arange(len(self))
        index = rows[np.asarray(index)] if len(index) else rows[:0]

        def take(column):
            if isinstance(column, dict):
                return {name: take(inner) for name, inner in column.items()}
            if isinstance(column, tuple):
                return tuple(column[i] for i in index)
            return None if column is None else column[index]

        columns = ("names", "images", "grade", "patient", "eye", "split", "region")
        columns += ("masks", "points", "factors", "report")
        return replace(self, **{name: take(getattr(self, name)) for name in columns})
