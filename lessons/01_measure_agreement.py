# %% [markdown]
"""
Lesson 1. Agreement beyond chance
=================================

- do: derive the confusion matrix and quadratic weighted kappa by hand, then break them
- learn: why accuracy is not agreement, and four ways in which a kappa goes wrong
- need: NumPy; lesson 00
- sources: system B (rotation pretraining, 2022), Cohen 1960 and 1968
- data: toy.fundus, n 400, 16 px, 307 kB; only the grades are used
- runtime: fast 4 s, full 6 s
- memory: 250 MB
- files: 1_grades.png, 2_tables.png, 3_broken.png, 4_folds.png, results.json
"""

# %% [markdown]
# An ophthalmologist grades an eye from 0 (no retinopathy) to 4 (proliferative). A
# program grades the same eye. How well do they agree? Half of all eyes are healthy, and
# a 4 called 0 may cost sight while a 1 called 0 costs little. A score must know both.
#
# **Before you run.** A grader says "0" to every eye. Write down its accuracy, and what
# score you think it deserves.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/01"))
OUT.mkdir(parents=True, exist_ok=True)
truth = toy.fundus(400, size=16, rng=SEED).grades
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.bar(np.arange(5), np.bincount(truth, minlength=5), color="#0072B2")
ax.set(xlabel="grade", ylabel="eyes", title=f"{np.mean(truth == 0):.0%} have grade 0")
figure.savefig(OUT / "1_grades.png")

# %% [markdown]
# Three graders
# -------------
#
# Besides that majority grader, let two people grade, both wrong on the same third of
# the eyes. The *careful* one is then off by one grade. The *hasty* one gives any other
# grade.

# %%
rng = np.random.default_rng(SEED)
slips = rng.random(len(truth)) < 0.35
step = rng.choice([-1, 1], len(truth))
inside = (truth + step >= 0) & (truth + step <= 4)
careful = truth + slips * np.where(inside, step, -step)
hasty = (truth + slips * rng.integers(1, 5, len(truth))) % 5
graders = {"majority": np.zeros_like(truth), "careful": careful, "hasty": hasty}
results = {}
for name, grades in graders.items():
    results[f"accuracy_{name}"] = round(float(np.mean(grades == truth)), 3)
    print(f"accuracy of the {name} grader: {results[f'accuracy_{name}']:.3f}")

# %% [markdown]
# **You predicted** an accuracy for not looking. **What you should see**, over 10 seeds:
#
# - ``accuracy_majority``: 0.453 to 0.542
# - ``accuracy_careful``: 0.627 to 0.698
# - ``accuracy_hasty``: 0.627 to 0.698
#
# The last two are equal: accuracy cannot tell a slip from a blunder. If you see an
# accuracy of the majority below .4, then these are not the eyes of this lesson.
#
# Count by hand
# -------------
#
# The confusion matrix keeps everything about two graders except the order of the eyes.
# Row: the truth. Column: the answer. First with a loop, then in one line of NumPy.

# %%
table = [[0] * 5 for _ in range(5)]
for i, j in zip(truth, careful, strict=True):
    table[i][j] += 1


def confusion_matrix(y_true, y_pred, num_classes):
    """Count how often each true class was given each predicted class."""
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(table, (y_true, y_pred), 1)
    return table


assert np.array_equal(table, confusion_matrix(truth, careful, 5))
figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for ax, name in zip(axes, ("careful", "hasty"), strict=True):
    counts = confusion_matrix(truth, graders[name], 5)
    ax.imshow(np.sqrt(counts), cmap="Blues")
    for (i, j), count in np.ndenumerate(counts):
        ax.text(j, i, count, ha="center", va="center", color="w" if count > 60 else "k")
    ax.set(xlabel=f"grade given by the {name} grader", ylabel="true grade", title=name)
figure.suptitle(
    "As many right, but the hasty grader's errors lie far from the diagonal"
)
figure.savefig(OUT / "2_tables.png")

