"""Checks for the exercises of the lessons: ``check.qwk(my_function)`` says what is off.

It is the `Exercise` of that name in ``lessons/exercises/``, prints what it found and
returns True or False; the next failure gets the next hint. It runs in a forked process:
a crash or an endless loop is reported, not suffered. See lessons/TEACHING.md.
"""

import functools
import runpy
from typing import Any

from tinyssl.check.course import find_folder

FILES = "exercises/[0-9][0-9].py"


def exercises(number):
    """Return the exercises of a lesson, by the names of the learner's functions."""
    path = find_folder(FILES) / f"exercises/{number:02d}.py"
    if not path.exists():
        raise ValueError(f"lesson {number:02d} has no exercises to check")
    return _load(path)


def __getattr__(name: str) -> Any:
    for path in [] if name.startswith("_") else sorted(find_folder(FILES).glob(FILES)):
        if f"\n{name} = Exercise(" in path.read_text(encoding="utf-8"):
            return _load(path)[f"my_{name}"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _load(path):
    from tinyssl.check.exercise import Exercise

    found = runpy.run_path(str(path)).values()
    return {task.name: task for task in found if isinstance(task, Exercise)}
