# %% [markdown]
"""
Lesson 18. Five hospitals
=========================

- do: train one network for five hospitals, and move no image
- learn: shift between cameras; federated averaging; what an average can break
- need: lessons 05 and 10
- sources: D (survey: federated learning, robustness); McMahan et al. 2017
- data: toy.fundus, n 800 (fast 200), 32 px, 2.5 MB
- runtime: fast 9 s, full 25 s
- memory: 650 MB
- files: 1_hospitals.png, 2_cameras.png, 3_broken.png, results.json
"""

# %% [markdown]
# **The question.** Five hospitals want one network for "refer or not?" (grade 2 or
# more). Each has its own camera, few eyes, and patients whose images may not leave the
# house. Weights may travel. Is averaging weights enough?
#
# **Before you run.** Each hospital trains alone. Where does its network fail: at home
# on new patients, or at the other four?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/18"))
OUT.mkdir(parents=True, exist_ok=True)
eyes, names = toy.fundus(200 if FAST else 800, size=32, rng=SEED), "ABCDE"
figure, axes = plt.subplots(1, 5, figsize=(8, 2.4), layout="constrained")
for camera, ax in enumerate(axes):
    ax.imshow(eyes.images[eyes.camera == camera][0]).axes.set_title(names[camera])
figure.suptitle("Five hospitals, five cameras: other colours, another window")
figure.savefig(OUT / "1_hospitals.png")

# %% [markdown]
# Patients stay whole, and at home
# --------------------------------
# Lesions are painted stronger, as in lesson 05. Every second patient of a hospital is
# held out with both eyes.
#
# **Misconception: "two eyes are two cases".** We count how often the fellow eye has the
# same answer, and how often a stranger's eye of the same hospital has it. A split by
# eyes would put the fellow into the training part.

# %%
dark, bright = (
    np.any([eyes.lesions[kind] for kind in kinds], axis=0)[..., None]
    for kinds in (("MA", "HE", "NV", "PH"), ("EX", "SE"))
)
images = np.where(dark, eyes.images * [0.75, 0.5, 0.5], eyes.images)
images = np.where(bright, 0.5 * images + [127, 120, 70], images).astype(np.uint8)
refer, person = 1 * (eyes.grades >= 2), np.arange(len(eyes)) // 2
home = [np.flatnonzero(eyes.camera == camera) for camera in range(5)]
known = [some[person[some] % 2 == 0] for some in home]
held = [some[person[some] % 2 == 1] for some in home]
for some, others in zip(known, held, strict=True):
    assert not set(eyes.patient[some]) & set(eyes.patient[others])
results = {"fellow_agrees": np.mean(refer[::2] == refer[1::2])}
same = [refer[some[:-2:2]] == refer[some[2::2]] for some in home]  # next right eye
results["stranger_agrees"] = np.concatenate(same).mean()
counts = np.array([len(some) for some in known])
print("eyes to learn from:", dict(zip(names, counts.tolist(), strict=True)), results)

# %% [markdown]
# **What you should see**, over ten seeds:
#
# - ``fellow_agrees``: 0.734 to 0.834
# - ``stranger_agrees``: 0.455 to 0.547
#
# If you see both alike, eyes were shuffled.
#
# What an average keeps
# ---------------------
# *Federated averaging* (McMahan et al. 2017): every hospital trains a copy of the
# network for some steps; the copies' weights are averaged, each by its number of eyes;
# the average is the next round's network.
#
# Two laws, by hand. (1) After *one* step of gradient descent the average is what one
# step on all eyes together gives: the gradient of a mean is the mean of gradients. For
# more steps nothing of the kind holds. (2) *Batch normalisation* (each channel minus
# its mean, divided by its deviation) keeps running means and variances. The variance of
# all is the mean of the variances **plus the variance of the means**. An average of the
# first forgets the second, which is what cameras differ by.


# %%
def gradient(w, x, y):
    """Of the mean loss of a logistic regression."""
    return x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(y)


