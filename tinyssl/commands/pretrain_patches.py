"""``tinyssl pretrain --encoder unet``: learn from patches of photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs
from tinyssl.commands import vessel_pages
from tinyssl.commands.annotated import (
    FIELD_WIDTH,
    WIDTHS,
    held_out,
    network_of,
    read_photographs,
)
from tinyssl.commands.prepare import choose_device
from tinyssl.commands.pretrain import mean_rows
from tinyssl.commands.say import Say, silent
from tinyssl.data import open_dataset
from tinyssl.data.resize import resize
from tinyssl.downstream import label_counts


def pretrain_patches(
    data: str | Path,
    *,
    out: Path,
    task: str = "restoration",
    unlabelled: Sequence[str | Path] = (),
    field_width: int = FIELD_WIDTH,
    widths: Sequence[int] = WIDTHS,
    steps: int = 600,
    batch_size: int = 32,
    lr: float = 3e-3,
    task_options: dict[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    skip_bad: bool = False,
    say: Say = silent,
) -> dict[str, Any]:
    """Learn from patches with a U-Net; leave encoder.pt in the run folder.

    Parameters
    ----------
    data : path
        Its held-out images are not used.
    out : path
        Run folder.
    task : {"restoration", "rotation", "shuffling"}
    unlabelled : sequence of paths
        More data sets, all of whose images are used.
    field_width : int
        Pixels across the field of view at which patches are cut; 0 is the
        photographs' own. As `segment` will look.
    widths : sequence of int
        Of the U-Net; see `tinyssl.models.UNet`.
    steps, batch_size, lr, seed, device
        See ``tinyssl.training.train``; "auto" takes the fastest device.
    task_options : dict, optional
        Keyword arguments of the task: "patch_size" and "num_swaps", say. Without
        "standardise" it is True, for so will ``segment`` show patches.
    skip_bad : bool
        Go on without files that cannot be read.
    say : callable

    Returns
    -------
    dict
        "task", and "last": the mean of the log's last tenth.
    """
    task_options = label_counts.AS_SEGMENTED | (task_options or {})
    table = open_dataset(data, skip_bad=skip_bad)
    tables = [table.select(~held_out(table))]
    tables += [open_dataset(path, skip_bad=skip_bad) for path in unlabelled]
    settings = {"command": "pretrain", "task": task, "network": network_of(widths)}
    settings |= {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    settings |= {"task_options": task_options, "field_width": field_width}
    settings["data"] = [f"{t.root}: {len(t)} images" for t in tables]
    out = Path(out)
    runs.claim(out, settings)
    for line in settings["data"]:
        say(f"learning from {line}, no label read")
    parts = [read_photographs(t, field_width) for t in tables]
    images = [image for part in parts for image in part[0]]
    regions = [region for part in parts for region in part[1]]
    regions = [
        resize(region, image.shape[:2]) >= 0.5
        for image, region in zip(images, regions, strict=True)
    ]
    small = np.concatenate([part[2] for part in parts])
    runs.save_thumbnails(out / "thumbnails.npy", small)
    rows = label_counts.pretrain(
        task,
        images,
        regions,
        network=settings["network"] | {"out_channels": 3},
        seen=[h for t in tables for h in runs.content_hashes(t.images)],
        out=out,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        device=choose_device(device),
        progress=True,
        **task_options,
    )
    results = {"command": "pretrain", "task": task, "scores": []}
    results["last"] = [mean_rows(rows[-max(1, steps // 10) :])]
    runs.write_json(out / "results.json", results)
    vessel_pages.patch_pretraining(out, images, regions, rows, settings)
    return results
