"""What a million photographs would take: each stage measured here, then multiplied.

    python examples/million_photographs.py --gpu-images 800

Prints images a second of one core's work for decoding (JPEG, 1,536 px), for reading the
cache of decoded images, for `make_batch` of each pretext task and for a training step
of DenseNet-121, all at 224 px, and the seconds of one all-reduce of its gradients
between two processes. From these it says how long decoding and ``--epochs`` epochs take
on one machine of CPUs, on one GPU and on eight, and which stage is the slowest. The
speed of a GPU is not measured here: ``--gpu-images`` is an assumption, printed as one.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from PIL import Image

from tinyssl.data import load_images, open_dataset, toy
from tinyssl.models import densenet121
from tinyssl.pretext import find
from tinyssl.training import train

PHOTOGRAPHS, SIDE, STORED = 1_000_000, 224, 1536
TASKS = ("rotation", "restoration", "mae", "simclr")
SOME, STEPS, BATCH = 32, 4, 8
MACHINES = {"CPUs": 0, "one GPU": 1, "eight GPUs": 8}  # how many GPUs


def decoding(folder):
    """Images a second of one core, from large JPEG files to 224 px; and their cache."""
    (folder / "eyes").mkdir()
    for number, eye in enumerate(toy.fundus(SOME, size=256, rng=0).images):
        large = Image.fromarray(eye).resize((STORED, STORED))
        large.save(folder / "eyes" / f"{number}.jpg", quality=90)
    table = open_dataset(folder / "eyes")
    begun = time.process_time()
    load_images(table, SIDE, cache=folder / "cache", threads=1)
    decoded = time.process_time()
    images, _ = load_images(table, SIDE, cache=folder / "cache")
    np.array(images)
    return SOME / (decoded - begun), SOME / (time.process_time() - decoded), images


def batches(name, images):
    """Images a second of one core that a pretext task makes into batches."""
    task = find(name)
    task = task.build(densenet121(num_classes=5), image_size=SIDE)
    task.make_batch(images[:2], rng=np.random.default_rng(0))  # compiles kernels
    begun = time.process_time()
    for step in range(STEPS):
        task.make_batch(images, rng=np.random.default_rng(step))
    return STEPS * len(images) / (time.process_time() - begun)


def steps(images):
    """Images a second of one core in training."""
    task = find("rotation").build(densenet121(num_classes=5), image_size=SIDE)
    begun = time.process_time()
    train(task, [images], steps=STEPS, batch_size=BATCH)
    return STEPS * BATCH / (time.process_time() - begun)


def all_reduce(rank, place, parameters):
    """Let two processes add their gradients; write the seconds of one time."""
    how = {"init_method": f"file://{place}/meeting", "world_size": 2}
    dist.init_process_group("gloo", rank=rank, **how)
    gradients, seconds = torch.ones(parameters), []
    for _ in range(5):
        begun = time.perf_counter()
        dist.all_reduce(gradients)
        seconds.append(time.perf_counter() - begun)
    if rank == 0:
        (Path(place) / "seconds").write_text(str(np.median(seconds)))
    dist.destroy_process_group()


def hours(images, rate):
    """Return the hours that so many images take at a rate of images a second."""
    return images / rate / 3600


def main():
    """Measure, then multiply."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--gpu-images", type=float, required=True, metavar="N")
    s = parser.parse_args()
    parameters = sum(p.numel() for p in densenet121(num_classes=5).parameters())
    with tempfile.TemporaryDirectory() as place:
        decode, cache, images = decoding(Path(place))
        made = {name: batches(name, images) for name in TASKS}
        step = steps(images)
        mp.spawn(all_reduce, args=(place, parameters), nprocs=2)
        reduce = float((Path(place) / "seconds").read_text())
    print("measured, of one core | images a second\n--- | ---")
    rates = {"decode": decode, "read the cache": cache}
    rates |= {f"make_batch, {name}": rate for name, rate in made.items()}
    for name, rate in (rates | {"step of DenseNet-121": step}).items():
        print(f"{name} | {rate:,.1f}")
    print(f"\nall-reduce of {parameters:,} gradients, two processes: {reduce:.3f} s")
    print(f"assumed, not measured: a GPU trains {s.gpu_images:,.0f} images a second")
    size = PHOTOGRAPHS * SIDE * SIDE * 3 / 1e9
    print(f"the cache of {PHOTOGRAPHS:,} images of {SIDE} px: {size:,.0f} GB\n")
    shown = PHOTOGRAPHS * s.epochs
    title = f"hours, {s.cores} cores, {s.epochs} epochs"
    print(
        f"{title} | decode once | {' | '.join(MACHINES)}\n--- | --- | --- | --- | ---"
    )
    once = hours(PHOTOGRAPHS, decode * s.cores)
    slowest = min(made, key=made.get)
    for name, rate in made.items():
        found = []
        for gpus in MACHINES.values():
            # batches are made while a GPU works; on CPUs both take the same cores
            work = hours(shown, s.gpu_images * gpus if gpus else step * s.cores)
            ready = hours(shown, rate * s.cores)
            sums = shown / s.batch_size * reduce / 3600 * (gpus > 1)
            spent = max(work + sums, ready) if gpus else work + ready
            stages = {"step": work, "make_batch": ready, "all-reduce": sums}
            found.append(f"{spent:,.1f} ({max(stages, key=stages.get)})")
        print(f"{name} | {once:,.1f} | {' | '.join(found)}")
    least = s.gpu_images / made[slowest]
    print(f"\ncores that feed one GPU, {slowest}: {least:,.1f} (N / make_batch)")


if __name__ == "__main__":
    main()
