"""One self-contained HTML page from sections of text, figures and tables.

The page needs no script, no network and no file beside it; it reads on a phone, in a
dark room and on paper. The figures also lie beside it as PNG files.
"""

import base64
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from tinyssl import __version__
from tinyssl.files import free_name, write_atomic, write_text
from tinyssl.report.tables import Table, table_html

DPI = 180  # of the PNG files
PIXELS_PER_INCH = 108  # on the page: 9 pt in a figure read like its small print
STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
LONG = 80  # letters of a fact that takes a row of its own
NOTICE = "For research and teaching; not a medical device."


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; details are a summary and a folded text."""

    heading: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[tuple[Figure, str]] = ()
    tables: Sequence[Table] = ()
    details: Sequence[tuple[str, str]] = ()


def write_report(path, title, sections, *, subtitle=None, facts=None):
    """Write the page and, beside it, figures/.

    Each line of the subtitle is a paragraph; ``facts`` are the box at the top.
    """
    path = Path(path)
    figures = [figure for section in sections for figure, _ in section.figures]
    plates = save_figures(path.parent / "figures", figures)
    numbered = iter(enumerate(plates.items(), start=1))
    top = [f"<h1>{_text(title)}</h1>"]
    for line in (subtitle or "").splitlines():
        top.append(f'<p class="subtitle">{_text(line)}</p>')
    if facts:
        pairs = [(_text(label), _text(value)) for label, value in facts.items()]
        top.append('<dl class="facts" aria-label="At a glance">')
        for one, two in pairs:
            wide = ' class="wide"' if len(two) > LONG else ""
            top.append(f"<div{wide}><dt>{one}</dt><dd>{two}</dd></div>")
        top.append("</dl>")
    if len(sections) > 3:  # enough to get lost in
        top.append('<nav aria-label="Contents"><ol>')
        for i, section in enumerate(sections, start=1):
            top.append(f'<li><a href="#s{i}">{_text(section.heading)}</a></li>')
        top.append("</ol></nav>")
    body = [
        f'<section id="s{i}">\n{_section(section, numbered)}\n</section>'
        for i, section in enumerate(sections, start=1)
    ]
    lines = "\n".join
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
{lines(top)}
</header>
<main>
{lines(body)}
</main>
<footer><p>Written by tinyssl {__version__}. {NOTICE}</p></footer>
</body>
</html>
"""
    write_text(path, page)


def save_figures(folder, figures):
    """Write figures as PNG files named after their labels; return bytes by name."""
    plates, taken = {}, set()
    for figure in figures:
        slug = re.sub(r"[^a-z0-9]+", "-", str(figure.get_label()).lower()).strip("-")
        name, buffer = f"{free_name(slug or 'figure', taken)}.png", io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        plates[name] = png = buffer.getvalue()
        write_atomic(Path(folder) / name, lambda path, png=png: path.write_bytes(png))
    return plates


# The pieces of the page; all text is escaped here


def _text(value):
    whole = re.sub(" ([×−]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", str(value))
    return html.escape(whole, quote=True)


def _section(section, numbered):
    """Lay out one section; takes the next numbers and files of figures."""
    parts = [f"<h2>{_text(section.heading)}</h2>"]
    parts += [f"<p>{_text(text)}</p>" for text in section.paragraphs]
    for figure, caption in section.figures:
        number, (name, png) = next(numbered)
        width, height = (round(PIXELS_PER_INCH * s) for s in figure.get_size_inches())
        finding = figure.get_suptitle().replace("\n", " ")
        spoken, data = finding or caption or name, base64.b64encode(png).decode("ascii")
        lead = f'<span class="finding">{_text(finding)}.</span> ' if finding else ""
        parts.append(
            f'<figure><div class="plate"><img src="data:image/png;base64,{data}" '
            f'width="{width}" height="{height}" alt="{_text(spoken)}"></div>\n'
            f"<figcaption><b>Figure {number}.</b> {lead}{_text(caption)} "
            f'<span class="file">figures/{_text(name)}</span></figcaption></figure>'
        )
    parts += [table_html(table) for table in section.tables]
    parts += [
        f"<details><summary>{_text(summary)}</summary><pre>{_text(text)}</pre></details>"
        for summary, text in section.details
    ]
    return "\n".join(parts)
