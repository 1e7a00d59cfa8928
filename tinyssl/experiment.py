"""Compare initialisations on the labels of a study: each, trained once, is a job."""

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import fitting, runs
from tinyssl.cases import Cases, draw_labelled
from tinyssl.dictionary import PatchDictionary
from tinyssl.jobs import run_jobs
from tinyssl.pretraining import Encoder, Shared, load_pretext, new_encoder
from tinyssl.pretraining import pretrain as pretrain
from tinyssl.starts import Start, carry
from tinyssl.summary import RANDOM, SAME_COMPUTE, SCRATCH, UNTRAINED, slug
from tinyssl.task import Target

SCHEDULES = (  # of fine-tuning, to choose among; the first where nothing can be chosen
    {"steps": 150},
    {"steps": 60},
    {"steps": 400},
    {"steps": 150, "lr": 1e-3},
    {"steps": 150, "encoder_rate": 0.1},
    {"steps": 150, "frozen": True},
)
FILTERS = "random filters"
SMALL = 32  # pixels of a side, up to which patches are smaller and closer


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
    schedules: Sequence[Mapping[str, Any]] = (),
    pretrain_images: int = 0,
    curve: int = 0,
    seed: int = 0,
    threads: int = 1,
    device: str = "cpu",
    precision: str | None = None,
    compile: bool = False,
    workers: int = 1,
    executor: Executor | None = None,
    until: float | None = None,
    progress: bool = False,
    **options: Any,
) -> list[dict[str, Any]]:
    """Train every initialisation on the same labelled images; score what is held out.

    A target that trains nothing is fitted to them instead, without a budget, on each
    encoder as it is and on one with random weights in the place of scratch.

    Parameters
    ----------
    target : class
        Of `tinyssl.targets.TARGETS`, or your own.
    cases, starts : Cases, dict of name to Start
        As ``target.read`` returns them, and what stands beside "scratch".
    encoder : dict, or callable that returns a Module
        As `tinyssl.models.from_config` takes it, or a function of your own.
    out : path
        Run folder: jobs/ holds finished jobs, models/ those with the most labels.
        Starts and labels that are added later are trained beside them.
    labels : sequence of float in (0, 1], int, or "all"
        Shares of the labels, or numbers of labelled images. Fewer lie inside more.
    repeats : int
        Times that all folds are gone through, with other draws, weights and batches.
    steps, epochs, least_steps : int
        The budget of each: so many steps, or times each image and at least so many.
    batch_size, lr, seed, threads, device, precision, compile, until, workers
    executor, progress
        See `tinyssl.training.train` and `tinyssl.jobs.run_jobs`. Any executor of
        `concurrent.futures` gives the rows that worker processes give.
    schedules : sequence of dicts, such as `SCHEDULES`
        Among these "steps", "lr", "encoder_rate" and "frozen" are chosen, in place of
        the budget, for every initialisation, number of labels and fold, by thirds of
        the images labelled in the first repeat; what is scored has no part in it.
    pretrain_images : int
        If not 0, "scratch, same compute" trains on that many images more.
    curve : int
        Times that held-out images are scored during training, for the curve.
    **options
        Of the target; see its ``build``.

    Returns
    -------
    list of dict
        One row an initialisation, number of labels, repeat and fold: "init",
        "labels" (as asked), "n" (images that were), "repeat", "fold", "run" (counts
        folds through the repeats), "seed" (the same for every initialisation: the
        same head, batches and views), "steps", "seconds" (of processors), "scores",
        "curve", and where there are official test images "test". Small answers are
        kept too: "answers" to the cases "held", and "test_answers".
    """
    inits = [SCRATCH, SAME_COMPUTE] if pretrain_images else [SCRATCH]
    inits = [*(inits if target.trains else [UNTRAINED]), *starts]
    inits += [RANDOM] * any(start.carried == "frozen" for start in starts.values())
    most = max(asked_for(cases, asked) for asked in labels)
    jobs, again = [], math.ceil(pretrain_images / (batch_size or 1))  # same compute
    content = functools.cache(Start.content)
    for cell, chosen in plan(cases, labels, repeats, seed):
        asked, run = cell["labels"], cell["run"]
        draw = cell["repeat"] if isinstance(asked, float) else run
        budget = steps if target.trains else 0
        if budget is None:
            budget = max(least_steps, math.ceil(len(chosen) * epochs / batch_size))
        for init in inits:
            name = f"{slug(init)}-{asked}-run{run}"
            job = {"init": init, **cell, "seed": seed + draw}
            job["steps"] = budget + (again if init == SAME_COMPUTE else 0)
            if start := starts.get(init):
                job["start"] = content(start.of_repeat(cell["repeat"]), cell["fold"])
            job |= {"chosen": chosen.tolist(), "file": Path(out) / f"jobs/{name}.json"}
            job["save"] = Path(out) / f"models/{name}.pt" if asked == most else None
            jobs.append(job)
    how = {"batch_size": batch_size, "lr": lr, "threads": threads, "device": device}
    how |= {"precision": precision, "compile": compile, "until": until}
    shared = Shared(
        cases, Path(out), encoder, how, dict(starts), target, options, curve
    )
    running = {"key": shared.key(), "workers": workers, "threads": threads}
    running |= {"progress": progress, "executor": executor, "images": batch_size}
    if schedules and target.trains:
        _schedule(jobs, schedules, shared, again, running)
    running["steps"] = [job["steps"] for job in jobs]
    return run_jobs(fitting.finetune, shared, jobs, **running)


