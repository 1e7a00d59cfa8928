"""Checks of the exercises: right answers pass, wrong ones get the hint they need."""

import ast
import importlib
import itertools
import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tinyssl import check
from tinyssl.check import exercise, guarded

ROOT = Path(__file__).parents[1]
NUMBERS = sorted(
    path.stem[-2:] for path in (ROOT / "tinyssl/check").glob("lesson[0-9][0-9].py")
)
EXERCISES = {
    number: importlib.import_module(f"tinyssl.check.lesson{number}").EXERCISES
    for number in NUMBERS
}
EACH = [(number, name) for number in NUMBERS for name in EXERCISES[number]]
MISTAKES = [
    (number, name, place)
    for number, name in EACH
    for place in range(len(EXERCISES[number][name].mistakes))
]


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Begin every test with the first hint."""
    monkeypatch.setattr(exercise, "failures", {})


def functions(path):
    """Return the functions a file defines, run by themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
    ]
    names = {}
    exec(compile(tree, path.name, "exec"), names)
    return names


@pytest.mark.parametrize(("number", "name"), EACH)
def test_the_solution_passes(number, name, patient):
    solutions = functions(ROOT / f"lessons/solutions/{number}.py")
    passed, text = EXERCISES[number][name].examine(solutions[name])
    assert passed, text
    assert text.startswith(f"{name}: right. ")


@pytest.mark.parametrize(("number", "name"), EACH)
def test_the_stub_fails_without_a_hint(number, name, few_cases):
    (lesson,) = (ROOT / "lessons").glob(f"{number}_*.py")
    stub = functions(lesson)[name]
    passed, text = EXERCISES[number][name].examine(stub)
    assert not passed
    assert text.startswith(f"{name}: nothing there yet")


@pytest.mark.parametrize(("number", "name", "place"), MISTAKES)
def test_a_mistake_gets_its_own_hint(number, name, place, few_cases):
    task = EXERCISES[number][name]
    passed, text = task.examine(task.mistakes[place].answer)
    assert not passed
    assert text.endswith(f"hint 1 of 3: {task.mistakes[place].hint}")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_knows_three_mistakes(number):
    assert sum(len(task.mistakes) for task in EXERCISES[number].values()) >= 3


def test_it_says_case_expected_and_got(capsys):
    linear = check.qwk.mistakes[2].answer
    assert check.qwk(linear) is False
    assert capsys.readouterr().out.splitlines() == [
        "my_qwk: not yet.",
        "  law       It gives what the definition gives.",
        "  smallest  y_true = [0, 1], y_pred = [0, 2]",
        "  expected  0.6666666666666666",
        "  got       0.5",
        "  hint 1 of 3: this is the kappa of linear weights: square the differences",
    ]


def test_hints_come_in_turn_and_start_anew_once_it_is_right():
    def wrong(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    said = [check.qwk.examine(wrong)[1].splitlines()[-1] for _ in range(4)]
    expected = [f"  hint {i + 1} of 3: {h}" for i, h in enumerate(check.qwk.hints)]
    assert said == [*expected, expected[-1]]
    assert check.qwk.examine(check.qwk.answer)[0]
    assert check.qwk.examine(wrong)[1].splitlines()[-1] == expected[0]


def loop(y_true, y_pred):
    while True:
        try:
            y_true = y_true + 0
        except:  # noqa: E722
            y_true = y_true + 1


def crash(y_true, y_pred):
    return 1 / 0


def leave(y_true, y_pred):
    sys.exit(3)


CALLS = itertools.count()


def fickle(y_true, y_pred):
    return 1.0 - next(CALLS) % 2  # of two answers one is right, without luck


def sometimes(y_true, y_pred):
    if y_true[0] == 0:
        return check.qwk.answer(y_true, y_pred)


def one_sided(y_true, y_pred):
    return 1 - np.mean((y_true - y_pred) ** 2) / max(1, np.var(y_true))


def change(y_true, y_pred):
    y_true[:] = 0
    return 1.0


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (loop, "it gave no answer within 2 seconds: does its loop end?"),
        (fickle, "asked twice, it gave two answers to the same question"),
        (sometimes, "it returned None: one way through it has no return\n  hint"),
        (one_sided, "swapped   "),
        (crash, "it raised ZeroDivisionError: division by zero (line "),
        (leave, "it raised SystemExit: 3 (line "),
        (change, "it changed its input: work on a copy"),
        (lambda y_true: 1, "takes 1 positional argument but 2 were given"),
        (lambda y_true, y_pred: "one", "got       'one'"),
        (lambda y_true, y_pred: [1, [2]], "got       [1, [2]]"),
        (None, "give the check a function, found NoneType None"),
        (lambda y_true, y_pred: None, "nothing there yet (it returned None)"),
    ],
)
def test_what_goes_wrong_is_reported_not_suffered(function, words):
    passed, text = check.qwk.examine(function)
    assert not passed
    assert words in text


