"""A few labelled images: scratch beside pretrained, in cross-validation.

For localisation and laterality. In each fold every start is trained on the same
labelled images with the same steps, batches and views, and scored on what the fold
holds out. Pretraining has seen none of these images at all. For vessels, whose
images are few and large, see `tinyssl.downstream.label_counts`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tinyssl import models, runs
from tinyssl.downstream import laterality, localization
from tinyssl.downstream.starts import Start
from tinyssl.jobs import run_jobs
from tinyssl.pretext import Restorer
from tinyssl.summary import SAME_COMPUTE, SCRATCH, slug
from tinyssl.training import train

TARGETS = ("localization", "laterality")
BASELINE = {"localization": "mean place", "laterality": "majority eye"}


@dataclass(frozen=True)
class FewLabels:
    """What all jobs of one comparison share.

    Parameters
    ----------
    target : {"localization", "laterality"}
    images : (N, S, S, C) uint8 array
        All labelled.
    truth : (N, 2, 2) float array of points (disc and fovea, each (y, x)), or (N,) int
        array of eyes (0 left, 1 right)
    fold : (N,) int array
        The fold in which an image is held out; patients whole.
    encoder : dict
        As `tinyssl.models.from_config` takes it.
    inits : dict of name to Start
        What stands beside scratch.
    disc_diameter : float
        As a share of the side; localisation is scored in it.
    batch_size, lr, device
        See `tinyssl.training.train`.
    """

    target: str
    images: NDArray[np.uint8]
    truth: NDArray
    fold: NDArray[np.int64]
    encoder: dict[str, Any]
    inits: dict[str, Start] = field(default_factory=dict)
    disc_diameter: float = localization.DISC_DIAMETER
    batch_size: int = 16
    lr: float = 3e-3
    device: str = "cpu"


def build(target: str, encoder: nn.Module) -> nn.Module:
    """Put the head of a target task on an encoder."""
    if target == "laterality":
        return laterality.Laterality(encoder)
    points = len(localization.POINTS)
    return localization.Localization(Restorer(encoder, channels=points))


def start_from(task: nn.Module, start: Start) -> None:
    """Copy pretrained weights into a target task: the encoder, or the decoder too.

    Raises
    ------
    ValueError
        If the run was of another architecture, or has no decoder to carry over, or
        the task has none to receive it.
    """
    saved, _ = runs.load_encoder(start.encoder)
    models.load_weights(task.encoder, saved.state_dict())
    if start.transfer == "encoder":
        return
    state = runs.load_plain(start.run / "task.pt")
    decoder = {
        name.removeprefix("network.decoder."): tensor
        for name, tensor in state.items()
        if name.startswith("network.decoder.")
    }
    if not decoder or not hasattr(task, "network"):
        what = "target task" if decoder else f"run {start.run}"
        raise ValueError(f"transfer=network needs a decoder, the {what} has none")
    own = task.network.decoder.state_dict()
    own |= {n: t for n, t in decoder.items() if t.shape == own[n].shape}  # not colours
    task.network.decoder.load_state_dict(own)


def finetune(shared: FewLabels, job: dict[str, Any]) -> dict[str, Any]:
    """Train one start on a few labelled images; score what its fold holds out."""
    torch.manual_seed(job["seed"])  # one seed for every start: same head and batches
    task = build(shared.target, models.from_config(shared.encoder))
    if job["init"] in shared.inits:
        start_from(task, shared.inits[job["init"]])
    log = train(
        task,
        (shared.images[job["chosen"]], shared.truth[job["chosen"]]),
        steps=job["steps"],
        batch_size=shared.batch_size,
        lr=shared.lr,
        seed=job["seed"],
        device=shared.device,
    )
    held = np.flatnonzero(shared.fold == job["fold"])
    answers = answer(shared.target, task, shared.images[held])
    if job["save"]:
        runs.save_state(Path(job["save"]), task.state_dict())
    row = {key: job[key] for key in ("init", "labels", "chosen", "steps")}
    row |= {"fold": job["run"], "seconds": log[-1]["seconds"]}
    row |= {"held": held.tolist(), "answers": np.round(answers, 3).tolist()}
    return row | score(shared, held, answers)


def answer(target: str, task: nn.Module, images: NDArray[np.uint8]) -> NDArray:
    """Return points, or probabilities of a right eye."""
    if target == "laterality":
        return laterality.predict(task, images)
    return localization.predict(task, images)[0]


def score(
    shared: FewLabels, index: NDArray[np.int64], answers: NDArray
) -> dict[str, float]:
    """Score the answers to some of the images."""
    truth = shared.truth[index]
    if shared.target == "laterality":
        return laterality.evaluate(truth, answers)
    side = shared.images.shape[1]
    return localization.evaluate(
        truth, answers, side=side, disc_diameter=shared.disc_diameter
    )


def draw(part: NDArray[np.int64], truth: NDArray, *, rng: Any) -> NDArray[np.int64]:
    """Order a fold's training images at random; classes take turns at the head.

    Examples
    --------
    >>> order = draw(np.arange(6), np.array([0, 0, 0, 0, 0, 1]), rng=0)
    >>> 5 in order[:2]
    True
    """
    part = np.random.default_rng(rng).permutation(part)
    if truth.ndim > 1:
        return part
    place = np.empty(len(part))
    for eye in np.unique(truth[part]):
        place[truth[part] == eye] = np.arange((truth[part] == eye).sum())
    return part[np.argsort(place, kind="stable")]


def few_labels(
    shared: FewLabels,
    *,
    out: Path,
    counts: Sequence[int | str] = (1, 2, 5, 10, "all"),
    repeats: int = 1,
    steps: int = 150,
    pretrain_images: int = 0,
    workers: int = 1,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Fine-tune every start on the same few labelled images, fold by fold.

    Parameters
    ----------
    shared : FewLabels
    out : Path
        Finished jobs leave a file here, so a stopped comparison goes on.
    counts : sequence of int or "all"
        Numbers of labelled images; a smaller draw lies inside a larger one.
    repeats : int
        Times the cross-validation is done, with other draws, weights and batches.
    steps : int
        Fine-tuning budget, the same for every start.
    pretrain_images : int
        Images that the longest pretraining processed. If not 0, the start "scratch,
        same compute" trains on that many more.
    workers : int
        Processes.
    progress : bool
        Draw a bar on stderr.

    Returns
    -------
    list of dict
        One row a start, count, fold and repeat, in the form
        `tinyssl.summary.summarise` takes with ``by="labels"``; "fold" counts through
        the repeats. The rows of the baseline that sees nothing are last.

    Raises
    ------
    ValueError
        If a count is larger than the smallest training part.
    """
    starts = {SCRATCH: steps} | dict.fromkeys(shared.inits, steps)
    if pretrain_images:
        starts[SAME_COMPUTE] = steps + math.ceil(pretrain_images / shared.batch_size)
    jobs = []
    for run, fold, labels, chosen in draws(shared, counts, repeats):
        for init, its_steps in starts.items():
            job = {"init": init, "labels": labels, "fold": fold, "run": run}
            job |= {"seed": run, "steps": its_steps, "chosen": chosen}
            name = f"{slug(init)}-{labels}"
            job["save"] = str(out / f"models/{name}.pt") if run == 0 else None
            job["file"] = str(out / f"jobs/{name}-run{run}.json")
            jobs.append(job)
    key = {"target": shared.target, "encoder": shared.encoder, "lr": shared.lr}
    key |= {"batch_size": shared.batch_size, "truth": shared.truth, "fold": shared.fold}
    key |= {"data": runs.fingerprint(shared.images)}
    for name, start in shared.inits.items():
        key[name] = [start.transfer, *runs.content_hashes([start.encoder])]
    rows = run_jobs(finetune, shared, jobs, key=key, workers=workers, progress=progress)
    return rows + baseline(shared, counts, repeats)


