"""The page of an audit: what was found, with pictures of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import plots
from tinyssl.data import load_images
from tinyssl.data.audit import Copies, Finding, Looks, counted
from tinyssl.data.audit.leaks import short_name
from tinyssl.report import Section, Table, write_report

SHOWN = 8  # groups in a figure
SIDE = 160  # px of a picture on the page
LISTED = 400  # groups of files in a folded list; all are in results.json


def write(
    path: Path,
    looks: Looks,
    copies: Copies,
    findings: Sequence[Finding],
    results: Mapping[str, Any],
) -> None:
    """Write report.html."""
    sections = [_summary(findings)]
    sections += [_finding_section(looks, copies, finding) for finding in findings]
    sections += [_numbers(results), _method(results)]
    grave = sum(finding.gravity == "grave" for finding in findings)
    subtitle = "Nothing was found" if not findings else _say_how_many(findings)
    facts = {
        part["name"]: counted(part["images"], "image") for part in results["parts"]
    }
    facts |= {"would invalidate a study": grave, "pairs of copies": len(copies.pairs)}
    name = ", ".join(Path(place).name or place for place in results["data"])
    write_report(path, f"Audit of {name}", sections, subtitle=subtitle, facts=facts)


def _say_how_many(findings: Sequence[Finding]) -> str:
    """Say how many findings there are of each gravity."""
    counts = {
        gravity: sum(finding.gravity == gravity for finding in findings)
        for gravity in ("grave", "warning", "note")
    }
    grave, warning, note = counts.values()
    return (
        f"{counted(grave, 'finding')} would invalidate a study, "
        f"{counted(warning, 'warning')}, {counted(note, 'note')}"
    )


def _summary(findings: Sequence[Finding]) -> Section:
    """List what was found, gravest first."""
    rows = []
    for finding in findings:
        number, _, words = finding.title.partition(" ")
        if not number.isdigit():
            number, words = "", finding.title
        rows.append((finding.gravity, number, words))
    table = Table(("gravity", "number", "found"), rows or [("", "", "nothing")])
    return Section("What was found", tables=[table])


def _finding_section(looks: Looks, copies: Copies, finding: Finding) -> Section:
    """Show one finding: why, what to do, pictures, and its files."""
    figures = []
    if finding.rows:
        shown = finding.rows[:SHOWN]
        flat = [row for rows in shown for row in rows[:4]]
        titles = [
            f"{number}: {short_name(looks, row)}"
            for number, rows in enumerate(shown, start=1)
            for row in rows[:4]
        ]
        grid = plots.image_grid(_pictures(looks, flat), titles=titles, columns=4)
        grid.set_label(finding.kind)
        more = len(finding.rows) - len(shown)
        caption = "One number, one group; the grade in brackets where it is known."
        figures = [(grid, caption + (f" {more} more are not shown." if more else ""))]
    likeness = {
        (
            pair.first,
            pair.second,
        ): f"  similarity {pair.similarity:.3f}{_turned(pair.turn)}"
        for pair in copies.pairs
    }
    groups = finding.rows or [()] * len(finding.files)
    lines = [
        " | ".join(files) + likeness.get(tuple(rows), "")
        for files, rows in zip(finding.files, groups, strict=True)
    ]
    more = len(lines) - LISTED
    lines = lines[:LISTED] + ([f"and {more} more, in results.json"] if more > 0 else [])
    return Section(
        finding.title,
        paragraphs=[finding.why, finding.advice],
        figures=figures,
        details=[("Files", "\n".join(lines))] if lines else (),
    )


def _turned(turn: tuple[int, int]) -> str:
    """Say how the second of a pair is turned."""
    quarters, mirrored = turn
    words = [f"turned by {90 * quarters}°"] if quarters else []
    words += ["mirrored"] if mirrored else []
    return ", " + ", ".join(words) if words else ""


def _pictures(looks: Looks, rows: Sequence[int]) -> np.ndarray:
    """Load the fields of view of rows that were read before."""
    pictures = np.zeros((len(rows), SIDE, SIDE, 3), np.uint8)
    for part, table in looks.parts.items():
        here = [k for k, row in enumerate(rows) if looks.part[row] == part]
        place = {name: i for i, name in enumerate(table.names)}
        chosen = [place[looks.name[rows[k]]] for k in here]
        if chosen:
            pictures[here] = load_images(table.select(np.array(chosen)), SIDE)[0]
    return pictures


def _numbers(results: Mapping[str, Any]) -> Section:
    """Show grades, sizes and what the baselines that know nothing reach."""
    tables = []
    graded = [row for row in results["grades"] if row["grades"]]
    if graded:
        grades = sorted({g for row in graded for g in row["grades"]}, key=int)
        rows = [
            (
                *(row["part"], row["split"] or "all", str(row["images"])),
                *(str(row["grades"].get(grade, 0)) for grade in grades),
            )
            for row in graded
        ]
        header = ("part", "split", "images", *(f"grade {grade}" for grade in grades))
        tables.append(Table(header, rows, "Images of each grade."))
    if results["baselines"]:
        keys = ("accuracy", "qwk", "auc", "balanced_accuracy", "chance")
        rows = [
            (
                *(row["part"], row["baseline"], row["scored_on"], str(row["images"])),
                *(f"{row[key]:.3f}" for key in keys),
            )
            for row in results["baselines"]
        ]
        header = ("part", "baseline", "scored on", "n", "accuracy", "QWK", "macro AUC")
        caption = (
            "Baselines that know nothing about eyes: a method that does not beat them "
            "has learned nothing. Folds keep copies and patients together."
        )
        header += ("balanced accuracy", "its chance")
        tables.append(Table(header, rows, caption))
    sizes = results["sizes"][:12]
    rows = [
        (row["part"], f"{row['height']} x {row['width']}", str(row["images"]))
        for row in sizes
    ]
    tables.append(Table(("part", "height x width", "images"), rows, "Sizes."))
    return Section("What is there", tables=tables)


def _method(results: Mapping[str, Any]) -> Section:
    """Say how copies were told from images that merely look alike."""
    copies = results["copies"]
    header = ("part", "median", "99 %", "highest", "line drawn at")
    rows = [
        (
            part,
            *(f"{numbers[q]:.2f}" for q in ("0.5", "0.99", "1.0")),
            f"{copies['similarity_needed'][part]:.2f}",
        )
        for part, numbers in copies["similarity_of_unrelated"].items()
    ]
    text = (
        "Bytes are compared first. Then a hash of 64 bits of the field of view, freed "
        "of its light, proposes pairs that differ in few bits, also turned and "
        f"mirrored: here in {copies['bits_allowed']} at most, which left "
        f"{copies['pairs_looked_at']:,} pairs to look at. A pair counts where vessels "
        "and lesions correlate, at the best shift, more than in pairs drawn at random. "
        "A picture turned by more than two or three degrees, or cropped so that its "
        "circle is lost, may be missed."
    )
    caption = "Similarity of pairs drawn at random, and the line drawn from it."
    tables = [Table(header, rows, caption)] if rows else []
    return Section("How copies are told", paragraphs=[text], tables=tables)
