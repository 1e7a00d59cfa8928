# %% [markdown]
"""
Lesson 4. Pretrain by rotation
==============================

- do: write the training loop, train on turned eyes, ask what it learnt
- learn: what a pretext score says, which angle is hardest, how a camera's tab cheats
- need: lessons 00 and 03; what a gradient step is
- sources: B (rotation pretraining, 2022), Gidaris et al. 2018
- data: toy.fundus, n 700 (fast 160), 48 px, 4.8 MB
- runtime: fast 8 s, full 62 s
- memory: 630 MB
- files: 1_half_turn.png, 2_curve.png, 3_confusion.png, 4_broken.png, 5_probe.png,
  results.json
"""

# %% [markdown]
# **The question.** System B turns each photograph by 0, 90, 180 or 270 degrees and asks
# a network by how much. The label costs nothing. What must a network know to answer?
#
# **Before you run.** Which of the four turns will be hardest to name? And which *pair*
# of turns will be mixed up?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/04"))
OUT.mkdir(parents=True, exist_ok=True)
pair = toy.fundus(2, size=192, rng=SEED).images  # a right eye, a left eye
figure, axes = plt.subplots(1, 2, figsize=(7, 3.9), layout="constrained")
axes[0].imshow(pair[0][::-1, ::-1]).axes.set(title="right eye, turned by 180°")
axes[1].imshow(pair[1]).axes.set(title="left eye, upright")
plt.setp(axes, xticks=[], yticks=[])
figure.suptitle("Upside down, a right eye has its disc where a left eye has it")
figure.savefig(OUT / "1_half_turn.png")

# %% [markdown]
# Large vessels leave the disc upwards and downwards: that names the *axis*, so {0, 180}
# are soon told from {90, 270}. The disc's side does not say which end is up, for there
# are right and left eyes. The fovea does: it lies a little *below* the disc, and is
# faint.
#
# Remove the shortcut first
# -------------------------
# Lesson 03: what is lit in one orientation and dark in another names the turn without
# any anatomy. ``turn_invariant_field`` keeps the pixels that are lit in all four turns.

# %%
import numpy as np

from tinyssl.pretext import Rotation
from tinyssl.pretext.inputs import turn_invariant_field
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns

n, size = (160, 32) if FAST else (700, 48)
eyes = toy.fundus(n, size=size, rng=SEED)
seen, unseen = np.arange(n) < 0.7 * n, np.arange(n) >= 0.7 * n  # patients stay whole
assert not set(eyes.patient[seen]) & set(eyes.patient[unseen])
hidden = eyes.images * turn_invariant_field(eyes.images)[..., None]


def turned_batch(images, rng):
    """Mirror half of the images, then turn each; the turns are the labels."""
    images = flip(images, sample_flips(len(images), rng=rng))
    turns = sample_turns(len(images), rng=rng)
    return rotate(images, turns), turns


# %% [markdown]
# A network that knows nothing
# ----------------------------
# The encoder is a DenseNet as in system B (convolutions, where each layer sees the
# output of all before it), 300 times smaller: image in, 67 maps out. Their means go
# through a linear *head* with four outputs, the logits z. The loss of the true turn t
# is the cross-entropy ``log Σ exp z - z[t]``: minus the logarithm of the probability
# ``exp z[t] / Σ exp z`` that the network gives to t.
#
# **Before you run.** Four outputs, nothing learnt: which loss, and which accuracy?

# %%
import torch
from torch.nn import functional as F

from tinyssl import models, training

torch.set_num_threads(1)


def fresh_network(**options):
    """Return encoder and head with random weights, the same ones each time."""
    torch.manual_seed(SEED)
    shape = dict(growth_rate=12, block_layers=(1, 2, 4), stem_channels=16)
    encoder = models.DenseNet(**shape, bottleneck=2, num_classes=4, small_stem=True)
    # channels_last: the channels of a pixel side by side in memory, for speed
    return Rotation(encoder, **options).to(memory_format=torch.channels_last)


def logits_of(network, inputs):
    maps = network.encoder.features(inputs)  # (N, C, h, w)
    return network.head(maps.mean((2, 3)))  # (N, 4)


def ask(network, images):
    """Hide the borders, ask for all four turns: counts, rows are the true turn."""
    return np.array(network.evaluate(images, rng=None)["confusion"])


z, t = np.zeros((6, 4)), np.array([0, 1, 2, 3, 0, 1])
assert np.allclose(np.log(np.exp(z).sum(1)) - z[np.arange(6), t], np.log(4))
assert np.isclose(F.cross_entropy(torch.tensor(z), torch.tensor(t)), np.log(4))
table = ask(fresh_network(), eyes.images[unseen])
print(f"ln 4 = {np.log(4):.3f}; {np.trace(table)} of {table.sum()} answers are right")

