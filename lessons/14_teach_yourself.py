# %% [markdown]
"""
Lesson 14. Teach yourself
=========================

- do: write DINO's loss, take its two defences away one by one, watch the entropies
- learn: why a network that teaches itself need not collapse; which number shows it
- need: lessons 04 and 13; entropy is explained
- sources: D (DINO-CXR), Caron et al. 2021
- data: toy.fundus, n 448 (fast 128), 32 px, 1.4 MB
- runtime: fast 14 s, full 22 s
- memory: 600 MB
- files: 1_crops.png, 2_defences.png, 3_entropies.png, 4_collapse.png, results.json
"""

# %% [markdown]
# **The question.** Lesson 13 needed negatives: without them all eyes became one. DINO
# has none. A *student* sees crops of an image and must answer as a *teacher* does, who
# sees other crops of it; and the teacher is nothing but an older student. Why does it
# not collapse?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinyssl.data import toy
from tinyssl.pretext.views import sample_views

SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/14"))
OUT.mkdir(parents=True, exist_ok=True)
eye = toy.fundus(1, size=96, rng=SEED).images[[0] * 6]
crops = sample_views(eye, rng=np.random.default_rng(SEED), area=(0.1, 1))
figure, ax = plt.subplots(figsize=(10, 2.2), layout="constrained")
ax.imshow(np.hstack(crops)).axes.set_axis_off()
figure.suptitle("Six crops of one eye, large and small: one answer for all six")
figure.savefig(OUT / "1_crops.png")

# %% [markdown]
# The loss by hand
# ----------------
# A network answers a crop with K numbers; a softmax with temperature T makes them a
# distribution p over K *outputs*, which mean nothing beforehand. The *entropy*
# H(p) = -Σ p log p says how undecided p is: 0 if it names one output, ln K if all are
# alike. The student's distribution q pays the cross-entropy -Σ p log q. The first law:
#
# ``-Σ p log q = H(p) + KL(p, q)``
#
# where KL, the Kullback-Leibler divergence, is 0 if q = p, and never below. So the loss
# can fall in two ways: the student follows the teacher, or the teacher's *entropy*
# falls. Nothing so far asks for different answers to different eyes.


# %%
def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def entropy(p):
    return -(p * np.log(np.maximum(p, 1e-300))).sum(-1)


def cross_entropy(p, q):
    return -(p * np.log(q)).sum(-1)


K, rng = 32, np.random.default_rng(SEED)
x, y = rng.normal(size=(2, 500, K))
p, q = softmax(x), softmax(y)
kl = (p * np.log(p / q)).sum(-1)
assert np.allclose(cross_entropy(p, q), entropy(p) + kl)
assert (kl > 0).all()
assert np.allclose(entropy(np.full(K, 1 / K)), np.log(K))
assert np.allclose(entropy(np.eye(K)), 0)

# %% [markdown]
# Two defences
# ------------
# *Centring* subtracts from the teacher's numbers their mean over many images, so no
# output can be the favourite of all. The law: what is common to all images has no
# effect. *Sharpening* gives the teacher a lower temperature, .04, than the student, .1,
# so it is always more decided. The law: entropy grows with the temperature, from 0 to
# ln K.
#
# The teacher follows the student slowly: teacher = m teacher + (1 - m) student, after
# each step and for each weight. The law: it is a mean of all students so far, in which
# one that is n steps old weighs m^n (1 - m).
#
# **Before you run.** Each defence alone: towards which end does it push the entropy?


# %%
def taught(x, centre, temperature):
    return softmax((x - centre) / temperature)


assert np.allclose(taught(x + y[0], (x + y[0]).mean(0), 1), taught(x, x.mean(0), 1))
grown = [entropy(taught(x, 0, t)).mean() for t in (0.01, 0.04, 0.1, 1, 100)]
assert (np.diff(grown) > 0).all()
assert grown[0] < 0.1
assert np.isclose(grown[-1], np.log(K), atol=1e-3)
students, m = rng.normal(size=(50, 3)), 0.9
teacher = students[0]
for student in students[1:]:
    teacher = m * teacher + (1 - m) * student
