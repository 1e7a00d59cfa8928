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


def test_no_line_ends_inside_an_interval(conf):
    text = "**.5 (+.1 [+.06, +.22])** | a (−.02\n  [−.1,\n  +.06]), p = .3; (in [1], 2)"
    text += "\nby .05 [0, .1], over\n\nx = f(3, [1, 2])\np = 3\n"
    whole = "**.5 (+.1_[+.06,_+.22])** | a (−.02_[−.1,_+.06]), p_=_.3; (in [1], 2)"
    whole += "\nby .05_[0,_.1], over\n\nx = f(3, [1, 2])\np = 3\n"
    assert conf.whole(text) == whole.replace("_", "\N{NO-BREAK SPACE}")


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
        assert re.fullmatch(
            r"(\d+ minutes|two hours) by plan", conf.teaching(path.name[:2])
        )
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

    pages = ("index", "claims", "architecture", "api/pretext", "api/targets")
    assert len(pages) == len(conf.PLACES)
    for page in pages:
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
    assert strange_ranges(page.replace(".14 to .60 nearer", ".14 to .63 nearer"))


GLOSSARY = """\
.. glossary::
   :sorted:

   fold
      Of images.

   Frechet distance
   FID
      It is

      .. plain: |m|² = 1

      .. math:: |m|^2
                = 1

      or not.
"""


def test_a_lesson_names_its_words_below_its_header(conf):
    header = "- **files**: 1.png,\n  results.json\n"
    text = header + "\nTwo Folds, an FID.\n\n.. code::\n\n    fold = Frechet distance\n"
    line = "- **words**: :term:`fold`, :term:`FID`\n"
    assert conf.words(text, GLOSSARY) == text.replace(header, header + line)
    plain = header + "\nA folder.\n"
    assert conf.words(plain, GLOSSARY) == plain


def test_formulas_are_set_as_the_glossary_says(conf):
    text = "Text:\n\n``|m|² = 1``\n\nMore ``|m|² = 1`` text.\n"
    formula = ".. math:: |m|^2\n                = 1\n"
    expected = text.replace("``|m|² = 1``\n\nMore", f"{formula}\nMore", 1)
    assert conf.formulas(text, GLOSSARY) == expected


def test_every_formula_that_the_glossary_sets_is_in_a_lesson(conf):
    lessons = "".join("\n".join(prose(path)) for path in FILES)
    plain = re.findall(r"\.\. plain: (.*)", conf.read("glossary.rst"))
    assert len(plain) > 1
    assert all(f"\n\n``{formula}``\n\n" in lessons for formula in plain)
    assert "``" + plain[0] not in conf.formulas(lessons, conf.read("glossary.rst"))


def test_the_words_of_the_glossary_are_used(conf):
    terms = re.findall(r":term:`(?:[^`<]*<)?([^`>]+)", conf.read("glossary.rst"))
    known = re.findall(r"^   (\w.*)$", conf.read("glossary.rst"), flags=re.MULTILINE)
    assert {term.casefold() for term in terms} <= {word.casefold() for word in known}
    assert len(known) == len(set(known))


def test_an_example_gets_its_heading_and_no_name_is_a_link(conf):
    names = "mean_, whitening_ : (d,)", "    z = (x - mean_) @ whitening_ of it"
    lines = [*names, "", ">>> f(1)", "2"]
    conf.complete(None, "function", "f", None, None, lines)
    assert lines[3:] == ["Examples", "--------", ">>> f(1)", "2"]
    assert lines[0] == r"mean\_, whitening_ : (d,)"
    assert lines[1] == r"    z = (x - mean\_) @ whitening\_ of it"
    conf.complete(None, "function", "f", None, None, lines)
    assert lines.count("Examples") == 1


def test_every_method_is_in_the_reference(conf):
    text = conf.PLACES["THE-PRETEXTS"]() + conf.PLACES["THE-TARGETS"]()
    named = re.findall(r"autoclass:: tinyssl\.(\w+)\.(\w+)", text)
    tables = {"pretext": conf.PRETEXTS, "targets": conf.TARGETS}
    expected = [(k, v.split(":")[1]) for k, t in tables.items() for v in t.values()]
    assert named == expected


def test_the_reference_has_every_public_name():
    pages = "".join(p.read_text(encoding="utf-8") for p in LESSONS.glob("api/*.rst"))
    for module in ("metrics", "transforms", "data", "data.toy", "models", "task"):
        assert f".. automodule:: tinyssl.{module}\n   :members:\n" in pages
    for name in ("train", "compare_starts", "PatchDictionary", "Cases", "Start"):
        assert re.search(rf":members: .*\b{name}\b", pages)


def test_a_formula_is_mathml_that_needs_no_script(conf):
    nodes = pytest.importorskip("docutils.nodes")
    writer = types.SimpleNamespace(body=[])
    for node in (nodes.math_block("", r"\frac{1}{2}"), nodes.math("", "x_i")):
        with pytest.raises(nodes.SkipNode):
            conf.mathml(writer, node)
    assert 'display="block"' in writer.body[0]
    assert "<mfrac>" in writer.body[0]
    assert "<msub>" in writer.body[1]


def test_the_picture_shows_the_arrows_of_the_code():
    picture = types.SimpleNamespace(**runpy.run_path(str(LESSONS / "architecture.py")))
    arrows = picture.arrows()
    assert [*arrows] == picture.PARTS
    assert arrows["task"] == ["training"]  # and of cases only the types
    assert {"cases", "pretext"} <= {*arrows["targets"]}
    assert "data" not in arrows["pretext"]  # follows from the other arrows
    assert "data" in picture.used("pretext")
    drawn = picture.draw()
    assert "targets uses cases and pretext" in drawn
    assert drawn.count("marker-end") == sum(map(len, arrows.values()))
    x = {name: int(x) for x, name in re.findall(r'x="(\d+)" y="\d+">(\w+)', drawn)}
    y = {name: int(y) for y, name in re.findall(r' y="(\d+)">(\w+)', drawn)}
    assert x.keys() == y.keys() == {*picture.PARTS}
    for part, used in arrows.items():
        assert all(y[other] < y[part] for other in used)
    places = [(y[part], x[part]) for part in picture.PARTS]
    for row, place in places:  # boxes do not overlap and none is cut off
        near = [other for line, other in places if line == row and other != place]
        assert all(abs(other - place) > picture.BOX[0] for other in near)
        assert picture.BOX[0] / 2 <= place <= picture.WIDTH - picture.BOX[0] / 2


def test_the_site_is_whole_without_a_network():
    pages = [*LESSONS.glob("*.rst"), *LESSONS.glob("api/*.rst"), LESSONS / "conf.py"]
    for page in pages:
        assert "//cdn" not in page.read_text(encoding="utf-8")
    reached = {"index", "gallery/[0-9]*"}
    for page in ("index", "api"):
        text = (LESSONS / f"{page}.rst").read_text(encoding="utf-8")
        reached |= {*re.findall(r"^   (\w[\w/]*)$", text, flags=re.MULTILINE)}
    names = {p.relative_to(LESSONS).with_suffix("").as_posix() for p in pages[:-1]}
    assert names == {name for name in reached if "[" not in name}
