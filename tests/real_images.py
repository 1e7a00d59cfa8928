"""Take every pretext task through real eyes: pretrain, then grade, tell sides, segment.

By hand, about a quarter of an hour on two cores:

    python tests/real_images.py ../shared/data --out /tmp/real

Steps are few: what is asked is whether each task learns from these images at all, and
whether what it leaves can be taken up by every target. A row a task and data set: its
main number on the eyes it has not seen beside what knowing nothing scores, and the
scores of the targets after it; or the line that refuses. Status 1 where one is refused
that should not be.
"""

import argparse
import sys
from pathlib import Path

from tinyssl import commands, pretext

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
    for task in args.tasks:
        for name, (place, how) in SETS.items():
            try:
                row = through(task, args.data / place, how, args.out / f"{task}-{name}")
            except ValueError as error:
                row, refused = f"refused: {error}", refused + (not allowed(task, name))
            print(f"{task:12s} {name:21s} {row}", flush=True)
    return min(refused, 1)


def allowed(task, name):
    """Return whether a task may be refused: no reports there, or patches of U-Nets."""
    return task == "text" or name == "CHASE_DB1"


def through(task, data, how, out):
    """Pretrain on a data set and use what was learned: the cells of a row."""
    how = ALL | how
    if not pretext.find(task).trains:
        how = {key: how[key] for key in ("folds", "size", "target") if key in how}
    found = commands.pretrain(str(data), task=task, out=out, **how)
    main, cells = pretext.find(task).main, []
    scores = [entry["scores"] for entry in found["scores"]]
    mean, bar = (sum(s[k] for s in scores) / len(scores) for k in (main, "bar"))
    cells.append(f"{main} {mean:.3f} (knowing nothing {bar:.3f})")
    target = how.get("target", "grade")
    known = FEW if target != "vessel" else FEW | {"images": [2], "folds": 2}
    known = known | {"target": target, "init": [out], "out": Path(f"{out}-{target}")}
    results = commands.finetune(str(data), **known)
    for line in results["summary"]:
        cells.append(f"{target} {line['init']} {line['avg']:.3f}")
    return ", ".join(cells)


if __name__ == "__main__":
    sys.exit(main())
