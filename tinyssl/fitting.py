"""The jobs of a comparison: train one start on some labelled images; choose how to."""

import time
from typing import Any

import numpy as np
import torch

from tinyssl import ranks, runs
from tinyssl.data.folds import stratified_group_folds
from tinyssl.pretraining import Shared, new_encoder
from tinyssl.rows import thin
from tinyssl.starts import carry
from tinyssl.summary import RANDOM, mean_of
from tinyssl.task import Target
from tinyssl.training import train

PARTS = 3  # of the labelled images, of which each judges a schedule once
WATCHED = 2000  # held-out images that are scored for a curve, at most
HELD_OUT = "held-out "


def begin(shared: Shared, job: dict[str, Any]) -> Target:
    """Build the task of a job with the weights that it starts with."""
    torch.manual_seed(job["seed"])  # one seed for every start: same head and batches
    encoder = new_encoder(shared.encoder, channels=shared.target.channels)
    task = shared.target.build(encoder, shared.cases, **shared.options)
    start = shared.starts.get(job["init"])
    if start is not None:
        carry(task, start.of_repeat(job["repeat"]), job["fold"])
    if job["init"] == RANDOM or (start and start.carried == "frozen"):
        task.freeze()
    return task


def fit(task: Target, shared: Shared, job, index, schedule, **how) -> list[dict]:
    """Train a task, by a schedule, on some of the cases; return the log."""
    if schedule.get("frozen"):
        task.freeze()
    rates = {k: schedule[k] for k in ("lr", "encoder_rate") if k in schedule}
    how = shared.training | {"seed": job["seed"]} | rates | how
    return train(task, shared.cases.take(shared.target.columns, index), **how)


def choose(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Choose a schedule by scores on thirds of the labelled images, and say them."""
    cases, target, tried = shared.cases, shared.target, []
    begun, index = time.process_time(), np.array(job["chosen"])
    nothing = np.zeros(len(cases), np.int64)
    classes = cases.columns.get(cases.facts.get("classes"), nothing)[index]
    groups = cases.groups[index]
    parts = min(PARTS, len(np.unique(groups)))
    metric, higher = next((k, of.higher) for k, of in target.metrics.items())
    if parts > 1:
        part_of = stratified_group_folds(classes, groups, parts, rng=job["seed"])
    for schedule in job["schedules"] if parts > 1 else ():
        scores = []
        for part in range(parts):
            task, held = begin(shared, job), index[part_of == part]
            seen, steps = index[part_of != part], schedule["steps"]
            fit(task, shared, job, seen, schedule, steps=steps)
            answers = task.predict(cases.images(held))
            scores.append(target.score(cases, held, answers)[metric])
        tried.append(mean_of(scores))
    known = [score if higher else -score for score in tried]
    best = int(np.nanargmax(known)) if np.isfinite(known).any() else 0
    row = {"schedule": job["schedules"][best], "tried": tried}
    return row | {"seconds": round(ranks.size() * (time.process_time() - begun), 2)}


def finetune(shared: Shared, job: dict[str, Any]) -> dict[str, Any]:
    """Train one initialisation on some labelled images; score what its fold holds."""
    cases, target, fold = shared.cases, shared.target, job["fold"]
    begun, task, held = time.process_time(), begin(shared, job), cases.held(fold)
    some = thin(held, WATCHED)

    def score() -> dict[str, float]:
        scores = target.score(cases, some, task.predict(cases.images(some), views=1))
        # Names of their own: what a batch of training logs is no point of the curve
        return {HELD_OUT + key: scores[key] for key in target.metrics if key in scores}

    options, log = {"steps": job["steps"]}, []
    if shared.curve:
        every = max(1, job["steps"] // shared.curve)
        options |= {"evaluate": score, "evaluate_every": every}
    if target.trains:
        schedule = job.get("schedule", {})
        log = fit(task, shared, job, job["chosen"], schedule, **options)
    else:
        columns = cases.take(target.columns, job["chosen"])
        task.to(shared.training["device"]).fit(*columns)
    row = {key: job[key] for key in job if key not in ("start", "file", "save")}
    row["curve"] = []
    for entry in log:
        held_out = (key for key in entry if key.startswith(HELD_OUT))
        if found := {key.removeprefix(HELD_OUT): entry[key] for key in held_out}:
            row["curve"].append({"step": entry["step"] + 1} | found)
    parts = {"scores": ("answers", held), "test": ("test_answers", cases.test)}
    for name, (kept, index) in parts.items():
        if len(index):
            answers = task.predict(cases.images(index))
            row[name] = target.score(cases, index, answers)
            if target.keeps:
                row[kept] = runs.plain(rounded(answers))
    seconds = ranks.size() * (time.process_time() - begun)
    row |= {"held": held.tolist(), "seconds": round(seconds, 2)}
    if job["save"]:
        runs.save_state(job["save"], task.state_dict())
    return row


def rounded(answers: Any) -> Any:
    """Return answers with the digits that are worth keeping."""
    tuples = isinstance(answers, tuple)
    return tuple(map(rounded, answers)) if tuples else np.round(answers, 5)
