"""A class: editions without answers, and marks that no submission can spoil."""

import contextlib
import csv
import json
import os
import re
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tinyssl import cli
from tinyssl.check import classroom, exercises, marking

ROOT = Path(__file__).parents[1]
RIGHT = (ROOT / "lessons/solutions/01.py").read_text(encoding="utf-8")
SOLUTION = str(ROOT / "lessons/solutions/01.py")
(LESSON,) = (ROOT / "lessons").glob("01_*.py")
NAMES = ["my_confusion_matrix", "my_weights", "my_qwk"]
APART = marking._apart()
READABLE = all(place.stat().st_mode & 1 for place in Path(os.__file__).parents)
apart = pytest.mark.skipif(not APART, reason="this system does not give namespaces")

# What my_qwk does in place of answering, and the reason that its row must give
TOP = "import contextlib, ctypes, gc, os, socket, sys, threading, time\n"
ERRNO = r"Error: \[Errno {}\] "
HOSTILE = {
    "forks": ("os.fork()", "raised BlockingIO" + ERRNO.format(11)),
    "threads": (
        "threading.Thread(target=print).start()",
        "raised RuntimeError: can't st",
    ),
    "imports": (
        "from tinyssl.check import exercises",
        "raised ModuleNotFoundError: No m",
    ),
    "collects": (
        "return [f for f in gc.get_objects() if 'kappa' in repr(f)[:99]][0](*case)",
        r"raised IndexError: list index out of range \(line 26\)$",
    ),
    "loops": ("while True: pass", "used up 2 seconds of work: does its loop end?"),
    "sleeps": ("time.sleep(1000)", "gave no answer within 15 seconds$"),
    "hides": (
        "ctypes.CDLL(None).prctl(1, 0); os.setsid(); time.sleep(1000)",
        "gave no answer within 15 seconds$|raised Permission",
    ),
    "eats": (
        "return np.ones(10**10 // 8)",
        "raised .*MemoryError: Unable to allocate 9",
    ),
    "exits": ("os._exit(0)", "ended Python with status 0$"),
    "leaves": ("sys.exit(3)", "raised SystemExit: 3 "),
    "crashes": ("ctypes.string_at(0)", "ended Python with SIGSEGV$"),
    "forges": ("{forge}", "answered with what is no plain data"),
    "floods": (
        "return 'x' * 10**8",
        "answered with what is no plain data, or too long$|used up 2 seconds",  # slow
    ),
    "itself": ("return my_qwk", "raised TypeError: a function is no plain data"),
    "objects": (
        "return np.array([gc], object)",
        "raised TypeError: a ndarray is no pla",
    ),
    "huge": ("return 10**4000", "breaks a law: A rater agrees perfectly with itself.$"),
    "changes": ("case[0].sort()", "changed its input: work on a copy$"),
    "speaks": (
        r"raise ValueError('=1\n\x1b[2J' * 999)",
        "raised ValueError: =1  .2J=1",
    ),
    "stub": ("return None", "returned None$"),
}
HOSTILE_APART = {  # what only a system with namespaces prevents for every user
    "empties": ("open({right!r}, 'w')", "raised FileNotFound"),
    "deletes": ("os.remove({right!r})", "raised FileNotFound"),
    "reads": ("open({solution!r}).read()", "raised FileNotFound"),
    "writes": ("open('/tmp/here', 'w')", "raised FileNotFound|raised OS.*Read-only"),
    "calls": (
        "socket.create_connection(('127.0.0.1', {port}), 5)",
        "raised OS.*unreach",
    ),
    "kills": ("os.kill(-1, 9)", "raised ProcessLookup" + ERRNO.format(3)),
    "kills its parent": ("os.kill(os.getppid(), 9)", "returned None$"),
}
FORGE = r"""for k in range(9):
        with contextlib.suppress(OSError):
            os.write(k, b'{}x\n')"""
