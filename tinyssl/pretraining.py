"""Pretrain on the images of a study, blind to what each of its folds holds out.

Each fold is a job, one process and one thread by default. A finished job leaves a file,
so that what was stopped goes on where it was.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyssl import models, pretext, ranks, runs
from tinyssl.cases import TEST, Cases
from tinyssl.jobs import run_jobs
from tinyssl.pretext.inputs import common_field
from tinyssl.pretext.patches import OnPatches, bare, cut_patches, sample_corners
from tinyssl.starts import Start, carry
from tinyssl.summary import join_words
from tinyssl.task import Pretext, Target, Task
from tinyssl.training import train

MOST_SCORED = 256  # images on which a pretext task is scored
LIMITS = ("until", "checkpoint_minutes")  # of `train`: they change no number
Encoder = Mapping[str, Any] | Callable[[], nn.Module]


@dataclass(frozen=True)
class Shared:
    """What all jobs of one run share."""

    cases: Cases
    out: Path
    encoder: Encoder
    training: dict[str, Any]  # options of `tinyssl.training.train`
    starts: dict[str, Start]
    target: type[Target] = Target  # and the rest: of a comparison
    options: dict[str, Any] = field(default_factory=dict)
    curve: int = 0

    def key(self) -> dict[str, Any]:
        """Return what any finished job must agree with, wherever it ran."""
        how, encoder = ("threads", "device", "compile", *LIMITS), self.encoder
        key = {"cases": self.cases.settings(), "fold": self.cases.fold}
        key |= {"encoder": repr(encoder) if callable(encoder) else dict(encoder)}
        key["training"] = {k: v for k, v in self.training.items() if k not in how}
        return key | {"options": self.options}


def new_encoder(encoder: Encoder, *, channels: int) -> nn.Module:
    """Return a fresh encoder; a U-Net answers with so many channels."""
    if callable(encoder):
        return encoder()
    if "out_channels" in encoder:
        encoder = {**encoder, "out_channels": channels}
    return models.from_config(encoder)


def pretrain(
    name: str,
    cases: Cases,
    *,
    encoder: Encoder,
    out: Path,
    folder: str = "",
    init: Start | None = None,
    weights: Path | None = None,
    options: Mapping[str, Any] | None = None,
    steps: int = 600,
    batch_size: int = 32,
    lr: float = 3e-3,
    seed: int = 0,
    threads: int = 1,
    device: str = "cpu",
    precision: str | None = None,
    compile: bool = False,
    workers: int = 1,
    until: float | None = None,
    checkpoint_minutes: float | None = None,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Learn from the images of a study without their labels.

    As `tinyssl.experiment.compare_starts`, but for a task of `pretext.PRETEXTS` and its
    ``options``, or one a fold that is blind to what that holds out.

    The encoder of the run ``init`` goes on learning, or torchvision's DenseNet in the
    file ``weights``; encoder.pt or fold0/encoder.pt ... go to a folder of ``out``.
    Returns for each fold "task", "fold", "seconds" of processors (since it was last
    stopped), "rows" of the log, and "scores" on images that pretraining has not seen,
    which "scored_on" names.
    """
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    training |= {"threads": threads, "device": device, "until": until}
    training |= {"checkpoint_minutes": checkpoint_minutes, "compile": compile}
    training["precision"] = precision
    jobs = []
    for fold in range(cases.num_folds) or [None]:
        place = Path(folder) / (f"fold{fold}" if cases.num_folds > 1 else "")
        job = {"task": name, "fold": fold, "folder": str(place)}
        job |= {"task_options": dict(options or {}), "weights": weights, "init": None}
        if init is not None:
            job["init"] = init.content(fold)
        jobs.append(runs.plain(job) | {"file": out / place / "done.json"})
    starts = {} if init is None else {name: init}
    shared = Shared(cases, Path(out), encoder, training, starts)
    running = {"workers": workers, "threads": threads, "progress": progress}
    running |= {"steps": [steps] * len(jobs), "images": batch_size}
    return run_jobs(_pretrain_fold, shared, jobs, key=shared.key(), **running)


