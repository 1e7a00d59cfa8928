"""``tinyssl demo``: does it help to look at eyes without labels first? Two questions.

Each is answered from 40 labelled synthetic eyes and scored on eyes of other patients,
again with other labels, with and without what was learned from eyes without labels.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinyssl import experiment, models, plots, runs, targets
from tinyssl.cases import Cases, Reading
from tinyssl.data import Table, open_dataset
from tinyssl.data.crop import resize
from tinyssl.dictionary import PatchDictionary
from tinyssl.pretext import PRETEXTS
from tinyssl.report import experiment as pages
from tinyssl.report.page import Section, write_report
from tinyssl.report.tables import efficiency_table
from tinyssl.starts import Start
from tinyssl.studies import running
from tinyssl.summary import (
    SCRATCH,
    Metric,
    format_table,
    number,
    paired_interval,
    summarise,
)

EYES, UNSEEN, SIZE = 1000, 300, 48
LABELS, DRAWS = 40, 8
TASK = next(iter(PRETEXTS))
PRETRAINING = {"steps": 150, "batch_size": 32, "lr": 3e-3}
FINETUNING = {"steps": 250, "batch_size": 16, "lr": 3e-3}
FILTERS = {"num_filters": 128, "iterations": 15}
LEARNED, RANDOM, PIXELS = "learned filters", "random filters", "8 × 8 pixels"
PAIRS = {LEARNED: RANDOM, TASK: SCRATCH}  # with and without having looked
QUESTIONS = {"class": "Severe disease or worse?", "eye": "Right eye or left?"}
NETWORKS = ("class",)  # what is asked of networks too


def demo(s: SimpleNamespace) -> dict[str, Any]:
    """Learn from synthetic eyes without labels; answer with and without it.

    Returned are by question, "class" and "eye", its "summary", and the mean
    "difference", "low" and "high" of learned from random filters.
    """
    out = Path(s.out)
    runs.refuse_foreign(out)
    s.log(f"drawing {EYES} synthetic eyes to learn from, {UNSEEN} of others to score")
    others = f"toy:{UNSEEN}:{SIZE}:{s.seed + 1_000_000}"
    tables = [*map(open_dataset, (f"toy:{EYES}:{SIZE}:{s.seed}", others))]
    asked = {name: cases_of(name, *tables) for name in QUESTIONS}
    cases, config = asked["class"], models.sononet_small().config
    settings = {"command": "demo", "encoder": config, "seed": s.seed}
    settings |= {"pretrain": PRETRAINING, "finetune": FINETUNING} | cases.settings()
    where = running(s, DRAWS)
    how = {"encoder": config, "out": out, "seed": s.seed, **where}
    with runs.claimed(out, settings, where):
        # Learn from the images alone
        s.log(f"learning filters, and a network by {TASK}, without labels")
        features, filters = features_of(cases, s.seed)
        logs = experiment.pretrain(TASK, cases, folder=TASK, **PRETRAINING, **how)
        # Answer from few labels
        s.log(f"answering from {LABELS} labels, {DRAWS} times")
        how |= {"labels": [LABELS], "repeats": DRAWS, **FINETUNING}
        rows = {name: probe_rows(name, asked[name], features, s.seed) for name in asked}
        for name in NETWORKS:
            kind, starts = targets.find(name), {TASK: Start(out / TASK)}
            rows[name] += experiment.compare_starts(kind, asked[name], starts, **how)
    found = {name: conclude(some) for name, some in rows.items()}
    results = {"command": "demo", **found, "pretraining": logs[0]["scores"]}
    runs.write_json(out / "results.json", results)
    said = [answer(name, found[name]) for name in QUESTIONS]
    write_page(out, cases, rows, found, filters, logs, said)
    tables = [format_table(found[name]["summary"]) for name in QUESTIONS]
    return results | {"lines": [*tables, *said, f"report: {out}/report.html"]}


def cases_of(name: str, table: Table, others: Table) -> Cases:
    """Take one table of eyes to learn from, and score those of other patients."""
    target = targets.find({"class": "grade"}.get(name, name))
    cases, scored = (target.read(some, Reading(SIZE)) for some in (table, others))
    cases = cases.scored_on(scored)
    if name != "class":
        return cases
    severe = (cases.columns["grade"] >= 3).astype(np.int64)
    facts = {"num_grades": 2, "class_names": ["moderate or less", "severe or worse"]}
    columns = cases.columns | {"grade": severe}
    return replace(cases, columns=columns, facts=cases.facts | facts)


def features_of(cases: Cases, seed: int):
    """Describe all images by filters learned without labels, random ones and pixels."""
    images, seen = cases.columns["image"], cases.part(None, labelled=False)
    small = np.stack([resize(image, (8, 8)) for image in images])
    filters, features = {}, {PIXELS: small.reshape(len(small), -1) / 255.0}
    for name, kind in ((RANDOM, "random"), (LEARNED, "learned")):
        filters[name] = PatchDictionary(filters=kind, rng=seed, **FILTERS)
        features[name] = filters[name].fit(images[seen]).features(images)
    return features, filters


def probe_rows(name, cases, features, seed) -> list[dict[str, Any]]:
    """Answer by logistic regression on features: rows as of `compare_starts`."""
    kind, rows = targets.find(name), []
    for cell, chosen in experiment.plan(cases, [LABELS], DRAWS, seed):
        held = cases.held(0)
        for init, some in features.items():
            answers = kind.probe(cases, chosen, some[chosen], some[held])
            scores = kind.score(cases, held, answers["linear probe"])
            rows.append({"init": init, **cell, "scores": scores})
    return rows


def conclude(rows) -> dict[str, Any]:
    """Summarise the answers to a question; learned minus random filters."""
    summary = summarise(rows, "auc", Metric("AUC", chance=0.5))
    values = {line["init"]: np.array(line["values"]) for line in summary}
    ends = paired_interval(values[LEARNED] - values[RANDOM])
    return {"summary": summary} | dict(
        zip(("difference", "low", "high"), ends, strict=True)
    )


def answer(name: str, found: dict[str, Any]) -> str:
    """Say whether it helped, in a sentence or two."""
    right = {x["init"]: f"{100 * x['avg']:.0f}" for x in found["summary"]}
    verdict = "helped filters" if found["low"] > 0 else "did not help filters"
    verdict += " but HURT" if found["high"] < 0 else ""
    ends = (number(found[key], sign=True) for key in ("difference", "low", "high"))
    difference, low, high = ends
    beside = f"{PIXELS} got {right[PIXELS]}"
    if SCRATCH in right:
        network = f"A network got {right[SCRATCH]} without looking first, "
        beside = f"{network}{right[TASK]} after {TASK}; {beside}"
    return (
        f"{QUESTIONS[name]} Looking first {verdict}: of 100 pairs of eyes learned ones "
        f"got {right[LEARNED]} right from {LABELS} labels, random ones {right[RANDOM]} "
        f"(difference of AUC {difference} [{low}, {high}]). {beside}."
    )


def write_page(out, cases, rows, found, filters, logs, said):
    """Write the page: the answers, then what was learned."""
    config = runs.read_config(out)
    known = pages.facts(cases, config)
    known = {key: known[key] for key in ("encoder", "seed", "ran on")}
    known = {
        "eyes without labels": f"{EYES:,} synthetic ones of {SIZE} × {SIZE} px",
        "labels": f"{LABELS}, half of each class, drawn {DRAWS} times",
        "scored on": f"{UNSEEN} eyes of other patients",
    } | known
    method = (
        "Shown one eye of each class, how often is the right one picked? That is the "
        "area under the ROC curve (AUC): 1 is always, .5 is guessing. A line is one "
        f"draw of {LABELS} labels, the same for all. Filters answer by logistic "
        "regression on their responses; networks are trained on the labels with one "
        f"budget, from random weights (scratch) or after learning by {TASK}: one such "
        "network is one draw, and what it gains it may lose with another seed. The "
        "intervals hold for other labels of these eyes."
    )
    summaries = {QUESTIONS[name]: some["summary"] for name, some in found.items()}
    title = ". ".join(text.partition(":")[0] for text in said)
    figure = plots.draws(summaries, PAIRS, chance=0.5, title=title)
    tables = []
    for name, some in found.items():
        how = {"rows": rows[name], "each": "draw"}
        caption = f"{QUESTIONS[name]} AUC of each draw of labels, and its mean."
        tables.append(efficiency_table(some["summary"], caption=caption, **how))
    sections = [
        Section("Did it help?", [method], [(figure, "Large: the mean.")], tables)
    ]
    size = filters[LEARNED].patch_size
    shown = [filters[k].filters_[:8] for k in (LEARNED, RANDOM)]
    shown = [0.5 + 2 * f.reshape(-1, size, size, 3) for f in shown]
    strip = plots.strip(shown, names=["learned", "random"])
    text = (
        f"Patches of {size} × {size} px of the eyes without labels were whitened and "
        "grouped into directions by k-means, in seconds: tinyssl.dictionary, NumPy."
    )
    caption = "The first filters of each kind, for whitened patches."
    sections.append(
        Section("Filters learned without labels", [text], [(strip, caption)])
    )
    sections += pages.pretext_sections(out, cases, {TASK: logs}, config)
    sections += pages.images_section(cases)
    title = "Does it help to look at eyes without labels first?"
    options = {"subtitle": "\n".join(said), "facts": known}
    write_report(out / "report.html", title, sections, **options)
