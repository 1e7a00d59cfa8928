"""How much threads and memory layout change the speed of training here.

The rule of `tinyssl.training.train` is channels_last and one thread a process, since
independent jobs share the cores. This says what that costs one job that is alone:
images a second, medians of ``--repeats`` interleaved rounds.

    python examples/benchmark_training.py
"""

import argparse
from itertools import product

import numpy as np

from tinyssl.models import UNet, densenet121, densenet_small
from tinyssl.pretext import find
from tinyssl.training import train

CASES = {  # network, pretext task, side in pixels, images a step
    "small DenseNet, rotation": (densenet_small, "rotation", 96, 32),
    "U-Net, restoration": (lambda: UNet(out_channels=3), "restoration", 64, 32),
    "DenseNet-121, rotation": (lambda: densenet121(num_classes=5), "rotation", 96, 8),
}
STEPS = 8


def speed(build, task, side, batch_size, **how):
    """Return images a second, without the first two steps."""
    images = np.random.default_rng(0).integers(0, 256, (64, side, side, 3), np.uint8)
    task = find(task).build(build(), image_size=side)
    rows = train(task, [images], steps=STEPS, batch_size=batch_size, **how)
    return batch_size * (STEPS - 2) / (rows[-1]["seconds"] - rows[1]["seconds"])


def main():
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    ways = list(product((1, 2), (True, False)))
    for name, case in CASES.items():
        rounds = [
            [speed(*case, threads=n, channels_last=last) for n, last in ways]
            for _ in range(repeats)
        ]
        found = np.median(rounds, axis=0)
        words = [
            f"{n} thread{'s' * (n > 1)}, {'channels_last' if last else 'contiguous'} "
            f"{rate:.0f} ({rate / found[0]:.2f})"
            for (n, last), rate in zip(ways, found, strict=True)
        ]
        print(f"{name}, images/s (ratio): {'; '.join(words)}")


if __name__ == "__main__":
    main()
