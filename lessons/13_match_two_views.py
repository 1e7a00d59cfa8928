# %% [markdown]
"""
Lesson 13. Match two views
==========================

- do: write the loss of SimCLR, train with five kinds of views, ask what each one kept
- learn: why every view is an assumption; how to notice a collapse
- need: lessons 04 and 10; the cosine of two vectors
- sources: D (contrastive learning), Chen et al. 2020
- data: toy.fundus, n 720 (fast 240), 32 px, 2.6 MB
- runtime: fast 10 s, full 25 s
- memory: 600 MB
- files: 1_views.png, 2_spread.png, 3_heat_map.png, 4_other_eye.png, results.json
"""

# %% [markdown]
# **The question.** SimCLR shows a network two changed copies, two *views*, of every
# image, and asks which of them belong together. But what may a view change?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinyssl.data import toy
from tinyssl.pretext.views import sample_views

SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/13"))
OUT.mkdir(parents=True, exist_ok=True)
images = toy.fundus(2, size=96, rng=SEED).images[[0, 1, 0]]
views = sample_views(images, rng=np.random.default_rng(SEED))
figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
ax.imshow(np.hstack(views)).axes.set_axis_off()
figure.suptitle("Two of these three views show one eye: the first and the last")
figure.savefig(OUT / "1_views.png")

# %% [markdown]
# The middle one is the *other eye of the same patient*: same camera, same pigment,
# often the same grade.
#
# The loss by hand
# ----------------
# N images give 2N views. A network turns each into an *embedding*: a vector z, divided
# by its length. Two views are as alike as their cosine. Divided by a *temperature* of
# .1, the cosines with all other views are logits, and the loss is the cross-entropy
# (lesson 04) of naming the other view of the same image. The views of other images are
# the *negatives*. The loss is called NT-Xent.

# %%
from time import perf_counter

import torch

from tinyssl.pretext.simclr import SimCLR, nt_xent


def by_loops(z, temperature):
    """Return the loss of N first views and then N second ones: (2N, d)."""
    z, losses = z / np.linalg.norm(z, axis=1, keepdims=True), []
    for i in range(len(z)):
        pair = (i + len(z) // 2) % len(z)
        logits = [z[i] @ z[k] / temperature for k in range(len(z)) if k != i]
        losses.append(np.log(np.exp(logits).sum()) - z[i] @ z[pair] / temperature)
    return np.mean(losses)


def deviation(z):
    """Return the mean deviation of unit vectors along each direction."""
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).std(0).mean()


rng = np.random.default_rng(SEED)
z = rng.normal(size=(64, 64))
rotation = np.linalg.qr(rng.normal(size=(64, 64)))[0]
assert np.isclose(by_loops(np.ones((64, 64)), 0.1), np.log(63))  # all alike: chance
assert np.isclose(by_loops(z, 0.1), by_loops(3 * z @ rotation, 0.1))  # angles only
assert abs(deviation(rng.normal(size=(4096, 64))) - 1 / np.sqrt(64)) < 0.001
start, by_hand = perf_counter(), by_loops(z, 0.1)
middle, theirs = perf_counter(), nt_xent(torch.tensor(z), 0.1)
print(f"by hand {middle - start:.4f} s, library {perf_counter() - middle:.4f} s")
assert np.isclose(by_hand, theirs)

# %% [markdown]
# Where all embeddings are alike, the loss is ln(2N - 1), that of guessing. Unit vectors
# that point everywhere alike have a deviation of 1/√d along each of d directions: their
# squares sum to 1, so each has 1/d on average. This gives us a meter: a deviation near
# 0 means that all images have become one.
#
# Five assumptions
# ----------------
# Each kind of view below changes one thing.

# %%
from torch.nn import functional as F

from tinyssl import factors, models, training

torch.set_num_threads(1)
FAST = os.environ.get("TINYSSL_FAST") == "1"
STEPS, PATIENTS, counts = (12, 8, (160, 80)) if FAST else (60, 16, (480, 240))
eyes, new = (toy.fundus(n, size=32, rng=[SEED, n]) for n in counts)  # other patients
pairs = eyes.images.reshape(-1, 2, 32, 32, 3)  # a right eye and its left one
STILL = {"area": (1, 1), "colour": 0, "turn": False}
VIEWS = {
    "light": {"colour": 1},
    "strong light": {"colour": 4},
    "turn, mirror": {"turn": True},
    "small crop": {"area": (0.1, 0.4)},
    "other eye": {"colour": 1},
}

