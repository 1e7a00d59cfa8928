# %% [markdown]
"""
Lesson 0. See the eye
=====================

- do: look at synthetic eyes, grade them by hand, find what a program could cheat with
- learn: what is known of every eye here, and three ways to fool yourself
- need: Python and NumPy
- sources: A, B and C (all three learn from photographs of the eye)
- data: toy.fundus, n 200 (fast 120), 128 px, 9.8 MB; one eye again at 32 to 256 px
- runtime: fast 5 s, full 8 s
- memory: 310 MB
- files: 1_grades.png, 2_layers.png, 3_sizes.png, 4_broken.png, 5_colour.png,
  results.json
"""

# %% [markdown]
# A fundus photograph shows the back of the eye. Diabetes damages its smallest vessels:
# first they bulge (microaneurysms), then they leak (haemorrhages, exudates), at last
# new and fragile ones grow. The stages have grades, from 0 (no retinopathy) to 4
# (proliferative). The images of this course are made by a program, so that we
# know what a clinic never does: every factor they were made from.
#
# **Before you run.** In an ill eye, how large a part of the round field of view is
# covered by lesions? Half, a tenth, a hundredth?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/00"))
OUT.mkdir(parents=True, exist_ok=True)
eyes = toy.fundus(120 if FAST else 200, size=128, rng=SEED)
figure, axes = plt.subplots(1, 5, figsize=(10, 2.4), layout="constrained")
for grade, ax in enumerate(axes):
    ax.imshow(eyes.images[eyes.grades.tolist().index(grade)])
    ax.set(title=f"grade {grade}", xticks=[], yticks=[])
figure.suptitle("One eye of each grade: the neighbours look alike")
figure.savefig(OUT / "1_grades.png")

# %% [markdown]
# What is in an eye
# -----------------
#
# The bright round *disc* is where the nerve leaves and the vessels enter. The dark
# *fovea* is where we see sharply. In a right eye the disc lies right of the fovea, in a
# left eye left of it.
#
# The eye of grade 0 has spots too. Pigment, dust, reflexes
# and drusen (yellow deposits) look like lesions and occur at every grade. The lesions
# are of six kinds: microaneurysms (MA, small and dark), haemorrhages (HE, larger and
# dark), hard exudates (EX, yellow), soft ones (SE, pale), tufts of new vessels (NV) and
# blood before the retina (PH).
#
# Here is one ill eye in layers.

# %%
import numpy as np

ill = int(np.argmax(sum(eyes.lesion_counts.values()) * (eyes.grades == 3)))
every_lesion = np.any(list(eyes.lesions.values()), axis=0)
figure, axes = plt.subplots(1, 4, figsize=(10, 3), layout="constrained")
axes[0].imshow(eyes.images[ill])
axes[1].imshow(eyes.vessels[ill], cmap="gray_r")
axes[2].imshow(every_lesion[ill], cmap="gray_r")
axes[3].imshow(eyes.images[ill])
for name, (y, x), mark in (
    ("disc", eyes.disc[ill], "c+"),
    ("fovea", eyes.fovea[ill], "wx"),
):
    axes[3].plot(x, y, mark, markersize=14, markeredgewidth=2, label=name)
axes[3].legend(loc="lower right", fontsize=8)
for ax, name in zip(axes, ("photograph", "vessels", "lesions", "points"), strict=True):
    ax.set(title=name, xticks=[], yticks=[])
counted = [f"{n[ill]} {kind}" for kind, n in eyes.lesion_counts.items() if n[ill]]
figure.suptitle(f"Every layer is known: {', '.join(counted)}")
figure.savefig(OUT / "2_layers.png")
print(eyes.report[ill])

inside = eyes.field_of_view & (eyes.grades > 0)[:, None, None]
results = {"lesion_share": round(float(every_lesion[inside].mean()), 4)}
results["lesion_share_grade_1"] = round(
    float(every_lesion[eyes.grades == 1][eyes.field_of_view[eyes.grades == 1]].mean()),
    5,
)
print(results)

# %% [markdown]
# **You predicted** a share of the field of view. **What you should see**, over 10
# seeds, of all ill eyes and of those of grade 1:
#
# - ``lesion_share``: 0.0277 to 0.0312
# - ``lesion_share_grade_1``: 0.00373 to 0.00472
#
# If you see a share above .2 instead, then the mask holds the vessels too.
#
# **Misconception: "right in 99 % of the pixels means that the lesions were found".** A
# program that marks nothing at all is right in all other pixels. That is the baseline
# to print beside every pixel accuracy.
#
# The grade is a rule
# -------------------
#
# Here the grade follows from the number of lesions of each kind, after the clinical
# scale: the most severe finding decides.

# %%
from time import perf_counter


def grade_by_hand(counts):
    """Ask for the most severe finding first."""
    if counts["NV"] or counts["PH"]:  # new vessels, or blood before the retina
        return 4
    if counts["HE"] >= 10:
        return 3
    return 2 if counts["HE"] or counts["EX"] or counts["SE"] else int(counts["MA"] > 0)


