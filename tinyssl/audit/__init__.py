"""``tinyssl audit``: what in a data set would spoil a study."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs
from tinyssl.commands import audit_page
from tinyssl.commands.say import Say, silent
from tinyssl.commands.tidy import taken_back_if_refused
from tinyssl.data.audit import (
    Copies,
    Finding,
    Looks,
    by_gravity,
    count_grades,
    count_sizes,
    counted,
    find_copies,
    find_files,
    find_leaks,
    look,
    open_parts,
)
from tinyssl.data.audit.copies import join
from tinyssl.downstream import shortcuts
from tinyssl.downstream.baselines import global_intensities

SHOWN = 3  # groups of files in the text; all are in the JSON
BELONGING = ("patients", "eyes", "visits")  # findings that tie images besides copies


def audit(
    data: str | Path,
    *,
    others: Sequence[str | Path] = (),
    out: Path | None = None,
    threads: int | None = None,
    say: Say = silent,
) -> dict[str, Any]:
    """Look for what would spoil a study, and write a page of it.

    Parameters
    ----------
    data : path or "toy[:N[:SIZE]]"
        See ``tinyssl.data.open_dataset``; of IDRiD's root, all three parts.
    others : sequence of paths
        More data sets, in which copies of the first may be.
    out : path, optional
        Run folder, ``runs/audit-NAME`` if not given. It receives report.html,
        results.json, and groups.csv: images with one group belong in one fold.
    threads : int, optional
        Decoders at work; all cores if not given.
    say : callable
        Takes lines for the person who waits.

    Returns
    -------
    dict
        "findings" (each with "kind", "gravity", "title", "why", "advice", "count",
        "files" and "rows"), gravest first; "parts", "grades", "sizes", "baselines",
        "associations" and "copies" (how the line between copies and others was drawn).
    """
    parts = open_parts([data, *others])
    out = Path(out) if out else _default_out([data, *others])
    asked = sorted(str(place) for place in (data, *others))
    with taken_back_if_refused(out):
        runs.claim(out, {"command": "audit", "data": asked})
        N = sum(map(len, parts.values()))
        say(f"looking at {counted(N, 'image')} of {', '.join(parts)}")
        looks = look(parts, threads=threads, progress=True)
    say("looking for copies")
    copies = find_copies(looks)
    findings = [*find_leaks(looks, copies), *find_files(looks)]
    groups = _groups(looks, copies, findings)
    say("scoring baselines that know nothing")
    baselines, associations = [], []
    for part in parts:
        rows = np.flatnonzero((looks.part == part) & (looks.grade >= 0))
        baselines += _baselines(looks, rows, groups, part)
        associations += _associations(looks, rows, part)
    findings = by_gravity([*findings, *_shortcuts(associations, baselines)])
    results = {
        "command": "audit",
        "data": asked,
        "out": str(out),
        "parts": [_part(looks, name) for name in parts],
        "findings": [finding.as_dict() for finding in findings],
        "grades": count_grades(looks),
        "sizes": count_sizes(looks),
        "baselines": baselines,
        "associations": associations,
        "copies": _line(copies),
    }
    runs.write_json(out / "results.json", results)
    _write_groups(out / "groups.csv", looks, groups)
    audit_page.write(out / "report.html", looks, copies, findings, results)
    return results


def as_text(results: Mapping[str, Any]) -> str:
    """Write the results for a person: short, the gravest first."""
    lines = [
        f"{part['name']}: {part['layout']}, {counted(part['images'], 'image')}"
        for part in results["parts"]
    ]
    lines += [""] + (["nothing found"] if not results["findings"] else [])
    for finding in results["findings"]:
        lines.append(f"{finding['gravity'].upper():8}{finding['title']}")
        lines += [f"        {finding['why']}", f"        {finding['advice']}"]
        lines += [f"          {' | '.join(f)}" for f in finding["files"][:SHOWN]]
        if finding["count"] > SHOWN:
            lines.append(f"          and {finding['count'] - SHOWN} more")
    for row in results["grades"]:
        if row["grades"]:
            counts = " ".join(f"{grade}:{n}" for grade, n in row["grades"].items())
            where = " ".join(word for word in (row["part"], row["split"]) if word)
            lines.append(f"grades  {where}: {counts}")
    for row in results["baselines"]:
        lines.append(
            f"knows nothing  {row['part']}, {row['baseline']}, {row['scored_on']}: "
            f"accuracy {row['accuracy']:.3f}, QWK {row['qwk']:.3f}, "
            f"AUC {row['auc']:.3f}, balanced accuracy {row['balanced_accuracy']:.3f} "
            f"(chance {row['chance']:.2f})"
        )
    return "\n".join(lines)


def _default_out(data: Sequence[str | Path]) -> Path:
    """Name a run folder after the data."""
    words = [re.sub(r"\W+", "-", Path(place).name or "data") for place in data]
    return Path("runs") / "-".join(["audit", *words])[:80]


def _part(looks: Looks, name: str) -> dict[str, Any]:
    """Return what is known of one part."""
    table = looks.parts[name]
    known = [
        c for c in ("grade", "patient", "eye", "split") if getattr(table, c) is not None
    ]
    return {
        "name": name,
        "root": str(table.root),
        "layout": table.layout,
        "images": int((looks.part == name).sum()),
        "known": [*known, *table.masks, *table.points],
    }


def _line(copies: Copies) -> dict[str, Any]:
    """Return how copies were told from others."""
    quantiles = (0.5, 0.9, 0.99, 1.0)
    return {
        "similarity_needed": copies.lines,
        "similarity_of_unrelated": {
            part: dict(zip(map(str, quantiles), np.quantile(s, quantiles), strict=True))
            for part, s in copies.unrelated.items()
            if len(s)
        },
        "bits_allowed": copies.max_bits,
        "bits_of_random_pairs": copies.distances,
        "pairs_looked_at": copies.looked_at,
        "pairs": [vars(pair) for pair in copies.pairs],
    }


def _groups(looks: Looks, copies: Copies, findings: Sequence[Finding]) -> np.ndarray:
    """Return a group for each image: copies and images of one patient share it."""
    ties = [(pair.first, pair.second) for pair in copies.pairs]
    for finding in findings:
        if finding.kind.startswith(BELONGING):
            ties += [(rows[0], row) for rows in finding.rows for row in rows[1:]]
    return join(len(looks), ties)


def _write_groups(path: Path, looks: Looks, groups: np.ndarray) -> None:
    """Write which images belong in one fold, as a csv file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "image", "group"])
    rows = zip(looks.part, looks.name, groups, strict=True)
    writer.writerows((part, name, f"g{group:05d}") for part, name, group in rows)
    runs.write_atomic(
        path, lambda partial: partial.write_text(text.getvalue(), encoding="utf-8")
    )


