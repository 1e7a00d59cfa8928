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
from typing import Any

from tinyssl.check import process
from tinyssl.kinds import Log, Natural, silent

PACKAGE = Path(__file__).parents[1]
FILES = "[0-9][0-9]_*.py"
SECONDS = 60.0  # of work until a learner's file is imported
FIELDS = ("do", "learn", "need", "sources", "data", "runtime", "memory", "files")


def lessons() -> list[dict[str, Any]]:
    """List the lessons of the course."""
    listed = [read_header(path) for path in sorted(find_folder().glob(FILES))]
    for header in listed:
        title = header["title"].partition(". ")[2]
        text = f"    {header['learn']} ({header['runtime']})"
        header["lines"] = [f"{header['number']:02d}  {title}", text]
    return listed


def lesson(
    number: Natural,
    *,
    fast: bool = False,
    seed: Natural = 0,
    out: Path | None = None,
    log: Log = silent,
) -> dict[str, Any]:
    """Run a lesson: its figures and results.

    A ValueError if there is no such lesson, a RuntimeError if it ends with an error.

    Parameters
    ----------
    number : int
        Of the lesson.
    fast : bool
        Do less, for a first look: at most 20 seconds.
    seed : int
        Moves every random number; the text speaks of seeds 0 to 9.
    out : path
        Where figures and results go, output/NN beside the lesson if not given.
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
    seconds = round(time.monotonic() - began, 1)
    files = sorted(file.name for file in out.iterdir())
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    lines = [f"{name}: {value}" for name, value in results.items()]
    lines += [f"{seconds} s; {', '.join(files)}", f"in {out}"]
    found = {"lesson": number, "title": header["title"], "seconds": seconds}
    found |= {"out": str(out), "files": files, "results": results}
    return found | {"lines": lines}


def check(number: Natural, file: Path, *, log: Log = silent) -> dict[str, Any]:
    """Check your answers to the exercises of a lesson.

    Beside it ``FILE.hints.json`` remembers which hints were shown, until all is right.
    Of "reports" the one under "" says why the file could not be checked to its end. A
    ValueError if the lesson has no exercises, a FileNotFoundError if there is no file.

    Parameters
    ----------
    number : int
        Of the lesson.
    file : path
        Python file with your functions, named as in the lesson.
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
    except process.AnswerError as ended:
        reports = {"": (False, f"the file {ended}")}
    lacks = "not checked" if "" in reports else f"no such function in {file.name}"
    reports = {name: (False, f"{name}: {lacks}") for name in tasks} | reports
    texts = {name: reports[name][1] for name in ("", *tasks) if name in reports}
    return {
        "lesson": number,
        "file": str(file),
        "passed": [name for name in tasks if reports[name][0]],
        "failed": [name for name in tasks if not reports[name][0]],
        "reports": texts,
        "lines": "\n\n".join(texts.values()).split("\n"),
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
