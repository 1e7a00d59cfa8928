"""Compare initialisations on the labels of a study: each, trained once, is a job."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import runs
from tinyssl.cases import Cases, draw_labelled
from tinyssl.jobs import run_jobs
from tinyssl.pretraining import Encoder, Shared, load_pretext, new_encoder
from tinyssl.pretraining import pretrain as pretrain
from tinyssl.starts import Start, carry
from tinyssl.summary import RANDOM, SAME_COMPUTE, SCRATCH, UNTRAINED, slug
from tinyssl.task import Target
from tinyssl.training import train


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
    labels : sequence of float in (0, 1], int, or "all"
        Shares of the labels, or numbers of labelled images. Fewer lie inside more.
    repeats : int
        Times that all folds are gone through, with other draws, weights and batches.
    steps, epochs, least_steps : int
        The budget of each: so many steps, or times each image and at least so many.
    batch_size, lr, seed, threads, device, workers, progress
        See `tinyssl.training.train` and `tinyssl.jobs.run_jobs`.
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
        same head, batches and views), "steps", "seconds", "scores", "curve", and where
        there are official test images "test". Small answers are kept too: "answers" to
        the cases "held", and "test_answers".
    """
    inits = [SCRATCH, SAME_COMPUTE] if pretrain_images else [SCRATCH]
    inits = [*(inits if target.trains else [UNTRAINED]), *starts]
    inits += [RANDOM] * any(start.carried == "frozen" for start in starts.values())
    most = max(asked_for(cases, asked) for asked in labels)
    jobs = []
    for cell, chosen in plan(cases, labels, repeats, seed):
        asked, run = cell["labels"], cell["run"]
        draw = cell["repeat"] if isinstance(asked, float) else run
        budget = steps if target.trains else 0
        if budget is None:
            budget = max(least_steps, math.ceil(len(chosen) * epochs / batch_size))
        for init in inits:
            extra = pretrain_images if init == SAME_COMPUTE else 0
            name = f"{slug(init)}-{asked}-run{run}"
            job = {"init": init, **cell, "seed": seed + draw}
            job["steps"] = budget + (math.ceil(extra / batch_size) if extra else 0)
            job |= {"chosen": chosen.tolist(), "file": Path(out) / f"jobs/{name}.json"}
            job["save"] = f"models/{name}.pt" if asked == most else None
            jobs.append(job)
    how = {"batch_size": batch_size, "lr": lr, "threads": threads, "device": device}
    shared = Shared(
        cases, Path(out), encoder, how, dict(starts), target, options, curve
    )
    running = {"workers": workers, "threads": threads, "progress": progress}
    running["steps"] = [job["steps"] for job in jobs]
    return run_jobs(_finetune, shared, jobs, key=shared.key(), **running)


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


def _finetune(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Train one initialisation on some labelled images; score what its fold holds."""
    cases, target, fold = shared.cases, shared.target, job["fold"]
    torch.manual_seed(job["seed"])  # one seed for every start: same head and batches
    encoder = new_encoder(shared.encoder, channels=target.channels)
    task = target.build(encoder, cases, **shared.options)
    start = shared.starts.get(job["init"])
    if start is not None:
        carry(task, start, fold)
    held = cases.held(fold)
    if job["init"] == RANDOM or (start and start.carried == "frozen"):
        task.freeze()

    def score() -> dict[str, float]:
        return target.score(cases, held, task.predict(cases.images(held), views=1))

    options = shared.training | {"steps": job["steps"], "seed": job["seed"]}
    if shared.curve:
        every = max(1, job["steps"] // shared.curve)
        options |= {"evaluate": score, "evaluate_every": every}
    columns, log = cases.take(target.columns, job["chosen"]), []
    if target.trains:
        log = train(task, columns, **options)
    else:
        task.to(shared.training["device"]).fit(*columns)
    row = {key: job[key] for key in job if key not in ("file", "save")}
    row |= {"seconds": log[-1]["seconds"] if log else 0.0, "curve": []}
    for entry in log:
        if next(iter(target.metrics)) in entry:
            found = {k: entry[k] for k in target.metrics if k in entry}
            row["curve"].append({"step": entry["step"] + 1} | found)
    parts = {"scores": ("answers", held), "test": ("test_answers", cases.test)}
    for name, (kept, index) in parts.items():
        if len(index):
            answers = task.predict(cases.images(index))
            row[name] = target.score(cases, index, answers)
            if target.keeps:
                row[kept] = runs.plain(rounded(answers))
    row["held"] = held.tolist()
    if job["save"]:
        runs.save_state(shared.out / job["save"], task.state_dict())
    return row


def rounded(answers: Any) -> Any:
    """Return answers with the digits that are worth keeping."""
    tuples = isinstance(answers, tuple)
    return tuple(map(rounded, answers)) if tuples else np.round(answers, 5)


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
    target, cases, starts, *, encoder, labels, repeats=1, seed=0, device="cpu"
) -> list[dict]:
    """Score probes of encoders as they are, and of one with random weights."""
    if not (starts and target.probes):
        return []
    rows, known = [], {}
    for cell, chosen in plan(cases, labels, repeats, seed):
        fold = cell["fold"]
        held = cases.held(fold)
        for name, start in {**starts, RANDOM: None}.items():
            place = start and start.folder(fold)
            if (name, place) not in known:
                torch.manual_seed(seed)
                fresh = new_encoder(encoder, channels=target.channels)
                task = target.build(fresh, cases)
                if start is not None:
                    carry(task, Start(start.run), fold)
                known[name, place] = features(task.to(device), cases)
            some = known[name, place]
            found = target.probe(cases, chosen, some[chosen], some[held])
            if start is not None and target.asks:
                if (name, fold, "asked") not in known:
                    learned = load_pretext(start.folder(fold), start.config)
                    known[name, fold, "asked"] = target.ask(cases, learned, held)
                found |= known[name, fold, "asked"]
            for how, answers in found.items():
                scores = target.score(cases, held, answers)
                rows.append({"init": f"{name}: {how}", **cell, "scores": scores})
    return rows


def features(task: Target, cases: Cases) -> np.ndarray:
    """Return the pooled features of every image: (N, D)."""

    def pooled(x):
        return task.pool(task.encoder.features(x))

    return task.answers(pooled, cases.columns["image"])
