"""Pretrain on the images of a study, and compare initialisations on its labels.

Two kinds of independent job, each one process and one thread by default: pretrain an
encoder on what a fold may see, and train a target task from one initialisation on some
of that fold's labels. A finished job leaves a file, so that what was stopped goes on
where it was.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyssl import models, pretext, runs
from tinyssl.cases import Cases, draw_labelled
from tinyssl.jobs import run_jobs
from tinyssl.pretext.inputs import common_field
from tinyssl.pretext.patches import OnPatches, cut_patches, sample_corners
from tinyssl.starts import Start, carry
from tinyssl.summary import RANDOM, SAME_COMPUTE, SCRATCH, slug
from tinyssl.task import Pretext, Target, Task
from tinyssl.training import to_tensor, train

MOST_SCORED = 256  # images on which a pretext task is scored
Encoder = Mapping[str, Any] | Callable[[], nn.Module]


@dataclass(frozen=True)
class Shared:
    """What all jobs of one run share.

    Parameters
    ----------
    cases : Cases
    out : path
        Run folder.
    encoder : dict, or callable that returns a Module
        As `tinyssl.models.from_config` takes it, or a function of your own.
    training : dict
        Options of `tinyssl.training.train` that are the same for all.
    target, starts, options, curve
        Of a comparison; see `compare_starts`.
    """

    cases: Cases
    out: Path
    encoder: Encoder
    training: dict[str, Any]
    target: type[Target] = Target
    starts: dict[str, Start] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    curve: int = 0


def new_encoder(encoder: Encoder, *, channels: int) -> nn.Module:
    """Return a fresh encoder; a U-Net answers with so many channels."""
    if callable(encoder):
        return encoder()
    if "out_channels" in encoder:
        encoder = {**encoder, "out_channels": channels}
    return models.from_config(encoder)


# Pretraining


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
    workers: int = 1,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Learn from the images of a study without their labels.

    Parameters
    ----------
    name : str
        Of `tinyssl.pretext.PRETEXTS`.
    cases : Cases
        With several folds each gets an encoder that is blind to what it holds out.
    encoder : dict or callable
        See `Shared`.
    out, folder : path and str
        Run folder, and the place in it where encoder.pt or fold0/encoder.pt ... go.
    init : Start, optional
        A run whose encoder goes on learning.
    weights : path, optional
        A file of torchvision's DenseNet weights to begin with.
    options : dict, optional
        Keyword arguments of the task.
    steps, batch_size, lr, seed, threads, device
        See `tinyssl.training.train`.
    workers : int
        Processes.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    list of dict
        One a fold: "task", "fold", "rows" of the log, and "scores" on images that
        pretraining has not seen, which "scored_on" names.
    """
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    training |= {"threads": threads, "device": device}
    folds: list[int | None] = [*range(cases.num_folds)]
    several = len(folds) > 1
    jobs = []
    for fold in folds or [None]:
        place = Path(folder) / (f"fold{fold}" if several else "")
        job = {"task": name, "fold": fold, "folder": str(place)}
        job |= {"task_options": dict(options or {}), "weights": weights, "init": None}
        if init is not None:
            job["init"] = runs.content_hashes([init.folder(fold) / "encoder.pt"])
        jobs.append(runs.plain(job) | {"file": out / place / "done.json"})
    starts = {} if init is None else {name: init}
    shared = Shared(cases, Path(out), encoder, training, starts=starts)
    options = {"workers": workers, "threads": threads, "progress": progress}
    return run_jobs(_pretrain_fold, shared, jobs, key=_key(shared), **options)


