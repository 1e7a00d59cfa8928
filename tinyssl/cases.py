"""The material of one study: images, what is known of them, and who is held out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyssl import ranks, runs
from tinyssl.data import Table, load_images
from tinyssl.data.copies import content_groups, seen_before, thumbnails
from tinyssl.data.folds import assign_folds, label_subset
from tinyssl.rows import take

ALWAYS, TEST, LEFT_OUT = -1, -2, -3  # folds of images that no fold holds out


@dataclass(frozen=True)
class Reading:
    """How a data set is read for a study."""

    size: int = 96  # rows and columns of whole images
    folds: int = 0  # 0: nothing is held out but the official test images
    seed: int = 0  # assigns images to folds
    transductive: bool = False  # train on official test images, where no folds are
    skip_bad: bool = False  # go on without files that cannot be read, and say which
    labelled: bool = True  # whether labels are needed: not for pretraining
    cache: Path | None = None  # a folder for decoded images
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def images(self, table: Table) -> tuple[np.ndarray, Table]:
        """Return whole images (N, S, S, 3), and the rows that could be read."""
        options = {"cache": self.cache, "skip_bad": self.skip_bad}
        options["progress"] = ranks.rank() == 0
        images, table = load_images(table, self.size, **options)
        for line in table.skipped:
            self.log(f"skipped {line}")
        return images, table


@dataclass(frozen=True)
class Cases:
    """N images with what is known of each; see `gather`.

    Images of one group (a patient, copies of one picture) are never parted. Fold -1
    trains in every fold, -2 is an official test image, -3 is left out: its group has an
    image that is scored.
    """

    columns: dict[str, Any]  # "image", and what a target task needs: "grade", "mask"
    labelled: NDArray[np.bool_]  # whose labels train
    scored: NDArray[np.bool_]  # whose labels judge
    groups: NDArray[np.int64]
    fold: NDArray[np.int64]
    num_folds: int
    hashes: list[str]  # of each file's content: what has pretraining seen?
    small: NDArray[np.uint8]  # (N, 16, 16, 3) thumbnails, for the same
    names: tuple[str, ...]
    facts: dict[str, Any]  # plain values that the target task or the report needs

    def __len__(self) -> int:
        return len(self.names)

    def take(self, columns: Sequence[str], index: Sequence[int]) -> list[Any]:
        """Return some rows of each column: arrays, or lists of images of any size."""
        return [take(self.columns[name], index) for name in columns]

    def images(self, index: Sequence[int]) -> Any:
        """Return some images."""
        return self.take(("image",), index)[0]

    def part(self, fold: int | None, *, labelled: bool) -> NDArray[np.int64]:
        """Return which images may be seen when ``fold``, or none, is held out."""
        seen = (self.fold != fold) & (self.fold >= ALWAYS)
        return np.flatnonzero(seen & self.labelled if labelled else seen)

    def held(self, fold: int) -> NDArray[np.int64]:
        """Return which images are scored when ``fold`` is held out."""
        return np.flatnonzero((self.fold == fold) & self.scored)

    @property
    def test(self) -> NDArray[np.int64]:
        """The official test images."""
        return np.flatnonzero((self.fold == TEST) & self.scored)

    @property
    def test_share(self) -> float:
        """Images tested over images trained on; 0 where no training parts overlap."""
        return 1 / (self.num_folds - 1) if self.num_folds > 1 else 0.0

    def fingerprint(self) -> str:
        """Return one hash of all images and labels, in their order."""
        columns = [self.columns[name] for name in sorted(self.columns)]
        return runs.fingerprint([np.asarray(row) for c in columns for row in c])

    def settings(self) -> dict[str, Any]:
        """Return what ``config.json`` says of them."""
        return self.facts | {"images": len(self), "data": self.fingerprint()}

    def scored_on(self, other: "Cases") -> "Cases":
        """Train on these, score others of the same classes; no copy may be in both."""
        for name in ("num_grades", "ordered", "class_names", "mask", "asked"):
            own, theirs = self.facts.get(name), other.facts.get(name)
            if own != theirs and not (name == "class_names" and self.facts["ordered"]):
                rule = f"must have the {name} of {self.facts['root']}, {own}"
                raise ValueError(f"{other.facts['root']} {rule}; found {theirs}")
        shared = np.isin(other.hashes, self.hashes)
        shared |= seen_before(self.small, other.small)
        if shared.any():
            what = f"{shared.sum()} of the {len(other)} held-out images"
            rule = "are also among the training images"
            raise ValueError(f"{other.facts['root']}: {what} {rule}")
        fold = np.r_[np.full(len(self), ALWAYS), np.zeros(len(other), np.int64)]
        scored = np.r_[np.zeros(len(self), bool), other.scored]
        facts = self.facts | {"scored on": other.facts["root"]}
        both = self._joined(other, self.columns)
        return replace(both, fold=fold, scored=scored, num_folds=1, facts=facts)

    def with_more(self, other: "Cases") -> "Cases":
        """Learn from other images too, without labels and what is held out here."""
        held = self.fold != ALWAYS
        known = np.isin(other.hashes, np.array(self.hashes)[held])
        known |= seen_before(self.small[held], other.small)
        facts = self.facts | {"and": [*self.facts.get("and", ()), other.facts["root"]]}
        facts.pop("classes", None)
        fold = np.r_[self.fold, np.where(known, LEFT_OUT, ALWAYS)]
        names = [name for name in ("image", "region") if name in self.columns]
        return replace(self._joined(other, names), facts=facts, fold=fold)

    def _joined(self, other, names):
        """Return both, the others without labels; their folds are the caller's."""
        nothing = np.zeros(len(other), bool)
        columns = {k: _join(self.columns[k], other.columns[k]) for k in names}
        return replace(
            self,
            columns=columns,
            labelled=np.r_[self.labelled, nothing],
            scored=np.r_[self.scored, nothing],
            groups=np.r_[self.groups, other.groups + 1 + self.groups.max()],
            hashes=self.hashes + other.hashes,
            small=np.concatenate([self.small, other.small]),
            names=self.names + other.names,
        )


