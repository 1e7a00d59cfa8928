"""The course as a web site: what conf.py changes, and prose that reST reads too.

The site is not built here: ``sphinx-build -W --keep-going lessons site`` takes long.
"""

import os
import re
import runpy
import types

import matplotlib as mpl
import pytest
from lesson_form import FILES, LESSONS, cells

from tinyssl.check.course import read_header

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def conf():
    return types.SimpleNamespace(**runpy.run_path(str(LESSONS / "conf.py")))


@pytest.fixture
def page(conf):
    return conf.claims((LESSONS / "TEACHING.md").read_text(encoding="utf-8"))


def prose(path):
    """Return the prose of a lesson, a cell each, as the gallery sees it."""
    text = path.read_text(encoding="utf-8")
    parts = [body for kind, body in cells(text) if kind == "prose"]
    opening = parts[0].split('"""')[1]
    return [opening] + [re.sub(r"^# ?", "", p, flags=re.MULTILINE) for p in parts[1:]]


def foreign(text):
    """Return what one of Markdown and reST would read otherwise than the other."""
    found = []
    lines = text.splitlines()
    for above, line in zip(["", *lines], [*lines, ""], strict=True):
        title = re.fullmatch(r"[-=]{4,}", above)
        item, was_item = (re.match(r"(- |\d+\. )", s) for s in (line, above))
        if re.fullmatch(r"[-=]{4,}", line) and len(line) < len(above):
            found.append(f"underline shorter than its title: {above}")
        if item and above.strip() and not title and not was_item and above[0] != " ":
            found.append(f"no empty line above a list: {line}")
        if was_item and line.strip() and not item and line[0] != " ":
            found.append(f"no empty line below a list: {line}")
        if re.match(r"#+ |\.\. |```|>|\|", line):
            found.append(f"markup of one of the two: {line}")
    text = re.sub(r"``[^`]+``", "CODE", text)
    for stars in (r"\*\*", r"\*"):
        text = re.sub(rf"{stars}(?=\S)[^*]+(?<=\S){stars}", "STRESSED", text)
    for mark, name in {
        r"`": "single backtick",
        r"\]\(": "link",
        r"(?<!\S)\*+\S": "star without an end",
        r"\w_(?!\w)": "underscore that reST takes for a link",
        r"\|\S[^|\n]*\|": "bars that reST takes for a substitution",
        r":\w+:`": "role",
    }.items():
        found += [f"{name}: {hit}" for hit in re.findall(rf".*{mark}.*", text)]
    return found


@each
def test_prose_is_what_markdown_and_rest_share(path):
    for cell in prose(path):
        assert foreign(cell) == []


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("underline shorter", "A long title\n----\nText.\n"),
        ("empty line above", "Three things:\n- one\n- two\n"),
        ("empty line below", "- one\n- two\nThen text.\n"),
        ("markup of one", "## Title\n"),
        ("markup of one", ".. note:: So.\n"),
        ("markup of one", "```\ncode\n```\n"),
        ("single backtick", "Call `this`.\n"),
        ("link", "See [here](there).\n"),
        ("star", "Twice *as large.\n"),
        ("underscore", "The names in value_ are.\n"),
        ("bars", "The norm |x| of x.\n"),
    ],
)
def test_the_check_of_prose_can_fail(fault, text):
    assert [found for found in foreign(text) if fault in found]


def test_shared_prose_passes():
    text = (
        "Title\n=====\n\nText with *stress*, **weight**, ``code_`` and 2 * 3 = 6:\n\n"
        "- one: ``|x|``\n- two,\n  and its second line\n\n1. First.\n2. Second.\n"
    )
    assert foreign(text) == []


@each
def test_answers_fold(conf, path):
    cell = "".join(prose(path))
    folded = conf.fold(cell)
    raw = re.findall(r"\n\n\.\. raw:: html\n\n   (</?details>.*)\n\n", folded)
    assert raw == ["<details><summary>Answers</summary>", "</details>"]
    kept = re.sub(r"\n\.\. raw:: html\n\n   (</?details>.*)\n", r"\1", folded)
    assert kept == cell


def test_only_whole_answers_outside_of_code_are_folded(conf):
    code = '.. code-block:: Python\n\n    text = """\n    <details>\n    """\n'
    assert conf.fold(code) == code
    with pytest.raises(ValueError, match="needs its </details>"):
        conf.fold("Quiz\n\n<details><summary>Answers</summary>\n\n1. Yes.\n")


