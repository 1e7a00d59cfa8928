# %% [markdown]
"""
Lesson 11. Tell the place
=========================

- do: ask where a patch lay; answer from edges and from light, without anatomy; then
  let networks answer, in eyes and in a small volume
- learn: which cheap cues give a place away, and which of them a gap, other light and a
  fixed set take away
- need: lessons 03 and 04 (tiles, cross-entropy, the training loop)
- sources: D (Taleb et al. 2020, 3-D), B's survey; Doersch et al. 2015, Noroozi and
  Favaro 2016
- data: toy.fundus, n 320 (fast 120), 64 px, 3.9 MB; toy.volumes, n 100 (fast 30),
  16 × 48 × 64, 4.9 MB
- runtime: fast 10 s, full 20 s
- memory: 600 MB
- files: 1_neighbours.png, 2_light.png, 3_gap.png, 4_cameras.png, 5_anew.png,
  6_volume.png, results.json
"""

# %% [markdown]
# **The question.** Take a patch of an eye and one of its eight neighbours. Where did
# the neighbour lie? The label costs nothing, and whoever answers must know how disc,
# vessels and macula lie to each other. So hope Doersch et al. (2015). But what gives a
# place away?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/11"))
OUT.mkdir(parents=True, exist_ok=True)
plt.imshow(toy.fundus(1, size=64, rng=SEED).images[0])
for n, way in enumerate("↖↑↗←·→↙↓↘"):
    y, x = 16 + 12 * (n // 3), 16 + 12 * (n % 3)
    plt.gca().add_patch(plt.Rectangle((x, y), 7, 7, fill=False, color="c"))
    plt.text(x + 3.5, y + 3.5, way, color="w", ha="center", va="center")
plt.gca().set(xlabel="pixels", ylabel="pixels", title="Eight places, a gap between")
plt.savefig(OUT / "1_neighbours.png", bbox_inches="tight")

# %% [markdown]
# Cut the pair
# ------------
# A *gap* of some pixels parts the two patches, a *jitter* of one pixel moves the
# neighbour, colours become grey (a lens that bends red less than blue would betray the
# place), and each patch gets a brightness and contrast of its own. The first patch is
# drawn only where all eight neighbours fit: so it says nothing of the answer.

# %%
import numpy as np

from tinyssl import training, transforms
from tinyssl.pretext.inputs import common_field, levelled, standardised
from tinyssl.pretext.patches import cut_patches, sample_rooms

eyes = toy.fundus(120 if FAST else 320, size=64, rng=SEED)
images, region = eyes.images, common_field(eyes.images)
seen = np.arange(len(eyes)) < 0.6 * len(eyes)
assert not set(eyes.patient[seen]) & set(eyes.patient[~seen])  # patients apart
ways = np.array([(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x])


def cut(images, corners, places, gap, jitter, rng, light=True):
    """Return patches at the corners and their neighbours, (N, 8, 8) each."""
    moved, pair = rng.integers(-jitter, jitter + 1, corners.shape), []
    for both in (corners, corners + (8 + gap) * ways[places] + moved):
        cuts = np.uint8(cut_patches(images, both, 8).mean(-1, keepdims=True))
        drawn = transforms.sample_adjustments(len(cuts), rng=rng)
        pair.append(transforms.adjust(cuts, *drawn) if light else cuts)
    return np.array(pair, float)[..., 0]


def draw(images, gap, rng):
    """Draw a corner and a place for each image."""
    # room for three patches, two gaps and the jitter on both sides
    corners = sample_rooms(images, 26 + 2 * gap, "too small", region=region, rng=rng)
    return corners + 8 + gap + 1, rng.integers(8, size=len(images))


corners, places = draw(images, 4, rng := np.random.default_rng(SEED))
for axis in (0, 1):  # the law: the neighbour lies where the label says
    ramps = [np.indices((64, 64), np.uint8)[axis][..., None]] * len(images)
    first, second = cut(ramps, corners, places, 4, 0, rng, light=False)
    assert ((second - first)[:, 0, 0] == (8 + 4) * ways[places, axis]).all()

# %% [markdown]
# Two answers without anatomy
# ---------------------------
# *Edges.* If patches touch, a vessel that leaves one enters the other. So we measure
# how badly the touching edges would fit at each of the eight ways.
#
# *Light.* A photograph is darker towards its rim: *vignetting*. Say the light is
# 1 - v r², with r the distance from the middle. At place p its slope is -2 v p. So the
# slope in the neighbour minus the slope in the patch is -2 v (8 + gap) times the way.
# It points from the neighbour to the patch, wherever the pair lies, and **grows with
# the gap**. First this law on a made-up light, then the mean slope in real places.
#
# **Before you run.** The gap grows from 0 to 6 pixels. Does the share of right answers
# fall or rise, with edges and with light? Guessing is right in 1/8.


# %%
def slopes(patches):
    """Return the slope of light, down and to the right, a pixel: (N, 2)."""
    y = np.arange(8) - 3.5
    return np.transpose([patches.sum(2) @ y, patches.sum(1) @ y]) / (8 * (y @ y))


y, x = np.indices((64, 64)) - 31.5
made, start = 1 - 0.0005 * (y**2 + x**2), np.array([26, 30])
beside = cut_patches([made] * 8, start + 12 * ways, 8)
change = slopes(beside) - slopes(cut_patches([made], [start], 8))
assert np.allclose(change, -2 * 0.0005 * 12 * ways)  # the law

grid, grey = 4 * np.indices((15, 15)).reshape(2, -1).T, images.mean((0, -1))
grid = grid[cut_patches([region] * len(grid), grid, 8).all((1, 2))]
# inward: from the middle of the patch to that of the image
mean, inward = slopes(cut_patches([grey] * len(grid), grid, 8)), 28 - grid
results = {"inward": ((mean * inward).sum(1) > 0)[np.hypot(*inward.T) > 8].mean()}
figure, ax = plt.subplots(figsize=(4.8, 4.8), layout="constrained")
ax.imshow(grey, cmap="gray").axes.set(xlabel="pixels", ylabel="pixels")
ax.quiver(*(grid + 3.5).T[::-1], *mean.T[::-1], color="c", angles="xy")
figure.suptitle(f"Light points inward in {results['inward']:.0%} of the outer places")
figure.savefig(OUT / "2_light.png")

# %%
from tinyssl.targets.baselines import logistic_regression

NEAR = {-1: (np.s_[:1], np.s_[-1:]), 0: (np.s_[:],) * 2, 1: (np.s_[-1:], np.s_[:1])}


def misfit(first, second):
    """Return how badly the touching edges fit at each way: (N, 8)."""
    sides = [(*NEAR[y], *NEAR[x]) for y, x in ways]
    gaps = [first[:, a, c] - second[:, b, d] for a, b, c, d in sides]
    return np.log(np.transpose([(gap**2).mean((1, 2)) for gap in gaps]) + 0.1)


def questions(images, gap, rng):
    """Ask for eight pairs of each image; return what describes them, and places."""
    images = np.tile(images, (8, 1, 1, 1))
    corners, places = draw(images, gap, rng)
    pair = cut(images, corners, places, gap, 1, rng)
    light = np.hstack([slopes(p) / (p.std((1, 2)) + 1)[:, None] for p in pair])
    cues = {"edges": misfit(*pair), "light": light}
    return cues | {"both": np.hstack([*cues.values()])}, places


GAPS, rng = (0, 2, 4, 6), np.random.default_rng(SEED)
for gap in GAPS:
    known, told = questions(images[seen], gap, rng)
    asked, truth = questions(images[~seen], gap, rng)
    for cue, rows in known.items():
        guess = logistic_regression(rows, told, asked[cue], num_grades=8).argmax(1)
        results[f"{cue}_{gap}"] = np.mean(guess == truth)
figure, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
for cue, mark in {"edges": "C1s-", "light": "C0o-", "both": "k^--"}.items():
    ax.plot(GAPS, [results[f"{cue}_{gap}"] for gap in GAPS], mark, label=cue)
ax.axhline(1 / 8, color="gray", linestyle=":", label="guessing")
ax.set(xlabel="gap (pixels)", ylabel="share right, unseen eyes", xticks=GAPS)
ax.legend(frameon=False, ncols=2)
figure.suptitle("Gap 6: edges {edges_6:.2f}, light {light_6:.2f}".format(**results))
figure.savefig(OUT / "3_gap.png")

# %% [markdown]
# **You predicted** two curves. **What you should see**, over 10 seeds:
#
# - ``inward``: 0.847 to 0.878
# - ``edges_0``: 0.211 to 0.252
# - ``edges_6``: 0.155 to 0.207
# - ``light_0``: 0.141 to 0.21
# - ``light_4``: 0.22 to 0.276
# - ``light_6``: 0.26 to 0.32
# - ``both_0``: 0.215 to 0.272
# - ``both_6``: 0.287 to 0.328
#
# If you see all at 1/8, pairs and places are out of step.
#
# **Misconception: "a gap makes the task honest".** A gap takes the edges away and makes
# the light louder: with both cues the answer gets easier, not harder. Edges are a trap
# here too; on these smooth eyes light is the larger one.
#
# A network, and other cameras
# ----------------------------
# ``RelativePosition`` shows both patches to one encoder, and its head gives eight
# logits. Whoever gives 1/8 to each place has a cross-entropy of ln 8 = 2.079. Ours is a
# small encoder: two layers on the 64 pixels of a patch. We train it on the eyes of
# three makes of camera, once as they are and once with the slope of light taken out of
# each patch (``levelled``, the library's answer in jigsaw).
#
# **Before you run.** Two tests: the other makes of camera; and a maker whose software
# brightens the rim *too much*. How often is each network right?

# %%
import torch
from torch import nn

from tinyssl.pretext import Jigsaw, RelativePosition

torch.set_num_threads(1)


class Reader(nn.Module):  # with the least that an encoder must have
    num_features = 64

    def __init__(self, side=8, dims=2, level=False):
        super().__init__()
        torch.manual_seed(SEED)
        self.dims, self.level = dims, level
        layers = [nn.Linear(side**dims, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
        pool = nn.AvgPool2d(4) if dims == 2 else nn.AvgPool3d(4)  # to 8 x 8, 4 x 4 x 4
        self.layers = nn.Sequential(pool, nn.Flatten(), *layers)

    def features(self, x):
        x = standardised(x[:, :1]) if self.dims == 2 else x - 0.3
        x = levelled(x) if self.level else x
        return self.layers(x)[(..., *(None,) * self.dims)]


def train(task, images, steps, batch_size, lr=3e-3):
    how = {"batch_size": batch_size, "lr": lr, "seed": SEED, "channels_last": False}
    return training.train(task, (images,), steps=steps // (5 if FAST else 1), **how)


def score(task, images):
    return task.evaluate(images, np.random.default_rng(SEED))


# %%
own, how = eyes.camera < 3, {"patch_size": 8, "gap": 4, "region": region}
asked, rngs = (images, corners, places), [np.random.default_rng(1) for _ in range(2)]
theirs = RelativePosition(Reader(), **how).cut(*asked, rngs[0])
assert np.array_equal(cut(*asked, 4, 1, rngs[1]), np.array(theirs)[..., 0])
gain = 0.8 * (1 + 0.7 * (y**2 + x**2) / 31**2)[..., None]
tests = {"own": images[~seen & own], "other": images[~seen & ~own]}
tests["bright"] = np.uint8(np.clip(images[~seen] * gain, 0, 255))
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
axes[0].imshow(np.hstack([images[~seen][0], tests["bright"][0]])).axes.axis("off")
axes[0].set_title("as photographed, and with a bright rim")
for name, mark in (("raw", "C0o-"), ("levelled", "C1s-")):
    task = RelativePosition(Reader(level=name == "levelled"), **how)
    rows = train(task, images[seen & own], 200, 64)
    shares = {f"{name}_{k}": score(task, x)["accuracy"] for k, x in tests.items()}
    axes[1].plot([*tests], [*shares.values()], mark, markersize=9, label=name)
    results |= shares | {f"{name}_start": rows[0]["loss"]}
axes[1].axhline(1 / 8, color="gray", linestyle=":", label="guessing")
axes[1].set(xlabel="camera, or rim", ylabel="share right, unseen eyes", ylim=(0, 0.4))
axes[1].legend(frameon=False, ncols=3)
said = "Raw network: right in {raw_own:.2f}, with a bright rim in {raw_bright:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "4_cameras.png")

# %% [markdown]
# **You predicted** four shares. **What you should see**:
#
# - ``raw_start``: 2.07 to 2.1
# - ``raw_own``: 0.225 to 0.285
# - ``raw_other``: 0.226 to 0.325
# - ``raw_bright``: 0.0454 to 0.0766
# - ``levelled_own``: 0.131 to 0.175
# - ``levelled_bright``: 0.141 to 0.181
#
# The makes differ in colour and border, not in vignetting: so "other cameras" find
# nothing, and a test finds only what it varies. Where the rim is bright the raw network
# is *worse than guessing*: light now points outward, and it answers with the opposite
# place. If you see it above 1/8 there, the rim was not brightened enough.
#
# **Where the method lost.** At this gap four slopes and a regression (``light_4``) are
# right about as often as the network. What is left without the slope, little more than
# guessing, is all that can be anatomy.
#
# Broken on purpose: a set drawn anew
# -----------------------------------
# *Jigsaw* asks for the order of nine tiles, one of a fixed set: here ten orders, far
# apart (lesson 03). Tiles are levelled. In ``Anew`` the set is new for each batch.

# %%


class Anew(Jigsaw):
    def make_batch(self, images, rng):
        self.permutations = torch.tensor(rng.permuted(self.permutations, axis=1))
        return super().make_batch(images, rng)


figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, kind, style in (("fixed", Jigsaw, "C0-"), ("anew", Anew, "C1--")):
    task = kind(Reader(), num_permutations=10, region=region)
    losses = [row["loss"] for row in train(task, images[seen], 80, 24, 5e-3)]
    results[f"jigsaw_{name}"] = score(task, images[~seen])["accuracy"]
    ax.plot(losses, style, label=f"{name}: {results[f'jigsaw_{name}']:.2f} right")
orders = Jigsaw(Reader(), num_permutations=10).permutations.numpy()
results["orders_left"] = (orders[:, None] == orders).sum(1).mean()
ax.axhline(np.log(10), color="gray", linestyle=":", label="ln 10, guessing")
ax.set(xlabel="step", ylabel="cross-entropy", ylim=(0, 3))
ax.legend(frameon=False)
figure.suptitle("Nine tiles, ten orders: labels drawn anew teach nothing")
figure.savefig(OUT / "5_anew.png")

# %% [markdown]
# **What you should see**:
#
# - ``jigsaw_fixed``: 0.703 to 0.857
# - ``jigsaw_anew``: 0.0801 to 0.127
# - ``orders_left``: 1.2 to 1.2
#
# Label 7 means another order in each batch, so no answer is better than ln 10. If you
# see ``jigsaw_anew`` far from .1, the set stayed.
#
# **Misconception: "it solves the puzzle, so it knows the eye".** Of ten orders far
# apart, one tile that is recognised leaves ``orders_left``, on average.
#
# A tiny volume
# -------------
# A scan of the macula has three axes (slice, depth, column) and 26 places around a
# cube; guessing is right in 1/26. **Before you run.** Which axis will be known?

# %%
volumes = toy.volumes(30 if FAST else 100, rng=SEED).images
told = np.arange(len(volumes)) < 0.6 * len(volumes)
task = RelativePosition(Reader(4, 3), patch_size=4, gap=1)
train(task, volumes[told], 200, 32)
table = np.array(score(task, volumes[~told])["confusion"])
results["volume"] = np.trace(table) / table.sum()
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
axes[0].imshow(volumes[0, 8, ..., 0], cmap="gray")
axes[0].set(title="a slice: layers", xlabel="column (pixels)", ylabel="depth (pixels)")
for axis, step in zip(("slice", "depth", "column"), task.steps.T, strict=True):
    results[axis] = (table * np.equal.outer(step, step)).sum() / table.sum()
    axes[1].plot(axis, results[axis], "C0o", markersize=9)
axes[1].axhline(9 / 26, color="gray", linestyle=":", label="one answer to all")
axes[1].set(xlabel="axis", ylabel="share right along it", ylim=(0.2, 0.8))
axes[1].legend(frameon=False)
said = "Depth is right in {depth:.2f}, slice in {slice:.2f}, column in {column:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "6_volume.png")

# %% [markdown]
# **You predicted** an axis. **What you should see** (one answer to all is right in 9/26
# = .346 along an axis):
#
# - ``volume``: 0.0449 to 0.0701
# - ``slice``: 0.316 to 0.359
# - ``depth``: 0.374 to 0.558
# - ``column``: 0.313 to 0.356
#
# Layers make the depth. That is anatomy, but of the coarsest kind. If you see all three
# at .346, train longer.
#
# Your turn
# ---------
# **Check.** Fill in two functions.
#
# 1. ``my_level``: a patch without its mean and without its slopes.
# 2. ``my_least_distance``: the least number of tiles in which two orders differ.

# %%
from tinyssl import check


def my_level(patch):
    """(h, w) numbers, h, w >= 2; afterwards no mean, no slope down or to the right."""
    return None  # your lines in place of this one


def my_least_distance(orders):
    """(P, L) permutations, P >= 2; one number for the whole set."""
    return None  # your lines in place of this one


check.level(my_level)
check.least_distance(my_least_distance)

# %% [markdown]
# **Change.** (a) Edges alone with gap 0: jitter 0 in place of 1. (b) Jigsaw with 100
# orders in place of 10.
#
# **Make.** Ask for places in your images. Rubric, one point each: accuracy against gap;
# edges and slopes beside the network; a test in which the light differs; patients
# apart; one thing that the answer does not need.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - The cheapest cue answers: edges, light, a layer's brightness. Anatomy comes last.
# - Closing one door can open another: measure each cue by itself.
# - A test on other cameras finds only what differs between them.
#
# Quiz
# ----
# 1. A network is right in 5 % of the cases, guessing in 12.5 %. Has it learned nothing?
# 2. Why must a set of orders be saved with the network?
# 3. What does a loss that stays at ln 8 say?
#
# <details><summary>Answers</summary>
#
# 1. It has: something that now points the wrong way.
# 2. Its labels mean these orders; of another set, label 7 is another order.
# 3. As much as guessing among eight: not yet trained, or labels without a meaning.
#
# </details>
#
# In a clinic
# -----------
# A new camera, or an update that corrects the vignetting, can turn what a network
# learned into its opposite, without any change of the eyes. Test on such pictures
# before, not after. These eyes and volumes are synthetic.
#
# Sources
# -------
# - Doersch, Gupta, Efros 2015, "Unsupervised visual representation learning by context
#   prediction", ICCV.
# - Noroozi, Favaro 2016, "Unsupervised learning of visual representations by solving
#   jigsaw puzzles", ECCV.
# - Taleb et al. 2020, "3D self-supervised methods for medical imaging", NeurIPS.
