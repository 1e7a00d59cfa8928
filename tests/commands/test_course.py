"""``tinyssl lessons`` and ``lesson NN`` on a small lesson, and lessons/measure.py."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tinyssl.check.course import lesson, lessons, read_header

ROOT = Path(__file__).parents[2]
SMALL = '''# %% [markdown]
"""
Lesson 7. Small
===============

- do: nothing
- learn: that a value may go on
  in a second line
- need: nothing
- sources: none
- data: none
- runtime: fast 1 s, full 1 s
- memory: 20 MB
- files: results.json
"""

# %% [markdown]
# - ``value``: 5 to 6
# - ``other``: 0 to 1

# %%
import json, os
from pathlib import Path

out = Path(os.environ["TINYSSL_OUT"])
out.mkdir(parents=True, exist_ok=True)
fast, seed = os.environ["TINYSSL_FAST"], int(os.environ["TINYSSL_SEED"])
print("fast", fast, "with", os.environ["MPLBACKEND"])
(out / "results.json").write_text(json.dumps({"value": 2.5 * seed, "word": "x"}))
'''


@pytest.fixture
def measure():
    """Load lessons/measure.py."""
    spec = importlib.util.spec_from_file_location("m", ROOT / "lessons/measure.py")
    measure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure)
    return measure


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder with one lesson, and stand beside it."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons/07_be_small.py").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "lessons"


def test_header(folder):
    (header,) = lessons()
    assert header["number"] == 7
    assert header["title"] == "Lesson 7. Small"
    assert header["learn"] == "that a value may go on in a second line"


@pytest.mark.parametrize(
    ("old", "words"),
    [("- memory: 20 MB\n", "the header lacks memory"), ("===", "must open with")],
)
def test_a_header_that_lacks_something_is_refused(folder, old, words):
    path = folder / "07_be_small.py"
    path.write_text(SMALL.replace(old, ""))
    with pytest.raises(ValueError, match=words):
        read_header(path)


def test_lesson_runs_where_it_is_told_to(folder, tmp_path):
    said = []
    found = lesson(7, fast=True, seed=3, log=said.append)
    assert found["results"] == {"value": 7.5, "word": "x"}
    assert Path(found["out"]) == folder / "output/07"
    assert said == ["Lesson 7. Small; runtime fast 1 s, full 1 s", "fast 1 with Agg"]
    found = lesson(7, out=tmp_path / "elsewhere")
    assert found["files"] == ["results.json"]
    assert (tmp_path / "elsewhere/results.json").exists()


def test_a_lesson_that_fails_says_so(folder):
    (folder / "07_be_small.py").write_text(SMALL + "\n1 / 0\n")
    said = []
    with pytest.raises(RuntimeError, match=r"07_be_small\.py ended with status 1"):
        lesson(7, log=said.append)
    assert said[-1] == "ZeroDivisionError: division by zero"


def test_a_lesson_that_is_not_there_is_refused(folder):
    with pytest.raises(ValueError, match="no lesson 08; there are 07"):
        lesson(8)


def test_command_line(folder):
    def tinyssl(*words):
        command = [sys.executable, "-m", "tinyssl", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    assert tinyssl("lessons").stdout.startswith("07  Small\n    that a value may")
    done = tinyssl("lesson", "7", "--seed", "2", "--json")
    assert json.loads(done.stdout)["results"]["value"] == 5
    assert "fast 0 with Agg" in done.stderr
    assert "value: 0.0" in tinyssl("lesson", "07", "--fast").stdout


def test_measure_writes_ranges(measure, folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["measure.py", "7", "--seeds", "2", "--write"])
    measure.main()
    said = capsys.readouterr().out
    assert "# - ``value``: 0 to 2.5\n    the lesson says 5 to 6" in said
    assert "    mean 1.250 [-14.633, 17.133]\n" in said
    text = (folder / "07_be_small.py").read_text()
    assert "# - ``value``: 0 to 2.5\n# - ``other``: 0 to 1\n" in text


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [
        (0.123456, 0.123, 0.124),
        (0.0037391, 0.00373, 0.00374),
        (8.551, 8.55, 8.56),
        (-0.0512, -0.0512, -0.0512),
        (33.333, 33.33, 33.34),
        (0, 0, 0),
    ],
)
def test_ranges_are_rounded_outwards(measure, value, down, up):
    assert measure.rounded(value, math.floor) == pytest.approx(down, abs=1e-12)
    assert measure.rounded(value, math.ceil) == pytest.approx(up, abs=1e-12)
