"""Checks of the exercises: right answers pass, wrong ones get the hint they need."""

import ast
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from tinyssl import check
from tinyssl.check import course, exercise, exercises, process

ROOT = Path(__file__).parents[1]
NUMBERS = sorted(int(path.stem) for path in (ROOT / "lessons/exercises").glob("*.py"))
EACH = [(number, name) for number in NUMBERS for name in exercises(number)]
each = pytest.mark.parametrize(("number", "name"), EACH)


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(exercise, "failures", {})  # begin with the first hint


def functions(path, prefix=""):
    """Return what functions of such names a file defines, run by themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.Import | ast.ImportFrom | ast.FunctionDef
    tree.body = [node for node in tree.body if isinstance(node, kinds)]
    tree.body = [x for x in tree.body if getattr(x, "name", prefix).startswith(prefix)]
    names = {}
    exec(compile(tree, path.name, "exec"), names)
    return names


@each
def test_the_solution_passes_and_the_stub_gets_no_hint(number, name):
    solutions = functions(ROOT / f"lessons/solutions/{number:02d}.py")
    (lesson,) = (ROOT / "lessons").glob(f"{number:02d}_*.py")
    task = exercises(number)[name]
    assert f"{name}: right. " in task.examine(solutions[name])[1]
    passed, text = task.examine(functions(lesson, "my_")[name])
    assert not passed
    assert text.startswith(f"{name}: nothing there yet")
    short = name.removeprefix("my_")
    assert f"\ncheck.{short}({name})\n" in lesson.read_text(encoding="utf-8")
    assert getattr(check, short) is task
    assert not hasattr(check, name)


@each
def test_a_mistake_gets_its_own_hint(number, name, monkeypatch):
    task = exercises(number)[name]
    hints, mistakes = task.advice
    assert [len(hints), len(mistakes)] == [3, 3]
    for hint, answer in mistakes.items():
        monkeypatch.setattr(exercise, "failures", {})
        passed, text = task.examine(answer)
        assert not passed
        assert text.endswith(f"hint 1 of 3: {hint}")


def test_it_says_case_expected_and_got(capsys):
    linear = list(check.qwk.advice[1].values())[1]
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
    hints = enumerate(check.qwk.advice[0])
    expected = [f"  hint {i + 1} of 3: {hint}" for i, hint in hints]
    assert said == [*expected, expected[-1]]
    assert check.qwk.examine(check.qwk.answer)[0]
    assert check.qwk.examine(wrong)[1].splitlines()[-1] == expected[0]


def loop(y_true, y_pred):
    while True:
        try:
            y_true = y_true + 0
        except:  # noqa: E722
            y_true = y_true + 1


def talk(y_true, y_pred):
    for _ in range(1000):
        sys.stdout.write("so " * 1000)
        warnings.warn("so", stacklevel=1)
    return 0.0


@pytest.fixture
def none_goes_on():
    """Return to the test, and see that each child it forked was waited for."""
    fork, wait, children = os.fork, os.waitpid, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fork", lambda: children.append(fork()) or children[-1])
        yield
    for child in children:
        with pytest.raises(ChildProcessError):
            wait(child, os.WNOHANG)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (loop, "it gave no answer within 0 seconds: does its loop end?"),
        (lambda a, b: sum(itertools.repeat(1)), "cannot interrupt it"),
        (lambda a, b: time.sleep(60), "it waits without an answer: what for?"),
        (lambda a, b: os._exit(0), "it ended Python with status 0"),
        (lambda a, b: os.kill(os.getpid(), 9), "with SIGKILL: does it need too much"),
        (lambda a, b: np.zeros(4 * 10**8), "it returned 3.2 GB: that is far too much"),
        (lambda a, b: [0] * 4 * 10**6, "it returned 0.032 GB: that is far too much"),
        (lambda a, b: np.zeros(10**15), "MemoryError: Unable to allocate 7.11 PiB"),
        (lambda a, b: sys.exit(3), "it raised SystemExit: 3 (line "),
        (lambda a, b: 1 / 0, "it raised ZeroDivisionError: division by zero (line "),
        (lambda a: 1, "takes 1 positional argument but 2 were given"),
        (lambda a, b: check.qwk.answer(a, b) if a[0] else None, "it has no return\n"),
        (lambda a, b: a.fill(0) or 1.0, "it changed its input: work on a copy"),
        (talk, "got       0.0\n  it warned: so\n  hint"),
        (lambda a, b: "one", "got       'one'"),
        (lambda a, b: [1, [2]], "got       [1, [2]]"),
        (lambda a, b: np.zeros((9, 9)), "got       array of (9, 9), [[0.0, 0.0"),
        (None, "give the check a function, found NoneType None"),
        (lambda a, b: None, "nothing there yet (it returned None)"),
    ],
)
def test_what_goes_wrong_is_reported_not_suffered(
    function, words, monkeypatch, none_goes_on
):
    monkeypatch.setattr(process, "SECONDS", 0.2)
    assert words in check.qwk.examine(function)[1]


@pytest.mark.parametrize(
    ("limit", "seconds", "wait", "words"),
    [
        ("ALL_SECONDS", 0.3, lambda k: sum(range(10**7)), "slow: 0 seconds are over"),
        ("SECONDS", 0.1, lambda k: time.sleep(0.3 * (k == 9)), "my_weights: right"),
    ],
)
def test_slow_calls_are_ended_together_but_waiting_is_no_loop(
    monkeypatch, limit, seconds, wait, words
):
    monkeypatch.setattr(process, limit, seconds)
    answer = check.weights.answer
    assert words in check.weights.examine(lambda k: (wait(k), answer(k))[1])[1]


@pytest.mark.parametrize("name", ["grade", "qwk"])
def test_two_answers_to_one_question_are_noticed(name):
    task, calls = getattr(check, name), itertools.count()
    report = task.examine(lambda *case: task.answer(*case) if next(calls) % 2 else 17)
    assert "asked twice, it gave two answers to the same question" in report[1]


def test_prints_are_shown_for_the_smallest_case_only(capsys):
    def talks(num_classes):
        sys.stdout.write(f"asked {num_classes}\n")
        return np.zeros((num_classes, num_classes))

    check.weights.examine(talks)
    assert capsys.readouterr().out == "asked 2\n"
    check.qwk.examine(talk)
    assert 1000 < len(capsys.readouterr().out) < 3000


def test_whoever_waits_may_have_enough(monkeypatch, none_goes_on):
    waits = [process.os.waitpid, lambda *of: (_ for _ in ()).throw(KeyboardInterrupt)]
    monkeypatch.setattr(process.os, "waitpid", lambda *of: waits.pop()(*of))
    with pytest.raises(KeyboardInterrupt):
        check.weights.examine(lambda num_classes: time.sleep(60))


def test_where_there_is_no_fork_it_is_said(monkeypatch, capsys):
    monkeypatch.delattr(os, "fork")
    assert check.weights.examine(check.weights.answer)[0]
    assert "my_weights: not yet." in check.weights.examine(lambda k: 2)[1]
    assert capsys.readouterr().err.count("endless loops are not stopped") == 2


def test_a_fault_of_the_check_is_no_fault_of_the_learner():
    law = {"A law.": exercise.Law(lambda f, x: sys.exit("oh"))}
    task = exercise.Exercise(abs, st.just(1), laws=law, hints="")
    with pytest.raises(RuntimeError, match="SystemExit: oh"):
        task.examine(abs)


def test_exercises_that_share_laws_keep_answers_of_their_own():
    laws = {"A law.": exercise.holds(lambda answer, x: True)}
    first = exercise.Exercise(abs, st.just(-1), laws=laws, hints="- Think.")
    other = replace(first, answer=round)
    assert [*laws] == ["A law."]
    assert first.examine(abs)[0]
    assert other.examine(round)[0]
    assert not other.examine(abs)[0]


def test_what_equal_answers_are():
    yes, no = [True, False]
    equal = [(1.0, 1 + 1e-7), (np.nan, np.nan), (yes, 1), ([1, 0], [yes, no])]
    for expected, got in [*equal, ([yes, no], np.array([yes, no])), (("a",), ["a"])]:
        assert exercise.agree(expected, got)
    assert exercise.agree([9.0, 0.0], [9.0, 8e-6])  # rounded beside 9
    assert exercise.agree(1.0, 1 + 0j)  # from a matrix root
    unequal = [(1.0, 1.0001), ([1.0], [[1.0]]), (1, "1"), ([1, 2], [1, [2]])]
    unequal += [([np.inf, 0.0], [np.inf, 1e-3]), (np.nan, None), (1.0, 1 + 1j)]
    for expected, got in [*unequal, ([yes, no], [1, 0])]:  # images[[1, 0]] are two
        assert not exercise.agree(expected, got)


def test_an_answer_is_expected_only_where_there_is_one():
    said = check.folds.examine(lambda patient, num_folds: 0 * patient.argsort())[1]
    assert "law       No fold stays empty.\n" in said
    assert "\n  got       [0, 0]\n  hint" in said
    assert "expected" not in said


@each
def test_what_is_expected_is_the_same_whatever_is_answered(number, name):
    task = exercises(number)[name]
    for words, law in task.laws.items():
        for case in exercise.drawn(law.cases)[:20] if "expected" in law.labels else []:
            for wrong in task.advice[1].values():
                said = []
                with contextlib.suppress(Exception):  # of the mistake
                    said = [law.compare(f, *case)[0] for f in (task.answer, wrong)]
                assert not said or exercise.agree(*said), words


def test_answers_of_torch_are_arrays_to_the_laws():
    torch = pytest.importorskip("torch")
    grown = torch.ones(2, requires_grad=True)
    found = exercise.without_torch((grown, [grown, 1], "a"))
    assert [type(part) for part in found] == [np.ndarray, list, str]
    assert type(found[1][0]) is np.ndarray


def test_no_traces_are_left(tmp_path):
    code = "from tinyssl import check; check.grade(lambda counts: 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True
    )
    assert b"my_grade: not yet." in done.stdout
    assert list(tmp_path.iterdir()) == []


RIGHT = (ROOT / "lessons/solutions/01.py").read_text(encoding="utf-8")


def run_check(*arguments, status):
    words = [sys.executable, "-m", "tinyssl", "check", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def test_command_remembers_its_hints_until_all_is_right(tmp_path):
    file = tmp_path / "answers.py"
    file.write_text(RIGHT.replace("/ (num_classes - 1) ** 2", ""), encoding="utf-8")
    said, _ = run_check(1, file, status=1)
    assert "my_weights: not yet.\n  law       The worst mistake" in said
    assert "hint 1 of 3" in said
    report = course.check(1, file)
    assert "hint 2 of 3" in report["reports"]["my_weights"]
    assert report["passed"] == ["my_confusion_matrix", "my_qwk"]
    assert report["failed"] == ["my_weights"]
    file.write_text(RIGHT, encoding="utf-8")
    assert json.loads(run_check(1, file, "--json", status=0)[0])["failed"] == []
    assert not (tmp_path / "answers.py.hints.json").exists()


def test_command_takes_a_whole_lesson(tmp_path, capfd):
    own = """
