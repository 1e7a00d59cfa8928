"""The one table every reader returns, and the one error every reader raises."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np


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

    Parameters
    ----------
    layout : str, which reader made it, such as ``"aptos"``, ``"chase_db1"``, ``"toy"``
    root : Path, the folder or file the images came from
    names : tuple of str, a unique name for each image, the same on every machine
    images : tuple of Path to decode, or (N, H, W, 3) uint8 array
    grade : (N,) int64 array or None, grade or class of each image; -1 is unlabelled
    patient, eye, split : (N,) str array or None
        ``"left"`` or ``"right"``; ``"train"``, ``"val"`` or ``"test"``; ``""`` unknown.
    masks : dict of str to (tuple of Path or None) or (N, H, W) bool array
        ``"vessel"``, ``"vessel_2nd"`` (a second observer), ``"MA"``, ``"HE"``,
        ``"EX"``, ``"SE"``, ``"OD"``; None where an image has no such file.
    region : fields of view, as one of `masks`; None where the data set ships none
    points : dict of str to (N, 2) float64 array
        ``"disc"`` and ``"fovea"`` as (y, x) in pixels of the stored image, the centre
        of the first pixel at (0, 0); nan is missing.
    class_names : tuple of str or None, of grades 0, 1, ... where the data say them
    is_fundus : bool, each image is a round field of view on black, to be cropped to it
    skipped : tuple of str, ``"name: reason"`` of each row left out on request
    """

    layout: str
    root: Path
    names: tuple[str, ...]
    images: tuple[Path, ...] | np.ndarray
    grade: np.ndarray | None = None
    patient: np.ndarray | None = None
    eye: np.ndarray | None = None
    split: np.ndarray | None = None
    masks: dict[str, tuple[Path | None, ...] | np.ndarray] = field(default_factory=dict)
    region: tuple[Path | None, ...] | np.ndarray | None = None
    points: dict[str, np.ndarray] = field(default_factory=dict)
    class_names: tuple[str, ...] | None = None
    is_fundus: bool = True
    skipped: tuple[str, ...] = ()

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
        columns += ("masks", "points")
        return replace(self, **{name: take(getattr(self, name)) for name in columns})
