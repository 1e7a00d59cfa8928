"""``tinyssl segment``: vessels or lesions from few drawn images, scratch beside others.

Networks look at patches of photographs, shrunk to one width of the field of view. The
held-out images are the official test part of a data set; where there is none, those of
the last fifth of the patients in the order of their names. Pretraining leaves them out
too. With ``test``, all images of one data set train and all of another are scored.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import runs, summary
from tinyssl.commands import vessel_pages
from tinyssl.commands.annotated import (
    TARGETS,
    WIDTHS,
    held_out,
    loaded,
    network_of,
    read_annotated,
)
from tinyssl.commands.prepare import choose_device
from tinyssl.commands.say import Say, silent
from tinyssl.data import Table, open_dataset
from tinyssl.data.copies import seen_before, thumbnails
from tinyssl.data.images import read_image, read_mask
from tinyssl.downstream import annotated, label_counts
from tinyssl.downstream.annotated import Annotated
from tinyssl.downstream.starts import images_processed, name_starts, scale_notes
from tinyssl.downstream.thin_vessels import thin_vessels, thin_width


def segment(
    data: str | Path,
    *,
    out: Path,
    mask: str = "vessel",
    test: str | Path | None = None,
    inits: Sequence[Path] = (),
    counts: Sequence[int | str] = (1, 2, 5, "all"),
    seeds: int = 5,
    steps: int = 150,
    all_steps: int = 1500,
    transfer: Sequence[str] = ("encoder",),
    field_width: int | None = None,
    widths: Sequence[int] | None = None,
    batch_size: int = 16,
    lr: float = 3e-3,
    views: int = 1,
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
        A data set with masks.
    out : path
        Run folder.
    mask : {"vessel", "MA", "HE", "EX", "SE", "OD"}
        What to find. Training images are those that show it; all held-out images are
        scored, and the false alarms in those that do not show it count.
    test : path, optional
        Another data set, all of which is scored; then all of `data` trains.
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
    field_width : int, optional
        Pixels across the field of view at which the network looks; 0 is the
        photographs' own; by the mask if None, see `tinyssl.commands.annotated`.
    widths : sequence of int, optional
        Of the U-Net; those of the first of `inits`, else 16, 32 and 64.
    batch_size, lr, device
        See ``tinyssl.training.train``.
    views : int
        Of each held-out patch; see `tinyssl.downstream.segmentation.predict`.
    same_compute : bool
        Add the row "scratch, same compute".
    skip_bad : bool
    workers : int
        Processes.
    say : callable

    Returns
    -------
    dict
        What ``results.json`` holds: "rows", "summary" (of Dice), "more" (of another
        metric), "notes".
    """
    if mask not in TARGETS:
        raise ValueError(f"mask must be one of {', '.join(TARGETS)}, found {mask!r}")
    out, target = Path(out), TARGETS[mask]
    width = target.field_width if field_width is None else field_width
    tables = split_tables(data, test, mask=mask, skip_bad=skip_bad)
    parts = [read_annotated(table, mask, width) for table in tables]
    parts[0] = showing(parts[0], f"{data}: {mask}")
    N = len(parts[0].images)
    say(f"{data}: {N} training images, {len(tables[1])} held out")
    for run in map(Path, inits):
        refuse_width(run, width)
        refuse_seen(run, tables[1])
    for line in scale_notes(inits, standardised=True):
        say(line)
    starts = name_starts(inits, transfer)
    extra = max(map(images_processed, inits), default=0)
    if widths is None:
        widths = runs.read_config(inits[0])["network"]["widths"] if inits else WIDTHS
    network = network_of(widths)
    settings = {"command": "segment", "data": str(data), "mask": mask, "seeds": seeds}
    settings |= {"test": test and str(test), "inits": [str(run) for run in inits]}
    settings |= {"counts": counts, "steps": steps, "all_steps": all_steps, "lr": lr}
    settings |= {"transfer": list(transfer), "batch_size": batch_size, "views": views}
    settings |= {"field_width": width, "network": network}
    settings |= {"same_compute": extra > 0 and same_compute}
    runs.claim(out, settings)
    shared = dict(network=network, inits=starts, out=out, focus=target.focus)
    shared |= dict(batch_size=batch_size, lr=lr, pretrain_images=extra * same_compute)
    shared |= dict(views=views, thin=mask == "vessel")
    shared |= dict(device=choose_device(device), workers=workers, progress=True)
    few = [int(count) for count in counts if count != "all"]
    rows = label_counts.label_counts(
        *parts, counts=few, seeds=seeds, steps=steps, **shared
    )
    if "all" in counts:
        rows += label_counts.label_counts(
            *parts, counts=[N], seeds=min(2, seeds), steps=all_steps, **shared
        )
    results = {"command": "segment", "mask": mask, "rows": rows}
    results["notes"] = notes(tables[1], parts, mask)
    results["summary"] = summary.summarise(rows, metric="dice", by="labels")
    other = "thin_recall" if mask == "vessel" else "average_precision"
    results["measures"] = measures(rows)
    results["more"] = {other: summary.summarise(rows, metric=other, by="labels")}
    runs.write_json(out / "results.json", results)
    vessel_pages.segmentation(out, parts[1], results, settings)
    return results


