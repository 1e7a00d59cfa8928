"""Checks for the exercises of the lessons: ``check.qwk(my_function)`` says what is off.

``check.qwk`` is the `Exercise` of that name in ``lessons/exercises/``. It prints what
it found and returns True or False, in a script, a notebook and pytest; the next failure
gets the next hint. ``tinyssl check NN FILE`` does so for a file. Everything runs in a
forked process: a crash, an endless loop or ``os._exit`` is reported, not suffered.
lessons/TEACHING.md says how an exercise is made.
"""

import functools
import re
import runpy
from pathlib import Path
from typing import Any

from tinyssl.check.course import find_folder

FILES = "exercises/[0-9][0-9].py"


def exercises(number: int) -> dict[str, Any]:
    """Return the exercises of a lesson, by the names of the learner's functions."""
    path = find_folder(FILES) / f"exercises/{number:02d}.py"
    if not path.exists():
        raise ValueError(f"lesson {number:02d} has no exercises to check")
    return _load(path)


def __getattr__(name: str) -> Any:
    for path in [] if name.startswith("_") else sorted(find_folder(FILES).glob(FILES)):
        text = path.read_text(encoding="utf-8")
        if re.search(rf"^{name} = Exercise\(", text, flags=re.MULTILINE):
            return _load(path)[f"my_{name}"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _load(path: Path) -> dict[str, Any]:
    from tinyssl.check.exercise import Exercise

    found = runpy.run_path(str(path)).values()
    return {task.name: task for task in found if isinstance(task, Exercise)}
