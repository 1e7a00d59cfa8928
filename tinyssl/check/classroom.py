"""``tinyssl class export`` and ``tinyssl class grade``: hand out, collect, mark."""

import csv as tables
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyssl.check import course, exercises
from tinyssl.kinds import Log, Natural, Positive, silent

ANSWERS = r"^# <details><summary>Answers.*\n(?:#.*\n)*?# </details>\n"
MEBIBYTES = 20  # of a submission, with the figures of a notebook


def class_export(*, lessons: Sequence[Natural], out: Path) -> dict[str, Any]:
    """Write lessons for a class: scripts, notebooks, points; no answers.

    Parameters
    ----------
    lessons : sequence of int
        Numbers of the lessons.
    out : path
        A new or empty folder.
    """
    if out.exists() and any(out.iterdir()):
        rule = "must be a new or empty folder, found files in it"
        raise ValueError(f"--out {out} {rule}")
    paths, manifest = [course.find_lesson(number) for number in lessons], {}
    tasks = [exercises(number) for number in lessons]
    out.mkdir(parents=True, exist_ok=True)
    for path, functions in zip(paths, tasks, strict=True):
        text = path.read_text(encoding="utf-8")
        text = re.sub(ANSWERS, "", text, flags=re.MULTILINE)
        (out / path.name).write_text(text, encoding="utf-8")
        _write_json(out / f"{path.stem}.ipynb", _notebook(text))
        points = {"title": course.read_header(path)["title"]}
        manifest[path.name[:2]] = points | {"points": dict.fromkeys(functions, 1)}
    _write_json(out / "manifest.json", manifest)
    files = sorted(file.name for file in out.iterdir())
    return {"out": str(out), "files": files, "lines": [*files, f"in {out}"]}


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _notebook(text):
    """Return a script of cells as a notebook."""
    _, *parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)
    cells = []
    for kind, body in zip(parts[::2], parts[1::2], strict=True):
        cell = {"cell_type": "code", "execution_count": None, "outputs": []}
        if "markdown" in kind:
            cell = {"cell_type": "markdown"}
            body = re.sub(r'^(?:# ?|"""\n)', "", body, flags=re.MULTILINE)
        source = body.strip("\n").splitlines(keepends=True)
        cells.append(cell | {"metadata": {}, "source": source})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    form = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}}
    return form | {"cells": cells}


def class_grade(
    number: Natural,
    folder: Path,
    *,
    csv: Path,
    manifest: Path | None = None,
    seed: Natural = 1,
    workers: Positive | None = None,
    log: Log = silent,
) -> dict[str, Any]:
    """Mark a folder of submissions: one row a student, points and a reason.

    Each function asked for runs in a process of its own, which is given cases that the
    public check does not have, and nothing else.

    Parameters
    ----------
    number : int
        Of the lesson.
    folder : path
        Of .py and .ipynb files, at any depth; their names are those of the students.
    csv : path
        File for the marks.
    manifest : path
        manifest.json of an edition, for its points; without it 1 a function.
    seed : int
        Of the cases.
    workers : int
        Submissions at once; the cores if not given.
    """
    if not hasattr(os, "fork"):
        rule = "must run on Linux or macOS, found Windows: use WSL"
        raise ValueError(f"class grade {rule}")
    from tinyssl.check import marking  # imports what Windows does not have

    if csv.suffix != ".csv":
        raise ValueError(f"--csv must be a file NAME.csv, found {csv}")
    points = dict.fromkeys(exercises(number), 1)
    if manifest:
        points = _points(manifest, f"{number:02d}", points)
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*.*"))]
    names = [name for name in names if name.suffix in (".py", ".ipynb")]
    names = [name for name in names if "/." not in f"/{name.as_posix()}"]  # hidden
    if not names:
        raise FileNotFoundError(f"{folder} must hold .py or .ipynb files, found none")
    texts = {name: _read(folder / name) for name in names}  # before any of them runs
    head, rows = ["student", "points", *points, "reason"], []
    csv.parent.mkdir(parents=True, exist_ok=True)
    with csv.open("w", encoding="utf-8", newline="") as file:
        table = tables.writer(file, lineterminator="\n")
        table.writerow(head)
        judged = marking.mark_all(number, folder, texts, seed, workers, log)
        for name, faults in zip(names, judged, strict=True):
            marks = [points[task] * (faults.get(task) == "") for task in points]
            row = [str(name.with_suffix("")), sum(marks), *marks, _reason(faults)]
            rows.append(row)
            table.writerow(row)
            log(f"{len(rows)} of {len(names)}: {row[0]}")
    if changed := [str(name) for name in names if _read(folder / name) != texts[name]]:
        log(f"changed while they were marked: {', '.join(changed)}")
    total = sum(points.values())
    lines = [f"{row[0]}: {row[1]} of {total}, {row[-1]}" for row in rows]
    students = [dict(zip(head, row, strict=True)) for row in rows]
    return {"lesson": number, "csv": str(csv), "students": students, "lines": lines}


def _points(manifest, number, functions):
    """Return the points that a manifest gives for functions."""
    try:
        points = json.loads(manifest.read_text(encoding="utf-8"))[number]["points"]
        return {name: points[name] for name in functions}
    except (ValueError, KeyError, TypeError) as error:
        rule = f"must give points for {', '.join(functions)} of lesson {number}"
        raise ValueError(f"{manifest} {rule}") from error


def _reason(faults):
    """Write each fault once, behind the functions that have it."""
    parts = []
    for fault in dict.fromkeys(filter(None, faults.values())):
        tasks = ", ".join(task for task in faults if faults[task] == fault)
        parts.append(f"{tasks}: {fault}".removeprefix(": "))
    return "; ".join(parts) or "all right"


def _read(path):
    """Return the text of a submission, and why there is none."""
    try:
        if path.is_symlink() or not path.is_file():
            return "", "must be a file, found a link or a folder"
        if path.stat().st_size > MEBIBYTES * 2**20:
            return "", f"must have at most {MEBIBYTES} MiB, found more"
        return path.read_text(encoding="utf-8-sig"), ""
    except (OSError, ValueError) as error:
        return "", f"cannot be read: {error}"
