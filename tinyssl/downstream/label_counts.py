"""How many drawn images does a segmentation need? Scratch beside pretrained.

For each number of labelled images and each seed, every start is trained on the same
images with the same steps, batches and views, and scored on the same held-out
images. A last start is scratch with the pretraining's steps on top of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tinyssl import models, runs
from tinyssl.downstream.annotated import Annotated, score
from tinyssl.downstream.patches import OnPatches
from tinyssl.downstream.segmentation import Segmentation
from tinyssl.downstream.starts import Start
from tinyssl.jobs import run_jobs
from tinyssl.pretext import build_task
from tinyssl.summary import SAME_COMPUTE, SCRATCH, slug
from tinyssl.training import fastest_layout, train

AS_SEGMENTED = {"standardise": True}  # as Segmentation shows patches
PARTS = {"encoder": ("down.", "encoder."), "network": ("down.", "encoder.", "decoder.")}


@dataclass(frozen=True)
class Comparison:
    """What all fine-tuning jobs share; see `label_counts`."""

    train: Annotated
    test: Annotated
    network: dict[str, Any]
    inits: dict[str, Start]
    batch_size: int
    lr: float
    device: str
    focus: float
    views: int
    thin: bool


def pretrain(
    name: str,
    images: list[NDArray[np.uint8]],
    regions: list[NDArray[np.bool_]],
    *,
    network: dict[str, Any],
    seen: Sequence[str],
    out: Path,
    steps: int = 600,
    batch_size: int = 32,
    lr: float = 3e-3,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
    **task_options: Any,
) -> list[dict[str, float]]:
    """Learn from patches of images without labels; keep the network.

    Parameters
    ----------
    name : {"restoration", "rotation", "shuffling"}
        Pretext task.
    images, regions : lists of arrays
        Prepared images and their fields of view. Images of the test patients do not
        belong here.
    network : dict
        Configuration of the network that will segment, as
        `tinyssl.models.from_config` takes it; this one has an output a colour.
    seen : sequence of str
        Content hashes of the images, for ``encoder.pt``.
    out : Path
        Run folder; a stopped run goes on where it was. ``encoder.pt`` is left there.
    steps, batch_size, lr, seed, device
        See `tinyssl.training.train`. Threads and memory layout are measured.
    progress : bool
        Draw a bar on stderr.
    **task_options
        Of the task: ``patch_size`` and ``num_swaps``, say; ``standardise`` is True.

    Returns
    -------
    list of dict
        The rows of `tinyssl.training.train`.
    """
    torch.manual_seed(seed)
    task_options = AS_SEGMENTED | task_options
    restoring = network | {"out_channels": images[0].shape[-1]}
    task = OnPatches(build_task(name, models.from_config(restoring), **task_options))
    data = (images, regions)
    threads, channels_last = fastest_layout(task, data, batch_size=batch_size)
    options = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    options |= {"threads": threads, "channels_last": channels_last, "device": device}
    rows = train(task, data, out=out, progress=progress, **options)
    runs.save_encoder(out / "encoder.pt", task.encoder, task=name, seen=seen)
    runs.save_state(out / "task.pt", task.state_dict())
    return rows


def start_from(network: torch.nn.Module, path: Path, *, transfer: str) -> None:
    """Copy the weights of a pretrained network, its encoder or all but the head.

    Parameters
    ----------
    network : UNet or DenseUNet
        Changed in place.
    path : Path
        File written by `pretrain`, of the same architecture.
    transfer : {"encoder", "network"}
        The head is always new: colours were asked of the old one.

    Raises
    ------
    ValueError
        If the file is damaged or was made for another architecture, or its task
        trained no decoder and transfer is "network".
    """
    if transfer not in PARTS:
        raise ValueError(f"transfer must be one of {sorted(PARTS)}, found {transfer!r}")
    saved, known = runs.load_encoder(path)
    if transfer == "network" and known["task"] == "rotation":
        raise ValueError(f"{path}: rotation trains no decoder that could be carried")
    weights = network.state_dict()
    weights |= {
        name: tensor
        for name, tensor in saved.state_dict().items()
        if name.startswith(PARTS[transfer])
    }
    models.load_weights(network, weights)


def finetune(shared: Comparison, job: dict[str, Any]) -> dict[str, Any]:
    """Train one start on some labelled images; score what was held out."""
    torch.manual_seed(job["seed"])  # one seed for every start: same head and batches
    network = models.from_config(shared.network)
    task = Segmentation(network, focus=shared.focus)
    if job["init"] in shared.inits:
        init = shared.inits[job["init"]]
        start_from(task.network, init.encoder, transfer=init.transfer)
    log = train(
        task,
        shared.train.select(job["chosen"]),
        steps=job["steps"],
        batch_size=shared.batch_size,
        lr=shared.lr,
        seed=job["seed"],
        device=shared.device,
    )
    scores = score(task, shared.test, views=shared.views, thin=shared.thin)
    if job["save"]:
        runs.save_state(Path(job["save"]), task.state_dict())
    row = {key: job[key] for key in ("init", "labels", "chosen", "steps")}
    return row | {"fold": job["seed"], "seconds": log[-1]["seconds"]} | scores


def label_counts(
    train_part: Annotated,
    test_part: Annotated,
    *,
    network: dict[str, Any],
    inits: dict[str, Start],
    out: Path,
    counts: Sequence[int] = (1, 2, 5),
    seeds: int = 5,
    steps: int = 150,
    pretrain_images: int = 0,
    batch_size: int = 16,
    lr: float = 3e-3,
    device: str = "cpu",
    focus: float = 0.0,
    views: int = 1,
    thin: bool = True,
    workers: int = 1,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Fine-tune scratch and each pretrained start on the same few labelled images.

    Parameters
    ----------
    train_part, test_part : Annotated
        No patient in both.
    network : dict
        Configuration of the network, as `tinyssl.models.from_config` takes it.
    inits : dict of name to Start
        What stands beside scratch. The head is always new.
    out : Path
        Finished jobs leave a file here, so a stopped comparison goes on.
    counts : sequence of int
        Numbers of labelled images; "all" is ``len(train_part.images)``.
    seeds : int
        Repetitions. A seed draws the labelled images (two are among the same seed's
        five), the first weights and the batches.
    steps, batch_size, lr, device
        Fine-tuning budget, the same for every start.
    pretrain_images : int
        Patches that pretraining processed (its steps times its batch size). If not
        0, the start "scratch, same compute" trains on that many more.
    focus : float
        Share of the training patches that hold the object; see `Segmentation`.
    views, thin
        How held-out images are looked at and scored; see
        `tinyssl.downstream.annotated.score`.
    workers : int
        Processes.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    list of dict
        One row a start, count and seed, in the form `tinyssl.summary.summarise`
        takes with ``metric="dice", by="labels"``: "init", "labels", "fold" (the
        seed), "chosen", "steps", "seconds", and what
        `tinyssl.downstream.annotated.score` returns.

    Notes
    -----
    The paired interval over seeds covers the choice of labelled images, of first
    weights and of batches. It does not cover the choice of test images, nor of the
    one pretraining that all rows share.
    """
    starts = {SCRATCH: steps} | dict.fromkeys(inits, steps)
    if pretrain_images:
        starts[SAME_COMPUTE] = steps + math.ceil(pretrain_images / batch_size)
    jobs = []
    for seed in range(seeds):
        order = np.random.default_rng([seed, 2]).permutation(len(train_part.images))
        for labels in counts:
            if not 1 <= labels <= len(order):
                raise ValueError(
                    f"counts must lie in 1..{len(order)} images, found {labels}"
                )
            for init, its_steps in starts.items():
                job = {"init": init, "labels": labels, "seed": seed, "steps": its_steps}
                job["chosen"] = sorted(order[:labels].tolist())
                name = f"{slug(init)}-{labels}"
                job["save"] = str(out / f"models/{name}.pt") if seed == 0 else None
                job["file"] = str(out / f"jobs/{name}-seed{seed}.json")
                jobs.append(job)
    shared = Comparison(
        train=train_part,
        test=test_part,
        network=network,
        inits=inits,
        batch_size=batch_size,
        lr=lr,
        device=device,
        focus=focus,
        views=views,
        thin=thin,
    )
    key = {"network": network, "batch_size": batch_size, "lr": lr}
    key |= {"focus": focus, "views": views, "thin": thin}
    drawn = [*train_part.masks, *test_part.masks]
    key |= {"data": runs.fingerprint([*train_part.images, *test_part.images, *drawn])}
    for name, init in inits.items():
        key[name] = [init.transfer, *runs.content_hashes([init.encoder])]
    return run_jobs(finetune, shared, jobs, key=key, workers=workers, progress=progress)
