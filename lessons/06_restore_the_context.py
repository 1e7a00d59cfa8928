# %% [markdown]
"""
Lesson 6. Restore the context
=============================

- do: disorder eyes, score whoever does nothing, train two networks to put the patches
  back, and ask what their encoder has learnt
- learn: why restoration is scored on the moved pixels, and beside copying
- need: lessons 02, 03 and 04 (likeness, swaps, the training loop)
- sources: C (Chen et al. 2019, context restoration), A (re-implements it)
- data: toy.fundus, n 800 (fast 120), 32 px, 2.46 MB; one eye of 128 px
- runtime: fast 12 s, full 45 s
- memory: 700 MB
- files: 1_disordered.png, 2_difficulty.png, 3_restored.png, 4_gains.png, 5_broken.png,
  6_probe.png, results.json
"""

# %% [markdown]
# **The question.** Swap small patches of an image, again and again, and let a network
# put everything back. No label is needed, and to know what belongs into a place one
# must know eyes: so hope Chen et al. (source C). Does it work, and how would we notice
# if it did not?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl import transforms
from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/06"))
OUT.mkdir(parents=True, exist_ok=True)
eye = toy.fundus(1, size=128, rng=SEED)
swaps = transforms.sample_swaps((128, 128), 20, 4, rng=4, region=eye.field_of_view[0])
plt.imshow(transforms.swap_patches(eye.images[0], swaps, 20)).axes.set_axis_off()
plt.title("Four swaps: eight patches lie where they do not belong")
plt.savefig(OUT / "1_disordered.png", bbox_inches="tight")

# %% [markdown]
# What moved, and what copying costs
# ----------------------------------
# From here on the eyes are 32 px wide and the patches 5 px, so that training takes
# seconds. Half of the patients are to learn from, the others are held out.
#
# Which pixels did the swaps move? Naively: all pixels of all patches. But swaps follow
# one another, and a later one may bring a pixel home. So we give every pixel a name,
# and look who stands where in the end.

# %%
import numpy as np

eyes = toy.fundus(120 if FAST else 800, size=32, rng=SEED)
half = len(eyes) // 2
train, images = eyes.images[:half], eyes.images[half:]
scored = images[:120]
region = eyes.field_of_view.all(axis=0)  # in every eye: here patches are drawn
lit = eyes.field_of_view.any(axis=0)  # in some eye: outside all is black
names = np.arange(32 * 32).reshape(32, 32)


def moved(swaps, patch_size):
    """Mark the pixels whose content came from elsewhere."""
    return transforms.swap_patches(names, swaps, patch_size) != names


def squared_error(images, others):
    """Return the error of each pixel, of values in [0, 1]."""
    return np.square(images / 255 - others / 255).mean(axis=-1)


def masked_mse(image, other, where):
    """Return the error inside a mask, and outside it."""
    squared = squared_error(image, other)
    return squared[where].mean(), squared[~where].mean()


swaps = transforms.sample_swaps((32, 32), 5, 4, rng=SEED, region=region)
mixed = transforms.swap_patches(images[0], swaps, 5)
naive = np.zeros((32, 32), bool)
for y, x in swaps.reshape(-1, 2):
    naive[y : y + 5, x : x + 5] = True
where = moved(swaps, 5)
assert not (where & ~naive).any()
assert where.sum() <= 2 * 4 * 5**2
assert not moved(np.concatenate([swaps, swaps[::-1]]), 5).any()  # undone
assert masked_mse(images[0], mixed, where)[1] == 0  # copying is perfect outside
print(f"pixels of all patches {naive.sum()}, moved {where.sum()}")

# %% [markdown]
# **Copying**, returning the disordered image as it is, stands beside every number of
# this lesson. Beside it stands a *filler* who knows no eyes: it is told which pixels
# moved, and paints them smoothly from their rim, each the mean of its four neighbours.
#
# **Before you run.** T grows from 1 to 16 swaps. Copying is scored over the whole
# image, and on the moved pixels alone. Which of the two errors grows? And if the
# patches grow instead: who suffers more, copying or the filler?


