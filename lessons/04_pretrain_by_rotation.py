# %% [markdown]
"""
Lesson 4. Pretrain by rotation
==============================

- do: write the training loop once, train on turned eyes, ask what it has learnt
- learn: what a pretext score says, which angle is hardest, how a camera's tab cheats
- need: lessons 00 and 03; what a gradient step is
- sources: B (rotation pretraining, 2022), Gidaris et al. 2018
- data: toy.fundus, n 700 (fast 160), 48 px, 4.8 MB
- runtime: fast 8 s, full 52 s
- memory: 630 MB
- files: 1_half_turn.png, 2_curve.png, 3_confusion.png, 4_broken.png, 5_probe.png,
  results.json
"""

# %% [markdown]
# **The question.** System B turns each photograph by 0, 90, 180 or 270 degrees and asks
# a network by how much. The label costs nothing. What must a network know to answer?
#
# **Before you run.** Which of the four turns will be hardest to name? And which *pair*
# of turns will be mixed up? Write both down; then look at two eyes.

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
# are soon told from {90, 270}. Which end is up is another question. The disc's side
# does not answer it, for there are right and left eyes; what does is the fovea, a
# little *below* the disc's height, and it is faint.
#
# Remove the shortcut first
# -------------------------
# Lesson 03: whatever is lit in one orientation and dark in another names the turn
# without any anatomy. ``turn_invariant_field`` keeps the pixels that are lit in all
# four turns of their image.

# %%
import numpy as np

from tinyssl.pretext import Rotation
from tinyssl.pretext.inputs import turn_invariant_field
from tinyssl.transforms import flip, rotate, sample_flips, sample_turns

n, size = (160, 32) if FAST else (700, 48)
eyes = toy.fundus(n, size=size, rng=SEED)
seen, unseen = np.arange(n) < 0.7 * n, np.arange(n) >= 0.7 * n  # patients stay whole
assert not set(eyes.patient[seen]) & set(eyes.patient[unseen])
field = turn_invariant_field(eyes.images)
assert np.array_equal(field, np.rot90(field, 1, (1, 2)))
hidden = eyes.images * field[..., None]


def turned_batch(images, rng):
    """Mirror half of the images, then turn each; the turns are the labels."""
    images = flip(images, sample_flips(len(images), rng=rng))
    turns = sample_turns(len(images), rng=rng)
    return rotate(images, turns), turns


# %% [markdown]
# A network that knows nothing
# ----------------------------
# The encoder is a DenseNet as in system B (a network of convolutions in which each
# layer sees the output of all before it), 300 times smaller: image in, 67 maps out.
# Their means go through a linear *head* with four outputs, the logits z. The loss of
# the true turn t is the cross-entropy ``log Σ exp z - z[t]``: minus the logarithm of
# the probability ``exp z[t] / Σ exp z`` that the network gives to t.
#
# **Before you run.** Four outputs, nothing learnt: which loss, and which accuracy?

# %%
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import models, training

torch.set_num_threads(1)


def fresh_encoder():
    """Return an encoder with random weights, the same ones each time."""
    torch.manual_seed(SEED)
    shape = dict(growth_rate=12, block_layers=(1, 2, 4), stem_channels=16)
    return models.DenseNet(**shape, bottleneck=2, num_classes=4, small_stem=True)


def build():
    encoder = fresh_encoder()
    head = nn.Linear(encoder.num_features, 4)
    network = nn.ModuleDict({"encoder": encoder, "head": head})
    return network.to(memory_format=torch.channels_last)


def logits_of(network, inputs):
    features = network["encoder"].features(inputs)  # (N, C, h, w)
    return network["head"](features.mean((2, 3)))  # (N, 4)


@torch.no_grad()
def ask(network, images):
    """Ask for all four turns of every image: counts, rows are the true turn."""
    network.eval()
    table = np.zeros((4, 4), int)
    for turn in range(4):
        inputs = training.to_tensor(rotate(images, turn))
        answers = logits_of(network, inputs).argmax(1).numpy()
        table[turn] = np.bincount(answers, minlength=4)
    return table


