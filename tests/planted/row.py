"""What a planted error is, and how a list of them is written."""

import re
from dataclasses import dataclass


@dataclass
class Row:
    """One error: a text that stands once in a file, another text, and the tests."""

    path: str
    old: str
    new: str
    tests: tuple[str, ...]
    compiled: bool = False

    def __str__(self):
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path.removeprefix('tinyssl/')}: {old} -> {new}"


def rows(text, compiled=False):
    r"""Return the rows of a text of blocks, with an empty line between two.

    A block names a file and, behind a colon, the tests. Below stand the errors, with
    four spaces before them: ``old -> new``, or ``-> new`` in a line of its own. Each
    further space counts, ``\n`` is an end of line, and ``#`` opens a comment.
    """
    found = []
    for block in text.strip().split("\n\n"):
        head, *errors = re.sub(r"\n +->", " ->", block).split("\n    ")
        path, *tests = head.split()
        path = f"tinyssl/{path.removesuffix(':')}"
        tests = tuple(f"tests/{test}" for test in tests)
        for error in errors:
            if not error.startswith("#"):
                old, new = error.replace(r"\n", "\n").split(" ->")
                found.append(Row(path, old, new.removeprefix(" "), tests, compiled))
    return found
