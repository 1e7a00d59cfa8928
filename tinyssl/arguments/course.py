"""Arguments of the course: lesson, check."""

import argparse
from pathlib import Path

from tinyssl.arguments.kinds import natural


def add_lesson(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of lesson."""
    parser.add_argument("number", type=natural, metavar="NN")
    parser.add_argument("--fast", action="store_true", help="at most 20 seconds")
    parser.add_argument("--seed", type=natural, default=0)
    text = "where figures and results go [lessons/output/NN]"
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=text)


def add_check(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of check."""
    parser.add_argument("number", type=natural, metavar="NN")
    text = "Python file with your functions, named as in the lesson"
    parser.add_argument("file", type=Path, metavar="FILE", help=text)
