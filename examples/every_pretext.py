"""Pretrain by every pretext task on synthetic eyes; score it on eyes it has not seen.

    python examples/every_pretext.py --seeds 5 --markdown

A row a task: what knowing nothing scores, the mean and range over the seeds, seconds
of one run and parameters. Takes a minute or two a run; ``--tasks`` chooses some.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from tinyssl import commands, pretext, pretraining, runs
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.pretext.inputs import common_field
from tinyssl.targets import Grading

SIZE, UNSEEN = 48, "toy:256:48:777"  # patients of another seed


def main():
    """Print the table, a row a task."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=list(pretext.PRETEXTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", default="toy:700", help="what is learned from")
    parser.add_argument("--steps", type=int, help="in place of the task's own")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--out", type=Path, help="keep the runs here")
    args = parser.parse_args()
    line = "| {} |" if args.markdown else "{}"
    between = " | " if args.markdown else "  "
    header = ("task", "main number", "knowing nothing", "mean", "least", "most")
    print(line.format(between.join((*header, "beyond", "seconds", "parameters"))))
    if args.markdown:
        print("|---" * 9 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.tasks:
            options = {"steps": args.steps} if args.steps else {}
            place = args.out or Path(folder)
            cells = row(name, args.data, args.seeds, place, **options)
            print(line.format(between.join(cells)), flush=True)


def row(name, data, seeds, folder, **options):
    """Pretrain with each seed and score on unseen eyes: the cells of a row."""
    method = pretext.find(name)
    scores, bars, seconds = [], [], []
    for seed in range(seeds):
        out, start = folder / f"{name}-{seed}", time.perf_counter()
        known = {"size": SIZE, "seed": seed, "out": out, **options}
        commands.pretrain(data, task=name, **known)
        seconds.append(time.perf_counter() - start)
        found, parameters = score(out)
        scores.append(found[method.main])
        bars.append(found["bar"])
    better = np.subtract(scores, bars) * (1 if method.higher else -1)
    numbers = [np.mean(bars), np.mean(scores), min(scores), max(scores)]
    cells = [name, method.main, *(f"{value:.3f}" for value in numbers)]
    cells += [f"{(better > 0).sum()} of {seeds}", f"{np.median(seconds):.0f}"]
    return [*cells, f"{parameters:,}"]


def score(run):
    """Return the scores of a run on unseen eyes, and the parameters of its encoder."""
    config = runs.read_config(run)
    table = open_dataset(UNSEEN)
    cases = Grading.read(table, Reading(config["size"], labelled=False))
    region = common_field(cases.columns["image"])
    task = pretraining.load_pretext(run, config, region=region)
    columns = map(np.asarray, cases.take(task.columns, range(len(cases))))
    found = task.evaluate(*columns, rng=np.random.default_rng(0))
    return found, sum(p.numel() for p in task.encoder.parameters())


if __name__ == "__main__":
    main()
