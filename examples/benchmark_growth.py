"""How the time of each metric grows with its size, beside what theory says."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyssl import metrics


@dataclass
class Growth:
    """A metric, what its size is, the power of it that theory says, and its call."""

    name: str
    unit: str
    theory: float
    sizes: list[int]  # over three decades; those below the last two are for --quick
    prepare: Callable  # size -> a call


def slopes(sizes, times):
    """Return the log-log slope between each size and the next."""
    return np.diff(np.log(times)) / np.diff(np.log(sizes))


def seconds(call):
    """Return the shortest of several calls, about .3 s of them."""
    call()
    times, start = [], time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - start < 0.3 and len(times) < 1000):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return min(times)


def table(growths, quick):
    """Yield a line for each metric: milliseconds by size, slopes, theory."""
    yield "metric | sizes | ms | slope of each step | theory"
    for one in growths:
        sizes = one.sizes[:-2] if quick else one.sizes
        times = [seconds(one.prepare(size)) for size in sizes]
        cells = [
            one.name,
            f"{one.unit} = {', '.join(f'{size:,}' for size in sizes)}",
            ", ".join(f"{1000 * value:.3g}" for value in times),
            ", ".join(f"{slope:.2f}" for slope in slopes(sizes, times)),
            f"{one.theory:g}",
        ]
        yield " | ".join(cells)


# ---- the metrics -------------------------------------------------------------------


def of_labels(metric, **options):
    """Return what prepares a metric of n labels from 0 to 4."""

    def prepare(n):
        a, b = np.random.default_rng(0).integers(0, 5, (2, n))
        return lambda: metric(a, b, **options)

    return prepare


def of_scores(metric):
    """Return what prepares a metric of n scores."""

    def prepare(n):
        rng = np.random.default_rng(0)
        y_true = rng.integers(0, 2, n)
        y_true[:2] = 0, 1
        scores = rng.random(n)
        return lambda: metric(y_true, scores)

    return prepare


def of_masks(pixels):
    """Prepare Dice of two masks."""
    masks = np.random.default_rng(0).random((2, pixels)) < 0.5
    return lambda: metrics.dice(*masks)


def of_images(window):
    """Return what prepares SSIM of square images of so many pixels."""

    def prepare(pixels):
        side = round(pixels**0.5)
        images = np.random.default_rng(0).random((2, side, side))
        return lambda: metrics.ssim(*images, data_range=1, window=window)

    return prepare


def of_statistics(d):
    """Prepare the Frechet distance of two covariances of d features."""
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((2, 2 * d, d))
    first, second = ((x.T @ x) / len(x) for x in samples)
    mean = np.zeros(d)
    return lambda: metrics.frechet_distance_from_stats(mean, first, mean, second)


LABELS = [10**3, 10**4, 10**5, 10**6]
PIXELS = [32**2, 101**2, 320**2, 1012**2]
GROWTH = [
    Growth("QWK", "n", 1, LABELS, of_labels(metrics.quadratic_weighted_kappa)),
    Growth("accuracy", "n", 1, LABELS, of_labels(metrics.accuracy)),
    Growth("macro F1", "n", 1, LABELS, of_labels(metrics.f1_score, average="macro")),
    Growth("ROC AUC", "n", 1, LABELS, of_scores(metrics.roc_auc)),
    Growth("average precision", "n", 1, LABELS, of_scores(metrics.average_precision)),
    Growth("Dice", "pixels", 1, LABELS, of_masks),
    Growth("SSIM gaussian", "pixels", 1, PIXELS, of_images("gaussian")),
    Growth("SSIM uniform", "pixels", 1, PIXELS, of_images("uniform")),
    Growth("Frechet", "d", 3, [2, 20, 200, 2000], of_statistics),
]