def _pretrain_fold(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Pretrain on all images a fold may see, labelled or not; write encoder.pt."""
    cases, seed = shared.cases, shared.training["seed"]
    begun = time.process_time()
    out, fold = shared.out / job["folder"], job["fold"]
    torch.manual_seed(seed)
    encoder = new_encoder(shared.encoder, channels=3)
    if job["weights"]:
        models.load_torchvision(encoder, job["weights"])
    task = build_pretext(job["task"], encoder, cases, job["task_options"])
    seen = cases.part(fold, labelled=False)
    hashes, small = [cases.hashes[i] for i in seen], cases.small[seen]
    for init in shared.starts.values():  # what the encoder knows, it has seen
        carry(task, init, fold)
        hashes = init.seen(fold) + hashes
        small = np.concatenate([init.thumbnails(fold), small])
    inner, data = bare(task), cases.take(task.columns, seen)
    known = data if inner is task else cases.take(inner.columns, seen)
    inner.fit(*known, rng=np.random.default_rng(seed))
    rows = train(task, data, out=out, **shared.training) if inner.trains else []
    runs.save_encoder(out / "encoder.pt", task.encoder, task=job["task"], seen=hashes)
    runs.save_state(out / "task.pt", task.state_dict())
    runs.save_thumbnails(out / "thumbnails.npy", small)
    scored_on, unseen = unseen_images(cases, fold, inner.columns)
    scores = inner.evaluate(*unseen, rng=np.random.default_rng(seed))
    if ranks.rank() == 0:  # done: nothing to resume
        (out / "checkpoint.pt").unlink(missing_ok=True)
    result = {key: job[key] for key in ("task", "fold", "folder", "task_options")}
    result["seconds"] = round(ranks.size() * (time.process_time() - begun), 2)
    return result | {"rows": rows, "scored_on": scored_on, "scores": scores}


def build_pretext(name, encoder, cases, options) -> Task:
    """Put a pretext task around an encoder, on whole images or on their patches."""
    refuse_volumes(name, cases)
    patch = cases.facts.get("patch_size", 0)
    whole = cases.facts["is_fundus"] and not patch
    region = common_field(cases.columns["image"]) if whole else None
    task = _build(name, encoder, cases.facts, region, options)
    if missing := {*task.columns} - {*cases.columns}:
        rule = f"needs the column {min(missing)!r} of each image"
        raise ValueError(f"--task {name} {rule}, found none in {cases.facts['root']}")
    return OnPatches(task, size=patch) if patch else task


def refuse_volumes(name: str, cases: Cases) -> None:
    """Refuse volumes where a pretext task is for images alone."""
    if "volumes" in cases.facts and not pretext.find(name).volumes:
        able = [task for task in pretext.PRETEXTS if pretext.find(task).volumes]
        rule = f"takes images, {cases.facts['root']} holds volumes"
        raise ValueError(f"--task {name} {rule}; for them are {join_words(able)}")


def _build(name, encoder, facts, region, options):
    patch = facts.get("patch_size", 0)
    settings = {"image_size": patch or facts["size"], "standardise": bool(patch)}
    return pretext.find(name).build(encoder, region=region, **settings | dict(options))


def load_pretext(folder, config, *, region=None) -> Pretext:
    """Rebuild the task of a run, or of one of its folds, in evaluation mode."""
    path = Path(folder) / "task.pt"
    state = runs.load_plain(path)
    runs.refuse_lacking(path, state, ())
    encoder = new_encoder(config["encoder"], channels=3)
    task = _build(config["task"], encoder, config, region, config["task_options"])
    state = {k.removeprefix("task."): v for k, v in state.items()}
    return runs.fill(task, state, path).eval()


def unseen_images(cases: Cases, fold: int | None, columns) -> tuple[str, list[Any]]:
    """Return some images, or patches of them, that pretraining has not seen, if any.

    With what else these columns know of each.
    """
    held = np.flatnonzero((cases.fold == fold) & (cases.fold >= 0))
    places = {"held-out": held, "test": np.flatnonzero(cases.fold == TEST)}
    places["training"] = np.arange(len(cases))
    kind, index = next((k, i) for k, i in places.items() if len(i))
    patch = cases.facts.get("patch_size", 0)
    if not patch:
        some = cases.take(columns, index[:MOST_SCORED])
        return f"{kind} images", list(map(np.asarray, some))
    images, regions = cases.take(("image", "region"), np.resize(index, MOST_SCORED))
    corners = sample_corners(regions, patch, rng=0)
    return f"patches of {kind} images", [cut_patches(images, corners, patch)]