# %%
def fill(images, holes, rounds=60):
    """Solve Laplace's equation inside the holes, by repeated averaging."""
    images, holes = images / 255, holes[..., None]
    filled = images
    for _ in range(rounds):
        sides = [np.roll(filled, k, axis) for k in (1, -1) for axis in (1, 2)]
        filled = np.where(holes, sum(sides) / 4, images)
    return np.rint(255 * filled).astype(np.uint8)


some, grid = images[: 16 if FAST else 64], {}
sizes, counts = (2, 4, 6, 8), (1, 2, 4, 8, 16)
for size, T in [(size, T) for size in sizes for T in counts]:
    number = len(some) * T
    draw = transforms.sample_swaps((32, 32), size, number, rng=SEED, region=region)
    draw = draw.reshape(len(some), T, 4)
    mixed = transforms.swap_patches(some, draw, size)
    where = np.array([moved(swaps, size) for swaps in draw])
    copied = squared_error(some, mixed)
    filled = squared_error(some, fill(mixed, where))[where].mean() if T == 4 else None
    grid[size, T] = copied.mean(), copied[where].mean(), filled
figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
for size, style in zip(sizes, ("o-", "s-", "^-", "D-"), strict=True):
    axes[0].loglog(counts, [grid[size, T][0] for T in counts], style, label=size)
axes[0].set(xlabel="swaps T", ylabel="MSE of copying, all pixels")
axes[0].set_xticks(counts, counts)
axes[0].minorticks_off()
axes[0].legend(title="side, px", frameon=False, fontsize=8)
for k, name, style in ((1, "copied", "o-"), (2, "filled smoothly", "s--")):
    axes[1].plot(sizes, [grid[size, 4][k] for size in sizes], style, label=name)
axes[1].set(xlabel="side of a patch, pixels", ylabel="MSE of moved pixels, T = 4")
axes[1].set(xticks=sizes, ylim=(0, None))
axes[1].legend(frameon=False)
easy, hard = (grid[size, 4][2] / grid[size, 4][1] for size in (2, 8))
title = "T decides how much is wrong, the patch size how hard it is: smooth\nfilling"
figure.suptitle(
    f"{title} leaves {easy:.0%} of the error at 2 px and {hard:.0%} at 8 px"
)
figure.savefig(OUT / "2_difficulty.png")
more_overall, more_inside = (grid[4, 16][k] / grid[4, 1][k] for k in (0, 1))
results = {"fill_2": easy, "fill_8": hard}
results |= {"more_overall": more_overall, "more_inside": more_inside}

# %% [markdown]
# **You predicted** twice. Over all pixels the error grows with the area that moved. A
# moved pixel is about as wrong with one swap as with sixteen: T says how much there is
# to do in an image. The patch size says how far one must look: 2 px can be guessed from
# their rim, without knowing any eye; at 8 px two fifths of the error stay.
#
# **What you should see** (errors at 4 px: T = 16 over T = 1; then the share of
# copying's error that the filler leaves)
#
# - ``more_overall``: 9.73 to 15.12
# - ``more_inside``: 0.904 to 1.39
# - ``fill_2``: 0.108 to 0.155
# - ``fill_8``: 0.36 to 0.423
#
# If you see the error inside grow like the other instead, you divided by all pixels.
#
# Two networks
# ------------
# Chen et al. use two decoders. For segmentation a U-Net, whose skip connections hand
# the decoder the fine maps. For classification a few deconvolutions on the encoder
# alone, so that everything must pass through the encoder.
#
# **Before you run.** For each of the two, after some 200 steps: does it beat copying on
# the moved pixels? Over the whole image? Does either beat the filler?

# %%
import torch

from tinyssl import models, pretext, training

torch.set_num_threads(1)


how = {"patch_size": 5, "num_swaps": 4, "region": region, "standardise": True}
wide = {"out_channels": 3, "widths": (8, 16, 32, 64)}


def build(name, model, **options):
    """Put a pretext task around a network whose weights follow from our seed."""
    torch.manual_seed(SEED)
    return pretext.find(name).build(model(**options), image_size=train.shape[1], **how)


