"""The report of ``compare``: best and worst pairs, and the distance beside chance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl import metrics, plots
from tinyssl.downstream.image_sets import ImageSet
from tinyssl.report import Section, Table, write_report

SHOWN = 4  # best pairs in the figure, and as many of the worst
KINDS = (
    ("ssim", "SSIM", 3),
    ("psnr", "PSNR, dB", 1),
    ("mse", "MSE, values in [0, 1]", 5),
)
TRAPS = (
    "SSIM depends on the data range: it is 255 for files of 8 bits. Images in [0, 1] "
    "scored as if their range were 255 come out near 1 whatever they show: {wrong} for "
    "the pairs shown above, where {right} is right.",
    "SSIM of two different eyes is not 0: black corners and a smooth background agree. "
    "So it stands beside that of the same images paired at random.",
    "A Frechet distance is biased upward, the more the fewer images, and its unit is "
    "that of the features squared: a bare “FID 0.17” cannot be read. It needs n, the "
    "number of features d, which features, and the distance of two samples of one "
    "distribution. A value made with Inception features is on another scale.",
)


def comparison(
    out: Path, sets: Sequence[ImageSet], pairs: np.ndarray, results: dict[str, Any]
) -> Path:
    """Write the report of ``compare``."""
    sections, found = [], results["set"]
    traps = TRAPS[2:]
    if len(pairs):
        section, wrong = pairs_section(sets, pairs, results)
        sections.append(section)
        traps = [wrong, *TRAPS[1:]]
    if found is not None:
        sections.append(set_section(found, results["notes"]))
    sections.append(Section("How to read these numbers", traps))
    known = {"real": sets[0].root, "generated": sets[1].root}
    known |= {
        key: results["notes"][key] for key in ("images", "patients", "data range")
    }
    subtitle = results["notes"].get("verdict", "One image on a side: no set to compare")
    title, page = "Real beside generated", out / "report.html"
    write_report(page, title, sections, subtitle=subtitle, facts=known)
    return page


def pairs_section(
    sets: Sequence[ImageSet], pairs: np.ndarray, results: dict[str, Any]
) -> tuple[Section, str]:
    """Show the best and worst pairs; return also what a wrong range would have said."""
    scores = np.array([row["ssim"] for row in results["pairs"]])
    chosen = best_and_worst(scores)
    first, second = (
        np.stack([unit(images[i]) for i in places])
        for images, places in zip(sets, pairs[chosen].T, strict=True)
    )
    names = [results["pairs"][k]["real"] for k in chosen]
    figure = plots.pairs(first, second, scores[chosen], names=names)
    caption = "Best pairs at the left, worst at the right."
    wrong = [
        metrics.ssim(a, b, data_range=255, channel_axis=-1)
        for a, b in zip(first, second, strict=True)
    ]
    wrong, right = f"{np.mean(wrong):.5f}", f"{scores[chosen].mean():.3f}"
    alike = results["similarity"]
    rows = [
        (label, interval(alike[key]["paired"], n), interval(alike[key]["random"], n))
        for key, label, n in KINDS
    ]
    header = ("", "pairs [95 % interval]", "paired at random")
    about = (
        f"{len(pairs)} pairs by name; intervals by drawing pairs anew (percentile "
        "bootstrap). PSNR is that of the mean error."
    )
    section = Section(
        "Pair by pair", [], [(figure, caption)], [Table(header, rows, about)]
    )
    return section, TRAPS[0].format(wrong=wrong, right=right)


def best_and_worst(scores: np.ndarray) -> np.ndarray:
    """Return the positions of the best scores and the worst, descending."""
    order = np.argsort(-scores, kind="stable")
    few = len(order) <= 2 * SHOWN
    return order if few else np.concatenate([order[:SHOWN], order[-SHOWN:]])


def set_section(found: dict[str, Any], notes: Mapping[str, str]) -> Section:
    """Show the distance of the sets beside distances that chance alone gives."""
    chance = {"exchanged": found["exchanged"], "one Gaussian": found["floor"]}
    ends = (found["low"], found["high"])
    figure = plots.distances(found["distance"], chance, interval=ends)
    caption = (
        "Diamond: the distance with its 95 % interval. Exchanged: images put on either "
        "side by chance, pairs within the pair. One Gaussian: two samples, as large, "
        "of the Gaussian fitted to the real features."
    )
    count = f"{found['n1']} real, {found['n2']} generated"
    rows = [
        ("Frechet distance", interval(found | {"mean": found["distance"]}, 4, "g")),
        ("over the variance of the real features", f"{found['relative']:.3g}"),
        ("images", count),
        ("features", f"{found['d']}: {found['features']}"),
        ("noise floor, one Gaussian, 5 to 95 %", span(found["floor"])),
        ("exchanged, 5 to 95 %", span(found["exchanged"])),
        ("p of the exchange", f"{found['p']:.3g}"),
    ]
    paragraphs = [notes["verdict"]]
    if "WARNING" in notes:
        paragraphs.append(f"Warning: {notes['WARNING']}.")
    paragraphs.append(
        "The interval (delete-a-group jackknife) says where the distance would lie "
        "with other images, as many, of the same two kinds; the bias of few images is "
        "in it. The exchange decides, not the Gaussian: features have heavier tails "
        "than one, so sets that do not differ lie above its floor too often."
    )
    return Section(
        "As sets", paragraphs, [(figure, caption)], [Table(("", "value"), rows)]
    )


def interval(value: Mapping[str, float], digits: int = 3, kind: str = "f") -> str:
    """Write a mean with its interval; a dash where there is none."""
    if np.isnan(value["mean"]):
        return "–"
    keys = ("mean", "low", "high")
    mean, low, high = (f"{value[key]:.{digits}{kind}}" for key in keys)
    return f"{mean} [{low}, {high}]" if not np.isnan(value["low"]) else mean


def decibels(error: float) -> float:
    """Return the PSNR of a mean squared error of values in [0, 1]."""
    return float(-10 * np.log10(error)) if error else float("inf")


def span(values: np.ndarray) -> str:
    """Write where nine tenths of the values lie."""
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{low:.4g} to {high:.4g}"


def unit(image: np.ndarray) -> np.ndarray:
    """Return one image as floats in [0, 1]."""
    return image / 255 if image.dtype == np.uint8 else image.astype(float)
