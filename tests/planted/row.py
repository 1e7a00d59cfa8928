"""What a planted error is."""

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


def rows(path, tests, *changes, compiled=False):
    """Return rows of one file of the package that the same tests notice."""
    tests = tuple(f"tests/{test}" for test in tests.split())
    return [Row(f"tinyssl/{path}", *change, tests, compiled) for change in changes]