# %% [markdown]
# **You predicted** ln 4 = 1.386 and a quarter. A network that gives every image one
# answer has exactly a quarter right, for each image is asked four times.
#
# The loop, written out
# ---------------------
# Draw, forward, backward, update: this is all that training is.
#
# - *Batch normalisation*, in the encoder, brings each feature to mean 0 and deviation 1
#   over a batch.
# - *AdamW*, the optimiser, adapts the step of each weight to its past gradients, and
#   pulls weights a little towards zero.
# - *Gradient clipping* shortens a step whose gradient is too long.

# %%
RATE, BATCH, STEPS = 1e-2, 32, (24 if FAST else 400)


def learn(network, images, steps):
    """Train in place; hand over the loss after each step."""
    optimizer = training.adamw(network, RATE, 0.05)
    for step in range(steps):
        # Draw: everything below follows from the seed and the step
        rng = np.random.default_rng([SEED, 1, step])
        index = training.batch_index(step, len(images), BATCH, SEED)
        inputs, turns = training.to_tensor(turned_batch(images[index], rng))
        # Forward, backward
        network.train()
        loss = F.cross_entropy(logits_of(network, inputs), turns)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        # Update: the rate rises over a tenth of the steps, then falls to zero
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate(step, steps, RATE, 0.1)
        optimizer.step()
        yield loss.item()