def measures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the field reports, averaged over the seeds of a start and count."""
    keys = ("dice", "auc", "sensitivity", "specificity", "accuracy")
    keys = [key for key in (*keys, "thin_recall") if key in rows[0]]
    lines = []
    for labels, init in dict.fromkeys((row["labels"], row["init"]) for row in rows):
        cell = [r for r in rows if (r["labels"], r["init"]) == (labels, init)]
        means = {}
        for key in keys:
            known = [row[key] for row in cell if np.isfinite(row[key])]
            means[key] = float(np.mean(known)) if known else float("nan")
        lines.append({"labels": labels, "init": init} | means)
    return lines


def split_tables(
    data: str | Path, test: str | Path | None, *, mask: str, skip_bad: bool
) -> list[Table]:
    """Return what trains and what is scored.

    Raises
    ------
    ValueError
        If a data set lacks the mask, nothing is left to train on, or a photograph
        stands on both sides.
    """
    table = open_dataset(data, skip_bad=skip_bad)
    tables = [table, table if test is None else open_dataset(test, skip_bad=skip_bad)]
    for found in tables:
        if mask not in found.masks:
            kinds = ", ".join(found.masks) or "none"
            text = f"{found.root}: segmentation needs {mask} masks, found {kinds}"
            raise ValueError(text)
    if test is None:
        held = held_out(table)
        tables = [table.select(~held), table.select(held)]
        if held.all():
            raise ValueError(f"{data}: all images are of one patient, found no other")
    small = [thumbnails(loaded(i, read_image) for i in t.images) for t in tables]
    shared = int(seen_before(*small).sum())
    if shared:
        raise ValueError(
            f"{data}: {shared} of the {len(tables[1])} held-out images are also among "
            "the training images"
        )
    return tables


def showing(part: Annotated, what: str) -> Annotated:
    """Return the images in which something was drawn: the others teach nothing."""
    index = [i for i, mask in enumerate(part.masks) if mask.any()]
    if not index:
        raise ValueError(f"{what} must be drawn in a training image, found in none")
    layers = (part.images, part.masks, part.regions)
    return Annotated(*([layer[i] for i in index] for layer in layers))


def refuse_width(run: Path, width: int) -> None:
    """Refuse a run of another kind, and a network that looked at another size."""
    found = runs.read_config(run).get("field_width")
    if found is None or runs.read_config(run)["command"] != "pretrain":
        raise ValueError(f"--init {run} must be a run of pretrain --encoder unet")
    if found != width:
        raise ValueError(
            f"--init {run} looked at fields {found} px wide, this "
            f"run looks at {width} px: give both the same --field-width"
        )


def refuse_seen(run: Path, test: Table) -> None:
    """Refuse a network that was pretrained on the photographs it will be scored on.

    The same file, and the same photograph in a file saved anew.
    """
    seen = runs.load_encoder(run / "encoder.pt")[1]["seen"]
    leaked = np.isin(runs.content_hashes(test.images), seen)
    small = thumbnails(loaded(item, read_image) for item in test.images)
    leaked |= seen_before(runs.load_thumbnails(run / "thumbnails.npy"), small)
    if leaked.any():
        raise ValueError(
            f"--init {run} was pretrained on {leaked.sum()} of the {len(test)} "
            "held-out images: pretrain on this data set, which leaves them out"
        )


def notes(test: Table, parts: list[Annotated], mask: str) -> dict[str, Any]:
    """Say what was held out, what is rare, and the ceiling a second observer sets."""
    found = {"held out": ", ".join(test.names), "of": str(test.root)}
    found["training images"] = len(parts[0].images)
    drawn = list(zip(parts[1].masks, parts[1].regions, strict=True))
    area = sum(int((m & r).sum()) for m, r in drawn)
    share = area / sum(int(region.sum()) for _, region in drawn)
    found["drawn"] = f"{share:.2%} of the field of view"
    if mask != "vessel":
        shows = sum(bool(m.any()) for m, _ in drawn)
        found["held-out images that show it"] = f"{shows} of {len(drawn)}"
        return found
    narrow = sum(thin_vessels(m, width=thin_width(r)).sum() for m, r in drawn)
    width = thin_width(parts[1].regions[0])
    found["thin vessels"] = f"below {width} px, {narrow / max(1, area):.0%} of all"
    others = test.masks.get("vessel_2nd")
    if others is not None and all(path is not None for path in others):
        others = [read_mask(path) for path in others]
        ceiling = annotated.second_observer(parts[1], others)
        for name, value in ceiling.items():
            label = "Dice" if name == "dice" else name.replace("_", " ")
            found[f"second observer's {label}"] = round(value, 4)
    return found
