"""Independent jobs, in this process or in several; a finished one leaves a file."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import chdir, closing
from functools import partial
from multiprocessing.connection import wait as wait_for
from pathlib import Path

import torch

from tinyssl import interrupts, ranks, runs
from tinyssl.parcel import packed, unpack
from tinyssl.training import progress_bar, told, use_threads

# spawned, not forked: a forked child inherits torch's threads half dead
CONTEXT = multiprocessing.get_context("spawn")
LOOK = 0.5  # seconds from one look at the workers' progress to the next


def run_jobs(
    function,
    shared,
    jobs,
    *,
    key,
    steps=None,
    images=0,
    workers=1,
    threads=1,
    executor=None,
    progress=False,
):
    """Call ``function(shared, job)`` for every job and return the results in order.

    The function must be importable by name, and its result plain: it is kept as JSON in
    job["file"]. Where that was made with the same job and ``key`` (settings and data),
    even in a folder of another name, the job is not run again, unless job["save"], what
    else it leaves, is not there; a damaged file is refused. Worker processes find what
    is shared in a file; with one worker the jobs run here. ``threads`` are torch's, in
    each process; ``steps`` how many each job trains, of so many ``images``, for the
    progress bar.

    Any ``executor`` of `concurrent.futures`, such as a cluster's, takes the jobs in the
    place of worker processes. Its workers must reach all folders under the same names,
    and import the function. A worker that is lost costs one job.

    An interrupt ends the workers, too, within seconds. A RuntimeError if one is killed.
    """
    asked = [{k: job[k] for k in job if k not in ("file", "save")} for job in jobs]
    keys = [runs.plain({"job": job, "key": key}) for job in asked]
    work = {"function": function, "shared": shared, "jobs": jobs, "keys": keys}
    waiting = [number for number in range(len(jobs)) if _read(work, number) is None]
    waiting, workers = ranks.as_first(waiting), min(workers, len(waiting))
    run = partial(_spawned, workers=workers) if workers > 1 else _here
    if executor is not None and waiting:
        run = partial(_elsewhere, executor=executor)
    amounts, unit = steps or [1] * len(jobs), "step" if steps else "job"
    done = CONTEXT.RawArray("q", amounts)  # no lock, which a killed worker could hold
    for number in waiting:
        done[number] = 0
    with progress_bar(sum(amounts), sum(done), progress, unit) as bar:

        def show():
            bar.update(sum(done) - bar.n)
            if images and (rate := bar.format_dict["rate"]):  # of late, in steps
                bar.set_postfix_str(f"{images * rate:,.0f} images/s", refresh=False)

        with closing(run(work, waiting, threads=threads, done=done, show=show)) as ends:
            for number in ends:
                done[number] = amounts[number]
                show()
    return ranks.as_first([_read(work, number) for number in range(len(jobs))])


def _read(work, number):
    """Return a finished job's result; None when it has to be run."""
    job = work["jobs"][number]
    path, saved = Path(job["file"]), job.get("save")
    if not path.exists() or (saved and not Path(saved).exists()):
        return None
    found = runs.read_json(path, "key", "result")
    return found["result"] if found["key"] == work["keys"][number] else None


def _do(work, number):
    """Run a job and leave its file."""
    job, key = work["jobs"][number], work["keys"][number]
    result = work["function"](work["shared"], job)
    runs.write_json(Path(job["file"]), {"key": key, "result": result})


def _here(work, waiting, *, threads, done, show):
    """Run the waiting jobs in this process; yield the number of each as it ends."""

    def count(steps):
        done[number] += steps
        show()

    with use_threads(threads), told(count):
        for number in waiting:
            _do(work, number)
            yield number


# In several processes


def _elsewhere(work, waiting, *, executor: Executor, threads, done, show):
    """Hand the waiting jobs to an executor; yield the number of each as it ends."""
    here, name = Path.cwd(), f"jobs{time.time_ns()}"  # no worker knows it yet
    with packed(here / Path(work["jobs"][0]["file"]).parent / name, work) as parcel:
        tasks = ((_call_elsewhere, parcel, here, threads, number) for number in waiting)
        futures = {executor.submit(*task): task[-1] for task in tasks}
        try:
            while futures:
                ended, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in ended:
                    future.result()
                    yield futures.pop(future)
        finally:
            for future in futures:
                future.cancel()


_one_job = threading.Lock()  # in a process: torch has one generator and one cwd


def _call_elsewhere(parcel, place, threads, number):
    """Run a job where an executor put it; what is shared is unpacked once."""
    with _one_job, chdir(place), use_threads(threads):
        if _kept.get("parcel") != parcel:
            _kept.update(parcel=parcel, work=unpack(parcel))
        _do(_kept["work"], number)


def _spawned(work, waiting, *, workers, threads, done, show):
    """Run the waiting jobs in worker processes; yield the number of each that ends.

    Nothing large goes through a pipe: who writes to one that is not read waits forever.
    """
    files = [Path(job["file"]).parent for job in work["jobs"]]
    place, others = Path(os.path.commonpath(files)), _children()
    with packed(place / "jobs", work) as parcel:
        options = {"initializer": _begin, "initargs": (parcel, threads, done)}
        with ProcessPoolExecutor(workers, mp_context=CONTEXT, **options) as pool:
            try:
                futures = _submit(pool, waiting)
                while futures:
                    ended, _ = wait(futures, LOOK, return_when=FIRST_COMPLETED)
                    for future in ended:
                        future.result()
                        yield futures.pop(future)
                    show()
            except BaseException as error:
                # of a broken pool, too: it forgets, and waits for, who was just begun
                with interrupts.ignored():
                    _end(_children() - others)
                if not isinstance(error, BrokenProcessPool):
                    raise
                raise RuntimeError(
                    "a worker process was killed, for want of memory perhaps; the same "
                    "command goes on from here"
                ) from error


def _submit(pool, waiting):
    """Hand over the waiting jobs; return the number of each by its future."""
    try:
        with interrupts.blocked():
            return {pool.submit(_call, number): number for number in waiting}
    except OSError as error:
        if error.errno is None:  # not the system's: one worker killed, one beginning
            raise BrokenProcessPool(str(error)) from error
        raise


def _children():
    return set(multiprocessing.active_children())


def _end(processes):
    """Let processes write their checkpoints and end; kill those that do not."""
    for process in processes:
        process.terminate()
    late = {process.sentinel: process for process in processes}
    deadline = time.monotonic() + interrupts.GRACE + 0.5
    while late and time.monotonic() < deadline:
        for sentinel in wait_for(list(late), 0.1):
            del late[sentinel]
    for process in late.values():
        process.kill()


_kept: dict = {}  # in a worker process: what is shared, sent once


def _begin(parcel, threads, done):
    """Prepare a worker: it ends when told to, and with its parent."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    _kept.update(work=unpack(parcel), done=done)


def _end_with_parent():
    wait_for([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _call(number):
    def count(some):
        _kept["done"][number] += some

    with told(count):
        _do(_kept["work"], number)


def cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
