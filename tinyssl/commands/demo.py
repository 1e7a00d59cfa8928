"""``tinyssl demo``: the main job on the built-in synthetic eyes, in two minutes."""

from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import experiments, models, runs
from tinyssl.commands import pages
from tinyssl.commands.finetune import conclude
from tinyssl.commands.prepare import start_run
from tinyssl.commands.pretrain import pretraining_jobs
from tinyssl.commands.say import Say, silent
from tinyssl.data import toy
from tinyssl.data.copies import content_groups
from tinyssl.study import Study, assign_folds

IMAGES, SIZE, FOLDS = 360, 40, 3
FRACTIONS = (0.1, 0.3, 1.0)
PRETRAINING = {"steps": 80, "batch_size": 32, "lr": 3e-3}
FINETUNING = {"epochs": 16, "least_steps": 40, "batch_size": 32, "lr": 3e-3}


def demo(
    *,
    out: Path,
    seed: int = 0,
    threads: int | None = None,
    workers: int = 1,
    say: Say = silent,
) -> dict[str, Any]:
    """Learn from synthetic eyes without labels, then grade them with few.

    Parameters
    ----------
    out : path
        Run folder; report.html in it is the page to open.
    seed, threads, workers, say
        See ``tinyssl.commands.prepare.open_study``.

    Returns
    -------
    dict
        As ``finetune`` returns it, with "pretraining": the scores of both tasks.
    """
    eyes = toy.fundus(IMAGES, size=SIZE, rng=seed)
    groups = content_groups(eyes.images, eyes.patient)
    study = Study(
        images=eyes.images,
        grades=eyes.grades,
        groups=groups,
        fold=assign_folds(eyes.grades, groups, FOLDS, seed=seed),
        encoder=models.densenet_small().config,
        num_grades=5,
        is_fundus=True,
        hashes=runs.content_hashes(eyes.images),
        out=Path(out),
        seed=seed,
        threads=threads or 1,  # a process a core; not measured, so that two runs agree
    )
    settings = {"fractions": FRACTIONS, "folds": FOLDS}
    start_run(
        study, "demo", settings | {"pretrain": PRETRAINING, "finetune": FINETUNING}
    )
    # Learn from the images alone
    say(f"pretraining on {IMAGES} synthetic eyes, {FOLDS} folds, two tasks")
    jobs = [
        job
        for task in ("rotation", "restoration")
        for job in pretraining_jobs(task, range(FOLDS), folder=task, **PRETRAINING)
    ]
    found = experiments.run_study(
        experiments.pretrain_fold, study, jobs, workers=workers, progress=True
    )
    logs = {
        task: [log for log in found if log["task"] == task]
        for task in ("rotation", "restoration")
    }
    # Learn to grade from few labels, beside scratch
    say("fine-tuning each start on each share of the labels")
    rows = experiments.label_efficiency(
        study,
        inits={
            task: [study.out / task / f"fold{k}" / "encoder.pt" for k in range(FOLDS)]
            for task in logs
        },
        fractions=FRACTIONS,
        pretrain_images=int(np.prod([PRETRAINING[k] for k in ("steps", "batch_size")])),
        workers=workers,
        progress=True,
        **FINETUNING,
    )
    results = conclude(study, rows, FRACTIONS, "continuation")
    results["pretraining"] = {
        task: [entry["scores"] for entry in log] for task, log in logs.items()
    }
    runs.write_json(study.out / "results.json", results)
    pages.demonstration(study, logs, results)
    return results