RESTS = RIGHT.replace("np.nan", "NAN")
FILES = {  # other files: how many points they get, and why
    "right": (RIGHT, 3, "all right$"),
    "prints": (
        RIGHT.replace("return", "print('so ' * 10**4); return"),
        3,
        "all right$",
    ),
    "draws": (
        f"{RIGHT}\nwhile True: pass\nos._exit(1)\ntable = draw()\n",
        3,
        "all right$",
    ),
    "rests": (f"{RESTS}K = 1\nfrom math import *\nNAN = nan * K\n", 3, "all right$"),
    "lesson": (
        LESSON.read_text(encoding="utf-8"),
        0,
        ", ".join(NAMES) + ": returned No",
    ),
    "wrong": (
        RIGHT.replace("(i - j) ** 2", "abs(i - j)"),
        2,
        "my_weights: breaks a law: T",
    ),
    "missing": (RIGHT.replace("my_qwk", "qwk"), 2, "my_qwk: not in the file$"),
    "syntax": (
        RIGHT + "\ndef :\n",
        0,
        "my_.*: could not be read: SyntaxError: invalid",
    ),
    "stuck": (
        f"{RIGHT}\nnp = sum(1 for _ in iter(int, 1))",
        0,
        ".*: used up 2 seconds of",
    ),
    "deep": (
        "x = " + "(" * 10**5,
        0,
        "my_.*: could not be read: SyntaxError: too many",
    ),
    "empty": ("", 0, ", ".join(NAMES) + ": not in the file$"),
    "sub/deeper": (RIGHT, 3, "all right$"),
}
CELLS = [
    "%matplotlib inline\n!pip install nothing",
    "%%bash\nrm -rf /\n",
    f"{RIGHT}\nif True:\n    %time 1\nhow = !ls\nmy_qwk?",
    "table = (7\n% 2)",
]
OTHERS = {  # and those that are not written as text
    "magic": (3, "all right$"),
    "broken": (0, "is no notebook: "),
    "latin": (0, "cannot be read: 'utf-8' codec"),
    "link": (0, "must be a file, found a link or a folder$"),
    "pipe": (0, "must be a file, found a link or a folder$"),
}
EACH = {name: (2, f"my_qwk: ({reason})") for name, (_, reason) in HOSTILE.items()}
EACH |= {name: reason for name, (_, *reason) in FILES.items()} | OTHERS


def write(folder, hostile, **values):
    """Write submissions that are right but for my_qwk."""
    values |= {"right": str(folder / "right.py"), "solution": SOLUTION, "forge": FORGE}
    for name, (body, _) in hostile.items():
        text = f"{RIGHT}\n{TOP}\ndef my_qwk(*case):\n    {body.format(**values)}\n"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")


def write_others(folder):
    (folder / "sub").mkdir()
    (folder / ".ipynb_checkpoints").mkdir()
    for name, (text, _, _) in FILES.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    book = {"cells": [{"cell_type": "code", "source": [text]} for text in CELLS]}
    (folder / "magic.ipynb").write_text(json.dumps(book), encoding="utf-8")
    (folder / "broken.ipynb").write_text("[" * 10**5, encoding="utf-8")
    (folder / "latin.py").write_bytes(b"# \xe9\n")
    (folder / "link.py").symlink_to(folder / "right.py")
    os.mkfifo(folder / "pipe.py")
    shutil.copy(folder / "right.py", folder / ".ipynb_checkpoints")


def held(folder):
    """Return all that files hold."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def running(mark):
    """Return the processes that have a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has just ended, or is another user's
            found += [path] * (mark.encode() in path.read_bytes())
    return found