rows = [images[some].mean((1, 2)) / 255 for some in known]  # mean colours, (n, 3)
answers, shares = [refer[some] for some in known], counts / counts.sum()
w, everyone = np.array([0.1, -0.2, 0.3]), np.concatenate(known)
moved = [w - 0.5 * gradient(w, x, y) for x, y in zip(rows, answers, strict=True)]
x, y = np.concatenate(rows), refer[everyone]
assert np.allclose(np.average(moved, 0, shares), w - 0.5 * gradient(w, x, y))  # (1)
within = np.average([x.var(0) for x in rows], 0, shares)
between = np.average([(part.mean(0) - x.mean(0)) ** 2 for part in rows], 0, shares)
assert np.allclose(within + between, x.var(0))  # (2)
results["blue_between"] = (between / x.var(0))[2]

# %% [markdown]
# **What you should see**: the share of blue's variance that lies between hospitals.
#
# - ``blue_between``: 0.454 to 0.597
#
# If you see 0, all hospitals have one camera.
#
# Twenty lines
# ------------
# Only the weights leave a hospital. By hand, then with the library's function; the two
# agree.

# %%
import copy

import torch
from torch import nn

from tinyssl import metrics
from tinyssl.federated import federated_average
from tinyssl.targets import baselines, classification
from tinyssl.training import train

torch.set_num_threads(1)
ROUNDS, STEPS = (2, 2) if FAST else (6, 12)
HOW = {"batch_size": 16, "lr": 1e-2}


class Encoder(nn.Module):
    num_features, config = 32, {"in_channels": 3}

    def __init__(self):
        super().__init__()
        layers = []
        for c_in, c_out in ((3, 12), (12, 24), (24, 32)):
            conv = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, bias=False)
            nn.init.kaiming_normal_(conv.weight)
            layers += [conv, nn.BatchNorm2d(c_out), nn.ReLU()]
        self.features = nn.Sequential(*layers)


def new_task(state=None):
    torch.manual_seed(SEED)
    task = classification.Classification(Encoder(), num_grades=2, augment=False)
    task.load_state_dict(state or task.state_dict())
    return task.eval()


def data(some):
    return images[some], refer[some]


# %%
def average(states, shares):
    """Average networks, each by its share of the eyes."""
    pairs = list(zip(shares, states, strict=True))
    return {k: sum(share * state[k] for share, state in pairs) for k in states[0]}


def federate(task, rounds, steps):
    """Return the network after the last round, and the last copies."""
    for number in range(rounds):
        copies = [copy.deepcopy(task) for _ in known]
        for one, some in zip(copies, known, strict=True):
            train(one, data(some), steps=steps, seed=number, **HOW)  # in the hospital
        states = [one.state_dict() for one in copies]  # all that travels
        task = new_task(average(states, shares))
    return task, copies


by_hand, theirs = federate(new_task(), 1, 2)[0], new_task()
federated_average(theirs, [data(some) for some in known], rounds=1, steps=2, **HOW)
pairs = zip(by_hand.parameters(), theirs.parameters(), strict=True)
assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)

# %% [markdown]
# Alone, federated, pooled
# ------------------------
# Alone: 72 steps in each hospital. Federated: the same 72, averaged after each dozen.
# Pooled: all images in one place, which is forbidden, and as many steps as all
# hospitals together, 360. Hospital A also gets 360 steps alone, for a
# rival may not be trained too short. *Intensities*: nine numbers (mean, deviation, a
# high value of each colour) of all images and a logistic regression, no network. The
# score is the AUC on held-out patients.


# %%
def auc(task, some):
    said = task.predict(images[some], views=1)[1][:, 1]
    return metrics.roc_auc(refer[some], said)


def alone(some, steps):
    task = new_task()
    train(task, data(some), steps=steps, seed=SEED, **HOW)
    return task


local = [alone(some, ROUNDS * STEPS) for some in known]
federated, copies = federate(new_task(), ROUNDS, STEPS)
pooled = alone(everyone, 5 * ROUNDS * STEPS)
longer = alone(known[0], 5 * ROUNDS * STEPS)
table = np.array(
    [[auc(one, some) for some in held] for one in [*local, federated, pooled]]
)
own, seen = np.eye(5, dtype=bool), baselines.global_intensities(images)
pair = seen[everyone], refer[everyone]
blind = baselines.logistic_regression(*pair, seen, num_grades=2)[:, 1]
blind = np.mean([metrics.roc_auc(refer[some], blind[some]) for some in held])
results |= {"at_home": table[:5][own].mean(), "away": table[:5][~own].mean()}
results |= {"worst_away": table[:5][~own].min(), "A_longer": auc(longer, held[0])}
results |= {"A_alone": table[0, 0], "A_federated": table[5, 0]}
results |= {"federated": table[5].mean(), "pooled": table[6].mean()}
results |= {"federated_worst": table[5].min(), "intensities": blind}
figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
ax.imshow(table, cmap="Blues", vmin=0.4, vmax=1.1)
for (i, j), value in np.ndenumerate(table):
    shade = "w" if value > 0.8 else "k"
    ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=shade)
