"""The rows of the benchmark: data, our call, the peers, and the bar to clear."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import benchmark_peers as peers
import numpy as np
from scipy.ndimage import gaussian_filter

from tinyssl import metrics, transforms


@dataclass
class Peer:
    """Another library, how close to ours its answer must be, and why it differs."""

    name: str
    prepare: Callable
    tolerance: float = 1e-9  # of the largest value, or of 1 where that is larger
    known: str = ""  # what is wrong there: its difference is printed, not judged


@dataclass
class Row:
    """A line of the table: our call on some data, peers, and the bar to clear."""

    name: str
    data: Callable  # quick -> the arguments of ours and of the peers' prepare
    ours: Callable
    peers: list[Peer]  # the usual library comes last
    best: float = 0  # so many times faster than the best peer
    usual: float = 0  # and than the usual library
    limit: float = np.inf  # and at most so many milliseconds


# ---- data --------------------------------------------------------------------------


def images(shape, dtype, window, quick):
    """Draw two smooth images, one with noise; float64 and float32 in [0, 1]."""
    if quick:
        shape = tuple(min(side, 72) for side in shape)
    rng = np.random.default_rng(0)
    blur = (0, 3, 3, 0) if len(shape) == 4 else (3, 3, 0)[: len(shape)]
    image = gaussian_filter(rng.random(shape), blur)
    image = (image - image.min()) / np.ptp(image)
    noisy = np.clip(image + rng.normal(0, 0.05, shape), 0, 1)
    if dtype == np.uint8:
        image, noisy = 255 * image, 255 * noisy
    data_range = 255 if dtype == np.uint8 else 1
    return image.astype(dtype), noisy.astype(dtype), data_range, window


def grades(n, dtype, quick):
    """Draw two raters who mostly agree, of 5 grades."""
    rng = np.random.default_rng(0)
    n = min(n, 20_000) if quick else n
    a = rng.integers(0, 5, n, dtype)
    other = rng.integers(0, 5, n, dtype)
    return a, np.where(rng.random(n, np.float32) < 0.7, a, other)


def ranked(n, quick):
    """Draw labels and scores in [0, 1] that know a little."""
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 20_000 if quick else n)
    return y_true, np.clip(rng.normal(0.4 + 0.2 * y_true, 0.15), 0, 1)


def masks(quick):
    """Draw blobs and other blobs: (64, 224, 224) bool."""
    noise = np.random.default_rng(0).random((2, 5 if quick else 64, 224, 224))
    return tuple(gaussian_filter(noise, (0, 0.5, 4, 4)) > 0.5)


WHITE, DECAYING = 1, np.exp(-5)  # the last deviation beside the first


def features(n, d, last, quick):
    """Draw two sets of float32 features whose deviations fall from 1 to ``last``."""
    n, d = (n // 32, d // 32) if quick else (n, d)
    rng = np.random.default_rng(0)
    scales = np.geomspace(1, last, d, dtype=np.float32)
    x, y = rng.standard_normal((2, n, d), np.float32) * scales
    return x, y * np.float32(1.2) + np.float32(0.1)


def batch(dtype, quick):
    """Return a batch of 64 colour images of 224 px."""
    shape = (3, 72, 72, 3) if quick else (64, 224, 224, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8).astype(dtype)


def planes(dtype, quick):
    """Return the batch as channels-first images have it, a plane for each colour."""
    images = batch(dtype, quick)
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return channels_first.reshape(-1, *images.shape[1:3])


def swaps(dtype, quick):
    """Return the batch, and 10 swaps of 28 px for each image."""
    images = batch(dtype, quick)
    N, H, W, _ = images.shape
    places = transforms.sample_swaps((H, W), 28, 10 * N, rng=0)
    return images, places.reshape(N, 10, 4), 28


# ---- rows --------------------------------------------------------------------------


def ssim(image1, image2, data_range, window):
    """Our SSIM with the peers' settings; a batch in its own form, one call."""
    options = {"data_range": data_range}
    if window == "uniform":
        options |= {"sample_covariance": True, "window": "uniform"}
    if image1.ndim > 2:
        options["channel_axis"] = -1
    if image1.ndim == 4:
        options["batch_axis"] = 0
    return lambda: metrics.ssim(image1, image2, **options)


def ours(function, *data):
    """Return a call of one of our functions."""
    return lambda: function(*data)


