"""``tinyssl localize`` and ``laterality``: a few labelled images, scratch beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs, summary
from tinyssl.commands import few_labels_pages
from tinyssl.commands.prepare import ENCODERS, choose_device
from tinyssl.commands.say import Say, silent
from tinyssl.data import Table, load_images, load_points, open_dataset
from tinyssl.data import folds as splits
from tinyssl.data.copies import content_groups
from tinyssl.downstream import localization
from tinyssl.downstream.few_labels import FewLabels, few_labels
from tinyssl.downstream.laterality import EYES
from tinyssl.downstream.starts import images_processed, name_starts, scale_notes

METRICS = {"localization": ("error", "within"), "laterality": ("accuracy", "auc")}


def compare_few(
    target: str,
    data: str | Path,
    *,
    out: Path,
    inits: Sequence[Path] = (),
    transfer: Sequence[str] = ("encoder",),
    encoder: str = "sononet",
    size: int | None = None,
    counts: Sequence[int | str] = (1, 2, 5, 10, "all"),
    folds: int = 5,
    repeats: int = 1,
    steps: int = 150,
    batch_size: int = 16,
    lr: float = 3e-3,
    same_compute: bool = True,
    seed: int = 0,
    device: str = "auto",
    skip_bad: bool = False,
    workers: int = 1,
    say: Say = silent,
) -> dict[str, Any]:
    """Compare starts by number of labelled images, in cross-validation.

    Parameters
    ----------
    target : {"localization", "laterality"}
    data : path
        A data set with the points "disc" and "fovea"; for laterality one that says
        left or right, or has these points, which say it too.
    out : path
        Run folder.
    inits : sequence of paths
        Run folders of ``pretrain`` without ``--folds``.
    transfer : sequence of {"encoder", "network"}
        What is carried over; with both, each start that has a decoder stands twice.
    encoder, size
        For scratch alone: with ``inits`` those of the pretraining.
    counts, repeats, steps, batch_size, lr
        See ``tinyssl.downstream.few_labels.few_labels``.
    folds : int
        Patients and identical images are never parted.
    same_compute : bool
        Add the row "scratch, same compute".
    seed, device, skip_bad, workers, say
        See ``tinyssl.commands.prepare.open_study``.

    Returns
    -------
    dict
        What ``results.json`` holds: "rows", "summary" and "notes".
    """
    out = Path(out)
    known = agree(inits)
    starts = name_starts(inits, transfer if target == "localization" else ())
    config = known.get("encoder") or ENCODERS[encoder]().config
    if size and known and size != known["size"]:
        raise ValueError(f"--size {size} must be {known['size']}, as pretraining had")
    table = open_dataset(data, skip_bad=skip_bad)
    side, cache = known.get("size") or size or 96, out.parent / ".tinyssl-cache"
    images, table = load_images(table, side, cache=cache, skip_bad=skip_bad)
    images, truth = np.asarray(images), read_truth(target, table, side)
    usable = np.isfinite(truth).reshape(len(truth), -1).all(1)
    images, truth, table = images[usable], truth[usable], table.select(usable)
    refuse_seen([start.run for start in starts.values()], table)
    eyes = truth if target == "laterality" else np.zeros(len(truth), np.int64)
    groups = content_groups(images, table.patient)
    fold = splits.stratified_group_folds(eyes.astype(np.int64), groups, folds, rng=seed)
    shared = FewLabels(
        target=target,
        images=images,
        truth=eyes.astype(np.int64) if target == "laterality" else truth,
        fold=fold,
        encoder=config,
        inits=starts,
        disc_diameter=disc_diameter(table),
        batch_size=batch_size,
        lr=lr,
        device=choose_device(device),
    )
    say(f"{data}: {len(images)} labelled images at {side} px, {folds} folds")
    for line in scale_notes(inits, standardised=False):
        say(line)
    settings = {"command": target, "data": str(data), "size": side, "counts": counts}
    settings |= {"inits": [str(run) for run in inits], "transfer": list(transfer)}
    settings |= {"encoder": config, "folds": folds, "repeats": repeats, "steps": steps}
    settings |= {"batch_size": batch_size, "lr": lr, "seed": seed}
    runs.claim(out, settings | {"same_compute": same_compute})
    rows = few_labels(
        shared,
        out=out,
        counts=counts,
        repeats=repeats,
        steps=steps,
        pretrain_images=max(map(images_processed, inits), default=0) * same_compute,
        workers=workers,
        progress=True,
    )
    results = {"command": target, "rows": rows}
    results |= tables(rows, METRICS[target], folds)
    results["notes"] = {"labelled images": len(images), "folds": folds}
    runs.write_json(out / "results.json", results)
    few_labels_pages.comparison(out, shared, results)
    return results


def tables(
    rows: list[dict[str, Any]], metrics: Sequence[str], folds: int
) -> dict[str, Any]:
    """Summarise the rows by each metric; the first is the main one."""
    share = 1 / (folds - 1)
    first, *others = (
        summary.summarise(rows, metric=m, by="labels", test_share=share)
        for m in metrics
    )
    more = dict(zip(metrics[1:], others, strict=True))
    return {"summary": first, "more": more}


def disc_diameter(table: Table) -> float:
    """Return the diameter of a disc as a share of the field's width."""
    toy = table.layout == "toy"
    return localization.TOY_DISC_DIAMETER if toy else localization.DISC_DIAMETER


def read_truth(target: str, table: Table, side: int) -> np.ndarray:
    """Return points (N, 2, 2), or eyes (N,); nan where unknown.

    Where no file says which eye it is, the points do: the disc of a right eye lies
    right of its fovea.
    """
    if target == "laterality" and table.eye is not None and (table.eye != "").any():
        number = {eye: float(k) for k, eye in enumerate(EYES)}
        return np.array([number.get(eye, np.nan) for eye in table.eye])
    lacking = [name for name in localization.POINTS if name not in table.points]
    if lacking:
        what = "which eye it is, or " if target == "laterality" else ""
        raise ValueError(
            f"{table.root}: {target} needs {what}the points disc and fovea, "
            f"found {', '.join(table.points) or 'none'}"
        )
    points = [load_points(table, name, side) for name in localization.POINTS]
    if target == "localization":
        return np.stack(points, 1)
    apart = points[0][:, 1] - points[1][:, 1]
    return np.where(np.isfinite(apart), (apart > 0).astype(float), np.nan)


def agree(inits: Sequence[Path]) -> dict[str, Any]:
    """Return the encoder and the size that the runs share, or refuse them."""
    known: dict[str, Any] = {}
    for run in map(Path, inits):
        config = runs.read_config(run)
        if config.get("folds"):
            raise ValueError(f"--init {run} has an encoder a fold: pretrain without")
        agreed = {"encoder": config.get("encoder"), "size": config.get("size")}
        if known and known != agreed:
            raise ValueError(f"--init {run} has another encoder or size than the first")
        known = agreed
    return known


def refuse_seen(inits: Sequence[Path], table: Table) -> None:
    """Refuse an encoder that was pretrained on any of the labelled images."""
    hashes = runs.content_hashes(table.images)
    for run in dict.fromkeys(inits):
        seen = set(runs.load_encoder(run / "encoder.pt")[1]["seen"])
        leaked = sum(hashed in seen for hashed in hashes)
        if leaked:
            raise ValueError(
                f"--init {run} was pretrained on {leaked} of the {len(table)} labelled "
                "images: pretrain on others"
            )