ages = np.arange(50)[::-1]
shares = np.where(ages == 49, 1, 1 - m) * m**ages
assert np.allclose(teacher, shares @ students)
assert np.isclose(shares.sum(), 1)
cosines = 0.1 * x + 0.5 * (np.arange(K) == 7)  # every image likes output 7
cases = {
    "neither": taught(cosines, 0, 0.1),
    "centring": taught(cosines, cosines.mean(0), 0.1),
    "sharpening": taught(cosines, 0, 0.04),
    "both": taught(cosines, cosines.mean(0), 0.04),
}
figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), sharey=True, layout="constrained")
for ax, (name, p) in zip(axes, cases.items(), strict=True):
    ax.bar(range(K), p[0], color="C0", label="one image")
    ax.step(range(K), p.mean(0), color="C1", where="mid", label="mean of 500")
    ax.set(title=f"{name}: entropy {entropy(p).mean():.2f}", xlabel="output")
axes[0].set_ylabel("probability")
axes[0].legend(frameon=False)
figure.suptitle(f"Only both: decided, and not all on one output (ln {K} = 3.47)")
figure.savefig(OUT / "2_defences.png")

# %% [markdown]
# **You predicted** two pushes. Here every image likes output 7. Sharpening pushes down:
# all say 7, and firmly. Centring pushes up: no output is preferred. They hold each
# other.
#
# Broken on purpose: without the defences
# ---------------------------------------
# We train four times on the same crops: with both defences, without one, without both.
# The network is a small DenseNet (lesson 04). The teacher sees two large crops (half of
# the area or more), the student these and four small ones (a third or less).

# %%
import torch

from tinyssl import models, training
from tinyssl.pretext.dino import DINO

torch.set_num_threads(1)
FAST = os.environ.get("TINYSSL_FAST") == "1"
STEPS, counts = (20, (64, 64)) if FAST else (100, (320, 128))
seen, unseen = (toy.fundus(n, size=32, rng=[SEED, n]).images for n in counts)
KINDS = {
    "both": {},
    "no centring": {"centring": False},
    "no sharpening": {"sharpening": False},
    "neither": {"centring": False, "sharpening": False},
}
batches = {}  # of all four, drawn once


class SameCrops(DINO):
    def make_batch(self, images, rng):
        key = images.tobytes()[:4096], rng.integers(2**60)
        if key not in batches:
            batches[key] = super().make_batch(images, rng)
        return batches[key]


def build(**options):
    torch.manual_seed(SEED)
    shape = {"growth_rate": 8, "block_layers": (1, 2), "stem_channels": 12}
    encoder = models.DenseNet(**shape, bottleneck=2)
    return SameCrops(encoder, outputs=K, momentum=0.98, **options)


@torch.no_grad()
def answers(task, images):
    """Return the teacher's distributions of images."""
    x = task.outputs(training.to_tensor(images), *task.teacher)
    return ((x - task.centre) * task.sharpness).softmax(1).numpy()


# %% [markdown]
# By hand and by the library
# --------------------------
# Each of the teacher's two distributions is compared with the student's five of the
# other crops: ten cross-entropies.

# %%
from time import perf_counter

task = build().eval()
(large, small), _ = training.to_tensor(task.make_batch(seen[:16], rng))
start = perf_counter()
with torch.no_grad():
    taught_by = [taught(task.outputs(x, *task.teacher).numpy(), 0, 0.04) for x in large]
    said = [task.outputs(x, *task.student).numpy() for x in (*large, *small)]
    pairs = [(t, s) for t in range(2) for s in range(6) if s != t]
    losses = [cross_entropy(taught_by[t], softmax(said[s] / 0.1)) for t, s in pairs]
    middle = perf_counter()
    theirs, logged = task((large, small), ())
assert np.isclose(np.mean(losses), theirs, rtol=1e-3)
assert np.isclose(logged["entropy"] + logged["kl"], theirs, rtol=1e-3)
print(f"by hand {middle - start:.4f} s, library {perf_counter() - middle:.4f} s")

