"""The page of a study: pretraining, a comparison of initialisations, or both."""

import platform

import numpy as np
import torch

from tinyssl import experiment, plots, runs, summary
from tinyssl.pretext.inputs import common_field
from tinyssl.pretraining import load_pretext, new_encoder, unseen_images
from tinyssl.report.page import Section, write_report
from tinyssl.report.tables import Table, efficiency_table

SHOWN = 8  # images in a figure


def pretraining(out, cases, logs):
    """Write the page of ``pretrain``."""
    config = runs.read_config(out)
    sections = [*pretext_sections(out, cases, logs, config), *images_section(cases)]
    first = next(iter(logs.values()))[0]
    known = facts(cases, config) | {"scored on": first["scored_on"]}
    title = f"Pretraining by {', '.join(logs)}"
    subtitle = "Labels come from the pixels; none was read"
    write_report(out / "report.html", title, sections, subtitle=subtitle, facts=known)


def comparison(out, target, cases, results, trained):
    """Write the page of ``finetune``."""
    config = runs.read_config(out)
    sections = comparison_sections(target, cases, results, trained)
    sections += images_section(cases)
    known = facts(cases, config) | results["notes"] | results["seconds"]
    if grader := results.get("kept"):  # the models that ``tinyssl grade`` will use
        score = f"mean {grader['measure']} {grader['score']:.3f}"
        known["kept for grading"] = f"{grader['init']} ({score})"
    found = summary.finding(results["summary"], baselines=results.get("baselines", ()))
    if any(summary.outcome(line) == "gain" for line in results.get("frozen", ())):
        found += f". Encoders left as they are: {summary.finding(results['frozen'])}"
    title, subtitle = target.title, f"{found}."
    if warning := results["notes"].get("WARNING"):
        subtitle = f"{warning.capitalize()}. {subtitle}"
    write_report(out / "report.html", title, sections, subtitle=subtitle, facts=known)


def facts(cases, config):
    """Say at a glance what was used."""
    side = cases.facts.get("size")
    size = f" of {side} × {side} px" if side else ", each at its own size"
    whole = "patients and copies" if len(np.unique(cases.groups)) < len(cases) else ""
    folds = {0: "none", 1: "one held-out part"}.get(cases.num_folds, cases.num_folds)
    encoder = config["encoder"]
    weights = new_encoder(encoder, channels=1).parameters()
    parameters, layout = sum(p.numel() for p in weights), config["layout"]
    threads = summary.counted(layout["threads"], "thread")
    return {
        "data": cases.facts["root"],
        "images": f"{len(cases)}{size}",
        "labelled": str(int(cases.labelled.sum())),
        "folds": f"{folds}, {whole} whole" if whole else str(folds),
        "encoder": f"{encoder['name']}, {parameters:,} parameters",
        "seed": str(config["seed"]),
        "ran on": f"{layout['device']}, {threads} a job, torch {torch.__version__}, "
        f"Python {platform.python_version()}",
    }


def images_section(cases):
    """Show some of the images, with their classes where there are any."""
    images = cases.columns["image"]
    if not isinstance(images, np.ndarray):
        return []
    chosen = np.unique(np.linspace(0, len(cases) - 1, 2 * SHOWN).astype(int))
    name = cases.facts.get("classes")
    classes = cases.columns[name][chosen] if name else np.full(len(chosen), -1)
    names = cases.facts.get("class_names")
    titles = [(names[k] if names else f"{name} {k}") if k >= 0 else "" for k in classes]
    figure = plots.strip([images[chosen]], titles=titles if any(titles) else None)
    figure.set_label("images")
    text = ["Every image was cropped to its field of view and masked round."]
    text = text if cases.facts["is_fundus"] else []
    return [Section("The images", text, [(figure, "As the networks see them.")])]


