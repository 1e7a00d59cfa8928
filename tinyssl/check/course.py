"""``tinyssl lessons``, ``lesson NN`` and ``check NN FILE``."""

import contextlib
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tinyssl.check import process

PACKAGE = Path(__file__).parents[1]
FILES = "[0-9][0-9]_*.py"
SECONDS = 60.0  # of work until a learner's file is imported
FIELDS = ("do", "learn", "need", "sources", "data", "runtime", "memory", "files")


def lessons():
    """Return number, title, file and header fields of every lesson, in order."""
    return [read_header(path) for path in sorted(find_folder().glob(FILES))]


def lesson(number, *, fast=False, seed=0, out=None, log=lambda line: None):
    """Run a lesson as a script; return its results. See `tinyssl.commands.lesson`.

    A ValueError if there is no such lesson, a RuntimeError if it ends with an error.
    """
    path = find_lesson(number)
    header = read_header(path)
    beside = Path() if PACKAGE in path.parents else path.parent
    out = Path(out or beside / "output" / f"{number:02d}").absolute()
    log(f"{header['title']}; runtime {header['runtime']}")
    began = time.monotonic()
    env = {"TINYSSL_OUT": str(out), "TINYSSL_FAST": "1" if fast else "0"}
    env |= {"TINYSSL_SEED": str(seed), "MPLBACKEND": "Agg"}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    how["env"] = os.environ | env
    with subprocess.Popen([sys.executable, str(path)], **how) as running:
        for line in running.stdout:
            log(line.rstrip("\n"))
    if running.returncode:
        raise RuntimeError(f"{path.name} ended with status {running.returncode}")
    return {
        "lesson": number,
        "title": header["title"],
        "seconds": round(time.monotonic() - began, 1),
        "out": str(out),
        "files": sorted(file.name for file in out.iterdir()),
        "results": json.loads((out / "results.json").read_text(encoding="utf-8")),
    }


def check(number, file, *, log=lambda line: None):
    """Check the functions of a file against the exercises of a lesson.

    Beside it ``FILE.hints.json`` remembers which hints were shown, until all is right.
    Of "reports" the one under "" says why the file could not be checked to its end. A
    ValueError if the lesson has no exercises, a FileNotFoundError if there is no file.
    """
    from tinyssl.check import exercises

    tasks = exercises(number)
    file = Path(file).absolute()
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not a file")
    log(f"checking {', '.join(tasks)} of {file.name}")
    late = {"": (False, f"no end after {SECONDS:.0f} seconds: a loop in the file?")}
    try:
        reports = process.in_a_process(lambda: _check(tasks, file), lambda: late)
    except process.EndedError as ended:
        reports = {"": (False, f"the file {ended}")}
    lacks = "not checked" if "" in reports else f"no such function in {file.name}"
    for name in tasks:
        reports.setdefault(name, (False, f"{name}: {lacks}"))
    return {
        "lesson": number,
        "file": str(file),
        "passed": [name for name in tasks if reports[name][0]],
        "failed": [name for name in tasks if not reports[name][0]],
        "reports": {n: reports[n][1] for n in ("", *tasks) if n in reports},
    }


def _check(tasks, file):
    from tinyssl.check.exercise import failures

    process.arm(SECONDS)  # the file may be a whole lesson, which draws: run it fast
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(sys.stderr):
        os.environ |= {"TINYSSL_FAST": "1", "MPLBACKEND": "Agg", "TINYSSL_OUT": out}
        sys.path.insert(0, str(file.parent))
        try:
            names = runpy.run_path(str(file), run_name="answers")
        except BaseException as error:  # a learner's sys.exit too
            text = "".join(traceback.format_exception_only(error)).strip()
            return {"": (False, f"{file.name} cannot be imported\n{text}")}
        process.arm(0)  # each exercise has clocks of its own
        shown = file.with_name(file.name + ".hints.json")
        failures.clear()
        if shown.exists():
            failures.update(json.loads(shown.read_text(encoding="utf-8")))
        reports = {n: tasks[n].examine(names[n]) for n in tasks if n in names}
    if failures:
        shown.write_text(json.dumps(failures, indent=1) + "\n", encoding="utf-8")
    else:
        shown.unlink(missing_ok=True)
    return reports


def find_folder(pattern=FILES):
    """Return where a pattern is found: here, beside the package, or in it (a wheel)."""
    inside = PACKAGE / "_lessons"
    for folder in (Path.cwd() / "lessons", PACKAGE.parent / "lessons", inside):
        if any(folder.glob(pattern)):
            return folder
    raise FileNotFoundError(f"no {pattern} found: start where lessons/ lies")


def find_lesson(number):
    """Return the file of a lesson."""
    found = {int(path.name[:2]): path for path in sorted(find_folder().glob(FILES))}
    if number not in found:
        there = ", ".join(f"{number:02d}" for number in found)
        raise ValueError(f"no lesson {number:02d}; there are {there}")
    return found[number]


def read_header(path):
    """Return number, title, file and the fields of a lesson's first cell."""
    text = path.read_text(encoding="utf-8")
    form = r'# %% \[markdown\]\n"""\n(.*?)\n=+\n(.*?)"""\n'
    opening = re.match(form, text, flags=re.DOTALL)
    if not opening:
        raise ValueError(f"{path.name} must open with a title and a header")
    title, body = opening.groups()
    fields = dict(re.findall(r"^- (\w+): (.*(?:\n  .*)*)", body, flags=re.MULTILINE))
    lacking = [field for field in FIELDS if field not in fields]
    if lacking:
        raise ValueError(f"{path.name}: the header lacks {', '.join(lacking)}")
    fields = {name: re.sub(r"\s+", " ", value) for name, value in fields.items()}
    return {"number": int(path.name[:2]), "title": title, "file": path.name} | fields
