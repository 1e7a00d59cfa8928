# %% [markdown]
"""
Lesson 12. Hide and predict
===========================

- do: hide patches of eyes, let a tiny transformer predict them, and score it beside
  fillers that need no network
- learn: what a hole allows to know, which patches may count, and in which unit
- need: lessons 03 and 06 (masks, restoration beside copying), 04 (the training loop)
- sources: D (Xing et al. 2023, masked autoencoder), B's survey (context encoder,
  colourisation, object saliency); He et al. 2022
- data: toy.fundus, n 300 (fast 100), 32 px, 0.9 MB
- runtime: fast 9 s, full 21 s
- memory: 550 MB
- files: 1_hidden.png, 2_ratio.png, 3_strip.png, 4_broken.png, 5_known.png,
  results.json
"""

# %% [markdown]
# **The question.** Hide three patches of four and ask for them: a *masked autoencoder*
# (MAE, He et al. 2022). No label is needed. To fill a hole one must know eyes: so hope
# its authors. But can a hole be known?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl import transforms
from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/12"))
OUT.mkdir(parents=True, exist_ok=True)
eye = toy.fundus(1, size=64, rng=SEED).images
for k, ratio in enumerate(RATIOS := (0.25, 0.5, 0.75, 0.9)):
    hidden = transforms.sample_mask(1, (64, 64), 8, rng=SEED, mask_ratio=ratio)
    shown = transforms.mask_patches(eye, hidden, 8, fill=128)[0]
    plt.subplot(1, 4, k + 1, title=f"{ratio:.0%} hidden").imshow(shown).axes.axis("off")
plt.savefig(OUT / "1_hidden.png", bbox_inches="tight")

# %% [markdown]
# Patches, masks and a unit
# -------------------------
# From here on eyes are grey, 32 px wide, and patches 8 × 8 pixels: rows of P = 64
# numbers. (In colour nearly all of a patch's variance lies between red, green and blue,
# which are the same in all eyes; the task would be void.)
#
# MAE asks for each patch *at mean 0 and variance 1*, the variance divided by P - 1. So
# the answer "flat", all 0, costs 1 - 1/P = .98: the first law. The second: of all
# single answers to many patches the mean costs least, for the mean of (x - a)² is the
# variance of x plus (mean - a)². **What cannot be known is answered with the mean.**

# %%
import numpy as np

from tinyssl.pretext.inputs import common_field

n = 100 if FAST else 300
eyes, seen = toy.fundus(n, size=32, rng=SEED), np.arange(n) < 0.6 * n
assert not set(eyes.patient[seen]) & set(eyes.patient[~seen])  # patients apart
images = np.uint8(eyes.images.mean(-1, keepdims=True))
region = common_field(eyes.images)