def test_the_names_of_a_header_are_bold(conf):
    text = "- {}: look\n- {}: fast 2 s,\n  full 5 s\n- ``do``: 1 to 2\n- doing: x\n"
    bold = text.format("**do**", "**runtime**")
    assert conf.bold(text.format("do", "runtime")) == bold


def test_figures_can_be_opened_in_full_size(conf):
    figure = (
        "    *\n\n      .. image-sg:: /gallery/a.png\n         :alt: So it is: 12%\n"
        "         :srcset: /gallery/a.png, /gallery/a_2_00x.png 2.00x\n"
        "         :class: sphx-glr-multi-img\n"
    )
    assert conf.enlarge(figure + figure) == 2 * (
        "    *\n\n      .. image:: /gallery/a_2_00x.png\n         :alt: So it is: 12%\n"
        "         :scale: 50\n         :class: sphx-glr-single-img\n"
    )


def test_every_lesson_has_its_card(conf):
    text = conf.cards(LESSONS)
    linked = re.findall(r":doc:`(.+?) </gallery/(.+?)>`", text)
    assert linked == [(read_header(path)["title"], path.stem) for path in FILES]
    for path in FILES:
        assert f"Runtime: {read_header(path)['runtime']}." in text
        assert f"/gallery/images/sphx_glr_{path.stem}_001.png" in text


def test_claims_become_a_page(conf):
    claims = "## Claims\n\nSo `it` is.\n\n### System A\n\n- x\n\n"
    page = conf.claims(f"## A\n\n### System Z\n\n{claims}## After\n\ntext\n")
    assert page == "\nSo ``it`` is.\n\nSystem A\n--------\n\n- x\n\n"
    with pytest.raises(ValueError, match="no section"):
        conf.claims("## Lesson 00\n\ntext\n")


def test_the_claims_of_the_course(page):
    assert foreign(page) == []
    for system in "ABC":
        assert re.search(rf"^System {system}\b.*\n-+\n", page, flags=re.MULTILINE)
    named = set(re.findall(r"[Ll]esson (\d\d)", page))
    assert set() < named <= {path.name[:2] for path in FILES}


def test_pages_are_changed_where_they_ask_for_it(conf):
    def changed(name, text):
        source = [text]
        conf.transform(None, name, source)
        return source[0]

    for page in ("index", "claims"):
        text = (LESSONS / f"{page}.rst").read_text(encoding="utf-8")
        assert "THE-" in text
        assert "THE-" not in changed(page, text)
    assert changed("other", "- do: it\n") == "- do: it\n"
    assert changed("gallery/00_x", "- do: it\n") == "- **do**: it\n"


def test_a_lesson_writes_into_the_ignored_folder(conf, monkeypatch):
    monkeypatch.setenv("TINYSSL_OUT", "elsewhere")
    ignored = (LESSONS.parent / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "lessons/gallery/" in ignored
    with mpl.rc_context():
        conf.own_folder({"src_dir": str(LESSONS)}, str(FILES[0]))
    expected = LESSONS / "gallery" / "output" / FILES[0].stem
    assert os.environ["TINYSSL_OUT"] == str(expected)


def strange_ranges(page):
    """Return the ranges on the page of claims that no lesson says it shows."""
    shown = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for pair in re.findall(r"^# - ``\w+``: (\S+) to (\S+)$", text, re.MULTILINE):
            low, high = map(float, pair)
            shown += [(low, high), (-high, -low)]  # "nearer" turns the sign
    page = " ".join(page.replace("−", "-").replace(",", "").split())
    found = []
    for ends in re.findall(r"([-+]?\d*\.?\d+) to ([-+]?\d*\.?\d+)", page):
        if "." not in "".join(ends):
            continue  # "lessons 10 to 14", "43 to 45"
        half = 0.51 * 10.0 ** -max(len(end.partition(".")[2]) for end in ends)
        low, high = map(float, ends)
        if not any(abs(low - a) < half and abs(high - b) < half for a, b in shown):
            found.append(" to ".join(ends))
    return found


def test_ranges_on_the_page_of_claims_are_those_of_lessons(page):
    assert strange_ranges(page) == []
    wrong = page.replace(".942 to .968", ".932 to\n.968")
    assert strange_ranges(wrong) == [".932 to .968"]
    assert strange_ranges(page.replace(".18 to .56 nearer", ".18 to .59 nearer"))
