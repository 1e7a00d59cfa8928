# %% [markdown]
"""
Lesson 3. Labels from pixels
============================

- do: swap, turn, cut and hide pieces of an eye, undo it all, and break it four ways
- learn: which label a pretext task asks for, and which shortcut gives it away
- need: NumPy slices and views; lesson 00
- sources: B (rotation), C (patch swaps), D (jigsaw, masks)
- data: toy.fundus, 64 eyes of 64 px, 0.79 MB
- runtime: fast 4 s, full 6 s
- memory: 250 MB
- files: 1_turns.png, 2_views.png, 3_reach.png, 4_shape.png, 5_tiles_masks.png,
  results.json
"""

# %% [markdown]
# **The question.** Grading a photograph takes a doctor half a minute, and there are
# thousands of photographs without a grade. Which questions can be asked about them
# whose answers we know because *we* made them?

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinyssl.data import toy

FAST = os.environ.get("TINYSSL_FAST") == "1"
SEED = int(os.environ.get("TINYSSL_SEED", "0"))
OUT = Path(os.environ.get("TINYSSL_OUT", "output/03"))
OUT.mkdir(parents=True, exist_ok=True)
eyes = toy.fundus(64, size=64, rng=SEED)
image = eyes.images[0]
plt.imshow(np.hstack([np.rot90(image, k) for k in range(4)])).axes.set_axis_off()
plt.title("Four labels that no doctor wrote: 0, 1, 2, 3 quarter turns")
plt.savefig(OUT / "1_turns.png", bbox_inches="tight")

# %% [markdown]
# To name the turn one has to know where the disc and the large vessels belong. That is
# the hope of a **pretext task**: nobody needs the answer, but whoever answers must have
# understood the image. The label must be *right*, and must not be readable from
# anything else. Both go wrong.
#
# Turns
# -----
# First by hand: where does each pixel of a quarter turn, counter-clockwise, come from?

# %%
naive = np.empty_like(image)
for y, x in np.ndindex(64, 64):
    naive[y, x] = image[x, 63 - y]


def rotate(images, turns):
    """Turn square images counter-clockwise by quarter turns."""
    return np.stack([np.rot90(x, k) for x, k in zip(images, turns, strict=True)])


def turn(k):
    return rotate(image[None], [k])[0]


assert np.array_equal(naive, turn(1))
assert min(np.rot90(image).strides) < 0 < min(turn(1).strides)
assert np.array_equal(turn(4), image)  # four turns are none
assert np.array_equal(rotate(turn(3)[None], [1])[0], image)  # 3 and 1 make 4

# %% [markdown]
# ``np.rot90`` alone returns a *view* that walks backwards through memory (a negative
# stride), which torch refuses. ``np.stack`` makes a copy.
#
# Swaps
# -----
# Context restoration (source C) swaps two small patches, T times, and asks for the
# original.
#
# **Before you run.** A Pythonic swap is ``a, b = b, a``. With two slices of one array:
# ``x[p], x[q] = x[q], x[p]``. What stands in the two places afterwards?

# %%
p, q = (slice(14, 30), slice(36, 52)), (slice(36, 52), slice(10, 26))
views = image.copy()
views[p], views[q] = views[q], views[p]  # broken on purpose
right = image.copy()
keep = right[p].copy()
right[p], right[q] = right[q], keep
figure, axes = plt.subplots(1, 3, figsize=(7, 2.8), layout="constrained")
for ax, picture, name in zip(
    axes,
    (image, views, right),
    ("original", "x[p], x[q] = x[q], x[p]", "copied first"),
    strict=True,
):
    ax.imshow(picture)
    for rows, cols in (p, q):
        corner = (cols.start - 0.5, rows.start - 0.5)
        ax.add_patch(plt.Rectangle(corner, 16, 16, fill=False, edgecolor="white"))
    ax.set_title(name, fontsize=9)
    ax.set_axis_off()
figure.suptitle("A swap of views shows one patch twice and loses the other")
figure.savefig(OUT / "2_views.png")

# %% [markdown]
# **You predicted** what? Slices are views: when the second assignment reads ``x[p]``,
# it has already been overwritten. **Broken on purpose**, this raises no error, and
# a network trained on it must restore pixels that are nowhere in its input. So we go
# through a temporary:


