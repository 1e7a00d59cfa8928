"""The report of each command: which figures and tables it shows, and its words."""

import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import experiments, plots, runs
from tinyssl.report import Section, Table, efficiency_table, write_report
from tinyssl.report.tables import METRICS
from tinyssl.study import Study
from tinyssl.summary import SAME_COMPUTE, grouped_by, name_group, verdict
from tinyssl.training import to_tensor

SHOWN = 8  # images in a figure


def pretraining(study: Study, logs: list[dict[str, Any]]) -> Path:
    """Write the report of ``pretrain``."""
    task = logs[0]["task"]
    path = study.out / "report.html"
    write_report(
        path,
        f"Pretraining by {task}",
        [images_section(study), pretext_section(study, logs, study.out)],
        subtitle="Labels come from the pixels; no grade was read",
        facts=facts(study) | {"scored on": logs[0]["scored_on"]},
    )
    return path


def finetuning(study: Study, results: dict[str, Any]) -> Path:
    """Write the report of ``finetune``."""
    path = study.out / "report.html"
    sections = [images_section(study), *efficiency_sections(results)]
    write_report(
        path,
        "Did pretraining help?",
        sections,
        subtitle=finding(results["summary"]) + simpler(results),
        facts=facts(study) | grader_facts(results),
    )
    return path


def demonstration(
    study: Study, logs: dict[str, list[dict[str, Any]]], results: dict[str, Any]
) -> Path:
    """Write the report of ``demo``: pretraining and fine-tuning on one page."""
    path = study.out / "report.html"
    sections = [images_section(study)]
    sections += [
        pretext_section(study, log, study.out / task) for task, log in logs.items()
    ]
    sections += efficiency_sections(results)
    write_report(
        path,
        "Learning from eyes without labels",
        sections,
        subtitle="The main job of tinyssl on its synthetic eyes. "
        + finding(results["summary"])
        + simpler(results),
        facts=facts(study) | grader_facts(results),
    )
    return path


# Sections


def facts(study: Study) -> dict[str, str]:
    """Say at a glance what was used."""
    N, S = study.images.shape[:2]
    grouped = len(np.unique(study.groups)) < N
    whole = "patients and copies whole" if grouped else "no patient known"
    folds = f"{study.num_folds}, {whole}" if study.fold.max() >= 0 else "none"
    threads = "1 thread" if study.threads == 1 else f"{study.threads} threads"
    return {
        "images": f"{N} of {S} × {S} px",
        "labelled": f"{int((study.grades >= 0).sum())}",
        "folds": folds,
        "seed": str(study.seed),
        "ran on": f"{study.device}, {threads} a job, torch {torch.__version__}, "
        f"Python {platform.python_version()}",
    }


def grader_facts(results: dict[str, Any]) -> dict[str, str]:
    """Say which models ``tinyssl grade`` will use."""
    kept = results["grader"]
    return {"kept for grading": f"{kept['init']} (mean QWK {kept['qwk']:.3f})"}


def images_section(study: Study) -> Section:
    """Show some of the images, with their grades where there are any."""
    chosen = np.unique(np.linspace(0, len(study.images) - 1, 2 * SHOWN).astype(int))
    titles = [
        f"grade {study.grades[i]}" if study.grades[i] >= 0 else "" for i in chosen
    ]
    figure = plots.image_grid(
        study.images[chosen], titles=titles if any(titles) else None
    )
    text = (
        "Every photograph was cropped to its field of view and masked round. Rotation "
        "also blackens what a camera cut off or added at the rim, which would tell how "
        "an image was turned."
    )
    round_text = [text] if study.is_fundus else []
    return Section("The images", round_text, [(figure, "As the networks see them.")])


