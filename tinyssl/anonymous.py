"""Numbers in place of names: of files, folders and patients, with a key to them.

What is written may be shown to others, so nothing is searched for names: each place
that would write one asks the key, and what a reader says in words is one name too.
"""

import csv
import io
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyssl.data import DataError
from tinyssl.files import as_csv, write_text


class Key:
    """Gives what to write for a name: a number if anonymous, else the name itself."""

    def __init__(self, *, anonymous=False):
        self.anonymous, self.numbers = anonymous, {}  # of each kind, by name
        self.settings = {"anonymous": True} if anonymous else {}  # of a config.json
        self.lines = []  # to print last

    def __call__(self, kind, name, part=None):
        """Return such as "image-3", the same for the same name; "" stays unknown."""
        if not self.anonymous or not name:
            return name
        known = self.numbers.setdefault(kind, {})
        name = f"{part}: {name}" if part else str(name)
        return known.setdefault(name, f"{kind}-{len(known) + 1}")

    def table(self, table):
        """Return a Table with numbers for its root, names and patients."""
        named = {"root": Path(self("data", str(table.root)))}
        named["names"] = tuple(self("image", name) for name in table.names)
        if table.patient is not None:
            named["patient"] = np.array([self("patient", p) for p in table.patient])
        return replace(table, **named)

    def rows(self, folder):
        """Return those of key.csv and ours; a ValueError where they disagree.

        The key there may be the only one to what was handed out.
        """
        file = Path(folder) / "key.csv"
        text = file.read_bytes().decode() if file.exists() else ""
        rows = dict(csv.reader(io.StringIO(text, newline="")))
        for known in self.numbers.values():
            for name, number in known.items():
                shown = name.encode(errors="backslashreplace").decode()
                if rows.setdefault(number, shown) != shown:
                    raise ValueError(
                        f"{file} holds the names of other data: give another --out"
                    )
        return rows

    def write(self, folder, *, shown=None):
        """Write key.csv, if anonymous; to a folder of another name once it is whole."""
        if self.anonymous:
            rows = {"number": "name"} | self.rows(folder)
            write_text(Path(folder) / "key.csv", as_csv(rows.items()))
            place = f"{shown or folder}/key.csv"
            self.lines = [f"{place} says which is which: keep it to yourself"]


@contextmanager
def key_of(*, anonymous):
    """Give a Key; if anonymous, an error that may name a file is told without it."""
    try:
        yield Key(anonymous=anonymous)
    except (DataError, OSError) as error:
        if not anonymous or not getattr(error, "filename", True):
            raise  # an OSError of ours, about the run folder
        raise DataError(
            "a file cannot be used: without --anonymous the same command says which"
        ) from None
