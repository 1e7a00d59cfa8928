# %% [markdown]
"""
Lesson 9. Judge restored images
===============================

- do: restore eyes in five ways; rank them by SSIM, by Fréchet distance, and by the
  grader that they train
- learn: what a claim about generated images must state, and how to test one
- need: lessons 01, 02 and 06
- sources: A (restoration)
- data: toy.fundus, n 600 and 300 (fast 80 and 40), 64 px, 11.06 MB
- runtime: fast 12 s, full 50 s
- memory: 1020 MB
- files: 1_spots.png, 2_ways.png, 3_graders.png, 4_features.png, 5_sizes.png,
  results.json
"""

# %% [markdown]
# **The question.** System A reports on the retinas it generates: "SSIM .95, FID .17",
# and that they "can be used to train other models". Lesson 02 said what such numbers
# lack. Now we try what the last sentence claims.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/09"))
OUT.mkdir(parents=True, exist_ok=True)
eyes = toy.fundus(80 if FAST else 600, size=64, rng=SEED)
ill = int(eyes.lesion_counts["HE"].argmax())
figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.6), subplot_kw={"xlabel": "pixels"})
axes[0].imshow(eyes.images[ill])
axes[1].imshow(sum(masks[ill] for masks in eyes.lesions.values()) > 0, cmap="gray_r")
figure.suptitle(f"Spots make this a grade {eyes.grades[ill]}: does a score see them?")
figure.savefig(OUT / "1_spots.png")

# %% [markdown]
# Five ways to return an eye
# --------------------------
# Four pairs of 8-px patches are swapped in each eye. What comes back:
#
# - ``copied``: the disordered eye as it is, the baseline.
# - ``filled``: the moved patches painted smoothly from their rim (lesson 06).
# - ``network``: restored by an encoder with deconvolutions, trained on other patients.
# - ``noise``: the eye itself, with a grain of 2 %.
# - ``erased``: the eye itself, every lesion painted over smoothly.
#
# The last two are no restorations. A score does not know that.
#
# **Before you run.** Put the five in the order of their SSIM.

# %%
import numpy as np
import torch

from tinyssl import models, pretext, training
from tinyssl.compare import comparison, features, restored

torch.set_num_threads(1)
images, N = eyes.images, len(eyes)
rng = np.random.default_rng(SEED)
region, lit = eyes.field_of_view.all(axis=0), eyes.field_of_view.any(axis=0)


def fill(images, holes, rounds=40):
    """Paint holes smoothly from their rim, as in lesson 06."""
    filled = images = images.astype(np.float32)
    for _ in range(rounds):
        sides = [np.roll(filled, k, axis) for k in (1, -1) for axis in (1, 2)]
        filled = np.where(holes[..., None], sum(sides) / 4, images)
    return np.rint(filled).astype(np.uint8)


