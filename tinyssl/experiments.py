"""Label efficiency: scratch against pretrained, on the same folds, with intervals.

Two kinds of job, each one process and one thread by default: pretrain an encoder on
the training part of a fold, and fine-tune one start (scratch or an encoder) on a
share of that fold's labels. Finished jobs leave a file, so a stopped experiment goes
on where it was.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import models, runs
from tinyssl.data import folds as splits
from tinyssl.data.images import round_mask
from tinyssl.downstream import baselines, grading
from tinyssl.jobs import run_jobs
from tinyssl.pretext import build_task
from tinyssl.pretext.rotation import LIT
from tinyssl.study import Study
from tinyssl.summary import SAME_COMPUTE, SCRATCH, slug
from tinyssl.training import train

MOST_SCORED = 256  # images on which a pretext task is scored
AS_GRADED = {"standardise": False}  # what grades, locates or tells eyes sees [0, 1]


# Jobs


def build_pretext(
    name: str, study: Study, *, weights: str | None = None, **options: Any
) -> torch.nn.Module:
    """Make a pretext task around a fresh encoder, or one with torchvision's weights.

    The options are those that its run has recorded, so that a run folder gives back
    the task that was trained; new runs begin with ``AS_GRADED``.
    """
    torch.manual_seed(study.seed)
    encoder = models.from_config(study.encoder)
    if weights:
        models.load_torchvision(encoder, weights)
    if name != "rotation":
        patch_size = max(2, study.images.shape[1] // 8)
        region = common_field(study.images) if study.is_fundus else None
        options = {"patch_size": patch_size, "region": region} | options
    return build_task(name, encoder, **options)


def common_field(images: np.ndarray) -> np.ndarray:
    """Mark the pixels that lie in the field of view of nine images in ten.

    Parameters
    ----------
    images : (N, S, S, C) uint8 array

    Returns
    -------
    (S, S) bool array
        Inside the round mask, without what most cameras of the set cut off.
    """
    lit = (np.asarray(images).max(-1) > LIT).mean(0) >= 0.9
    return lit & round_mask(images.shape[1])


def pretrain_fold(study: Study, job: dict[str, Any]) -> dict[str, Any]:
    """Pretrain on all images a fold may see, labelled or not; write encoder.pt."""
    out = study.out / job["folder"]
    seen = study.training_part(job["fold"], labelled=False)
    options = job["task_options"]
    task = build_pretext(job["task"], study, weights=job["weights"], **options)
    data = (study.images[seen],)
    rows = train(task, data, out=out, **study.layout(), **job["train"])
    hashes = [study.hashes[i] for i in seen]
    runs.save_encoder(out / "encoder.pt", task.encoder, task=job["task"], seen=hashes)
    runs.save_state(out / "task.pt", task.state_dict())
    (out / "checkpoint.pt").unlink(missing_ok=True)  # done: nothing to resume
    scored_on, images = unseen_images(study, job["fold"])
    scores = task.evaluate(images[:MOST_SCORED], np.random.default_rng(study.seed))
    result = {key: job[key] for key in ("task", "fold", "task_options")} | {
        "rows": rows
    }
    return result | {"scored_on": scored_on, "scores": scores}


def unseen_images(study: Study, fold: int | None) -> tuple[str, np.ndarray]:
    """Return images that pretraining has not seen, where there are any."""
    test = study.fold == -2
    if fold is not None:
        return "held-out images", study.images[study.fold == fold]
    if test.any():
        return "test images", study.images[test]
    return "training images", np.asarray(study.images)


def finetune_fold(study: Study, job: dict[str, Any]) -> dict[str, Any]:
    """Fine-tune one start on a share of a fold's labels; score what was held out."""
    fold, seed = job["fold"], study.seed
    part = study.training_part(fold, labelled=True)
    chosen = part[
        splits.label_subset(
            study.grades[part], study.groups[part], job["fraction"], rng=[seed, fold]
        )
    ]
    # One seed for every start: the same head, batches and views
    torch.manual_seed(seed)
    encoder = models.from_config(study.encoder)
    task = grading.Grading(encoder, num_grades=study.num_grades, head=job["head"])
    if job["weights"]:
        saved, _ = runs.load_encoder(job["weights"])
        models.load_weights(task.encoder, saved.state_dict())
    held = np.flatnonzero((study.fold == fold) & (study.grades >= 0))
    test = np.flatnonzero((study.fold == -2) & (study.grades >= 0))

    def score() -> dict[str, float]:
        answers = grading.predict(task, study.images[held])
        return grading.evaluate(study.grades[held], *answers)

    size, epochs = job["batch_size"], job["epochs"]
    steps = finetuning_steps(len(chosen), size, epochs, least=job["least_steps"])
    steps += job["extra_steps"]
    log = train(
        task,
        (study.images[chosen], study.grades[chosen]),
        steps=steps,
        batch_size=job["batch_size"],
        lr=job["lr"],
        evaluate=score,
        evaluate_every=max(1, steps // 6),
        **study.layout(),
    )
    row = {key: job[key] for key in ("init", "fraction", "fold", "head")}
    row |= {"labels": len(chosen), "steps": steps, "seconds": log[-1]["seconds"]}
    row["curve"] = [[r["step"] + 1, r["qwk"], r["accuracy"]] for r in log if "qwk" in r]
    answers = grading.predict(task, study.images[held], views=8)
    row |= grading.evaluate(study.grades[held], *answers)
    if job["save"]:
        row["held_out"] = held.tolist()
        row["probabilities"] = answers[1].round(5).tolist()
    if len(test):
        answers = grading.predict(task, study.images[test], views=8)
        row["test"] = grading.evaluate(study.grades[test], *answers)
        row["test_probabilities"] = answers[1].round(5).tolist()
    if job["save"]:
        runs.save_state(study.out / job["save"], task.state_dict())
    return row


def finetuning_steps(labels: int, batch_size: int, epochs: int, least: int = 60) -> int:
    """Return the steps that see every image ``epochs`` times, but never too few.

    Examples
    --------
    >>> finetuning_steps(320, 32, 30), finetuning_steps(16, 32, 30)
    (300, 60)
    """
    return max(least, math.ceil(labels * epochs / batch_size))


# The experiment


def label_efficiency(
    study: Study,
    *,
    inits: dict[str, Sequence[Path]],
    fractions: Sequence[float] = (0.05, 0.1, 0.25, 0.5, 1.0),
    head: str = "continuation",
    epochs: int = 30,
    least_steps: int = 60,
    batch_size: int = 32,
    lr: float = 3e-3,
    pretrain_images: int = 0,
    workers: int = 1,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Fine-tune every start on every share of the labels in every fold.

    Parameters
    ----------
    study : Study
    inits : dict of name to one encoder.pt a fold
        Beside them stand "scratch", and "scratch, same compute" if
        ``pretrain_images`` is given.
    fractions : sequence of float in (0, 1]
        Shares of a fold's labels; a smaller share lies inside a larger one.
    head, epochs, least_steps, batch_size, lr
        The same for every start; see ``finetuning_steps``.
    pretrain_images : int
        Images the longest pretraining processed (steps times batch size). The row
        "scratch, same compute" trains that many more.
    workers : int
        Processes.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    list of dict
        One row a start, share and fold: "qwk", "accuracy", "auc" on the held-out
        fold, "curve" of (step, qwk, accuracy), "labels", "steps", "seconds", and
        "test" where there are official test images.
    """
    starts: dict[str, Sequence[Path | None]] = {SCRATCH: [None] * study.num_folds}
    if pretrain_images:
        starts[SAME_COMPUTE] = [None] * study.num_folds
    starts |= inits
    jobs = []
    for fold in range(study.num_folds):
        for fraction in sorted(fractions, reverse=True):  # the long ones first
            for init, weights in starts.items():
                extra = pretrain_images if init == SAME_COMPUTE else 0
                job = {"init": init, "fraction": fraction, "fold": fold, "head": head}
                job |= {"epochs": epochs, "batch_size": batch_size, "lr": lr}
                job["least_steps"] = least_steps
                job |= {"extra_steps": math.ceil(extra / batch_size)}
                job["weights"] = weights[fold]
                name = f"{slug(init)}-fold{fold}"
                whole = fraction == max(fractions)
                job["save"] = f"models/{name}.pt" if whole else None
                job["file"] = f"jobs/{name}-{fraction:.4f}.json"
                jobs.append(job)
    return run_study(finetune_fold, study, jobs, workers=workers, progress=progress)


def ensemble_rows(study: Study, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Score the folds' mean probabilities on the official test images."""
    cells: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["init"], row["fraction"]), []).append(row)
    truth = study.grades[(study.fold == -2) & (study.grades >= 0)]
    lines = []
    for (init, fraction), folds in cells.items():
        mean = np.mean([row["test_probabilities"] for row in folds], axis=0)
        grades = grading.decode(mean, folds[0]["head"])
        line = {"init": init, "fraction": fraction, "models": len(folds)}
        lines.append(line | grading.evaluate(truth, grades, mean))
    return lines


