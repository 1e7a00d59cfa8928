"""``tinyssl lessons`` and ``lesson NN`` on a small lesson, and lessons/measure.py."""

import json
import math
import runpy
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from test_command_line import tinyssl

from tinyssl.check import course
from tinyssl.check.course import lesson, lessons, read_header

ROOT = Path(__file__).parents[2]
measure = runpy.run_path(str(ROOT / "lessons/measure.py"))
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
def folder(tmp_path, monkeypatch):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons/07_be_small.py").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "lessons"


def test_header(folder):
    (header,) = lessons()
    assert (header["number"], header["title"]) == (7, "Lesson 7. Small")
    assert header["learn"] == "that a value may go on in a second line"
    path = folder / "07_be_small.py"
    for old, words in {"- memory: 20 MB\n": "lacks memory", "===": "must open"}.items():
        path.write_text(SMALL.replace(old, ""))
        with pytest.raises(ValueError, match=words):
            read_header(path)


def test_lesson_runs_where_it_is_told_to(folder, tmp_path):
    logged = []
    found = lesson(7, fast=True, seed=3, log=logged.append)
    assert found["results"] == {"value": 7.5, "word": "x"}
    assert Path(found["out"]) == folder / "output/07"
    assert logged == ["Lesson 7. Small; runtime fast 1 s, full 1 s", "fast 1 with Agg"]
    found = lesson(7, out=tmp_path / "elsewhere")
    assert found["files"] == ["results.json"]
    assert (tmp_path / "elsewhere/results.json").exists()


def test_a_lesson_that_fails_says_so(folder):
    (folder / "07_be_small.py").write_text(SMALL + "\n1 / 0\n")
    logged = []
    with pytest.raises(RuntimeError, match=r"07_be_small\.py ended with status 1"):
        lesson(7, log=logged.append)
    assert logged[-1] == "ZeroDivisionError: division by zero"


def test_a_lesson_that_is_not_there_is_refused(folder, monkeypatch):
    with pytest.raises(ValueError, match="no lesson 08; there are 07"):
        lesson(8)
    monkeypatch.setattr(course, "PACKAGE", folder)
    with pytest.raises(FileNotFoundError, match="start where lessons/ lies"):
        course.find_folder("exercises/*.py")


def test_a_wheel_carries_the_course(tmp_path, monkeypatch):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wheel = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["wheel"]
    inside = tmp_path / "site" / wheel["sources"]["lessons"]
    package, *patterns = (pattern.lstrip("/") for pattern in wheel["include"])
    shutil.copytree(ROOT / package, tmp_path / "site" / package)
    for path in (path for pattern in patterns for path in ROOT.glob(pattern)):
        place = inside / path.relative_to(ROOT / "lessons")
        place.parent.mkdir(exist_ok=True)
        shutil.copy(path, place)
    (inside / "99_be_small.py").write_text(SMALL)
    carried = sorted(inside.rglob("*"))
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    names = {path.name for path in (ROOT / "lessons").glob(course.FILES)}
    names |= {"99_be_small.py", "exercises"}  # no solutions, nothing for teachers
    assert {path.name for path in inside.iterdir()} == names
    assert tinyssl("lessons")[0].count("\n") == 2 * (len(names) - 1)
    found = json.loads(tinyssl("lesson", 99, "--json")[0])
    assert found["out"] == str(tmp_path / "desk/output/99")
    said = tinyssl("check", 0, ROOT / "lessons/solutions/00.py")[0]
    assert said.count("laws hold") == 3
    assert sorted(inside.rglob("*")) == carried  # nothing is written there


def test_command_line(folder):
    assert tinyssl("lessons")[0].startswith("07  Small\n    that a value may")
    stdout, stderr = tinyssl("lesson", "7", "--seed", "2", "--json")
    assert json.loads(stdout)["results"]["value"] == 5
    assert "fast 0 with Agg" in stderr
    assert "value: 0.0" in tinyssl("lesson", "07", "--fast")[0]


def test_measure_writes_ranges(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["measure.py", "7", "--seeds", "2", "--write"])
    measure["main"]()
    said = capsys.readouterr().out
    assert "# - ``value``: 0 to 2.5\n    the lesson says 5 to 6" in said
    assert "two runs of seed 0 differ" not in said
    assert "    mean 1.250 [-14.633, 17.133]\n" in said
    text = (folder / "07_be_small.py").read_text()
    assert "# - ``value``: 0 to 2.5\n# - ``other``: 0 to 1\n" in text


def test_measure_widens_ranges(folder, monkeypatch):
    path = folder / "07_be_small.py"
    monkeypatch.setattr(sys, "argv", ["measure.py", "7", "--seeds", "2", "--widen"])
    for before, after in {"5 to 6": "0 to 6", "-1 to 2": "-1 to 2.5"}.items():
        path.write_text(SMALL.replace("5 to 6", before))
        measure["main"]()
        assert f"``value``: {after}\n# - ``other``: 0 to 1\n" in path.read_text()


def test_measure_says_where_two_runs_of_a_seed_differ(folder, monkeypatch, capsys):
    path = folder / "07_be_small.py"
    path.write_text(SMALL.replace("2.5 * seed", "__import__('time').time_ns()"))
    monkeypatch.setattr(sys, "argv", ["measure.py", "7", "--seeds", "1", "--fast"])
    measure["main"]()
    assert "    two runs of seed 0 differ\n" in capsys.readouterr().out


def test_ranges_are_rounded_outwards():
    values = [0.123456, 0.0037391, 8.551, -0.0512, 33.333, 0]
    down = [measure["rounded"](value, math.floor) for value in values]
    assert down == pytest.approx([0.123, 0.00373, 8.55, -0.0512, 33.33, 0], abs=1e-12)
    up = [measure["rounded"](value, math.ceil) for value in values]
    assert up == pytest.approx([0.124, 0.00374, 8.56, -0.0512, 33.34, 0], abs=1e-12)