def _baselines(
    looks: Looks, rows: np.ndarray, groups: np.ndarray, part: str
) -> list[dict[str, Any]]:
    """Score what knows nothing on the graded images of one part."""
    if len(rows) < 20:  # five folds of four
        return []
    coarse = looks.coarse[rows]
    N, H, W, C = coarse.shape
    halved = coarse.reshape(N, H // 2, 2, W // 2, 2, C).mean((2, 4)) / 255
    features = {
        "global intensities": global_intensities(coarse),
        "14 x 14 pixels": halved.reshape(N, -1),
    }
    for name, labels in _labels(looks, rows).items():
        if len(np.unique(labels)) > 1:
            features[name] = shortcuts.one_hot(labels)
    found = shortcuts.score_shortcuts(
        features, looks.grade[rows], groups[rows], split=looks.split[rows]
    )
    return [{"part": part} | row for row in found]


def _labels(looks: Looks, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a file tells before its picture is seen."""
    sizes = zip(looks.height[rows], looks.width[rows], strict=True)
    return {
        "image size": np.array([f"{h} x {w}" for h, w in sizes]),
        "kind of file": looks.camera[rows],
        "colour of the corners": looks.corners[rows],
    }


def _associations(looks: Looks, rows: np.ndarray, part: str) -> list[dict[str, Any]]:
    """Measure how far size and kind of file go together with the grade."""
    found = []
    for name, labels in _labels(looks, rows).items() if len(rows) else ():
        v, p = shortcuts.association(labels, looks.grade[rows])
        kinds = len(np.unique(labels))
        found.append({"part": part, "label": name, "kinds": kinds, "v": v, "p": p})
    return found


def _shortcuts(
    associations: Sequence[Mapping[str, Any]], baselines: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """Return what a network could read instead of the eye."""
    scores = {
        (row["part"], row["baseline"]): row
        for row in baselines
        if row["scored_on"] != "test"
    }
    findings = []
    for line in associations:
        row = scores.get((line["part"], line["label"]))
        if row is None or line["p"] > 0.01:
            continue
        if row["balanced_accuracy"] < row["chance"] + 0.05:
            continue
        findings.append(
            Finding(
                f"{line['label'].replace(' ', '-')}-tells-the-grade",
                "warning",
                f"{line['part']}: {line['label']} alone tells the grade, balanced "
                f"accuracy {row['balanced_accuracy']:.2f}, chance {row['chance']:.2f}",
                "Grades come from different cameras or places: a network can read the "
                f"camera instead of the eye ({line['kinds']} kinds, Cramer's V "
                f"{line['v']:.2f}, p {line['p']:.3f}).",
                "Score each kind by itself; see whether the scores hold.",
            )
        )
    return findings