kinds = eyes.lesion_counts
every_count = [{kind: int(kinds[kind][i]) for kind in kinds} for i in range(len(eyes))]
for function in (grade_by_hand, toy.grade_from_counts):
    start = perf_counter()
    assert [function(counts) for counts in every_count] == eyes.grades.tolist()
    seconds = perf_counter() - start
    print(f"{function.__name__}: all equal, {1e6 * seconds / len(eyes):.2f} us an eye")
for counts in every_count:
    for kind in kinds:
        assert grade_by_hand(counts | {kind: counts[kind] + 1}) >= grade_by_hand(counts)

# %% [markdown]
# All grades agree, and a law held: one lesion more never lowers a grade. *One*
# microaneurysm of a few pixels is the whole difference between 0 and 1.
#
# What a smaller image loses
# --------------------------
#
# One seed shows the same eye at every size. What is left of a microaneurysm?

# %%
early = [i for i in range(40) if kinds["MA"][i] >= 3]
figure, axes = plt.subplots(1, 4, figsize=(10, 3), layout="constrained")
for ax, size in zip(axes, (32, 64, 128, 256), strict=True):
    again = toy.fundus(early[0] + 1, size=size, rng=SEED)
    pixels = again.lesions["MA"][-1].sum() / again.lesion_counts["MA"][-1]
    results[f"pixels_at_{size}"] = round(float(pixels), 2)
    ax.imshow(again.images[-1])
    ax.contour(again.lesions["MA"][-1], levels=[0.5], colors="c", linewidths=0.8)
    ax.set(title=f"{size} px: {pixels:.1f} pixels each", xticks=[], yticks=[])
figure.suptitle("At 32 pixels a microaneurysm is hardly more than one pixel")
figure.savefig(OUT / "3_sizes.png")

# %% [markdown]
# **What you should see**:
#
# - ``pixels_at_32``: 1 to 1.25
# - ``pixels_at_64``: 2.5 to 3.2
# - ``pixels_at_256``: 30.33 to 36.5
#
# If you see 0 pixels instead, then the mask was shrunk like a photograph. No network
# can learn grade 1 from what is no longer there: here small images lose.
#
# Broken on purpose: x before y
# -----------------------------
#
# Points here are (y, x), as array indices are: row first. Plotting wants (x, y). Mixing
# them up raises no error.

# %%
from tinyssl import metrics

swapped = eyes.disc[:, ::-1]
errors = metrics.localization_error(eyes.disc, swapped) / (2 * eyes.disc_radius)
results["swapped_error"] = round(float(np.median(errors)), 2)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
for ax, i in zip(axes, range(3), strict=True):
    ax.imshow(eyes.images[i])
    ax.plot(*eyes.disc[i, ::-1], "c+", markersize=14, markeredgewidth=2)
    ax.plot(*swapped[i, ::-1], "mx", markersize=12, markeredgewidth=2)
    ax.set(title=f"{errors[i]:.1f} disc diameters off", xticks=[], yticks=[])
figure.suptitle(
    "Points read as (x, y): the x should lie on the +, and no error is raised"
)
figure.savefig(OUT / "4_broken.png")

# %% [markdown]
# **What you should see** (the median, in disc diameters):
#
# - ``swapped_error``: 2.94 to 3.11
#
# If you see 0 instead, then both were swapped, and a picture would look right while
# every distance in y and x is exchanged. Always draw the first points you read.
#
# What a program could cheat with
# -------------------------------
#
# Photographs come from cameras, and patients have two eyes. Neither has to do with the
# grade of an eye, but both can give it away.
#
# **Before you run.** Which explains more of an image's mean blue: its grade, or its
# camera? And how often do the two eyes of a patient have the same grade, if two
# strangers' eyes do in about a third of the cases?


# %%
def explained(values, groups):
    """Return the share of the variance that lies between groups (eta squared)."""
    means = {g: values[groups == g].mean() for g in np.unique(groups)}
    return np.var([means[g] for g in groups]) / np.var(values)


rng = np.random.default_rng(SEED)
views = zip(eyes.images, eyes.field_of_view, strict=True)
blue = np.array([image[view, 2].mean() for image, view in views])
for name, groups in (
    ("camera", eyes.camera),
    ("grade", eyes.grades),
    ("shuffled", rng.permutation(eyes.grades)),
):
    results[f"blue_by_{name}"] = round(float(explained(blue, groups)), 3)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, name, groups in zip(
    axes, ("camera", "grade"), (eyes.camera, eyes.grades), strict=True
):
    jitter = rng.uniform(-0.2, 0.2, len(eyes))
    ax.plot(groups + jitter, blue, "o", color="#0072B2", alpha=0.5, markersize=4)
    ax.set(xlabel=name, title=f"{results[f'blue_by_{name}']:.0%} explained by {name}")