def patchify(images, p=8):
    """Cut (N, 32, 32, 1) images into rows of patches: (N, 16, 64)."""
    N, H, W = images.shape[:3]
    cells = images.reshape(N, H // p, p, W // p, p)
    return cells.swapaxes(2, 3).reshape(N, -1, p * p)


def normalised(patches):
    mean, variance = patches.mean(-1), patches.var(-1, ddof=1)
    return (patches - mean[..., None]) / np.sqrt(variance[..., None] + 1e-6)


patches = patchify(images / 255)
assert np.allclose(patches, transforms.patchify(images, 8) / 255)
wanted, inside = normalised(patches), patchify(region[None])[0].any(-1)
lively = patches.var(-1) > 1e-4
assert np.allclose((wanted[lively] ** 2).mean(-1), 1 - 1 / 64, rtol=0.01)  # law 1
some, other = wanted[:, 5], wanted[0, 6]
costs = [((some - answer) ** 2).mean() for answer in (some.mean(0), other)]
gap = ((some.mean(0) - other) ** 2).mean()
assert np.isclose(costs[1], costs[0] + gap)  # law 2
visible = ~transforms.sample_mask(n, (32, 32), 8, rng=SEED, region=region) & inside
assert set(visible.sum(1)) == {int(inside.sum() / 4)}

# %% [markdown]
# Three fillers
# -------------
# - *Mean patch*: the mean of the training eyes' patches in that place. It sees nothing
#   of this eye.
# - *Smooth filling*: a hidden pixel becomes a mean of visible ones, near ones weighing
#   more. It has never seen another eye.
# - *The network*: a tiny vision transformer. Each visible patch becomes 32 numbers,
#   patches read from one another (*attention*), and a small decoder answers all places.
#   In the library: ``MaskedAutoencoder``. We train it twice: in MAE's unit, and to
#   answer plain pixels (``InPixels``).
#
# **Before you run.** Three quarters are hidden. Put the three in order: in MAE's unit,
# and in pixels.

# %%
import torch
from scipy.ndimage import gaussian_filter

from tinyssl import models, training
from tinyssl.pretext import MaskedAutoencoder

torch.set_num_threads(1)


class InPixels(MaskedAutoencoder):
    def forward(self, inputs, targets):
        costs = (self.predict(*inputs) / 8 + 0.3 - targets[0][:, 0]).square().mean(2)
        cost = (costs * targets[1]).sum() / targets[1].sum()
        return 64 * cost, {"masked": cost}


def learn(kind):
    torch.manual_seed(SEED)
    encoder = models.ViT(patch_size=8, dim=32, depth=1, in_channels=1)
    task = kind(encoder, patch_size=8, channels=1, region=region)
    how = {"steps": 40 if FAST else 300, "batch_size": 32, "lr": 1e-2, "seed": SEED}
    losses = [row["loss"] for row in training.train(task, (images[seen],), **how)]
    return task, losses


# %%
def spread(rows):
    """Lay rows of patches (N, 16, 64) out as images (N, 32, 32)."""
    return transforms.unpatchify(np.ascontiguousarray(rows), 8, (32, 32))


def smooth(images, visible):
    """Fill hidden pixels with a Gaussian-weighted mean of visible ones."""
    known = spread(np.repeat(visible[..., None], 64, 2).astype(float))
    both = images[..., 0] / 255 * known, known
    total, weight = (gaussian_filter(x, (0, 2, 2), truncate=12) for x in both)
    return np.where(known > 0, both[0], total / weight)[..., None]


@torch.no_grad()
def hide(task, ratio):
    """Hide patches of unseen eyes; return masks, the network's answers, its loss."""
    task.mask_ratio, rng = ratio, np.random.default_rng(SEED)
    (x, visible), targets = task.eval().make_batch(images[~seen], rng)
    batch = training.to_tensor(((x, visible), targets))
    answers = task.predict(*batch[0]).numpy()
    return visible, targets[1], answers, task(*batch)[0].item()


mae, losses = learn(MaskedAutoencoder)
pixels, _ = learn(InPixels)
truth = {"MAE's unit": wanted[~seen], "pixels": 255 * patches[~seen]}
_, hidden, answers, loss = hide(mae, 0.75)
by_hand = ((answers - wanted[~seen])[hidden] ** 2).mean()
assert np.isclose(by_hand, loss, rtol=1e-3)  # the library's loss


def fill(ratio):
    """Return masks, and the answers of all fillers in both units."""
    visible, hidden, answers, _ = hide(mae, ratio)
    filled = patchify(smooth(images[~seen], visible))
    told = {"network": answers, "mean patch": wanted[seen].mean(0)}
    plain = {"network": 255 * (hide(pixels, ratio)[2] / 8 + 0.3)}
    plain |= {"mean patch": 255 * patches[seen].mean(0), "smooth": 255 * filled}
    told["smooth"] = normalised(filled)
    return visible, hidden, {"MAE's unit": told, "pixels": plain}


def error(answer, truth, where):
    return ((answer - truth)[where] ** 2).mean()


# %%
results = {"loss_start": losses[0], "loss_end": np.mean(losses[-20:])}
MARKS = {"network": "C0o-", "mean patch": "ks--", "smooth": "C1^-"}
filled = {ratio: fill(ratio) for ratio in RATIOS}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
for ax, (unit, true) in zip(axes, truth.items(), strict=True):
    for name, mark in MARKS.items():
        heights = [error(f[2][unit][name], true, f[1]) for f in filled.values()]
        heights = np.sqrt(heights) if unit == "pixels" else heights
        ax.plot(RATIOS, heights, mark, label=name)
        for ratio, height in zip(RATIOS, heights, strict=True):
            results[f"{unit[:3]}_{name.split()[0]}_{100 * ratio:.0f}"] = height
    ax.set(title=unit, xlabel="share hidden", xticks=RATIOS)
    ax.set_ylim(bottom=0)
axes[0].set_ylabel("squared error, hidden patches")
axes[1].set_ylabel("root mean squared error (grey levels)")
axes[0].legend(frameon=False)
said = "75 % hidden: network {MAE_network_75:.2f}, mean patch {MAE_mean_75:.2f}; in "
said += "pixels {pix_network_75:.0f} and {pix_mean_75:.0f}, smooth {pix_smooth_75:.0f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "2_ratio.png")

figure, axes = plt.subplots(4, 4, figsize=(7, 7.2), layout="constrained")
for column, (ratio, (visible, _, answers)) in zip(axes.T, filled.items(), strict=True):
    shown, true = visible[:1, :, None], truth["pixels"][:1]
    rows = {"visible": true * shown, "original": true}
    for name in ("smooth", "network"):
        rows[name] = np.where(shown, true, answers["pixels"][name][:1])
    for ax, left, name in zip(column, axes[:, 0], rows, strict=True):
        ax.imshow(spread(rows[name])[0], cmap="gray", vmin=0, vmax=180)
        ax.set(xticks=[], yticks=[])
        left.set_ylabel(name)
    column[0].set_title(f"{ratio:.0%} hidden")
figure.suptitle("Holes come back as what eyes have in common, in this eye's light")
figure.savefig(OUT / "3_strip.png")

# %% [markdown]
# **You predicted** two orders. **What you should see**, over 10 seeds:
#
# - ``loss_start``: 1.18 to 1.42
# - ``loss_end``: 0.275 to 0.297
# - ``MAE_network_75``: 0.283 to 0.304
# - ``MAE_mean_75``: 0.288 to 0.307
# - ``MAE_smooth_75``: 1.07 to 1.15
# - ``pix_network_75``: 14.02 to 15.5
# - ``pix_mean_75``: 17.77 to 19.75
# - ``pix_smooth_75``: 34.47 to 39.59
# - ``pix_network_90``: 18.11 to 28.01
#
# (In pixels: root mean squared error in grey levels.) If you see the network at .98, it
# answers flat: train longer.
#
# In pixels the network is ahead: visible patches tell how bright *this* eye is. (But at
# 90 %, where one patch is visible, it is mostly behind: it was trained at 75 %.) MAE's
# unit takes brightness and contrast away. **Where the method lost:** there the network
# is at most .02 ahead of the mean patch. **Misconception: "the loss fell, so it learned
# to see eyes".** It learned what all eyes share in a place, such as the darker rim
# (lesson 11); a mean that sees nothing of this eye is nearly as good. Smooth filling is
# worse than flat: holes of 8 pixels are wider than what is smooth in an eye. After 300
# steps on 180 eyes this is no verdict on MAE, but a row that belongs beside every MAE.
#
# Broken on purpose: count what is easy
# -------------------------------------
# The same answers in pixels; only the counting changes. First visible patches count
# too, and are copied. Then the photograph is 3:2: eight black patches beside the eye
# are hidden as often as others, and black is easily answered.
#
# **Before you run.** How much smaller does the network's squared error look, each time?

# %%
visible, hidden, answers = filled[0.75]
true, counts = truth["pixels"], {}
for name in MARKS:
    answer = np.where(visible[..., None], true, answers["pixels"][name])
    margin = np.zeros((len(true), 6, 64))  # six of eight black patches are hidden
    wide = [np.concatenate([rows, margin], 1) for rows in (answer, true)]
    black = np.concatenate([hidden, np.ones((len(true), 6), bool)], 1)
    counts[name] = [error(answer, true, hidden), error(answer, true, hidden | visible)]
    counts[name] += [error(*wide, black)]
results["copied_share"] = counts["network"][1] / counts["network"][0]
results["black_share"] = counts["network"][2] / counts["network"][0]
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, mark in MARKS.items():
    ax.plot(counts[name], mark, label=name)
ax.set(xlabel="patches that count", ylabel="squared error (grey levels²)")
ax.set(xlim=(-0.3, 2.3), ylim=(0, None))
ax.set_xticks(range(3), ["hidden", "and visible", "hidden and black"])
ax.legend(frameon=False)
said = "The same answers: {copied_share:.0%} and {black_share:.0%} of the error"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "4_broken.png")