# %% [markdown]
# Weigh, and compare with chance
# ------------------------------
#
# Weigh each cell with w = (i - j)²/(K - 1)²: 0 on the diagonal, 1 in the far corners.
# The *observed* disagreement is the weighted sum of the table. The *expected* one is
# that of a table with the same margins (sums of rows and of columns), but with the two
# graders independent: what they would get on average if the answers were dealt to the
# eyes at random. Then
#
# κ = 1 - observed / expected
#
# is 1 for perfect agreement, 0 for chance, negative below it.
#
# **Before you run.** Which grader comes out higher? What does the majority grader get?


# %%
def kappa_of_table(table):
    """Kappa as it stands in the papers."""
    K = len(table)
    i, j = np.indices((K, K))
    weights = (i - j) ** 2 / (K - 1) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return 1 - (weights * table).sum() / (weights * chance).sum()


for name, grades in graders.items():
    kappa = kappa_of_table(confusion_matrix(truth, grades, 5))
    results[f"kappa_{name}"] = round(float(kappa), 3)
    print(f"kappa of the {name} grader: {results[f'kappa_{name}']:.3f}")

# %% [markdown]
# **You predicted** an order. **What you should see**:
#
# - ``kappa_majority``: 0 to 0
# - ``kappa_careful``: 0.866 to 0.902
# - ``kappa_hasty``: 0.422 to 0.592
#
# If you see .9975 for the majority instead, then the product of the margins was not
# divided by the number of eyes.
#
# A shorter form
# --------------
#
# Observed is the mean of (a - b)² over the pairs as they stand, expected the mean over
# *every* grade of one beside *every* grade of the other. The (K - 1)² stands above and
# below, and cancels.


# %%
def quadratic_weighted_kappa(y_true, y_pred):
    """One minus the squared disagreement observed over that of all pairs."""
    # disagreement observed, and expected from all pairs (a_i, b_j)
    observed = np.mean((y_true - y_pred) ** 2.0)
    expected = np.mean((y_true[:, None] - y_pred[None, :]) ** 2.0)
    return 1 - observed / expected


kappa = quadratic_weighted_kappa(truth, hasty)
assert np.isclose(kappa, kappa_of_table(confusion_matrix(truth, hasty, 5)))
assert np.isclose(kappa, quadratic_weighted_kappa(hasty, truth))
assert np.isclose(kappa, quadratic_weighted_kappa(4 - truth, 4 - hasty))
assert np.isclose(kappa, quadratic_weighted_kappa(10 * truth + 3, 10 * hasty + 3))

# %% [markdown]
# Three laws held: swapping the graders, counting from the other end, and another unit
# change nothing. Now the library's function: equal, and timed beside ours.

# %%
from time import perf_counter

from tinyssl import metrics

assert np.isclose(kappa, metrics.quadratic_weighted_kappa(truth, hasty))
for function in (quadratic_weighted_kappa, metrics.quadratic_weighted_kappa):
    start = perf_counter()
    for _ in range(20):
        function(truth, hasty)
    print(f"{function.__module__}: {50 * (perf_counter() - start):.3f} ms a call")

# %% [markdown]
# Broken on purpose: the list of grades is left to the data
# ---------------------------------------------------------
#
# Many programs number the grades that occur: where nobody has a 3, a 4 becomes the
# fourth grade and moves next to 2. Here are folds of 12 eyes, with the hasty grader.


# %%
def by_position(y_true, y_pred):
    """The kappa of positions among the grades present: wrong."""
    _, positions = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    return quadratic_weighted_kappa(*np.split(positions, 2))


