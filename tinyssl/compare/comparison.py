"""Two sets of images side by side: pairs by SSIM, whole sets by Frechet distance.

Every number comes with what it must be read beside: pairs with pairs put together at
random, a distance with the distance of two samples of one distribution.
"""

import warnings
from contextlib import contextmanager

import numpy as np
from scipy.special import stdtrit

from tinyssl import metrics

LEVEL = 0.95  # of all intervals here
GROUPS = 20  # of the jackknife
MANY = 256  # features above which a distance is repeated less often


def pair_scores(image1, image2):
    """Score two (H, W, C) images, of uint8 or [0, 1]; the MSE is of [0, 1] always."""
    if (image1.dtype == np.uint8) != (image2.dtype == np.uint8):
        image1, image2 = (
            x / np.float32(255) if x.dtype == np.uint8 else x for x in (image1, image2)
        )
    top = 255 if image1.dtype == np.uint8 else 1
    return {
        "ssim": metrics.ssim(image1, image2, data_range=top, channel_axis=-1),
        "psnr": metrics.psnr(image1, image2, data_range=top),
        "mse": metrics.mse(image1, image2) / top**2,
    }


def bootstrap(values, *, groups=None, rng, repeats=2000):
    """Mean of what is known, and its interval by groups drawn anew (nan for one)."""
    values = np.asarray(values, float)
    known = ~np.isnan(values)
    low = high = float("nan")
    if not known.any():
        return {"mean": low, "low": low, "high": high}
    labels = np.arange(len(values)) if groups is None else np.asarray(groups)
    values, member = values[known], np.unique(labels[known], return_inverse=True)[1]
    totals, counts = np.bincount(member, values), np.bincount(member)
    if (G := len(totals)) > 1:
        rng = np.random.default_rng(rng)
        drawn = rng.multinomial(G, np.full(G, 1 / G), repeats)  # how often each group
        means = drawn @ totals / (drawn @ counts)
        low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return {"mean": float(values.mean()), "low": low, "high": high}


def set_distance(features1, features2, *, pairs=0, patients=None, rng):
    """Frechet distance of (n1, d) and (n2, d) features, and what to read beside it.

    The first ``pairs`` rows of both are the same eyes; ``patients`` are those of each
    set. Without them images are taken as independent, and "p" may be too small.
    "relative" is the distance over the variance of the real features; "low", "high" a
    delete-a-group jackknife, the bias of n in it (a bootstrap would add it once more);
    "floor" distances of two samples of the Gaussian fitted to the real features;
    "exchanged" distances after units changed sides at random; "p" the share of those
    not below the distance, which decides (examples/calibrate_distance.py).
    """
    rng = np.random.default_rng(rng)
    n1, n2, d = len(features1), len(features2), features1.shape[1]
    if patients is None:  # an image without a partner is alone
        patients = np.arange(n1), np.r_[:pairs, n1 : n1 + n2 - pairs]
    both = np.concatenate([np.asarray(labels) for labels in patients])
    if len(both) != n1 + n2:
        raise ValueError(f"patients must be {n1} and {n2}, found {len(both)} in all")
    units = np.split(np.unique(both, return_inverse=True)[1], [n1])
    repeats = 199 if d <= MANY else 59  # eigenvalues of large matrices take seconds
    with known_bias():
        found = metrics.frechet_distance(features1, features2)
        low, high = _jackknife(features1, features2, *units, found, rng)
        options = {"rng": rng, "repeats": repeats // 2}
        floor = np.sort(metrics.frechet_noise_floor(features1, n1, n2, **options))
        exchanged = _exchanged(features1, features2, *units, pairs, repeats, rng)
    spread = float(features1.var(0, ddof=1).sum())
    rounding = 1e-9 * max(found, spread)  # a set beside itself: all are 0 but for that
    exchanged[np.abs(exchanged - found) <= rounding] = found
    beyond = int((exchanged >= found).sum())
    result = {"distance": found, "n1": n1, "n2": n2, "d": d}
    result["relative"] = found / spread if spread else float("nan")
    result |= {"low": low, "high": high, "floor": floor, "exchanged": exchanged}
    return result | {"p": (1 + beyond) / (1 + repeats)}


def verdict(found):
    """Say in words what a distance says."""
    floor = np.quantile(found["floor"], LEVEL)
    if found["distance"] <= 1e-9 * max(1e-300, floor):
        return "The two sets are one: the distance is 0."
    if found["p"] > 1 - LEVEL:
        return (
            "The sets cannot be told from two samples of one distribution by these "
            f"features with these numbers of images (p = {found['p']:.2f})."
        )
    times = found["distance"] / float(np.median(found["exchanged"]))
    below = (
        "; it lies below the noise floor of independent samples only because the same "
        "images stand on both sides"
    )
    return (
        f"The sets differ (p = {found['p']:.3g}): the distance is {times:.3g} times "
        "that of randomly exchanged sets"
        f"{below if found.get('pairs', 0) and found['distance'] < floor else ''}."
    )


@contextmanager
def known_bias():
    """Silence the warning about few samples, which the caller gives once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*mostly bias")
        yield


def _exchanged(features1, features2, units1, units2, pairs, repeats, rng):
    """Return distances of the sets after units changed sides at random, sorted."""
    both, n1 = np.concatenate([features1, features2]), len(features1)
    count = 1 + max(units1.max(), units2.max())
    # patients without partners: one of each side and number
    alone = np.concatenate([units1[pairs:], count + units2[pairs:]])
    names, member = np.unique(alone, return_inverse=True)
    found = np.empty(repeats)
    for k in range(repeats):
        flipped = rng.integers(0, 2, count)[units1[:pairs]]
        side1, side2 = np.split(rng.permutation(names >= count)[member], [n1 - pairs])
        side = np.concatenate([flipped, side1, 1 - flipped, side2])
        found[k] = metrics.frechet_distance(both[side == 0], both[side == 1])
    return np.sort(found)


def _jackknife(features1, features2, units1, units2, found, rng):
    """Return the interval of the distance from leaving out one group of units."""
    names1, names2 = np.unique(units1), np.unique(units2)
    G = min(GROUPS, len(names1), len(names2))
    if G < 3:
        return float("nan"), float("nan")
    shared = np.intersect1d(names1, names2)  # leave both sets together
    group = np.empty(1 + max(names1[-1], names2[-1]), np.int64)
    group[shared] = rng.permutation(len(shared)) % G
    for names in (names1, names2):
        single = np.setdiff1d(names, shared)
        group[single] = (len(shared) + rng.permutation(len(single))) % G
    group1, group2 = group[units1], group[units2]
    left = [
        metrics.frechet_distance(features1[group1 != g], features2[group2 != g])
        for g in range(G)
    ]
    error = np.sqrt((G - 1) / G * np.square(left - np.mean(left)).sum())
    half = stdtrit(G - 1, 0.5 + LEVEL / 2) * error
    return max(0.0, float(found - half)), float(found + half)
