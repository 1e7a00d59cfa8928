"""Two cores for one call: a small pool over kernels that do not hold the GIL.

Numba's own threads abort when two Python threads call them, or die in a forked child;
this pool does neither, and its answers do not depend on the number of threads:
a caller cuts its work where no sum crosses the cut, or adds integers.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

_pool = None


def num_threads() -> int:
    """Return how many threads to use: TINYSSL_NUM_THREADS, or the cores we may use."""
    asked = os.environ.get("TINYSSL_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return cores()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(work, length, *, least=1):
    """Call ``work(start, stop)`` on parts of ``range(length)``; return the answers.

    Parts are in order, one a thread, none shorter than ``least``. The first runs here:
    there is one thread less to wake.
    """
    parts = length // max(1, least)
    if parts > 1:  # asking how many threads there are costs 3 us
        parts = min(parts, num_threads())
    if parts <= 1:
        return [work(0, length)]
    edges = [length * part // parts for part in range(parts + 1)]
    here, *others = itertools.pairwise(edges)
    futures = [_threads().submit(work, *ends) for ends in others]
    try:
        return [work(*here), *(future.result() for future in futures)]
    except BaseException:
        wait(futures)  # none still writes when the error has gone up
        raise


def in_parts(count, arrays, *, least):
    """Return each number that ``count`` returns as a tuple, a part of arrays each."""
    n = len(arrays[0])
    if n < 2 * least:
        answers = [count(*arrays)]
    else:
        answers = spread(lambda i, j: count(*(x[i:j] for x in arrays)), n, least=least)
    return list(zip(*answers, strict=True))


def blocks(n, size=256):
    """Yield slices of n rows, for what fits in memory for some of them, not for all."""
    return (slice(start, start + size) for start in range(0, n, size))


def product(x, matrix):
    """Return x @ matrix, in parts so small that BLAS keeps each to this thread.

    Its own threads wait for one another, long where other processes have the cores.
    """
    n, part = len(x), max(1, 2**18 // matrix.size)
    x = np.pad(x, ((0, -n % part), (0, 0))).reshape(-1, part, len(matrix))
    return np.matmul(x, matrix).reshape(-1, matrix.shape[1])[:n]


def _threads():
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(num_threads(), thread_name_prefix="tinyssl")
    return _pool


def _forget():
    """Drop the pool: a forked child has inherited it without its threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
