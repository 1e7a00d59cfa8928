"""Threads, workers and sealed folders: everywhere the same bits as in a plain call."""

import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from test_inputs import CALLS, call
from test_threads import forked

import tinyssl
from tinyssl import _threads, metrics, transforms

TESTS = Path(__file__).parent
RNG = np.random.default_rng(0)
GRADES = RNG.integers(0, 5, (2, 2_100_000))
SCORED = (GRADES[0, :300_000] % 2, RNG.random((300_000, 2)).round(4))
PHOTOS = RNG.random((2, 300, 400, 3))
BATCH = RNG.integers(0, 256, (8, 512, 512, 3), np.uint8)
MASKS = RNG.integers(0, 2, (2, 9, 1024, 1024), np.uint8)
FEATURES = RNG.normal(size=(2, 3000, 20))
SWAPS = transforms.sample_swaps((512, 512), 16, 80, rng=0).reshape(8, 10, 4)

# large enough for the kernels and for more than one thread; the rest as in test_inputs
LARGE = {
    **dict.fromkeys(("accuracy", "confusion_matrix"), (GRADES, {})),
    **dict.fromkeys(("average_precision", "roc_auc"), (SCORED, {"average": None})),
    "dice": (MASKS, {}),
    "f1_score": (GRADES, {"average": None}),
    "frechet_distance": (FEATURES, {}),
    "mse": (PHOTOS, {}),
    "quadratic_weighted_kappa": (GRADES, {}),
    "rotate": ((BATCH, np.arange(8)), {}),
    "specificity": (MASKS, {"region": MASKS[0] | MASKS[1]}),
    "ssim": (PHOTOS, {"data_range": 1, "channel_axis": -1, "full": True}),
    "swap_patches": ((BATCH, SWAPS, 16), {}),
}
ALL = CALLS | LARGE | {"SSIMAccumulator": None, "GaussianAccumulator": None}
THREADED = {*LARGE} - {"f1_score", "frechet_distance", "mse"} | {"SSIMAccumulator"}


def accumulate(name):
    if name == "SSIMAccumulator":
        seen = metrics.SSIMAccumulator(data_range=255, channel_axis=-1)
        seen.update(BATCH, BATCH[::-1])
        seen.update(BATCH[:1], BATCH[1:2])
        return [seen.totals.tobytes()]
    seen = metrics.GaussianAccumulator()
    for features in FEATURES:
        seen.update(features)
    return [seen.mean.tobytes(), seen.scatter.tobytes()]


def digest(name):
    answer = call(name, *ALL[name]) if ALL[name] else accumulate(name)
    return hashlib.sha256(b"".join(answer)).hexdigest()


def digests():
    return {name: digest(name) for name in ALL}


@pytest.fixture(scope="module")
def expected():
    return digests()  # of plain calls, one after another


SCRIPT = """
import json, test_processes
from tinyssl import _kernels
answers = test_processes.digests()
kernels = {
    f"{module}.{name}": [sum(k.stats.cache_hits.values()),
                             sum(k.stats.cache_misses.values())]
    for module in _kernels._SUBMODULES
    for name, k in vars(getattr(_kernels, module)).items()
    if hasattr(k, "py_func")
}
print(json.dumps([answers, kernels]))
"""


def start(script, **environment):
    """Start a fresh interpreter that finds the package of this one."""
    path = os.pathsep.join([str(Path(tinyssl.__file__).parents[1]), str(TESTS)])
    command = [sys.executable, "-P", "-c", script]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.Popen(command, env=environment, **pipes)


def finish(process):
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(out)


def test_any_number_of_threads_gives_the_same_bits(expected, monkeypatch):
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        monkeypatch.setattr(_threads, "_pool", None)
        assert digests() == expected, threads


def test_the_large_inputs_need_more_than_one_thread(monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    used = set()
    for name in ALL:
        monkeypatch.setattr(_threads, "_pool", None)
        digest(name)
        used |= {name} if _threads._pool else set()
    assert used >= THREADED


def test_eight_threads_at_once_get_the_same_bits(expected, monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    names = np.random.default_rng(0).permutation([*ALL] * 3).tolist()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(digest, names))
    assert answers == [expected[name] for name in names]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_the_same_bits(expected, monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    assert digests() == expected  # the parent has used everything
    assert forked(lambda: 0 if digests() == expected else 2) == 0


def test_spawned_workers_get_the_same_bits(expected):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.map_async(digest, ALL, chunksize=1).get(timeout=300)
    assert dict(zip(ALL, answers, strict=True)) == expected


def test_kernels_compile_once_a_machine(expected, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    # two processes at once, with nothing compiled yet
    both = [start(SCRIPT, TINYSSL_NUM_THREADS=str(n), **cache) for n in (1, 3)]
    for process in both:
        answers, _ = finish(process)
        assert answers == expected
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}
    assert files

    answers, kernels = finish(start(SCRIPT, **cache))
    assert answers == expected
    assert {name for name, (_, misses) in kernels.items() if misses} == set()
    assert sum(hits for hits, _ in kernels.values()) >= 5
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.nb*")} == files


def few():
    n = np.arange(500_000)
    kappa = metrics.quadratic_weighted_kappa(n % 5, n % 3)
    return [kappa, metrics.dice(n % 5 > 1, n % 3 > 1), metrics.roc_auc(n % 2, n % 77)]


FEW = """
import json, test_processes, tinyssl
from tinyssl._kernels import agreement
answers = test_processes.few()
kept = type(agreement.rating_sums._cache).__name__ != "NullCache"
print(json.dumps([answers, tinyssl.__file__, kept]))
"""


@pytest.fixture
def sealed(tmp_path):
    """Return a folder with a copy of the package that nobody can write to."""
    package = tmp_path / "installed" / "tinyssl"
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(tinyssl.__file__).parent, package, ignore=without)
    folders = [package, *(path for path in package.rglob("*") if path.is_dir())]
    for folder in folders:
        # a file where the cache should be stops even an administrator
        (folder / "__pycache__").touch()
        folder.chmod(0o555)
    yield package.parent
    for folder in folders:
        folder.chmod(0o755)


@pytest.mark.parametrize("writable", [True, False])
def test_a_sealed_package_works(sealed, tmp_path, writable):
    home = tmp_path / "home"
    home.mkdir() if writable else home.touch()
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    places["PYTHONPATH"] = f"{sealed}{os.pathsep}{TESTS}"
    answers, path, kept = finish(start(FEW, NUMBA_CACHE_DIR="", **places))
    assert Path(path).parents[1] == sealed
    assert answers == few()
    # kernels are kept at home, or each process compiles for itself
    assert kept is writable
    assert bool([*tmp_path.rglob("*.nbi")]) is writable