# %%
def swap_patches(images, swaps, patch_size):
    """Swap pairs of patches in place, one swap after another: squares or cubes."""
    for image, pairs in zip(images, swaps, strict=True):
        for corners in pairs.reshape(-1, 2, pairs.shape[1] // 2):
            patch1, patch2 = (
                image[tuple(slice(start, start + patch_size) for start in corner)]
                for corner in corners
            )
            # exchange the two patches through a temporary, one swap after another
            keep = patch1.copy()
            patch1[:] = patch2
            patch2[:] = keep


def swapped(image, swaps, patch_size):
    batch = image[None].copy()
    swap_patches(batch, swaps[None], patch_size)
    return batch[0]


def sorted_pixels(image):
    return np.sort(image, axis=None)


from tinyssl import transforms

swaps = transforms.sample_swaps(image.shape, 8, 10, rng=SEED)  # rows y1 x1 y2 x2
mixed = swapped(image, swaps, 8)
assert np.array_equal(sorted_pixels(mixed), sorted_pixels(image))  # none lost
assert not np.array_equal(sorted_pixels(views), sorted_pixels(image))
assert np.array_equal(swapped(mixed, swaps[::-1], 8), image)  # undone backwards
assert (mixed != image).any(axis=2).sum() <= 2 * len(swaps) * 8**2
assert np.array_equal(mixed, transforms.swap_patches(image, swaps, 8))
assert np.array_equal(turn(1), transforms.rotate(image[None], [1])[0])

# %% [markdown]
# These laws are the specification: no pixel lost, undone by replaying the list
# backwards, at most 2 T s² pixels moved. ``swaps`` is the whole record of what was
# done: integers, drawn by ``sample_swaps``. Drawing them looks easier than swapping,
# but it is where the public re-implementations went wrong.
#
# **Before you run.** Two draws of patches of 16 px: (a) ``rng.integers(64 - 16)``;
# which pixels can never move? (b) ``rng.integers(64 - 16 + 1)``, without a look at
# overlaps. Of a hundred images with ten swaps each, how many lose pixels?

# %%
rng = np.random.default_rng(SEED)
numbers = np.arange(64 * 64).reshape(64, 64)  # every pixel has a name
reached, losses = np.zeros((2, 64, 64)), []
for _ in range(100 if FAST else 400):
    for row, draws in enumerate((64 - 16, 64 - 16 + 1)):
        pairs = rng.integers(draws, size=(10, 4))
        for y, x in pairs.reshape(-1, 2):
            reached[row, y : y + 16, x : x + 16] += 1
    losses.append(1 - len(np.unique(swapped(numbers, pairs, 16))) / numbers.size)
never = np.mean(reached[0] == 0)
figure, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
for ax, hits, name in zip(axes, reached, ("H - s", "H - s + 1"), strict=True):
    shown = ax.imshow(np.log10(np.maximum(hits, 0.5)), cmap="cividis")
    ax.set(title=f"rng.integers({name})", xlabel="pixels", ylabel="pixels")
    ax.plot(*np.nonzero(hits == 0)[::-1], "s", color="#D55E00", markersize=3)
figure.colorbar(shown, ax=axes, label="log10 of visits")
figure.suptitle(f"Off by one: {(reached[0] == 0).sum()} pixels (red) are never reached")
figure.savefig(OUT / "3_reach.png")
lost = np.mean(np.array(losses) > 0)
print(f"{lost:.0%} of the images lost pixels, on average {np.mean(losses):.1%} of them")

# %% [markdown]
# **You predicted** (a) the last row and the last column: ``integers`` leaves out its
# upper end. (b) **Misconception: overlaps are rare.** Along one axis two patches are
# closer than 16 px in .53 of all draws, along both in .53² = .28; that ten pairs all
# stay apart has the chance .72¹⁰ = .04. Whatever is overwritten is gone.
# ``sample_swaps`` draws the second patch among the places disjoint from the first:
# ``abs(dy) >= s`` *or* ``abs(dx) >= s``.
#
# **What you should see**
#
# - ``never``: 0.031 to 0.031
# - ``lost``: 0.955 to 0.975
# - ``lost_pixels``: 0.0357 to 0.0374
#
# If you see ``lost`` at 0 instead, the pixels you compare have no names: sorting an
# image of many equal values can hide a loss.
#
# Shortcuts
# ---------
# A camera photographs 3:2, black left and right of the round retina. Somebody squashes
# that to a square. **Before you run.** One number, the height of the lit region minus
# its width, is to separate even turns (0, 2) from odd ones (1, 3). How often is it
# right: on squashed photographs, on square ones, and on square ones behind a centred
# round mask? Guessing gives .5.

# %%
from PIL import Image

wide = np.pad(eyes.images, ((0, 0), (0, 0), (16, 16), (0, 0)))
squashed = np.stack([Image.fromarray(x).resize((64, 64), Image.BOX) for x in wide])
distance = np.hypot(*(np.indices((64, 64)) - 31.5))
masked = eyes.images * (distance < 23)[..., None]
turns = rng.integers(4, size=64)


def height_minus_width(images):
    lit = images.max(axis=3) > 20
    return lit.any(axis=2).sum(axis=1) - lit.any(axis=1).sum(axis=1)


parity, spreads = {}, {}
sets = {"squashed 3:2": squashed, "square crop": eyes.images, "round mask": masked}
for name, images in sets.items():
    number = height_minus_width(rotate(images, turns))
    even = number > 0 if name == "squashed 3:2" else number < 0
    guess = np.where(number == 0, 0.5, even == (turns % 2 == 0))
    parity[name], spreads[name] = guess.mean(), number
figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.9), sharey=True, layout="constrained")
for ax, (name, number) in zip(axes, spreads.items(), strict=True):
    pair = [number[turns % 2 == odd] for odd in (0, 1)]
    ax.hist(pair, bins=np.arange(-25, 27, 3), label=["even turn", "odd turn"])
    ax.set_title(f"{name}: right {parity[name]:.2f}", fontsize=10)
    ax.set(xlabel="height − width, pixels")