others = toy.fundus(N // 2, size=64, rng=SEED + 1000).images
torch.manual_seed(SEED)
how = {"patch_size": 8, "num_swaps": 4, "region": region, "standardise": True}
task = pretext.find("restoration").build(models.densenet_small(), image_size=64, **how)
log = training.train(task, [others], steps=4 if FAST else 80, lr=3e-3, seed=SEED)
print(f"network: loss {log[-1]['loss']:.2f}, copying {log[-1]['copy']:.2f}", flush=True)
found = restored.disorder_and_restore(task, images, seed=SEED, field=lit)
grain = rng.normal(0, 5, images.shape) * lit[..., None]
ways = {
    "copied": found.disordered,
    "filled": fill(found.disordered, found.changed),
    "network": found.restored,
    "noise": np.clip(images + grain, 0, 255).astype(np.uint8),
    "erased": fill(images, np.any(list(eyes.lesions.values()), axis=0)),
}

# %%
sets, results, ssim = {"real": images} | ways, {}, {}
figure, axes = plt.subplots(1, 6, figsize=(9.6, 2.2), layout="constrained")
for ax, (name, way) in zip(axes, sets.items(), strict=True):
    scores = map(comparison.pair_scores, images, way)
    results[f"ssim_{name}"] = ssim[name] = np.mean([s["ssim"] for s in scores])
    ax.imshow(way[ill])
    ax.set(xticks=[], yticks=[], title=f"{name} {ssim[name]:.3f}")
best = max(ways, key=ssim.get)
figure.suptitle(f"Mean SSIM of {N} eyes: the best of the five is {best}")
figure.savefig(OUT / "2_ways.png")

# %% [markdown]
# **You predicted** an order. **What you should see** (data range 255, Gaussian window,
# whole image):
#
# - ``ssim_copied``: 0.875 to 0.877
# - ``ssim_filled``: 0.954 to 0.955
# - ``ssim_network``: 0.69 to 0.702
# - ``ssim_noise``: 0.87 to 0.872
# - ``ssim_erased``: 0.979 to 0.983
#
# If you see all above .999 instead, the data range does not belong to the images.
#
# The system's .95 lies between two ways that know no eye: painting over what moved, or
# over what a doctor looks for.
#
# Do they train a grader?
# -----------------------
# A small grader measures the darkest and brightest spots of an eye, and ridge
# regression makes a grade of them. It learns from restored eyes with their true grades,
# and is tested on *real* eyes of other patients: five folds.
#
# **Before you run.** From which of the five does it learn most, and from which nothing?

# %%
from scipy.ndimage import gaussian_filter

from tinyssl.metrics import quadratic_weighted_kappa


def spots(images):
    """Rank the darkest and brightest spots of each colour, at three scales."""
    x = images.astype(np.float32) / 255
    lit = (x.max(axis=3, keepdims=True) > 0.08).astype(np.float32)
    inside, columns = gaussian_filter(lit, (0, 2, 2, 0)) > 0.98, []
    for scale in (0.7, 1.4, 2.8):
        small, large = (gaussian_filter(x, (0, s, s, 0)) for s in (scale, 2 * scale))
        ranked = np.sort(((small - large) * inside).reshape(len(x), -1, 3), axis=1)
        columns += [ranked[:, k] for k in (0, 3, 10, 30, -31, -11, -4, -1)]
        columns.append(ranked.std(axis=1))
    return np.log(1e-3 + np.abs(np.concatenate(columns, axis=1))).astype(np.float64)


def grade(train, grades, test, penalty=0.01):
    """Learn by ridge regression; cut so that every grade keeps its share."""
    centre, scale = train.mean(axis=0), train.std(axis=0) + 1e-6
    x, y = (train - centre) / scale, grades - grades.mean()
    weights = np.linalg.solve(x.T @ x + penalty * len(x) * np.eye(x.shape[1]), x.T @ y)
    shares = np.cumsum(np.bincount(grades, minlength=5))[:-1] / len(x)
    cuts = np.quantile(x @ weights, shares)
    return np.searchsorted(cuts, (test - centre) / scale @ weights)


seen = {name: spots(way) for name, way in sets.items()}
fold, kappa = np.arange(N) // 2 % 5, {}  # two eyes of a patient in a row
for name, x in seen.items():
    kappa[name] = np.zeros(5)
    for k in range(5):
        learnt, asked = fold != k, fold == k
        answers = grade(x[learnt], eyes.grades[learnt], seen["real"][asked])
        kappa[name][k] = quadratic_weighted_kappa(eyes.grades[asked], answers)
    results[f"kappa_{name}"] = kappa[name].mean()

# %%
from tinyssl.summary import paired_interval

figure, ax = plt.subplots(figsize=(6.8, 3.8), layout="constrained")
for name, mark in zip(ways, "s^Dvo", strict=True):
    less = paired_interval(kappa[name] - kappa["real"], test_share=1 / 4)
    print(name, "minus real eyes: kappa {:+.2f} [{:+.2f}, {:+.2f}]".format(*less))
    results[f"loss_{name}"] = less[0]
    ax.plot([ssim[name]] * 5, kappa[name], mark, alpha=0.6, label=name)
ax.axhline(kappa["real"].mean(), color="k", linestyle="--", label="real eyes")
ax.axvline(0.95, color="k", linestyle=":", label="the reported .95")
ax.set(xlabel="SSIM", ylabel="kappa of the grader it trains, five folds")
ax.legend()
figure.suptitle(f"Best SSIM: {best}. Grader it trains: kappa {kappa[best].mean():.2f}")
figure.savefig(OUT / "3_graders.png")

# %% [markdown]
# **You predicted** two ways. **What you should see** (means of five folds):
#
# - ``kappa_real``: 0.671 to 0.742
# - ``kappa_copied``: 0.637 to 0.734
# - ``kappa_filled``: 0.624 to 0.676
# - ``kappa_noise``: 0.661 to 0.746
# - ``kappa_network``: 0 to 0.036
# - ``kappa_erased``: -0.028 to 0.25
#
# If you see .7 for the erased eyes instead, the folds were tested on erased eyes too.
#
# **Misconception: "the highest SSIM makes the best training set".** It makes one of no
# use. Disordered and grainy eyes, scored low, train nearly as well as real ones: their
# lesions are all there. **Where the method lost**: our network paints smooth eyes, from
# which no grade can be learnt. SSIM at least says so.
#
# Three features, three rankings
# ------------------------------
# The Fréchet distance compares sets. Real: one half of the patients. Generated: the
# other half, each way; also as it is, the best one can hope for. Features: 6 (mean and
# deviation of each colour), 64 (a random network), 81 (spots).

# %%
import warnings

from tinyssl.metrics import frechet_distance, frechet_noise_floor

warnings.filterwarnings("ignore", message=".*mostly bias")  # see "two sizes" below
random, half = features.RandomNetwork(SEED), N // 2
table = {
    "6 colours": {k: np.c_[x.mean((1, 2)), x.std((1, 2))] for k, x in sets.items()},
    "64 random": {k: features.extract(x, random) for k, x in sets.items()},
    "81 spots": seen,
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharex=True, layout="constrained")
for ax, (kind, rows) in zip(axes, table.items(), strict=True):
    real = rows["real"][:half]
    floor = np.quantile(frechet_noise_floor(real, half, rng=SEED, repeats=99), 0.95)
    far = {k: frechet_distance(real, x[half:]) / floor for k, x in rows.items()}
    results |= {f"{kind.split()[1]}_{k}": distance for k, distance in far.items()}
    ax.semilogx([*far.values()], [*far], "o")
    ax.axvline(1, color="k", linestyle=":")
    order = sorted(ways, key=far.get)
    ax.set(title=" < ".join(order[:3]), xlabel=f"{kind}: distance / floor")
figure.suptitle(f"Three features, three rankings (n = {half}; dotted: floor, 95 %)")
figure.savefig(OUT / "4_features.png")

# %% [markdown]
# **What you should see** (distances over the 95 % point of the noise floor):
#
# - ``colours_network``: 0.23 to 3.62
# - ``random_erased``: 0.897 to 2.67
# - ``random_real``: 0.68 to 1.99
# - ``spots_erased``: 0.806 to 1.89
#
# If you see the three agree instead, all features were taken from one function.
#
# By colours all distances are near their floor: the ranking is chance, and on some
# seeds the network wins. By the other two the eyes *without lesions* come first, on
# eight seeds of ten and on nine. The distance compares means and covariances, and half
# of all eyes are healthy anyway.
#
# The floor raises false alarms
# -----------------------------
# On some seeds even ``real``, eyes of other patients, lies above the floor, which
# supposes Gaussian features; ours have heavier tails. Another test needs none: if both
# sets came from one source, it would be chance which image is in which set. So exchange
# images at random, and count how often the distance is as large.
#
# **Before you run.** 100 times we draw two samples of *one* set. A test at 5 % should
# raise 5 alarms. How many do the floor and the exchange raise?


# %%
def exchange_test(first, second, repeats, rng):
    """Return the share of random sides that are as far apart as these."""
    both, n = np.concatenate([first, second]), len(first)
    found = frechet_distance(first, second)
    beyond = 1  # the sides as they are count too
    for _ in range(repeats):
        order = rng.permutation(len(both))
        drawn = frechet_distance(both[order[:n]], both[order[n:]])
        beyond += drawn >= found
    return beyond / (1 + repeats)


eye = {k: x[::2] for k, x in table["64 random"].items()}  # one eye a patient
n, tries = (20, 10) if FAST else (60, 100)
alarms = np.zeros((tries, 2))
for k in range(tries):
    a, b = eye["real"][rng.permutation(len(eye["real"]))[: 2 * n]].reshape(2, n, -1)
    floor = np.quantile(frechet_noise_floor(a, n, rng=k, repeats=40), 0.95)
    alarms[k] = frechet_distance(a, b) > floor, exchange_test(a, b, 39, rng) <= 0.05
results["alarms_floor"], results["alarms_exchange"] = alarms.mean(axis=0)
print("nothing differs; alarms of floor and exchange:", alarms.mean(axis=0))
first, second = eye["real"][: half // 2], eye["erased"][half // 2 :]
ours = exchange_test(first, second, 199, rng)
found = comparison.set_distance(first, second, rng=SEED)
assert abs(ours - found["p"]) < 0.15  # two draws of one chance
print(f"p = {ours:.3f}, by the library {found['p']:.3f}. {comparison.verdict(found)}")

# %% [markdown]
# **You predicted** two numbers of alarms. **What you should see**:
#
# - ``alarms_floor``: 0.18 to 0.42
# - ``alarms_exchange``: 0.04 to 0.1
#
# If you see the exchange at 0 instead, you count only what is strictly farther.
#
# Broken on purpose: two sizes
# ----------------------------
# Two groups report their distance to the same real eyes. One has a perfect generator
# (eyes of other patients) and few images, the other disordered eyes and many.

# %%
counts, curves = ([8, 12, 20] if FAST else [20, 40, 75, 150]), {}
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for name, style in (("real", "o-"), ("copied", "s--")):
    distances = np.zeros((len(counts), 10))
    for place, k in np.ndindex(distances.shape):
        drawn = rng.permutation(eye[name][half // 2 :])[: counts[place]]
        distances[place, k] = frechet_distance(first, drawn)
    curves[name] = distances.mean(axis=1)
    ax.plot(counts, curves[name], style, label=name)
ax.set(xlabel="generated images in the set", ylabel="Fréchet distance", ylim=(0, None))
ax.legend()
results["unfair"] = times = curves["real"][0] / curves["copied"][-1]
results["fair"] = curves["real"][-1] / curves["copied"][-1]
title = f"{counts[0]} real eyes lie {times:.1f} times as far from real eyes"
figure.suptitle(f"{title}\nas {counts[-1]} disordered ones do")
figure.savefig(OUT / "5_sizes.png")

# %% [markdown]
# **What you should see** (real over disordered: at unequal and at equal n):
#
# - ``unfair``: 1.58 to 3.85
# - ``fair``: 0.366 to 0.989
#
# If you see both below 1 instead, the sets were cut to one size before.
#
# The bias of few images is larger than the damage, and without n nothing shows it.
#
# The statement
# -------------
# System A's sentence, in a form that can be checked, about our erased eyes.

# %%
import json

print(f"SSIM {ssim['erased']:.3f} (bytes, data range 255, whole image, n = {N};")
print(f"copying: {ssim['copied']:.3f}). Random network, seed {SEED}, d = {found['d']}:")
print("Fréchet distance {distance:.2g} [{low:.2g}, {high:.2g}],".format(**found))
print("{n1} and {n2} eyes, no patient on both sides, p = {p:.3f}.".format(**found))
print(f"A grader trained on them: kappa {kappa['erased'].mean():.2f} on real eyes.")
results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Your turn
# ---------
# **Check.** Fill in three functions.
#
# 1. ``my_exchange_test``: the p of the squared difference of two means; row k of
#    ``orders`` says how the values (the first set, then the second) are assigned anew.
# 2. ``my_paired_gain``: mean, low and high of restored minus copied; 95 %, Student's t.
# 3. ``my_missing``: what a report must still state, sorted. With ``"ssim"`` belong
#    ``"copied"`` and ``"data_range"``; with ``"frechet"`` belong ``"d"``,
#    ``"features"``, ``"floor"``, ``"n1"`` and ``"n2"``. None is not stated.

# %%
from tinyssl import check


def my_exchange_test(first, second, orders):
    """Return p, from two sets of values and (R, n1 + n2) orders."""
    return None  # your lines in place of this one


def my_paired_gain(restored, copied):
    """Return (mean, low, high) from one score an image of each."""
    return None  # your lines in place of this one


def my_missing(report):
    """Return a sorted list of names; a report is a dict of what is stated."""
    return None  # your lines in place of this one


check.exchange_test(my_exchange_test)
check.paired_gain(my_paired_gain)
check.missing(my_missing)

# %% [markdown]
# **Change.** (a) Let the grader learn from real and erased eyes together: does kappa
# fall? (b) Blur all eyes by ``gaussian_filter(images, (0, 0.7, 0.7, 0))`` as a sixth
# way: what do SSIM, distances and kappa say? (c) Put the network you trained in place
# of the random one (``task.encoder.features``). Which way wins now?
#
# **Make.** Judge a generator of your own. Rubric, one point each: its score beside
# copying or real images of other patients; equal n; p by exchange; two kinds of
# features; a model trained on its images, tested on real ones; one thing that no number
# here would notice.
#
# Three things to keep
# --------------------
# - Scores judge pixels; only a model that is trained on the images judges their use.
# - A distance needs n, features and an exchange.
# - Equal n on both sides of every comparison.
#
# Quiz
# ----
# 1. Set A: distance 3 with 50 images. Set B: distance 2 with 500. Which is better?
# 2. p = .40 by mean colours. Are the generated eyes as good as real ones?
# 3. Two real sets lie above the noise floor. Do they differ?
#
# <details><summary>Answers</summary>
#
# 1. Unknown: the bias of 50 images alone may be larger than 1. Draw 50 of B.
# 2. Colours cannot tell; nor could they if all lesions were gone.
# 3. Unknown: the floor raises false alarms. Exchange images at random.
#
# </details>
#
# In a clinic
# -----------
# Generated images are offered where real ones are scarce: for rare, severe grades.
# There a generator that smooths is dangerous: it returns healthy eyes with severe
# labels. Train on such images and test on real eyes first. System A's numbers are not
# refuted, but they are no evidence of use.
#
# Sources
# -------
# - A: student project on retinal context restoration. Heusel et al. 2017, FID.
# - Naeem et al. 2020, ICML: random networks as features.
# - Ravuri and Vinyals 2019, NeurIPS: images judged by the classifier they train.
