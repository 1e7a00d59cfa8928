"""How well a run's networks restore disordered images, beside returning its input."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tinyssl import runs
from tinyssl.compare.comparison import bootstrap, known_bias, pair_scores
from tinyssl.data import Table, load_images, open_dataset
from tinyssl.data.copies import content_groups, seen_before, thumbnails
from tinyssl.data.images import round_mask
from tinyssl.metrics import frechet_distance
from tinyssl.pretext.inputs import common_field
from tinyssl.pretext.restoration import ContextRestoration
from tinyssl.pretraining import load_pretext
from tinyssl.training import choose_device, to_tensor

WAYS = ("restored", "copy")  # copy: the disordered image as it is
SCORES = ("ssim", "mse", "mse_swapped", "mse_unswapped")
BATCH = 64  # images restored at once


@dataclass(frozen=True, eq=False)
class Restored:
    """Images, what they were turned into, and what came back, as bytes."""

    images: NDArray[np.uint8]  # (N, S, S, C), as the next two
    disordered: NDArray[np.uint8]
    restored: NDArray[np.uint8]
    swaps: NDArray[np.int64]  # (N, T, 4); swap_patches undoes them with [:, ::-1]

    @property
    def changed(self):
        """Where another value was moved to, (N, S, S)."""
        return (self.disordered != self.images).any(-1)


@torch.no_grad()
def disorder_and_restore(task, images, *, numbers=None, draw=0, seed=0, field=None):
    """Disorder (N, S, S, C) bytes by one task, or by one each, and restore them.

    The disorder follows from (seed, draw, number) alone. Restored images are black
    outside the (S, S) ``field``, as the originals are.
    """
    tasks = [task] * len(images) if isinstance(task, ContextRestoration) else task
    numbers = np.arange(len(images)) if numbers is None else numbers
    swaps, disordered = [], np.empty_like(images, subok=False)
    for k, (task, number) in enumerate(zip(tasks, numbers, strict=True)):
        one, key = images[k : k + 1], [seed, draw, number]
        swaps.append(task.sample(one, np.random.default_rng(key)))
        disordered[k] = task.disorder(one, np.random.default_rng(key))[0]
    restored = np.empty_like(disordered)
    for task in dict.fromkeys(tasks):
        device = next(task.eval().parameters()).device
        places = np.flatnonzero([other is task for other in tasks])
        for part in np.split(places, range(BATCH, len(places), BATCH)):
            answer = task.restore(to_tensor(disordered[part], device))  # (n, C, S, S)
            restored[part] = np.rint(255 * answer.permute(0, 2, 3, 1).cpu().numpy())
    if field is not None:
        restored[:, ~field] = 0
    return Restored(np.asarray(images), disordered, restored, np.concatenate(swaps))


def score_images(found):
    """Score every image, "restored" and "copy", also inside and outside the changes."""
    rows = []
    for k, (image, changed) in enumerate(zip(found.images, found.changed, strict=True)):
        row = {}
        for way, others in zip(WAYS, (found.restored, found.disordered), strict=True):
            row[way] = pair_scores(image, others[k])
            squared = np.square(image / 255 - others[k] / 255).mean(-1)  # (S, S)
            for key, where in (("mse_swapped", changed), ("mse_unswapped", ~changed)):
                row[way][key] = float(squared[where].mean()) if where.any() else np.nan
        rows.append(row)
    return rows


def summarise(rows, *, groups=None, rng=0):
    """Average each score of `score_images`: "restored", "copy", their "difference"."""
    table = {}
    for key in SCORES:
        restored, copied = (np.array([row[way][key] for row in rows]) for way in WAYS)
        ways = {"restored": restored, "copy": copied, "difference": restored - copied}
        table[key] = {
            way: bootstrap(values, groups=groups, rng=rng)
            for way, values in ways.items()
        }
    return table


def set_distances(originals, restored, disordered, *, groups=None, rng=0):
    """Frechet distance of the restored and of the disordered set to the originals.

    "same" has the same images on both sides: what is peculiar to this sample cancels.
    "halves" has originals of half the patients beside the other half's images ("floor":
    originals on both sides): the mean of 20 halvings, and where nine tenths lie, which
    is no interval, for they share images. None with fewer than 4 patients.
    """
    rng = np.random.default_rng(rng)
    labels = np.arange(len(originals)) if groups is None else groups
    names, halves = np.unique(labels), []
    sides = (restored, disordered, originals)
    with known_bias():
        same = [frechet_distance(originals, features) for features in sides[:2]]
        for _ in range(20 if len(names) > 3 else 0):
            first = np.isin(labels, rng.permutation(names)[: len(names) // 2])
            if min(first.sum(), (~first).sum()) > 1:
                real, rest = originals[first], [features[~first] for features in sides]
                halves.append([frechet_distance(real, other) for other in rest])
    result = {"n": len(originals), "d": originals.shape[1]}
    result["same"] = dict(zip(WAYS, same, strict=True))
    if halves:
        result["halves"] = {}
        for way, values in zip((*WAYS, "floor"), np.transpose(halves), strict=True):
            low, high = np.quantile(values, [0.05, 0.95]).tolist()
            line = {"mean": float(np.mean(values)), "low": low, "high": high}
            result["halves"][way] = line
    return result


@dataclass(frozen=True, eq=False)
class Networks:
    """A run's networks, and the N images that they can be asked to restore."""

    tasks: list[ContextRestoration]  # for each image one blind to it, if there is one
    unseen: NDArray[np.bool_]  # (N,): whether there is
    encoder: Path  # of the first network
    table: Table
    images: NDArray[np.uint8]  # (N, S, S, 3)
    groups: NDArray[np.int64]  # (N,): patients and copies

    @property
    def swapping(self):
        """Whether images are disordered by swaps alone, which then undo it."""
        return type(self.tasks[0]).disorder is ContextRestoration.disorder

    def restore(self, index, *, seed, draw=0):
        """Disorder and restore some of the images, by their positions."""
        field = round_mask(self.images.shape[1]) if self.table.is_fundus else None
        options = {"numbers": index, "draw": draw, "seed": seed, "field": field}
        tasks = [self.tasks[i] for i in index]
        return disorder_and_restore(tasks, self.images[index], **options)