def grade(folder, out, **options):
    """Grade with short limits; return the rows of the file by student, and the log."""
    before, logged = held(folder), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marking, "LIMITS", marking.LIMITS | {"CPU": 2})
        patch.setattr(marking, "SECONDS", 15)
        patch.setattr(marking, "ENVIRONMENT", marking.ENVIRONMENT | {"MARK": str(out)})
        options |= {"csv": out / "marks.csv", "log": logged.append}
        found = classroom.class_grade(1, folder, workers=2, **options)
    assert held(folder) == before
    assert running(f"MARK={out}") == []
    with (out / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert [*rows] == [row["student"] for row in found["students"]]
    return rows, logged


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder, out = (tmp_path_factory.mktemp(name) for name in ("in", "out"))
    write(folder, HOSTILE)
    write_others(folder)
    rows, logged = grade(folder, out)
    assert [*out.iterdir()] == [out / "marks.csv"]
    assert len(rows) == len(EACH)
    assert re.fullmatch(r"\d+ of (\d+): \S.*", logged[-1])[1] == str(len(EACH))
    return rows


@pytest.mark.parametrize("name", EACH)
def test_each_submission_gets_one_row_with_its_reason(graded, name):
    points, reason = EACH[name]
    assert re.match(reason, graded[name]["reason"])
    assert graded[name]["reason"].isprintable()
    assert int(graded[name]["points"]) == points
    assert sum(int(graded[name][task]) for task in NAMES) == points


@apart
def test_other_files_the_network_and_other_processes_are_out_of_reach(tmp_path):
    (tmp_path / "in").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        write(tmp_path / "in", HOSTILE_APART, port=server.getsockname()[1])
        rows, logged = grade(tmp_path / "in", tmp_path)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert rows.pop("right")["points"] == "3"
    for name, row in rows.items():
        assert re.match(f"my_qwk: ({HOSTILE_APART[name][1]})", row["reason"]), name
        assert row["points"] == "2"
    assert not Path("/tmp/here").exists()
    assert not [line for line in logged if line.startswith("not prevented")]


def test_what_a_system_does_not_prevent_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(marking, "_apart", list)
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", {name: HOSTILE[name] for name in ("forks", "exits")})
    if os.getuid() == 0 and not READABLE:  # Python lies where only root may read
        with pytest.raises(
            RuntimeError, match="submissions cannot run here: Python could"
        ):
            grade(tmp_path / "in", tmp_path)
        return
    rows, logged = grade(tmp_path / "in", tmp_path)
    assert re.match("not prevented on this system: the network; looking at", logged[0])
    assert [row["points"] for row in rows.values()] == ["2", "2", "3"]


def test_an_exercise_that_its_own_answer_fails_marks_nobody(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", {"forks": HOSTILE["forks"]})
    wrong = {"my_qwk": replace(exercises(1)["my_qwk"], answer=lambda *case: None)}
    monkeypatch.setattr(marking, "exercises", lambda number: wrong)
    with pytest.raises(RuntimeError, match=r"^exercise my_qwk: its own answer "):
        grade(tmp_path / "in", tmp_path)


def test_points_come_from_a_manifest_and_cases_from_a_seed(tmp_path):
    classroom.class_export(lessons=[1], out=tmp_path / "edition")
    path = tmp_path / "edition/manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["01"]["points"] == dict.fromkeys(NAMES, 1)
    manifest["01"]["points"]["my_qwk"] = 5
    path.write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", {"stub": HOSTILE["stub"]})
    rows, _ = grade(tmp_path / "in", tmp_path, manifest=path)
    assert [row["points"] for row in rows.values()] == ["7", "2"]
    with pytest.raises(
        ValueError, match=r"must give points for my_grade, .* lesson 00"
    ):
        classroom.class_grade(0, tmp_path, csv=tmp_path / "m.csv", manifest=path)
    law = exercises(1)["my_qwk"].laws["Swapping the raters changes nothing."]
    draw = marking.drawn.__wrapped__  # without its cache
    first, again, other = (repr(draw(law.cases, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_an_edition_holds_no_answers(tmp_path, capsys):
    words = ["class", "export", "--lessons", "00", "01", "04", "05", "08", "--out"]
    assert cli.main([*words, str(tmp_path / "new")]) == 0
    texts = {file.name: file.read_text() for file in (tmp_path / "new").iterdir()}
    assert capsys.readouterr().out.splitlines()[:-1] == sorted(texts)
    assert sorted({name[:2] for name in texts}) == ["00", "01", "04", "05", "08", "ma"]
    for number in ("00", "01", "04", "05", "08"):
        solution = (ROOT / f"lessons/solutions/{number}.py").read_text(encoding="utf-8")
        bodies = re.findall(r"^def my_.*\n((?:    .*\n|\n)+)", solution, re.MULTILINE)
        assert len(bodies) == len(exercises(int(number)))
        (stem,) = {name[:-3] for name in texts if re.match(rf"{number}.*py$", name)}
        book = json.loads(texts[f"{stem}.ipynb"])
        code = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
        for text in (texts[f"{stem}.py"], "\n".join(code)):
            compile(text, stem, "exec")
            assert all(f"def {name}(" in text for name in exercises(int(number)))
            assert not [body for body in bodies if body in text]
        prose = "".join("".join(cell["source"]) for cell in book["cells"])
        for text in (texts[f"{stem}.py"], prose):
            assert "Quiz" in text
            assert "Answers</summary>" not in text
        assert book["cells"][0]["source"][0].startswith("Lesson ")
        assert book["cells"][1]["source"][0][:2] != "# "


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export --lessons 01 --out .", "must be a new or empty folder, found files"),
        ("export --lessons 77 --out new", "no lesson 77; there are 00, 01"),
        ("grade 01 in --csv m.txt", "--csv must be a file NAME.csv, found m.txt"),
        ("grade 01 in --csv m.csv", "in must hold .py or .ipynb files, found none"),
        ("grade 77 in --csv m.csv", "lesson 77 has no exercises to check"),
    ],
)
def test_refusals_are_one_line(line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert cli.main(["class", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert [*tmp_path.iterdir()] == [tmp_path / "notes.txt"]
