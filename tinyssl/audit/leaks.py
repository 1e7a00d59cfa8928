"""What stands on both sides of a split, or belongs together and nobody says so."""

import re
from collections import defaultdict
from textwrap import shorten

from tinyssl.audit.copies import rows_by
from tinyssl.audit.findings import KINDS, tell
from tinyssl.data.copies import connected

LARGEST_GUESS = 8  # files of one patient; what more share was left by a program
EYE = re.compile(r"([ _.-]+|(?<=\d))(left|right|od|os|l|r)$", re.IGNORECASE)


def find_leaks(looks, pairs):
    """Yield what ties images together across splits and parts, and within them."""
    group = fold_groups(looks, pairs)
    across = [rows for rows in rows_by(group) if _crosses(looks, rows)]
    yield from tell("copies-across-splits", across, looks)
    yield from _pairs(looks, pairs)
    yield from _patients(looks, group)


def fold_groups(looks, pairs, findings=()):
    """Return a group for each image: copies share it, and images of one patient."""
    ties = [(pair["first"], pair["second"]) for pair in pairs]
    for finding in findings:
        if finding["kind"].startswith(("patients", "eyes", "visits")):
            ties += [(rows[0], row) for rows in finding["rows"] for row in rows[1:]]
    return connected(len(looks.name), ties)


def _crosses(looks, rows):
    """Return whether rows lie in two splits or more; an unknown split is none."""
    return len(set(looks.split[rows]) - {""}) > 1


def _pairs(looks, pairs):
    """Yield copies within a part and of two parts, and those with unlike grades."""
    found = defaultdict(list)
    for pair in pairs:
        rows = [pair["first"], pair["second"]]
        if not _crosses(looks, rows):
            between = "-between-parts" * (len(set(looks.part[rows])) > 1)
            found[f"copies-{pair['kind']}{between}"].append(rows)
        scales = {looks.parts[part].layout for part in looks.part[rows]}
        grades = looks.grade[rows]
        if len(scales) == 1 and grades.min() >= 0 and grades[0] != grades[1]:
            found[f"conflicting-grades-{pair['kind']}"].append(rows)
    for kind in sorted(found, key=list(KINDS).index):
        grades = ["{} and {}".format(*looks.grade[rows]) for rows in found[kind]]
        grades = shorten(", ".join(grades), 60)
        yield from tell(kind, found[kind], looks, grades=grades)


def _patients(looks, group):
    """Yield patients with several images: by the table, file names, or notes."""
    keys = defaultdict(list)
    columns = (looks.part, looks.patient, looks.name, looks.note)
    for part, patient, name, note in zip(*columns, strict=True):
        stem = re.sub(r".*/|\.\w{3,4}$", "", name)
        guess = EYE.sub("\n", stem)  # the same for both eyes
        keys["patients"].append(f"{patient}\n{part}" if patient else "")
        keys["eyes-by-name"].append("" if patient or guess == stem else guess + part)
        keys["visits"].append("" if patient else note)
    for who, of_rows in keys.items():
        groups = rows_by(of_rows)
        if who != "patients":
            groups = [rows for rows in groups if len(rows) <= LARGEST_GUESS]
        if who == "visits":  # copies carry the same note
            groups = [rows for rows in groups if len(set(group[rows])) > 1]
        across = [rows for rows in groups if _crosses(looks, rows)]
        yield from tell(f"{who}-across-splits", across, looks)
        within = [rows for rows in groups if not _crosses(looks, rows)]
        total = sum(map(len, within))
        yield from tell(f"{who}-with-several-images", within, looks, total=total)