def pretext_section(study: Study, logs: list[dict[str, Any]], folder: Path) -> Section:
    """Show one pretext task: what it was asked, how it learned, how well it answers."""
    log, name = logs[0], logs[0]["task"]
    place = folder if log["fold"] is None else folder / f"fold{log['fold']}"
    task = experiments.build_pretext(name, study, **log["task_options"])
    task.load_state_dict(runs.load_plain(place / "task.pt"))
    task.eval()
    _, images = experiments.unseen_images(study, log["fold"])
    rng = np.random.default_rng(study.seed)
    images = images[rng.choice(len(images), min(SHOWN, len(images)), replace=False)]
    inputs, targets = task.make_batch(images, rng=rng)
    show = show_rotation if name == "rotation" else show_restoration
    paragraphs, figures = show(task, inputs, targets, logs)
    rows = [log["rows"] for log in logs]
    if name == "rotation":
        curve = plots.pretext_curves(
            {name: rows}, metric="accuracy", chance=task.chance["accuracy"]
        )
    else:
        curve = plots.pretext_curves({name: rows}, metric="swapped")
    figures.append((curve, "Thin lines: one a fold. Thick: their smoothed mean."))
    return Section(f"Pretext task: {name}", paragraphs, figures)


def show_rotation(task, inputs, targets, logs):
    """Show turned images with the answers, and which turns are confused."""
    with torch.no_grad():
        answers = task.logits(to_tensor(inputs)).argmax(1).numpy()
    confusion = np.sum([log["scores"]["confusion"] for log in logs], axis=0)
    score = np.mean([log["scores"]["accuracy"] for log in logs])
    half = np.mean([log["scores"]["accuracy_0_180"] for log in logs])
    text = (
        f"Which quarter turn was applied? Right for {score:.1%} of the "
        f"{logs[0]['scored_on']} (chance 25 %), and for {half:.1%} when only 0 and "
        "180 degrees are allowed (chance 50 %): a right eye turned by 180 degrees "
        "looks like a left eye, but for the fovea below the disc."
    )
    turns = plots.turns(inputs, targets, answers)
    labels = ["0°", "90°", "180°", "270°"]
    return [text], [
        (turns, "Turned images, the turn applied and the turn answered."),
        (plots.confusion(confusion, labels=labels), "Rows: the turn applied."),
    ]


def show_restoration(task, inputs, targets, logs):
    """Show images, disordered and restored, beside the error of copying the input."""
    images, changed = targets
    restored = task.restore(to_tensor(inputs)).permute(0, 2, 3, 1).numpy()
    scores = {key: np.mean([log["scores"][key] for log in logs]) for key in SCORES}
    text = (
        f"{DISORDER[task.name]}; the network puts them back. Mean squared "
        f"error inside the changed patches of the {logs[0]['scored_on']}: "
        f"{scores['swapped']:.3f}, where copying the input leaves "
        f"{scores['copy_swapped']:.3f}; outside them {scores['unswapped']:.3f}, where "
        "copying leaves 0 (in units of each image's variance)."
    )
    figure = plots.restorations(images, inputs, restored, changed)
    caption = "Original, disordered (changed patches outlined), restored, error."
    return [text], [(figure, caption)]


DISORDER = {
    "restoration": "Pairs of patches were swapped",
    "shuffling": "The pixels of small windows were shuffled",
}
SCORES = ("swapped", "copy_swapped", "unswapped")


def efficiency_sections(results: dict[str, Any]) -> list[Section]:
    """Show the comparison: table, share against QWK, differences, convergence."""
    table, known = results["summary"], results["baselines"]
    method = (
        "Every start was fine-tuned with the same budget on the same images of the "
        f"same folds, whole patients together{more_compute(table)}. Differences are "
        "paired by fold; their interval is Student's t with the correction of Nadeau "
        "and Bengio for training parts that overlap. “Majority grade” and “global "
        "intensities” are baselines that see no lesion."
    )
    sections = [
        Section(
            "Scores by share of labels",
            [finding(table), method],
            [(plots.label_efficiency(table, baselines=known), "Each point is a fold.")],
            [efficiency_table(table, baselines=known, rows=results["rows"])],
        )
    ]
    if len({line["init"] for line in table}) > 1:
        figure = plots.differences(table)
        caption = "Mean over the folds with its 95 % interval; above zero is a gain."
        sections.append(Section("Gain over scratch", [], [(figure, caption)]))
    if "test" in results:
        sections.append(test_section(results))
    if "grader" in results:
        sections.append(calibration_section(results["grader"]))
    figure = plots.convergence(results["rows"])
    caption = "On the held-out fold, during fine-tuning; mean over the folds."
    sections.append(Section("Convergence", [], [(figure, caption)]))
    return sections


