"""``tinyssl pretrain``: learn from images without labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import experiments, models, runs
from tinyssl.commands import pages
from tinyssl.commands.prepare import ENCODERS, open_study, start_run
from tinyssl.commands.say import Say, silent


def pretrain(
    data: str | Path,
    *,
    task: str,
    out: Path,
    size: int = 96,
    encoder: str = "small",
    weights: Path | None = None,
    folds: int = 0,
    transductive: bool = False,
    steps: int = 600,
    batch_size: int = 32,
    lr: float = 3e-3,
    task_options: dict[str, Any] | None = None,
    workers: int = 1,
    say: Say = silent,
    **options: Any,
) -> dict[str, Any]:
    """Pretrain an encoder, or one a fold, and leave encoder.pt in the run folder.

    Parameters
    ----------
    data, out, size, folds, transductive, workers, say, **options
        See ``open_study``.
    task : {"rotation", "restoration", "shuffling"}
    encoder : {"small", "densenet121", "sononet"}
    weights : path, optional
        A file of torchvision's densenet121 weights to start from.
    steps, batch_size, lr
        See ``tinyssl.training.train``.
    task_options : dict, optional
        Keyword arguments of the task. Without "standardise" it is False, for so will
        the target tasks show whole images.

    Returns
    -------
    dict
        What ``results.json`` holds: "task" and, one a fold, the "last" rows of the log
        averaged, and the "scores" on images that pretraining has not seen.
    """
    if folds and transductive:
        raise ValueError("--transductive goes without --folds, which hold images out")
    task_options = experiments.AS_GRADED | (task_options or {})
    fresh = ENCODERS[encoder]()
    if weights is not None:
        say(f"{weights}: {models.load_torchvision(fresh, weights)}")
    study = open_study(
        data,
        out=Path(out),
        size=size,
        folds=folds,
        encoder=fresh.config,
        transductive=transductive,
        workers=workers,
        say=say,
        **options,
    )
    settings = {"task": task, "folds": folds, "transductive": transductive}
    settings |= {"steps": steps, "batch_size": batch_size, "lr": lr}
    settings |= {"weights": weights, "task_options": task_options}
    start_run(study, "pretrain", settings)
    jobs = pretraining_jobs(
        task, range(folds) if folds else [None], steps, batch_size, lr, task_options
    )
    for job in jobs:
        job["weights"] = None if weights is None else str(weights)
    logs = experiments.run_study(
        experiments.pretrain_fold, study, jobs, workers=workers, progress=True
    )
    tail = max(1, steps // 10)
    results = {
        "command": "pretrain",
        "task": task,
        "last": [mean_rows(log["rows"][-tail:]) for log in logs],
        "scores": [
            {key: log[key] for key in ("fold", "scored_on", "scores")} for log in logs
        ],
    }
    runs.write_json(study.out / "results.json", results)
    pages.pretraining(study, logs)
    return results


def pretraining_jobs(
    task: str,
    folds: Sequence[int | None],
    steps: int,
    batch_size: int,
    lr: float,
    task_options: dict[str, Any] | None = None,
    folder: str = "",
) -> list[dict[str, Any]]:
    """Describe one pretraining a fold; fold None is all that may be seen."""
    task_options = experiments.AS_GRADED | (task_options or {})
    train = {"steps": steps, "batch_size": batch_size, "lr": lr}
    jobs = []
    for fold in folds:
        place = Path(folder) / ("" if fold is None else f"fold{fold}")
        job = {"task": task, "fold": fold, "folder": str(place), "train": train}
        job |= {"task_options": task_options, "weights": None}
        job["file"] = str(place / "done.json")
        jobs.append(job)
    return jobs


def mean_rows(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Average the logged numbers of several steps."""
    keys = [k for k in rows[-1] if k not in ("step", "lr", "seconds")]
    return {key: float(np.mean([row[key] for row in rows])) for key in keys}
