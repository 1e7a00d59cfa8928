"""Independent jobs, in this process or in several; a finished one leaves a file."""

import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tinyssl import runs
from tinyssl.training import progress_bar, use_threads

Job = dict[str, Any]


def run_jobs(
    function: Callable[[Any, Job], Any],
    shared: Any,
    jobs: list[Job],
    *,
    key: dict[str, Any],
    workers: int = 1,
    threads: int = 1,
    progress: bool = False,
) -> list[Any]:
    """Call ``function(shared, job)`` for every job and return the results in order.

    Parameters
    ----------
    function : callable, importable by name
        Its result must be plain values: it is kept as JSON.
    shared : object
        What all jobs read; sent once to each worker.
    jobs : list of dict
        Plain values. job["file"] is the path of the finished job: where it exists
        and was made with the same job and key, the job is not run again.
    key : dict
        Settings and data that a finished job must agree with.
    workers : int
        Processes; with 1 the jobs run here, one after another.
    threads : int
        Of torch, in each process.
    progress : bool
        Draw a bar on stderr.
    """
    keys = [runs.plain({"job": job, "key": key}) for job in jobs]
    results: list[Any] = [
        read_job(job["file"], key) for job, key in zip(jobs, keys, strict=True)
    ]
    waiting = [number for number, found in enumerate(results) if found is None]
    with progress_bar(len(jobs), len(jobs) - len(waiting), progress) as bar:

        def done(number: int, result: Any) -> None:
            finished = {"key": keys[number], "result": result}
            runs.write_json(Path(jobs[number]["file"]), finished)
            results[number] = runs.plain(result)
            bar.update()

        if workers == 1:
            with use_threads(threads):
                for number in waiting:
                    done(number, function(shared, jobs[number]))
        elif waiting:
            count = min(workers, len(waiting))
            run_in_processes(function, shared, jobs, waiting, count, threads, done)
    return results


def run_in_processes(
    function: Callable[[Any, Job], Any],
    shared: Any,
    jobs: list[Job],
    waiting: list[int],
    workers: int,
    threads: int,
    done: Callable[[int, Any], None],
) -> None:
    """Run the waiting jobs in processes; hand over each result as it comes."""
    # spawned, not forked: a forked child inherits torch's threads half dead
    context = multiprocessing.get_context("spawn")
    options = {"initializer": _keep, "initargs": (function, shared, threads)}
    with ProcessPoolExecutor(workers, mp_context=context, **options) as pool:
        futures = {pool.submit(_call, jobs[number]): number for number in waiting}
        try:
            for future in as_completed(futures):
                done(futures[future], future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def read_job(path: str | Path, key: dict[str, Any]) -> Any:
    """Return a finished job's result; None when it has to be run."""
    path = Path(path)
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["result"] if found["key"] == key else None


_kept: dict[str, Any] = {}  # in a worker process: sent once, not with every job


def _keep(function: Callable, shared: Any, threads: int) -> None:
    """Remember what all jobs share, in a worker process."""
    import torch

    torch.set_num_threads(threads)
    _kept.update(function=function, shared=shared)


def _call(job: Job) -> Any:
    """Run one job in a worker process."""
    return _kept["function"](_kept["shared"], job)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