def test_section(results: dict[str, Any]) -> Section:
    """Show the scores on the official test images."""
    tables = [
        efficiency_table(
            table,
            rows=results["rows"],
            caption=f"{metric} on the official test images, each fold's model alone.",
        )
        for metric, table in results["test"].items()
    ]
    keys = ("qwk", "accuracy", "auc")
    lines = [
        (f"{line['fraction']:.0%}", line["init"], *(f"{line[k]:.3f}" for k in keys))
        for line in results["ensembles"]
    ]
    header = ("labels", "start", "QWK", "accuracy", "macro AUC")
    caption = "The same, with the probabilities of the folds' models averaged."
    text = "Seen by no training and by no choice."
    return Section(
        "Official test images", [text], [], [*tables, Table(header, lines, caption)]
    )


def calibration_section(kept: dict[str, Any]) -> Section:
    """Show how far the probabilities of the kept grader can be read."""
    known = kept["calibration"]
    text = (
        f"The models kept for grading ({kept['init']}) were asked about the "
        f"{known['n']} labelled images, each by the one model that had not seen it. "
        "Mean distance between probability and share of right answers: "
        f"{known['error']:.3f}; Brier score {known['brier']:.3f}. “tinyssl grade” "
        "averages all of them, which makes it a little less sure than each."
    )
    caption = "Groups of equal size, with the 95 % interval of their share."
    return Section("Calibration", [text], [(plots.calibration(known), caption)])


def finding(table: list[dict[str, Any]]) -> str:
    """Say in a sentence where pretraining won, lost, or neither."""
    by, words = grouped_by(table), []
    for line in table:
        said = {"gain": "gained", "LOSS": "LOST"}.get(verdict(line).split(" ")[-1])
        if said:
            words.append(f"{line['init']} {said} at {name_group(by, line[by])}")
    if len({line["init"] for line in table}) == 1:
        return "One start alone, nothing to compare: give --init runs of pretrain."
    if not words:
        return "No start differed from scratch beyond its interval."
    return "Against scratch: " + "; ".join(words) + "; the rest is unclear."


def findings(main: list[dict[str, Any]], more: dict[str, list[dict[str, Any]]]) -> str:
    """Say it of the main measure, then of each other that says something else."""
    first = finding(main)
    said = {METRICS[metric]: finding(table) for metric, table in more.items()}
    rest = [f" In {k}, {v[0].lower()}{v[1:]}" for k, v in said.items() if v != first]
    return first + "".join(rest)


def more_compute(table: list[dict[str, Any]]) -> str:
    """Say what "scratch, same compute" got, where it is in the table."""
    if not any(line["init"] == SAME_COMPUTE for line in table):
        return ""
    return f"; “{SAME_COMPUTE}” also got the images that pretraining processed"


def simpler(results: dict[str, Any]) -> str:
    """Say where a baseline without a network scored as high as every network, if so."""
    best: dict[float, float] = {}
    for line in results["summary"]:
        share = line["fraction"]
        best[share] = np.fmax(best.get(share, -np.inf), line["avg"])
    where: dict[str, list[str]] = {}
    for line in results["baselines"]:
        if line["avg"] >= best.get(line["fraction"], np.inf):
            name = name_group("fraction", line["fraction"])
            where.setdefault(line["init"], []).append(name)
    said = [f" No network beat {who} at {', '.join(at)}." for who, at in where.items()]
    return "".join(said)