def ssim_row(name, shape, dtype, best, usual):
    """Return a row of SSIM; its name says the window."""
    window = name.split()[1]
    skimage, opencv, fast = peers.skimage_ssim, peers.opencv_ssim, peers.fast_ssim
    if len(shape) == 4:
        skimage, opencv, fast = map(peers.each, (skimage, opencv, fast))
    others = [Peer("Fast-SSIM", fast, 1e-5)]
    if window == "gaussian":
        others = [
            Peer("OpenCV float32", opencv, 1e-4),
            Peer("piq", peers.piq_ssim, 1e-4),
            Peer("torchmetrics", peers.torchmetrics_ssim, known="pads its border"),
        ]
    single = 1e-5 if dtype == np.float32 else 1e-9  # scikit-image keeps float32
    others.append(Peer("scikit-image", skimage, single))
    return Row(name, partial(images, shape, dtype, window), ssim, others, best, usual)


def qwk_row(name, n, dtype, **bar):
    """Return a row of quadratic weighted kappa."""
    others = [
        Peer("np.bincount", peers.numpy_qwk),
        Peer("torchmetrics", peers.torchmetrics_qwk, 1e-5),
        Peer("scikit-learn", peers.sklearn_qwk),
    ]
    data = partial(grades, n, dtype)
    mine = partial(ours, metrics.quadratic_weighted_kappa)
    return Row(name, data, mine, others, **bar)


def frechet_row(name, data, function, best, usual, rounding=1e-6):
    """Return a row of the Frechet distance, which peers know to ``rounding``."""
    others = [
        Peer("numpy eigh", peers.numpy_frechet, rounding),
        Peer("torch-fidelity", peers.torch_fidelity, 1e-3),
        Peer("pytorch-fid", peers.pytorch_fid, 1e-3),
    ]
    return Row(name, data, partial(ours, function), others, best, usual)


def swaps_in_place(images, places, size):
    """Swap in a copy that each call goes on with."""
    images = images.copy()
    return lambda: transforms.swap_patches(images, places, size, out=images)


def swap_row(dtype, in_place, best, usual):
    """Return a row of swaps; the peers always fill a new array."""
    others = [
        Peer("numpy slices", peers.numpy_swaps, 0),
        Peer("TorchIO", peers.torchio_swaps, 0),
    ]
    where = " in place" if in_place else ""
    name = f"swaps{where} T=10, 28 px, 64 x 224²x3 {dtype}"
    mine = swaps_in_place if in_place else partial(ours, transforms.swap_patches)
    return Row(name, partial(swaps, dtype), mine, others, best, usual)


def draw_and_swap(images, size):
    """Draw the places, the same at each call, and swap into a new array."""
    shape, count = images.shape[1:3], len(images)

    def call():
        places = transforms.sample_swaps(shape, size, 10 * count, rng=0)
        return transforms.swap_patches(images, places.reshape(count, 10, 4), size)

    return call


def draw_row(dtype, best, usual):
    """Return a row of swaps whose places are drawn in the time, as users do."""
    others = [
        Peer("numpy slices", peers.numpy_draw, 0),
        Peer("TorchIO", peers.torchio_draw, known="draws other places"),
    ]
    name = f"draw and swap T=10, 28 px, 64 x 224²x3 {dtype}"
    return Row(
        name,
        lambda quick: (batch(dtype, quick), 28),
        draw_and_swap,
        others,
        best,
        usual,
    )


def turn_row(turns, dtype, best, usual, data=batch):
    """Return a row of turns of a whole batch: pixels with their colours, or planes."""
    others = [
        Peer("OpenCV", peers.opencv_turns, 0),
        Peer("torch", peers.torch_turns, 0),
        Peer("numpy", peers.numpy_turns, 0),
    ]
    shape = "64 x 224²x3" if data is batch else "planes, 64 x 3 x 224²"
    name = f"{'quarter' if turns == 1 else 'half'} turn, {shape} {dtype}"
    mine = partial(ours, transforms.rotate)
    return Row(
        name, lambda quick: (data(dtype, quick), turns), mine, others, best, usual
    )


def count_row(name, data, function, others, best, usual):
    """Return a row of counting or ranking; ``others`` are (name, prepare...)."""
    others = [Peer(*other) for other in others]
    return Row(name, data, partial(ours, function), others, best, usual)


def ranking_row(name, function, sklearn_name, torchmetrics_name):
    """Return a row of a ranking metric at a million scores."""
    others = [
        ("torchmetrics", partial(peers.torchmetrics_ranking, torchmetrics_name), 1e-5),
        ("scikit-learn", partial(peers.sklearn_ranking, sklearn_name)),
    ]
    return count_row(name, partial(ranked, 10**6), function, others, 7, 18)


def macro_f1(y_true, y_pred):
    """Our F1, averaged over classes."""
    return metrics.f1_score(y_true, y_pred, average="macro")