def learn(task, steps):
    """Train a task on batches of 32, and say what was left in the end."""
    options = {"batch_size": 16 if FAST else 32, "lr": 3e-3, "seed": SEED}
    log = training.train(task, [train], steps=16 if FAST else steps, **options)
    loss, copied = (np.mean([row[k] for row in log[-10:]]) for k in ("loss", "copy"))
    print(f"{task.name}: loss {loss:.3f}, copying {copied:.3f}", flush=True)
    return log


unet = build("restoration", models.UNet, **wide)
encoder = build("restoration", models.densenet_small)
log = learn(unet, 200)
learn(encoder, 150)

# %% [markdown]
# Held-out eyes are disordered once, restored by both, and scored: as bytes, black
# outside the field of view. Our ``masked_mse`` and the library's ``score_images`` must
# agree.

# %%
from time import perf_counter

from tinyssl.compare import restored as restoration

found = {
    name: restoration.disorder_and_restore(task, scored, seed=SEED, field=lit)
    for name, task in (("U-Net", unet), ("encoder", encoder))
}
given, swaps = found["U-Net"].disordered, found["U-Net"].swaps  # the same for all
filled = fill(given, np.array([moved(one, 5) for one in swaps]))
found["filler"] = restoration.Restored(scored, given, filled, swaps)
changed = found["U-Net"].changed  # where values differ
clock = [perf_counter()]
pairs = zip(scored, found["U-Net"].restored, changed, strict=True)
ours = [masked_mse(*pair) for pair in pairs]
clock.append(perf_counter())
rows = {name: restoration.score_images(one) for name, one in found.items()}
clock.append(perf_counter())
keys = "mse_swapped", "mse_unswapped"
assert np.allclose(ours, [[row["restored"][k] for k in keys] for row in rows["U-Net"]])
spent = np.diff(clock) / len(scored) * 1000 / (1, 6)
print(f"a pair: MSE by hand {spent[0]:.2f} ms; four scores {spent[1]:.2f} ms")
patients = eyes.patient[half:][:120]
tables, left = {}, {}
for name, row in rows.items():
    tables[name] = restoration.summarise(row, groups=patients, rng=SEED)
    inside = tables[name]["mse_swapped"]
    left[name] = inside["restored"]["mean"] / inside["copy"]["mean"]
shown = {"original": scored, "disordered": given}
shown |= {name: one.restored for name, one in found.items()}
figure, axes = plt.subplots(5, 6, figsize=(6.8, 6.2), layout="constrained")
for line, (name, pictures) in zip(axes, shown.items(), strict=True):
    for ax, picture in zip(line, pictures[:6], strict=True):
        ax.imshow(picture)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, fontsize=9)
shares = ", ".join(f"{name} {share:.0%}" for name, share in left.items())
figure.suptitle(f"Share of copying's error left on moved pixels:\n{shares}")
figure.savefig(OUT / "3_restored.png")

# %% [markdown]
# **You predicted** for two networks. Look before you read numbers: the encoder's
# network paints a smooth average eye with the disc on the right side. It has learnt
# which eye it sees, and not one vessel. Now paired: each dot is an eye, restored minus
# copied, black bars are 95 % intervals over patients.

# %%
titles = {"mse_swapped": "MSE, moved", "mse_unswapped": "MSE, not moved"}
titles |= {"mse": "MSE, all pixels", "ssim": "SSIM (higher is better)"}
figure, axes = plt.subplots(1, 4, figsize=(9.6, 3.4), layout="constrained")
for ax, (score, title) in zip(axes, titles.items(), strict=True):
    for place, (name, row) in enumerate(rows.items()):
        gain = [one["restored"][score] - one["copy"][score] for one in row]
        ax.plot(np.linspace(place - 0.2, place + 0.2, len(gain)), gain, "C0.", ms=3)
        ends = [tables[name][score]["difference"][end] for end in ("low", "high")]
        ax.plot([place] * 2, ends, color="black", linewidth=4)
    ax.axhline(0, color="#D55E00", linestyle="--")
    ax.set_xticks(range(3), rows, fontsize=8)
    ax.set_title(title, fontsize=9)