z, t = np.zeros((6, 4)), np.array([0, 1, 2, 3, 0, 1])
assert np.allclose(np.log(np.exp(z).sum(1)) - z[np.arange(6), t], np.log(4))
assert np.isclose(F.cross_entropy(torch.tensor(z), torch.tensor(t)), np.log(4))
table = ask(build(), hidden[unseen])
print(f"ln 4 = {np.log(4):.3f}; a fresh network is right in {np.trace(table)} of")
print(f"{table.sum()} questions; its answers: {table.sum(0).tolist()}")
results = {"accuracy_start": round(np.trace(table) / table.sum(), 3)}

# %% [markdown]
# **You predicted** ln 4 = 1.386 and a quarter. A network that gives every image one
# answer has exactly a quarter right, for each image is asked four times. If a run
# *starts* far above ln 4, the weights of the head are too large; if it *stays* there,
# it learns nothing.
#
# The loop, written out
# ---------------------
# Draw, forward, backward, update: this is all that training is. In the library it
# stands in ``tinyssl/training.py``, with checkpoints and checks of its input.
#
# - *Batch normalisation*, in the encoder, brings each feature to mean 0 and deviation
#   1, over the images of a batch in training, by averages that it kept afterwards.
# - *AdamW*, the optimiser, adapts the step of each weight to the size of its past
#   gradients, and pulls weights a little towards zero (weight decay).
# - *Gradient clipping* shortens a step whose gradient is too long, so that one bad
#   batch cannot spoil the weights.
# - ``channels_last`` stores all channels of a pixel side by side. The result is the
#   same up to rounding; some processors compute it faster.

# %%
RATE, BATCH, STEPS = 1e-2, 32, (24 if FAST else 400)


def learn(network, images, steps, watch=lambda step: None):
    """Train in place; return the loss of each step."""
    optimizer = training.adamw(network, RATE, 0.05)
    losses = []
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
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        # Update: the rate rises over a tenth of the steps, then falls to zero
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate(step, steps, RATE, 0.1)
        optimizer.step()
        losses.append(loss.item())
        watch(step)
    return losses


history = []


def watch(step):
    if (step + 1) % (STEPS // 12) == 0:
        history.append((step + 1, ask(network, hidden[unseen][:100])))
        right = np.trace(history[-1][1]) / history[-1][1].sum()
        print(f"step {step + 1}: {right:.2f} of the turns of unseen eyes", flush=True)


network = build()
losses = learn(network, hidden[seen], STEPS, watch)

# %% [markdown]
# Now the library's words for the same: the task ``Rotation`` makes the batch and the
# loss, ``train`` has the loop. Same seed, same numbers.

# %%
task = Rotation(fresh_encoder())
rows = training.train(
    task, (eyes.images[seen],), steps=8, batch_size=BATCH, lr=RATE, seed=SEED
)
ours = learn(build(), hidden[seen], 8)
assert np.allclose([row["loss"] for row in rows], ours, rtol=1e-3)
print("loss of 8 steps, ours and the library's:", np.round(ours, 3).tolist())

# %%


def axis_and_way(table):
    """Share of answers on the right axis; of those, share the right way round."""
    parity = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0
    return table[parity].sum() / table.sum(), np.trace(table) / table[parity].sum()


steps, tables = [step for step, _ in history], [table for _, table in history]
shares = np.array([axis_and_way(table) for table in tables])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
smooth = np.convolve(losses, np.ones(8) / 8, "valid")
axes[0].plot(np.arange(len(smooth)) + 8, smooth, color="#0072B2")
for level, name in ((np.log(4), "ln 4: nothing"), (np.log(2), "ln 2: the axis")):
    axes[0].axhline(level, color="#666666", linestyle=":")
    axes[0].text(STEPS, level, name, va="bottom", ha="right", fontsize=8)
axes[0].set(xlabel="step", ylabel="loss (mean of 8 steps)", ylim=(0, 2))
axes[1].plot(steps, shares[:, 0], "s-", color="#009E73", label="right axis")
axes[1].plot(steps, shares[:, 1], "o-", color="#D55E00", label="then right way round")
axes[1].axhline(0.5, color="#666666", linestyle=":")
axes[1].set(xlabel="step", ylabel="share, unseen eyes", ylim=(0.2, 1.03))
axes[1].legend(frameon=False, fontsize=9)
ends = "right axis {:.0%}, then right way round {:.0%}".format(*shares[-1])
figure.suptitle(f"Two questions in one: {ends}")
figure.savefig(OUT / "2_curve.png")

# %% [markdown]
# Which angle is hardest?
# -----------------------
# The loss rests at ln 2 for a while: the axis is known, the way round is guessed. Now
# the angles one by one, at a third of the training and at its end.

# %%
final = ask(network, hidden[unseen])
recalls = np.array([np.diag(t) / t.sum(1) for t in (*tables, final)])
hardest = recalls.argmin(1)
print("hardest turn at each look:", (90 * hardest).tolist())
axis, way = axis_and_way(final)
pairs = [np.trace(final[k::2, k::2]) / final[k::2].sum() for k in (0, 1)]
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
looks = ((f"step {steps[3]}", tables[3]), (f"step {STEPS}", final))
for ax, (name, counts) in zip(axes, looks, strict=True):
    share = counts / counts.sum(1, keepdims=True)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(share):
        shade = "w" if value > 0.6 else "k"
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=shade)
    ax.set(xticks=range(4), yticks=range(4), title=name, xlabel="answer (degrees)")
    ax.set(xticklabels=range(0, 360, 90), yticklabels=range(0, 360, 90))
