"""The report page: whole, valid, self-contained, and deaf to hostile text."""

import base64
import math
import re

import pytest
from html_page import Page
from matplotlib.figure import Figure
from test_summary import rows as rows_of

from tinyssl import plots
from tinyssl.report import Section, Table, efficiency_table, write_report
from tinyssl.summary import Metric, summarise

HOSTILE = "</pre></table><script>alert(\"1\")</script><img src=x onerror='a'> & &amp;"


def figure(title="The finding", label="a plot"):
    made = Figure(figsize=(2, 1))
    made.subplots().plot([0, 1])
    made.suptitle(title)
    made.set_label(label)
    return made


def example_sections(text="plain"):
    table = Table((text, "n"), ((text, "1.5"), ("", "-2"), ("x", "")), text)
    everything = Section(text, [text], [(figure(text), text)], [table], [(text, text)])
    return [everything, Section("b"), Section("c"), Section("d")]


def write(path, sections, **options):
    write_report(path, options.pop("title", "Title"), sections, **options)
    return path.read_text(encoding="utf-8")


def test_page_is_balanced_complete_and_needs_nothing_from_outside(tmp_path):
    known = {"Seed": 0, "Schedules": "400 steps " * 9}
    text = write(tmp_path / "report.html", example_sections(), facts=known)
    assert '<div class="wide"><dt>Schedules' in text
    assert "<div><dt>Seed" in text
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.open == []
    assert page.attributes("html") == [{"lang": "en"}]
    assert re.findall("<title>(.*)</title>", text) == ["Title"]
    ids = {attrs["id"] for attrs in page.attributes("section")}
    assert {a["href"][1:] for a in page.attributes("a")} == ids
    assert not re.search(r"https?://|url\(|@import", text)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    sources = [attrs["src"] for attrs in page.attributes("img")]
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_hostile_text_stays_text(tmp_path):
    options = {"title": HOSTILE, "subtitle": HOSTILE, "facts": {HOSTILE: HOSTILE}}
    page = Page(write(tmp_path / "p.html", example_sections(HOSTILE), **options))
    assert page.open == []
    assert page.attributes("script") == []
    (image,) = page.attributes("img")
    assert image["alt"] == HOSTILE
    # title twice, subtitle, fact twice, contents, heading, paragraph, finding,
    # caption, header, first cell, table caption, summary, details
    assert "".join(page.words).count(HOSTILE) == 15


def test_every_line_of_a_subtitle_is_a_paragraph(tmp_path):
    written = write(tmp_path / "r.html", example_sections(), subtitle="One.\nTwo.")
    said = re.findall('<p class="subtitle">(.*)</p>', written)
    assert said == ["One.", "Two."]


def test_a_caption_goes_on_after_one_full_stop_and_no_line_ends_at_a_sign(tmp_path):
    values = {"row": {"factor": 0.5}}
    picture = plots.matrix(values, title="found by 8 × 8 pixels."), "Skill: 2 AUC − 1."
    page = Page(write(tmp_path / "p.html", [Section("a", figures=[picture])]))
    (image,) = page.attributes("img")
    assert image["alt"] == "Found by 8\xa0×\xa08 pixels"
    said = "Found by 8\xa0×\xa08 pixels. Skill: 2 AUC\xa0−\xa01."
    assert said in "".join(page.words)


def test_every_figure_has_alt_text_a_number_and_a_file_beside(tmp_path):
    pictures = [(figure(), "one"), (figure(title=""), "two"), (figure("", "x"), "")]
    sections = [Section("a", figures=pictures[:2]), Section("b", figures=pictures[2:])]
    page = Page(write(tmp_path / "report.html", sections))
    images = page.attributes("img")
    assert [image["alt"] for image in images] == ["The finding", "two", "x.png"]
    assert re.findall(r"Figure (\d)", "".join(page.words)) == ["1", "2", "3"]
    names = ["a-plot.png", "a-plot-2.png", "x.png"]
    for image, name in zip(images, names, strict=True):
        inline = base64.b64decode(image["src"].split(",")[1])
        assert inline == (tmp_path / "figures" / name).read_bytes()


