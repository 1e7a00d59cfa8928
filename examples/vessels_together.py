"""Find vessels with several networks averaged, and a threshold that patients chose.

    python examples/vessels_together.py DATA [NETWORKS] [STEPS]

Needs tinyssl[torch]. DATA is CHASE_DB1 or another data set with vessel masks. One
network learns without the last quarter of the training patients, who choose the
threshold; then as many as you say (3) learn from all. The held-out patients are scored
at the end. Without arguments: a few synthetic eyes.
"""

import sys
import time

import numpy as np
import torch

from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.data.crop import resize
from tinyssl.metrics import dice
from tinyssl.models import UNet
from tinyssl.targets.overlap import THRESHOLD
from tinyssl.targets.segmentation import Segmentation
from tinyssl.training import train

TRIED = np.arange(0.4, 0.81, 0.05)  # thresholds


def learn(cases, index, steps, seed):
    """Train a network that sees squares of 2 x 2 pixels as channels, at full size."""
    torch.manual_seed(seed)
    task = Segmentation(UNet(widths=(16, 32, 64, 64), fold=2), patch_size=128)
    columns = cases.take(task.columns, index)
    train(task, columns, steps=steps, batch_size=16, lr=3e-3, seed=seed)
    return task


def find(task, cases, index):
    """Return a probability at each pixel of the images' own size, of eight views."""
    (truth,) = cases.take(("truth",), index)
    found = task.predict(cases.images(index), views=8)
    return [resize(a, mask.shape) for a, mask in zip(found, truth, strict=True)]


def mean_dice(cases, index, found, threshold):
    """Average the Dice of images inside their fields of view."""
    truth, fields = cases.take(("truth", "field"), index)
    each = zip(truth, found, fields, strict=True)
    return np.mean([dice(t, f >= threshold, region=r) for t, f, r in each])


def main():
    """Choose a threshold, learn again from all, average, and score once."""
    given = sys.argv[1:] or ["toy:12:160", "2", "8"]
    data, networks, steps = [*given, *["", "3", "3000"][len(given) :]]
    table, full = open_dataset(data), {"mask": "vessel", "field_width": 0}
    cases = Segmentation.read(table, Reading(), **full)
    training, test = cases.part(0, labelled=True), cases.held(0)
    patients = np.unique(cases.groups[training])
    last = np.isin(cases.groups[training], patients[len(patients) * 3 // 4 :])
    task = learn(cases, training[~last], int(steps), seed=0)
    found = find(task, cases, training[last])
    scores = [mean_dice(cases, training[last], found, t) for t in TRIED]
    chosen = TRIED[int(np.argmax(scores))]
    print(f"{last.sum()} images choose the threshold {chosen:.2f}: {max(scores):.4f}")
    rows = {}
    for seed in range(int(networks)):
        task = learn(cases, training, int(steps), seed)
        rows[f"network {seed}"] = find(task, cases, test)
    each = zip(*rows.values(), strict=True)
    rows["average"] = [np.mean(maps, axis=0) for maps in each]
    for name, found in rows.items():
        usual, own = (mean_dice(cases, test, found, t) for t in (THRESHOLD, chosen))
        print(f"{name}: Dice {usual:.4f} at {THRESHOLD}, {own:.4f} at {chosen:.2f}")
    print(f"{time.process_time() / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