def gather(
    table, reading, columns, *, labelled, strata=None, held=None, small=None, **facts
) -> Cases:
    """Put a study together: groups, folds, and what tells a copy.

    Columns, labelled (whose labels judge too), small (of ``columns`` if not given) and
    facts are those of `Cases`. Folds are stratified by ``strata``, (N,) int, -1 where
    unknown; without folds ``held``, (N,) bool, says what is held out.
    """
    small = thumbnails(columns["image"]) if small is None else small
    groups = content_groups(columns["image"], table.patient, small)
    num_folds = reading.folds
    split = table.split if num_folds or not reading.transductive else None
    official = np.zeros(len(table), bool) if split is None else split == "test"
    fold = np.where(np.isin(groups, groups[official]), TEST, ALWAYS)
    if held is not None and not num_folds:
        fold, official, num_folds = np.where(held, 0, ALWAYS), held, 1
        fold[np.isin(groups, groups[held]) & ~held] = LEFT_OUT
    elif num_folds:
        classes = np.where(labelled, 0, -1) if strata is None else strata
        if not ((classes >= 0) & (fold != TEST)).any():
            rule = "--folds needs labelled images that are not official test images"
            raise ValueError(f"{table.root}: {rule}, found none")
        fold = assign_folds(classes, groups, num_folds, split=split, seed=reading.seed)
    fold[(fold == TEST) & ~official] = LEFT_OUT
    facts = {"root": str(table.root), "reader": table.layout} | facts
    if table.report is not None:
        columns = columns | {"report": table.report}
    facts |= {"volumes": True} if table.dims == 3 else {}
    facts |= {"is_fundus": table.is_fundus, "folds": num_folds}
    reading.log(_described(table, columns, facts))
    if left := int((fold == LEFT_OUT).sum()):
        reading.log(f"left out of training: {left} images of patients that are scored")
    known = (columns, labelled, labelled, groups, fold, num_folds)
    return Cases(*known, runs.content_hashes(table.images), small, table.names, facts)


def draw_labelled(
    cases: Cases, labels: float | int, *, run: int, fold: int, seed: int
) -> NDArray[np.int64]:
    """Choose the images of a fold's training part whose labels may be used.

    A float in (0, 1] is a share of the labels, in whole groups, with every class, which
    depends on seed and fold; an int is a number of images, of which classes take turns
    at the head, which depends on seed and run. Fewer lie inside more.
    """
    part = cases.part(fold, labelled=True)
    unknown = np.zeros(len(cases), np.int64)
    classes = cases.columns.get(cases.facts.get("classes"), unknown)
    if isinstance(labels, float):
        groups = cases.groups[part]
        return part[label_subset(classes[part], groups, labels, rng=[seed, fold])]
    if not 1 <= labels <= len(part):
        raise ValueError(f"images must lie in 1..{len(part)}, found {labels}")
    rng = np.random.default_rng([seed + run, 3 if cases.num_folds > 1 else 2])
    order = rng.permutation(part)
    place = np.empty(len(order))  # of each image among those of its class
    for name in np.unique(classes[order]):
        same = classes[order] == name
        place[same] = np.arange(same.sum())
    order = order[np.argsort(place, kind="stable")]
    return np.sort(order[:labels])


def _join(first, second):
    arrays = isinstance(first, np.ndarray)
    return np.concatenate([first, second]) if arrays else [*first, *second]


def _described(table, columns, facts):
    images = columns["image"]
    size = f" at {images.shape[1]} px" if isinstance(images, np.ndarray) else ""
    text = f"{table.root}: {table.layout}, {len(table)} images{size}"
    text += f" (not used: {', '.join(table.unused)})" if table.unused else ""
    classes = columns.get(facts.get("classes"))
    if classes is not None and (classes >= 0).any():
        counts = np.bincount(classes[classes >= 0])
        names = facts.get("class_names", map(str, range(len(counts))))
        kind = "classes" if facts.get("ordered", True) else "classes without an order"
        text += f", {kind} {classes_in_words(names, counts)}"
    return text


def classes_in_words(names: Iterable[str], counts: Sequence[int]) -> str:
    """Write which number is which class, and how many images each has."""
    both = enumerate(zip_longest(names, counts, fillvalue=0))
    words = ((k, "" if name == str(k) else f" {name}", n) for k, (name, n) in both)
    return ", ".join(f"{k}{name}: {n}" for k, name, n in words)
