"""The reports of vessels: pretraining on patches, and the comparison of starts."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyssl import metrics, models, plots, runs
from tinyssl.commands.annotated import TARGETS
from tinyssl.commands.pages import SHOWN, findings
from tinyssl.data.resize import resize
from tinyssl.downstream.annotated import Annotated
from tinyssl.downstream.patches import OnPatches
from tinyssl.downstream.segmentation import THRESHOLD, Segmentation, predict
from tinyssl.pretext import build_task
from tinyssl.report import Section, Table, efficiency_table, write_report
from tinyssl.summary import name_group, slug
from tinyssl.training import to_tensor

CAPTIONS = {
    "thin_recall": "Share found of the pixels of thin vessels, on the held-out images.",
    "average_precision": "Area under the precision-recall curve of all pixels of the "
    "held-out images together: false alarms count in every image, Dice only in those "
    "that show the lesion.",
}


def patch_pretraining(
    out: Path,
    images: list[np.ndarray],
    regions: list[np.ndarray],
    rows: list[dict[str, float]],
    settings: dict[str, Any],
) -> Path:
    """Write the report of ``pretrain --encoder unet``."""
    name, rng = settings["task"], np.random.default_rng(settings["seed"])
    network = models.from_config(settings["network"] | {"out_channels": 3})
    task = OnPatches(build_task(name, network, **settings["task_options"]))
    task.load_state_dict(runs.load_plain(out / "task.pt"))
    task.eval()
    some = rng.choice(len(images), SHOWN)
    inputs, targets = task.make_batch(*take_all((images, regions), some), rng)
    if name == "rotation":
        with torch.no_grad():
            answers = task.task.logits(to_tensor(inputs)).argmax(1).numpy()
        figure = plots.turns(inputs, targets, answers)
        caption = "Patches, the turn applied and the turn answered."
        chance = task.task.chance["accuracy"]
        curve = plots.pretext_curves({name: [rows]}, metric="accuracy", chance=chance)
    else:
        (patches, changed), restored = targets, task.task.restore(to_tensor(inputs))
        restored = restored.permute(0, 2, 3, 1).numpy()
        figure = plots.restorations(patches, inputs, restored, changed)
        caption = "Patches: original, disordered (changed squares outlined), restored."
        curve = plots.pretext_curves({name: [rows]}, metric="swapped")
    known = {line.split(":")[0]: line.split(": ")[1] for line in settings["data"]}
    figures = [(figure, caption), (curve, "During pretraining, batch by batch.")]
    section = Section(f"Pretext task: {name}", [], figures)
    page, title = out / "report.html", f"Pretraining by {name}"
    write_report(page, title, [section], subtitle="No vessel was drawn", facts=known)
    return page


def take_all(columns: tuple[list, ...], index: np.ndarray) -> list[list]:
    """Select positions from several lists."""
    return [[column[i] for i in index] for column in columns]


def segmentation(
    out: Path, test: Annotated, results: dict[str, Any], settings: dict[str, Any]
) -> Path:
    """Write the report of ``segment``."""
    rows, table = results["rows"], results["summary"]
    more = [
        efficiency_table(t, rows=rows, caption=CAPTIONS[metric], each="seed")
        for metric, t in results["more"].items()
    ]
    caption = "Dice on the held-out images."
    scored = [
        findings(table, results["more"]),
        "Scored inside the field of view of whole held-out images, at their own size. "
        "Each point is a seed: other drawn images, first weights and batches; their "
        "interval says nothing of other test images.",
    ]
    curve = plots.label_efficiency(table, metric="dice")
    first = efficiency_table(table, rows=rows, caption=caption, each="seed")
    tables = [first, *more, measures_table(results["measures"])]
    by_number = Section(
        "Dice by number of drawn images",
        scored,
        [(curve, "Each point is a seed.")],
        tables,
    )
    shown = found_by_each(out, test, results, settings["network"])
    what = TARGETS[results["mask"]].name
    page, title = out / "report.html", f"{what}: segmentation with few drawn images"
    write_report(
        page,
        title,
        [by_number, Section(f"{what} found", [], shown)],
        subtitle=findings(table, results["more"]),
        facts=results["notes"],
    )
    return page


def measures_table(lines: list[dict[str, Any]]) -> Table:
    """Lay out what the field reports beside Dice."""
    names = [key for key in lines[0] if key not in ("labels", "init")]
    header = ("labels", "start", *(name.replace("_", " ") for name in names))
    rows = [
        (
            name_group("labels", line["labels"]),
            line["init"],
            *(f"{line[name]:.3f}".replace("nan", "–") for name in names),
        )
        for line in lines
    ]
    caption = f"Means over the seeds; yes from a probability of {THRESHOLD} up."
    return Table(header, rows, caption)


def found_by_each(
    out: Path, test: Annotated, results: dict[str, Any], network: dict[str, Any]
) -> list[tuple[Any, str]]:
    """Show what each start finds in the held-out image with the most to find."""
    most = max(row["labels"] for row in results["rows"])
    place = int(np.argmax([mask.mean() for mask in test.masks]))
    image, truth, region = test.images[place], test.masks[place], test.regions[place]
    shown, vessel = [], results["mask"] == "vessel"
    name = TARGETS[results["mask"]].name
    for init in dict.fromkeys(row["init"] for row in results["rows"]):
        task = Segmentation(models.from_config(network))
        task.load_state_dict(runs.load_plain(out / f"models/{slug(init)}-{most}.pt"))
        probability = resize(predict(task, image), truth.shape)
        layers = (resize(image, truth.shape), truth, probability, region)
        dice = metrics.dice(truth, probability >= THRESHOLD, region=region)
        title = None if vessel else f"{name}: Dice {dice:.3f} in this image"
        figure = plots.vessels(*layers, threshold=THRESHOLD, title=title)
        images = f"{most} labelled image" + ("s" if most > 1 else "")
        shown.append((figure, f"{init}, {images}, the held-out image with the most."))
    return shown
