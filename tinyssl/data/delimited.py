"""CSV files as people really save them: BOM, CRLF, quotes, stray commas, spaces."""

import csv
import io
from itertools import zip_longest
from pathlib import Path

from tinyssl.data.table import DataError


def read_csv(path: Path, *, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a csv file by its header, every cell stripped.

    Header names are stripped and lower-cased (after a colon, as in ``mask:MA``, they
    stay); columns without a name and rows without a value are dropped. Commas,
    semicolons and tabs are told apart by the header line. A DataError where the file is
    missing, not UTF-8 text, not a csv, lacks a column of `required`, names a column
    twice, or has a row with more cells than names.
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
    names = [name for name in header if name]
    if not {*required} <= {*names}:
        raise DataError(
            f"{path}: must have the columns {', '.join(required)}; "
            f"found {', '.join(names) or 'none'}"
        )
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
