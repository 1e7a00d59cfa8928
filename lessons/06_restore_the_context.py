# %% [markdown]
"""
Lesson 6. Restore the context
=============================

- do: disorder eyes, score whoever does nothing, train two networks to put the patches
  back, and ask what an encoder has learnt from it
- learn: why restoration is scored on the moved pixels, and beside copying
- need: lessons 02, 03 and 04 (likeness, swaps, the training loop)
- sources: C (Chen et al. 2019, context restoration), A (re-implements it)
- data: toy.fundus, n 800 (fast 120), 32 px, 2.46 MB; one eye of 128 px
- runtime: fast 10 s, full 40 s
- memory: 700 MB
- files: 1_disordered.png, 2_restored.png, 3_broken.png, 4_probe.png, results.json
"""

# %% [markdown]
# **The question.** Swap small patches of an image, again and again, and let a network
# put everything back. No label is needed. Chen et al. (source C) hope that a network
# must know eyes to do this. Does it work, and how would we notice if it did not?

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
# From here on the eyes are 32 px wide and the patches 5 px.
#
# Which pixels did the swaps move? The first answer is: all pixels of all patches. But
# swaps follow one another, and a later one may bring a pixel home. So we number the
# pixels, swap the numbers, and see which pixels have another number than before.

# %%
import numpy as np

eyes = toy.fundus(120 if FAST else 800, size=32, rng=SEED)
half = len(eyes) // 2  # of the patients: the second half is held out
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
where = moved(swaps, 5)
assert where.sum() <= 2 * 4 * 5**2
assert not moved(np.concatenate([swaps, swaps[::-1]]), 5).any()  # undone
assert masked_mse(images[0], mixed, where)[1] == 0  # copying is perfect outside

# %% [markdown]
# Two baselines stand beside every number of this lesson. **Copying** returns the
# disordered image as it is. A *filler* knows no eyes: it is told which pixels moved,
# and paints them smoothly from their rim, each the mean of its four neighbours.
#
# Two networks
# ------------
# Chen et al. use two decoders. For segmentation a U-Net: its bridges hand fine detail
# from the encoder to the decoder. For classification a few *deconvolutions* on the
# encoder alone (layers that make maps larger by spreading each value over several
# pixels), so that everything must pass through the encoder.
#
# **Before you run.** After some 200 steps, does each of the two beat copying on the
# moved pixels? Over the whole image? Does either beat the filler?

# %%
import torch

from tinyssl import models, pretext, training

torch.set_num_threads(1)
how = {"patch_size": 5, "num_swaps": 4, "region": region, "standardise": True}
wide = {"out_channels": 3, "widths": (8, 16, 32, 64)}


def fill(images, holes, rounds=60):
    """Solve Laplace's equation inside the holes, by repeated averaging."""
    images, holes = images / 255, holes[..., None]
    filled = images
    for _ in range(rounds):
        sides = [np.roll(filled, k, axis) for k in (1, -1) for axis in (1, 2)]
        filled = np.where(holes, sum(sides) / 4, images)
    return np.rint(255 * filled).astype(np.uint8)


def build(model, **options):
    """Put restoration around a network whose weights follow from our seed."""
    torch.manual_seed(SEED)
    size = train.shape[1]
    return pretext.ContextRestoration.build(model(**options), image_size=size, **how)


def learn(task, steps):
    """Train a task on batches of 32, and say what was left in the end."""
    options = {"batch_size": 16 if FAST else 32, "lr": 3e-3, "seed": SEED}
    log = training.train(task, [train], steps=16 if FAST else steps, **options)
    loss, copied = (np.mean([row[k] for row in log[-10:]]) for k in ("loss", "copy"))
    print(f"{task.name}: loss {loss:.3f}, copying {copied:.3f}", flush=True)
    return log


unet = build(models.UNet, **wide)
encoder = build(models.densenet_small)
log = learn(unet, 200)
learn(encoder, 150)

# %% [markdown]
# Held-out eyes are disordered once and restored by both networks. Our ``masked_mse``
# and the library's ``score_images`` must agree.

# %%
from tinyssl.compare import restored as restoration

