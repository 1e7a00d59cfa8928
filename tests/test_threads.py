"""The small pool: order, parts, errors, and a forked child that uses it again."""

import multiprocessing
import os
import runpy
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl import _threads


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    monkeypatch.setattr(_threads, "_pool", None)


def forked(work):
    """Return the exit status of a forked child, which is what the work returns."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=lambda: os._exit(work()))  # without pytest's own ending
    child.start()
    child.join(timeout=120)
    child.kill()  # if it hangs
    child.join()
    return child.exitcode


@given(st.integers(0, 50), st.integers(0, 20), st.integers(1, 5))
def test_parts_cover_the_range_in_order(length, least, threads):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYSSL_NUM_THREADS", str(threads))
        parts = _threads.spread(lambda start, stop: (start, stop), length, least=least)
    assert len(parts) <= threads
    assert [i for start, stop in parts for i in range(start, stop)] == [*range(length)]
    if len(parts) > 1:
        assert min(stop - start for start, stop in parts) >= least


@given(st.integers(0, 50), st.integers(1, 60))
def test_blocks_cover_the_rows_in_order(n, size):
    rows = list(range(n))
    blocks = [rows[block] for block in _threads.blocks(n, size)]
    assert [row for block in blocks for row in block] == rows
    assert all(len(block) == size for block in blocks[:-1])
    assert all(blocks)


def meet():
    """Run two parts that wait for each other, so both at once."""
    barrier = threading.Barrier(2, timeout=20)
    return len(_threads.spread(lambda start, stop: barrier.wait(), 2))


def test_two_parts_run_at_the_same_time():
    assert meet() == 2


def test_an_error_in_a_part_comes_out():
    def work(start, stop):
        if start:
            raise ValueError("the second half")

    with pytest.raises(ValueError, match="the second half"):
        _threads.spread(work, 2)


def test_no_part_still_runs_when_the_error_of_another_comes_out():
    begun, ended = threading.Event(), []

    def work(start, stop):
        if start == 0:
            assert begun.wait(20)
            raise ValueError("the first half")
        begun.set()
        time.sleep(0.2)
        ended.append(start)

    with pytest.raises(ValueError, match="the first half"):
        _threads.spread(work, 2)
    assert ended == [1]


@pytest.mark.parametrize("asked", ["", "0", "-1", "many"])
def test_a_number_of_threads_that_is_none_is_not_used(monkeypatch, asked):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", asked)
    assert 1 <= _threads.num_threads() <= os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for cores, expected in ((3, 3), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert _threads.num_threads() == expected


def test_a_system_that_cannot_fork(monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "3")
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    spread = runpy.run_path(_threads.__file__)["spread"]
    assert spread(lambda i, j: (i, j), 6) == [(0, 2), (2, 4), (4, 6)]


def test_a_forgotten_pool_is_made_again():
    for _ in range(2):
        assert _threads.spread(lambda i, j: j - i, 4) == [2, 2]
        _threads._forget()
        assert _threads._pool is None


@pytest.mark.parametrize("least", [1, 2, 3, 9])
def test_numbers_come_back_a_part_each(monkeypatch, least):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "3")
    arrays = np.arange(6), np.arange(6)[::-1]
    parts = max(1, min(3, 6 // least))
    numbers = _threads.in_parts(lambda a, b: (len(a), sum(a + b)), arrays, least=least)
    assert numbers == [(6 // parts,) * parts, (30 // parts,) * parts]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_its_own_pool():
    assert meet() == 2
    assert forked(meet) == 2


@pytest.mark.parametrize("shape", [(1, 3), (30, 7), (100, 200)])
def test_a_product_in_parts_is_the_product(shape):
    rng = np.random.default_rng(0)
    x, matrix = rng.normal(size=shape), rng.normal(size=(shape[1], 190))
    np.testing.assert_allclose(_threads.product(x, matrix), x @ matrix, atol=1e-12)
