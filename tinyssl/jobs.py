"""Independent jobs, in this process or in several; a finished one leaves a file."""

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from tinyssl import runs
from tinyssl.training import progress_bar, use_threads


def run_jobs(function, shared, jobs, *, key, workers=1, threads=1, progress=False):
    """Call ``function(shared, job)`` for every job and return the results in order.

    The function must be importable by name, and its result plain: it is kept as JSON in
    job["file"]. Where that file was made with the same job and ``key`` (settings and
    data), the job is not run again. What is shared goes once to each worker process;
    with one worker the jobs run here. ``threads`` are torch's, in each process.
    """
    keys = [runs.plain({"job": job, "key": key}) for job in jobs]
    files = [Path(job["file"]) for job in jobs]
    results = [*map(_read, files, keys)]
    waiting = [number for number, found in enumerate(results) if found is None]
    how = (function, shared, jobs, waiting, workers, threads)
    with progress_bar(len(jobs), len(jobs) - len(waiting), progress) as bar:
        for number, result in _run(*how):
            finished = runs.plain({"key": keys[number], "result": result})
            runs.write_json(files[number], finished)
            results[number] = finished["result"]
            bar.update()
    return results


def _read(path, key):
    """Return a finished job's result; None when it has to be run."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["result"] if found["key"] == key else None


def _run(function, shared, jobs, waiting, workers, threads):
    """Yield the number and the result of each waiting job as it ends."""
    if workers == 1:
        with use_threads(threads):
            for number in waiting:
                yield number, function(shared, jobs[number])
        return
    # spawned, not forked: a forked child inherits torch's threads half dead
    context = multiprocessing.get_context("spawn")
    options = {"initializer": _keep, "initargs": (function, shared, threads)}
    with ProcessPoolExecutor(workers, mp_context=context, **options) as pool:
        futures = {pool.submit(_call, jobs[number]): number for number in waiting}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_kept: dict = {}  # in a worker process: sent once, not with every job


def _keep(function, shared, threads):
    torch.set_num_threads(threads)
    _kept.update(function=function, shared=shared)


def _call(job):
    return _kept["function"](_kept["shared"], job)


def cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