found = {
    name: restoration.disorder_and_restore(task, scored, seed=SEED, field=lit)
    for name, task in (("U-Net", unet), ("encoder", encoder))
}
given, swaps = found["U-Net"].disordered, found["U-Net"].swaps  # the same for all
filled = fill(given, np.array([moved(one, 5) for one in swaps]))
found["filler"] = restoration.Restored(scored, given, filled, swaps)
changed = found["U-Net"].changed  # where values differ
results, parts = {}, ("mse_swapped", "mse_unswapped")
for name, one in found.items():
    row, key = restoration.score_images(one), name.replace("-", "").lower()
    ours = [masked_mse(*x) for x in zip(scored, one.restored, changed, strict=True)]
    assert np.allclose(ours, [[scores["restored"][k] for k in parts] for scores in row])
    table = restoration.summarise(row, groups=eyes.patient[half:][:120], rng=SEED)
    for word, score in (("left", "mse_swapped"), ("whole", "mse")):
        means = [table[score][who]["mean"] for who in ("restored", "copy")]
        results[f"{word}_{key}"] = means[0] / means[1]
    results[f"ssim_{key}"] = table["ssim"]["difference"]["mean"]
shown = {"original": scored, "disordered": given}
shown |= {name: one.restored for name, one in found.items()}
figure, axes = plt.subplots(5, 6, figsize=(6.8, 6.2), layout="constrained")
for line, (name, pictures) in zip(axes, shown.items(), strict=True):
    for ax, picture in zip(line, pictures[:6], strict=True):
        ax.imshow(picture)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, fontsize=9)
title = "Error over that of copying (U-Net, encoder, filler):\non moved pixels "
title += "{left_unet:.0%}, {left_encoder:.0%}, {left_filler:.0%}; over the whole image "
title += "{whole_unet:.0%}, {whole_encoder:.0%}, {whole_filler:.0%}"
figure.suptitle(title.format(**results))
figure.savefig(OUT / "2_restored.png")

# %% [markdown]
# **You predicted** for two networks. The encoder's network paints a smooth average eye
# with the disc on the right side. It has learnt which eye it sees, and not one vessel.
#
# **What you should see** (shares of copying's error on moved pixels and on the whole
# image; SSIM minus copying's)
#
# - ``left_unet``: 0.251 to 0.366
# - ``left_encoder``: 0.214 to 0.261
# - ``left_filler``: 0.201 to 0.262
# - ``whole_unet``: 0.917 to 1.29
# - ``whole_encoder``: 1.11 to 1.4
# - ``ssim_unet``: -0.0452 to 0
# - ``ssim_encoder``: -0.0815 to -0.0601
#
# If you see ``left`` above 1 instead, the network saw other swaps than you undo.
#
# **Where the method lost**: over the whole image both networks lose to doing nothing
# (the U-Net on nine seeds of ten), for copying is perfect on five pixels of six and
# they repaint every one. On the moved pixels they win clearly; but the filler, which
# was only told *where*, does as well as the better of the two, without training.
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


broken = InPlace(build(models.UNet, **wide).network, **how)
wrong = learn(broken, 80)
copies = scored.copy()  # or it would disorder our originals too
answer = restoration.disorder_and_restore(broken, copies, seed=SEED, field=lit)
errors = [squared_error(scored, x)[changed].mean() for x in (answer.restored, given)]
both = {"right": log[: len(wrong)], "in place": wrong}
losses = [np.mean([row["loss"] for row in part[-40:]]) for part in both.values()]
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
for name, curve in both.items():
    axes[0].semilogy([row["loss"] for row in curve], label=name)
axes[0].set(xlabel="step", ylabel="loss")
axes[0].legend(frameon=False)
axes[1].imshow(np.vstack([np.hstack(x[:5]) for x in (scored, given, answer.restored)]))
names = ["original", "disordered", "in place"]
axes[1].set(xticks=[], yticks=[16, 48, 80], yticklabels=names)
title = f"Losses look alike ({losses[1]:.2f} in place, {losses[0]:.2f} right); in place"
figure.suptitle(f"{title}\nleaves {errors[0] / errors[1]:.0%} of copying's error")
figure.savefig(OUT / "3_broken.png")
results |= {"left_broken": errors[0] / errors[1], "loss_ratio": losses[1] / losses[0]}

