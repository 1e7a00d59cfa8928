"""Ctrl-C, SIGTERM and kills: what is left is whole, and nobody stays behind."""

import ctypes
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_training import DATA, Line

import tinyssl
from tinyssl import cli, interrupts, jobs, runs
from tinyssl.parcel import packed, unpack
from tinyssl.rows import in_file
from tinyssl.training import train

HERE = os.pathsep.join(
    [str(Path(tinyssl.__file__).parents[1]), str(Path(__file__).parent)]
)
ENVIRONMENT = os.environ | {"PYTHONPATH": HERE, "OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def _heard():
    """Hear Ctrl-C, though a shell that runs the tests in the background hears none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupted(Line):
    """Is sent a signal in the middle of a step, once."""

    def __init__(self, number, at=5):
        super().__init__()
        self.number, self.at = number, at
        self.register_buffer("moved", torch.zeros(1))  # as batch statistics are

    def forward(self, inputs, targets):
        self.moved += 1
        if self.number and self.calls == self.at:
            os.kill(os.getpid(), self.number)
        return super().forward(inputs, targets)


def left(task, rows):
    rows = [row | {"seconds": 0} for row in rows]
    return rows, {k: v.tolist() for k, v in task.state_dict().items()}


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_signal_waits_for_the_step_and_the_run_goes_on_bit_for_bit(tmp_path, number):
    whole, again = Interrupted(None), Interrupted(None)
    expected = left(whole, train(whole, DATA, steps=20, batch_size=3))
    with pytest.raises(KeyboardInterrupt), interrupts.raised() as came:
        train(Interrupted(number), DATA, steps=20, batch_size=3, out=tmp_path)
    assert came == [number]
    assert len(runs.load_plain(tmp_path / "checkpoint.pt")["rows"]) == 6
    assert (
        left(again, train(again, DATA, steps=20, batch_size=3, out=tmp_path))
        == expected
    )
    for damage in (b"", b"{}", (tmp_path / "checkpoint.pt").read_bytes()[:500]):
        (tmp_path / "checkpoint.pt").write_bytes(damage)
        with pytest.raises(ValueError, match=r"checkpoint\.pt is not a file of plain"):
            train(Interrupted(None), DATA, steps=20, batch_size=3, out=tmp_path)


def test_a_step_that_does_not_end_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr(interrupts, "GRACE", 0.1)
    begun, held = time.monotonic(), interrupts.held_back()
    with pytest.raises(KeyboardInterrupt), interrupts.raised(), held:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        while time.monotonic() < begun + 60:
            time.sleep(0.01)
    assert time.monotonic() < begun + 60


def in_a_destructor():
    class Dying:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    Dying()


def in_a_callback():
    ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGTERM))()


def in_a_weak_reference():
    class Dying:
        pass

    dying = Dying()
    kept = weakref.ref(dying, lambda _: signal.raise_signal(signal.SIGTERM))
    del dying
    assert kept() is None


@pytest.mark.parametrize("lose", [in_a_destructor, in_a_callback, in_a_weak_reference])
def test_a_signal_that_python_cannot_pass_on_comes_again(lose, capsys):
    begun, before = time.monotonic(), sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interrupts.raised() as came:  # noqa: PT012
        lose()
        while time.monotonic() < begun + 60:
            time.sleep(0.01)
    assert came == [signal.SIGTERM] * 2
    assert time.monotonic() < begun + 60
    assert sys.unraisablehook is before
    assert not capsys.readouterr().err


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_run_that_ends_for_a_signal_is_not_hit_by_it_again(monkeypatch, number):
    def pretrain(**settings):
        """Be sent a signal."""
        signal.raise_signal(number)

    commands, told = SimpleNamespace(COMMANDS={"pretrain": (pretrain, {})}), []
    commands.EPILOG = ""

    def complain(text):  # on a busy machine it takes longer than a signal waits
        told.append(text)
        time.sleep(5 * interrupts.AGAIN)

    monkeypatch.setattr(interrupts, "AGAIN", 0.02)
    monkeypatch.setattr(cli, "complain", complain)
    monkeypatch.setattr(cli, "read_settings", lambda *_: {})
    monkeypatch.setattr(cli, "refuse_place", lambda *_: None)
    try:
        status = cli.main(["pretrain"], commands)
    except KeyboardInterrupt:
        status = "hit again"
    assert status == 128 + number
    assert told == ["stopped; the same command goes on from here\n"]


def test_other_errors_that_python_cannot_pass_on_are_told_as_ever(monkeypatch):
    class Dying:
        def __del__(self):
            raise ZeroDivisionError

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with interrupts.raised():
        Dying()
    assert [found.exc_type for found in told] == [ZeroDivisionError]


def test_handlers_are_as_before_and_other_threads_are_left_alone():
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    seen = []

    def elsewhere():
        with interrupts.raised(), interrupts.held_back() as came:
            seen.append(came)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    elsewhere()
    assert seen == [[], []]
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before


def wait_and_tell(shared, job):
    """Say who works on it; wait where that is asked for."""
    (shared["folder"] / f"{job['x']}.pid").write_text(str(os.getpid()))
    time.sleep(shared["seconds"])
    return {"sum": int(shared["large"].sum())}


def study(folder, seconds, count=3):
    large = np.ones((1000, 1000))  # more than a pipe takes
    shared = {"folder": folder, "seconds": seconds, "large": large}
    return shared, [{"x": x, "file": str(folder / f"{x}.json")} for x in range(count)]


def test_a_pool_that_closes_while_a_worker_begins_is_told_from_a_full_system(
    tmp_path, monkeypatch
):
    for error, kind, words in (
        (OSError("handle is closed"), RuntimeError, "the same command goes on from"),
        (OSError(errno.EAGAIN, "no more processes"), OSError, "no more processes"),
    ):

        def submit(pool, *given, error=error):
            raise error

        monkeypatch.setattr(jobs.ProcessPoolExecutor, "submit", submit)
        with pytest.raises(kind, match=words):
            jobs.run_jobs(wait_and_tell, *study(tmp_path, 1), key={}, workers=2)


@pytest.mark.parametrize("at_start", [True, False])
def test_a_killed_worker_ends_the_run_in_one_line_and_it_goes_on(tmp_path, at_start):
    def kill():
        ready = multiprocessing.active_children if at_start else lambda: pids(tmp_path)
        while not ready():
            time.sleep(0.01)
        worker = multiprocessing.active_children()[0]
        os.kill(worker.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(RuntimeError, match="the same command goes on from here"):
        jobs.run_jobs(wait_and_tell, *study(tmp_path, 60), key={}, workers=2)
    thread.join()
    assert not multiprocessing.active_children()
    found = jobs.run_jobs(wait_and_tell, *study(tmp_path, 0), key={}, workers=2)
    assert found == [{"sum": 1_000_000}] * 3
    assert not [*tmp_path.glob(".*")]


def pids(folder):
    return [int(path.read_text() or 0) for path in folder.glob("*.pid")]


ORPHANS = """
import sys
from pathlib import Path
import test_interrupts
from tinyssl import interrupts, jobs
if __name__ == "__main__":
    with interrupts.raised():
        shared, some = test_interrupts.study(Path(sys.argv[1]), 60)
        jobs.run_jobs(test_interrupts.wait_and_tell, shared, some, key={}, workers=2)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(tmp_path, number):
    script = tmp_path / "run.py"
    script.write_text(ORPHANS)
    command = [sys.executable, str(script), str(tmp_path)]
    parent = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    while len(pids(tmp_path)) < 2 or 0 in pids(tmp_path):
        assert parent.poll() is None
        time.sleep(0.05)
    parent.send_signal(number)
    parent.wait(30)
    deadline = time.monotonic() + 30  # far less than the jobs take
    while any(Path(f"/proc/{pid}").exists() for pid in pids(tmp_path)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bool([*tmp_path.glob(".*.partial")]) == (number == signal.SIGKILL)


def test_what_is_shared_comes_back_and_mapped_files_are_not_copied(tmp_path):
    np.save(tmp_path / "large.npy", np.arange(100_000))
    mapped = np.load(tmp_path / "large.npy", mmap_mode="r")
    content = {"mapped": mapped, "part": mapped[5:9], "list": [np.ones((3, 2)), "a", 1]}
    content |= {"fortran": np.arange(6).reshape(2, 3).T, "none": np.zeros((0, 3))}
    content["nameless"] = in_file((2, 3), np.int8)
    content["nameless"][1] = 4
    with packed(tmp_path / "jobs", content) as folder:
        size = sum(path.stat().st_size for path in folder.iterdir())
        found = unpack(folder)
    assert size < 5_000
    assert not [*tmp_path.glob(".*")]
    for name in ("mapped", "part", "fortran", "none", "nameless"):
        np.testing.assert_array_equal(found[name], content[name])
    np.testing.assert_array_equal(found["list"][0], 1)
    found["list"][0][0] = 7  # as any array of one's own
    assert found["list"][1:] == ["a", 1]


def test_the_bar_of_several_jobs_counts_their_steps(tmp_path, monkeypatch):
    seen = []

    class Bar:
        n = 0

        def __init__(self, total, initial, show, unit):
            seen.append((total, initial, unit))

        def update(self, steps):
            self.n += steps
            seen.append(self.n)

        __enter__ = lambda self: self  # noqa: E731
        __exit__ = lambda self, *_: None  # noqa: E731

    monkeypatch.setattr(jobs, "progress_bar", Bar)
    some = [{"x": x, "file": str(tmp_path / f"{x}.json")} for x in range(2)]
    jobs.run_jobs(trains, {}, some, key={}, steps=[3, 3])
    assert seen[0] == (6, 0, "step")
    assert sorted(set(seen[1:])) == [0, 1, 2, 3, 4, 5, 6]


def trains(shared, job):
    return {"rows": len(train(Line(), DATA, steps=3))}
