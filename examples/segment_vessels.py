"""Find vessels, or lesions, in photographs with a few drawn ones, in your own code.

    python examples/segment_vessels.py DATA [IMAGE]

Needs tinyssl[torch]. DATA is CHASE_DB1, HRF, DRIVE, or another data set with vessel
masks; IMAGE is a new photograph, and its vessels are written beside it as a picture.
`tinyssl segment` does the same for several starts and numbers of images, with a report.
Without arguments it draws on a few synthetic eyes and is done in seconds.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.data.crop import resize, working_shape
from tinyssl.data.images import field_of_view, read_image
from tinyssl.models import UNet
from tinyssl.targets.fields import prepare
from tinyssl.targets.overlap import THRESHOLD
from tinyssl.targets.segmentation import Segmentation
from tinyssl.training import train

WIDTH = 540  # pixels across the field of view, whatever the camera


def learn(table, steps):
    """Train on all but the last fifth of the patients; print what those say."""
    cases = Segmentation.read(table, Reading(), mask="vessel", field_width=WIDTH)
    training, test = cases.part(0, labelled=True), cases.held(0)
    torch.manual_seed(0)
    task = Segmentation(UNet(widths=(16, 32, 64)), patch_size=64)
    columns = cases.take(task.columns, training)
    train(task, columns, steps=steps, batch_size=16, lr=3e-3)
    found = Segmentation.score(cases, test, task.predict(cases.images(test)))
    print(f"{len(training)} images annotated, {len(test)} held out:")
    for name in ("dice", "auc", "sensitivity", "specificity", "thin_recall"):
        print(f"  {name.replace('_', ' ')} {found[name]:.3f}")
    return task


def find(task, path):
    """Write the vessels of a photograph as white on black, at its own size."""
    photograph = read_image(path)
    region = field_of_view(photograph)
    shape = working_shape(region, WIDTH)
    small = prepare(resize(photograph, shape), resize(region, shape) >= 0.5)
    probability = resize(task.predict([small], views=8)[0], region.shape)
    vessels = (probability >= THRESHOLD) & region
    target = path.with_name(f"{path.stem}_vessels.png")
    Image.fromarray(vessels).save(target)
    print(f"{np.mean(vessels[region]):.1%} of the field of view: {target}")


def main():
    """Learn from the first argument; answer the second."""
    data = sys.argv[1] if len(sys.argv) > 1 else "toy:12:96"
    task = learn(open_dataset(data), steps=1500 if len(sys.argv) > 1 else 40)
    if len(sys.argv) > 2:
        find(task, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
