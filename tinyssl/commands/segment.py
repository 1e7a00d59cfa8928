"""``tinyssl segment``: find vessels with few drawn images, scratch beside pretrained.

Networks look at patches of photographs in their own resolution. The held-out images
are the official test part of a data set; where there is none, those of the last
fifth of the patients in the order of their names. Pretraining leaves them out too.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs, summary
from tinyssl.commands import vessel_pages
from tinyssl.commands.prepare import Say, choose_device, cores, silent
from tinyssl.commands.pretrain import mean_rows
from tinyssl.data import Table, open_dataset
from tinyssl.data.images import field_of_view, read_image, read_mask
from tinyssl.downstream import label_counts
from tinyssl.downstream.label_counts import Annotated, Start
from tinyssl.downstream.segmentation import prepare

NETWORK = {"name": "UNet", "in_channels": 3, "widths": [16, 32, 64]}


def held_out(table: Table) -> np.ndarray:
    """Say which images are for testing only.

    Parameters
    ----------
    table : Table

    Returns
    -------
    (N,) bool array
        The official test images; without them those of the last fifth of the
        patients (at least one), or of the images where no patient is known.
    """
    if table.split is not None and (table.split == "test").any():
        return table.split == "test"
    names = np.array(table.names) if table.patient is None else table.patient
    order = np.unique(names)
    return np.isin(names, order[-max(1, len(order) // 5) :])


def read_regions(table: Table, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the field of view of each image: as shipped, else as found."""
    shipped = table.region if table.region is not None else [None] * len(table)
    return [
        field_of_view(image) if region is None else loaded(region, read_mask)
        for image, region in zip(images, shipped, strict=True)
    ]


def loaded(item: Path | np.ndarray, read: Callable[[Path], np.ndarray]) -> np.ndarray:
    """Read a file; pixels given as an array are there already."""
    return read(item) if isinstance(item, Path) else item


