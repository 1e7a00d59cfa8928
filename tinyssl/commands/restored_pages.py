"""What ``restoration`` says: lines for a person, and its report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import plots
from tinyssl.commands.compare_pages import best_and_worst, decibels, interval
from tinyssl.downstream.restoration import Restored
from tinyssl.pretext import ContextRestoration
from tinyssl.report import Section, Table, write_report

LABELS = {  # score: its name, digits, and whether more is better
    "ssim": ("SSIM", 3, True),
    "mse": ("MSE", 5, False),
    "mse_swapped": ("MSE in swapped patches", 5, False),
    "mse_unswapped": ("MSE elsewhere", 5, False),
}
FIT = 4  # images a feature that each half should have
REPORTED = (
    "A student project on retinal context restoration reports SSIM .95 and FID .17. "
    "Beside them stood neither what returning the disordered image scores, nor n, the "
    "features and the distance of two samples of one distribution. Here returning the "
    "input scores SSIM {copy}: the fewer and smaller the swaps, the nearer to 1."
)
SAME = (
    "With the same images on both sides, what differs from sample to sample cancels: "
    "this distance may fall below that of two samples of one distribution. Between "
    "halves (originals of one half of the patients beside the other half's images, 20 "
    "random halvings) it stands beside its floor, originals on both sides."
)


def notes(results: dict[str, Any], total: int) -> dict[str, str]:
    """Say in a few lines what was found."""
    count = len(results["images"])
    text = {"images": f"{count} not seen in pretraining, of {total}"}
    for key, (label, digits, _) in LABELS.items():
        text[label] = ", ".join(
            f"{way} {interval(results['scores'][key][way], digits)}"
            for way in ("restored", "copy")
        )
    for line in results["distances"]:
        numbers = [f"{way} {line['same'][way]:.4g}" for way in ("restored", "copy")]
        words = f"{', '.join(numbers)}, n = {line['n']}, d = {line['d']}"
        if "halves" in line:
            halves = (f"{k} {v['mean']:.4g}" for k, v in line["halves"].items())
            words += f"; between halves {', '.join(halves)}"
        if line["n"] <= 2 * line["d"]:
            fit = max(2, line["n"] // (2 * FIT))
            words += f"; few images for d: mostly bias, --dim {fit} helps"
        text[f"Frechet distance, {line['features']}"] = words
    text["verdict"] = verdict(results["scores"])
    return text


def verdict(scores: Mapping[str, Any]) -> str:
    """Say where the network beats its input, and where it loses."""
    words: dict[str, list[str]] = {"better": [], "WORSE": [], "unclear": []}
    for key, (label, _, more) in LABELS.items():
        low, high = (scores[key]["difference"][end] for end in ("low", "high"))
        if not more:
            low, high = -high, -low
        word = "better" if low > 0 else "WORSE" if high < 0 else "unclear"
        words[word].append(label)
    return "Than returning the input: " + "; ".join(
        f"{word} in {', '.join(labels)}" for word, labels in words.items() if labels
    )


def report(
    out: Path,
    found: Restored,
    results: dict[str, Any],
    task: ContextRestoration,
    *,
    run: Path,
    data: str | Path,
) -> Path:
    """Write the report of ``restoration``."""
    known = {
        "network": str(run),
        "data": str(data),
        "images": results["notes"]["images"],
        "disorder": f"{task.num_swaps} swaps of {task.patch_size} × "
        f"{task.patch_size} px in {found.images.shape[1]} px",
    }
    sections = [scores_section(found, results)]
    if results["distances"]:
        sections.append(sets_section(results["distances"]))
    page, subtitle = out / "report.html", results["notes"]["verdict"]
    title = "What comes back from disorder"
    write_report(page, title, sections, subtitle=subtitle, facts=known)
    return page


def scores_section(found: Restored, results: dict[str, Any]) -> Section:
    """Show images and scores, restored beside copied."""
    scores = results["scores"]
    ssim = np.array([row["restored"]["ssim"] for row in results["images"]])
    chosen = best_and_worst(ssim)
    layers = (found.images, found.disordered, found.restored, found.changed)
    figure = plots.restorations(*(layer[chosen] for layer in layers))
    caption = (
        "Original, disordered (changed pixels outlined), restored, error. Best SSIM "
        "at the left, worst at the right."
    )
    rows = [
        (label, *(interval(scores[key][way], digits) for way in WAYS))
        for key, (label, digits, _) in LABELS.items()
    ]
    psnr = [decibels(scores["mse"][way]["mean"]) for way in WAYS[:2]]
    rows.append(("PSNR of the mean MSE, dB", *(f"{p:.2f}" for p in psnr), ""))
    header = ("", "restored", "copy", "restored − copy")
    about = (
        "Means over the images with 95 % intervals, by drawing patients (or images, "
        "where no patient is known) anew. Values "
        "in [0, 1], as the bytes that export-restored writes. Copy: the disordered "
        "image returned as it is."
    )
    text = REPORTED.format(copy=interval(scores["ssim"]["copy"]))
    table = Table(header, rows, about)
    return Section("Image by image", [text], [(figure, caption)], [table])


WAYS = ("restored", "copy", "difference")


def sets_section(lines: list[dict[str, Any]]) -> Section:
    """Show the distances of the sets."""
    rows = []
    for line in lines:
        size = f"{line['n']}, {line['d']}"
        same = [f"{line['same'][way]:.4g}" for way in WAYS[:2]]
        name = line["features"].split(",")[0]
        rows.append((name, "same images", size, *same, "0"))
        if "halves" in line:
            names = ("restored", "copy", "floor")
            halves = [interval(line["halves"][name], 2, "g") for name in names]
            rows.append(("", "halves", f"{line['n'] // 2}, {line['d']}", *halves))
    header = ("features", "real beside", "n, d", "restored", "copy", "original")
    about = (
        "Frechet distance to the originals, in squared units of the features: never "
        "compare rows. Brackets: where nine tenths of the halvings lie."
    )
    return Section("As sets", [SAME], [], [Table(header, rows, about)])