y_true, y_pred = np.array([0, 1, 4, 4]), np.array([0, 4, 4, 1])
print("by value   ", round(quadratic_weighted_kappa(y_true, y_pred), 3))
print("by position", round(by_position(y_true, y_pred), 3))
folds = [rng.choice(len(truth), 12, replace=False) for _ in range(100 if FAST else 400)]
right = np.array([quadratic_weighted_kappa(truth[f], hasty[f]) for f in folds])
wrong = np.array([by_position(truth[f], hasty[f]) for f in folds])
results["folds_changed"] = round(float(np.mean(~np.isclose(right, wrong))), 3)
results["largest_change"] = round(float(np.abs(right - wrong).max()), 3)
figure, ax = plt.subplots(figsize=(5, 5), layout="constrained")
ax.plot([-1, 1], [-1, 1], color="#999999", linewidth=1)
ax.plot(right, wrong, "o", color="#D55E00", alpha=0.4, markersize=4)
ax.set(xlabel="kappa of the values (right)", ylabel="kappa of the positions (wrong)")
ax.set_title(f"A missing grade moves kappa by up to {results['largest_change']:.2f}")
least = np.nanmin([right, wrong]) - 0.05
ax.set(xlim=(least, 1.05), ylim=(least, 1.05))
figure.savefig(OUT / "3_broken.png")

# %% [markdown]
# **What you should see**: points off the line.
#
# - ``folds_changed``: 0.185 to 0.338
# - ``largest_change``: 0.171 to 0.244
#
# If you see all points on the line instead, then every fold has all five grades: make
# the folds smaller. The four-eye case gives .294 by value and .636 by position.
#
# Misconceptions, refuted by computing
# ------------------------------------
#
# **Misconception: "leave out what could not be graded".** A grader that stays silent
# whenever it is wrong looks perfect once the silent rows are dropped.
#
# **Misconception: "two graders who both say 0 to all agree perfectly".** They do no
# better than chance would: 0/0. The library returns ``undefined=``, nan unless told
# otherwise.

# %%
half = rng.permutation(len(truth)) < len(truth) // 2
silent = np.where(half, (truth + 2) % 5, truth)
results["kappa_half_wrong"] = round(metrics.quadratic_weighted_kappa(truth, silent), 3)
kept = silent == truth
results["kappa_of_kept"] = metrics.quadratic_weighted_kappa(truth[kept], silent[kept])
print(
    f"all: {results['kappa_half_wrong']}, {kept.mean():.0%}: {results['kappa_of_kept']}"
)
print("one grade only:", metrics.quadratic_weighted_kappa([0, 0, 0], [0, 0, 0]))

# %% [markdown]
# **What you should see**:
#
# - ``kappa_half_wrong``: 0.371 to 0.44
# - ``kappa_of_kept``: 1 to 1
#
# If you see nan for the kept rows, then all of them have one grade. Whoever reports a
# kappa must say how many rows it rests on.
#
# How sure is a kappa?
# --------------------
#
# System B reports minimum, average and maximum of five folds: .1751, .2944 and .4670
# with 5 % of the labels. How wide is such a range when *nothing* but the eyes changes?
# And with how many eyes can two graders be told apart? A thousand folds are drawn for
# each size, with replacement, and the first hundred shown; the differences are
# *paired*, for both graders see the same eyes.

# %%
repeats = 200 if FAST else 1000
score = metrics.quadratic_weighted_kappa
sizes = (20, 50, 100, 400)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for place, n in enumerate(sizes):
    folds = rng.integers(0, len(truth), (repeats, n))
    both = np.array([[score(truth[f], g[f]) for g in (careful, hasty)] for f in folds])
    difference = both[:, 0] - both[:, 1]
    low, high = np.quantile(difference, [0.025, 0.975])
    results[f"spread_{n}"] = round(
        float(np.ptp(np.quantile(both[:, 1], [0.025, 0.975]))), 3
    )
    results[f"difference_{n}_low"] = round(float(low), 3)
    jitter = place + rng.uniform(-0.25, 0.25, (100, 1))
    axes[0].plot(jitter, both[:100, :1], "o", color="#0072B2", alpha=0.4, markersize=3)
    axes[0].plot(jitter, both[:100, 1:], "^", color="#D55E00", alpha=0.4, markersize=3)
    axes[1].plot(
        jitter, difference[:100], "o", color="#666666", alpha=0.4, markersize=3
    )
    axes[1].plot([place, place], [low, high], color="k", linewidth=3)
