"""How much threads and memory layout change the speed of training here.

The rule of `tinyssl.training.train` is channels_last and one thread a process, since
independent jobs share the cores. This says what that costs one job that is alone:
images a second, medians of ``--repeats`` interleaved rounds.

    python examples/benchmark_training.py
    python examples/benchmark_training.py --torchvision     both DenseNets beside theirs
    python examples/benchmark_training.py --compile         and under torch.compile
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from functools import partial
from itertools import product

import numpy as np
import torch

from tinyssl.models import DenseNet, UNet, densenet121, densenet_small
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


def step(network, images):
    """Go forward and backward once; return the seconds that it took."""
    begun, grades = time.perf_counter(), torch.zeros(len(images), dtype=torch.long)
    network.zero_grad()
    torch.nn.functional.cross_entropy(network(images), grades).backward()
    return time.perf_counter() - begun


def builders(peer):
    """Return, by name, functions that build a network of ours and its peer's."""
    if peer == "compiled":
        ours = {
            "DenseNet-121": partial(densenet121, 5),
            "small DenseNet": densenet_small,
        }
        return {
            name: (of, lambda of=of: torch.compile(of())) for name, of in ours.items()
        }
    from torchvision import models

    small = {"growth_rate": 16, "num_classes": 5}  # with the stem that theirs has
    ours = partial(DenseNet, block_layers=(1, 2, 6, 6), stem_channels=24, bottleneck=2)
    theirs = {"block_config": (1, 2, 6, 6), "num_init_features": 24, "bn_size": 2}
    return {
        "DenseNet-121": (
            partial(densenet121, 5),
            partial(models.densenet121, num_classes=5),
        ),
        "small DenseNet": (
            partial(ours, **small),
            partial(models.DenseNet, **theirs, **small),
        ),
    }


def beside(peer, repeats):
    """Print seconds a step of our DenseNets and of a peer of each."""
    layouts = (True,) if peer == "compiled" else (True, False)  # a compilation each
    cases = product(builders(peer).items(), ((224, 4), (64, 16)), layouts)
    for (name, builds), (side, count), last in cases:
        torch.compiler.reset()  # or it compiles the next case for any shape, for long
        layout = torch.channels_last if last else torch.contiguous_format
        images = torch.randn(count, 3, side, side).to(memory_format=layout)
        networks = [build().to(memory_format=layout) for build in builds]
        for network in networks:
            step(network, images)
        rounds = [
            [step(network, images) for network in networks] for _ in range(repeats)
        ]
        ours, theirs = np.median(rounds, axis=0)
        ratio = statistics.median(b / a for a, b in rounds)
        case = f"{name}, {count} images of {side} px, {str(layout).split('.')[1]}"
        times = f"{ours:.4f} s, {peer} {theirs:.4f} s, ratio {ratio:.2f}"
        print(f"{case}: {times}", flush=True)


def peak(number):
    """Print how far one step of DenseNet-121, ours or theirs, raises the peak."""
    network = builders("torchvision")["DenseNet-121"][number]()
    images = torch.zeros(8, 3, 224, 224)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(network, images)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)


def main():
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--torchvision", action="store_true", help="the second table")
    parser.add_argument("--compile", action="store_true", help="the third table")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    repeats = args.repeats
    if args.peak is not None:  # in a process of its own
        return peak(args.peak)
    if args.compile:
        return beside("compiled", repeats)
    if args.torchvision:
        beside("torchvision", repeats)
        for number, name in enumerate(("tinyssl", "torchvision")):
            words = [sys.executable, __file__, "--peak", str(number)]
            found = subprocess.check_output(words, text=True).strip()
            print(f"8 images of 224 px, peak memory: {name} {found} MiB")
        return None
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
