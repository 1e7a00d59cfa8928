# %% [markdown]
"""
Lesson 2. Likeness of images, and of sets of images
===================================================

- do: derive SSIM and the Fréchet distance, break both, and read somebody's numbers
- learn: what a likeness says only together with data range, baseline, n, d and features
- need: NumPy, mean and covariance; lesson 00
- sources: A (evaluation by SSIM and FID), Wang et al. 2004, Heusel et al. 2017
- data: toy.fundus, 40 eyes of 128 px (1.97 MB) and 500 of 32 px (1.54 MB); fast 200
- runtime: fast 6 s, full 10 s
- memory: 270 MB
- files: 1_copied.png, 2_equal_error.png, 3_data_range.png, 4_noise_floor.png,
  5_features.png, results.json
"""

# %% [markdown]
# **The question.** A group reports on generated retinas: "SSIM .95, FID .17". One is
# near its best value 1, the other near its best value 0. Are the images good?
#
# We begin with a photograph in which five pairs of small patches were swapped. The
# "restoration" that we score is the damaged input itself.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl import metrics, transforms
from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/02"))
OUT.mkdir(parents=True, exist_ok=True)
image = toy.fundus(1, size=128, rng=SEED).images[0, ..., 1] / 255  # green, in [0, 1]
swaps = 24 + transforms.sample_swaps((80, 80), 8, 5, rng=SEED)
damaged = transforms.swap_patches(image, swaps, 8)
plt.imshow(damaged, cmap="gray").axes.set_axis_off()
plt.title(f"SSIM {metrics.ssim(image, damaged, data_range=1):.2f}, and not restored")
plt.savefig(OUT / "1_copied.png", bbox_inches="tight")

# %% [markdown]
# Whoever restores by doing nothing scores as well as that group. This **copying score**
# is the baseline of restoration; without it an SSIM cannot be read.
#
# SSIM of one window
# ------------------
# Structural similarity asks three things of two windows x and y: are their means alike,
# their variances, and do they vary together? Wang et al. multiply the answers:
#
# ``SSIM = (2 μx μy + c1) / (μx² + μy² + c1) · (2 σxy + c2) / (σx² + σy² + c2)``
#
# with ``c1 = (0.01 L)²`` and ``c2 = (0.03 L)²``, where L is the **data range**: the
# largest minus the smallest value a pixel can have. The constants only keep flat
# windows from 0/0. First the naive form: the whole image is one window.

# %%
import numpy as np

c1, c2 = 0.01**2, 0.03**2
covariance = np.mean((image - image.mean()) * (damaged - damaged.mean()))
luminance = (2 * image.mean() * damaged.mean() + c1) / (
    image.mean() ** 2 + damaged.mean() ** 2 + c1
)
structure = (2 * covariance + c2) / (image.var() + damaged.var() + c2)
print(f"luminance {luminance:.4f}, contrast and structure {structure:.4f}")

# %% [markdown]
# Swapping moves pixels and changes none, so luminance is exactly 1. The score proper
# slides a small window over the image, weighs its middle most, and averages.

# %%
from numpy.lib.stride_tricks import sliding_window_view


def ssim_map(image1, image2, taps, c1, c2, unbias):
    """Return the SSIM of each window of (H, W, C) images (Wang et al. 2004, eq. 13)."""
    weights = np.outer(taps, taps)
    windows1, windows2 = (
        sliding_window_view(image.astype(np.float64), weights.shape, axis=(0, 1))
        for image in (image1, image2)
    )
    mean1 = (weights * windows1).sum(axis=(-2, -1), keepdims=True)
    mean2 = (weights * windows2).sum(axis=(-2, -1), keepdims=True)
    # centred before squaring: no digits cancel
    a, b = windows1 - mean1, windows2 - mean2
    # weighted sums along the row and the column, then the map
    variances = unbias * (weights * (a * a + b * b)).sum(axis=(-2, -1))
    covariance = unbias * (weights * a * b).sum(axis=(-2, -1))
    mean1, mean2 = mean1[..., 0, 0], mean2[..., 0, 0]
    return (
        (2 * mean1 * mean2 + c1)
        * (2 * covariance + c2)
        / ((mean1 * mean1 + mean2 * mean2 + c1) * (variances + c2))
    )


taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
taps /= taps.sum()  # 11 weights of a Gaussian of 1.5 pixels
x, y = image[..., None], damaged[..., None]
one_window = ssim_map(x, y, np.full(128, 1 / 128), c1, c2, 1.0)
assert np.allclose(one_window, luminance * structure)
assert np.allclose(ssim_map(x, x, taps, c1, c2, 1.0), 1)  # with itself: 1
assert np.allclose(ssim_map(x, y, taps, c1, c2, 1.0), ssim_map(y, x, taps, c1, c2, 1.0))