def test_writing_leaves_no_partial_file_and_is_reproducible(tmp_path):
    first, second = (write(tmp_path / "report.html", example_sections()) for _ in "ab")
    assert first == second
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"report.html", "a-plot.png"}


def test_rows_without_a_first_cell_join_the_row_above_and_numbers_stand_right(tmp_path):
    rows = (("a", "+0.5", "8 of 9"), ("", "–", "2 eyes"), ("c", "−.25", "1"))
    table = Table(("name", "score", "found"), rows)
    page = Page(write(tmp_path / "report.html", [Section("s", tables=[table])]))
    heads = [a for a in page.attributes("th") if a["scope"] == "rowgroup"]
    assert [head.get("rowspan") for head in heads] == ["2", None]
    assert len(page.attributes("tbody")) == 2
    assert [cell.get("class") for cell in page.attributes("td")] == ["n", None] * 3
    assert next(cell.get("class") for cell in page.attributes("th")) is None


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"rows must have 2 cells.*row 1 has 1"):
        Table(("a", "b"), (("1", "2"), ("3",)))


def summary_of(scores, n=(10, 10, 10)):
    made = [row | {"n": n[row["run"]]} for row in rows_of(0.05, **scores)]
    return summarise(made, "qwk", Metric("QWK")), made


def test_efficiency_table_gives_the_verdict_before_every_fold():
    scores = {"scratch": [0.1, 0.2, 0.3], "rotation": [0.5, 0.61, 0.7]}
    scores["restoration"] = [-0.25, -0.15, -0.04]
    summary, rows = summary_of(scores, (10, 11, 12))
    baselines, _ = summary_of({"majority grade": [0.0, 0.0, 0.0]})
    table = efficiency_table(summary, baselines=baselines, rows=rows)
    columns = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    assert list(columns) == [
        "labels", "init", "n", "QWK", "95 % interval",
        "minus scratch [95 % interval]", "verdict",
        "min", "max", "every fold",
    ]  # fmt: skip
    assert columns["labels"] == ("5\xa0%", "", "", "")
    assert columns["init"] == (*scores, "majority grade")
    assert columns["n"] == ("10–12",) * 3 + ("",)
    assert columns["verdict"] == ("", "gain", "LOSS", "")
    assert columns["QWK"][0] == "0.200"
    assert columns["95 % interval"][0] == "[−0.048, 0.448]"  # t: 4.303 * .1 / sqrt(3)
    assert columns["minus scratch [95 % interval]"][1].startswith("+0.403 [+0.389")
    first = [columns[key][0] for key in ("min", "max", "every fold")]
    assert first == ["0.100", "0.300", "0.100  0.200  0.300"]
    assert columns["every fold"][2].startswith("−0.250")
    assert table.bold == {(1, 3)}


def test_efficiency_table_has_no_columns_of_differences_where_nothing_is_compared():
    scores = {"learned": [0.1, 0.2], "random": [0.2, 0.25]}
    table = efficiency_table(summary_of(scores)[0], each="draw")
    common = ["labels", "init", "QWK", "95 % interval", "min", "max"]  # no n either
    assert table.header == [*common, "every draw"]
    assert table.rows[1][3:] == ["[−0.093, 0.543]", "0.200", "0.250", "0.200  0.250"]
    assert table.bold == {(1, 2)}
    assert "erdict" not in table.caption
    assert efficiency_table([]).header[:2] == ["labels", "init"]


def test_efficiency_table_survives_one_fold_and_nan():
    one = efficiency_table(summary_of({"scratch": [0.1], "rotation": [0.2]})[0])
    assert one.rows[1][3:5] == ["+0.100 [−∞, +∞]", "unclear"]
    scores = {"scratch": [0.1, math.nan], "rotation": [math.nan, math.nan]}
    table = efficiency_table(summary_of(scores)[0])
    assert (table.rows[0][2], table.rows[0][-1]) == ("–", "0.100  –")
    assert table.rows[1][3:5] == ["–", "unclear"]
    assert table.bold == frozenset()
