"""The two experiments: real beside generated images, restored beside their input."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyssl import runs
from tinyssl._threads import num_threads
from tinyssl.compare import comparison, pages, restored
from tinyssl.compare.features import extract, load_features
from tinyssl.compare.image_sets import open_images, pairs_of, refuse_sizes

MIXED = 200  # pairs at most that are also put together at random


def compare(s, key):
    """Compare two sets of images, by pairs of one name and as sets.

    ``s`` are the arguments of `tinyssl.commands.compare`; names are written as the
    ``key`` says. Returns what results.json holds: "pairs" (one row a pair),
    "similarity", "set" (the distance and what it must be read beside), "notes"; and
    "lines" to print.
    """
    out, given = Path(s.out), s.data_range
    options = {"data_range": given, "size": s.size}
    sets = [open_images(path, **options) for path in (s.real, s.generated)]
    if given is not None and all(images.data_range == 255 for images in sets):
        rule = "is for .npy arrays of 16 bits or floats; images of 8 bits have 255"
        raise ValueError(f"--data-range {rule}, found {given:g}")
    refuse_sizes(*sets)
    pairs = pairs_of(*sets)
    for k, images in enumerate(sets):
        names = [key("image", name) for name in images.names]
        sets[k] = replace(images, root=key("data", images.root), names=names)
    shape = " x ".join(map(str, sets[0].shape(0)))
    s.log(f"{len(sets[0])} and {len(sets[1])} images of {shape}, {len(pairs)} pairs")
    network = load_features(s.features, seed=s.seed)
    settings = {"command": "compare", "real": sets[0].root, "generated": sets[1].root}
    names = ("size", "features", "dim", "seed", "data_range")
    settings |= key.settings | {name: getattr(s, name) for name in names}
    key.rows(out)  # refuses those of others before the work
    with runs.claimed(out, settings):
        results = {"command": "compare", **_pairs(sets, pairs, s.seed), "set": None}
        mse = results["similarity"]["mse"].items()
        psnr = {way: pages.in_decibels(error) for way, error in mse}
        results["similarity"] |= {"psnr": psnr}
        if min(map(len, sets)) > 1:
            results["set"] = _sets(sets, pairs, network, s.dim, s.seed, s.device)
        results["notes"] = pages.notes_of_sets(sets, results, shape)
        key.write(out)
        pages.page_of_sets(out, sets, pairs, results)
        return _finished(out, results)


def _pairs(sets, pairs, seed):
    """Score pairs, and the same images with a partner that is not their own."""

    def score(pair):
        i, j = pair
        names = {"real": sets[0].names[i], "generated": sets[1].names[j]}
        return names | comparison.pair_scores(sets[0][i], sets[1][j])

    order = np.random.default_rng([seed, 1]).permutation(len(pairs))[:MIXED]
    mixed = np.stack([pairs[order, 0], pairs[np.roll(order, 1), 1]], axis=1)
    with ThreadPoolExecutor(num_threads()) as pool:
        rows = list(pool.map(score, pairs))
        others = list(pool.map(score, mixed if len(mixed) > 1 else ()))
    whose = None if sets[0].patients is None else sets[0].patients[pairs[:, 0]]
    alike = {}
    for key in ("ssim", "mse"):
        paired, random = ([row[key] for row in some] for some in (rows, others))
        alike[key] = {
            "paired": comparison.bootstrap(paired, groups=whose, rng=[seed, 2]),
            "random": comparison.bootstrap(random, rng=[seed, 2]),
        }
    return {"pairs": rows, "similarity": alike}


def _sets(sets, pairs, network, dim, seed, device):
    """Measure the sets, pairs first; patients stay whole where both know them."""
    arrays, patients = [], []
    for images, some in zip(sets, pairs.T, strict=True):
        order = np.r_[some, np.setdiff1d(np.arange(len(images)), some)]
        arrays.append(extract(images, network[0], dim=dim, device=device)[order])
        if images.patients is not None:
            patients.append(images.patients[order])
    options = {"patients": patients if len(patients) == 2 else None, "rng": seed}
    found = comparison.set_distance(*arrays, pairs=len(pairs), **options)
    return found | {"features": network[1], "pairs": len(pairs)}


def restoration(s):
    """Score what a run restores on images that it has not seen, beside copying.

    As `compare`; with folds a network blind to the image restores it. Returns "images"
    (scores of each), "scores" (averages with intervals), "distances" (one a kind of
    features), "notes"; and "lines".
    """
    run, out, data, seed = Path(s.run), Path(s.out), s.data, s.seed
    networks = restored.open_networks(run, data, skip_bad=s.skip_bad, device=s.device)
    index, N = np.flatnonzero(networks.unseen), len(networks.unseen)
    if len(index) == 0:
        rule = "only images it has not seen say how well it restores"
        raise ValueError(f"{run} was pretrained on all {N} images of {data}: {rule}")
    settings = {"command": restoration.__name__, "run": run, "data": data, "seed": seed}
    with runs.claimed(out, settings | {"features": s.features, "dim": s.dim}):
        seen = N - len(index)
        s.log(f"{data}: {len(index)} images to restore, {seen} seen and left out")
        found, groups = networks.restore(index, seed=seed), networks.groups[index]
        rows = restored.score_images(found)
        names = [{"image": networks.table.names[i]} for i in index]
        results = {
            "command": settings["command"],
            "images": [name | row for name, row in zip(names, rows, strict=True)],
            "scores": restored.summarise(rows, groups=groups, rng=seed),
            "distances": [],
        }
        for source in s.features if len(index) > 1 else ():
            source = networks.encoder if source == "encoder" else source
            network, name = load_features(source, seed=seed)
            ways = (found.images, found.restored, found.disordered)
            how = {"dim": s.dim, "device": s.device}
            arrays = [extract(way, network, **how) for way in ways]
            line = restored.set_distances(*arrays, groups=groups, rng=seed)
            results["distances"].append({"features": name} | line)
        labels = pages.LABELS if networks.swapping else pages.LABELS | pages.OTHERWISE
        results["notes"] = pages.notes_of_restored(results, labels, N)
        facts = {"network": run, "data": data, "images": results["notes"]["images"]}
        task, size = networks.tasks[0], found.images.shape[1]
        patches = f"{2 * task.num_swaps} patches of {task.patch_size}"
        facts["disorder"] = f"{patches} × {task.patch_size} px in {size} px"
        pages.page_of_restored(out, found, results, labels, facts)
        return _finished(out, results)


def _finished(out, results):
    """Write results.json; return the results, with their notes as lines to print."""
    runs.write_json(out / "results.json", results)
    lines = [f"{name}: {text}" for name, text in results["notes"].items()]
    return results | {"lines": [*lines, f"report: {out}/report.html"]}
