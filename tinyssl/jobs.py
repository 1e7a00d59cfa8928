"""Independent jobs, in this process or in several; a finished one leaves a file."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import chdir, closing, nullcontext
from functools import partial
from multiprocessing.connection import wait as wait_for
from pathlib import Path

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
    amounts, unit = steps or [1] * len(jobs), "step" if steps else "job"
    done = CONTEXT.RawArray("q", amounts)  # no lock, which a killed worker could hold
    for number in waiting:
        done[number] = 0
    run = partial(_here, done=done)
    if executor is not None and waiting:
        run = partial(_elsewhere, engine=nullcontext(executor))
    elif workers > 1:
        run = partial(_elsewhere, engine=_Workers(workers, CONTEXT, _begin, (done,)))
    with progress_bar(sum(amounts), sum(done), progress, unit) as bar:

        def show():
            bar.update(sum(done) - bar.n)
            if images and (rate := bar.format_dict["rate"]):  # of late, in steps
                bar.set_postfix_str(f"{images * rate:,.0f} images/s", refresh=False)

        with closing(run(work, waiting, threads=threads, show=show)) as ends:
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


def _here(work, waiting, *, done, threads, show):
    """Run the waiting jobs in this process; yield the number of each as it ends."""

    def count(steps):
        done[number] += steps
        show()

    with use_threads(threads), told(count):
        for number in waiting:
            _do(work, number)
            yield number


# In several processes


def _elsewhere(work, waiting, *, engine, threads, show):
    """Hand the waiting jobs to an executor; yield the number of each as it ends.

    Nothing large goes through a pipe: who writes to one that is not read waits forever.
    """
    here, files = Path.cwd(), [Path(job["file"]).parent for job in work["jobs"]]
    name = f"jobs{time.time_ns()}"  # no worker knows it yet
    with packed(here / os.path.commonpath(files) / name, work) as parcel:
        tasks, futures = ((_call, parcel, here, threads, k) for k in waiting), {}
        try:
            with engine as executor:
                futures |= {executor.submit(*task): task[-1] for task in tasks}
                while futures:
                    ended, _ = wait(futures, LOOK, return_when=FIRST_COMPLETED)
                    for future in ended:
                        future.result()
                        yield futures.pop(future)
                    show()
        finally:
            for future in futures:
                future.cancel()


class _Workers(ProcessPoolExecutor):
    """Processes of ours, which an error, or an interrupt, in the block ends."""

    def __enter__(self):
        self.others = _children()
        return self

    def submit(self, *task):
        try:
            with interrupts.blocked():
                return super().submit(*task)
        except OSError as error:
            if error.errno is not None:
                raise
            # not the system's: one worker was killed, one was beginning
            raise BrokenProcessPool(str(error)) from error

    def __exit__(self, kind, error, traceback):
        if error is not None:
            # of a broken pool, too: it forgets, and waits for, who was just begun
            with interrupts.ignored():
                _end(_children() - self.others)
        super().__exit__(kind, error, traceback)
        if isinstance(error, BrokenProcessPool):
            raise RuntimeError(
                "a worker process was killed, for want of memory perhaps; the same "
                "command goes on from here"
            ) from error


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


# In a worker process

_kept: dict = {}  # what is shared, unpacked once, and of our own workers what is done
_one_job = threading.Lock()  # at a time: torch has one generator, the process one cwd


def _begin(done):
    """Prepare a worker of ours: it ends when told to, and with its parent."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _kept["done"] = done


def _end_with_parent():
    wait_for([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _call(parcel, place, threads, number):
    """Run a job where an executor put it."""

    def count(steps):
        if "done" in _kept:
            _kept["done"][number] += steps

    with _one_job, chdir(place), use_threads(threads), told(count):
        if _kept.get("parcel") != parcel:
            _kept.update(parcel=parcel, work=unpack(parcel))
        _do(_kept["work"], number)
