"""One self-contained HTML page from sections of text, figures and tables.

The page needs no script, no network and no file beside it; it reads on a phone, in a
dark room and on paper. The figures also lie beside it as PNG files.
"""

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tinyssl import __version__
from tinyssl.report.tables import Table, table_html
from tinyssl.runs import write_atomic

DPI = 180  # of the PNG files
PIXELS_PER_INCH = 108  # on the page: 9.5 pt in a figure read like its small print
STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
NOTICE = "For research and teaching; not a medical device."


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, in the order of the fields.

    Parameters
    ----------
    heading : str
    paragraphs : sequence of str
    figures : sequence of (Figure, caption)
    tables : sequence of Table
    details : sequence of (summary, text)
        Folded away, set in a fixed-width face.
    """

    heading: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[tuple[Figure, str]] = ()
    tables: Sequence[Table] = ()
    details: Sequence[tuple[str, str]] = ()


def write_report(
    path: Path,
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write the page, and its figures into ``figures/`` beside it.

    Parameters
    ----------
    path : path
        The page, ``report.html``; written whole or not at all.
    title, subtitle : str
    sections : sequence of Section
    facts : dict of label to value, optional
        The box at the top: what a reader wants to know at a glance.
    """
    path = Path(path)
    figures = [figure for section in sections for figure, _ in section.figures]
    plates = iter(save_figures(path.parent / "figures", figures).items())
    number = iter(range(1, len(figures) + 1))
    body = "".join(
        _section(i, section, plates, number) for i, section in enumerate(sections, 1)
    )
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="tinyssl {__version__}">
<title>{_text(title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{_text(title)}</h1>
{f'<p class="subtitle">{_text(subtitle)}</p>' if subtitle else ""}
{_facts(facts or {})}
{_contents(sections)}
</header>
<main>
{body}</main>
<footer><p>Written by tinyssl {__version__}. {NOTICE}</p></footer>
</body>
</html>
"""
    write_atomic(path, lambda partial: partial.write_text(page, encoding="utf-8"))


def save_figures(folder: Path, figures: Sequence[Figure]) -> dict[str, bytes]:
    """Write figures as PNG files named after their labels.

    Parameters
    ----------
    folder : path
    figures : sequence of Figure
        Two with one label become ``label.png`` and ``label-2.png``.

    Returns
    -------
    dict of file name to the bytes written, in the order of the figures
    """
    plates: dict[str, bytes] = {}
    for figure in figures:
        slug = re.sub(r"[^a-z0-9]+", "-", str(figure.get_label()).lower()).strip("-")
        name, count = f"{slug or 'figure'}.png", 1
        while name in plates:
            count += 1
            name = f"{slug or 'figure'}-{count}.png"
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        plates[name] = buffer.getvalue()
        write_atomic(
            Path(folder) / name, lambda path, png=plates[name]: path.write_bytes(png)
        )
    return plates


# The pieces of the page; all text is escaped here


def _text(value: Any) -> str:
    """Escape text for HTML."""
    return html.escape(str(value), quote=True)


def _facts(facts: Mapping[str, Any]) -> str:
    """Lay out the box of facts."""
    if not facts:
        return ""
    pairs = "\n".join(
        f"<div><dt>{_text(label)}</dt><dd>{_text(value)}</dd></div>"
        for label, value in facts.items()
    )
    return f'<dl class="facts" aria-label="At a glance">\n{pairs}\n</dl>'


def _contents(sections: Sequence[Section]) -> str:
    """List the sections, where there are enough to get lost in."""
    if len(sections) < 4:
        return ""
    items = "".join(
        f'<li><a href="#s{i}">{_text(section.heading)}</a></li>'
        for i, section in enumerate(sections, 1)
    )
    return f'<nav aria-label="Contents"><ol>{items}</ol></nav>'


def _section(i: int, section: Section, plates: Any, number: Any) -> str:
    """Lay out one section; takes the next plates and figure numbers."""
    parts = [f'<section id="s{i}">', f"<h2>{_text(section.heading)}</h2>"]
    parts += [f"<p>{_text(text)}</p>" for text in section.paragraphs]
    for figure, caption in section.figures:
        name, png = next(plates)
        parts.append(_figure(figure, caption, name, png, next(number)))
    parts += [table_html(table) for table in section.tables]
    parts += [
        f"<details><summary>{_text(summary)}</summary>"
        f"<pre>{_text(text)}</pre></details>"
        for summary, text in section.details
    ]
    return "\n".join([*parts, "</section>\n"])


def _figure(figure: Figure, caption: str, name: str, png: bytes, number: int) -> str:
    """Place a figure at its own size, so that its letters are of the page's size."""
    width, height = (round(PIXELS_PER_INCH * side) for side in figure.get_size_inches())
    finding = figure.get_suptitle().replace("\n", " ")
    data = base64.b64encode(png).decode("ascii")
    spoken = _text(finding or caption or name)
    lead = f'<span class="finding">{_text(finding)}.</span> ' if finding else ""
    return (
        f'<figure><div class="plate"><img src="data:image/png;base64,{data}" '
        f'width="{width}" height="{height}" alt="{spoken}"></div>\n'
        f"<figcaption><b>Figure {number}.</b> {lead}{_text(caption)} "
        f'<span class="file">figures/{_text(name)}</span></figcaption></figure>'
    )