def read_prepared(table: Table) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Read photographs at full size; return them prepared, and their fields of view."""
    with ThreadPoolExecutor(cores()) as pool:
        images = list(pool.map(lambda item: loaded(item, read_image), table.images))
        regions = read_regions(table, images)
        prepared = list(pool.map(prepare, images, regions))
    return prepared, regions


def pretrain_patches(
    data: str | Path,
    *,
    out: Path,
    task: str = "restoration",
    unlabelled: Sequence[str | Path] = (),
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
    steps, batch_size, lr, seed, device
        See ``tinyssl.training.train``; "auto" takes the fastest device.
    task_options : dict, optional
        Keyword arguments of the task: "patch_size" and "num_swaps", say.
    skip_bad : bool
        Go on without files that cannot be read.
    say : callable

    Returns
    -------
    dict
        "task", and "last": the mean of the log's last tenth.
    """
    table = open_dataset(data, skip_bad=skip_bad)
    tables = [table.select(~held_out(table))]
    tables += [open_dataset(path, skip_bad=skip_bad) for path in unlabelled]
    settings = {"command": "pretrain", "task": task, "network": NETWORK}
    settings |= {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    settings |= {"task_options": task_options or {}}
    settings["data"] = [f"{t.root}: {len(t)} images" for t in tables]
    out = Path(out)
    runs.claim(out, settings)
    for line in settings["data"]:
        say(f"learning from {line}, no label read")
    parts = [read_prepared(t) for t in tables]
    images, regions = ([x for part in parts for x in part[k]] for k in (0, 1))
    rows = label_counts.pretrain(
        task,
        images,
        regions,
        network=NETWORK | {"out_channels": 3},
        seen=[h for t in tables for h in runs.content_hashes(t.images)],
        out=out,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        device=choose_device(device),
        progress=True,
        **(task_options or {}),
    )
    results = {"command": "pretrain", "task": task, "scores": []}
    results["last"] = [mean_rows(rows[-max(1, steps // 10) :])]
    runs.write_json(out / "results.json", results)
    vessel_pages.patch_pretraining(out, images, regions, rows, settings)
    return results


def segment(
    data: str | Path,
    *,
    out: Path,
    inits: Sequence[Path] = (),
    counts: Sequence[int | str] = (1, 2, 5, "all"),
    seeds: int = 5,
    steps: int = 150,
    all_steps: int = 1500,
    transfer: Sequence[str] = ("encoder",),
    batch_size: int = 16,
    lr: float = 3e-3,
    same_compute: bool = True,
    device: str = "auto",
    skip_bad: bool = False,
    workers: int = 1,
    say: Say = silent,
) -> dict[str, Any]:
    """Compare starts by number of drawn images; leave a report and a segmenter.

    Parameters
    ----------
    data : path
        A data set with vessel masks.
    out : path
        Run folder.
    inits : sequence of paths
        Run folders of ``pretrain --encoder unet``.
    counts : sequence of int or "all"
        Numbers of labelled images.
    seeds : int
        Repetitions with other images, weights and batches; 2 at most for "all",
        where the images are the same.
    steps, all_steps : int
        Fine-tuning budget with some, and with all labelled images.
    transfer : sequence of {"encoder", "network"}
        What is carried over; with both, each start that has a decoder stands twice.
    batch_size, lr, device
        See ``tinyssl.training.train``.
    same_compute : bool
        Add the row "scratch, same compute".
    skip_bad : bool
    workers : int
        Processes.
    say : callable

    Returns
    -------
    dict
        What ``results.json`` holds: "rows", "summary", "notes".
    """
    out = Path(out)
    table = open_dataset(data, skip_bad=skip_bad)
    if "vessel" not in table.masks:
        raise ValueError(f"{data}: segmentation needs vessel masks, found none")
    test = held_out(table)
    parts = [read_annotated(table.select(index)) for index in (~test, test)]
    N = len(parts[0].images)
    say(f"{data}: {N} training images, {int(test.sum())} held out by patient")
    starts, extra = open_starts(inits, transfer, table.select(test))
    extra *= same_compute
    settings = {"command": "segment", "data": str(data), "seeds": seeds}
    settings["inits"] = [str(run) for run in inits]
    settings |= {"counts": counts, "steps": steps, "all_steps": all_steps, "lr": lr}
    settings |= {"transfer": list(transfer), "batch_size": batch_size}
    runs.claim(out, settings | {"same_compute": same_compute})
    shared = dict(network=NETWORK, inits=starts, out=out)
    shared |= dict(batch_size=batch_size, lr=lr, pretrain_images=extra)
    shared |= dict(device=choose_device(device), workers=workers, progress=True)
    few = [int(count) for count in counts if count != "all"]
    rows = label_counts.label_counts(
        *parts, counts=few, seeds=seeds, steps=steps, **shared
    )
    if "all" in counts:
        rows += label_counts.label_counts(
            *parts, counts=[N], seeds=min(2, seeds), steps=all_steps, **shared
        )
    results = {"command": "segment", "rows": rows, "notes": notes(table, parts, test)}
    results["summary"] = summary.summarise(rows, metric="dice", by="labels")
    runs.write_json(out / "results.json", results)
    vessel_pages.segmentation(out, parts[1], results, settings | {"network": NETWORK})
    return results


def read_annotated(table: Table) -> Annotated:
    """Read images, vessel masks and fields of view at full size."""
    masks = table.masks["vessel"]
    missing = [n for n, m in zip(table.names, masks, strict=True) if m is None]
    if missing:
        raise ValueError(f"{table.root}: no vessel mask for {', '.join(missing[:10])}")
    images, regions = read_prepared(table)
    return Annotated(images, [loaded(m, read_mask) for m in masks], regions)


def open_starts(
    inits: Sequence[Path], transfer: Sequence[str], test: Table
) -> tuple[dict[str, Start], int]:
    """Name the pretrained starts; return the most images a pretraining processed."""
    starts, most = {}, 0
    for run in map(Path, inits):
        config, path = runs.read_config(run), run / "encoder.pt"
        refuse_seen(path, test)
        task = config["task"]
        parts = [p for p in transfer if task != "rotation" or p == "encoder"]
        for part in parts or ["encoder"]:
            name = task if part == "encoder" else f"{task}, with decoder"
            if name in starts:
                raise ValueError(f"--init {run} is a second run of {task}")
            starts[name] = Start(path, part)
        most = max(most, config["steps"] * config["batch_size"])
    return starts, most


def refuse_seen(path: Path, test: Table) -> None:
    """Refuse a network that was pretrained on the images it will be scored on."""
    seen = set(runs.load_encoder(path)[1]["seen"])
    leaked = sum(hashed in seen for hashed in runs.content_hashes(test.images))
    if leaked:
        raise ValueError(
            f"--init {path.parent} was pretrained on {leaked} of the {len(test)} "
            "held-out images: pretrain on this data set, which leaves them out"
        )


def notes(table: Table, parts: list[Annotated], test: np.ndarray) -> dict[str, Any]:
    """Say what was held out, and the ceiling that a second observer sets."""
    held = [name for name, out in zip(table.names, test, strict=True) if out]
    found = {"held out": ", ".join(held), "training images": len(parts[0].images)}
    others = table.select(test).masks.get("vessel_2nd")
    if others is not None and all(path is not None for path in others):
        others = [read_mask(path) for path in others]
        ceiling = label_counts.second_observer(parts[1], others)
        found["second observer's Dice"] = round(ceiling, 4)
    return found