# %% [markdown]
# The library's ``ssim`` is the mean of this map.

# %%
from time import perf_counter

clock = [perf_counter()]
derived = ssim_map(x, y, taps, c1, c2, 1.0).mean()
clock.append(perf_counter())
copied = metrics.ssim(image, damaged, data_range=1)
clock.append(perf_counter())
assert abs(derived - copied) < 1e-12
print("derived {:.1f} ms, library {:.1f} ms".format(*1000 * np.diff(clock)))

# %% [markdown]
# **Before you run.** Three damages are scaled to *the same mean squared error*:
# brighter everywhere, noise, blur. Put them in the order of their SSIM.

# %%
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(SEED)
changes = {
    "brighter": np.ones(image.shape),
    "noise": rng.normal(size=image.shape),
    "blur": gaussian_filter(image, 3) - image,
}
damages = {
    name: image + change * np.sqrt(0.001 / np.mean(change**2))
    for name, change in changes.items()
}
scores = {k: metrics.ssim(image, v, data_range=1) for k, v in damages.items()}
figure, axes = plt.subplots(1, 3, figsize=(7, 2.9), layout="constrained")
for ax, (name, picture) in zip(axes, damages.items(), strict=True):
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
    ax.set_title(f"{name}: SSIM {scores[name]:.2f}", fontsize=10)
    ax.set_axis_off()
figure.suptitle("One mean squared error (0.001), three likenesses")
figure.savefig(OUT / "2_equal_error.png")

# %% [markdown]
# **You predicted** an order. Brightness costs least, since it leaves contrast and
# structure alone. Noise costs most on eight seeds of ten.
#
# **What you should see**
#
# - ``brighter``: 0.857 to 0.895
# - ``blur``: 0.601 to 0.824
# - ``noise``: 0.628 to 0.729
# - ``copied``: 0.942 to 0.968
#
# If you see brightness below the others instead, the two fractions were mixed up.
#
# Broken on purpose: the wrong data range
# ---------------------------------------
# **Before you run.** Our image lies in [0, 1]. Somebody passes the range of bytes,
# ``data_range=255``. Does the score of the noisy image fall, stay, or rise?

# %%
ranges = np.geomspace(0.5, 512, 21)
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for (name, picture), style in zip(damages.items(), ("o-", "s-", "^-"), strict=True):
    curve = [metrics.ssim(image, picture, data_range=r) for r in ranges]
    ax.semilogx(ranges, curve, style, markersize=4, label=name)
ax.axvline(1, color="black", linestyle=":", label="right")
ax.axvline(255, color="black", linestyle="--", label="wrong")
ax.set(xlabel="data_range of an image in [0, 1]", ylabel="SSIM")
ax.legend(frameon=False, loc="lower right")
wrong = metrics.ssim(image, damages["noise"], data_range=255)
figure.suptitle(f"The wrong range turns {scores['noise']:.2f} into {wrong:.5f}")
figure.savefig(OUT / "3_data_range.png")

# %% [markdown]
# **You predicted** a direction. It rises to almost 1, whatever the damage: c1 and c2
# are now larger than anything measured, and all fractions become c/c. Nothing fails and
# nothing warns; so the library makes ``data_range`` required, and a report must print
# it.
#
# **What you should see**
#
# - ``wrong``: 0.999 to 1
#
# If you see .7 or less at 255 instead, your image is in 0..255: then 255 is right.
#
# **Misconception: "SSIM sees what the doctor sees".** We erase every lesion of every
# eye of grade 2, which makes it an eye of grade 0, and beside it add noise that nobody
# would mind.

# %%
from scipy.ndimage import median_filter

eyes = toy.fundus(40, size=128, rng=SEED)
erased, grainy = [], []
for n in np.flatnonzero(eyes.grades == 2):
    eye = eyes.images[n, ..., 1] / 255
    lesion = np.any([masks[n] for masks in eyes.lesions.values()], axis=0)
    healed = np.where(lesion, median_filter(eye, 15), eye)
    noise = rng.normal(0, 0.02, eye.shape)
    erased.append(metrics.ssim(eye, healed, data_range=1))
    grainy.append(metrics.ssim(eye, eye + noise, data_range=1))
print(f"all lesions erased: {np.mean(erased):.3f}; noise of 2 %: {np.mean(grainy):.3f}")