# %% [markdown]
# ``Pairs`` is the library's SimCLR on pairs of eyes: it draws one eye of each patient.
# The embeddings come from a *head*, two layers on top of the encoder that are thrown
# away afterwards.


# %%
class Pairs(SimCLR):
    """SimCLR on pairs of eyes; ``other`` says what the patient's other eye is."""

    def __init__(self, encoder, other="absent", negatives=True, **how):
        super().__init__(encoder)
        self.other, self.negatives, self.how = other, negatives, STILL | how

    def make_views(self, pairs, rng):
        drawn, N = rng.integers(2, size=len(pairs)), len(pairs)
        one, second = (pairs[range(N), k] for k in (drawn, 1 - drawn))
        if self.other == "a negative":  # half of the patients, both eyes of each
            one = np.concatenate([one[: N // 2], second[: N // 2]])
        two = second if self.other == "a view" else one
        return tuple(sample_views(x, rng=rng, **self.how) for x in (one, two))

    def compare(self, z):
        loss, logs = super().compare(z)
        if not self.negatives:
            loss = 1 - F.cosine_similarity(*z.chunk(2)).mean()
        return loss, logs


def fresh():
    torch.manual_seed(SEED)
    shape = {"growth_rate": 8, "block_layers": (1, 1, 2), "stem_channels": 12}
    return models.DenseNet(**shape, bottleneck=2, small_stem=True).eval()


def learn(**options):
    """Pretrain; return the encoder and the log."""
    task = Pairs(fresh(), **options)
    how = {"steps": STEPS, "batch_size": PATIENTS, "lr": 5e-3, "seed": SEED}
    log = training.train(task, (pairs,), **how)
    return task.encoder.eval(), {k: [row[k] for row in log] for k in log[0]}


# %% [markdown]
# Broken on purpose: no negatives
# -------------------------------
# Why not simply ask that two views of an image be alike? The second network below has
# the loss 1 - cosine of the pair.
#
# **Before you run.** Which of the two ends with the lower loss? And the meter?

# %%
trained = {"light": learn(**VIEWS["light"])}
trained["no negatives"] = learn(negatives=False, **VIEWS["light"])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
results, labels = {}, {"light": "SimCLR", "no negatives": "no negatives"}
for (name, label), mark in zip(labels.items(), ("C0-", "C1--"), strict=True):
    log, key = trained[name][1], label.lower().replace(" ", "_")
    results[f"loss_{key}"] = np.mean(log["loss"][-10:])
    results[f"deviation_{key}"] = np.mean(log["spread"][-10:]) / 8
    axes[0].plot(log["loss"], mark, label=label)
    axes[1].plot(np.array(log["spread"]) / 8, mark, label=label)
axes[0].axhline(np.log(2 * PATIENTS - 1), color="k", linestyle=":", label="guessing")
axes[1].axhline(1 / 8, color="k", linestyle=":", label="1/√64: all directions")
axes[0].set(xlabel="step", ylabel="loss", ylim=(-0.1, None))
axes[1].set(xlabel="step", ylabel="deviation of unit embeddings", ylim=(0, 0.14))
[ax.legend(frameon=False) for ax in axes]
said = "Without negatives the loss falls to {loss_no_negatives:.3f}, and the deviation "
figure.suptitle((said + "to {deviation_no_negatives:.3f}").format(**results))
figure.savefig(OUT / "2_spread.png")

# %% [markdown]
# **You predicted** the losses. **What you should see**, over 10 seeds:
#
# - ``loss_simclr``: 0.663 to 1.23
# - ``loss_no_negatives``: 0 to 0.001
# - ``deviation_simclr``: 0.108 to 0.118
# - ``deviation_no_negatives``: 0.0019 to 0.0031
#
# (Guessing costs SimCLR ln 31 = 3.43; the full meter is 1/√64 = .125.) The broken
# network has the best loss there is, with one answer for all eyes: it *collapsed*. If
# you see a large deviation for it, its negatives are still in the loss.
#
# What a view changes, the features forget
# ----------------------------------------
# Every factor of a synthetic eye is known. ``factors.skills`` fits a line (a ridge
# regression) from frozen features to each factor, and scores it on eyes of other
# patients: R² of a quantity, 2 AUC - 1 of a class. 1 knows the factor, 0 does not.
# "Patient" asks which eye is the other one of this patient, by the cosine.
#
# We ask twice. Left: the *untrained* network sees views. Right: networks that were
# trained on such views see eyes as they are.
#
# **Before you run.** Which factors will be gone on the left? The same on the right?

# %%
ASKED = ["right or left", "disc position", "camera", "pigment", "exposure", "patient"]


def short(name):
    return name.removeprefix("a ").split()[0].strip(",")


def ask(encoder, change=lambda images: images):
    known = [factors.features(encoder, change(x.images)) for x in (eyes, new)]
    return factors.skills(*known, eyes, new)


def viewed(name):
    """Return what turns right and left eyes into views of this kind."""

    def change(images):
        x = images.reshape(-1, 2, 32, 32, 3)
        swap = rng.integers(2, size=(len(x), 1, 1, 1, 1)) * (name == "other eye")
        x = np.where(swap, x[:, ::-1], x).reshape(images.shape)
        return sample_views(x, rng=rng, **STILL | VIEWS[name])

    return change


before, after = {"untrained": ask(fresh())}, {"untrained": ask(fresh())}
for name, how in VIEWS.items():
    before[name] = ask(fresh(), viewed(name))
    if name != "light":
        trained[name] = learn(other="a view" if "eye" in name else "absent", **how)
    after[name] = ask(trained[name][0])
    results[f"accuracy_{short(name)}"] = np.mean(trained[name][1]["accuracy"][-10:])
    print(name, round(results[f"accuracy_{short(name)}"], 2), flush=True)
trained["a negative"] = learn(other="a negative", **VIEWS["light"])
others = {"a negative": ask(trained["a negative"][0])}
small = [x.images.reshape(-1, 8, 4, 8, 4, 3).mean((2, 4)) for x in (eyes, new)]
others["pixels"] = factors.skills(*(x.reshape(len(x), -1) for x in small), eyes, new)
for name, row in (after | others).items():
    results |= {f"{short(f)}_{short(name)}": row[f] for f in ASKED}
for name, row in before.items():
    results |= {f"seen_{short(f)}_{short(name)}": row[f] for f in ASKED}

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
panels = {"in the view": before, "in the features": after}
for ax, (title, rows) in zip(axes, panels.items(), strict=True):
    table = np.array([[row[factor] for factor in ASKED] for row in rows.values()])
    shown = ax.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        shade = "k" if value > 0.6 else "w"
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=shade)
    ax.set(xticks=range(len(ASKED)), yticks=range(len(rows)), title=title)
    ax.set_xticklabels(ASKED, rotation=30, ha="right")
axes[0].set(yticklabels=[*before], ylabel="kind of view")
figure.colorbar(shown, label="skill (1 knows it)")
said = "Turned and mirrored views: the side falls from {right_untrained:.2f} to "
figure.suptitle((said + "{right_turn:.2f} in the features").format(**results))
figure.savefig(OUT / "3_heat_map.png")

# %% [markdown]
# **You predicted** what would be gone. **What you should see** (``seen``: left; the
# others: right):
#
# - ``right_untrained``: 0.805 to 0.953
# - ``seen_right_turn``: -0.208 to 0.143
# - ``right_light``: 0.33 to 0.864
# - ``right_turn``: -0.058 to 0.503
# - ``accuracy_light``: 0.586 to 0.902
# - ``accuracy_turn``: 0.91 to 0.984
# - ``exposure_untrained``: 0.397 to 0.609
# - ``seen_exposure_strong``: 0.0996 to 0.261
# - ``exposure_strong``: 0.382 to 0.545
#
# A mirrored right eye is a left eye. Whoever mirrors views says that sides do not
# matter, and the side goes. If you see all rows alike, the views did not reach the
# network.
#
# **Misconception: "what a view hides is forgotten".** Strong light hides the exposure
# in the view, and after 60 steps the features still know it.
#
# **Misconception: "a high pretext accuracy means good features".** Turned views are the
# easiest to match (guessing: 1/31), and their features know the side least.
#
# **Where the method lost.**
#
# - ``right_pixels``: 0.996 to 1
# - ``exposure_pixels``: 0.538 to 0.691
#
# Neither the side nor the exposure is known as well as by 64 shrunken pixels, and the
# side not even as well as before SimCLR.
#
# The other eye
# -------------
# It can be absent from the batch; a negative, as happens by chance wherever batches are
# drawn from all images; or the second *view*, which says that both eyes are one case.
#
# **Before you run.** What does each choice do to side and patient?

# %%
rows = [others["a negative"], after["light"], after["other eye"]]
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for factor, mark in (("right or left", "C0o-"), ("patient", "C1s--")):
    ax.plot([row[factor] for row in rows], mark, label=factor)
    ax.axhline(after["untrained"][factor], color=mark[:2], linestyle=":")
ax.plot([], [], "k:", label="untrained")
ax.set_xticks(range(3), ["a negative", "absent", "a view"])
ax.set(xlabel="the patient's other eye is ...", ylabel="skill", ylim=(0, 1.03))
ax.legend(frameon=False)
said = "The other eye as a negative: patient {patient_negative:.2f}; as a view: "
figure.suptitle((said + "{patient_other:.2f}").format(**results))
figure.savefig(OUT / "4_other_eye.png")

# %% [markdown]
# **You predicted** two lines. **What you should see**:
#
# - ``patient_untrained``: 0.217 to 0.524
# - ``patient_negative``: 0.311 to 0.653
# - ``patient_light``: 0.374 to 0.701
# - ``patient_other``: 0.689 to 0.838
# - ``right_negative``: 0.132 to 0.8
# - ``right_other``: 0.148 to 0.746
#
# (``light``: absent.) As a view, the other eye teaches what two eyes share: the patient
# is known better than to pixels or to the untrained network, on every seed. Here SimCLR
# wins, and its price is the side. As a negative it pushes the eyes apart: the patient
# is known a little less on average (by .05), in some runs not. If you see no gain for
# the view, left and right eyes are not in the rows of ``pairs``.
#
# Your turn
# ---------
# **Check.** Fill in two relatives of SimCLR.
#
# 1. ``my_info_nce``, the loss of CPC, which predicts a patch from those above it. Row i
#    of ``said`` belongs to row i of ``true``; its other rows are the negatives.
# 2. ``my_triplet``, the loss of an exemplar network. For every image i and every j of
#    another *patient*: the squared distance of unit vectors from ``first[i]`` to
#    ``second[i]``, minus that to ``second[j]``, plus the margin, but at least 0. The
#    answer is the mean.

# %%
from tinyssl import check


def my_info_nce(said, true, temperature):
    """(N, d) predictions and (N, d) patches to the mean cross-entropy of cosines."""
    return None  # your lines in place of this one


def my_triplet(first, second, patient, margin):
    """(N, d), (N, d) copies and (N,) patients to the mean loss of all triplets."""
    return None  # your lines in place of this one


check.info_nce(my_info_nce)
check.triplet(my_triplet)

# %% [markdown]
# **Change.** (a) Set the temperature of ``light`` to 1: what happens to accuracy and
# deviation? (b) Put 4 patients into a batch: what is guessing now?
#
# **Make.** Write down the views you would allow for your own images. Rubric, one point
# each: for every view a reason, and a factor that it may cost; three of them shown;
# that cost measured; the untrained network beside it; who the negatives are.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - A view says what does not matter. Only who knows the task can say it.
# - Watch the deviation of unit embeddings beside the loss: collapse looks like success.
# - Ask who the negatives are: the other eye of a patient is not a stranger.
#
# Quiz
# ----
# 1. All embeddings of a batch of 64 images are equal. What are NT-Xent and the
#    deviation?
# 2. A paper mirrors its chest X-rays. What can its features not tell?
# 3. Why is the other eye of a patient a doubtful negative?
#
# <details><summary>Answers</summary>
#
# 1. ln 127 = 4.84, that of guessing, and 0.
# 2. On which side the heart lies.
# 3. It shares camera, pigment and often the grade; to push it away is to say that these
#    do not matter.
#
# </details>
#
# In a clinic
# -----------
# Views cost nothing, but they are a medical statement. Let a doctor read the list.
# These eyes are synthetic, and the trainings short.
#
# Sources
# -------
# - Chen, Kornblith, Norouzi, Hinton 2020, "A simple framework for contrastive learning
#   of visual representations", ICML.
# - Azizi et al. 2021, ICCV: two images of a patient as views.
# - van den Oord, Li, Vinyals 2018; Dosovitskiy et al. 2014: CPC, exemplar.
