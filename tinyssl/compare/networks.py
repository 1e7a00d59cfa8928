"""The restoring networks of a run, and the images that they have not seen."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyssl import runs
from tinyssl.compare.restored import disorder_and_restore
from tinyssl.data import Table, load_images, open_dataset
from tinyssl.data.copies import content_groups, seen_before, thumbnails
from tinyssl.data.images import round_mask
from tinyssl.pretext.inputs import common_field
from tinyssl.pretext.restoration import ContextRestoration
from tinyssl.pretraining import load_pretext
from tinyssl.training import choose_device


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
        raise ValueError(
            f"{run} learned from patches (--encoder unet): whole images need "
            "--encoder small, sononet or densenet121"
        )
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