axes[0].set_ylabel("restored minus copied")
words = [f"copying {tables['filler']['ssim']['copy']['mean']:.2f}"]
for name, table in tables.items():
    key, row = name.replace("-", "").lower(), table["mse"]
    results[f"left_{key}"] = left[name]
    results[f"whole_{key}"] = row["restored"]["mean"] / row["copy"]["mean"]
    results[f"ssim_{key}"] = table["ssim"]["difference"]["mean"]
    words.append(f"{name} {table['ssim']['restored']['mean']:.2f}")
figure.suptitle("The whole image hides who restores; SSIM: " + ", ".join(words))
figure.savefig(OUT / "4_gains.png")

# %% [markdown]
# **What you should see** (shares of copying's error on moved pixels and on the whole
# image; SSIM minus copying's)
#
# - ``left_unet``: 0.261 to 0.356
# - ``left_encoder``: 0.218 to 0.257
# - ``left_filler``: 0.201 to 0.262
# - ``whole_unet``: 0.948 to 1.25
# - ``whole_encoder``: 1.14 to 1.37
# - ``ssim_unet``: -0.0411 to -0.0006
# - ``ssim_encoder``: -0.0797 to -0.0619
#
# If you see ``left`` above 1 instead, the network was scored in training mode or saw
# other swaps than you undo.
#
# **Where the method lost**: over the whole image both networks lose to doing nothing
# (the U-Net on nine seeds of ten), for copying is perfect on five pixels of six and
# they repaint every one. On the moved pixels they win clearly; but a filler who was
# only told *where* does as well as the better of the two, and without training.
#
# **Misconception: "a score over the whole image tells who restores best".** By SSIM the
# order is filler, copying, networks. Whoever selects a network by it selects the one
# that changes least.
#
# Broken on purpose: swaps in place
# ---------------------------------
# One word saves a copy: ``out=images``. The images are disordered where they lie. But
# they are also the targets.


# %%
class InPlace(pretext.ContextRestoration):
    """Broken: it disorders the targets too."""

    def disorder(self, images, rng):
        swaps = self.sample(images, rng)
        return transforms.swap_patches(images, swaps, self.patch_size, out=images)


broken = InPlace(build("restoration", models.UNet, **wide).network, **how)
wrong = learn(broken, 80)
answer = restoration.disorder_and_restore(broken, scored, seed=SEED, field=lit)
errors = [squared_error(scored, x)[changed].mean() for x in (answer.restored, given)]
both = {"right": log[: len(wrong)], "in place": wrong}
losses = [np.mean([row["loss"] for row in part[-40:]]) for part in both.values()]
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
for name, curve in both.items():
    axes[0].semilogy([row["loss"] for row in curve], label=name)
axes[0].set(xlabel="step", ylabel="loss")
axes[0].legend(frameon=False)
axes[1].imshow(np.vstack([np.hstack(x[:5]) for x in (scored, given, answer.restored)]))
axes[1].set_xticks([])
axes[1].set_yticks([16, 48, 80], ["original", "disordered", "in place"])
title = f"Losses look alike ({losses[1]:.2f} in place, {losses[0]:.2f} right); in place"
figure.suptitle(f"{title}\nleaves {errors[0] / errors[1]:.0%} of copying's error")
figure.savefig(OUT / "5_broken.png")
results |= {"left_broken": errors[0] / errors[1], "loss_ratio": losses[1] / losses[0]}
last = [(row["swapped"], row["copy_swapped"]) for row in both["right"][-10:]]
results["left_right"] = np.divide(*np.sum(last, axis=0))

