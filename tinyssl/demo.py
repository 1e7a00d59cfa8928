"""``tinyssl demo``: the main job on the built-in synthetic eyes, in two minutes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyssl import experiment, models, runs
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.grade.keep import keep_grader
from tinyssl.report import experiment as pages
from tinyssl.starts import Start
from tinyssl.studies import conclude, processes, result_lines, score_lines
from tinyssl.targets.grading import Grading

IMAGES, SIZE, FOLDS = 360, 40, 3
TASKS = ("rotation", "restoration")
FRACTIONS = (0.1, 0.3, 1.0)
PRETRAINING = {"steps": 80, "batch_size": 32, "lr": 3e-3}
FINETUNING = {"epochs": 16, "least_steps": 40, "batch_size": 32, "lr": 3e-3}


def demo(
    *,
    out: Path,
    seed: int = 0,
    threads: int = 1,
    workers: int | None = None,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Learn from synthetic eyes without labels, then grade them with few.

    Parameters
    ----------
    out, seed, threads, workers, log
        See `tinyssl.commands.demo`.

    Returns
    -------
    dict
        As ``finetune`` returns it, with "pretraining": the scores of both tasks.
    """
    out = Path(out)
    table = open_dataset(f"toy:{IMAGES}:{SIZE}:{seed}")
    cases = Grading.read(table, Reading(SIZE, FOLDS, seed, log=log))
    config = models.densenet_small().config
    settings = {"command": "demo", "encoder": config, "seed": seed}
    settings |= {"pretrain": PRETRAINING, "finetune": FINETUNING}
    runs.claim(out, settings | cases.settings(), {"threads": threads})
    workers = processes(workers, threads, FOLDS)
    how = {"encoder": config, "out": out, "seed": seed, "threads": threads}
    how |= {"workers": workers, "progress": True}
    # Learn from the images alone
    log(f"pretraining on {IMAGES} synthetic eyes, {FOLDS} folds, two tasks")
    logs = {
        task: experiment.pretrain(task, cases, folder=task, **PRETRAINING, **how)
        for task in TASKS
    }
    # Learn to grade from few labels, beside scratch
    log("fine-tuning each initialisation on each share of the labels")
    starts = {task: Start(out / task) for task in TASKS}
    plan = {"labels": FRACTIONS, "seed": seed}
    extra = PRETRAINING["steps"] * PRETRAINING["batch_size"]
    rows = experiment.compare_starts(
        Grading,
        cases,
        starts,
        labels=FRACTIONS,
        pretrain_images=extra,
        curve=6,
        **FINETUNING,
        **how,
    )
    baselines = experiment.baseline_rows(Grading, cases, **plan)
    frozen = experiment.frozen_rows(Grading, cases, starts, encoder=config, **plan)
    results = {"command": "demo"} | conclude(Grading, cases, rows, baselines, frozen)
    trained = experiment.loader(
        Grading, cases, encoder=config, out=out, labels=FRACTIONS
    )
    results["kept"] = keep_grader(out, cases, results, trained, config)
    results["pretraining"] = {
        task: [entry["scores"] for entry in log] for task, log in logs.items()
    }
    for row in rows:
        for name in ("answers", "held"):
            row.pop(name, None)
    runs.write_json(out / "results.json", results)
    config = runs.read_config(out)
    pages.demonstration(out, cases, logs, Grading, results, trained, config)
    lines = [line for task, log in logs.items() for line in score_lines(task, log)]
    lines += [*result_lines(results), f"report: {out}/report.html"]
    return results | {"lines": lines}
