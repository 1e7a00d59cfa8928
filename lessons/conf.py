"""The course as a web site: every lesson is run, with its figures and its output.

    .venv/bin/sphinx-build lessons site

sphinx-gallery turns the cells of a lesson into a page. What is left to do here: fold
the answers of quizzes, let figures be opened in full size, list the lessons on the
title page from their headers, show the page of claims of TEACHING.md, and keep what
lessons write in the ignored folder gallery/. A lesson's prose is what Markdown and reST
share, so nothing else is changed.
"""

import os
import re
from pathlib import Path

from tinyssl.check.course import read_header

HERE = Path(__file__).parent
CARD = """\
.. container:: lesson

   .. image:: /gallery/images/sphx_glr_{stem}_001.png
      :alt: first figure of lesson {number}
      :target: gallery/{stem}.html

   .. container:: words

      :doc:`{title} </gallery/{stem}>`

      You {do}. You learn {learn}.

      Needs {need}. Runtime: {runtime}.
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


def cards(folder):
    """Return a list of the lessons in a folder, with their first figures."""
    lessons = sorted(folder.glob("[0-9][0-9]_*.py"))
    return "\n".join(
        CARD.format(stem=path.stem, **read_header(path)) for path in lessons
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


def transform(app, name, source):
    """Change the text of a page before Sphinx reads it."""
    if name.startswith("gallery/"):
        source[0] = bold(fold(enlarge(source[0])))
    source[0] = source[0].replace("THE-LESSONS", cards(HERE))
    if "THE-CLAIMS" in source[0]:
        teaching = (HERE / "TEACHING.md").read_text(encoding="utf-8")
        source[0] = source[0].replace("THE-CLAIMS", linked(claims(teaching), HERE))


def own_folder(config, path):
    """Give a lesson a folder of its own to write into, and cut white margins."""
    import matplotlib as mpl

    mpl.rcParams["savefig.bbox"] = "tight"
    folder = Path(config["src_dir"], "gallery", "output", Path(path or "none").stem)
    os.environ["TINYSSL_OUT"] = str(folder)


def setup(app):
    """Connect the changes to Sphinx; figures are drawn without a screen."""
    app.connect("source-read", transform)
    os.environ["MPLBACKEND"] = "Agg"


project = "tinyssl"
author = copyright = "the tinyssl authors"
extensions = ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["output", "solutions", "gallery/index.rst"]
suppress_warnings = [
    "config.cache",  # own_folder below is a function
    "sphinx_gallery.duplicate_filename",  # pages are written into this folder
]
sphinx_gallery_conf = {
    "examples_dirs": ".",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[/\\]\d\d_",
    "ignore_pattern": r"(conf|measure)\.py$",
    "within_subsection_order": "FileNameSortKey",
    "copyfile_regex": "GALLERY_HEADER",
    "reset_modules": ("matplotlib", own_folder),
    "run_stale_examples": True,  # the package may have changed, or TINYSSL_FAST
    "capture_repr": (),
    "image_srcset": ["2x"],
    "notebook_extensions": set(),  # jupytext makes the notebooks
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
}
html_theme = "furo"
html_title = "tinyssl: the course"
if os.environ.get("TINYSSL_FAST") == "1":
    html_title += " (fast mode)"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