# %% [markdown]
# Nothing warns, and the curve looks as it should. But the discs of a disordered eye
# come back where the swaps had put them, and what error has gone was blurred away. One
# number of the log tells it: ``copy`` is 0, "nothing to do".
#
# **What you should see** (in place, of held-out eyes; the right network at the same
# step, of its batches; the ratio of the losses)
#
# - ``left_broken``: 0.492 to 0.727
# - ``left_right``: 0.379 to 0.451
# - ``loss_ratio``: 0.964 to 1.29
#
# If you see ``left_broken`` as low as the other instead, your swaps were drawn anew.
#
# What did the encoder learn?
# ---------------------------
# The decoder is thrown away; is the encoder worth keeping? We freeze it and let ridge
# regression (least squares with small weights) read four factors of the held-out eyes
# from its features. R² is the share of a factor's variance that is read rightly: 1 is
# all, 0 what its mean alone would get. Beside it: an encoder that learnt nothing, the
# bare pixels, and an encoder that learnt for as many steps from *pixel shuffling* (Zhou
# et al.: pixels shuffled inside each patch).
#
# **Before you run.** Which does restoration know better than random weights: right or
# left eye, height of the disc, pigment, area of the lesions?

# %%
from tinyssl.summary import paired_interval

shuffling = build("shuffling", models.densenet_small)
learn(shuffling, 150)
random = build("restoration", models.densenet_small)


def features(task):
    """Pool the encoder's last map by mean and by maximum."""
    with torch.no_grad():
        inputs = training.to_tensor(images)
        mean, deviation = pretext.inputs.field_statistics(inputs)
        maps = task.eval().encoder.features((inputs - mean) / deviation)
    return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1).double().numpy()


def explained(values, target, penalty=0.3):
    """Return R² of ridge regression, in five folds of patients."""
    fold, scores = np.arange(len(target)) // 2 % 5, []
    for k in range(5):
        a, b = fold != k, fold == k
        x = (values - values[a].mean(axis=0)) / (values[a].std(axis=0) + 1e-6)
        y = target - target[a].mean()
        gram = x[a] @ x[a].T + penalty * x.shape[1] * np.eye(a.sum())
        answers = x[b] @ (x[a].T @ np.linalg.solve(gram, y[a]))
        scores.append(1 - np.mean((y[b] - answers) ** 2) / np.mean(y[b] ** 2))
    return np.array(scores)


lesions = np.any(list(eyes.lesions.values()), axis=0).sum(axis=(1, 2))
factors = {"side": eyes.eye == "right", "disc": eyes.disc[:, 0]}
factors |= {"pigment": eyes.pigment, "lesions": np.log1p(lesions)}
known = {"pixels": images.reshape(half, -1) / 255, "random": features(random)}
known |= {"restoration": features(encoder), "shuffling": features(shuffling)}
figure, ax = plt.subplots(figsize=(8.2, 3.8), layout="constrained")
for column, (factor, target) in enumerate(factors.items()):
    folds = {k: explained(v, target[half:].astype(float)) for k, v in known.items()}
    for shift, (name, scores) in enumerate(folds.items()):
        mark = dict(marker="osDv"[shift], color=f"C{shift}", alpha=0.7)
        x = [column + 0.18 * (shift - 1.5)] * 5
        ax.plot(x, np.maximum(scores, -1), linestyle="", label=name, **mark)
        results[f"{factor}_{name}"] = scores.mean()
    gain = folds["restoration"] - folds["random"]
    mean, low, high = paired_interval(gain, test_share=1 / 4)
    words = f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
    ax.text(column, 1.12, words, ha="center", fontsize=8)
    results[f"{factor}_gain"] = mean
ax.axhline(0, color="black", linestyle=":")
ax.set_xticks(range(4), ("right or left", "height of disc", "pigment", "lesion area"))
ax.set(ylabel="R² of a ridge regression, five folds", ylim=(-1.05, 1.28))
ax.legend(known, frameon=False, fontsize=8, loc="lower left")
gains = ", ".join(f"{f} {results[f'{f}_gain']:+.2f}" for f in factors)
figure.suptitle(f"Restoration minus random weights: {gains}")
figure.savefig(OUT / "6_probe.png")