def draws(shared: FewLabels, counts: Sequence[int | str], repeats: int):
    """Yield each run's number, its fold, a number of labels, and which images."""
    folds = int(shared.fold.max()) + 1
    least = min(int((shared.fold != fold).sum()) for fold in range(folds))
    for run in range(repeats * folds):
        fold = run % folds
        part = np.flatnonzero(shared.fold != fold)
        order = draw(part, shared.truth, rng=[run, 3])
        for count in counts:
            if count != "all" and not 1 <= count <= least:
                raise ValueError(f"counts must lie in 1..{least}, found {count}")
            labels = least if count == "all" else count
            yield run, fold, labels, sorted(order[:labels].tolist())


def baseline(
    shared: FewLabels, counts: Sequence[int | str], repeats: int
) -> list[dict[str, Any]]:
    """Score the baseline that sees no image: the mean place, or the majority eye."""
    rows = []
    for run, fold, labels, chosen in draws(shared, counts, repeats):
        held = np.flatnonzero(shared.fold == fold)
        truth = shared.truth[chosen]
        if shared.target == "laterality":
            answers = np.full(len(held), float(truth.mean() > 0.5))
        else:
            answers = localization.guess(truth, len(held))
        row = {"init": BASELINE[shared.target], "labels": labels, "fold": run}
        rows.append(row | score(shared, held, answers))
    return rows
