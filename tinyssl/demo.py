"""``tinyssl demo``: the main job on the built-in synthetic eyes, in two minutes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tinyssl import experiment, models, runs, targets
from tinyssl.cases import Reading
from tinyssl.report import experiment as pages
from tinyssl.starts import Start
from tinyssl.studies import conclude, finish, read, result_lines, running, score_lines

IMAGES, SIZE, FOLDS = 360, 40, 3
TARGET, TASKS = "grade", ("rotation", "restoration")
LABELS = [0.1, 0.3, 1.0]
PRETRAINING = {"steps": 80, "batch_size": 32, "lr": 3e-3}
FINETUNING = {"epochs": 16, "least_steps": 40, "batch_size": 32, "lr": 3e-3}


def demo(s: SimpleNamespace) -> dict[str, Any]:
    """Learn from synthetic eyes without labels, then grade them with few.

    Returned is what ``finetune`` returns, and "pretraining": the scores of both tasks.
    """
    out, kind = Path(s.out), targets.find(TARGET)
    runs.refuse_foreign(out)
    reading = Reading(SIZE, FOLDS, s.seed, log=s.log)
    cases = read(TARGET, f"toy:{IMAGES}:{SIZE}:{s.seed}", reading)
    config = models.densenet_small().config
    settings = {"command": "demo", "encoder": config, "seed": s.seed}
    settings |= {"pretrain": PRETRAINING, "finetune": FINETUNING} | cases.settings()
    where = running(s, FOLDS)
    runs.claim(out, settings, where)
    how = {"encoder": config, "out": out, "seed": s.seed, **where}
    # Learn from the images alone
    s.log(f"pretraining on {IMAGES} synthetic eyes, {FOLDS} folds, two tasks")
    logs = {
        task: experiment.pretrain(task, cases, folder=task, **PRETRAINING, **how)
        for task in TASKS
    }
    # Learn to grade from few labels, beside scratch
    s.log("fine-tuning each initialisation on each share of the labels")
    starts = {task: Start(out / task) for task in TASKS}
    extra = PRETRAINING["steps"] * PRETRAINING["batch_size"]
    how |= FINETUNING | {"labels": LABELS, "pretrain_images": extra, "curve": 6}
    rows = experiment.compare_starts(kind, cases, starts, **how)
    beside = {"labels": LABELS, "seed": s.seed}
    baselines = experiment.baseline_rows(kind, cases, **beside)
    frozen = experiment.frozen_rows(kind, cases, starts, encoder=config, **beside)
    results = {"command": "demo"} | conclude(kind, cases, rows, baselines, frozen)
    results["pretraining"] = {
        task: [entry["scores"] for entry in log] for task, log in logs.items()
    }
    trained = {"encoder": config, "out": out, "labels": LABELS}
    finish(out, kind, cases, results, trained)
    pages.comparison(out, kind, cases, results, trained, logs=logs)
    lines = [line for task, log in logs.items() for line in score_lines(task, log)]
    lines += [*result_lines(results), f"report: {out}/report.html"]
    return results | {"lines": lines}