def _schedule(jobs, schedules, shared, again, running):
    """Choose a schedule in the first repeat of each fold; write it into all jobs."""
    cell = operator.itemgetter("init", "labels", "fold")
    first = {cell(job): job for job in jobs if job["repeat"] == 0}
    choices = []
    for job in first.values():
        name = f"choice-{job['file'].name}"
        choices.append({**job, "schedules": schedules, "save": None})
        choices[-1] |= {"file": job["file"].with_name(name)}
    steps = fitting.PARTS * sum(schedule["steps"] for schedule in schedules)
    running = running | {"steps": [steps] * len(choices)}
    found = run_jobs(fitting.choose, shared, choices, **running)
    chosen = dict(zip(first, found, strict=True))
    for job in jobs:
        job["schedule"] = chosen[cell(job)]["schedule"]
        job["steps"] = job["schedule"]["steps"]
        job["steps"] += again if job["init"] == SAME_COMPUTE else 0


def plan(cases, labels, repeats, seed):
    """Yield what is the same for all in a run, and its labelled images; long first."""
    numbered = sorted((asked_for(cases, asked) for asked in labels), reverse=True)
    for run in range(repeats * cases.num_folds):
        repeat, fold = divmod(run, cases.num_folds)
        for asked in numbered:
            chosen = draw_labelled(cases, asked, run=run, fold=fold, seed=seed)
            cell = {"labels": asked, "n": len(chosen), "repeat": repeat, "fold": fold}
            yield cell | {"run": run}, chosen


def asked_for(cases, labels) -> float | int:
    """Return a share or a number; "all" is what every fold has."""
    if labels != "all":
        return labels
    parts = [cases.part(fold, labelled=True) for fold in range(cases.num_folds)]
    return min(map(len, parts))


def loader(target, cases, *, encoder, out, labels, **options) -> Callable[..., Target]:
    """Return a function of init and run: what was trained with the most labels."""
    most = max(asked_for(cases, asked) for asked in labels)

    def load(init: str, run: int = 0) -> Target:
        fresh = new_encoder(encoder, channels=target.channels)
        task = target.build(fresh, cases, **options)
        path = Path(out) / f"models/{slug(init)}-{most}-run{run}.pt"
        return runs.fill(task, runs.load_plain(path), path).eval()

    return load


