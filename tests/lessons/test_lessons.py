"""Every lesson keeps its form and runs in fast mode; some run twice, alike."""

import re

import pytest
from lesson_form import (
    FILES,
    LESSONS,
    body,
    cells,
    check_runs,
    faults,
    functions,
    run,
)

from tinyssl import reference
from tinyssl.check.course import read_header

DERIVED = {  # what a lesson derives of the answer key, with identical code
    "01": ("confusion_matrix", "quadratic_weighted_kappa"),
    "02": ("ssim_map", "frechet_distance_from_stats", "frechet_distance"),
    "03": ("swap_patches", "rotate"),
}
each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@each
def test_form(path):
    assert faults(path.read_text(encoding="utf-8")) == []
    assert re.fullmatch(r"\d\d(_[a-z]+){2,}", path.stem)


@each
def test_header(path):
    header = read_header(path)
    assert header["title"].startswith(f"Lesson {header['number']}. ")
    fast, full = re.match(r"fast (\d+) s, full (\d+) s", header["runtime"]).groups()
    assert int(fast) <= 20
    assert int(full) <= 180


@pytest.mark.parametrize("path", FILES[:11], ids=lambda path: path.stem)
def test_it_runs_in_its_folder_and_finds_what_it_says(path, tmp_path):
    check_runs(path, tmp_path)


@pytest.mark.parametrize("number", DERIVED)
def test_a_lesson_derives_the_answer_key(number):
    (path,) = LESSONS.glob(f"{number}_*.py")
    derived, key = functions(path), functions(LESSONS.parent / "tinyssl/reference.py")
    for name in DERIVED[number]:
        assert hasattr(reference, name)
        assert body(derived[name]) == body(key[name]), name


PLANTED = {
    "lines of code": lambda text: text + "\n# %%\nx = 1\n" * 180,
    "a cell of 41": lambda text: text + "\n# %%\n" + "x = 1\n" * 41,
    " words": lambda text: text + "\n# %% [markdown]\n" + "# 1,000 2,000\n" * 60,
    "no figure within": lambda text: text.replace("# %%\n", "# %%\n" + "x = 1\n" * 9),
    "fewer than three": lambda text: text.replace("savefig(", "save("),
    "starts with a comment": lambda text: text.replace("# %%\n", "# %%\n# so\n", 1),
    "magic": lambda text: text + "\n# %%\n%matplotlib inline\n",
    "__main__": lambda text: text + "\n# %%\nif __name__ == '__main__':\n    pass\n",
    "argparse": lambda text: text.replace("import os", "import argparse"),
    "two predictions": lambda text: text.replace("**Before you run", "**Run", 1),
    "no Quiz": lambda text: text.replace("Quiz\n", "Questions\n"),
    "an empty line": lambda text: text + "\n# %% [markdown]\n# One.\n\n# Two.\n",
    "not a comment": lambda text: text + "\n# %% [markdown]\nno hash\n",
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_check_of_form_can_fail(fault):
    text = PLANTED[fault](FILES[0].read_text(encoding="utf-8"))
    assert [found for found in faults(text) if fault in found]


def test_the_watch_can_fail(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import socket\nfrom pathlib import Path\n"
        f"Path({str(tmp_path / 'elsewhere.txt')!r}).write_text('x')\n"
        f"Path({str(tmp_path / 'folder')!r}).mkdir()\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), timeout=1)\n"
        "except OSError:\n    pass\n"
    )
    written = {str(tmp_path / "elsewhere.txt"), f"os.mkdir {tmp_path / 'folder'}"}
    called = {"socket.getaddrinfo", "socket.connect"}
    assert {*run(bad, tmp_path / "out")} == written | called


def test_the_comparison_of_trees_can_fail(tmp_path):
    def tree(text):
        (tmp_path / "a.py").write_text(f"def f(a):\n{text}\n")
        return body(functions(tmp_path / "a.py")["f"])

    one = tree('    """One."""\n    return a + 1')
    assert tree('    """Two."""\n    # why\n    return a + 1') == one
    assert tree("    return 1 + a") != one


def test_cells_are_told_apart():
    text = '# %% [markdown]\n"""\nT\n"""\n\n# %%\nx = 1\n\n# %% [markdown]\n# So.\n'
    assert [kind for kind, _ in cells(text)] == ["prose", "code", "prose"]
