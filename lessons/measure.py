"""Run lessons over seeds: ranges for "What you should see", seconds, memory.

    python lessons/measure.py NN ... | --all [--seeds 10] [--fast] [--write | --widen]

Prints a line for each number of results.json as it stands in the lesson, and says
where the lesson's text disagrees. --write puts the ranges there, --widen those that
hold on the machines before this one too. Below a line the mean over the seeds with its
95 % interval (Student's t; each seed draws its own eyes). Memory is that of a second
run of seed 0, which must find the same to the last digit. Reports, never fails: a slow
machine is no error.
"""

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tinyssl.check.course import find_folder, find_lesson, lesson, read_header
from tinyssl.summary import paired_interval

WRITTEN = re.compile(r"^# - ``(\w+)``: (-?[\d.]+) to (-?[\d.]+)$", re.MULTILINE)
PEAK = (
    "import resource, runpy, sys; runpy.run_path(sys.argv[1]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def main():
    """Measure the lessons named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, metavar="NN")
    parser.add_argument("--all", action="store_true", help="every lesson")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--write", action="store_true", help="into the lesson's text")
    parser.add_argument("--widen", action="store_true", help="as --write, never less")
    options = parser.parse_args()
    every = [int(path.name[:2]) for path in find_folder().glob("[0-9][0-9]_*.py")]
    for number in sorted(every) if options.all else options.numbers:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(number, options.seeds, options.fast, Path(folder))
        if options.write or options.widen:
            write(find_lesson(number), found, options.widen)


def measure(number, seeds, fast, folder):
    """Print what one lesson shows over its seeds; return its lines by name."""
    path = find_lesson(number)
    header = read_header(path)
    runs = [
        lesson(number, fast=fast, seed=seed, out=folder / str(seed))
        for seed in range(seeds)
    ]
    seconds = [run["seconds"] for run in runs]
    print(f"{path.name}, {seeds} seeds{', fast' if fast else ''}")
    print(f"header: runtime {header['runtime']}, memory {header['memory']}")
    most = peak(path, folder, fast)
    print(f"measured: {min(seconds)} to {max(seconds)} s, {most} MB")
    again, first = (folder / run / "results.json" for run in ("peak", "0"))
    if again.read_bytes() != first.read_bytes():
        print("    two runs of seed 0 differ")
    text = path.read_text(encoding="utf-8")
    written = {name: (low, high) for name, low, high in WRITTEN.findall(text)}
    found = {}
    for name, values in columns([run["results"] for run in runs]).items():
        low, high = rounded(min(values), math.floor), rounded(max(values), math.ceil)
        found[name] = low, high
        print(f"# - ``{name}``: {low:g} to {high:g}")
        if name in written:
            least, most = map(float, written[name])
            if min(values) < least or max(values) > most:
                print(f"    the lesson says {least:g} to {most:g}")
        if seeds > 1 and min(values) < max(values):
            mean, low, high = paired_interval(values)
            print(f"    mean {mean:.3f} [{low:.3f}, {high:.3f}]")
    return found


def write(path, found, widen):
    """Put the ranges where the lesson has a line for them."""

    def line(written):
        name, low, high = written[1], float(written[2]), float(written[3])
        if name not in found:
            return written[0]
        least, most = found[name]
        if widen:
            least, most = min(low, least), max(high, most)
        return f"# - ``{name}``: {least:g} to {most:g}"

    text = path.read_text(encoding="utf-8")
    path.write_text(WRITTEN.sub(line, text), encoding="utf-8")


def columns(results):
    """Return the numbers of each name over the runs, nan and None left out."""
    table = {}
    for name in results[0]:
        values = [row[name] for row in results]
        if all(isinstance(value, int | float) for value in values):
            table[name] = values
    return table


def rounded(value, towards):
    """Round a number to two digits after the point, or three significant ones."""
    if value == 0 or not math.isfinite(value):
        return value
    digits = max(2, 2 - math.floor(math.log10(abs(value))))
    return towards(round(value * 10**digits, 6)) / 10**digits


def peak(path, folder, fast):
    """Run seed 0 again; return its peak memory in MB, nan where none is known."""
    settings = {"TINYSSL_OUT": str(folder / "peak"), "MPLBACKEND": "Agg"}
    settings |= {"TINYSSL_FAST": "1" if fast else "0", "TINYSSL_SEED": "0"}
    command = [sys.executable, "-c", PEAK, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | settings, check=False
    )
    last = done.stderr.splitlines()[-1:] or [""]
    return round(int(last[0]) / 1024) if last[0].isdigit() else math.nan


if __name__ == "__main__":
    main()