# %% [markdown]
# Nothing warns. But the patches of a disordered eye stay where the swaps had put them,
# and what error has gone was blurred away. One number of the log tells it: ``copy`` is
# 0, "nothing to do".
#
# **What you should see** (share of copying's error that is left; ratio of the losses)
#
# - ``left_broken``: 0.468 to 0.751
# - ``loss_ratio``: 0.931 to 1.33
#
# If you see ``left_broken`` below .4 instead, your targets were kept after all.
#
# What did the encoder learn?
# ---------------------------
# The decoder is thrown away; is the encoder worth keeping? We freeze it and let ridge
# regression (least squares with small weights) read four factors of the held-out eyes
# from its features. R² is the share of a factor's variance that is predicted: 1 is all,
# 0 what its mean alone would get. Beside it stand an encoder with random weights, and
# the bare pixels.
#
# **Before you run.** Which does restoration know better than random weights: right or
# left eye, height of the disc, pigment, area of the lesions?

# %%
from tinyssl.summary import paired_interval


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


# %%
lesions = np.any(list(eyes.lesions.values()), axis=0).sum(axis=(1, 2))
factors = {"side": eyes.eye == "right", "disc": eyes.disc[:, 0]}
factors |= {"pigment": eyes.pigment, "lesions": np.log1p(lesions)}
known = {"pixels": images.reshape(half, -1) / 255, "restoration": features(encoder)}
known |= {"random": features(build(models.densenet_small))}
figure, ax = plt.subplots(figsize=(8.2, 3.8), layout="constrained")
for column, (factor, target) in enumerate(factors.items()):
    folds = {k: explained(v, target[half:].astype(float)) for k, v in known.items()}
    for shift, (name, scores) in enumerate(folds.items()):
        look = {"marker": "osD"[shift], "color": f"C{shift}", "alpha": 0.7}
        ax.scatter([column + 0.2 * (shift - 1)] * 5, np.maximum(scores, -1), **look)
        results[f"{factor}_{name}"] = scores.mean()
    gain = folds["restoration"] - folds["random"]
    mean, low, high = paired_interval(gain, test_share=1 / 4)
    ax.text(column - 0.4, 1.12, f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]", fontsize=8)
    results[f"{factor}_gain"] = mean
ax.axhline(0, color="black", linestyle=":")
ax.set_xticks(range(4), ("right or left", "height of disc", "pigment", "lesion area"))
ax.set(ylabel="R² of a ridge regression, five folds", ylim=(-1.05, 1.28))
ax.legend(known, frameon=False, fontsize=8, loc="lower left")
figure.suptitle("R² of restoration minus that of random weights: above each factor")
figure.savefig(OUT / "4_probe.png")

# %% [markdown]
# **You predicted** one of four. **What you should see** (restoration minus random, mean
# of five folds; R² of the bare pixels)
#
# - ``side_gain``: -0.0131 to 0.0997
# - ``disc_gain``: -0.526 to -0.11
# - ``pigment_gain``: -0.166 to 0.045
# - ``lesions_gain``: -0.184 to 0.0845
# - ``side_pixels``: 0.853 to 0.893
# - ``disc_pixels``: 0.74 to 0.807
#
# If you see R² near 1 for the lesions instead, the images were larger than 32 px.
#
# On most seeds the encoder knows a little better which eye it sees, because a disc on
# the wrong side costs error. It *forgot* the height of the disc, which random weights
# let through: a pretext task keeps what pays. Nobody knows the lesions at 32 px.
# **Misconception: "who can restore eyes knows eyes".** The bare pixels know the side as
# well, and the disc better. Is it a good *initialisation*? Lessons 05, 07 and 08 ask.

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
# 2. ``my_masked_mse``: the errors inside and outside a mask, of bytes as values in [0,
#    1]; nan for a part without pixels.
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
# the moved pixels only, as the filler does. What is the SSIM now?
#
# **Make.** Invent a disorder of your own and train the encoder's network on it. Rubric,
# one point each: copying printed beside every error; error inside and outside; a filler
# that knows no eyes; one sentence on what it lost against.
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
# 2. Input and target are one array: disordered in place.
# 3. No: they can be filled in from the rim, without knowledge of eyes.
#
# </details>
#
# In a clinic
# -----------
# A restored photograph looks plausible where it was invented. Our network put smooth
# retina over every lesion it met. As a pretext task that is harmless; shown to a
# doctor, or used as training images (lesson 09), it is not.
#
# Sources
# -------
# - C: Chen et al. 2019, Medical Image Analysis 58:101539: context restoration. A: the
#   student project that re-implements it.