# %% [markdown]
# **Before you run.** Which of the four trainings ends with the lowest loss, and which
# with the highest? Draw the four curves of the teacher's entropy.

# %%
tasks, logs, results = {}, {}, {}
for name, options in KINDS.items():
    tasks[name], key = build(**options), name.replace(" ", "_")
    how = {"steps": STEPS, "batch_size": 16, "lr": 3e-3, "seed": SEED}
    log = training.train(tasks[name], (seen,), **how)
    logs[name] = {k: np.array([row[k] for row in log]) for k in log[0]}
    results |= {f"{k}_{key}": logs[name][k][-10:].mean() for k in ("loss", "entropy")}
    print(f"{name}: loss {results[f'loss_{key}']:.2f}", flush=True)
marks = {
    "both": "C0-",
    "no centring": "C1--",
    "no sharpening": "C2-.",
    "neither": "C3:",
}
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, mark in marks.items():
    ax.plot(logs[name]["entropy"], mark, linewidth=2, label=name)
ax.axhline(np.log(K), color="#666666", linewidth=1)
ax.axhline(0, color="#666666", linewidth=1)
ax.text(STEPS, np.log(K), f"ln {K}: all outputs alike", va="bottom", ha="right")
ax.text(STEPS, 0, "0: one output", va="bottom", ha="right")
ax.set(xlabel="step", ylabel="entropy of the teacher", ylim=(-0.2, 4))
figure.legend(frameon=False, ncols=4, loc="outside lower center")
title = (
    "Entropy at the end: both {entropy_both:.2f}, no centring {entropy_no_centring:.2f}"
)
title += ", no sharpening {entropy_no_sharpening:.2f}"
figure.suptitle(title.format(**results))
figure.savefig(OUT / "3_entropies.png")

# %% [markdown]
# **You predicted** losses and curves. **What you should see**, over 10 seeds:
#
# - ``entropy_both``: 1.87 to 2.62
# - ``entropy_no_centring``: 0 to 0.229
# - ``entropy_no_sharpening``: 3.42 to 3.46
# - ``entropy_neither``: 2.37 to 3.15
# - ``loss_both``: 2.3 to 2.89
# - ``loss_no_centring``: 0 to 0.497
#
# (ln 32 = 3.47.) Without centring all eyes get one output, or one of very few, and the
# loss is the lowest of all: on some seeds 0, as good as a loss can be. Without
# sharpening all outputs become alike. Without both, the entropy stays where the
# untrained network had it, and that looks healthy. With both it stays between the ends.
# If you see four equal curves, the options did not arrive.
#
# **Misconception: "the lowest loss has learned most".** Here it is a broken one's.
#
# One number that shows it
# ------------------------
# Low entropy may mean one output for all or one for each; high entropy too can mean
# two things. So compare two entropies on unseen eyes: the mean entropy of the answers,
# and the entropy of the mean answer. If all images get one answer, whatever it is, they
# are equal. Their *gap* says how much an answer tells of its image.


# %%
def found(first, second):
    """Share of images whose other crop is the nearest of 64 by cosine."""
    x, y = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (first, second))
    return ((x @ y.T).argmax(1) == np.arange(len(x))).mean()


figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name, mark in marks.items():
    p, key = answers(tasks[name], unseen), name.replace(" ", "_")
    each, mean = entropy(p).mean(), entropy(p.mean(0))
    results[f"gap_{key}"] = mean - each
    style = {"color": mark[:2], "marker": "osD^"[[*marks].index(name)], "label": name}
    axes[0].plot(each, mean, linestyle="", markersize=9, **style)
    place = results[f"loss_{key}"], results[f"gap_{key}"]
    axes[1].plot(*place, linestyle="", markersize=9, **style)
axes[0].plot([0, np.log(K)], [0, np.log(K)], "k:", label="collapse: all images alike")
axes[0].set(xlabel="entropy of each answer, mean", ylabel="entropy of the mean answer")
axes[1].set(xlabel="loss", ylabel="gap of the two entropies")
axes[0].legend(frameon=False)
said = (
    "A loss of {loss_no_centring:.2f} with a gap of {gap_no_centring:.2f}, and one of "
)
figure.suptitle((said + "{loss_both:.2f} with {gap_both:.2f}").format(**results))
figure.savefig(OUT / "4_collapse.png")
for name, task in (("both", tasks["both"]), ("untrained", build())):
    rng = np.random.default_rng(SEED)
    results[f"found_{name}"] = task.evaluate(unseen, rng)["accuracy"]
