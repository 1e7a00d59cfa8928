"""How a command tells what it is doing: a function of one line of text."""

from collections.abc import Callable

Say = Callable[[str], None]


def silent(text: str) -> None:
    """Say nothing."""
