"""Plant one error after another in a copy of the core: does the suite catch them all?

    python tests/mutations.py              every planted error
    python tests/mutations.py --every 8    each eighth, for a quick look
    python tests/mutations.py --only ssim  those whose file or text has the word

Each row of ``planted`` names a file, a text that stands there once, the text that
is planted, and the tests that must fail. The working tree is never touched. The tests
first pass on an unchanged copy, so a failure is the error's doing. Status 1 if an error
survives, or if a row no longer fits the code. Loops run uncompiled unless a row says
otherwise, which is faster for the small inputs of tests.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from planted import ROWS

ROOT = Path(__file__).parents[1]
CONFTEST = """
settings.register_profile(
    "mutations",
    settings.get_profile("tinyssl"),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("mutations")
"""  # any example that fails will do: none smaller is looked for
say = partial(print, flush=True)
COPIED = ["tinyssl", "tests", "examples", "pyproject.toml", "README.md"]


def copy(folder):
    tree = partial(shutil.copytree, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in COPIED:
        put = tree if (ROOT / name).is_dir() else shutil.copy
        put(ROOT / name, Path(folder) / name)
    conftest = Path(folder) / "tests" / "conftest.py"
    text = conftest.read_text(encoding="utf-8") + CONFTEST
    conftest.write_text(f"from hypothesis import Phase\n{text}", encoding="utf-8")


def run_tests(folder, tests, compiled):
    """Run tests in a copy; return pytest's exit status and its last lines."""
    environment = {
        **os.environ,
        "TINYSSL_SAME_EXAMPLES": "1",
        "TINYSSL_TEST_EXAMPLES": os.environ.get("TINYSSL_TEST_EXAMPLES", "100"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(Path(folder) / "cache"),
        "NUMBA_DISABLE_JIT": "0" if compiled else "1",
    }
    options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
    if not compiled:  # wrapping is meant there, and NumPy's own scalars warn of it
        options += ["-W", "ignore:overflow encountered:RuntimeWarning"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, **pipes)
    return done.returncode, done.stdout.strip().splitlines()[-12:]


def plant(row):
    """Return what became of one planted error, and the seconds it took."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy(folder)
        path = Path(folder) / row.path
        text = path.read_text(encoding="utf-8")
        if text.count(row.old) != 1:
            verdict = f"NO LONGER FITS: found {text.count(row.old)} times"
        else:
            path.write_text(text.replace(row.old, row.new), encoding="utf-8")
            status, last = run_tests(folder, row.tests, row.compiled)
            verdict = {0: "SURVIVED", 1: "caught"}.get(status)
            verdict = verdict or "\n".join([f"NO RESULT: pytest says {status}", *last])
    return verdict, time.perf_counter() - start


def unchanged(rows):
    """Run the tests of all rows on an unchanged copy; return what failed."""
    failures = []
    for compiled in (False, True):
        tests = {t for row in rows if row.compiled == compiled for t in row.tests}
        if tests:
            with tempfile.TemporaryDirectory() as folder:
                copy(folder)
                status, last = run_tests(folder, sorted(tests), compiled)
            failures += last if status else []
    return failures


def main():
    """Plant the rows asked for; return 0 if every error is caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="only each K-th row")
    parser.add_argument("--only", default="", help="only rows with this word")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    options = parser.parse_args()
    rows = [row for row in ROWS if options.only in row.path + row.old + row.new]
    rows = rows[:: options.every]
    start = time.perf_counter()
    if failures := unchanged(rows):
        say("\n".join(["The tests fail without any error planted:", *failures]))
        return 1
    say(f"tests pass unchanged, {time.perf_counter() - start:.0f} s")
    caught = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = pool.map(plant, rows)
        for row, (verdict, seconds) in zip(rows, verdicts, strict=True):
            caught += verdict == "caught"
            say(f"{verdict:8s} {seconds:4.0f} s  {row}")
    minutes = (time.perf_counter() - start) / 60
    say(f"{caught} of {len(rows)} errors caught in {minutes:.1f} minutes")
    return 0 if caught == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
