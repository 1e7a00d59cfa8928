"""Check tinyssl's core against other libraries, then time it against them.

    python examples/benchmark.py                     every row; about 10 minutes
    python examples/benchmark.py --rows "SSIM|QWK"   some rows
    python examples/benchmark.py --quick             small data: the check, no figures
    python examples/benchmark.py --markdown          and the table of the page of speed
    python examples/benchmark.py --memory            peak memory of the two large calls
    python examples/benchmark.py --growth            time against size, beside theory

Ours and the peers run in turns in one process; a ratio is given as the smallest, the
median and the largest over the turns. Answers that differ by more than a row allows end
the program with status 1. A peer that is not installed is named (``pip install
"tinyssl[bench]"``), and one that is known to be wrong is timed with its error beside.
"""

import argparse
import importlib.metadata
import os
import platform
import re
import statistics
import sys
import time
import warnings
from datetime import date
from pathlib import Path

import benchmark_growth as growth
import benchmark_processes as processes
import numpy as np
from benchmark_rows import ROWS

LIBRARIES = (
    "numpy scipy numba scikit-image scikit-learn torch torchmetrics "
    "opencv-python-headless Fast-SSIM piq pytorch-fid torch-fidelity torchio"
)
STARTS = {  # seconds allowed
    "import tinyssl.metrics": 0.1,  # over numpy's own import
    "first call (100 labels, 256 px)": 0.5,
    "first kernel (512 px), in cache": 0.5,
    "first kernel (512 px), no cache": 4.0,
}
HEADER = [
    "workload",
    "tinyssl ms",
    "best peer, ms",
    "usual library, ms",
    "faster by, smallest..median..largest (best / usual)",
    "bar",
    "",
    "turns",
]


# ---- check, then time --------------------------------------------------------------


def gap(actual, expected):
    """Return the largest difference, as a share of the largest value or of 1."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        return np.inf
    if np.array_equal(actual, expected):
        return 0.0
    largest = np.abs(np.asarray(actual, float) - expected).max()
    return float(largest / max(1.0, np.abs(np.asarray(expected, float)).max()))


def check(row, quick):
    """Compare ours with each peer; return the calls by name, notes, and the faults."""
    data = row.data(quick)
    calls, notes, faults = {"tinyssl": row.ours(*data)}, [], []
    answer = calls["tinyssl"]()
    for peer in row.peers:
        try:
            call = peer.prepare(*data)
        except ImportError:
            notes.append(f"{peer.name} is absent")
            continue
        calls[peer.name] = call
        difference = gap(answer, call())
        if peer.known:
            notes.append(f"{peer.name} {peer.known}: {difference:.1e} apart")
        elif not difference <= peer.tolerance:
            faults.append(
                f"{row.name}: {peer.name} is {difference:.3g} apart, "
                f"{peer.tolerance:g} allowed"
            )
    return calls, notes, faults


def interleave(calls, seconds):
    """Call all in turns, three of them; return the times of each, in order.

    What takes less than a fifth of so many seconds goes on for about as long.
    """
    number, times = {}, {name: [] for name in calls}
    for name, call in calls.items():
        number[name] = max(1, int(0.02 / measure(call, 1)))  # short ones: runs of 20 ms

    def turn(names):
        for name in names:
            times[name].append(measure(calls[name], number[name]))

    for _ in range(3):
        turn(calls)
    fast = [name for name in calls if statistics.median(times[name]) < seconds / 5]
    start = time.perf_counter()
    while "tinyssl" in fast and len(fast) > 1 and time.perf_counter() - start < seconds:
        turn(fast)
    return times


def measure(call, number):
    """Return the seconds of one call, as the mean of a run after one untimed call."""
    time.sleep(0.01)  # let the other libraries' threads stop spinning
    start = time.perf_counter()
    call()  # memory and threads as in a loop of such calls
    if time.perf_counter() - start > 1:  # too long for its start to matter
        return time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number


def ratios(times, name):
    """Return how many times longer a peer takes: least, median and most of turns."""
    pairs = zip(times[name], times["tinyssl"], strict=False)
    turns = [peer / mine for peer, mine in pairs]
    return min(turns), statistics.median(turns), max(turns)


def summarize(row, times):
    """Return the cells of a row's line."""
    mine = 1000 * statistics.median(times["tinyssl"])
    right = {peer.name for peer in row.peers if not peer.known} & times.keys()
    best = min(right, key=lambda name: statistics.median(times[name]))
    cells, faster, met = [row.name, f"{mine:.3g}"], [], mine <= row.limit
    for name, least in ((best, row.best), (row.peers[-1].name, row.usual)):
        if name not in times:
            cells.append(f"{name} absent")
            faster.append("?")
            continue
        of_turns = ratios(times, name)
        cells.append(f"{name} {1000 * statistics.median(times[name]):.3g}")
        faster.append("..".join(f"{one:.3g}" for one in of_turns) + "x")
        met = met and of_turns[1] >= least
    bar = f"{row.best:g}x / {row.usual:g}x" if row.best else f"{row.limit:g} ms"
    verdict = "met" if met else "missed"
    return [*cells, " / ".join(faster), bar, verdict, str(len(times["tinyssl"]))]


