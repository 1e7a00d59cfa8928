"""The course as a web site: every lesson is run, with its figures and its output.

    .venv/bin/sphinx-build lessons site

sphinx-gallery turns the cells of a lesson into a page and a notebook, autodoc the
docstrings into the reference. What is left to do here: fold the answers of quizzes, let
figures be opened in full size, name the words that the glossary explains, set formulas,
fill the places that pages leave (PLACES), and keep what lessons write in the ignored
folder gallery/. Nothing on a page comes from the network.
"""

import os
import re
import runpy
from pathlib import Path

from tinyssl.check.course import read_header
from tinyssl.pretext import PRETEXTS
from tinyssl.targets import TARGETS

HERE = Path(__file__).parent
CARD = """\
.. container:: lesson

   .. image:: /gallery/images/sphx_glr_{stem}_001.png
      :alt: first figure of lesson {number}
      :target: gallery/{stem}.html

   .. container:: words

      :doc:`{title} </gallery/{stem}>`

      You {do}. You learn {learn}.

      Needs {need}. Teaching: {teaching}. Runtime: {runtime}.
"""


def bold(text):
    """Set the names of a lesson's header in bold, so that the eye finds them."""
    fields = "do|learn|need|sources|data|runtime|memory|files"
    return re.sub(rf"^- ({fields}): ", r"- **\1**: ", text, flags=re.MULTILINE)


def fold(text):
    """Hand the HTML that folds answers through to the page."""
    if text.count("\n<details>") != text.count("\n</details>"):
        raise ValueError("each <details> needs its </details>, both in column 0")
    return re.sub(
        r"^(</?details>.*)$", r"\n.. raw:: html\n\n   \1\n", text, flags=re.MULTILINE
    )


def enlarge(text):
    """Show the large copy of each figure at half its size, as a link to itself."""
    text = text.replace("sphx-glr-multi-img", "sphx-glr-single-img")
    return re.sub(
        r"\.\. image-sg:: (\S+)\.png\n( +)(:alt: .*\n) +:srcset: .*\n",
        r".. image:: \1_2_00x.png\n\2\3\2:scale: 50\n",
        text,
    )


def formulas(text, glossary):
    """Set the paragraphs that the glossary says how to set: ``.. plain: ...``."""
    known = r"\.\. plain: (.*)\n\n *(\.\. math:: .*\n(?: {13}.*\n)*)"
    for plain, formula in re.findall(known, glossary):
        text = text.replace(f"\n\n``{plain}``\n\n", f"\n\n{formula}\n")
    return text


def words(text, glossary):
    """Name the words of a lesson that the glossary explains, below its header."""
    prose, used = re.sub(r"^ .*", "", text, flags=re.MULTILINE), []
    for names in re.findall(r"((?:^   \w.*\n)+)", glossary, flags=re.MULTILINE):
        terms = [term.strip() for term in names.splitlines()]
        found = [t for t in terms if re.search(rf"(?i)\b{t}s?\b", prose)]
        used += [f":term:`{term}`" for term in found[:1]]
    line = f"- **words**: {', '.join(used)}\n" if used else ""
    return re.sub(r"(- \*\*files\*\*: .*\n(?:  .*\n)*)", rf"\g<1>{line}", text)


def teaching(number):
    """Return what time TEACHING.md plans for a lesson."""
    text = read("TEACHING.md")
    plan = rf"^## Lesson {number}\b(?:(?!\n## ).)*?planned\s+for\s+(.+?)[;.]"
    found = re.search(plan, text, flags=re.MULTILINE | re.DOTALL | re.IGNORECASE)
    return f"{found[1]} by plan" if found else "not planned yet"


def cards(folder):
    """Return a list of the lessons in a folder, with their first figures."""
    lessons = sorted(folder.glob("[0-9][0-9]_*.py"))
    plans = {path: teaching(path.name[:2]) for path in lessons}
    return "\n".join(
        CARD.format(stem=path.stem, teaching=plans[path], **read_header(path))
        for path in lessons
    )


def methods(table, package):
    """Return the reference of every method of a table, under its name."""
    form = "{0}\n{1}\n\n.. autoclass:: {2}.{3}\n   :members:\n"
    rows = [(name, "-" * len(name), place) for name, place in table.items()]
    return "\n".join(
        form.format(*row[:2], package, row[2].split(":")[1]) for row in rows
    )


def claims(text):
    """Return the claims section of TEACHING.md as reST."""
    found = re.search(r"^## Claims\b.*\n((?:(?!## ).*\n)*)", text, flags=re.MULTILINE)
    if not found:
        raise ValueError("TEACHING.md has no section ## Claims ...")

    def underline(heading):
        return f"{heading[1]}\n{'-' * len(heading[1])}"

    body = re.sub(r"^### (.+)$", underline, found[1], flags=re.MULTILINE)
    return re.sub(r"`+", "``", body)


