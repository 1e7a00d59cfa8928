"""Commands of the course."""

from pathlib import Path
from typing import Any

from tinyssl.commands.kinds import Log, Natural, silent


def lessons() -> list[dict[str, Any]]:
    """List the lessons of the course."""
    from tinyssl.check import course

    listed = course.lessons()
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
    from tinyssl.check import course

    found = course.lesson(number, fast=fast, seed=seed, out=out, log=log)
    lines = [f"{name}: {value}" for name, value in found["results"].items()]
    lines.append(f"{found['seconds']} s; {', '.join(found['files'])}")
    return found | {"lines": [*lines, f"in {found['out']}"]}


def check(number: Natural, file: Path, *, log: Log = silent) -> dict[str, Any]:
    """Check your answers to the exercises of a lesson.

    Parameters
    ----------
    number : int
        Of the lesson.
    file : path
        Python file with your functions, named as in the lesson.
    """
    from tinyssl.check import course

    found = course.check(number, file, log=log)
    return found | {"lines": "\n\n".join(found["reports"].values()).split("\n")}