rng = np.random.default_rng(SEED)
views = [sample_views(unseen[:64], rng=rng, area=(0.5, 1)) for _ in range(2)]
small = [x.reshape(64, 8, 4, 8, 4, 3).mean((2, 4)).reshape(64, -1) for x in views]
results["found_pixels"] = found(*(x - x.mean(0) for x in small))

# %% [markdown]
# **What you should see**:
#
# - ``gap_both``: 0.518 to 1.06
# - ``gap_no_centring``: 0 to 0.537
# - ``gap_no_sharpening``: 0.0013 to 0.0457
# - ``gap_neither``: 0 to 0.0526
# - ``found_both``: 0.07 to 0.199
# - ``found_untrained``: 0.0663 to 0.207
# - ``found_pixels``: 0.0494 to 0.201
#
# Without sharpening, and without both, the gap is near 0: the one whose entropy looked
# healthy has collapsed. Without centring it is 0 on some seeds; on others two outputs
# are left after 100 steps. If you see a gap below 0, the mean was taken over the wrong
# axis.
#
# **Misconception: "what has not collapsed has learned".** ``found`` seeks the eye that
# another crop shows among 64, by the nearest answer (guessing: 1/64 = .016).
# **Where the method lost:** after 100 steps DINO finds hardly more eyes, on average,
# than the untrained network or 64 shrunken pixels, and on some seeds fewer. What has
# not collapsed may still have learned little.
#
# Your turn
# ---------
# **Check.** Fill in two functions.
#
# 1. ``my_teacher``: the teacher's weights after students (T, d), the first of which it
#    begins with.
# 2. ``my_two_entropies`` of distributions (N, K): the mean entropy of the rows, and the
#    entropy of the mean row. An output of probability 0 adds nothing.

# %%
from tinyssl import check


def my_teacher(students, momentum):
    """(T, d) weights of the student, step after step, to the teacher's (d,)."""
    return None  # your lines in place of this one


def my_two_entropies(p):
    """(N, K) distributions to two numbers, in natural logarithms."""
    return None  # your lines in place of this one


check.teacher(my_teacher)
check.two_entropies(my_two_entropies)

# %% [markdown]
# **Change.** (a) Let the teacher be the student: ``momentum=0``. Does it collapse? (b)
# Train for 20 steps only: which of the four are already lost?
#
# **Make.** Train DINO on your own images. Rubric, one point each: both entropies in
# every log; one defence removed; an untrained network beside it; pixels beside it; a
# patient on one side only.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - The loss is an entropy plus a divergence: it can fall for the wrong reason.
# - Centring and sharpening push to opposite ends, where each alone collapses.
# - Log two entropies. Their gap is what the answers tell.
#
# Quiz
# ----
# 1. A run of DINO has a loss of .001. What do you ask for?
# 2. The entropy is ln K. Which defence failed?
# 3. The entropy is half of ln K. Is all well?
#
# <details><summary>Answers</summary>
#
# 1. The entropy of the mean answer: if it is 0 too, all images have one answer.
# 2. Sharpening: the teacher is no more decided than the student.
# 3. It cannot be told: without both defences all eyes share one such answer.
#
# </details>
#
# In a clinic
# -----------
# A collapsed encoder still gives features, and a classifier trained on them gives
# answers. Ask whoever sells one for its entropies, and for an untrained network beside
# it. DINO-CXR reports an accuracy of 76.47 ± 3.53, a rival 76.18: no difference. These
# eyes are synthetic, and the trainings short.
#
# Sources
# -------
# - Caron et al. 2021, "Emerging properties in self-supervised vision transformers",
#   ICCV, with a study of collapse.
# - Tarvainen, Valpola 2017, "Mean teachers are better role models", NeurIPS.
