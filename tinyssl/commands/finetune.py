"""``tinyssl finetune``: whether pretraining helps, and at which share of the labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import experiments, models, runs, summary
from tinyssl.commands import pages
from tinyssl.commands.prepare import ENCODERS, open_study, start_run
from tinyssl.commands.say import Say, silent
from tinyssl.downstream import calibration, familiarity, grading
from tinyssl.downstream.starts import images_processed, scale_notes
from tinyssl.study import Study


def finetune(
    data: str | Path,
    *,
    out: Path,
    inits: Sequence[Path] = (),
    size: int = 96,
    encoder: str = "small",
    folds: int = 5,
    fractions: Sequence[float] = (0.05, 0.1, 0.25, 0.5, 1.0),
    head: str = "continuation",
    epochs: int = 30,
    batch_size: int = 32,
    lr: float = 3e-3,
    same_compute: bool = True,
    transductive: bool = False,
    workers: int = 1,
    say: Say = silent,
    **options: Any,
) -> dict[str, Any]:
    """Compare starts by label share on the same folds; leave a report and a grader.

    Parameters
    ----------
    data, out, size, folds, workers, say, **options
        See ``open_study``.
    inits : sequence of paths
        Run folders of ``pretrain``; scratch stands beside them in any case.
    encoder : str
        Used when there is no init.
    fractions, head, epochs, batch_size, lr
        See ``tinyssl.experiments.label_efficiency``.
    same_compute : bool
        Add the row "scratch, same compute".
    transductive : bool
        Accept encoders that have seen the held-out images.

    Returns
    -------
    dict
        What ``results.json`` holds: "rows", "summary", "baselines", "test".
    """
    starts = {Path(run): find_encoders(Path(run), folds) for run in inits}
    configs = [runs.load_encoder(paths[0])[0].config for paths in starts.values()]
    config = configs[0] if configs else ENCODERS[encoder]().config
    if any(other != config for other in configs):
        raise ValueError("--init runs must have one encoder, found different ones")
    study = open_study(
        data,
        out=Path(out),
        size=size,
        folds=folds,
        encoder=config,
        workers=workers,
        say=say,
        **options,
    )
    named = name_inits(starts)
    for name, paths in named.items():
        saved = runs.load_encoder(paths[0])[0].state_dict()
        report = models.load_weights(models.from_config(config), saved)
        say(f"{name}: {paths[0].parent}: {report}")
    for line in scale_notes(inits, standardised=False):
        say(line)
    if not transductive:
        refuse_leaks(study, named)
    settings = {"inits": {k: v[0].parent for k, v in named.items()}, "head": head}
    settings |= {"fractions": fractions, "folds": folds, "epochs": epochs, "lr": lr}
    settings |= {"batch_size": batch_size, "transductive": transductive}
    settings |= {"data_path": str(data)}
    start_run(study, "finetune", settings)
    rows = experiments.label_efficiency(
        study,
        inits=named,
        fractions=fractions,
        head=head,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        pretrain_images=max(map(images_processed, starts), default=0) * same_compute,
        workers=workers,
        progress=True,
    )
    results = conclude(study, rows, fractions, head)
    pages.finetuning(study, results)
    return results


def conclude(
    study: Study, rows: list[dict[str, Any]], fractions: Sequence[float], head: str
) -> dict[str, Any]:
    """Summarise the rows, keep the best start's models as grader.pt, write results."""
    share = 1 / (study.num_folds - 1)
    known = experiments.baseline_rows(study, fractions)
    results = {
        "command": "finetune",
        "rows": rows,
        "summary": summary.summarise(rows, test_share=share),
        "baselines": summary.summarise(known),
    }
    if "test" in rows[0]:
        tested = [row | row["test"] for row in rows]
        results["test"] = {
            metric: summary.summarise(tested, metric=metric, test_share=share)
            for metric in ("qwk", "accuracy", "auc")
        }
        results["ensembles"] = experiments.ensemble_rows(study, rows)
    kept = keep_grader(study, results["summary"], rows, max(fractions), head)
    results["grader"] = kept
    for row in rows:  # the job files keep them
        for name in ("test_probabilities", "held_out", "probabilities"):
            row.pop(name, None)
    runs.write_json(study.out / "results.json", results)
    return results