def test_every_kind_of_lesion_is_asked_for():
    for kind in ("MA", "HE", "EX", "SE", "NV", "PH"):
        passed, text = check.grade.examine(
            lambda counts, kind=kind: check.grade.answer(counts | {kind: 0})
        )
        assert not passed
        assert f"'{kind}': 1" in text


def test_an_answer_of_the_wrong_kind_is_named():
    folds = check.folds.examine(lambda patient, k: [[0], [1]])[1]
    assert "It returns one number for each image" in folds
    assert "expected  (2,)\n  got       (2, 1)\n" in folds
    side = check.eye.examine(lambda disc, fovea: disc[1] > fovea[1])[1]
    assert "say it in words" in side


def test_an_endless_loop_does_not_go_on_in_the_background():
    inside = []

    def forever(num_classes):
        inside.append(threading.current_thread())
        while True:
            num_classes += 1

    assert "no answer within" in check.weights.examine(forever)[1]
    assert inside
    assert not any(thread.is_alive() for thread in inside)
    assert check.weights.examine(check.weights.answer)[0]  # in another thread


def test_a_forked_process_does_not_wait_for_threads_of_its_parent(monkeypatch):
    monkeypatch.setattr(guarded, "ALL_SECONDS", 0.2)
    dead = guarded.Worker()
    dead.todo.put(None)
    dead.join()
    guarded._idle.append(dead)
    assert guarded.watched(lambda: 3) == 3
    assert dead not in guarded._idle


def test_prints_are_shown_for_the_smallest_case_only(capsys):
    def talks(num_classes):
        sys.stdout.write(f"asked {num_classes}\n")
        return np.zeros((num_classes, num_classes))

    check.weights.examine(talks)
    assert capsys.readouterr().out == "asked 2\n"


def test_no_traces_are_left(tmp_path):
    code = "from tinyssl import check; check.weights(lambda k: 0)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []


def command(*arguments, status):
    """Run tinyssl check; return stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "tinyssl", "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def test_command_remembers_its_hints_until_all_is_right(tmp_path):
    file = tmp_path / "answers.py"
    right = (ROOT / "lessons/solutions/01.py").read_text(encoding="utf-8")
    file.write_text(right.replace("/ (num_classes - 1) ** 2", ""), encoding="utf-8")
    for turn in (1, 2):
        said, _ = command(1, file, status=1)
        assert "my_weights: not yet.\n  law       The worst mistake" in said
        assert f"hint {turn} of 3" in said
        assert "my_qwk: right" in said
    file.write_text(right, encoding="utf-8")
    report = json.loads(command(1, file, "--json", status=0)[0])
    assert report["failed"] == []
    assert not (tmp_path / "answers.py.hints.json").exists()


def test_command_takes_a_whole_lesson(tmp_path):
    right = (ROOT / "lessons/solutions/01.py").read_text(encoding="utf-8")
    own = """
import os
from pathlib import Path

from tinyssl import check

print(check.weights(lambda num_classes: 0))
(Path(os.environ["TINYSSL_OUT"]) / "figure.png").touch()
"""
    file = tmp_path / "lesson.py"
    file.write_text(right + own, encoding="utf-8")
    stdout, stderr = command(1, file, "--json", status=0)
    assert json.loads(stdout)["failed"] == []
    assert "my_weights: not yet." in stderr
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nos._exit(7)\n", "the file ended Python with status 7"),
        ("raise SystemExit\n", "cannot be imported\nSystemExit"),
        ("def my_qwk(:\n", "SyntaxError"),
        ("import numpy\n", "my_qwk: no such function in answers.py"),
    ],
)
def test_command_survives_a_file(tmp_path, text, words):
    file = tmp_path / "answers.py"
    file.write_text(text)
    said, _ = command(1, file, status=1)
    assert words in said


def test_command_ends_a_loop(tmp_path, monkeypatch):
    from tinyssl.commands import check as module

    monkeypatch.setattr(module, "SECONDS", 3)
    file = tmp_path / "answers.py"
    file.write_text("while True:\n    pass\n")
    report = module.check(1, file)
    assert "no end after 3 seconds" in report["reports"][""]
    assert report["passed"] == []


def test_command_refuses_what_is_not_there(tmp_path):
    assert "is not a file" in command(1, tmp_path / "none.py", status=2)[1]
    assert "lesson 99 has no exercises" in command(99, __file__, status=2)[1]