# Beside them: what needs no training of a network


def baseline_rows(target, cases, *, labels, repeats=1, seed=0) -> list[dict]:
    """Score the baselines that know nothing, in the shape of the other rows."""
    rows = []
    for cell, chosen in plan(cases, labels, repeats, seed):
        held = cases.held(cell["fold"])
        for init, answers in target.baselines(cases, chosen, held).items():
            scores = target.score(cases, held, answers)
            rows.append({"init": init, **cell, "scores": scores})
    return rows


def frozen_rows(
    target,
    cases,
    starts,
    *,
    encoder,
    labels,
    repeats=1,
    seed=0,
    device="cpu",
    beside: Mapping[str, tuple[Cases, Encoder]] | None = None,
) -> list[dict]:
    """Score probes of encoders as they are, of one with random weights, of filters.

    Those of `tinyssl.dictionary`, at random: what is whitened, but was not learned.
    Starts that ``beside`` names have an encoder of their own, and see the same cases
    at a size of their own; the filters see the largest.
    """
    if not target.probes:
        return []
    rows, known, names, beside = [], {}, [*starts, RANDOM], dict(beside or {})
    names += [] if "volumes" in cases.facts else [FILTERS]
    large = [cases, *(other for other, _ in beside.values())]
    beside[FILTERS] = max(large, key=lambda c: c.columns["image"].shape[1]), None
    cells = [*plan(cases, labels, repeats, seed)]
    for cell, chosen in cells:
        fold, held = cell["fold"], cases.held(cell["fold"])
        for name in names:
            start = starts.get(name)
            start = start and start.of_repeat(cell["repeat"])
            seen, config = beside.get(name, (cases, encoder))
            key = name, _blind(name, start, fold)
            if key not in known:  # of what any cell of its folds asks
                folds = [*range(cases.num_folds)]
                folds = [k for k in folds if _blind(name, start, k) == key[1]]
                asked = [*(some for c, some in cells if c["fold"] in folds)]
                index = np.unique(np.concatenate([*asked, *map(cases.held, folds)]))
                if name == FILTERS:
                    found = random_filters(seen, index, fold, seed)
                else:
                    torch.manual_seed(seed)
                    fresh = new_encoder(config, channels=target.channels)
                    task = target.build(fresh, seen)
                    if start is not None:
                        carry(task, replace(start, carried="encoder"), fold)
                    found = features(task.to(device), seen, index)
                known[key] = index, found
            index, some = known[key]
            both = (some[np.searchsorted(index, at)] for at in (chosen, held))
            found = target.probe(cases, chosen, *both)
            if start is not None and target.asks:
                if (*key, fold) not in known:
                    learned = load_pretext(start.folder(fold), start.config)
                    known[*key, fold] = target.ask(seen, learned, held)
                found |= known[*key, fold]
            for how, answers in found.items():
                scores = target.score(cases, held, answers)
                rows.append({"init": f"{name}: {how}", **cell, "scores": scores})
    return rows


def _blind(name, start, fold):
    """Return which of an initialisation's encoders is blind to a fold."""
    return start.folder(fold) if start else fold * (name == FILTERS)


def features(task: Target, cases: Cases, index: np.ndarray) -> np.ndarray:
    """Return the features of some images, pooled for a probe: (len(index), D)."""

    def described(x):
        return task.describe(task.encoder.features(x))

    return task.answers(described, cases.images(index))


def random_filters(cases: Cases, index, fold: int, seed: int) -> np.ndarray:
    """Return what `features` does, of random filters of patches: (len(index), 3 K)."""
    images = cases.columns["image"]
    small = {"patch_size": 5, "stride": 1} if images.shape[1] <= SMALL else {}
    filters = PatchDictionary(filters="random", rng=seed, **small)
    filters.fit(cases.images(cases.part(fold, labelled=False)))
    return filters.features(cases.images(index))