axes[0].set_ylabel("mean blue (0 to 255)")
figure.suptitle("Colour tells the camera, not the grade")
figure.savefig(OUT / "5_colour.png")

right, left = eyes.grades[0::2], eyes.grades[1::2]
results["same_grade_patient"] = round(float(np.mean(right == left)), 3)
results["same_grade_stranger"] = round(
    float(np.mean([np.mean(right == np.roll(left, k)) for k in range(1, len(left))])), 3
)
ill_eye = eyes.grades > 0
clinic = ill_eye == (eyes.camera == 0)  # ill eyes of camera 0, healthy ones of others
for name, kept in (("all", np.full(len(eyes), True)), ("clinic", clinic)):
    results[f"blue_by_ill_{name}"] = round(
        float(explained(blue[kept], ill_eye[kept])), 3
    )
print({name: results[name] for name in list(results)[-7:]})

# %% [markdown]
# **You predicted** twice. **What you should see**, over 10 seeds:
#
# - ``blue_by_camera``: 0.434 to 0.641
# - ``blue_by_grade``: 0.002 to 0.025
# - ``blue_by_shuffled``: 0.006 to 0.058
# - ``same_grade_patient``: 0.51 to 0.67
# - ``same_grade_stranger``: 0.298 to 0.372
#
# If you see the grade explain as much as the camera, then images and grades are out of
# step. The shuffled grades are the baseline: what chance explains.
#
# **Misconception: "200 photographs are 200 independent cases".** They are 100 patients.
# Whoever splits by image puts one eye of a patient into the training set and the other
# into the test set. The test then rewards recognising the patient: pigment, camera, and
# most of the severity are shared.
#
# **Misconception: "no cheating here, for colour does not tell the grade".** In these
# eyes it does not. In a real collection the ill eyes may come from a clinic and the
# healthy ones from screening, each with its camera. Keep of our eyes the ill ones of
# camera 0 and the healthy ones of all others (``clinic``), and blue tells ill from
# healthy, until the program meets another camera:
#
# - ``blue_by_ill_all``: 0 to 0.01
# - ``blue_by_ill_clinic``: 0.142 to 0.538
#
# ``tinyssl audit`` asks that.
#
# Your turn
# ---------
#
# Training and testing want different eyes. So a collection is cut into *folds*: parts
# of about equal size, of which each is the test set once while the others train.
#
# **Check.** Fill in and run again, or write a file ``answers.py`` (it begins with
# ``import numpy as np``) and type ``tinyssl check 00 answers.py``.
#
# 1. ``my_grade``: the rule above, from the counts of one eye.
# 2. ``my_eye``: the side, from the two points. The eye may look aside.
# 3. ``my_folds``: a number for each image, so that no patient is in two folds and no
#    fold is empty.

# %%
from tinyssl import check


def my_grade(counts):
    """Return 0 to 4 from a dict of counts: MA, HE, EX, SE, NV, PH."""
    return None  # your lines in place of this one


def my_eye(disc, fovea):
    """Return "right" or "left" from two points (y, x)."""
    return None  # your lines in place of this one


def my_folds(patient, num_folds):
    """Return a fold, 0 to num_folds - 1, for each image; patients stay whole.

    Sizes are about equal: folds differ by one patient, or by the images of one.
    """
    return None  # your lines in place of this one


check.grade(my_grade)
check.eye(my_eye)
check.folds(my_folds)

# %% [markdown]
# **Change.** (a) Draw the five grades of the first figure at 32 pixels: which
# neighbours can you still tell apart? (b) Replace mean blue by mean green: does the
# camera still show, and why less?
#
# **Make.** Take ten eyes, hide their grades, grade them by eye, and compare. Rubric:
# grades written down before looking (1), lesions named for each (2), the errors listed
# by distance (1), one sentence on what you could not see (2).

# %%
import json

(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Three things to keep
# --------------------
#
# - Lesions are few pixels in a large image: a program that finds none is nearly right.
# - Camera and patient are in every photograph. Split by patient; ask what colour knows.
# - Look first: order of axes, size, one image of each kind, before any training.
#
# Quiz
# ----
#
# 1. A mask of lesions is right in 98 % of the pixels. Is that good?
# 2. All eyes of grade 4 come from camera 2. What will a network learn?
# 3. Why can a grade 1 not be learned from 32-pixel images by longer training?
#
# <details><summary>Answers</summary>
#
# 1. An empty mask scores about as much.
# 2. Most easily the camera. It will look excellent until another camera comes.
# 3. The evidence is gone before training starts.
#
# </details>
#
# In a clinic
# -----------
#
# A program that reads the camera grades the healthy eyes of a hospital as ill and
# misses the ill ones of a screening bus.
# These eyes are for learning methods. Nothing found on them is evidence
# about people.
#
# Sources
# -------
#
# - Wilkinson et al. 2003, "Proposed international clinical diabetic retinopathy and
#   diabetic macular edema disease severity scales", Ophthalmology 110(9), table 2.
# - Systems A, B and C: the student project, thesis and review this course follows.
