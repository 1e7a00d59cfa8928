"""How fast DenseNet-121 pretrains on a device, in what memory, with whose losses.

    bash examples/gpu_check.sh            (which runs the tests for GPUs first)
    python examples/gpu_check.py --device cpu --size 32 --steps 3 --batch-size 4

Two tables: images a second and peak memory of rotation, MAE and SimCLR, with
torchvision's densenet121 in the same loop where torchvision is installed; then how many
images a second one thread makes into batches, which no GPU can outrun, and how far the
first losses are from those of the CPU at float32.
"""

import argparse
import resource
import time

import numpy as np
import torch
from torch import nn

from tinyssl._threads import cores
from tinyssl.data import toy
from tinyssl.devices import choose_precision
from tinyssl.models import densenet121
from tinyssl.pretext import find
from tinyssl.training import train

TASKS = ("rotation", "mae", "simclr")
IMAGES, COMPARED = 128, 3  # synthetic eyes; steps whose losses are compared
SLOW = 1e-5  # their learning rate: what differs is rounding, not where steps led
HEAD = ("task", "network", "precision", "images/s", "peak GB", "last loss")


def ours():
    """Return tinyssl's network."""
    return densenet121(num_classes=5)


class Torchvision(nn.Module):
    """Torchvision's network, as an encoder."""

    num_features = 1024

    def __init__(self):
        super().__init__()
        from torchvision.models import densenet121

        self.maps = nn.Sequential(densenet121(weights=None).features, nn.ReLU())

    def features(self, x):
        """Map images (N, 3, H, W) to maps (N, 1024, h, w)."""
        return self.maps(x)


def trained(name, encoder, images, steps, s, **how):
    """Train a task anew; return its losses, images a second and peak GB."""
    torch.manual_seed(0)
    task = find(name).build(encoder(), image_size=s.size)
    gpu = how["device"] == "cuda"
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    rows = train(task, [images], steps=steps, batch_size=s.batch_size, **how)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # on Linux
    peak = torch.cuda.max_memory_allocated() if gpu else peak
    warm = max(1, steps // 10)  # steps that are not timed
    seconds = rows[-1]["seconds"] - rows[warm - 1]["seconds"]
    rate = s.batch_size * (steps - warm) / seconds
    return [row["loss"] for row in rows], rate, peak / 1e9


def made(name, images, s):
    """Return how many images a second become batches, with nothing else to do."""
    task, some = find(name).build(ours(), image_size=s.size), images[: s.batch_size]
    task.make_batch(some, rng=np.random.default_rng(0))  # compiles kernels
    begun = time.perf_counter()
    for step in range(3):
        task.make_batch(some, rng=np.random.default_rng(step))
    return 3 * len(some) / (time.perf_counter() - begun)


def apart(losses, expected):
    """Return the largest difference of the first losses, as a share."""
    pairs = zip(losses, expected, strict=True)
    return f"{max(abs(a - b) / abs(b) for a, b in pairs):.1e}"


def main():
    """Print a row a run, then both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--compile", action="store_true", help="a row of it, too")
    s = parser.parse_args()
    images = toy.fundus(IMAGES, size=s.size, rng=0).images
    native = choose_precision(s.device)
    networks = {"tinyssl": ours, "torchvision": Torchvision}
    try:
        import torchvision  # noqa: F401
    except ImportError:
        print("torchvision is not installed: its rows are left out")
        del networks["torchvision"]
    short = max(COMPARED, s.steps // 4)  # steps of what stands beside
    speeds, losses = [], []
    for name in TASKS:
        runs = [(network, native, False) for network in networks]
        runs += [("tinyssl", "float32", False)] * (native != "float32")
        runs += [("tinyssl", native, True)] * s.compile
        for network, precision, compiled in runs:
            how = {"device": s.device, "precision": precision, "compile": compiled}
            steps = s.steps if (network, precision, compiled) == runs[0] else short
            result = trained(name, networks[network], images, steps, s, **how)
            label = network + " compiled" * compiled
            speeds.append((name, label, precision, *map("{:.2f}".format, result[1:])))
            speeds[-1] += (f"{result[0][-1]:.4f}",)
            print(" | ".join(speeds[-1]), flush=True)
        torch.backends.cudnn.allow_tf32 = False  # float32, not nearly
        threads = 1 if s.device == "cpu" else cores()
        hows = [{"device": "cpu", "precision": "float32", "threads": threads}]
        hows += [{"device": s.device, "precision": p} for p in ("float32", native)]
        expected, *found = (
            trained(name, ours, images, COMPARED, s, lr=SLOW, **how)[0] for how in hows
        )
        torch.backends.cudnn.allow_tf32 = True
        rate = f"{made(name, images, s):,.0f}"
        losses.append((name, rate, *(apart(some, expected) for some in found)))
    print(f"\nDenseNet-121, {s.size} px, {s.batch_size} images a step, {s.device}:")
    print(f"{s.steps} steps in the first row of each task, {short} in the others\n")
    show(HEAD, speeds)
    print(f"\nlosses of the first {COMPARED} steps, off the CPU's at float32 by\n")
    native = f"{s.device}, {native}"
    show(("task", "batches made, images/s", f"{s.device}, float32", native), losses)


def show(head, rows):
    """Print a table."""
    print(" | ".join(head), " | ".join("---" for _ in head), sep="\n")
    for row in rows:
        print(" | ".join(row))


if __name__ == "__main__":
    main()
