"""What only a fresh process can show: imports, the first call, the peak of memory."""

import os
import subprocess
import sys
import tempfile

TIMED = (
    "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
)
FIRST_CALL = (
    "import numpy as np; from tinyssl import metrics; "
    "grades = np.arange(100) % 5; metrics.quadratic_weighted_kappa(grades, grades); "
    "image = np.eye(256); metrics.ssim(image, image, data_range=1)"
)
FIRST_KERNEL = (
    "import numpy as np; from tinyssl import metrics; "
    "image = np.eye(512); metrics.ssim(image, image, data_range=1)"
)
PEAK = """
import resource, threading, numpy as np
from tinyssl import metrics
rng = np.random.default_rng(0)
{data}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{call}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
MEMORY = {  # name: what is there before, the call
    "SSIM of 4,096 px uint8": (
        "a, b = rng.integers(0, 256, (2, 4096, 4096), np.uint8)\n"
        "metrics.ssim(a[:256, :256], b[:256, :256], data_range=255)",
        "metrics.ssim(a, b, data_range=255)",
    ),
    "Frechet distance of 50,000 x 2,048 float32": (
        "a, b = (rng.standard_normal((50_000, 2048), np.float32) for _ in range(2))\n"
        "metrics.frechet_distance(a[:9, :9], b[:9, :9])",
        "metrics.frechet_distance(a, b)",
    ),
}


def fresh(script, **environment):
    """Return the number that a script prints in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def starts(repeats):
    """Time imports and first calls, interleaved; return seconds by name, sorted."""
    scripts = {
        "import numpy": TIMED.format("import numpy"),
        "import sklearn.metrics": TIMED.format("import sklearn.metrics"),
        "import tinyssl.metrics": TIMED.format("import tinyssl.metrics"),
        "first call (100 labels, 256 px)": TIMED.format(FIRST_CALL),
        "first kernel (512 px), in cache": TIMED.format(FIRST_KERNEL),
    }
    seconds = {name: [] for name in (*scripts, "first kernel (512 px), no cache")}
    with tempfile.TemporaryDirectory() as kept:
        fresh(TIMED.format(FIRST_KERNEL), NUMBA_CACHE_DIR=kept)
        for _ in range(repeats):
            for name, script in scripts.items():
                seconds[name].append(fresh(script, NUMBA_CACHE_DIR=kept))
            with tempfile.TemporaryDirectory() as empty:
                cold = fresh(TIMED.format(FIRST_KERNEL), NUMBA_CACHE_DIR=empty)
            seconds["first kernel (512 px), no cache"].append(cold)
    return {name: sorted(values) for name, values in seconds.items()}


def peaks():
    """Return, by name, by how many MiB a call raises the peak of its process."""
    return {
        name: fresh(PEAK.format(data=data, call=call))
        for name, (data, call) in MEMORY.items()
    }
