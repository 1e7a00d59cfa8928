"""What training begins with: pretraining runs, and what of them is carried over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import models, pretext, runs
from tinyssl.cases import TEST, Cases
from tinyssl.data.copies import seen_before
from tinyssl.models.weights import HEADS
from tinyssl.pretext.patches import bare
from tinyssl.task import Task

DECODER = "decoder."


@dataclass(frozen=True)
class Start:
    """A run folder of pretraining, and what of it is carried over.

    "encoder"; "network", its decoder too; or "frozen", an encoder that stays as it is.
    """

    run: Path
    carried: str = "encoder"
    member: str = ""  # the folder of one of several encoders

    def folder(self, fold: int | None) -> Path:
        """Return where the encoder that is blind to a fold lies."""
        place = self.run / self.member
        return place if (place / "encoder.pt").is_file() else place / f"fold{fold}"

    def members(self) -> list["Start"]:
        """Return a start for each encoder that was pretrained, with another seed."""
        count = len([*self.run.glob("encoder[0-9]*/")])
        if self.member or not count:
            return [self]
        return [replace(self, member=f"encoder{k}") for k in range(count)]

    def of_repeat(self, repeat: int) -> "Start":
        """Return the encoder whose turn it is: repeats go through all of them."""
        return (members := self.members())[repeat % len(members)]

    def content(self, fold: int | None) -> list[str]:
        """Return what is carried over, and a hash of the weights."""
        return [self.carried, *runs.content_hashes([self.folder(fold) / "encoder.pt"])]

    def seen(self, fold: int | None) -> list[str]:
        """Return the content hashes of what it has seen."""
        return list(runs.load_encoder(self.folder(fold) / "encoder.pt")[1]["seen"])

    def thumbnails(self, fold: int | None) -> np.ndarray:
        """Return the thumbnails of what it has seen."""
        return runs.load_thumbnails(self.folder(fold) / "thumbnails.npy")

    @property
    def config(self) -> dict[str, Any]:
        """What the run was made with."""
        return runs.read_config(self.run)


def name_starts(
    inits: Iterable[Path], transfer: Sequence[str], *, folds: int
) -> dict[str, Start]:
    """Name what stands beside scratch: by pretext task, and by what is carried over.

    Where a task repeats, the folder's name is added. Refused is what is no run of
    pretraining, or has no encoder for one of the folds.
    """
    runs_of = {run: _check_run(run, folds) for run in map(Path, inits)}
    tasks, starts = [*runs_of.values()], {}
    for run, task in runs_of.items():
        name = task if tasks.count(task) == 1 else f"{task} {run.name}"
        carries = ("frozen", *pretext.find(task).carries)
        parts = [part for part in transfer if part in carries]
        for part in parts or ["encoder"]:
            words = {"network": ", with decoder", "frozen": ", frozen"}.get(part, "")
            starts[name + words] = Start(run, part)
    return starts


def _check_run(run: Path, folds: int) -> str:
    """Return the task of a run that has all its encoders."""
    config = runs.read_config(run, "command")
    if config["command"] != "pretrain":
        raise ValueError(f"--init {run} must be a run of pretrain")
    members = Start(run).members()
    if len(members) != (asked := config.get("encoders", 1)):
        rule = f"must hold {asked} encoders, as its config.json says"
        raise ValueError(f"--init {run} {rule}; found {len(members)}")
    for place in (start.run / start.member for start in members):
        if (place / "encoder.pt").is_file():
            continue
        there = {place / f"fold{fold}" / "encoder.pt" for fold in range(folds)}
        found = set(place.glob("fold*/encoder.pt"))
        if found != there:
            raise ValueError(
                f"--init {run} must hold encoder.pt, or fold0..fold{folds - 1} with "
                f"one each for --folds {folds}; found {len(found)} folds"
            )
    runs.read_config(run, "task", "encoder", "steps", "batch_size")
    return config["task"]


def agree(starts: Mapping[str, Start]) -> dict[str, Any]:
    """Return the configuration of the encoder that all runs must share."""
    configs = [start.config["encoder"] for start in starts.values()]
    if any(other != configs[0] for other in configs):
        raise ValueError("--init runs must have one encoder, found different ones")
    return configs[0] if configs else {}


def refuse_leaks(cases: Cases, starts: Mapping[str, Start]) -> None:
    """Refuse an encoder that has seen what it will be scored on, or a copy of it."""
    every = [(name, one) for name, start in starts.items() for one in start.members()]
    for name, start in every:
        for fold in range(cases.num_folds):
            held = np.flatnonzero(np.isin(cases.fold, (fold, TEST)))
            leaked = np.isin(np.array(cases.hashes)[held], start.seen(fold))
            leaked |= seen_before(start.thumbnails(fold), cases.small[held])
            if leaked.any():
                raise ValueError(
                    f"--init {name}: {start.folder(fold)} was pretrained on "
                    f"{leaked.sum()} of the {len(held)} images held out in fold {fold};"
                    f" pretrain with --folds {cases.num_folds} and the same --seed, on "
                    "other images, or say --transductive"
                )


def notes_of(cases: Cases, starts: Mapping[str, Start]) -> list[str]:
    """Say where a network is shown another size than it learned; refuse other views."""

    def views(known):
        patches = f"patches of fields {known.get('field_width')} px wide"
        return patches if known.get("patch_size") else "whole images"

    lines, keys = [], ("patch_size", "field_width")
    for start in starts.values():
        run, config = start.run, start.config
        if [config.get(key) for key in keys] != [cases.facts.get(key) for key in keys]:
            raise ValueError(
                f"--init {run} learned from {views(config)}, this run shows "
                f"{views(cases.facts)}: give both the same --field-width, and "
                "--encoder unet for masks"
            )
        if config.get("size") != cases.facts.get("size"):
            lines.append(
                f"--init {run} learned at {config['size']} px and is shown "
                f"{cases.facts['size']} px here"
            )
    return lines


def images_processed(run: Path) -> int:
    """Return how many images a pretraining run processed, with those before it."""
    config = runs.read_config(run, "steps", "batch_size")
    steps, batch_size, init = map(config.get, ("steps", "batch_size", "init"))
    numbers = all(type(value) is int for value in (steps, batch_size))
    if not (numbers and steps >= 0 < batch_size and isinstance(init, str | None)):
        rule = "must hold steps and batch_size, from 0 and 1 on, init a path or null"
        found = f"{steps!r}, {batch_size!r} and {init!r}"
        raise ValueError(f"{Path(run) / 'config.json'} {rule}; found {found}")
    return steps * batch_size + (images_processed(Path(init)) if init else 0)


def carry(task: Task, start: Start, fold: int | None) -> None:
    """Copy what a pretraining run has learned into a task: all of it, or none."""
    folder, whole = start.folder(fold), start.carried == "network"
    saved, _ = runs.load_encoder(folder / "encoder.pt")
    skipped = HEADS if whole else (*HEADS, DECODER)  # new: they answered otherwise
    theirs, own = saved.state_dict(), task.encoder.state_dict()
    wanted = {k: v for k, v in own.items() if not k.startswith(skipped)}
    found = {name: theirs[name] for name in wanted if name in theirs}
    runs.refuse_others(folder / "encoder.pt", wanted, found)
    network = getattr(bare(task), "network", None)
    if whole and network is not task.encoder:
        _carry_decoder(network, folder / "task.pt", start.run)
    task.encoder.load_state_dict(own | found)


def _carry_decoder(network, path, run):
    prefix, state = "network.decoder.", runs.load_plain(path)
    runs.refuse_lacking(path, state, ())
    decoder = {k.split(prefix)[1]: v for k, v in state.items() if prefix in k}
    if not decoder or not isinstance(network, models.Restorer):
        what = "target task" if decoder else f"run {run}"
        raise ValueError(f"transfer=network needs a decoder, the {what} has none")
    last = f"{len(network.decoder) - 1}."  # answers with colours, not with places
    own = network.decoder.state_dict()
    found = {k: v for k, v in decoder.items() if not k.startswith(last)}
    wanted = {k: v for k, v in own.items() if not k.startswith(last)}
    runs.refuse_others(path, wanted, found)
    network.decoder.load_state_dict(own | found)