ax.set_xticks(range(5), names)
ax.set_yticks(range(7), [*(f"only {name}" for name in names), "federated", "pooled"])
ax.set(xlabel="tested at hospital", ylabel="trained at")
said = "AUC of “refer?”: alone {at_home:.2f} at home, {away:.2f} away; "
figure.suptitle((said + "federated {federated:.2f}").format(**results))
figure.savefig(OUT / "2_cameras.png")

# %% [markdown]
# **You predicted** where it fails. **What you should see**:
#
# - ``at_home``: 0.862 to 0.965
# - ``away``: 0.798 to 0.937
# - ``worst_away``: 0.502 to 0.871
# - ``A_alone``: 0.898 to 0.965
# - ``A_longer``: 0.828 to 0.979
# - ``A_federated``: 0.667 to 0.989
# - ``federated``: 0.877 to 0.979
# - ``federated_worst``: 0.668 to 0.978
# - ``pooled``: 0.96 to 1
# - ``intensities``: 0.821 to 0.909
#
# (``worst_away``: the worst of the twenty cells off the diagonal.) If you see .5
# everywhere, images and answers are out of step.
#
# A network alone is worse away than at home on every seed, and one pair of hospitals
# can be far worse than the mean shows. Five times the steps at home did not help A.
# Nine numbers reach .87 on average, as much as a network alone does away: the
# painted lesions darken the whole image.
#
# Is averaging enough? Each seed draws new eyes, so ten seeds are ten studies. Federated
# minus alone: away +.07 [+.05, +.09], at home +.01 [−.01, +.03]. One network for all,
# about as good as each hospital's own. **Where the method lost:** pooled images are
# better still, by +.04 [+.02, +.05], and one hospital may get far less than the mean
# (``federated_worst``).
#
# Broken on purpose: what is averaged
# -----------------------------------
# **Misconception: "the mean of two good networks is a good network".** We put the
# channels of the pooled network's first layer in another order. It is the same
# function (asserted). Then we average it with itself.
#
# Beside it: *one* average of the five networks that were trained alone. And the
# federated network's BatchNorm statistics: averaged, each hospital's own, the
# neighbour's, or never moved from their first values (mean 0, variance 1).
#
# **Before you run.** What is the AUC of a network that is averaged with itself? Is one
# average as good as six?


# %%
def shuffled(task):
    """Return the same function with the first layer's channels in another order."""
    mixed, order = copy.deepcopy(task), torch.arange(11, -1, -1)
    conv, norm, _, following = list(mixed.encoder.features)[:4]
    for each in (conv.weight, *norm.parameters(), norm.running_mean, norm.running_var):
        each.data = each.data[order]
    following.weight.data = following.weight.data[:, order]
    return mixed


def with_statistics(task, source):
    """Return a task with the running means and variances of another one."""
    found = {k: v for k, v in source.state_dict().items() if "running" in k}
    return new_task(task.state_dict() | found)


turned = shuffled(pooled)
pair = [task.predict(images[:9])[1] for task in (turned, pooled)]
assert np.allclose(*pair, atol=1e-4)  # the same function

# %%
states = [task.state_dict() for task in (pooled, turned)]
mine = [with_statistics(federated, one) for one in copies]
once = new_task(average([task.state_dict() for task in local], shares))
kinds = {
    "pooled": [pooled] * 5,
    "pooled and itself": [new_task(average(states, (0.5, 0.5)))] * 5,
    "one average": [once] * 5,
    "statistics averaged": [federated] * 5,
    "statistics own": mine,
    "statistics neighbour": mine[1:] + mine[:1],
    "statistics never": [with_statistics(federated, new_task())] * 5,
}
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
for i, (name, tasks) in enumerate(kinds.items()):
    values = [auc(*pair) for pair in zip(tasks, held, strict=True)]
    ax.plot(values, [i] * 5, "o", color="C0", alpha=0.6)
    ax.plot(np.mean(values), i, "k|", markersize=18)
    results[name.replace("statistics ", "").replace(" ", "_")] = np.mean(values)