def pretext_sections(out, cases, logs, config):
    """Show of each pretext task what it was asked, how it learned and answers."""
    sections = []
    for name, log in logs.items():
        region = None
        if cases.facts["is_fundus"] and not cases.facts.get("patch_size"):
            region = common_field(cases.columns["image"])
        known = config | {"task": name, "task_options": log[0]["task_options"]}
        task = load_pretext(out / log[0]["folder"], known, region=region)
        where, unseen = unseen_images(cases, log[0]["fold"], task.columns)
        rng = np.random.default_rng(config["seed"])
        some = rng.choice(len(unseen[0]), min(SHOWN, len(unseen[0])), replace=False)
        scores = [entry["scores"] for entry in log]
        shown = (column[some] for column in unseen)
        figures = task.figures(*shown, scores, rng=rng)
        rows, chance = [entry["rows"] for entry in log], task.chance.get(task.main)
        if any(rows):
            curve = plots.pretext_curves({name: rows}, metric=task.main, chance=chance)
            caption = "Thin lines: one a fold. Thick: their smoothed mean."
            figures.append((curve, caption))
        text = [task.describe(scores, where)]
        sections.append(Section(f"Pretext task: {name}", text, figures))
    return sections


def comparison_sections(target, cases, results, trained):
    """Show scores by labels, differences, frozen encoders, answers, convergence."""
    table, known = results["summary"], results.get("baselines", ())
    rows, metric = results["rows"], table[0]["metric"]
    same, each, other = "", "fold", ""
    if any(line["init"] == summary.SAME_COMPUTE for line in table):
        same = (
            f"; “{summary.SAME_COMPUTE}” also got the images that pretraining processed"
        )
    ends = " with the correction of Nadeau and Bengio for training parts that overlap."
    if cases.num_folds <= 1:
        each, other = "repeat", ": other labelled images, weights and batches"
        ends = ". It says nothing of other test images."
    how = "the same budget"
    if any("schedule" in row for row in rows):
        how = "the schedule that did best for it on thirds of them,"
    done = f"was trained with {how} on the same labelled images{same}"
    if not target.trains:
        done = "stays as it is, fitted to the same labelled images without training"
    method = (
        f"Every initialisation {done}. Each point is a {each}{other}; differences "
        f"are paired by it, and their interval is Student's t{ends}"
    )
    shown = plots.label_efficiency(table, baselines=known)
    figures = [(shown, f"Each point is a {each}.")]
    if any("difference" in line for line in table):
        base = summary.reference(table)
        side = "above" if table[0]["higher"] else "below"
        caption = f"Mean with its 95 % interval; {side} zero is better than {base}."
        figures.append((plots.differences(table), caption))
    options = {"rows": rows, "each": each}
    tables = [efficiency_table(table, baselines=known, **options)]
    tables += [efficiency_table(more, **options) for more in results["more"].values()]
    words = table[0]["words"]
    heading = f"{words[0].upper()}{words[1:]} by number of labels"
    sections = [Section(heading, [target.measure, method], figures, tables)]
    if "frozen" in results:
        text = (
            "The encoder stays as pretraining left it, and simple fits to its features "
            "answer: a linear model, and the five nearest labelled images. Beside them "
            "the same encoder with random weights, and random filters of patches."
        )
        frozen = results["frozen"]
        said = [text, f"{summary.finding(frozen)}."]
        sections.append(
            Section("Frozen encoders", said, [], [efficiency_table(frozen)])
        )
    if "test" in results:
        sections.append(test_section(results))
    load = experiment.loader(target, cases, **trained)
    if answers := target.figures(cases, results, load):
        sections.append(Section("Answers", [], answers))
    if any(row["curve"] for row in rows):
        figure = plots.convergence(rows, metric=metric, how=target.metrics[metric])
        caption = "On what is held out, during training; the mean of one view an image."
        sections.append(Section("Convergence", [], [(figure, caption)]))
    return sections


def test_section(results):
    """Show the scores on the official test images."""
    tables, lines = [], results.get("ensembles", [])
    for table in results["test"].values():
        words = table[0]["words"]
        caption = f"{words} on the official test images, each fold's model alone."
        tables.append(efficiency_table(table, rows=results["rows"], caption=caption))
    if lines:
        names = list(lines[0]["scores"])
        rows = []
        for line in lines:
            scores = (summary.number(line["scores"][name]) for name in names)
            rows.append((summary.name_group(line["labels"]), line["init"], *scores))
        caption = "The same, with the probabilities of the folds' models averaged."
        tables.append(Table(("labels", "init", *names), rows, caption))
    text = "Seen by no training and by no choice."
    return Section("Official test images", [text], [], tables)