import os
from tinyssl import check
print(check.weights(lambda num_classes: 0))
open(os.environ["TINYSSL_OUT"] + "/figure.png", "w").close()
"""
    (tmp_path / "a.py").write_text(RIGHT + own, encoding="utf-8")
    assert course.check(1, tmp_path / "a.py")["failed"] == []
    out, err = capfd.readouterr()
    assert (out, "my_weights: not yet." in err) == ("", True)
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nos._exit(7)\n", "the file ended Python with status 7"),
        ("raise SystemExit\n", "cannot be imported\nSystemExit"),
        ("def my_qwk(:\n", "SyntaxError"),
        ("import numpy\n", "my_qwk: no such function in answers.py"),
        ("while True:\n    pass\n", "no end after 1 seconds"),
    ],
)
def test_command_survives_a_file(tmp_path, text, words, monkeypatch):
    monkeypatch.setattr(course, "SECONDS", 1)
    file = tmp_path / "answers.py"
    file.write_text(text)
    logged = []
    report = course.check(1, file, log=logged.append)
    assert words in "\n".join(report["reports"].values())
    assert report["passed"] == []
    assert re.fullmatch("checking my_.*, my_.*, my_.* of answers.py", *logged)


def test_command_refuses_what_is_not_there(tmp_path):
    assert "is not a file" in run_check(1, tmp_path / "none.py", status=2)[1]
    with pytest.raises(ValueError, match="lesson 99 has no exercises"):
        course.check(99, Path(__file__))