axes[0].set(ylabel="kappa", title="careful (blue dots), hasty (orange triangles)")
axes[1].set(ylabel="kappa, careful - hasty", title="differences, 95 % in black")
axes[1].axhline(0, color="#999999", linewidth=1)
for ax in axes:
    ax.set(xlabel="eyes in the fold", xticks=range(4), xticklabels=sizes)
spans = f"{results['spread_20']:.2f} on 20 eyes, {results['spread_400']:.2f} on 400"
figure.suptitle(f"Folds scatter: 95 % of the hasty grader's kappas span {spans}")
figure.savefig(OUT / "4_folds.png")

# %% [markdown]
# **What you should see** (the width of 95 % of the hasty grader's folds, and the lower
# end of the difference):
#
# - ``spread_20``: 0.707 to 0.86
# - ``spread_400``: 0.173 to 0.194
# - ``difference_20_low``: 0.037 to 0.094
# - ``difference_400_low``: 0.241 to 0.363
#
# If you see narrower ranges with 20 eyes than with 400, then the folds are not drawn
# anew. Where kappa lost: no score makes 20 eyes enough; it took the pairing, and two
# graders as unlike as these. System B's table lacks a second row on the *same* folds.
#
# Your turn
# ---------
#
# **Check.** Fill in the three functions and run the cell again, or put them into a file
# ``answers.py`` and type ``tinyssl check 01 answers.py``. Grades come as integer
# arrays, 0 to 4.

# %%
from tinyssl import check


def my_confusion_matrix(y_true, y_pred, num_classes):
    """Count with a loop: rows are the truth; grades are int64 arrays."""
    return None  # your lines in place of this one


def my_weights(num_classes):
    """Return the (K, K) table of weights, 0 to 1."""
    return None  # your lines in place of this one


def my_qwk(y_true, y_pred):
    """Return kappa of two int64 arrays; nan where it is undefined."""
    return None  # your lines in place of this one


check.confusion_matrix(my_confusion_matrix)
check.weights(my_weights)
check.qwk(my_qwk)

# %% [markdown]
# **Change.** (a) Use abs(i - j)/(K - 1) as weights. Which grader loses by it, and why?
# (b) Let the careful grader slip on 60 % of the eyes: is kappa still above the hasty
# one's, and what has become of accuracy?
#
# **Make.** Write half a page on a table of kappas from a paper of your choice. Rubric:
# names n and the grades in each fold (1), says whether the class list was fixed (1),
# how ungraded images were counted (1), whether differences are paired (1), and what
# would have to be shown for the claim to hold (2).

# %%
import json

(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
#
# - Accuracy rewards guessing the commonest grade. Kappa gives it exactly 0.
# - Distance belongs to the values of the grades, never to their position in a list.
# - A kappa without n, its undefined folds and a paired rival says little.
#
# Quiz
# ----
#
# 1. All predictions move up by one grade. Does kappa change? If the truth moves too?
# 2. A fold holds eyes of grade 2 only, and the program says 2, 2, 3. What is kappa?
# 3. Two programs have kappa .70 and .72 on 50 eyes each. Which one is better?
#
# <details><summary>Answers</summary>
#
# 1. Yes: each difference grows by one, for the worse, unless the predictions were too
#    low before. If the truth moves too, nothing changes.
# 2. Exactly 0: one constant grader agrees as much as chance would.
# 3. Nobody can tell, least of all from different eyes: see the spread at 50.
#
# </details>
#
# In a clinic
# -----------
#
# A kappa of .7 hides which errors remain. Take 10,000 screened eyes, of which 8 % have
# grade 4: if 1 % of those are called 0, eight eyes go without the treatment that saves
# them; eight eyes of grade 0 called 1 mean eight letters. Quadratic weights price one
# of the first as sixteen of the second.
#
# Sources
# -------
#
# - Cohen 1960, "A coefficient of agreement for nominal scales", Educational and
#   Psychological Measurement 20(1):37-46.
# - Cohen 1968, "Weighted kappa", Psychological Bulletin 70(4):213-220.
# - System B: rotation pretraining for diabetic retinopathy, thesis and paper, 2022.
