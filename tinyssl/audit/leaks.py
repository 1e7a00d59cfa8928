"""What stands on both sides of a split, or belongs together and nobody says so."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tinyssl.data.audit.copies import Copies, rows_by
from tinyssl.data.audit.finding import Finding, counted
from tinyssl.data.audit.look import Looks

LARGEST_GUESS = 8  # files of one patient; what more share was left by a program
EYE = re.compile(r"([ _.-]+|(?<=\d))(left|right|od|os|l|r)$", re.IGNORECASE)
KINDS = {
    "bytes": "of the same bytes",
    "pixels": "of the same pixels in other bytes",
    "picture": "of one picture saved again, or of one eye photographed again",
}


def find_leaks(looks: Looks, copies: Copies) -> Iterator[Finding]:
    """Yield what ties images together across splits and parts, and within them."""
    yield from _copies(looks, copies)
    yield from _conflicts(looks, copies)
    yield from _patients(looks)
    yield from _visits(looks, copies)


def crosses_splits(looks: Looks, rows: Sequence[int]) -> bool:
    """Return whether rows lie in two splits or more; an unknown split is none."""
    return len(set(looks.split[list(rows)]) - {""}) > 1


def _copies(looks: Looks, copies: Copies) -> Iterator[Finding]:
    """Yield the groups of copies: across splits, across parts, and within a part."""
    groups = [rows.tolist() for rows in copies.members()]
    across = [rows for rows in groups if crosses_splits(looks, rows)]
    if across:
        yield Finding(
            "copies-across-splits",
            "grave",
            f"{counted(len(across), 'picture')} in two splits",
            "The model is tested on pictures it was trained on: scores are too high.",
            "Take the copies out of the training part, or out of the test.",
            **_name(looks, across),
        )
    for kind, words in KINDS.items():
        pairs = [
            [pair.first, pair.second]
            for pair in copies.pairs
            if pair.kind == kind
            and not crosses_splits(looks, (pair.first, pair.second))
        ]
        yield from _pairs_of_a_kind(looks, kind, words, pairs)


def _pairs_of_a_kind(
    looks: Looks, kind: str, words: str, pairs: list[list[int]]
) -> Iterator[Finding]:
    """Yield pairs within one part, and pairs of two parts."""
    within = [pair for pair in pairs if len(set(looks.part[pair])) == 1]
    between = [pair for pair in pairs if len(set(looks.part[pair])) > 1]
    if within:
        yield Finding(
            f"copies-{kind}",
            "warning",
            f"{counted(len(within), 'pair')} {words}",
            "Copies in two folds make cross-validation too good, and count twice.",
            "Keep one of each, or give both one patient (groups.csv has the groups).",
            **_name(looks, within),
        )
    if between:
        yield Finding(
            f"copies-{kind}-between-parts",
            "warning",
            f"{counted(len(between), 'pair')} {words}, in two parts",
            "To learn from one part and test on the other is to test on seen images.",
            "Leave them out of one part whenever the two are used together.",
            **_name(looks, between),
        )


def _conflicts(looks: Looks, copies: Copies) -> Iterator[Finding]:
    """Yield copies with different grades, of equal and of similar pictures."""
    for name, kinds, words, gravity, why in (
        (
            "identical",
            ("bytes", "pixels"),
            "identical images",
            "grave",
            "At least one of the two grades is wrong; no model can get both right",
        ),
        (
            "similar",
            ("picture",),
            "images that show one eye",
            "warning",
            "One of the two grades is wrong, or the eye changed between two visits",
        ),
    ):
        pairs = [
            [pair.first, pair.second]
            for pair in copies.pairs
            if pair.kind in kinds and _grades_differ(looks, pair.first, pair.second)
        ]
        if pairs:
            grades = ", ".join(
                f"{looks.grade[a]} and {looks.grade[b]}" for a, b in pairs
            )
            yield Finding(
                f"conflicting-grades-{name}",
                gravity,
                f"{counted(len(pairs), 'pair')} of {words} with different grades "
                f"({_shorten(grades)})",
                f"{why}. How often graders disagree shows here.",
                "Have them graded again, or leave both out.",
                **_name(looks, pairs),
            )


def _grades_differ(looks: Looks, first: int, second: int) -> bool:
    """Return whether two images have unlike grades on one scale."""
    scales = [looks.parts[looks.part[row]].layout for row in (first, second)]
    grades = looks.grade[[first, second]]
    return scales[0] == scales[1] and grades.min() >= 0 and grades[0] != grades[1]


def _patients(looks: Looks) -> Iterator[Finding]:
    """Yield patients with several images, as the table or the names tell them."""
    known = looks.patient != ""
    groups = _groups(looks, known, lambda row: looks.patient[row])
    yield from _together(looks, groups, "patients", "patient", guessed=False)
    stems = [_stem(name) for name in looks.name]
    paired = ~known & np.array([bool(EYE.search(stem)) for stem in stems])
    groups = _groups(looks, paired, lambda row: EYE.sub("", stems[row]))
    yield from _together(
        looks, groups, "eyes-by-name", "patient by the names of the files", guessed=True
    )


def _visits(looks: Looks, copies: Copies) -> Iterator[Finding]:
    """Yield files that carry the same note: a date or number of one visit."""
    known = (looks.note != "") & (looks.patient == "")
    groups = [
        rows
        for rows in _groups(looks, known, lambda row: looks.note[row], between=True)
        if len(set(copies.group[rows])) > 1
    ]
    yield from _together(
        looks, groups, "visits", "visit by the notes inside the files", guessed=True
    )


def _together(
    looks: Looks, groups: list[list[int]], kind: str, words: str, *, guessed: bool
) -> Iterator[Finding]:
    """Yield groups that cross splits, and groups to be kept in one fold."""
    if guessed:
        groups = [rows for rows in groups if len(rows) <= LARGEST_GUESS]
    across = [rows for rows in groups if crosses_splits(looks, rows)]
    within = [rows for rows in groups if not crosses_splits(looks, rows)]
    if across:
        eyes = _eyes_apart(looks, across)
        yield Finding(
            f"{kind}-across-splits",
            "grave",
            f"{_counted_words(len(across), words)} in two splits{eyes}",
            "The eyes of a patient are alike, and so are their grades: the test is not "
            "of unseen patients.",
            "Put all images of one patient on one side of the split.",
            **_name(looks, across),
        )
    if not within:
        return
    title = f"{_counted_words(len(within), words)} with {sum(map(len, within))} images"
    if guessed:
        yield Finding(
            f"{kind}-with-several-images",
            "warning",
            title,
            "They look like images of one patient, and no column says so: folds drawn "
            "image by image put one patient on both sides.",
            "Give them one patient in a manifest.csv; groups.csv has the groups.",
            **_name(looks, within),
        )
    else:
        yield Finding(
            f"{kind}-with-several-images",
            "note",
            title,
            "Folds drawn image by image would put one patient on both sides.",
            "Draw folds by patient, as tinyssl does.",
            **_name(looks, within),
        )


def _counted_words(n: int, words: str) -> str:
    """Write a number with a phrase whose first word is the noun."""
    noun, space, rest = words.partition(" ")
    return f"{counted(n, noun)}{space}{rest}"


def _eyes_apart(looks: Looks, groups: list[list[int]]) -> str:
    """Say of how many groups left and right eye are in different splits."""
    count = sum(
        {looks.split[row] for row in rows if looks.eye[row] == "left"}
        != {looks.split[row] for row in rows if looks.eye[row] == "right"}
        for rows in groups
        if {"left", "right"} <= set(looks.eye[rows])
    )
    return f", {count} of them with the two eyes apart" if count else ""


def _groups(
    looks: Looks,
    chosen: np.ndarray,
    key: Callable[[int], str],
    *,
    between: bool = False,
) -> list[list[int]]:
    """Return chosen rows that share a key: of one part, unless told otherwise."""
    rows = np.flatnonzero(chosen)
    keys = [f"{'' if between else looks.part[row]}\n{key(row)}" for row in rows]
    return [rows[group].tolist() for group in rows_by(np.array(keys))] if keys else []


def _name(looks: Looks, groups: list[list[int]]) -> dict:
    """Return groups of rows, and their names."""
    return {
        "rows": groups,
        "files": [[looks.label(r) for r in rows] for rows in groups],
    }


def _stem(name: str) -> str:
    """Return the name of a file without its folders and suffix."""
    return re.sub(r"\.\w{3,4}$", "", name.rpartition("/")[2])


def _shorten(text: str, length: int = 60) -> str:
    """Return the first words of a list."""
    return text if len(text) <= length else text[:length].rsplit(",", 1)[0] + ", ..."


def short_name(looks: Looks, row: int) -> str:
    """Return the name of an image, its grade in brackets.

    Without folders, unless the name is a mere number: val/24 is not test/24.
    """
    name, grade = _stem(looks.name[row]), looks.grade[row]
    folder = looks.name[row].rpartition("/")[0].rpartition("/")[2]
    if name.isdigit() and folder:
        name = f"{folder}/{name}"
    return name[-16:] + (f" ({grade})" if grade >= 0 else "")