# %%
lesions = patchify(np.any([*eyes.lesions.values()], axis=0)[~seen][..., None]).any(-1)
vessels = patchify(eyes.vessels[~seen][..., None]).mean(-1) > 0.1
groups = {"lesion": lesions, "vessel": vessels & ~lesions}
groups |= {"neither": ~vessels & ~lesions}
figure, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
for name, mark, width in (("network", "C0o", 13), ("mean patch", "ks", 6)):
    answer, heights = answers["MAE's unit"][name], []
    for group, where in groups.items():
        heights.append(error(answer, wanted[~seen], hidden & where))
        results[f"{group}_{name.split()[0]}"] = heights[-1]
    ax.plot([*groups], heights, mark, markersize=width, label=name)
ax.set(xlabel="what the hidden patch holds", ylabel="squared error, MAE's unit")
ax.set(xlim=(-0.3, 2.3), ylim=(0, 1))
ax.legend(frameon=False)
said = "Hidden lesions cost {lesion_network:.2f}, plain patches {neither_network:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "5_known.png")

# %% [markdown]
# **You predicted** two factors. **What you should see**:
#
# - ``copied_share``: 0.75 to 0.75
# - ``black_share``: 0.667 to 0.667
# - ``lesion_network``: 0.369 to 0.438
# - ``lesion_mean``: 0.367 to 0.442
# - ``vessel_network``: 0.376 to 0.427
# - ``neither_network``: 0.166 to 0.232
#
# A quarter visible takes a quarter of the error away, and black margins a third, of
# *every* filler: nothing was learned. If you see other factors, masks and patches are
# out of step.
#
# Can a hole be known? What all eyes share, yes. A hidden lesion, or vessel, costs about
# twice as much as plain retina: nothing around it says that it is there. So a filled
# hole tends to be a healthy one.
#
# Your turn
# ---------
# **Check.** Three functions: MAE's loss; *colourisation* (Zhang et al. 2016: show grey,
# ask for colour); *object saliency*, a label from a classical map: what has an unusual
# colour.
#
# 1. ``my_masked_loss``: patches (L, P), none flat, answers (L, P) and masked (L,).
#    Bring each patch to mean 0 and variance 1, divided by P - 1; mean squared error of
#    masked patches.
# 2. ``my_paint``: grey is the mean of red, green and blue; chroma are red minus grey
#    and blue minus grey. Return red, green, blue.
# 3. ``my_salient``: True where, inside of the region, a colour is farther from the mean
#    colour than twice the mean distance. Means are over the region.