def baseline_rows(study: Study, fractions: Iterable[float]) -> list[dict[str, Any]]:
    """Score the baselines that know nothing, in the shape of the other rows."""
    features = baselines.global_intensities(study.images)
    rows = []
    for fold in range(study.num_folds):
        part = study.training_part(fold, labelled=True)
        held = np.flatnonzero((study.fold == fold) & (study.grades >= 0))
        for fraction in fractions:
            rng = [study.seed, fold]
            groups, K = study.groups[part], study.num_grades
            chosen = part[
                splits.label_subset(study.grades[part], groups, fraction, rng=rng)
            ]
            labels = study.grades[chosen]
            answers = {
                "majority grade": baselines.majority(labels, len(held), K),
                "global intensities": baselines.logistic_regression(
                    features[chosen], labels, features[held], num_grades=K
                ),
            }
            for init, probabilities in answers.items():
                row = {"init": init, "fraction": fraction, "fold": fold}
                best = probabilities.argmax(1)
                row |= grading.evaluate(study.grades[held], best, probabilities)
                rows.append(row)
    return rows


def run_study(
    function: Callable[[Study, dict[str, Any]], dict[str, Any]],
    study: Study,
    jobs: list[dict[str, Any]],
    *,
    workers: int = 1,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Run the jobs of a study; finished ones of the same settings are kept."""
    key = study.settings() | {"fold": study.fold, "grades": study.grades}
    for job in jobs:
        job["file"] = study.out / job["file"]
    return run_jobs(
        function,
        study,
        jobs,
        key=key,
        workers=workers,
        threads=study.threads,
        progress=progress,
    )