network, losses, tables = fresh_network(), [], []
for step, loss in enumerate(learn(network, hidden[seen], STEPS), start=1):
    losses.append(loss)
    if step % (STEPS // 12) == 0:
        tables.append(ask(network, eyes.images[unseen][:100]))
        print(f"step {step}: {np.trace(tables[-1])} answers are right", flush=True)

# %% [markdown]
# In the library ``Rotation`` makes the batch and the loss, ``train`` has the loop. Same
# seed, same numbers.

# %%
how = {"batch_size": BATCH, "lr": RATE, "seed": SEED}
rows = training.train(fresh_network(), [eyes.images[seen]], steps=8, **how)
ours = [*learn(fresh_network(), hidden[seen], 8)]
assert np.allclose([row["loss"] for row in rows], ours, rtol=1e-3)

# %%


def axis_and_way(table):
    """Share of answers on the right axis; of those, share the right way round."""
    parity = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0
    return table[parity].sum() / table.sum(), np.trace(table) / table[parity].sum()


shares = np.array([axis_and_way(table) for table in tables])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
axes[0].plot(np.convolve(losses, np.ones(8) / 8, "valid"))
axes[0].axhline(np.log(4), color="k", linestyle=":", label="ln 4: nothing known")
axes[0].axhline(np.log(2), color="k", linestyle="--", label="ln 2: the axis known")
axes[0].set(xlabel="step", ylabel="loss (mean of 8 steps)", ylim=(0, 2))
looks = np.arange(1, 13) * (STEPS // 12)
axes[1].plot(looks, shares, "o-", label=["right axis", "then right way round"])
axes[1].set(xlabel="step", ylabel="share, unseen eyes", ylim=(0.2, 1.03))
figure.legend(loc="outside lower center", ncols=4)
figure.suptitle("Two questions: axis {:.0%}, then way round {:.0%}".format(*shares[-1]))
figure.savefig(OUT / "2_curve.png")

# %% [markdown]
# The loss rests at ln 2 for a while: the axis is known, the way round is guessed.

# %%
final = ask(network, eyes.images[unseen])
axis, way = axis_and_way(final)
hardest = [90 * int(np.argmin(np.diag(t) / t.sum(1))) for t in (*tables, final)]
print("hardest turn at each look:", hardest)
figure, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
share = final / final.sum(1, keepdims=True)
ax.imshow(share, cmap="Blues", vmax=1.6)
for (i, j), value in np.ndenumerate(share):
    ax.text(j, i, f"{value:.2f}", ha="center", va="center")
ax.set_xticks(range(4), range(0, 360, 90))
ax.set_yticks(range(4), range(0, 360, 90))
ax.set(xlabel="answer (degrees)", ylabel="true turn (degrees)")
figure.suptitle(f"Axis right: {axis:.0%}; of those, way round right: {way:.0%}")
figure.savefig(OUT / "3_confusion.png")
results = {"accuracy": np.trace(final) / final.sum(), "axis": axis, "way_round": way}
results |= {"hardest_turn": hardest[-1], "hardest_of_looks": len(set(hardest))}

# %% [markdown]
# **You predicted** a turn and a pair. **What you should see**, over 10 seeds:
#
# - ``axis``: 0.998 to 1
# - ``way_round``: 0.817 to 0.915
# - ``hardest_turn``: 0 to 270
# - ``hardest_of_looks``: 2 to 4
#
# If you see the axis below .9, or ``way_round`` at .5, train longer. (On a second
# processor seed 0 came out .002 below the range.)
#
# **Misconception: "180 degrees is the hardest turn".** On some seeds it is; on others
# it is 0, 90 or 270. A network in doubt between two turns prefers one, which looks
# easy, and its partner hard. ``hardest_of_looks`` counts how many turns were "the
# hardest" within one training. The pair is the finding: 0 with 180, 90 with 270.
#
# Broken on purpose: the border stays in
# --------------------------------------
# A hospital has one make of camera. It cuts off top and bottom, and has a small tab at
# two o'clock. We pretrain on its photographs with the border hidden, and with it
# left in.
#
# **Before you run.** Which of the two scores higher on this hospital's unseen eyes? On
# full circles from elsewhere? And at home with the tab erased: its pixels made as dark
# as their mirror image?

# %%
tab = eyes.camera < 2
home = eyes.images[unseen & tab]
y, x = np.indices((size, size)) - (size - 1) / 2
rim = (np.hypot(y, x) > 0.98 * 0.49 * size) & (y < 0) & (x > 0)  # upper right
erased = np.where(rim[..., None], np.minimum(home, home[:, :, ::-1]), home)
asked = {"own camera": home, "tab erased": erased}
asked["other cameras"] = eyes.images[unseen & (eyes.camera > 2)]
for border in ("hidden", "left in"):
    print(f"training, border {border} ...", flush=True)
    cheat = fresh_network(hide_border=border == "hidden")
    training.train(cheat, [eyes.images[seen & tab]], steps=STEPS, **how)
    for place, images in asked.items():
        score = cheat.evaluate(images, rng=None)["accuracy"]
        results[f"{border.split()[0]}_{place.split()[0]}"] = score

# %%
changed = (erased != home).any(-1)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for ax, place in zip(axes[:2], ("own camera", "tab erased"), strict=True):
    ax.imshow(asked[place][0, : size // 2, size // 2 :])
    ax.contour(changed[0, : size // 2, size // 2 :], levels=[0.5], colors="c")
    ax.set(title=f"{place}: upper right quarter", xticks=[], yticks=[])
for border, mark in (("hidden", "o"), ("left in", "s")):
    heights = [results[f"{border.split()[0]}_{place.split()[0]}"] for place in asked]
    axes[2].plot([*asked], heights, mark, markersize=9, label=f"border {border}")
axes[2].axhline(0.25, color="k", linestyle=":", label="guessing")
axes[2].set(ylabel="share of turns named", ylim=(0, 1.05))
axes[2].legend()
scores = f"{results['left_own']:.2f} at home, {results['left_tab']:.2f}"
dark = f"{changed.sum((1, 2)).mean():.0f} of {size**2:,} pixels are darker"
figure.suptitle(f"Border left in: {scores} when {dark}")
figure.savefig(OUT / "4_broken.png")

# %% [markdown]
# **You predicted** three answers. **What you should see**, over 10 seeds (.25:
# guessing; .5: axis):
#
# - ``left_own``: 1 to 1
# - ``left_other``: 0.219 to 0.283
# - ``left_tab``: 0.5 to 0.517
# - ``hidden_own``: 0.778 to 0.898
# - ``hidden_other``: 0.329 to 0.731
#
# If you see the broken one at work elsewhere too, then full circles were among its
# training images. One make of camera stays a narrow sample.
#
# **Misconception: "the better the pretext score, the better the pretraining".** A tab
# of a few pixels beats the whole anatomy, and at home nobody would notice: there the
# broken network has the *better* score.
#
# What do the features know?
# --------------------------
# We throw the head away, freeze the encoder, and put a logistic regression on its 67
# numbers an eye, for three questions that pretraining never asked. Beside it: random
# weights, and the photograph shrunk to 8 × 8 pixels.

# %%
from tinyssl.compare import features
from tinyssl.targets.baselines import logistic_regression

questions = {"eye": (eyes.eye == "right").astype(int), "camera": eyes.camera}
questions["healthy"] = (eyes.grades > 0).astype(int)
tiny = hidden.reshape(n, 8, size // 8, 8, size // 8, 3).mean((2, 4)).reshape(n, -1)
known = {"8 × 8 pixels": tiny}
known["random"] = features.extract(hidden, fresh_network().encoder.features)
known["rotation"] = features.extract(hidden, network.encoder.features)
options = {"num_grades": 5, "penalty": 3.0}
figure, ax = plt.subplots(figsize=(8, 3.9), layout="constrained")
for k, (name, rows) in enumerate(known.items()):
    right = []
    for question, truth in questions.items():
        p = logistic_regression(rows[seen], truth[seen], rows[unseen], **options)
        right.append(np.mean(p.argmax(1) == truth[unseen]))
        results[f"{question}_{name.split()[0]}"] = right[-1]
    ax.plot(np.arange(3) + 0.15 * (k - 1), right, "dos"[k], markersize=8, label=name)
common = [np.bincount(t[unseen]).max() / unseen.sum() for t in questions.values()]
ax.plot(range(3), common, "k_", markersize=20, label="commonest answer")
ax.set_xticks(range(3), ("right or left eye", "which camera", "ill or healthy"))
ax.set(ylabel="share right, unseen eyes", ylim=(0, 1.05))
ax.legend(loc="lower left")
said = "Right or left eye: rotation {eye_rotation:.2f}, 8 × 8 pixels {eye_8:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "5_probe.png")

# %% [markdown]
# **What you should see**, over 10 seeds:
#
# - ``eye_rotation``: 0.967 to 1
# - ``eye_random``: 0.638 to 0.771
# - ``eye_8``: 0.995 to 1
# - ``camera_rotation``: 0.819 to 0.986
# - ``camera_random``: 0.933 to 0.99
# - ``healthy_rotation``: 0.486 to 0.643
# - ``healthy_8``: 0.49 to 0.586
#
# If you see random features as good as trained ones everywhere, the encoder was not
# loaded. **Where rotation lost:** 64 shrunken pixels know the eye's side as well, and
# on ill or healthy rotation is hardly above guessing: no lesion helps to name a turn.
# Lesson 05 asks whether it is a good *initialisation* all the same.
#
# **Misconception: "what the features hold, the network was taught".** Random weights
# name the camera nearly always.
#
# Your turn
# ---------
# **Check.** Three functions.
#
# 1. ``my_four_turns``: each image in all four turns.
# 2. ``my_cross_entropy``: the cross-entropy of the lesson, safe for large logits.
# 3. ``my_axis_and_way``: the two shares of a 4 × 4 table, on the right axis and of
#    those the right way round (nan where there are none).

# %%
from tinyssl import check


def my_four_turns(images):
    """(N, S, S) images to (N, 4, S, S): place k is k turns counter-clockwise."""
    return None  # your lines in place of this one


def my_cross_entropy(logits, turns):
    """Mean over N images of log Σ exp z - z[t]; logits (N, 4), turns (N,)."""
    return None  # your lines in place of this one


def my_axis_and_way(table):
    """Two shares from counts; row: true turn, column: answer."""
    return None  # your lines in place of this one


check.four_turns(my_four_turns)
check.cross_entropy(my_cross_entropy)
check.axis_and_way(my_axis_and_way)

# %% [markdown]
# **Change.** (a) Train on right eyes only and do not mirror: what happens to the way
# round, and why is that no better pretraining? (b) Shuffle the turns among the images
# of a batch: where does the loss stay? (c) Use system B's learning rate, 1e-5.
#
# **Make.** Pretrain on photographs of your own in which "up" means something. Rubric,
# one point each: chance level; unseen images from other sources; the 4 × 4 table; one
# shortcut looked for by erasing it; random features beside the trained ones; one
# sentence on what was not learnt.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - ln 4 and ¼ first: without the chance level a curve says nothing.
# - Look at the table. Rotation is two questions, an easy axis and a hard way round.
# - A perfect pretext score is a reason to look for a shortcut.
#
# Quiz
# ----
# 1. The loss stands still at 0.69. What has been learnt?
# 2. Turns 0, 90, 180, 270 are named in 95, 80, 45, 85 %. Is 180 the hardest?
# 3. With the border left in, a pretext accuracy of 1.00. Better pretraining?
#
# <details><summary>Answers</summary>
#
# 1. The axis: ln 2 is one yes-or-no question still open.
# 2. Look at the pair: 0 and 180 together have 70 %. The network prefers to say 0.
# 3. Erase the border and ask again: if the score falls, it read the border.
#
# </details>
#
# In a clinic
# -----------
# Pretraining looks harmless: it has no labels. But a network that learnt the camera
# carries it into every task built on it. To erase a suspected shortcut costs an hour.
#
# Sources
# -------
# - Gidaris et al. 2018, ICLR: rotation. Huang et al. 2017, CVPR: DenseNet.
# - System B: rotation pretraining for diabetic retinopathy, thesis and paper, 2022.