axes[0].set_ylabel("images")
axes[0].legend(frameon=False, fontsize=8)
figure.suptitle("One number, no anatomy, solves half of the rotation task")
figure.savefig(OUT / "4_shape.png")

# %% [markdown]
# **You predicted** three shares. The outline of an ellipse gives away whether a turn is
# even; even square crops do, where a camera cuts off top and bottom. Only a mask that
# equals its own quarter turns removes this shortcut. A network will find such a
# shortcut before it finds a disc.
#
# The black frame spoils swaps too: two black patches swapped are no task. If swaps are
# drawn inside a region, this does not happen.

# %%
frame = np.pad(eyes.field_of_view, ((0, 0), (0, 0), (16, 16)))
idle, loose = [], []
for n in range(64):
    free = transforms.sample_swaps((64, 96), 8, 20, rng=SEED + n)
    kept = transforms.sample_swaps((64, 96), 8, 20, rng=SEED + n, region=frame[n])
    for swaps, found in ((free, idle), (kept, loose)):
        for y1, x1, y2, x2 in swaps:
            corners = (y1, x1), (y2, x2)
            lit = (frame[n, y : y + 8, x : x + 8].any() for y, x in corners)
            found.append(not any(lit))
print(f"idle swaps: {np.mean(idle):.1%} anywhere, {np.mean(loose):.1%} in the region")

# %% [markdown]
# **What you should see**
#
# - ``squashed``: 1 to 1
# - ``photographed``: 0.734 to 0.859
# - ``masked``: 0.5 to 0.5
# - ``idle``: 0.087 to 0.092
#
# If you see ``masked`` away from 0.5 instead, the mask is not centred on a half pixel.
#
# Tiles and masks
# ---------------
# Jigsaw cuts nine tiles and asks for their order; a masked autoencoder hides three
# patches of four and asks for them. Both are undone: an order by its ``argsort``,
# patches by laying them back.

# %%
square = eyes.images[:1, 2:62, 2:62]  # 60 px: nine tiles of 20
order = np.random.default_rng(SEED).permutation(9)
puzzle = transforms.permute_tiles(square, 3, order)
assert np.array_equal(transforms.permute_tiles(puzzle, 3, np.argsort(order)), square)
rows = transforms.patchify(square, 6)  # (1, 100, 108): a patch a row
assert np.array_equal(transforms.unpatchify(rows, 6, (60, 60, 3)), square)
view = eyes.field_of_view[0, 2:62, 2:62]
hidden = transforms.sample_mask(1, (60, 60), 6, rng=SEED, region=view)
wasted = 1 - view.reshape(10, 6, 10, 6).any(axis=(1, 3)).mean()
figure, axes = plt.subplots(1, 3, figsize=(7, 2.8), layout="constrained")
holes = transforms.mask_patches(square, hidden, 6, fill=128)
for ax, picture, name in zip(
    axes,
    (square, puzzle, holes),
    ("original", f"order {order.tolist()}", "three of four patches hidden"),
    strict=True,
):
    ax.imshow(picture[0])
    ax.set_title(name, fontsize=8.5)
    ax.set_axis_off()