def find_encoders(run: Path, folds: int) -> list[Path]:
    """Return the encoder.pt of each fold, or the run's one for all folds."""
    if (run / "encoder.pt").is_file():
        return [run / "encoder.pt"] * folds
    paths = [run / f"fold{fold}" / "encoder.pt" for fold in range(folds)]
    found = len(list(run.glob("fold*/encoder.pt")))
    if found != folds or not all(path.is_file() for path in paths):
        raise ValueError(
            f"--init {run} must hold encoder.pt, or fold0..fold{folds - 1} with one "
            f"each for --folds {folds}; found {found} folds"
        )
    return paths


def name_inits(starts: dict[Path, list[Path]]) -> dict[str, list[Path]]:
    """Name each start by its pretext task; by its folder where tasks repeat."""
    tasks = {
        run: runs.load_encoder(paths[0])[1]["task"] for run, paths in starts.items()
    }
    names = list(tasks.values())
    return {
        task if names.count(task) == 1 else f"{task} {run.name}": starts[run]
        for run, task in tasks.items()
    }


def refuse_leaks(study: Study, inits: dict[str, list[Path]]) -> None:
    """Refuse an encoder that has seen images on which it will be scored."""
    for name, paths in inits.items():
        for fold, path in enumerate(paths):
            seen = set(runs.load_encoder(path)[1]["seen"])
            held = np.flatnonzero((study.fold == fold) | (study.fold == -2))
            leaked = sum(study.hashes[i] in seen for i in held)
            if leaked:
                raise ValueError(
                    f"--init {name}: {path} was pretrained on {leaked} of the "
                    f"{len(held)} images held out in fold {fold}; pretrain with "
                    f"--folds {study.num_folds} --seed {study.seed}, or say "
                    "--transductive"
                )


def keep_grader(
    study: Study,
    table: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    fraction: float,
    head: str,
) -> dict[str, Any]:
    """Keep the fold models of the start with the best mean score; drop the others.

    The score of that start is a little optimistic, being the best of several: the
    report shows them all.
    """
    whole = [line for line in table if line["fraction"] == fraction]
    best = max(whole, key=lambda line: np.nan_to_num(line["avg"], nan=-1.0))
    slug = summary.slug(best["init"])
    folder = study.out / "models"
    state = {
        "encoder": study.encoder,
        "head": head,
        "num_grades": study.num_grades,
        "size": study.images.shape[1],
        "is_fundus": study.is_fundus,
        "init": best["init"],
        "qwk": float(best["avg"]),
        "calibration": calibrate(study, rows, best["init"], fraction, head),
        "members": [
            runs.load_plain(folder / f"{slug}-fold{fold}.pt")
            for fold in range(study.num_folds)
        ],
    }
    state["familiar"] = familiar(study, state)
    runs.save_state(study.out / "grader.pt", state)
    return {key: state[key] for key in ("init", "qwk", "head", "size", "calibration")}


def calibrate(
    study: Study, rows: list[dict[str, Any]], init: str, fraction: float, head: str
) -> dict[str, Any]:
    """Ask how often answers were right on the images that each fold held out."""
    own = [r for r in rows if r["init"] == init and r["fraction"] == fraction]
    index = np.concatenate([row["held_out"] for row in own])
    probabilities = np.concatenate([row["probabilities"] for row in own])
    return calibration.reliability(study.grades[index], probabilities, head=head)


def familiar(study: Study, state: dict[str, Any]) -> dict[str, Any]:
    """Learn, with the first fold's model, what its training images look like."""
    task = grading.from_state(state)[0]
    seen = study.training_part(0, labelled=True)
    held = np.flatnonzero(study.fold == 0)
    return familiarity.fit(task.encoder, study.images[seen], study.images[held])
