"""Jobs: run once, in order, in one process or several, and trusted only if equal."""

import json
import pickle
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest

from tinyssl.jobs import run_jobs


def square(shared, job):
    """Count the calls in a file, so that other processes can be seen too."""
    with (shared["folder"] / f"calls{job['x']}").open("a") as calls:
        calls.write(".")
    if job["x"] == shared.get("fails"):
        deadline = time.monotonic() + 60  # another worker may have been slow to begin
        while not Path(job["file"]).with_name("0.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        raise ArithmeticError("boom")
    return {"value": shared["scale"] * job["x"] ** 2}


def jobs_in(folder, count=4):
    return [{"x": x, "file": str(folder / f"{x}.json")} for x in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(tmp_path, workers):
    shared = {"scale": 3, "folder": tmp_path}
    results = run_jobs(square, shared, jobs_in(tmp_path), key={}, workers=workers)
    assert results == [{"value": 3 * x * x} for x in range(4)]


def test_finished_jobs_are_run_again_only_with_other_settings(tmp_path):
    settings = [{"scale": scale, "folder": tmp_path} for scale in (3, 3, 5)]
    jobs = jobs_in(tmp_path)
    first, again, other = (run_jobs(square, s, jobs, key=s) for s in settings)
    assert first == again
    assert other[2] == {"value": 20}
    assert (tmp_path / "calls2").read_text() == ".."


@pytest.mark.parametrize("moved", ["renamed", "of another spelling"])
def test_finished_jobs_are_known_by_what_they_did_not_by_their_folder(tmp_path, moved):
    shared, old = {"scale": 3, "folder": tmp_path}, tmp_path / "old"
    old.mkdir()
    first = run_jobs(square, shared, jobs_in(old), key={})
    new = old.rename(tmp_path / "new") if moved == "renamed" else old / ".." / "old"
    assert run_jobs(square, shared, jobs_in(new), key={}) == first
    assert (tmp_path / "calls2").read_text() == "."


def test_what_else_a_job_should_leave_must_be_there(tmp_path):
    shared, jobs = {"scale": 3, "folder": tmp_path}, jobs_in(tmp_path)
    run_jobs(square, shared, jobs, key={})
    (tmp_path / "model.pt").touch()
    saved = [tmp_path / "calls0", None, tmp_path / "lost.pt", tmp_path / "model.pt"]
    jobs = [job | {"save": path} for job, path in zip(jobs, saved, strict=True)]
    run_jobs(square, shared, jobs, key={})
    found = [len((tmp_path / f"calls{x}").read_text()) for x in range(4)]
    assert found == [1, 1, 2, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_failure_keeps_what_was_done(tmp_path, workers):
    shared = {"scale": 3, "folder": tmp_path, "fails": 3}
    with pytest.raises(ArithmeticError, match="boom"):
        run_jobs(square, shared, jobs_in(tmp_path), key={}, workers=workers)
    assert json.loads((tmp_path / "0.json").read_text())["result"] == {"value": 0}
    shared.pop("fails")
    run_jobs(square, shared, jobs_in(tmp_path), key={}, workers=workers)
    assert (tmp_path / "calls0").read_text() == "."
    assert (tmp_path / "calls3").read_text() == ".."


class Elsewhere(Executor):
    """Does at once, in another folder, what it was sent as bytes; loses one job."""

    def __init__(self, folder, loses=None):
        self.folder, self.loses, self.sent = folder, loses, []

    def submit(self, function, *arguments):
        self.sent.append(pickle.dumps((function, arguments)))
        function, arguments = pickle.loads(self.sent[-1])
        future = Future()
        if arguments[-1] == self.loses:
            future.set_exception(RuntimeError("the worker is gone"))
            return future
        with chdir(self.folder):
            future.set_result(function(*arguments))
        return future


def add(shared, job):
    """Sum an array; say so in the folder of who asks."""
    with Path("calls").open("a") as calls:
        calls.write(str(job["x"]))
    return {"value": int(shared["array"].sum())}


def test_any_executor_takes_the_jobs_and_what_is_large_goes_by_path(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    shared, jobs = {"array": np.arange(50_000)}, jobs_in(Path("jobs"))
    work = {"key": {}, "executor": Elsewhere(tmp_path / "other", loses=2)}
    with pytest.raises(RuntimeError, match="the worker is gone"):
        run_jobs(add, shared, jobs, **work)
    assert {len(sent) < 1000 for sent in work["executor"].sent} == {True}
    assert sorted(path.name for path in Path("jobs").iterdir()) == [
        "0.json",
        "1.json",
        "3.json",
    ]
    work["executor"] = Elsewhere(tmp_path / "other")
    results = run_jobs(add, {"array": np.ones(9)}, jobs, **work)
    assert len(work["executor"].sent) == 1  # the lost one
    assert Path("calls").read_text() == "0132"
    assert results[1:3] == [{"value": sum(range(50_000))}, {"value": 9}]


running = []


def wait(shared, job):
    """Tell how many jobs run in this process."""
    running.append(job)
    time.sleep(0.02)
    return {"value": [len(running), running.pop()["x"]]}


def test_threads_of_an_executor_wait_for_one_another(tmp_path):
    with ThreadPoolExecutor(3) as executor:
        results = run_jobs(wait, {}, jobs_in(tmp_path), key={}, executor=executor)
    assert results == [{"value": [1, x]} for x in range(4)]
