"""Tables: what one is, the table of an experiment, and how one becomes HTML."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyssl.summary import (
    best_average,
    by_labels,
    interval_of,
    metric_of,
    number,
    reference,
    verdict,
)


@dataclass(frozen=True)
class Table:
    """A table of text; a row whose first cell is "" belongs to the row above it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    bold: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self):
        for i, row in enumerate(self.rows):
            if len(row) != len(self.header):
                rule = f"must have {len(self.header)} cells, as the header has"
                raise ValueError(f"rows {rule}; row {i} has {len(row)}")


def efficiency_table(summary, *, baselines=(), rows=(), caption=None, each="fold"):
    """Lay out scores by labels and initialisation, of summaries and their rows.

    ``each`` says what one value is, a fold or a repeat. Columns that would be empty,
    as those of differences where nothing is compared, are left out.
    """
    lines, asked = [*summary, *baselines], by_labels(rows)
    metric = metric_of(lines[0]).words if lines else ""
    header = ("labels", "init", "n", metric, "95 % interval")
    header += (f"minus {reference(lines)} [95 % interval]", "verdict", "min", "max")
    header += (f"every {each}",)
    body, bold = [], set()
    for name, group in by_labels(lines).items():
        best = round(best_average(group), 12)
        for i, line in enumerate(group):
            if line["avg"] is not None and round(line["avg"], 12) == best:
                bold.add(len(body))
            runs = (row for row in asked.get(name, ()) if row["init"] == line["init"])
            used = [row["n"] for row in runs]
            n = "–".join(map(str, sorted({min(used), max(used)}))) if used else ""
            difference, _, word = verdict(line).rpartition(" ")
            mean, *ends = (number(line[key]) for key in ("avg", "min", "max"))
            values = "  ".join(map(number, line["values"]))
            first = ("" if i else name, line["init"], n, mean, interval_of(line))
            body.append((*first, difference, word, *ends, values))
    full = [j for j in range(len(header)) if not body or any(row[j] for row in body)]
    header, *body = ([row[j] for j in full] for row in (header, *body))
    if caption is None:
        caption = (
            f"Held-out {metric} by labels and initialisation: the mean, then every "
            f"{each}. Bold: best mean of the same labels."
        )
        compared = sum("holm" in line for line in lines)
        beyond = f", also after Holm's correction for {compared} comparisons"
        if "verdict" in header:
            caption += (
                " Verdict: gain or LOSS where the interval of the paired difference "
                f"excludes zero, else unclear{beyond if compared > 1 else ''}."
            )
    bold = frozenset((i, header.index(metric)) for i in bold)
    return Table(header, body, caption, bold)


def table_html(table):
    """Lay out a table in a box of its own that scrolls on a narrow screen."""
    numeric = [
        ' class="n"' if _is_numeric([str(row[j]) for row in table.rows]) else ""
        for j in range(len(table.header))
    ]
    head = "".join(
        f'<th scope="col"{kind}>{html.escape(name)}</th>'
        for kind, name in zip(numeric, table.header, strict=True)
    )
    # A group is a row with a first cell and those under it that have none
    starts = [i for i, row in enumerate(table.rows) if row[0] or i == 0]
    body = ""
    for start, stop in zip(starts, [*starts[1:], len(table.rows)], strict=True):
        span = f' rowspan="{stop - start}"' if stop - start > 1 else ""
        body += "<tbody>"
        for i in range(start, stop):
            cells = [_cell(table, i, j) for j in range(len(numeric))]
            row = [f"<td{k}>{c}</td>" for k, c in zip(numeric, cells, strict=True)]
            first = f'<th scope="rowgroup"{span}{numeric[0]}>{cells[0]}</th>'
            row[:1] = [first] if i == start else []
            body += f"<tr>{''.join(row)}</tr>\n"
        body += "</tbody>\n"
    name = html.escape(table.caption or table.header[0])
    caption = f"<caption>{html.escape(table.caption)}</caption>\n"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table>{caption if table.caption else ''}<thead><tr>{head}</tr></thead>\n"
        f"{body}</table></div>"
    )


def _cell(table, i, j):
    """Escape a cell; set it in bold where the table says so."""
    text = html.escape(str(table.rows[i][j])).replace("  ", "&ensp;")
    return f"<b>{text}</b>" if (i, j) in table.bold else text


def _is_numeric(cells):
    """Say whether a column holds numbers, no words, and so stands at the right."""
    filled = [cell for cell in cells if cell not in ("", "–")]
    number = r"[+\-−]?[.\d][^A-Za-z]*"
    return bool(filled) and all(re.fullmatch(number, cell) for cell in filled)
