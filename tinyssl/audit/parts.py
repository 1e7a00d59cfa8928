"""The audit: what in a data set would spoil a study, found before the study is made.

`look` decodes each image once; `copies` says which show one picture; `leaks` what
stands on both sides of a split, `files` what is wrong with single files.
"""

from collections.abc import Iterable
from pathlib import Path

from tinyssl.data.audit.copies import Copies, find_copies
from tinyssl.data.audit.files import count_grades, count_sizes, find_files
from tinyssl.data.audit.finding import Finding, by_gravity, counted
from tinyssl.data.audit.leaks import find_leaks
from tinyssl.data.audit.look import Looks, look
from tinyssl.data.layouts import open_dataset
from tinyssl.data.table import Table

__all__ = [
    "Copies",
    "Finding",
    "Looks",
    "by_gravity",
    "count_grades",
    "count_sizes",
    "counted",
    "find_copies",
    "find_files",
    "find_leaks",
    "look",
    "open_parts",
]

IDRID_PARTS = ("A. Segmentation", "B. Disease Grading", "C. Localization")


def open_parts(paths: Iterable[str | Path]) -> dict[str, Table]:
    """Return the tables of several data sets, and of all parts of IDRiD's root.

    Parameters
    ----------
    paths : iterable of path
        As `open_dataset` takes them. Rows that cannot be used are left out and noted.

    Returns
    -------
    dict of str to Table
        By the last word of each path, or the whole path where that is not enough.

    Raises
    ------
    DataError
        As `open_dataset`, for a path that is no data set.
    """
    places = []
    for path in paths:
        inside = [Path(path) / part for part in IDRID_PARTS]
        places += [str(part) for part in inside if part.is_dir()] or [str(path)]
    places = list(dict.fromkeys(places))
    names = [Path(place).name or place for place in places]
    return {
        name if names.count(name) == 1 else place: open_dataset(place, skip_bad=True)
        for name, place in zip(names, places, strict=True)
    }
