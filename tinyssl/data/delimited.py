"""CSV files as people really save them: BOM, CRLF, quotes, stray commas, spaces."""

import csv
import io
from pathlib import Path

from tinyssl.data.table import DataError


def read_csv(path: Path, *, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a csv file by its header, every cell stripped.

    Header names are stripped and lower-cased (after a colon, as in ``mask:MA``, they
    stay); columns without a name and rows without a value are dropped. Commas,
    semicolons and tabs are told apart by the header line.

    Raises
    ------
    DataError
        If the file is missing, not UTF-8 text, not a csv, lacks a column of
        `required`, names a column twice, or has a row with more cells than names.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: must be UTF-8 text, found other bytes") from None
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)  # a tie goes to the comma
    try:
        lines = io.StringIO(text, newline="")
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{path}: is not a csv file ({error})") from None
    header = [_column_name(cell) for cell in rows[0]] if rows else []
    _check_header(path, header, required)
    table, problems = [], []
    for number, cells in enumerate(rows[1:], start=2):
        row = [cell.strip() for cell in cells]
        if not any(row):
            continue
        if any(row[len(header) :]) or any(
            cell for cell, name in zip(row, header, strict=False) if not name
        ):
            problems.append(f"row {number} has a value in a column without a name")
        row += [""] * (len(header) - len(row))
        pairs = zip(header, row, strict=False)
        table.append({name: cell for name, cell in pairs if name})
    if problems:
        raise DataError.listing(path, problems)
    return table


def _column_name(cell: str) -> str:
    """Return a header cell in the spelling the readers know."""
    kind, colon, name = cell.strip().partition(":")
    return kind.lower() + colon + name


def _check_header(path: Path, header: list[str], required: tuple[str, ...]) -> None:
    """Raise where a column is missing or named twice."""
    names = [name for name in header if name]
    missing = [name for name in required if name not in names]
    if missing:
        raise DataError(
            f"{path}: must have the columns {', '.join(required)}; "
            f"found {', '.join(names) or 'none'}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: names the column {twice[0]!r} more than once")