axes[0].set_ylabel("true turn (degrees)")
figure.suptitle(f"The axis is right in {axis:.0%}, the way round in {way:.0%} of those")
figure.savefig(OUT / "3_confusion.png")
results |= {
    "accuracy": round(np.trace(final) / final.sum(), 3),
    "axis": round(axis, 3),
    "way_round": round(way, 3),
    "hardest_turn": int(90 * hardest[-1]),
    "hardest_of_looks": len(set(hardest.tolist())),
    "gap_of_angles": round(float(np.ptp(recalls[-1])), 3),
    "gap_of_pairs": round(abs(pairs[0] - pairs[1]), 3),
}

# %% [markdown]
# **You predicted** a turn and a pair. **What you should see**, over 10 seeds:
#
# - ``accuracy``: 0.815 to 0.913
# - ``axis``: 0.998 to 1
# - ``way_round``: 0.817 to 0.915
# - ``gap_of_angles``: 0.043 to 0.181
# - ``gap_of_pairs``: 0.012 to 0.124
# - ``hardest_turn``: 0 to 270
# - ``hardest_of_looks``: 2 to 4
#
# (Another processor rounds otherwise, and 400 steps make that visible: on a second
# machine seed 0 came out .002 below the range of the first.) If you see the axis below
# .9, train longer; if you see ``way_round`` at .5, too.
#
# **Misconception: "180 degrees is the hardest turn".** On some seeds it is; on others
# it is 0, 90 or 270. A network in doubt between two turns must say *something*;
# whichever it prefers looks easy and its partner hard. ``hardest_of_looks`` counts how
# many different turns were "the hardest" at some look within one training. The pair is
# the finding: 0 with 180, 90 with 270. For the eyes both pairs are one question, turned
# by 90; ``gap_of_pairs`` is what one training makes of that.
#
# Broken on purpose: the border stays in
# --------------------------------------
# A hospital has one make of camera. It cuts off top and bottom, and puts a small tab on
# the rim at two o'clock. We pretrain on this hospital's photographs with
# ``hide_border=False``; beside it, the same photographs with the border hidden.
#
# **Before you run.** Which of the two scores higher on this hospital's unseen eyes? On
# photographs from elsewhere, which show the full circle? And at home, with only the tab
# erased: its few pixels made as dark as their mirror image?