def linked(text, folder):
    """Let each lesson that a page names lead to its own page."""
    stems = {path.name[:2]: path.stem for path in folder.glob("[0-9][0-9]_*.py")}
    return re.sub(
        r"\b([Ll]esson (\d\d))\b",
        lambda found: f":doc:`{found[1]} </gallery/{stems[found[2]]}>`",
        text,
    )


def whole(text):
    """Let no line end inside a difference with its interval, or a p = .03."""
    known = r"[.\d]+\s+\[[+−]?[.\d]+,\s+[+−]?[.\d]+\]|\bp\s=\s\.\d+"
    space = "\N{NO-BREAK SPACE}"
    return re.sub(known, lambda found: space.join(found[0].split()), text)


def read(name):
    """Return the text of a file beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


PLACES = {  # in a page, and what is put there
    "THE-LESSONS": lambda: cards(HERE),
    "THE-CLAIMS": lambda: linked(claims(read("TEACHING.md")), HERE),
    "THE-PRETEXTS": lambda: methods(PRETEXTS, "tinyssl.pretext"),
    "THE-TARGETS": lambda: methods(TARGETS, "tinyssl.targets"),
    "THE-ARROWS": lambda: runpy.run_path(str(HERE / "architecture.py"))["draw"](),
}


def transform(app, name, source):
    """Change the text of a page before Sphinx reads it."""
    if name.startswith("gallery/"):
        glossary, text = read("glossary.rst"), bold(fold(enlarge(source[0])))
        text = text.replace(
            "\n- **memory**", f"\n- **teaching**: {teaching(name[8:10])}\n- **memory**"
        )
        source[0] = formulas(words(text, glossary), glossary)
    for place, content in PLACES.items():
        if place in source[0]:
            source[0] = source[0].replace(place, content())
    source[0] = whole(source[0])


def own_folder(config, path):
    """Give a lesson a folder of its own to write into, and cut white margins."""
    import matplotlib as mpl

    mpl.rcParams["savefig.bbox"] = "tight"
    folder = Path(config["src_dir"], "gallery", "output", Path(path or "none").stem)
    os.environ["TINYSSL_OUT"] = str(folder)


def complete(app, what, name, obj, options, lines):
    """Give the example of a short docstring its heading; a name_ is no link."""
    lines[:] = [re.sub(r"(?<=\w)_(?=[,)]| [^:])", r"\\_", line) for line in lines]
    starts = [i for i, line in enumerate(lines) if line.startswith(">>>")]
    if starts and "Examples" not in lines:
        lines[starts[0] : starts[0]] = ["Examples", "--------"]


def mathml(writer, node):
    """Write a formula as MathML, which browsers show without a script."""
    from docutils import nodes
    from docutils.utils.math.latex2mathml import tex2mathml

    block = isinstance(node, nodes.math_block)
    writer.body.append(tex2mathml(node.astext(), as_block=block))
    raise nodes.SkipNode


def setup(app):
    """Connect the changes to Sphinx; figures are drawn without a screen."""
    app.connect("source-read", transform)
    app.connect("autodoc-process-docstring", complete, priority=400)  # before napoleon
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    os.environ["MPLBACKEND"] = "Agg"


project = "tinyssl"
author = copyright = "the tinyssl authors"
extensions = ["sphinx_gallery.gen_gallery", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "py:obj"  # `name` in a docstring
autodoc_typehints = "none"  # docstrings say more
html_math_renderer = "mathml"
linkcheck_ignore = ["https?://", "gallery/"]  # no network; cards: a test
exclude_patterns = ["output", "solutions", "gallery/index.rst"]
suppress_warnings = [
    "config.cache",  # own_folder below is a function
    "sphinx_gallery.duplicate_filename",  # pages are written into this folder
]
sphinx_gallery_conf = {
    "examples_dirs": ".",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[/\\]\d\d_",
    "ignore_pattern": r"(architecture|conf|measure)\.py$",
    "within_subsection_order": "FileNameSortKey",
    "copyfile_regex": "GALLERY_HEADER",
    "reset_modules": ("matplotlib", own_folder),
    "run_stale_examples": True,  # the package may have changed, or TINYSSL_FAST
    "capture_repr": (),
    "image_srcset": ["2x"],
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
}
html_theme = "furo"
html_title = "tinyssl"
if os.environ.get("TINYSSL_FAST") == "1":
    html_title += " (fast mode)"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
