"""Pretrain on a folder of photographs, fine-tune with few labels, see if it helped.

    python examples/pretrain_folder.py DATA [STEPS [OUT]]

DATA is whatever `tinyssl.data.open_dataset` reads, with grades for some images: a
folder with manifest.csv, class-named folders, IDRiD, a MedMNIST .npz, toy:300.
Needs tinyssl[torch]. `tinyssl pretrain` and `tinyssl finetune` do the same with a
report; this is the loop they run, in the open.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from tinyssl import models
from tinyssl.data import folds, load_images, open_dataset
from tinyssl.data.copies import content_groups
from tinyssl.pretext import Rotation
from tinyssl.targets import grading
from tinyssl.training import train


def pretrain(images, steps):
    """Learn which way is up from images alone; return the encoder."""
    torch.manual_seed(0)
    task = Rotation(models.densenet_small())
    rows = train(task, (images,), steps=steps, lr=3e-3, progress=True)
    print(f"rotation: loss {rows[-1]['loss']:.2f}, chance {task.chance['loss']:.2f}")
    return task.encoder


def finetune(start, images, grades, train_part, test_part, steps):
    """Fine-tune from an encoder, or from scratch (None); return the scores."""
    torch.manual_seed(0)  # the same head and the same batches for every start
    task = grading.Grading(models.densenet_small())
    if start is not None:
        models.load_weights(task.encoder, start.state_dict())
    data = (images[train_part], grades[train_part])
    train(task, data, steps=steps, lr=3e-3, progress=True)
    answers = task.predict(images[test_part])
    return grading.evaluate(grades[test_part], *answers)


def main(data, steps=300, out=Path("runs/pretrain_folder")):
    """Compare scratch with rotation on one split that keeps patients whole."""
    table = open_dataset(data)
    images, table = load_images(table, 64, cache=Path(out) / "cache")
    if table.grade is None:
        sys.exit(f"{data}: fine-tuning needs grades for some of the images")
    images = np.asarray(images)
    groups = content_groups(images, table.patient)
    fold = folds.stratified_group_folds(table.grade, groups, 5, rng=0)
    labelled = table.grade >= 0
    test_part = np.flatnonzero((fold == 0) & labelled)
    encoder = pretrain(images[fold != 0], steps)  # has not seen the test part
    part = np.flatnonzero((fold != 0) & labelled)
    for share in (0.1, 1.0):
        few = part[folds.label_subset(table.grade[part], groups[part], share, rng=0)]
        for name, start in (("scratch", None), ("rotation", encoder)):
            scores = finetune(start, images, table.grade, few, test_part, steps)
            print(f"{share:4.0%}, {len(few)} labels, {name}: QWK {scores['qwk']:.3f}")
    print("One split proves little: `tinyssl finetune` gives five, with intervals.")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *(int(steps) for steps in sys.argv[2:3]), *sys.argv[3:4])