ax.set_yticks(range(7), [name.replace("stat", "federated, stat") for name in kinds])
ax.invert_yaxis()
ax.axvline(0.5, color="0.6", linestyle=":")
ax.set(xlabel="AUC (points: hospitals; line: mean; dotted: guessing)")
said = "A network averaged with itself: {pooled:.2f} becomes {pooled_and_itself:.2f}"
figure.suptitle(said.format(**results))
figure.savefig(OUT / "3_broken.png")

# %% [markdown]
# **You predicted** what averages do. **What you should see** (``averaged``, ``own``,
# ``neighbour``, ``never``: the statistics):
#
# - ``pooled_and_itself``: 0.628 to 0.985
# - ``one_average``: 0.881 to 0.958
# - ``averaged``: 0.877 to 0.979
# - ``own``: 0.864 to 0.976
# - ``neighbour``: 0.859 to 0.974
# - ``never``: 0.562 to 0.889
#
# If you see ``never`` level with ``averaged``, the statistics were not exchanged.
#
# The network averaged with itself is worse than it was, on every seed: a channel is a
# role, and the mean of two roles is neither. Federated averaging rests on one common
# start in every round: one average at the end, after the same steps, is worse than six,
# by .02 [.00, .04].
#
# Statistics that never moved cost most: −.20 [−.26, −.14]. A neighbour's cost −.01
# [−.01, −.00]. Each hospital's own (FedBN) are *no* gain over averaged ones, −.00
# [−.01, +.00], though ``blue_between`` says that cameras differ.
#
# Your turn
# ---------
# **Check.** Fill in two functions.
#
# 1. ``my_average``: the average network, each hospital by its number of images.
# 2. ``my_joint_variance``: the variance over all images of all hospitals.

# %%
from tinyssl import check


def my_average(weights, counts):
    """(hospitals, P) weights and (hospitals,) counts; return (P,)."""
    return None  # your lines in place of this one


def my_joint_variance(means, variances, counts):
    """(hospitals,) each, of one channel; return the variance of all together."""
    return None  # your lines in place of this one


check.average(my_average)
check.joint_variance(my_joint_variance)

# %% [markdown]
# **Change.** (a) Average after every step, and only after 36: 72 rounds of 1, 2 of 36.
# (b) Use ``my_joint_variance`` for the running variances. What moves?
#
# **Make.** Split your own images by camera or site and make figure 2. Rubric, one point
# each: patients whole; local, federated and pooled with the same steps; the worst
# hospital named; a colour baseline; what left the hospital, in a list.

# %%
import json

results = {name: round(float(value), 3) for name, value in results.items()}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
# - Average often, from one common start: networks trained apart do not add up.
# - Batch statistics belong to a camera; say whose you use.
# - Report the worst hospital, not the mean alone.
#
# Quiz
# ----
# 1. Why may one average at the end fail where many do not?
# 2. Two hospitals have variance 1 and means 0 and 4. What is the variance of both?
# 3. No image has left. Is nothing known of the patients?
#
# <details><summary>Answers</summary>
#
# 1. Trained apart, channels drift to other roles, and the mean of two roles is none.
# 2. 1 + 4 = 5 (equal sizes); the average of the variances says 1.
# 3. Weights can betray training images; averaging alone is no proof of privacy.
#
# </details>
#
# In a clinic
# -----------
# Weights of this network are 40 kB a round, and need no contract on images. They need
# the same labels everywhere, a person who runs the training in each house, and a legal
# answer on what weights betray. These hospitals differ in cameras only; real ones
# differ in patients and in graders.
#
# Sources
# -------
# - McMahan et al. 2017, "Communication-efficient learning of deep networks from
#   decentralized data", AISTATS.
# - Li et al. 2021, "FedBN: federated learning on non-IID features via local batch
#   normalization", ICLR.
# - System D: survey of self-supervision in medical images (outlook).