def covariances(n, last, quick):
    """Means and covariances of n samples of 2,048 features: of rank n - 1 or full."""
    return tuple(peers.stats(features(n, 2048, last, quick)))


MILLION = partial(grades, 10**6, np.int64)
ROWS = [
    ssim_row("SSIM gaussian 512² float64", (512, 512), np.float64, 4, 15),
    ssim_row("SSIM gaussian 1024² uint8", (1024, 1024), np.uint8, 4, 20),
    ssim_row("SSIM gaussian 512²x3 float64", (512, 512, 3), np.float64, 4, 15),
    ssim_row("SSIM gaussian 64² uint8", (64, 64), np.uint8, 1.5, 8),
    ssim_row(
        "SSIM gaussian 64 x 224²x3 float32", (64, 224, 224, 3), np.float32, 2.5, 12
    ),
    ssim_row("SSIM uniform 512² float64", (512, 512), np.float64, 1.2, 40),
    ssim_row("SSIM uniform 1024² uint8", (1024, 1024), np.uint8, 1.5, 60),
    ssim_row("SSIM uniform 512²x3 uint8", (512, 512, 3), np.uint8, 0.8, 80),
    ssim_row("SSIM uniform 512²x3 float64", (512, 512, 3), np.float64, 1, 40),
    ssim_row("SSIM uniform 64 x 224²x3 uint8", (64, 224, 224, 3), np.uint8, 1, 40),
    qwk_row("QWK n = 100 int64", 100, np.int64, best=1, usual=20),
    qwk_row("QWK n = 3,662 int64", 3662, np.int64, limit=0.010),
    qwk_row("QWK n = 1e6 int64", 10**6, np.int64, best=5, usual=200),
    qwk_row("QWK n = 1e8 uint8", 10**8, np.uint8, best=25, usual=300),
    *(
        frechet_row(
            f"Frechet, features {n} x 2048, {name}",
            partial(features, n, 2048, last),
            metrics.frechet_distance,
            *bars,
        )
        for n, name, last, *bars in (
            (500, "white", WHITE, 30, 250),
            (10_000, "white", WHITE, 1.5, 4),
            (10_000, "decaying", DECAYING, 1.5, 4),
        )
    ),
    *(
        frechet_row(
            f"Frechet, stats d = 2048, {name}",
            partial(covariances, n, last),
            metrics.frechet_distance_from_stats,
            *bars,
        )
        for n, name, last, *bars in (
            (2 * 2048, "white", WHITE, 1.7, 8),
            (2 * 2048, "decaying", DECAYING, 1.5, 4),
            (1024, "rank 1023", WHITE, 1, 4, 1e-4),
        )
    ),
    swap_row("uint8", False, 2, 200),
    swap_row("float32", False, 2, 200),
    swap_row("uint8", True, 4, 200),
    swap_row("float32", True, 4, 200),
    draw_row("uint8", 1, 200),
    draw_row("float32", 1, 200),
    turn_row(1, "uint8", 1.5, 4),
    turn_row(1, "float32", 1.5, 4),
    turn_row(2, "uint8", 0.9, 2),
    turn_row(2, "float32", 0.9, 2),
    turn_row(1, "uint8", 1, 4, planes),
    turn_row(1, "float32", 1, 4, planes),
    turn_row(2, "uint8", 0.9, 2, planes),
    turn_row(2, "float32", 0.9, 2, planes),
    ranking_row("ROC AUC n = 1e6", metrics.roc_auc, "roc_auc_score", "binary_auroc"),
    ranking_row(
        "average precision n = 1e6",
        metrics.average_precision,
        "average_precision_score",
        "binary_average_precision",
    ),
    count_row(
        "macro F1 n = 1e6",
        MILLION,
        macro_f1,
        [("np.bincount", peers.numpy_f1), ("scikit-learn", peers.sklearn_f1)],
        1.3,
        80,
    ),
    count_row(
        "macro F1 n = 3,662",
        partial(grades, 3662, np.int64),
        macro_f1,
        [("np.bincount", peers.numpy_f1), ("scikit-learn", peers.sklearn_f1)],
        1,
        20,
    ),
    count_row(
        "accuracy n = 1e6",
        MILLION,
        metrics.accuracy,
        [("numpy", peers.numpy_accuracy), ("scikit-learn", peers.sklearn_accuracy)],
        2,
        100,
    ),
    count_row(
        "Dice 64 x 224²",
        masks,
        metrics.dice,
        [("numpy", peers.numpy_dice), ("scikit-learn", peers.sklearn_dice)],
        5,
        100,
    ),
]