# %% [markdown]
# **You predicted** one of four. **What you should see** (restoration minus random, mean
# of five folds; R² of the bare pixels)
#
# - ``side_gain``: -0.0037 to 0.0903
# - ``disc_gain``: -0.491 to -0.145
# - ``pigment_gain``: -0.116 to 0.0199
# - ``lesions_gain``: -0.161 to 0.0621
# - ``side_pixels``: 0.857 to 0.889
# - ``disc_pixels``: 0.746 to 0.801
#
# If you see R² near 1 for the lesions instead, the images were larger than 32 px.
#
# The encoder knows a little better which eye it sees (on nine seeds of ten), because a
# disc on the wrong side costs error. It *forgot* the height of the disc, which random
# weights let through, and gained nothing on pigment: a pretext keeps what pays. Nobody
# knows the lesions at 32 px. **Misconception: "who can restore eyes knows eyes".** The
# bare pixels know the side as well, disc and pigment better: without that row the first
# column would have looked like a success. Shuffling teaches no less. Whether
# restoration is a good *start* for training is another question, and lessons 05, 07 and
# 08 ask it: frozen features do not answer it.

# %%
import json

results = {name: round(float(value), 4) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Your turn
# ---------
# **Check.** Fill in the three functions; each check shows the smallest case that fails.
#
# 1. ``my_moved``: mark the pixels whose content came from another place.
# 2. ``my_masked_mse``: the errors inside and outside a mask, of bytes as values in
#    [0, 1]; nan for a part without pixels.
# 3. ``my_share_left``: the share of copying's error that a set of restored images
#    leaves; images whose error is nan do not count; nan if copying makes no error.

# %%
from tinyssl import check


def my_moved(swaps, height, width, patch_size):
    """Return a (height, width) bool mask; swaps are rows (y1, x1, y2, x2)."""
    return None  # your lines in place of this one


def my_masked_mse(image, restored, where):
    """Return two errors, inside and outside a bool mask, of (H, W) uint8 images."""
    return None  # your lines in place of this one


def my_share_left(restored, copied):
    """Return a share from one error an image, restored and copied."""
    return None  # your lines in place of this one


check.moved(my_moved)
check.masked_mse(my_masked_mse)
check.share_left(my_share_left)

# %% [markdown]
# **Change.** (a) Set ``encoder.patch_size`` to 2 and to 8 before scoring (no training):
# network against filler, who wins where, and why? (b) Paste each network's answer into
# the moved pixels only, as the filler does. What is the SSIM now, and what did you have
# to tell it? (c) Train the U-Net for 600 steps. Does it beat copying on all pixels?
#
# **Make.** Invent a disorder of your own and train the encoder's network on it. Rubric,
# one point each: copying printed beside every error; error inside and outside; a filler
# that knows no eyes; a way to see that the targets are untouched; one sentence on what
# it lost against.
#
# Three things to keep
# --------------------
# - Score the moved pixels, and print copying beside the score.
# - Smooth filling is the second baseline: it restores without knowing an eye.
# - An encoder learns what its loss pays for, and may forget the rest.
#
# Quiz
# ----
# 1. A network restores with SSIM .93. What two numbers do you ask for?
# 2. Training logs "copying 0.000". What happened?
# 3. Patches of 2 px give the lowest loss. Are they the best pretext?
#
# <details><summary>Answers</summary>
#
# 1. The SSIM of copying, and the error on the moved pixels beside copying's.
# 2. Input and target are one array: disordered in place, or T is 0.
# 3. No: they can be filled in from the rim, without knowledge of eyes.
#
# </details>
#
# In a clinic
# -----------
# A restored photograph looks plausible where it was invented. Our network put smooth
# retina over every lesion it met. As a pretext that is harmless; shown to a doctor, or
# used as training images (lesson 09), it is not. Pretraining here cost seconds, and its
# gain is to be shown on the target task, not on its own loss.
#
# Sources
# -------
# - C: Chen et al. 2019, Medical Image Analysis 58:101539: context restoration. A: the
#   student project that re-implements it. (Their patch sizes and T are not known to us;
#   ours are our own.)
# - Zhou et al. 2019, Models Genesis, MICCAI: local pixel shuffling.