# %%
tab, circle = eyes.camera < 2, eyes.camera > 2
home = eyes.images[unseen & tab]
y, x = np.indices((size, size)) - (size - 1) / 2
rim = (np.hypot(y, x) > 0.98 * 0.49 * size) & (y < 0) & (x > 0)  # upper right
darker = np.minimum(home, home[:, :, ::-1])
erased = np.where(rim[..., None], darker, home)
touched = (erased != home).any(-1).sum((1, 2)).mean()
asked = {
    "own camera": home,
    "tab erased": erased,
    "other cameras": eyes.images[unseen & circle],
}
data, scores, chance = (eyes.images[seen & tab],), {}, np.random.default_rng(SEED)
for name, hide in (("hidden", True), ("left in", False)):
    print(f"training, border {name} ...", flush=True)
    cheat = Rotation(fresh_encoder(), hide_border=hide)
    training.train(cheat, data, steps=STEPS, batch_size=BATCH, lr=RATE, seed=SEED)
    for place, images in asked.items():
        scores[name, place] = cheat.evaluate(images, chance)["accuracy"]
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
moved = (erased != home).any(-1)[0, : size // 2, size // 2 :]
for ax, place in zip(axes, ("own camera", "tab erased"), strict=False):
    ax.imshow(asked[place][0, : size // 2, size // 2 :])
    ax.contour(moved, levels=[0.5], colors="c", linewidths=0.8)
    ax.set(title=f"{place}: upper right quarter", xticks=[], yticks=[])
looks = (("hidden", "o", "#0072B2"), ("left in", "s", "#D55E00"))
for name, mark, colour in looks:
    heights = [scores[name, place] for place in asked]
    label = f"border {name}"
    axes[2].plot(range(3), heights, mark, color=colour, markersize=9, label=label)
axes[2].axhline(0.25, color="#666666", linestyle=":")
axes[2].set_xticks(range(3), [place.replace(" ", "\n") for place in asked])
axes[2].set(ylabel="share of turns named", ylim=(0, 1.05), xlim=(-0.4, 2.4))
axes[2].legend(frameon=False, fontsize=8, loc="upper right")
own, without = (scores["left in", place] for place in ("own camera", "tab erased"))
figure.suptitle(
    f"Border left in: {own:.2f} at home, but {without:.2f} when {touched:.0f} of "
    f"{size**2:,} pixels are darker"
)
figure.savefig(OUT / "4_broken.png")
results |= {
    f"{name.split()[0]}_{place.split()[0]}": round(score, 3)
    for (name, place), score in scores.items()
}

# %% [markdown]
# **You predicted** three answers. **What you should see**, over 10 seeds (.25 is
# guessing, .5 knows the axis only):
#
# - ``left_own``: 1 to 1
# - ``left_other``: 0.219 to 0.283
# - ``left_tab``: 0.5 to 0.517
# - ``hidden_own``: 0.778 to 0.898
# - ``hidden_other``: 0.329 to 0.731
#
# If you see the broken one at work elsewhere too, then eyes of full-circle cameras were
# among its training images. A tab of a few pixels beats the whole anatomy. At home
# nobody would notice: there the broken network has the *better* score. Hiding the
# border removes this shortcut only: images of one make of camera stay a narrow sample.
#
# **Misconception: "the better the pretext score, the better the pretraining".** A
# higher score may mean that the network found a cheaper question.
#
# What do the features know?
# --------------------------
# The head is thrown away; the encoder stays. We freeze it and put a logistic regression
# on its 67 numbers an eye, once for each of four questions that pretraining never
# asked. Beside it the same network with random weights, the broken one, and no network
# at all: the photograph shrunk to 8 × 8 pixels.

# %%
from tinyssl.compare import features
from tinyssl.targets import baselines

questions = {
    "right or left eye": (eyes.eye == "right").astype(int),
    "disc high or low": (eyes.disc[:, 0] > np.median(eyes.disc[:, 0])).astype(int),
    "which camera": eyes.camera,
    "ill or healthy": (eyes.grades > 0).astype(int),
}
step = size // 8
tiny = hidden.reshape(n, 8, step, 8, step, 3).mean((2, 4)).reshape(n, -1)
encoders = {"random": fresh_encoder(), "rotation": network["encoder"]}
encoders["border left in"] = cheat.encoder
known = {
    name: features.extract(hidden, encoder.features)
    for name, encoder in encoders.items()
} | {"8 × 8 pixels": tiny}
figure, ax = plt.subplots(figsize=(8, 3.9), layout="constrained")
marks = dict(zip(known, ("o", "s", "X", "d"), strict=True))
colours = dict(zip(known, ("#666666", "#0072B2", "#D55E00", "#009E73"), strict=True))
for place, (question, truth) in enumerate(questions.items()):
    majority = np.bincount(truth[unseen]).max() / unseen.sum()
    ax.plot([place - 0.4, place + 0.4], [majority] * 2, "k:", linewidth=1)
    for k, (name, rows) in enumerate(known.items()):
        guess = baselines.logistic_regression(
            rows[seen], truth[seen], rows[unseen], num_grades=5, penalty=3.0
        ).argmax(1)
        right = float(np.mean(guess == truth[unseen]))
        results[f"{question.split()[-1]}_{name.split()[0]}"] = round(right, 3)
        label = name if place == 0 else None
        ax.plot(
            place + 0.15 * (k - 1.5), right, marks[name], color=colours[name],
            markersize=8, label=label,
        )  # fmt: skip
ax.set_xticks(range(4), questions)
ax.set(ylabel="share right, unseen eyes", ylim=(0.1, 1.05))
ax.legend(frameon=False, loc="lower left", ncols=2)
said = "Right or left: rotation {eye_rotation:.2f}, 8 × 8 pixels {eye_8:.2f}; "
said += "ill or healthy: {healthy_rotation:.2f}, {healthy_8:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "5_probe.png")
print({name: results[name] for name in list(results)[-16:]})

# %% [markdown]
# **What you should see**, over 10 seeds (share right on unseen eyes; dotted in the
# figure: the commonest answer):
#
# - ``eye_rotation``: 0.967 to 1
# - ``eye_random``: 0.638 to 0.771
# - ``eye_8``: 0.995 to 1
# - ``low_rotation``: 0.814 to 0.895
# - ``low_8``: 0.833 to 0.919
# - ``camera_rotation``: 0.819 to 0.986
# - ``camera_random``: 0.933 to 0.99
# - ``healthy_rotation``: 0.486 to 0.643
# - ``healthy_8``: 0.49 to 0.586
#
# If you see random features as good as the trained ones on every question, the encoder
# was not loaded. **Where rotation lost:** 64 shrunken pixels know the eye's side as
# well, and on ill or healthy rotation is hardly above guessing: no lesion helps
# to name a turn. Lesson 05 asks whether it is a good *initialisation* all the same.
#
# **Misconception: "what the features hold, the network was taught".** Random weights
# name the camera nearly always. Without that row we would have praised pretraining for
# it.
#
# Your turn
# ---------
# **Check.** Fill in three functions.
#
# 1. ``my_four_turns``: each image in all four turns, as Gidaris et al. fill a batch.
# 2. ``my_cross_entropy``: the cross-entropy of the lesson, safe for large logits.
# 3. ``my_axis_and_way``: from a 4 × 4 table, the share of answers on the right axis,
#    and of those the share the right way round (nan where there are none).

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
# of a batch: where does the loss stay? (c) Use system B's learning rate, 1e-5, for
# these 400 steps.
#
# **Make.** Pretrain on photographs of your own in which "up" means something. Rubric,
# one point each: chance level drawn in; unseen images from other sources than the
# seen; the 4 × 4 table shown; one shortcut looked for by erasing it; random features
# beside the trained ones; one sentence on what was not learnt.

# %%
import json

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
# 3. Erase the border and ask again. If the score falls, the border was what it read.
#
# </details>
#
# In a clinic
# -----------
# Pretraining looks harmless: no labels, no patients at risk. But a network that learnt
# the camera carries it into every task built on it, and hospitals differ in cameras
# before they differ in anything else. To erase a suspected shortcut costs an hour.
#
# Sources
# -------
# - Gidaris, Singh, Komodakis 2018, "Unsupervised representation learning by predicting
#   image rotations", ICLR.
# - Huang et al. 2017, "Densely connected convolutional networks", CVPR.
# - System B: rotation pretraining for diabetic retinopathy, thesis and paper, 2022.