# %% [markdown]
# Losing the diagnosis costs far less than losing a little smoothness.
#
# **What you should see**
#
# - ``erased``: 0.955 to 0.976
# - ``grainy``: 0.812 to 0.834
#
# Two sets: the Fréchet distance
# ------------------------------
# Generated images have no original to lie beside. So one describes each image by d
# numbers, its features, fits a Gaussian to each *set*, and measures between the
# Gaussians. In one dimension that is ``(m1 - m2)² + (s1 - s2)²``. In d dimensions
# standard deviations become roots of covariance matrices:
#
# ``|m1 - m2|² + tr S1 + tr S2 - 2 tr (S1^½ S2 S1^½)^½``
#
# With features of an Inception network it is called FID.


# %%
def frechet_distance_from_stats(mean1, cov1, mean2, cov2):
    """Return the Frechet distance of two Gaussians (Dowson and Landau 1982)."""
    # the symmetric square root of the first covariance
    values, vectors = np.linalg.eigh(cov1)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    # tr sqrt(S1^½ S2 S1^½), from eigenvalues that are real
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov2 @ root), 0, None)).sum()
    return np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * cross


def frechet_distance(features1, features2):
    """Return the Frechet distance of Gaussians fitted to (n, d) features."""
    return frechet_distance_from_stats(
        features1.mean(axis=0),
        np.atleast_2d(np.cov(features1, rowvar=False)),
        features2.mean(axis=0),
        np.atleast_2d(np.cov(features2, rowvar=False)),
    )


a, b = rng.normal(0, 1, (200, 1)), rng.normal(2, 3, (200, 1))
naive = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
assert np.isclose(frechet_distance(a, b), naive)
a, b = rng.normal(size=(200, 64)), rng.normal(size=(200, 64))
assert np.isclose(frechet_distance(a, a + 0.5), 64 * 0.25)  # a shift c: |c|²
assert np.isclose(frechet_distance(10 * a, 10 * b), 100 * frechet_distance(a, b))
assert np.isclose(frechet_distance(a, b), metrics.frechet_distance(a, b))

# %% [markdown]
# The scaling law already settles ".17": multiply all features by 10, and it is 17.
#
# **Before you run.** Two samples of *one* distribution, 64 independent features of
# variance 1, 50 images each. The true distance is 0. What will be measured? And with
# 1,000 images?

# %%
counts, repeats, floor = [50, 100, 200, 500, 1000], 3 if FAST else 10, {}
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for n in counts:
    floor[n] = [frechet_distance(*rng.normal(size=(2, n, 64))) for _ in range(repeats)]
    ax.loglog([n] * repeats, floor[n], "o", color="#0072B2", alpha=0.5)
ax.axhline(0.17, color="#D55E00", linestyle="--")
ax.text(55, 0.2, "the reported .17")
ax.set_xticks(counts, counts, minor=False)
ax.minorticks_off()
ax.set(xlabel="images in each set", ylabel="Fréchet distance, d = 64", ylim=(0.1, 99))
low, high = (np.mean(floor[n]) for n in (1000, 50))
figure.suptitle(f"Nothing differs: 50 images say {high:.0f}, 1,000 say {low:.1f}")
figure.savefig(OUT / "4_noise_floor.png")

# %% [markdown]
# **You predicted** two numbers. A covariance of 64 × 64 has 2,080 entries; 50 images
# cannot know them, and every error *adds*. This **noise floor** falls about as 1/n.
#
# **What you should see**
#
# - ``floor_50``: 43.1 to 45
# - ``floor_1000``: 2.18 to 2.25
#
# If you see 0 instead, both samples came from one seed.
#
# One pair of sets, any number you like
# -------------------------------------
# Real: right eyes of half of the patients. "Generated": those of the others, *every one
# of them blurred*. Three kinds of features, and beside each distance its floor: the
# brightness of 64 blocks in [0, 1]; the same in *bytes*, 0 to 255; *edges* in 64
# blocks.

# %%
n = 50 if FAST else 125
images = toy.fundus(4 * n, size=32, rng=SEED).images[::2] / 255  # one eye a patient
real, generated = images[:n], gaussian_filter(images[n:], (0, 1, 1, 0))


def blocks(values):
    return values.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(len(values), 64)


kinds = {
    "blocks": lambda x: blocks(x[..., 1]),
    "bytes": lambda x: 255 * blocks(x[..., 1]),
    "edges": lambda x: blocks(abs(np.diff(x[..., 1], axis=1, append=0))),
}
table = {}
for name, features in kinds.items():
    r, g = features(real), features(generated)
    chance = np.quantile(metrics.frechet_noise_floor(r, n, rng=SEED), 0.95)
    table[name] = frechet_distance(r, g), chance
    print(f"{name}: {table[name][0]:.3g}, by chance up to {chance:.3g}")
figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for row, pair in enumerate(table.values()):
    ax.semilogx(pair[0], row, "o", color="#0072B2")
    ax.semilogx(pair[1], row, "|", color="black", markersize=14)
ax.set(yticks=range(3), yticklabels=table, ylim=(2.6, -0.6))
ax.set_xlabel("Fréchet distance (square of the features' unit)")
ax.legend(["measured", "95 % of chance lies below"], frameon=False, loc="upper right")
found = [name for name, (distance, chance) in table.items() if distance > chance]
figure.suptitle("Every image is blurred; it shows in: " + (", ".join(found) or "none"))
figure.savefig(OUT / "5_features.png")

# %% [markdown]
# **Misconception: "a small distance is a good one".** .01 of the blocks is about what
# chance gives; .01 of the edges is fifteen times that; and in bytes the same blocks
# give several hundred. A distance sees only what its features see.
#
# **What you should see**
#
# - ``blocks``: 0.00913 to 0.0172
# - ``blocks_ratio``: 0.67 to 1.53
# - ``bytes``: 594 to 1120
# - ``edges``: 0.013 to 0.0163
# - ``edges_ratio``: 13.8 to 16.49
#
# If you see the edges below their chance instead, the blur ran over the image axis.
#
# **Where the method lost**: on seven seeds of ten the blocks say no more than chance
# although all images differ.

# %%
import json

results = scores | {"copied": copied, "wrong": wrong}
results |= {"erased": np.mean(erased), "grainy": np.mean(grainy)}
results |= {f"floor_{n}": np.mean(floor[n]) for n in (50, 1000)}
for name, (distance, chance) in table.items():
    results |= {name: distance, f"{name}_ratio": distance / chance}
results = {name: float(f"{value:.4g}") for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Your turn
# ---------
# **Check.** Fill in three functions.
#
# 1. ``my_ssim_window``: the SSIM of one window whose pixels all weigh the same.
# 2. ``my_gain``: 0 for copying the damaged input, 1 for a perfect restoration, negative
#    for harm, and nan where the input was perfect already.
# 3. ``my_frechet_diagonal``: the distance of two Gaussians whose features are
#    independent.

# %%
from tinyssl import check


def my_ssim_window(window1, window2, data_range):
    """SSIM of two equally large windows, float32 or 64; compute in float64."""
    return None  # your lines in place of this one


def my_gain(ssim_copied, ssim_restored):
    """Share of what was left to restore that has been restored."""
    return None  # your lines in place of this one


def my_frechet_diagonal(mean1, variances1, mean2, variances2):
    """Fréchet distance of Gaussians of independent features: (d,) arrays."""
    return None  # your lines in place of this one


check.ssim_window(my_ssim_window)
check.gain(my_gain)
check.frechet_diagonal(my_frechet_diagonal)

# %% [markdown]
# **Change.** (a) Swap 1, 5, 20 and 50 pairs in the first cell. Until how many would a
# reported .95 be beaten by copying? (b) Textbooks write the variance as ``E[x²] -
# E[x]²``. Do so in a copy of ``ssim_map``, in float32, for the image plus 1000 and a
# noisy copy of it. How many windows leave [-1, 1], and why?
#
# **Make.** Rewrite system A's sentence, "SSIM .95, FID .17", so that a stranger can
# check it. Rubric, one point each: data range and window; what copying scores; n of
# both sets; d and which features; the noise floor.
#
# Three things to keep
# --------------------
# - SSIM needs its data range and the score of copying beside it.
# - A Fréchet distance needs n, d, the features and the noise floor beside it.
# - Neither asks whether a lesion survived.
#
# Quiz
# ----
# 1. Why does ``data_range=255`` bring images of [0, 1] near 1?
# 2. Two FIDs, 12 with 500 images and 9 with 5,000. Which generator is better?
# 3. A network restores to .93; copying scores .96. What has it done?
#
# <details><summary>Answers</summary>
#
# 1. The constants outgrow means and variances; both fractions tend to 1.
# 2. Unknown: the floor of 500 is higher. Draw both floors, or compare at one n.
# 3. Harm: a gain of -0.75.
#
# </details>
#
# In a clinic
# -----------
# A generator chosen by SSIM may erase microaneurysms, and whoever learns from its
# images learns that they do not exist. System A's claim stands unreadable, not refuted:
# n, d, features, range and baseline are missing.
#
# Sources
# -------
# - A: student project on retinal context restoration.
# - Wang et al. 2004, "Image quality assessment", IEEE TIP 13(4): equation 13.
# - Dowson and Landau 1982, J. Multivariate Analysis 12(3).
