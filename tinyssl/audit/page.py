"""The page of an audit: what was found, with images of it."""

import re
from pathlib import Path

import numpy as np

from tinyssl import plots
from tinyssl.audit.findings import SEVERITIES
from tinyssl.data import load_images
from tinyssl.report import Section, Table, write_report
from tinyssl.summary import counted

SHOWN = 8  # groups in a figure
SIDE = 160  # px of an image on the page
LISTED = 400  # groups of files in a folded list; all are in results.json
NAMES = {"qwk": "QWK", "auc": "macro AUC", "chance": "its chance"}
METHOD = (
    "An image that was saved or resized is known again by a thumbnail of 16 x 16 "
    "pixels; if it was cropped, turned, mirrored, brightened or taken again, by its "
    "vessels and lesions, if they correlate more than in pairs drawn at random. One "
    "turned by more than three degrees may be missed. Numbers are in results.json."
)
KNOW_NOTHING = (
    "Baselines that know nothing about eyes: a method that does not beat them has "
    "learned nothing. Folds keep copies and patients together."
)


def write(path, looks, results):
    """Write report.html."""
    findings = results["findings"]
    severities = [finding["severity"] for finding in findings]
    grave, warning, note = (severities.count(severity) for severity in SEVERITIES)
    subtitle = (
        f"{counted(grave, 'finding')} would invalidate a study, "
        f"{counted(warning, 'warning')}, {counted(note, 'note')}"
    )
    found = [(finding["severity"], finding["title"]) for finding in findings]
    summary = Table(("severity", "found"), found or [("", "nothing")])
    pairs = {(p["first"], p["second"]): p for p in results["copies"]["pairs"]}
    sections = [
        Section("What was found", tables=[summary]),
        *(_section(looks, finding, pairs) for finding in findings),
        Section("What is there", tables=_numbers(results)),
        Section("How copies are told", paragraphs=[METHOD]),
    ]
    facts = {p["name"]: counted(p["images"], "image") for p in results["parts"]}
    name = ", ".join(Path(place).name or place for place in results["data"])
    write_report(path, f"Audit of {name}", sections, subtitle=subtitle, facts=facts)


def _section(looks, finding, pairs):
    """Show one finding: why, what to do, images, and its files."""
    figures, groups = [], finding["rows"]
    if groups:
        numbered = enumerate(groups[:SHOWN], start=1)
        shown = [(number, row) for number, rows in numbered for row in rows[:4]]
        titles = [f"{number}: {short_name(looks, row)}" for number, row in shown]
        images = [load_images(looks.table(row), SIDE)[0][0] for _, row in shown]
        grid = plots.strip([np.array(images)], titles=titles)
        grid.set_label(finding["kind"])
        caption = "One number, one group; the grade in brackets where it is known."
        if len(groups) > SHOWN:
            caption += f" {len(groups) - SHOWN} more are not shown."
        figures = [(grid, caption)]
    lines = [" | ".join(files) for files in finding["files"]]
    for k, rows in enumerate(groups):
        if tuple(rows) in pairs:
            lines[k] += f"  similarity {pairs[tuple(rows)]['similarity']:.3f}"
    if len(lines) > LISTED:
        lines[LISTED:] = [f"and {len(lines) - LISTED} more, in results.json"]
    text, details = [finding["why"], finding["advice"]], [("Files", "\n".join(lines))]
    return Section(finding["title"], text, figures, details=details)


def short_name(looks, row):
    """Return the name of an image in its folder, and its grade in brackets."""
    name = re.sub(r"\.\w{3,4}$", "", looks.shown[row]).split("/")
    grade = looks.grade[row]
    return "/".join(name[-2:])[-16:] + (f" ({grade})" if grade >= 0 else "")


def _numbers(results):
    """Lay out grades, what the baselines that know nothing reach, and sizes."""
    grades = sorted({g for row in results["grades"] for g in row["grades"]}, key=int)
    graded = [
        {name: row[name] for name in ("part", "split", "images")}
        | {f"grade {grade}": row["grades"].get(grade, 0) for grade in grades}
        for row in results["grades"]
        if row["grades"]
    ]
    tables = []
    for rows, caption in (
        (graded, "Images of each grade."),
        (results["baselines"], KNOW_NOTHING),
        (results["sizes"][:12], "Sizes, the most frequent first."),
    ):
        if rows:
            header = [NAMES.get(name, name.replace("_", " ")) for name in rows[0]]
            cells = [
                [f"{x:.3f}" if isinstance(x, float) else str(x) for x in row.values()]
                for row in rows
            ]
            tables.append(Table(header, cells, caption))
    return tables
