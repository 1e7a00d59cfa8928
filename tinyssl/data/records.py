"""What a reader found, row by row, checked once and turned into a Table; csv files."""

import csv
import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import numpy as np

from tinyssl.data.crop import looks_like_fundus
from tinyssl.data.decode import open_rgb
from tinyssl.data.files import UNREAD_SUFFIXES, count_unused, suffix_of
from tinyssl.data.medical import is_volume, require
from tinyssl.data.table import DataError, Table

EYES = {"": "", "left": "left", "l": "left", "os": "left"}
EYES |= {"right": "right", "r": "right", "od": "right"}
SPLITS = {"": "", "train": "train", "training": "train", "test": "test"}
SPLITS |= {"testing": "test", **dict.fromkeys(("val", "valid", "validation"), "val")}
MAX_GRADE = 99
NUM_SAMPLES = 9  # images looked at to tell eyes from others


@dataclass
class Record:
    """One row as a reader found it: text is unchecked, files may be missing."""

    name: str
    image: Path
    grade: str | int = ""
    patient: str = ""
    eye: str = ""
    split: str = ""
    report: str = ""
    masks: dict[str, Path] = field(default_factory=dict)
    region: Path | None = None
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    problem: str = ""  # what the reader itself found wrong with the row

    @property
    def files(self):
        """All files that the row names."""
        return [*filter(None, (self.image, *self.masks.values(), self.region))]


def build_table(
    records, *, layout, root, skip_bad, is_fundus=True, sheets=(), unused=(), **known
):
    """Return the Table of the good records; raise for the bad, or note them.

    The table tells what is ``unused``, and of the files below the root those that
    neither the records nor ``sheets`` name. ``known`` are class_names and ordered.
    """
    counts = Counter(record.name for record in records)
    files = [path for record in records for path in record.files]
    require(files)
    inside = root.resolve()
    good, bad = [], []
    for number, record in enumerate(records, start=1):
        if reason := _problem_of(record, counts[record.name], root, inside):
            bad.append(f"{record.name or f'row {number}'}: {reason}")
        else:
            good.append(record)
    if bad and not skip_bad:
        raise DataError.listing(root, bad)
    if not good:
        first = f"; the first row: {bad[0]}" if bad else ", the list is empty"
        raise DataError(f"{root}: no image to use{first}")
    dims = 3 if is_volume(good[0].image) else 2
    if is_fundus is None and dims == 2:  # the layout does not say
        is_fundus = _sample_looks_like_fundus([record.image for record in good])
    grade = np.array([_grade_of(record) for record in good], np.int64)
    regions = tuple(record.region for record in good)
    masks = sorted({name for record in good for name in record.masks})
    points = sorted({name for record in good for name in record.points})
    nowhere, split = (np.nan, np.nan), [SPLITS[r.split.lower()] for r in good]
    if {*split} == {"test"}:  # no part to keep it from: one may learn from it
        split = []
    return Table(
        layout=layout,
        root=root,
        names=tuple(record.name for record in good),
        images=tuple(record.image for record in good),
        grade=grade if (grade >= 0).any() else None,
        patient=_text_column(record.patient for record in good),
        eye=_text_column(EYES[record.eye.lower()] for record in good),
        split=_text_column(split),
        masks={m: tuple(record.masks.get(m) for record in good) for m in masks},
        region=regions if any(regions) else None,
        points={p: np.array([r.points.get(p, nowhere) for r in good]) for p in points},
        report=_text_column(record.report for record in good),
        dims=dims,
        is_fundus=bool(is_fundus and dims == 2),
        skipped=tuple(bad),
        unused=(*count_unused(root, {*files, *sheets}), *unused),
        **known,
    )


