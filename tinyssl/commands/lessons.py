"""``tinyssl lessons`` and ``tinyssl lesson NN``: what there is to learn, and run it."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tinyssl.commands.say import Say, silent

FIELDS = ("do", "learn", "need", "sources", "data", "runtime", "memory", "files")


def lessons() -> list[dict[str, Any]]:
    """Return number, title, file and header fields of every lesson, in order."""
    files = sorted(find_folder().glob("[0-9][0-9]_*.py"))
    return [read_header(path) for path in files]


def lesson(
    number: int,
    *,
    fast: bool = False,
    seed: int = 0,
    out: Path | None = None,
    say: Say = silent,
) -> dict[str, Any]:
    """Run a lesson as a script; return its results.

    Parameters
    ----------
    number : int
        Of the lesson.
    fast : bool
        Do less, for a first look: at most 20 seconds.
    seed : int
        Moves every random number of the lesson; its text speaks of seeds 0 to 9.
    out : path, optional
        Where figures and results.json go: ``output/NN`` beside the lesson if not given.
    say : callable
        Takes the lines that the lesson prints.

    Returns
    -------
    dict
        "lesson", "title", "seconds", "out", "files" and "results".

    Raises
    ------
    ValueError
        If there is no such lesson.
    RuntimeError
        If the lesson ends with an error, whose lines were said before.
    """
    path = find_lesson(number)
    header = read_header(path)
    out = Path(out) if out else path.parent / "output" / f"{number:02d}"
    out = out.absolute()
    settings = {
        "TINYSSL_OUT": str(out),
        "TINYSSL_FAST": "1" if fast else "0",
        "TINYSSL_SEED": str(seed),
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
    }
    say(f"{header['title']}; runtime {header['runtime']}")
    start = time.monotonic()
    with subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=os.environ | settings | {"PYTHONIOENCODING": "utf-8"},
    ) as running:
        for line in running.stdout:
            say(line.rstrip("\n"))
    if running.returncode:
        raise RuntimeError(f"{path.name} ended with status {running.returncode}")
    return {
        "lesson": number,
        "title": header["title"],
        "seconds": round(time.monotonic() - start, 1),
        "out": str(out),
        "files": sorted(file.name for file in out.iterdir()),
        "results": json.loads((out / "results.json").read_text(encoding="utf-8")),
    }


def find_folder() -> Path:
    """Return the folder of lessons: of this directory, or beside the package."""
    for root in (Path.cwd(), Path(__file__).parents[2]):
        if any((root / "lessons").glob("[0-9][0-9]_*.py")):
            return root / "lessons"
    raise FileNotFoundError(
        "lessons/ not found: it comes with the source of tinyssl, so start where "
        "lessons/ lies"
    )


def find_lesson(number: int) -> Path:
    """Return the file of a lesson."""
    folder = find_folder()
    found = sorted(folder.glob(f"{number:02d}_*.py"))
    if not found:
        there = ", ".join(path.name[:2] for path in sorted(folder.glob("[0-9]*_*.py")))
        raise ValueError(f"no lesson {number:02d}; there are {there}")
    return found[0]


def read_header(path: Path) -> dict[str, Any]:
    """Return number, title, file and the fields of a lesson's first cell."""
    text = path.read_text(encoding="utf-8")
    opening = re.match(
        r'# %% \[markdown\]\n"""\n(.*?)\n=+\n(.*?)"""\n', text, re.DOTALL
    )
    if not opening:
        raise ValueError(f"{path.name} must open with a title and a header")
    title, body = opening.groups()
    fields = dict(re.findall(r"^- (\w+): (.*(?:\n  .*)*)", body, flags=re.MULTILINE))
    lacking = [field for field in FIELDS if field not in fields]
    if lacking:
        raise ValueError(f"{path.name}: the header lacks {', '.join(lacking)}")
    fields = {name: re.sub(r"\s+", " ", value) for name, value in fields.items()}
    return {"number": int(path.name[:2]), "title": title, "file": path.name} | fields