def open_networks(run, data, *, skip_bad, device):
    """Rebuild the networks of a run, and read images as it read its own."""
    config = runs.read_config(run)
    found = f"{config.get('command')} {config.get('task', '')}".strip()
    other = f"{run} must be a run of pretrain with a task that restores images: {found}"
    if config.get("command") != "pretrain":
        raise ValueError(other)
    if config.get("patch_size") or "size" not in config:
        rule = "whole images need --encoder small, sononet or densenet121"
        raise ValueError(f"{run} learned from patches (--encoder unet): {rule}")
    folders = sorted(run.glob("fold*")) if config["folds"] else [run]
    folders = [folder for folder in folders if (folder / "task.pt").is_file()]
    if not folders:
        raise ValueError(f"{run} has no task.pt: its pretraining was not finished")
    tasks = [load_pretext(folder, config) for folder in folders]
    if not isinstance(tasks[0], ContextRestoration):
        raise ValueError(other)
    table = open_dataset(data, skip_bad=skip_bad)
    table = replace(table, is_fundus=config["is_fundus"])
    images, table = load_images(table, config["size"], skip_bad=skip_bad)
    region = common_field(images) if table.is_fundus else None
    for task in tasks:
        task.to(choose_device(device)).region = region
    # What each network learned from: the same file, or one saved again
    hashes, small = runs.content_hashes(table.images), thumbnails(images)
    blind = np.empty((len(folders), len(images)), bool)
    for k, folder in enumerate(folders):
        seen = np.isin(hashes, runs.load_plain(folder / "encoder.pt")["seen"])
        again = seen_before(runs.load_thumbnails(folder / "thumbnails.npy"), small)
        blind[k] = ~(seen | again)
    tasks = [tasks[k] for k in blind.argmax(0)]  # the first that is
    groups, encoder = content_groups(images, table.patient, small), "encoder.pt"
    return Networks(tasks, blind.any(0), folders[0] / encoder, table, images, groups)