def _pretrain_fold(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Pretrain on all images a fold may see, labelled or not; write encoder.pt."""
    cases, seed = shared.cases, shared.training["seed"]
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
    rows = train(task, cases.take(task.columns, seen), out=out, **shared.training)
    runs.save_encoder(out / "encoder.pt", task.encoder, task=job["task"], seen=hashes)
    runs.save_state(out / "task.pt", task.state_dict())
    runs.save_thumbnails(out / "thumbnails.npy", small)
    (out / "checkpoint.pt").unlink(missing_ok=True)  # done: nothing to resume
    scored_on, images = unseen_images(cases, fold)
    inner = task.task if isinstance(task, OnPatches) else task
    scores = inner.evaluate(images[:MOST_SCORED], np.random.default_rng(seed))
    result = {key: job[key] for key in ("task", "fold", "folder", "task_options")}
    return result | {"rows": rows, "scored_on": scored_on, "scores": scores}


def build_pretext(
    name: str, encoder: nn.Module, cases: Cases, options: Mapping[str, Any]
) -> Task:
    """Put a pretext task around an encoder, on whole images or on their patches."""
    patch = cases.facts.get("patch_size", 0)
    region = None
    if cases.facts["is_fundus"] and not patch:
        region = common_field(cases.columns["image"])
    size = patch or cases.facts["size"]
    settings = {"image_size": size, "region": region, "standardise": bool(patch)}
    task = pretext.find(name).build(encoder, **settings | dict(options))
    return OnPatches(task, size=patch) if patch else task


def load_pretext(
    folder: Path, config: Mapping[str, Any], *, region: np.ndarray | None = None
) -> Pretext:
    """Rebuild the pretext task that was trained in a folder, in evaluation mode.

    Parameters
    ----------
    folder : path
        With task.pt: the run folder or one of its folds.
    config : dict
        Of the run; see `tinyssl.runs.read_config`.
    region : (H, W) bool array, optional
        What is lit in nearly all images that it will see.
    """
    path = Path(folder) / "task.pt"
    state = runs.load_plain(path)
    patch = config.get("patch_size", 0)
    size = patch or config["size"]
    settings = {"image_size": size, "region": region, "standardise": bool(patch)}
    encoder = new_encoder(config["encoder"], channels=3)
    options = settings | dict(config["task_options"])
    task = pretext.find(config["task"]).build(encoder, **options)
    task.load_state_dict({k.removeprefix("task."): v for k, v in state.items()})
    return task.eval()


def unseen_images(cases: Cases, fold: int | None) -> tuple[str, np.ndarray]:
    """Return images, or patches of them, that pretraining has not seen, if any."""
    held = np.flatnonzero((cases.fold == fold) & (cases.fold >= 0))
    places = {"held-out": held, "test": np.flatnonzero(cases.fold == -2)}
    everything = {"training": np.arange(len(cases))}
    kind, index = next((k, i) for k, i in (places | everything).items() if len(i))
    patch = cases.facts.get("patch_size", 0)
    if not patch:
        return f"{kind} images", np.asarray(cases.images(index))
    images, regions = cases.take(("image", "region"), np.resize(index, MOST_SCORED))
    corners = sample_corners(regions, patch, rng=0)
    return f"patches of {kind} images", cut_patches(images, corners, patch)


# Comparing initialisations


def compare_starts(
    target: type[Target],
    cases: Cases,
    starts: Mapping[str, Start],
    *,
    encoder: Encoder,
    out: Path,
    labels: Sequence[float | int | str],
    repeats: int = 1,
    steps: int | None = None,
    epochs: int | None = None,
    least_steps: int = 60,
    batch_size: int = 32,
    lr: float = 3e-3,
    pretrain_images: int = 0,
    curve: int = 0,
    seed: int = 0,
    threads: int = 1,
    device: str = "cpu",
    workers: int = 1,
    progress: bool = False,
    **options: Any,
) -> list[dict[str, Any]]:
    """Train every initialisation on the same labelled images; score what is held out.

    Parameters
    ----------
    target : class
        Of `tinyssl.targets.TARGETS`, or your own.
    cases : Cases
        As ``target.read`` returns them.
    starts : dict of name to Start
        What stands beside "scratch".
    encoder : dict or callable
        See `Shared`; that of the pretraining runs.
    out : path
        Run folder: jobs/ holds finished jobs, models/ those with the most labels.
    labels : sequence of float in (0, 1], int, or "all"
        Shares of the labels, or numbers of labelled images. Fewer lie inside more.
    repeats : int
        Times that all folds are gone through, with other draws, weights and batches.
    steps, epochs, least_steps : int
        The budget, the same for every initialisation: so many steps, or so many
        times each image but ``least_steps`` at least.
    batch_size, lr, seed, threads, device
        See `tinyssl.training.train`.
    pretrain_images : int
        Images that the longest pretraining processed. If not 0, "scratch, same
        compute" trains on that many more.
    curve : int
        Times that held-out images are scored during training, for the curve.
    workers : int
        Processes.
    progress : bool
        Draw a bar on stderr.
    **options
        Of the target; see its ``build``.

    Returns
    -------
    list of dict
        One row an initialisation, number of labels, repeat and fold: "init",
        "labels" (as asked), "n" (images that were), "repeat", "fold", "run" (counts
        folds through the repeats), "seed", "steps", "seconds", "scores", "curve", and
        where there are official test images "test". Small answers are kept too:
        "answers" to the cases "held", and "test_answers".

    Notes
    -----
    One seed for every initialisation of a run: the same head, batches and views.
    """
    inits: dict[str, Start | None] = {SCRATCH: None}
    if pretrain_images:
        inits[SAME_COMPUTE] = None
    inits |= starts
    if any(start.carried == "frozen" for start in starts.values()):
        inits[RANDOM] = None
    numbered = [asked_for(cases, asked) for asked in labels]
    jobs = []
    for run, repeat, fold, asked in plan(cases, numbered, repeats):
        few = not isinstance(asked, float)
        chosen = draw_labelled(cases, asked, run=run, fold=fold, seed=seed)
        budget = steps or max(least_steps, math.ceil(len(chosen) * epochs / batch_size))
        for init in inits:
            extra = pretrain_images if init == SAME_COMPUTE else 0
            name = f"{slug(init)}-{asked}-run{run}"
            job = {"init": init, "labels": asked, "n": len(chosen), "repeat": repeat}
            job |= {"fold": fold, "run": run, "seed": seed + (run if few else repeat)}
            job |= {"steps": budget + math.ceil(extra / batch_size)}
            job |= {"chosen": chosen.tolist(), "file": Path(out) / f"jobs/{name}.json"}
            most = asked == max(numbered)
            job["save"] = f"models/{name}.pt" if most else None
            jobs.append(job)
    training = {"batch_size": batch_size, "lr": lr, "threads": threads}
    training |= {"device": device}
    parts = (cases, Path(out), encoder, training, target, dict(starts))
    shared = Shared(*parts, options=options, curve=curve)
    running = {"workers": workers, "threads": threads, "progress": progress}
    return run_jobs(_finetune, shared, jobs, key=_key(shared), **running)


def plan(cases: Cases, labels: Sequence[float | int], repeats: int):
    """Yield each run's number, repeat and fold, and a number of labels; long first."""
    for run in range(repeats * cases.num_folds):
        for asked in sorted(labels, reverse=True):
            yield run, run // cases.num_folds, run % cases.num_folds, asked


def asked_for(cases: Cases, labels: float | int | str) -> float | int:
    """Return a share or a number; "all" is what every fold has."""
    if labels != "all":
        return labels
    parts = [cases.part(fold, labelled=True) for fold in range(cases.num_folds)]
    return min(map(len, parts))


def _finetune(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Train one initialisation on some labelled images; score what its fold holds."""
    cases, target, fold = shared.cases, shared.target, job["fold"]
    torch.manual_seed(job["seed"])  # one seed for every start: same head and batches
    encoder = new_encoder(shared.encoder, channels=target.channels)
    task = target.build(encoder, cases, **shared.options)
    start = shared.starts.get(job["init"])
    if start is not None:
        carry(task, start, fold)
    held, test = cases.held(fold), cases.test
    if job["init"] == RANDOM or (start and start.carried == "frozen"):
        task.freeze()

    def score() -> dict[str, float]:
        return target.score(cases, held, task.predict(cases.images(held), views=1))

    watch = {"evaluate": score} if shared.curve else {}
    if shared.curve:
        watch["evaluate_every"] = max(1, job["steps"] // shared.curve)
    log = train(
        task,
        cases.take(target.columns, job["chosen"]),
        steps=job["steps"],
        seed=job["seed"],
        **shared.training,
        **watch,
    )
    main = next(iter(target.metrics))
    keys = ("init", "labels", "n", "repeat", "fold", "run", "seed", "steps", "chosen")
    row = {key: job[key] for key in keys} | {"seconds": log[-1]["seconds"]}
    scored = [r for r in log if main in r]
    names = [name for name in target.metrics if scored and name in scored[0]]
    row["curve"] = [{"step": r["step"] + 1} | {k: r[k] for k in names} for r in scored]
    for prefix, index in (("", held), ("test", test)):
        if len(index):
            answers = task.predict(cases.images(index))
            row[prefix or "scores"] = target.score(cases, index, answers)
            if target.keeps:
                key = f"{prefix}_answers" if prefix else "answers"
                row[key] = runs.plain(rounded(answers))
    row["held"] = held.tolist()
    if job["save"]:
        runs.save_state(shared.out / job["save"], task.state_dict())
    return row


def rounded(answers: Any) -> Any:
    """Return answers with the digits that are worth keeping."""
    if isinstance(answers, tuple):
        return tuple(rounded(part) for part in answers)
    return np.round(answers, 5)


def loader(
    target: type[Target],
    cases: Cases,
    *,
    encoder: Encoder,
    out: Path,
    labels: Sequence[float | int | str],
    **options: Any,
) -> Callable[..., Target]:
    """Return a function of init and run: what was trained with the most labels."""
    most = max(asked_for(cases, asked) for asked in labels)

    def load(init: str, run: int = 0) -> Target:
        fresh = new_encoder(encoder, channels=target.channels)
        task = target.build(fresh, cases, **options)
        path = Path(out) / f"models/{slug(init)}-{most}-run{run}.pt"
        task.load_state_dict(runs.load_plain(path))
        return task.eval()

    return load


# Beside them: what needs no training of a network


def baseline_rows(
    target: type[Target],
    cases: Cases,
    *,
    labels: Sequence[float | int | str],
    repeats: int = 1,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Score the baselines that know nothing, in the shape of the other rows."""
    rows = []
    asked = [asked_for(cases, one) for one in labels]
    for run, repeat, fold, number in plan(cases, asked, repeats):
        chosen = draw_labelled(cases, number, run=run, fold=fold, seed=seed)
        held = cases.held(fold)
        for init, answers in target.baselines(cases, chosen, held).items():
            row = {"init": init, "labels": number, "n": len(chosen), "run": run}
            row |= {"repeat": repeat, "fold": fold}
            rows.append(row | {"scores": target.score(cases, held, answers)})
    return rows


def frozen_rows(
    target: type[Target],
    cases: Cases,
    starts: Mapping[str, Start],
    *,
    encoder: Encoder,
    labels: Sequence[float | int | str],
    repeats: int = 1,
    seed: int = 0,
    device: str = "cpu",
) -> list[dict[str, Any]]:
    """Score encoders that stay as they are, beside one with random weights.

    A linear probe and the nearest neighbours on the features of each encoder: it is
    how this field compares encoders, and it costs seconds.
    """
    if not (starts and target.probes):
        return []
    rows, known = [], {}
    asked = [asked_for(cases, one) for one in labels]
    for run, repeat, fold, number in plan(cases, asked, repeats):
        chosen = draw_labelled(cases, number, run=run, fold=fold, seed=seed)
        held = cases.held(fold)
        for name, start in {**starts, RANDOM: None}.items():
            place = start and start.folder(fold)
            if (name, place) not in known:
                torch.manual_seed(seed)
                task = target.build(
                    new_encoder(encoder, channels=target.channels), cases
                )
                if start is not None:
                    carry(task, Start(start.run), fold)
                known[name, place] = features(task.to(device), cases)
            some = known[name, place]
            found = target.probe(cases, chosen, some[chosen], some[held])
            for how, answers in found.items():
                row = {"init": f"{name}: {how}", "labels": number, "n": len(chosen)}
                row |= {"repeat": repeat, "fold": fold, "run": run}
                rows.append(row | {"scores": target.score(cases, held, answers)})
    return rows


@torch.no_grad()
def features(task: Target, cases: Cases, batch_size: int = 64) -> np.ndarray:
    """Return the pooled features of every image: (N, D)."""
    task.eval()
    rows = []
    for start in range(0, len(cases), batch_size):
        index = np.arange(start, min(start + batch_size, len(cases)))
        maps = task.encoder.features(to_tensor(cases.images(index), task.device))
        rows.append(task.pool(maps).cpu().double().numpy())
    return np.concatenate(rows)


def _key(shared: Shared) -> dict[str, Any]:
    """Return what a finished job must agree with."""
    encoder = shared.encoder
    key = {"cases": shared.cases.settings(), "fold": shared.cases.fold}
    key |= {"encoder": repr(encoder) if callable(encoder) else dict(encoder)}
    how = ("threads", "device")  # where it runs makes no other job of it
    training = {k: v for k, v in shared.training.items() if k not in how}
    key |= {"training": training, "options": shared.options}
    for name, start in shared.starts.items():
        folds = range(max(1, shared.cases.num_folds))
        paths = [start.folder(fold) / "encoder.pt" for fold in folds]
        key[name] = [start.carried, *runs.content_hashes(paths)]
    return key
