"""Jobs: run once, in order, in one process or several, and trusted only if equal."""

import json

import pytest

from tinyssl.jobs import run_jobs


def square(shared, job):
    """Count the calls in a file, so that other processes can be seen too."""
    with (shared["folder"] / f"calls{job['x']}").open("a") as calls:
        calls.write(".")
    if job["x"] == shared.get("fails"):
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
