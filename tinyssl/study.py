"""One data set, split into folds: what every job of an experiment shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs
from tinyssl.data.folds import assign_folds

__all__ = ["Study", "assign_folds"]


@dataclass(frozen=True)
class Study:
    """All that the jobs of one experiment share; plain values and arrays.

    Parameters
    ----------
    images : (N, S, S, C) uint8 array
    grades : (N,) int64 array, -1 is unlabelled
    groups : (N,) int64 array
        Images of one group (a patient, or identical pixels) are never parted.
    fold : (N,) int64 array
        The fold in which an image is held out; -1 trains in every fold (an
        unlabelled image), -2 never (the official test images).
    encoder : dict
        Configuration of the encoder, as ``tinyssl.models.from_config`` takes it.
    num_grades : int
    is_fundus : bool
        Whether the field of view is the inscribed circle.
    hashes : sequence of str
        Of the content of each image, to tell later what pretraining has seen.
    out : path
        Run folder.
    seed, threads, channels_last, device
        See ``tinyssl.training.train``.
    """

    images: np.ndarray
    grades: np.ndarray
    groups: np.ndarray
    fold: np.ndarray
    encoder: dict[str, Any]
    num_grades: int
    is_fundus: bool
    hashes: Sequence[str]
    out: Path
    seed: int = 0
    threads: int = 1
    channels_last: bool = True
    device: str = "cpu"

    @property
    def num_folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    def training_part(self, fold: int | None, *, labelled: bool) -> np.ndarray:
        """Return which images may be seen when ``fold``, or none, is held out."""
        seen = (self.fold != fold) & (self.fold != -2)
        return np.flatnonzero(seen & (self.grades >= 0) if labelled else seen)

    def settings(self) -> dict[str, Any]:
        """Return what ``config.json`` says: all but arrays and layout."""
        names = ("encoder", "num_grades", "is_fundus", "seed", "device")
        found = {name: getattr(self, name) for name in names}
        found |= {"images": len(self.images), "size": self.images.shape[1]}
        return found | {"data": runs.fingerprint(self.images)}

    def layout(self) -> dict[str, Any]:
        """Options of ``train`` that every job shares."""
        names = ("seed", "threads", "channels_last", "device")
        return {name: getattr(self, name) for name in names}
