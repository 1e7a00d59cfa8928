"""``tinyssl compare``: two sets of images, pair by pair and as a whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tinyssl.commands.prepare import choose_device, cores
from tinyssl.commands.say import Say, silent

from tinyssl import runs
from tinyssl.commands import compare_pages
from tinyssl.commands.compare_pages import decibels, interval, span
from tinyssl.downstream import comparison
from tinyssl.downstream.features import Features, extract, load_features
from tinyssl.downstream.image_sets import (
    ImageSet,
    open_images,
    pairs_of,
    refuse_sizes,
)

MIXED = 200  # pairs at most that are also put together at random
UNKNOWN = "not known: images are taken as independent, eyes of one patient are not"
FIT = 4  # images a feature that a distance should have


def compare(
    real: str | Path,
    generated: str | Path,
    *,
    out: Path,
    size: int | None = None,
    features: str = "random",
    dim: int | None = None,
    data_range: float | None = None,
    seed: int = 0,
    device: str = "auto",
    say: Say = silent,
) -> dict[str, Any]:
    """Compare two folders or files of images; leave results.json and a report.

    Parameters
    ----------
    real, generated : path
        See ``tinyssl.downstream.image_sets.open_images``. Images of one name are a
        pair.
    out : path
        Run folder.
    size : int, optional
        Resize the central square of every image; else all must be of one size.
    features : "random", a run folder or a file
        See ``tinyssl.downstream.features.load_features``.
    dim : int, optional
        Project the features to that many: for few images.
    data_range : float, optional
        Largest possible pixel value of ``.npy`` arrays.
    seed : int
        Of the random network and of every draw.
    device : str
    say : callable

    Returns
    -------
    dict
        What ``results.json`` holds: "pairs" (one row a pair), "similarity", "set"
        (the distance and what it must be read beside), and "notes".

    Raises
    ------
    ValueError
        If images cannot be read, or are of several sizes without `size`.
    """
    sets = [open_images(p, data_range=data_range, size=size) for p in (real, generated)]
    if data_range is not None and all(s.data_range == 255 for s in sets):
        raise ValueError(
            f"--data-range is for .npy arrays of 16 bits or floats; images of 8 bits "
            f"have 255, found {data_range:g}"
        )
    refuse_sizes(*sets)
    pairs = pairs_of(*sets)
    shape = " x ".join(map(str, sets[0].shape(0)))
    say(f"{len(sets[0])} and {len(sets[1])} images of {shape}, {len(pairs)} pairs")
    network, name = load_features(features, seed=seed)
    settings = {"command": "compare", "real": real, "generated": generated}
    settings |= {"size": size, "features": features, "dim": dim, "seed": seed}
    runs.claim(Path(out), settings | {"data_range": data_range})
    rows = score_pairs(*sets, pairs)
    results = {"command": "compare", "pairs": rows}
    mixed = score_mixed(*sets, pairs, seed)
    whose = None if sets[0].patients is None else sets[0].patients[pairs[:, 0]]
    results["similarity"] = similarity(rows, mixed, seed, whose)
    results["set"] = None
    if min(map(len, sets)) > 1:
        options = {"dim": dim, "device": choose_device(device), "seed": seed}
        found = compare_sets(sets, pairs, network, **options)
        results["set"] = found | {"features": name, "pairs": len(pairs)}
    results["notes"] = notes(sets, results, shape)
    runs.write_json(Path(out) / "results.json", results)
    compare_pages.comparison(Path(out), sets, pairs, results)
    return results


def compare_sets(
    sets: list[ImageSet],
    pairs: np.ndarray,
    network: Features,
    *,
    dim: int | None,
    device: str,
    seed: int,
) -> dict[str, Any]:
    """Measure the distance of the sets; patients stay whole where both know them."""
    orders = [
        paired_first(len(images), places)
        for images, places in zip(sets, pairs.T, strict=True)
    ]
    arrays = [
        extract(images, network, dim=dim, device=device)[order]
        for images, order in zip(sets, orders, strict=True)
    ]
    patients = None
    if all(images.patients is not None for images in sets):
        known = zip(sets, orders, strict=True)
        patients = tuple(images.patients[order] for images, order in known)
    options = {"pairs": len(pairs), "patients": patients, "rng": seed}
    return comparison.set_distance(*arrays, **options)


def paired_first(count: int, paired: np.ndarray) -> np.ndarray:
    """Return an order of images that begins with those of the pairs."""
    return np.concatenate([paired, np.setdiff1d(np.arange(count), paired)])


def score_pairs(
    real: ImageSet, generated: ImageSet, pairs: np.ndarray
) -> list[dict[str, Any]]:
    """Score every pair, on all cores."""

    def score(pair: np.ndarray) -> dict[str, Any]:
        i, j = pair
        row = {"real": real.names[i], "generated": generated.names[j]}
        return row | comparison.pair_scores(real[i], generated[j])

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(score, pairs))


def score_mixed(
    real: ImageSet, generated: ImageSet, pairs: np.ndarray, seed: int
) -> list[dict[str, Any]]:
    """Score images of the pairs with a partner that is not their own."""
    order = np.random.default_rng([seed, 1]).permutation(len(pairs))[:MIXED]
    if len(order) < 2:
        return []
    mixed = np.stack([pairs[order, 0], pairs[np.roll(order, 1), 1]], axis=1)
    return score_pairs(real, generated, mixed)


def similarity(
    rows: list[dict[str, Any]],
    mixed: list[dict[str, Any]],
    seed: int,
    patients: np.ndarray | None = None,
) -> dict[str, dict[str, dict[str, float]]]:
    """Average the scores of the pairs, and of random ones, with intervals."""
    found = {}
    for key in ("ssim", "mse"):
        paired, random = ([row[key] for row in some] for some in (rows, mixed))
        found[key] = {
            "paired": comparison.bootstrap(paired, groups=patients, rng=[seed, 2]),
            "random": comparison.bootstrap(random, rng=[seed, 2]),
        }
    # decibels of the mean error: a mean of decibels is infinite with one equal pair
    found["psnr"] = {
        kind: {
            key: decibels(found["mse"][kind][other])
            for key, other in (("mean", "mean"), ("low", "high"), ("high", "low"))
        }
        for kind in ("paired", "random")
    }
    return found


def notes(sets: list[ImageSet], results: dict[str, Any], shape: str) -> dict[str, str]:
    """Say in a few lines what was found, for a person."""
    alike, found, count = results["similarity"], results["set"], len(results["pairs"])
    single = [len(images) - count for images in sets]
    text = {
        "images": f"{len(sets[0])} real, {len(sets[1])} generated, {shape} px; {count} "
        f"paired by name, {single[0]} real and {single[1]} generated without partner",
        "data range": ", ".join(
            dict.fromkeys(f"{s.data_range:g} as read" for s in sets)
        ),
    }
    known = all(images.patients is not None for images in sets)
    text["patients"] = "kept whole" if known else UNKNOWN
    if count:
        text["SSIM of pairs"] = interval(alike["ssim"]["paired"])
        if count > 1:
            text["SSIM of random pairs"] = interval(alike["ssim"]["random"])
        text["PSNR of pairs"] = interval(alike["psnr"]["paired"], 1) + " dB"
        text["MSE of pairs"] = interval(alike["mse"]["paired"], 5)
    if found is None:
        text["Frechet distance"] = "needs two images on either side"
        return text
    text["Frechet distance"] = (
        f"{interval(found | {'mean': found['distance']}, 4, 'g')}, n = {found['n1']} "
        f"and {found['n2']}, d = {found['d']}, {found['features']}"
    )
    text["noise floor"] = f"{span(found['floor'])}: two samples of one Gaussian"
    chance = "images put on either side by chance"
    text["exchanged"] = f"{span(found['exchanged'])}: {chance}"
    if min(found["n1"], found["n2"]) <= found["d"]:
        text["WARNING"] = small_n(found)
    text["verdict"] = comparison.verdict(found)
    return text


def small_n(found: dict[str, Any]) -> str:
    """Say what to do where there are fewer images than features."""
    n = min(found["n1"], found["n2"])
    text = f"{n} images for {found['d']} features: the distance is mostly bias"
    return f"{text}; --dim {max(1, n // FIT)} leaves {FIT} images a feature"
