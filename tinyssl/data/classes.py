"""Which class is which number, and whether the numbers mean more and less.

Classes are *ordered* where their names say so, by numbers or by words of severity, or
where the user does; else they are *nominal*: a mistake is a mistake.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyssl.data.table import DataError, Table
from tinyssl.data.toy.report import DIAGNOSES

RETINOPATHY = tuple(text[0].lower() + text[1:] for text in DIAGNOSES)
STEPS = (  # words of severity; of several in one name the gravest counts
    {"no", "none", "non", "not", "normal", "healthy", "negative", "absent", "control"},
    {"minimal", "trace", "questionable", "borderline", "doubtful"},
    {"mild", "low", "early", "slight"},
    {"moderate", "medium", "intermediate"},
    {"severe", "high", "advanced", "late", "marked"},
    {"proliferative", "proliferate", "pdr", "end", "extreme"},
)
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def in_order(names: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Return class names in their order, and whether that order has a meaning.

    Numbers, with the same words around them if any ("grade2", "stage IV"), and words of
    severity ("No_DR", "Mild", ...) have one. Other names stand in alphabetical order,
    the healthy first, so that of two classes the second is the finding.

    >>> in_order(["grade10", "grade2"])
    (('grade2', 'grade10'), True)
    >>> in_order(["glaucoma", "normal", "cataract"])
    (('normal', 'cataract', 'glaucoma'), False)
    """
    names = sorted(names)
    for place in (_number, _step):
        known = {name: place(name) for name in names}
        around = {around for around, _ in known.values()}
        steps = [step for _, step in known.values()]
        if None not in steps and len(set(steps)) == len(names) and len(around) == 1:
            return tuple(sorted(names, key=lambda name: known[name][1])), True
    return tuple(sorted(names, key=lambda name: _step(name)[1] != 0)), False


def _words(name):
    """Split a name as people write it: "No_DR", "VeryMildDemented", "grade2"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    apart = re.sub(r"non\W*proliferative|npdr", "", apart.replace("_", " "))
    return re.findall(r"[^\W\d]+|\d+", apart)


def _number(name):
    """Return what stands around the one number of a name, and the number or None."""
    words = _words(name)
    found = [word for word in words if word.isdigit()]
    found = found or [word for word in words[-1:] if word in ROMAN and len(words) > 1]
    if len(found) != 1:
        return "", None
    (word,) = found
    value = int(word) if word.isdigit() else 1 + ROMAN.index(word)
    return tuple(w for w in words if w != word), value


def _step(name):
    """Return the same of words of severity: nothing around, and the step or None."""
    words = set(_words(name))
    found = [step for step, known in enumerate(STEPS) if words & known]
    if not found or "very" not in words:
        return "", found[-1] if found else None
    return "", found[-1] + (0.5 if found[-1] > 3 else -0.5)


def reorder(table: Table, order: Sequence[str]) -> Table:
    """Return a table whose classes are 0, 1, ... in this order, each named once."""
    if table.grade is None:
        raise DataError(f"{table.root}: an order needs classes, found no labels")
    names = table.class_names or tuple(map(str, range(int(table.grade.max()) + 1)))
    if sorted(order) != sorted(names):
        rule = f"the order must name each class once: {', '.join(names)}"
        raise DataError(f"{table.root}: {rule}; found {', '.join(order)}")
    place = np.array([list(order).index(name) for name in names])
    grade = np.where(table.grade >= 0, place[table.grade], -1)
    return replace(table, grade=grade, class_names=tuple(order), ordered=True)
