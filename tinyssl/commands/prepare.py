"""Read a data set and settle what all jobs of one run share."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import models, runs
from tinyssl.commands.say import Say, silent
from tinyssl.data import Table, load_images, open_dataset
from tinyssl.data.copies import content_groups
from tinyssl.downstream import grading
from tinyssl.study import Study, assign_folds
from tinyssl.training import fastest_layout

ENCODERS = {
    "small": models.densenet_small,
    "densenet121": lambda: models.densenet121(num_classes=5),
    "sononet": lambda: models.sononet_small(extra_pool=True),
}


def open_study(
    data: str | Path,
    *,
    out: Path,
    size: int,
    folds: int,
    encoder: dict[str, Any],
    seed: int = 0,
    threads: int | None = None,
    device: str = "auto",
    workers: int = 1,
    transductive: bool = False,
    skip_bad: bool = False,
    say: Say = silent,
) -> Study:
    """Read a data set and settle all that the jobs of one run share.

    Parameters
    ----------
    data : path or "toy[:N[:SIZE[:SEED]]]"
        See ``tinyssl.data.open_dataset``.
    out : path
        Run folder; decoded images are cached beside it.
    size : int
        Rows and columns of the images.
    folds : int
        0: all images but the official test images are for training.
    encoder : dict
        As ``tinyssl.models.from_config`` takes it.
    seed, threads, device, workers
        ``threads=None`` measures which is fastest; with several workers it is 1.
    transductive : bool
        Let pretraining see the test images too (never their grades).
    skip_bad : bool
        Go on without files that cannot be read, and say which.
    say : callable
        Takes lines for the person who waits.
    """
    table = open_dataset(data, skip_bad=skip_bad)
    cache = Path(out).parent / ".tinyssl-cache"
    images, table = load_images(
        table, size, cache=cache, skip_bad=skip_bad, progress=True
    )
    say(describe(table, size))
    for line in table.skipped:
        say(f"skipped {line}")
    unknown = np.full(len(table), -1)
    grades = unknown if table.grade is None else table.grade
    if folds and not (grades >= 0).any():
        raise ValueError(f"{data}: folds need images with grades, found none")
    groups = content_groups(images, table.patient)
    split = None if transductive and not folds else table.split
    if folds:
        fold = assign_folds(grades, groups, folds, split=split, seed=seed)
    else:
        fold = np.full(len(table), -1)
        if split is not None:
            fold[np.isin(groups, groups[split == "test"])] = -2
    study = Study(
        images=images,
        grades=grades,
        groups=groups,
        fold=fold,
        encoder=encoder,
        num_grades=max(2, int(grades.max()) + 1, len(table.class_names or ())),
        is_fundus=table.is_fundus,
        hashes=runs.content_hashes(table.images),
        out=Path(out),
        seed=seed,
        device=choose_device(device),
    )
    return choose_layout(study, threads, workers, say)


def describe(table: Table, size: int) -> str:
    """Say in one line what was read."""
    text = f"{table.root}: {table.layout}, {len(table)} images at {size} px"
    if table.grade is not None and (table.grade >= 0).any():
        counts = np.bincount(table.grade[table.grade >= 0])
        text += f", grades {' '.join(f'{k}:{n}' for k, n in enumerate(counts))}"
    return text


def choose_device(device: str) -> str:
    """Resolve "auto" to the fastest device there is."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_layout(study: Study, threads: int | None, workers: int, say: Say) -> Study:
    """Settle threads and memory layout: those of the run so far, else measured."""
    config = study.out / "config.json"
    if config.exists():
        known = runs.read_config(study.out).get("layout")
        if known and (threads is None or threads == known["threads"]):
            return replace(study, **known)
    if study.device != "cpu":
        return study
    if threads is None and workers > 1:
        threads = 1
    torch.manual_seed(study.seed)
    task = grading.Grading(models.from_config(study.encoder))
    some = np.resize(np.arange(len(study.images)), 64)
    data = (study.images[some], np.zeros(64, np.int64))
    fastest, channels_last = fastest_layout(task, data, threads=threads)
    say(f"fastest here: {fastest} thread(s), channels_last={channels_last}")
    return replace(study, threads=fastest, channels_last=channels_last)


def start_run(study: Study, command: str, settings: dict[str, Any]) -> None:
    """Write config.json; refuse a folder that holds another run."""
    layout = {"threads": study.threads, "channels_last": study.channels_last}
    runs.claim(study.out, {"command": command} | study.settings() | settings, layout)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