figure.suptitle(
    f"Order and content as labels; {wasted:.0%} of patches are black throughout"
)
figure.savefig(OUT / "5_tiles_masks.png")

# %% [markdown]
# Nine tiles have 362,880 orders, which are too many classes. One keeps a hundred that
# differ in many places (``permutation_set``), *fixed and saved*: if the set were drawn
# anew each day, label 7 would mean another order every day.
#
# The usual loss for K classes is the cross-entropy, minus the logarithm of the
# probability that was given to the right one (lesson 04). A network that knows nothing
# gives 1/K to each and pays ln K: 1.386 for four turns, 4.605 for a hundred orders.
# That, and the error of copying the input (lesson 02), are the baselines.
#
# **Where the method lost**: on square crops one number names even and odd turns in .73
# to .86 of the cases (``photographed``). There the label asks about the camera.

# %%
import json

results = {
    "never": round(float(never), 4),
    "lost": round(float(lost), 3),
    "lost_pixels": round(float(np.mean(losses)), 4),
    "squashed": round(float(parity["squashed 3:2"]), 3),
    "photographed": round(float(parity["square crop"]), 3),
    "masked": round(float(parity["round mask"]), 3),
    "idle": round(float(np.mean(idle)), 3),
}
(OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")

# %% [markdown]
# Your turn
# ---------
# **Check.** Fill in three functions.
#
# 1. ``my_fits``: may these two patches be swapped? Both inside the image (no corner is
#    negative), and disjoint.
# 2. ``my_undo_swaps``: the original again, from the swapped image and the list of
#    swaps.
# 3. ``my_undo_tiles``: nine tiles (any array of tiles) back from ``tiles[order]``.

# %%
from tinyssl import check


def my_fits(swap, height, width, patch_size):
    """True if both patches of (y1, x1, y2, x2) lie inside and do not overlap."""
    return None  # your lines in place of this one


def my_undo_swaps(image, swaps, patch_size):
    """The (H, W) image before these (T, 4) swaps, as a new array."""
    return None  # your lines in place of this one


def my_undo_tiles(tiles, order):
    """The tiles of which ``tiles`` is ``original[order]``."""
    return None  # your lines in place of this one


check.fits(my_fits)
check.undo_swaps(my_undo_swaps)
check.undo_tiles(my_undo_tiles)

# %% [markdown]
# **Change.** (a) Draw the overlapping swaps with patches of 4 and of 24 px: how does
# the share of lost pixels change, and why? (b) Move the round mask by three pixels:
# what does one number know now?
#
# **Make.** Invent a label of your own for these eyes. Rubric, one point each: the label
# comes from pixels alone; it is undone, or shown to be right, by an assert; the chance
# level is stated; one shortcut was looked for with a single number; the shortcut was
# closed, or admitted.
#
# Three things to keep
# --------------------
# - A made label is right only if a law says so: nothing lost, and undone.
# - Look for the number that gives the label away, before a network does.
# - Say what guessing costs: ln K.
#
# Quiz
# ----
# 1. Two patches overlap by one pixel row. What is lost?
# 2. Why does a round mask close the shortcut of the ellipse?
# 3. A jigsaw's labels are drawn from a new set of 100 orders each epoch. What is
#    learnt?
#
# <details><summary>Answers</summary>
#
# 1. One row: it was written into the overlap, and then overwritten. Another row stands
#    there twice.
# 2. Its outline is equal to its own quarter turns, so the outline says nothing.
# 3. Nothing: one label means another order each time.
#
# </details>
#
# In a clinic
# -----------
# Labels from pixels cost seconds; half a minute of a doctor for each of 3,600
# photographs is 30 hours. But a shortcut costs more than it looks: a network that reads
# the camera's outline has spent the whole pretraining on the camera. It shows only
# later, as no gain, at another hospital.
#
# Sources
# -------
# - B: Gidaris et al. 2018, rotation. C: Chen et al. 2019, context restoration.
# - D: Noroozi and Favaro 2016, jigsaw; He et al. 2022, masked autoencoders.