# %%
from tinyssl import check


def my_masked_loss(patches, answers, masked):
    """Return one number."""
    return None  # your lines in place of this one


def my_paint(grey, chroma):
    """(H, W) and (H, W, 2) to (H, W, 3)."""
    return None  # your lines in place of this one


def my_salient(image, region):
    """(H, W, 3) and (H, W) bool to a mask (H, W) of bool."""
    return None  # your lines in place of this one


check.masked_loss(my_masked_loss)
check.paint(my_paint)
check.salient(my_salient)

# %% [markdown]
# **Change.** (a) *Inpainting* (Pathak et al. 2016) hides one block. Make a batch of
# ``Inpainting(torch.nn.Identity(), region=region)`` (``tinyssl.pretext``) from unseen
# images, and call the task on its tensors: it logs the error of the ring's mean colour
# inside the hole, and what one would report over the ``whole`` image. (b) Keep the
# colours: what does the mean patch cost now?
#
# **Make.** Hide patches of your images. Rubric, one point each: the mean patch and a
# smooth filling beside the network; hidden patches only; none that is black; two units;
# one thing that no filler brings back.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - The rival of a filler is a mean that sees nothing of this eye.
# - Only hidden patches count, and none that is black.
# - The unit decides what is left to know.
#
# Quiz
# ----
# 1. A paper reports an error of .06 in colour, in MAE's unit. What is missing?
# 2. Why does squared error paint a blur?
# 3. An error halves when the images get a wide black frame. Why?
#
# <details><summary>Answers</summary>
#
# 1. The mean patch: in colour it has .06 on these eyes (Change b).
# 2. Of many possible answers the mean costs least (law 2), and a mean is blurred.
# 3. Hidden black patches count, and are easily answered.
#
# </details>
#
# In a clinic
# -----------
# A filled picture looks whole, and tends to lose a lesion: never show it as an image of
# the patient. As pretraining the filled pixels are thrown away; whether the encoder
# helps is another question (lesson 05 shows how to ask). These eyes are synthetic.
#
# Sources
# -------
# - He et al. 2022, "Masked autoencoders are scalable vision learners", CVPR.
# - Xing et al. 2023, masked autoencoder on chest X-rays (source D).
# - Pathak et al. 2016, "Context encoders: feature learning by inpainting", CVPR.
# - Zhang, Isola, Efros 2016, "Colorful image colorization", ECCV.
# - Achanta et al. 2009, "Frequency-tuned salient region detection", CVPR.
