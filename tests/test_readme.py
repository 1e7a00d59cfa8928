"""The README is short, its code runs, and what it names is there."""

import csv
import re
import shlex
from pathlib import Path

import pytest

from tinyssl import cli, commands, pretext

ROOT = Path(__file__).parents[1]
LESSONS = ROOT / "lessons"
PAGES = [ROOT / "README.md"]
PAGES += [LESSONS / f"{n}.rst" for n in ("data", "index", "real_images", "results")]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title):
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title):
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines[2:]]


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 120


def test_its_code_runs():
    code = re.search(r"```python\n(.*?)```", section("In your own code"), re.DOTALL)[1]
    assert sum(1 for line in code.splitlines() if line) <= 10
    names = {}
    exec(code, names)
    assert len(names["features"]) == 64
    assert 0.9 < names["kappa"] < 1


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", TEXT)
    assert len(links) > 5
    for link in links:
        assert (ROOT / "".join(link)).is_file(), link


def test_every_pretext_task_is_in_its_table_with_its_lesson():
    table = rows("Methods")
    named = [name for row in table for name in row[0].split(", ")]
    assert sorted(named) == sorted(pretext.PRETEXTS)
    for name, _, lessons in table:
        for number in re.findall(r"\d\d", lessons):
            there = any(LESSONS.glob(f"{number}_*.py"))
            assert there != lessons.startswith("("), f"{name}: lesson {number}"


def test_what_a_task_can_do_stands_on_the_page_of_data():
    text = (LESSONS / "data.rst").read_text(encoding="utf-8")
    found = {}
    for kind, start in {
        "volumes": "Volumes are for",
        "decoder": "A decoder to",
    }.items():
        sentence = re.search(rf"{start}[^.]*\.", text)[0]
        found[kind] = {*re.findall(r"``(\w+)``", sentence)}
    classes = {name: pretext.find(name) for name in pretext.PRETEXTS}
    assert found["volumes"] == {n for n, c in classes.items() if c.volumes}
    assert found["decoder"] == {n for n, c in classes.items() if "network" in c.carries}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_on_a_page_have_such_options(page):
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^ +(?:\S+/)?tinyssl ([a-z-]+)(.*)$", text, flags=re.MULTILINE)
    assert found
    for command, words in found:
        words = shlex.split(re.sub(r"[][]", "", words))
        cli.read_settings(command, words, commands)


def test_the_check_of_commands_can_fail():
    with pytest.raises(SystemExit):
        cli.read_settings("pretrain", ["DATA", "--tasks", "rotation"], commands)


def test_five_rows_of_speed_are_those_of_the_page():
    page = (LESSONS / "speed.rst").read_text(encoding="utf-8")
    table = rows("How fast")
    assert len(table) == 5
    for row in table:
        best, usual = re.findall(r"([\d.]+)x", row[-1])
        assert re.search(rf"\.\.{best}\.\.\S+x \| \S+\.\.{usual}\.\.\S+x \|", page), row


@pytest.mark.parametrize("page", sorted(LESSONS.glob("*.rst")), ids=lambda p: p.stem)
def test_tables_have_as_many_cells_in_each_row(page):
    for block in page.read_text(encoding="utf-8").split(".. csv-table::\n")[1:]:
        lines = re.match(r"(?: +.*\n|\n)*", block)[0].splitlines()
        options = dict(re.findall(r"^ +:([\w-]+): ?(.*)$", block, re.MULTILINE))
        table = [x.strip() for x in lines if x and not re.match(" +:", x)]
        if "header" in options:
            table = [options["header"], *table]
        how = {"delimiter": options.get("delim", ","), "strict": True}
        found = {len(row) for row in csv.reader(table, skipinitialspace=True, **how)}
        assert len(table) > 2
        assert len(found) == 1
