"""``tinyssl check NN FILE``: check a learner's answers in a process of its own."""

import importlib
import importlib.util
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
import traceback
import types
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tinyssl.commands.say import Say, silent

SECONDS = 60  # of work until the next exercise is through


def check(number: int, file: Path, *, say: Say = silent) -> dict[str, Any]:
    """Check the functions of a file against the exercises of a lesson.

    Parameters
    ----------
    number : int
        Of the lesson.
    file : path
        Python file with the learner's functions, named as in the lesson. Beside it
        ``FILE.hints.json`` remembers which hints were shown, until all is right.
    say : callable
        Takes lines for the person who waits.

    Returns
    -------
    dict
        "lesson", "file", "passed" and "failed" (names) and "reports" (texts by
        name; under "" why the file could not be checked to its end).

    Raises
    ------
    ValueError
        If the lesson has no exercises to check.
    FileNotFoundError
        If there is no such file.
    """
    module = f"tinyssl.check.lesson{number:02d}"
    if importlib.util.find_spec(module) is None:
        raise ValueError(f"lesson {number:02d} has no exercises to check")
    file = Path(file).absolute()
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not a file")
    names = list(importlib.import_module(module).EXERCISES)
    say(f"checking {', '.join(names)} of {file.name}")
    reports = _in_a_process(module, file)
    passed = [name for name in names if name in reports and reports[name][0]]
    for name in names:
        reports.setdefault(name, (False, f"{name}: not checked"))
    return {
        "lesson": number,
        "file": str(file),
        "passed": passed,
        "failed": [name for name in names if name not in passed],
        "reports": {name: text for name, (_, text) in reports.items()},
    }


def _in_a_process(module: str, file: Path) -> dict[str, tuple[bool, str]]:
    """Return what the checks said, by exercise; under "" why they ended early."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    given = (module, file, theirs, SECONDS)
    worker = context.Process(target=_work, args=given, daemon=True)
    worker.start()
    theirs.close()
    reports = {}
    try:
        while ours.poll(10 * SECONDS):
            name, passed, text = ours.recv()
            reports[name] = (passed, text)
        reports[""] = (False, f"no end after {10 * SECONDS} seconds, and no sign of it")
    except EOFError:
        worker.join(5)
        if worker.exitcode:
            text = f"the file ended Python with status {worker.exitcode}"
            reports.setdefault("", (False, text))
    finally:
        if worker.is_alive():
            worker.kill()
    return reports


def _watch(answers: Connection, seconds: float, last: list[float]) -> None:
    """End this process when it has worked so long since the last time noted."""
    from tinyssl.check.guarded import clock

    while clock() - last[-1] < seconds:
        time.sleep(0.1)
    answers.send(("", False, f"no end after {seconds} seconds: a loop in the file?"))
    os._exit(0)


def _work(module: str, file: Path, answers: Connection, seconds: float) -> None:
    """Import a learner's file and check it, exercise by exercise."""
    from tinyssl.check import exercise
    from tinyssl.check.guarded import clock

    last = [clock()]
    watch = threading.Thread(target=_watch, args=(answers, seconds, last), daemon=True)
    watch.start()
    sys.stdout = sys.stderr  # what the file prints is no result
    learner = types.ModuleType("answers")
    learner.__file__ = str(file)
    try:
        # a whole lesson may be given: it runs fast, and draws into a folder that goes
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"TINYSSL_FAST": "1", "MPLBACKEND": "Agg"}
            os.environ["TINYSSL_OUT"] = folder
            sys.path.insert(0, str(file.parent))
            text = file.read_text(encoding="utf-8")
            exec(compile(text, str(file), "exec"), vars(learner))
    except BaseException as error:  # a learner's sys.exit too
        said = "".join(traceback.format_exception_only(error)).strip()
        answers.send(("", False, f"{file.name} cannot be imported\n{said}"))
        return
    shown = file.with_name(file.name + ".hints.json")
    exercise.failures.clear()
    if shown.exists():
        exercise.failures.update(json.loads(shown.read_text(encoding="utf-8")))
    for name, task in importlib.import_module(module).EXERCISES.items():
        if hasattr(learner, name):
            answers.send((name, *task.examine(getattr(learner, name))))
        else:
            answers.send((name, False, f"{name}: no such function in {file.name}"))
        last.append(clock())
    if exercise.failures:
        text = json.dumps(exercise.failures, indent=1) + "\n"
        shown.write_text(text, encoding="utf-8")
    else:
        shown.unlink(missing_ok=True)
