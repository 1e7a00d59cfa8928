"""A csv file as people save it."""

import csv
import io
import re
from itertools import zip_longest

from tinyssl.data.table import DataError


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