def _problem_of(record, count, root, inside):
    """Return what is wrong with a record that stands `count` times in its list."""
    if record.problem or not record.name:
        return record.problem or "must name an image, found a blank"
    if count > 1:
        return f"named {count} times, each image must be listed once"
    if not re.fullmatch(r"|-1(\.0*)?|\d{1,9}(\.0*)?", str(record.grade).strip()):
        return f"grade must be an integer, found {record.grade!r}"
    if _grade_of(record) > MAX_GRADE:
        return f"grade must lie in 0..{MAX_GRADE}, found {record.grade!r}"
    if record.eye.lower() not in EYES:
        return f"eye must be left or right, found {record.eye!r}"
    if record.split.lower() not in SPLITS:
        return f"split must be train, val or test, found {record.split!r}"
    problems = (_problem_of_file(path, root, inside) for path in record.files)
    return next(filter(None, problems), "")


def _problem_of_file(path, root, inside):
    try:
        resolved = path.resolve()  # follows links and ..
    except (OSError, RuntimeError, ValueError) as error:  # a loop, a null character
        return f"path cannot be followed ({error})"
    within = resolved.is_relative_to(inside)
    if within and resolved.is_file():
        kind = suffix_of(path)
        unread = f"{kind} files are not read: save it as PNG or TIFF"
        return unread if kind in UNREAD_SUFFIXES else ""
    below = [p for p in (path, *path.parents) if p.is_relative_to(root) and p != root]
    link = next((p for p in below if p.is_symlink()), None)
    if link:
        rule = "a link to a missing file" if within else "a link out of the folder"
        return f"{rule}: {link.relative_to(root)} -> {link.readlink()}"
    if not within:
        return f"path leaves the folder: {path}"
    return f"missing file {resolved.relative_to(inside).as_posix()}"


def _grade_of(record):
    text = str(record.grade).strip()
    return int(float(text)) if text else -1


def _text_column(values):
    values = list(values)
    return np.array(values) if any(values) else None


def _sample_looks_like_fundus(paths):
    """Return whether a few of the images, evenly spread, look like eyes."""
    chosen = np.linspace(0, len(paths) - 1, NUM_SAMPLES).round().astype(int)
    images = []
    for path in dict.fromkeys(paths[i] for i in chosen):
        with suppress(DataError):  # load_images will name it
            images.append(open_rgb(path, short_side=64)[0])
    return looks_like_fundus(images)


def read_csv(path, *, required):
    """Return the rows of a csv file as people save it, by its header, cells stripped.

    Header names are lower-cased up to a colon; columns without a name, such as an index
    saved by pandas, and rows without a value are dropped; the header tells commas,
    semicolons and tabs apart.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        first_line = text.partition("\n")[0]
        delimiter = max(",;\t", key=first_line.count)  # a tie goes to the comma
        lines = io.StringIO(text, newline="")
        rows = [*csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: must be UTF-8 text, found other bytes") from None
    except csv.Error as error:
        raise DataError(f"{path}: is not a csv file ({error})") from None

    parts = [cell.strip().partition(":") for cell in (rows or [[]])[0]]
    header = [kind.lower() + colon + name for kind, colon, name in parts]
    # pandas calls a column without a name so; its index stands before all columns
    header = ["" if re.fullmatch(r"unnamed: \d+", name) else name for name in header]
    first = next((k for k, name in enumerate(header) if name), 0)
    numbered = [row[:first] for row in rows[1:] if any(row)]
    if all(re.fullmatch(r"\s*\d*\s*", cell) for row in numbered for cell in row):
        header, rows = header[first:], [row[first:] for row in rows]
    names = [name for name in header if name]
    if not {*required} <= {*names}:
        rule = f"must have the columns {', '.join(required)}"
        raise DataError(f"{path}: {rule}; found {', '.join(names) or 'none'}")
    twice = [name for name in sorted(names) if names.count(name) > 1]
    if twice:
        raise DataError(f"{path}: names the column {twice[0]!r} more than once")

    table, problems = [], []
    for number, row in enumerate(rows[1:], start=2):
        cells = [*zip_longest(header, map(str.strip, row), fillvalue="")]
        if any(cell for name, cell in cells if not name):
            problems.append(f"row {number} has a value in a column without a name")
        if any(cell for _, cell in cells):
            table.append({name: cell for name, cell in cells if name})
    if problems:
        raise DataError.listing(path, problems)
    return table
