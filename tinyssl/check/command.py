"""``tinyssl check NN FILE``: check the functions of a learner's file."""

import contextlib
import functools
import json
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyssl.check import exercises, process
from tinyssl.check.lessons import silent

SECONDS = 60.0  # of work until a file is imported


def check(
    number: int, file: Path, *, log: Callable[[str], Any] = silent
) -> dict[str, Any]:
    """Check the functions of a file against the exercises of a lesson.

    Raises ValueError if the lesson has no exercises to check, and FileNotFoundError if
    there is no such file.

    Parameters
    ----------
    number : int
        Of the lesson.
    file : path
        Python file with the learner's functions, named as in the lesson. Beside it
        ``FILE.hints.json`` remembers which hints were shown, until all is right.
    log : callable
        Takes lines for the person who waits.

    Returns
    -------
    dict
        "lesson", "file", "passed" and "failed" (names) and "reports" (texts by
        name; under "" why the file could not be checked to its end).
    """
    tasks = exercises(number)
    file = Path(file).absolute()
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not a file")
    log(f"checking {', '.join(tasks)} of {file.name}")
    late = f"no end after {SECONDS:.0f} seconds: a loop in the file?"
    work = functools.partial(_check, tasks, file)
    try:
        reports = process.in_a_process(work, lambda: {"": (False, late)})
    except process.EndedError as ended:
        reports = {"": (False, f"the file {ended}")}
    for name in tasks:
        reports.setdefault(name, (False, f"{name}: not checked"))
    return {
        "lesson": number,
        "file": str(file),
        "passed": [name for name in tasks if reports[name][0]],
        "failed": [name for name in tasks if not reports[name][0]],
        "reports": {name: text for name, (_, text) in reports.items()},
    }


def _check(tasks, file):
    from tinyssl.check.exercise import failures

    process.arm(SECONDS)
    # a whole lesson may be given: it runs fast, and draws into a folder that goes;
    # what it prints is no result
    folder = tempfile.TemporaryDirectory()
    with folder as out, contextlib.redirect_stdout(sys.stderr):
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
        reports = {
            name: (False, f"{name}: no such function in {file.name}") for name in tasks
        }
        reports |= {k: t.examine(names[k]) for k, t in tasks.items() if k in names}
    if failures:
        shown.write_text(json.dumps(failures, indent=1) + "\n", encoding="utf-8")
    else:
        shown.unlink(missing_ok=True)
    return reports