def summarize_starts(repeats):
    """Time fresh processes; return a line's cells for each bar."""
    seconds = {
        name: statistics.median(values)
        for name, values in processes.starts(repeats).items()
    }
    lines = []
    for name, limit in STARTS.items():
        usual = f"sklearn.metrics {1000 * seconds['import sklearn.metrics']:.0f}"
        best = f"numpy {1000 * seconds['import numpy']:.0f}"
        bar = f"{limit:g} s"
        if name.startswith("import"):
            limit, bar = limit + seconds["import numpy"], f"numpy + {bar}"
        else:
            best = usual = ""
        verdict = "met" if seconds[name] <= limit else "missed"
        shown = f"{1000 * seconds[name]:.0f}"
        lines.append([name, shown, best, usual, "", bar, verdict, str(repeats)])
    return lines


# ---- print -------------------------------------------------------------------------


def conditions():
    """Return a sentence on machine, threads, date and versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = re.search(r"model name\s*: (.*)", info.read_text())[1]
    versions = []
    for name in LIBRARIES.split():
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    asked = os.environ.get("TINYSSL_NUM_THREADS", "one a core")
    return (
        f"{os.cpu_count()} cores, {cpu}; threads: {asked}; {date.today()}; "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def markdown(lines):
    """Return the table that the page of speed shows."""
    rows = [HEADER, ["---"] * len(HEADER), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main(argv=None, rows=ROWS):
    """Run the rows asked for; return 0, or 1 where answers differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="regular expression on the names")
    parser.add_argument("--quick", action="store_true", help="small data, no figures")
    parser.add_argument("--markdown", action="store_true", help="print a table at last")
    parser.add_argument("--memory", action="store_true", help="peaks of memory only")
    parser.add_argument("--growth", action="store_true", help="time against size only")
    parser.add_argument("--seconds", type=float, default=8, help="for a row, about")
    options = parser.parse_args(argv)
    if options.memory:
        for name, mebibytes in processes.peaks().items():
            print(f"{name}: peak rises by {mebibytes:.0f} MiB")
        return 0

    print(conditions(), flush=True)
    if options.growth:
        chosen = [one for one in growth.GROWTH if re.search(options.rows, one.name)]
        print(*growth.table(chosen, options.quick), sep="\n")
        return 0
    lines, all_faults = [], []
    for row in rows:
        if not re.search(options.rows, row.name):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # few samples are meant here
            calls, notes, faults = check(row, options.quick)
            if options.quick or faults:
                lines.append([row.name, "differs" if faults else "checked"])
            else:
                lines.append(summarize(row, interleave(calls, options.seconds)))
        all_faults += faults
        print(" | ".join(lines[-1]), *(f"\n    {note}" for note in notes), flush=True)
    if not options.quick and re.search(options.rows, "import, first call"):
        lines += summarize_starts(3)
        print(*(" | ".join(line) for line in lines[-len(STARTS) :]), sep="\n")
    for fault in all_faults:
        print(f"benchmark: {fault}", file=sys.stderr)
    if options.markdown and not all_faults:
        print(f"\n{markdown(lines)}\n\n{conditions()}")
    return 1 if all_faults else 0


if __name__ == "__main__":
    sys.exit(main())
