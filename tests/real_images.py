"""Take every pretext task through real eyes: pretrain, then grade, tell sides, segment.

By hand, about a quarter of an hour on two cores:

    python tests/real_images.py ../shared/data --out /tmp/real

Steps are few: what is asked is whether each task learns from these images at all, and
whether what it leaves can be taken up by every target. A line a task and data set: its
main number on the eyes it has not seen beside what knowing nothing scores, or the line
that refuses; then a line for each start of a target, one comparison a kind of encoder.
Status 1 where one is refused that should not be.
"""

import argparse
import sys
from pathlib import Path

from tinyssl import commands, pretext, runs

ALL = {"folds": 2, "steps": 30, "batch_size": 16}
SETS = {  # name: where it lies, what is asked of it
    "RetinaMNIST": ("MedMNIST/retinamnist.npz", {"size": 32}),
    "IDRiD": ("IDRiD", {"size": 64}),
    "IDRiD, disc and fovea": ("IDRiD/C. Localization", {"size": 64, "target": "eye"}),
    "CHASE_DB1": ("CHASE_DB1", {"encoder": "unet", "target": "vessel"}),
}
FEW = {"images": [20], "folds": 2, "steps": 15, "same_compute": False, "repeats": 1}


def main():
    """Print the rows as they are found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder of MedMNIST, IDRiD, CHASE_DB1")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", default=list(pretext.PRETEXTS))
    args = parser.parse_args()
    refused = 0
    for name, (place, how) in SETS.items():
        kinds = {}  # the runs of each kind of encoder, which one comparison takes
        for task in args.tasks:
            out = args.out / f"{name} {task}"
            try:
                row = pretrained(task, args.data / place, ALL | how, out)
            except ValueError as error:
                row, refused = f"refused: {error}", refused + (not allowed(task, name))
            else:
                kind = repr(runs.read_config(out)["encoder"])
                kinds.setdefault(kind, []).append(out)
            print(f"{name}, {task}: {row}", flush=True)
        for number, inits in enumerate(kinds.values()):
            out = args.out / f"{name} target {number}"
            for row in compared(args.data / place, how, inits, out):
                print(f"{name}, {row}", flush=True)
    return min(refused, 1)


def allowed(task, name):
    """Return whether a task may be refused: no reports there, or patches of U-Nets."""
    return task == "text" or name == "CHASE_DB1"


def pretrained(task, data, how, out):
    """Pretrain on a data set: the task's main number on what it has not seen."""
    if not pretext.find(task).trains:
        how = {key: how[key] for key in ("folds", "size", "target") if key in how}
    found = commands.pretrain(str(data), task=task, out=out, **how)
    main, scores = pretext.find(task).main, [x["scores"] for x in found["scores"]]
    mean, bar = (sum(s[k] for s in scores) / len(scores) for k in (main, "bar"))
    return f"{main} {mean:.3f}, knowing nothing {bar:.3f}"


def compared(data, how, inits, out):
    """Compare the runs with scratch on what their data set asks: a row a start."""
    target = how.get("target", "grade")
    known = FEW | ({"images": [2]} if target == "vessel" else {})
    known |= {"target": target, "init": inits, "out": out}
    summary = commands.finetune(str(data), **known)["summary"]
    return [f"{target} after {x['init']}: {x['avg']:.3f}" for x in summary]


if __name__ == "__main__":
    sys.exit(main())
