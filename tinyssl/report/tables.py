"""Tables: what one is, the table of an experiment, and how one becomes HTML."""

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyssl.summary import best_average, grouped_by, name_group, verdict

METRICS = {"qwk": "QWK", "auc": "macro AUC", "accuracy": "accuracy", "dice": "Dice"}
METRICS |= {"error": "error in disc diameters", "within": "share within half a disc"}
METRICS |= {"average_precision": "average precision", "thin_recall": "thin recall"}


@dataclass(frozen=True)
class Table:
    """A table of text.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        A row whose first cell is "" belongs to the row above it.
    caption : str
    bold : collection of (row, column)
        Cells set in bold.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    bold: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self):
        for i, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise ValueError(
                    f"rows must have {len(self.header)} cells, as the header has; "
                    f"row {i} has {len(row)}"
                )


def efficiency_table(
    summary: Sequence[Mapping[str, Any]],
    *,
    baselines: Sequence[Mapping[str, Any]] | None = None,
    rows: Sequence[Mapping[str, Any]] = (),
    caption: str | None = None,
    each: str = "fold",
) -> Table:
    """Lay out scores by label share and start: every fold, and what beats scratch.

    Parameters
    ----------
    summary : list of dict
        From ``tinyssl.summary.summarise``, by fraction or by labels.
    baselines : list of dict, optional
        The same of the baselines; they follow the starts of their share.
    rows : list of dict, optional
        The rows behind the summary; their "labels" are the numbers of labels.
    caption : str, optional
    each : str
        What one value is: a fold or a seed.

    Returns
    -------
    Table
        The best mean of each share is bold.

    Examples
    --------
    >>> line = {"init": "scratch", "fraction": 0.1, "metric": "qwk"}
    >>> line |= {"values": [0.25, 0.75], "min": 0.25, "avg": 0.5, "max": 0.75}
    >>> efficiency_table([line]).rows[0][3:7]
    ('0.250  0.750', '0.250', '0.500', '0.750')
    """
    lines = [*summary, *(baselines or ())]
    metric = METRICS.get(lines[0]["metric"], lines[0]["metric"]) if lines else ""
    body: list[tuple[str, ...]] = []
    bold = set()
    by = grouped_by(lines)
    for share in sorted({line[by] for line in lines}):
        group = [line for line in lines if line[by] == share]
        best = round(best_average(group), 12)
        for i, line in enumerate(group):
            if line["avg"] is not None and round(line["avg"], 12) == best:
                bold.add((len(body), 5))
            counts = [r["labels"] for r in rows if _same_cell(r, line, by)]
            head = name_group(by, share) if i == 0 else ""
            difference, word = _split_verdict(line)
            values = "  ".join(_score(value) for value in line["values"])
            spread = [_score(line[key]) for key in ("min", "avg", "max")]
            named = (head, line["init"], _span(counts), values)
            body.append((*named, *spread, difference, word))
    header = ("labels", "start", "n", f"{metric}, every {each}", "min", "avg", "max")
    header += ("minus scratch [95 % interval]", "verdict")
    if caption is None:
        caption = (
            f"{metric} on the held-out fold, by share of labels and start. Bold: best "
            "mean of a share. Verdict: gain or LOSS where the interval of the paired "
            "difference leaves zero out, else unclear."
        )
    return Table(header, tuple(body), caption, frozenset(bold))


def _same_cell(row: Mapping[str, Any], line: Mapping[str, Any], by: str) -> bool:
    """Say whether a row of the experiment went into this line of the summary."""
    return "labels" in row and all(row[key] == line[key] for key in ("init", by))


def _split_verdict(line: Mapping[str, Any]) -> tuple[str, str]:
    """Return the difference with its interval, and the word for it."""
    text = verdict(dict(line))
    if not text:
        return "", ""
    figures, word = text.rsplit(" ", 1)
    if not math.isfinite(line["difference"]):
        return "–", word
    return figures.replace("-", "\N{MINUS SIGN}").replace("inf", "∞"), word


def _score(value: float | None) -> str:
    """Write a score with three decimals and a real minus; a dash for nan."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _span(counts: Sequence[int]) -> str:
    """Write one number, or the range where folds differ."""
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"


# HTML


def table_html(table: Table) -> str:
    """Lay out a table in a box of its own that scrolls on a narrow screen."""
    columns = range(len(table.header))
    classes = [_column_class([row[j] for row in table.rows]) for j in columns]
    head = "".join(
        f'<th scope="col"{classes[j]}>{html.escape(table.header[j])}</th>'
        for j in columns
    )
    # A group is a row with a first cell and those under it that have none
    starts = [i for i, row in enumerate(table.rows) if row[0] or i == 0]
    groups = []
    for start, stop in zip(starts, [*starts[1:], len(table.rows)], strict=True):
        lines = []
        for i in range(start, stop):
            cells = [f"<td{classes[j]}>{_cell(table, i, j)}</td>" for j in columns]
            span = f' rowspan="{stop - start}"' if stop - start > 1 else ""
            first = f'<th scope="rowgroup"{span}{classes[0]}>{_cell(table, i, 0)}</th>'
            cells[:1] = [first] if i == start else []
            lines.append("<tr>" + "".join(cells) + "</tr>")
        groups.append("<tbody>" + "\n".join(lines) + "</tbody>")
    name = html.escape(table.caption or table.header[0])
    caption = f"<caption>{html.escape(table.caption)}</caption>\n"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table>{caption if table.caption else ''}<thead><tr>{head}</tr></thead>\n"
        + "\n".join(groups)
        + "</table></div>"
    )


def _cell(table: Table, i: int, j: int) -> str:
    """Escape a cell; set it in bold where the table says so."""
    text = html.escape(str(table.rows[i][j])).replace("  ", "&ensp;")
    return f"<b>{text}</b>" if (i, j) in table.bold else text


def _column_class(cells: Sequence[str]) -> str:
    """Align a column at the right where it holds numbers."""
    filled = [cell for cell in cells if cell not in ("", "–")]
    numeric = filled and all(re.match(r"[+\-−]?[.\d]", str(c)) for c in filled)
    return ' class="n"' if numeric else ""
