"""``tinyssl lessons`` and ``tinyssl lesson NN``: what there is to learn, and run it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
FILES = "[0-9][0-9]_*.py"
FIELDS = ("do", "learn", "need", "sources", "data", "runtime", "memory", "files")


def silent(line: str) -> None:
    """Log nothing."""


def lessons() -> list[dict[str, Any]]:
    """Return number, title, file and header fields of every lesson, in order."""
    return [read_header(path) for path in sorted(find_folder().glob(FILES))]


def lesson(
    number: int,
    *,
    fast: bool = False,
    seed: int = 0,
    out: Path | None = None,
    log: Callable[[str], Any] = silent,
) -> dict[str, Any]:
    """Run a lesson as a script; return its results.

    Raises ValueError if there is no such lesson, RuntimeError if it ends with an error.

    Parameters
    ----------
    number : int
        Of the lesson.
    fast : bool
        Do less, for a first look: at most 20 seconds.
    seed : int
        Moves every random number of the lesson; its text speaks of seeds 0 to 9.
    out : path, optional
        Where figures and results.json go: if not given ``output/NN`` beside the
        lesson, or in the working directory if the lesson came with a wheel.
    log : callable
        Takes the lines that the lesson prints.

    Returns
    -------
    dict
        "lesson", "title", "seconds", "out", "files" and "results".
    """
    path = find_lesson(number)
    header = read_header(path)
    beside = Path() if PACKAGE in path.parents else path.parent
    out = Path(out or beside / "output" / f"{number:02d}").absolute()
    log(f"{header['title']}; runtime {header['runtime']}")
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=dict(
            os.environ,
            TINYSSL_OUT=str(out),
            TINYSSL_FAST="1" if fast else "0",
            TINYSSL_SEED=str(seed),
            MPLBACKEND="Agg",
            PYTHONUNBUFFERED="1",
            PYTHONIOENCODING="utf-8",
        ),
    ) as running:
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


def find_folder(pattern: str = FILES) -> Path:
    """Return the first folder of lessons in which a pattern finds a file.

    It is that of the working directory, beside the package, or inside it (a wheel).
    """
    inside = PACKAGE / "_lessons"
    for folder in (Path.cwd() / "lessons", PACKAGE.parent / "lessons", inside):
        if any(folder.glob(pattern)):
            return folder
    raise FileNotFoundError(f"no {pattern} found: start where lessons/ lies")


def find_lesson(number: int) -> Path:
    """Return the file of a lesson."""
    found = {int(path.name[:2]): path for path in sorted(find_folder().glob(FILES))}
    if number not in found:
        there = ", ".join(f"{number:02d}" for number in found)
        raise ValueError(f"no lesson {number:02d}; there are {there}")
    return found[number]


def read_header(path: Path) -> dict[str, Any]:
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
