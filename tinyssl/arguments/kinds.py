"""What each word of the command line must be: readers that say what was wrong."""

import argparse


def count(text: str) -> int | str:
    """Read a number of images, or "all"."""
    return text if text == "all" else positive(text)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    return whole(text, least=1)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return whole(text, least=0)


def folds(text: str) -> int:
    """Read a number of folds, at least 2."""
    return whole(text, least=2)


def whole(text: str, *, least: int) -> int:
    """Read a whole number, or say in one line what was wrong."""
    if not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"must be a whole number >= {least}, found {text}"
        )
    return int(text)


def percentage(text: str) -> float:
    """Read a share of the labels in percent."""
    return number(text, most=100)


def rate(text: str) -> float:
    """Read a learning rate."""
    return number(text, most=10)


def number(text: str, *, most: float) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value <= most:
        raise argparse.ArgumentTypeError(f"must lie in (0, {most}], found {text}")
    return value
