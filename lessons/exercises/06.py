"""Exercises of lesson 6: restore the context."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import transforms
from tinyssl.check.exercise import Exercise, Law, columns, unchanged


@st.composite
def swapped(draw):
    size = draw(st.integers(1, 2))
    height, width = (2 * size + draw(st.integers(0, 2)) for _ in range(2))
    rows, columns = st.integers(0, height - size), st.integers(0, width - size)
    swap = st.tuples(rows, columns, rows, columns).filter(
        lambda s: abs(s[0] - s[2]) >= size or abs(s[1] - s[3]) >= size
    )
    swaps = draw(st.lists(swap, max_size=3))
    if swaps and draw(st.booleans()):  # undone at once
        swaps = [*swaps, swaps[-1]]
    return np.array(swaps, int).reshape(-1, 4), height, width, size


def my_moved(swaps, height, width, patch_size):
    stood = np.arange(float(height * width)).reshape(1, height, width, 1)
    stands = transforms.swap_patches(stood, swaps[None], patch_size)
    return (stands != stood)[0, :, :, 0]


def every_patch(swaps, height, width, patch_size):
    mask = np.zeros((height, width), bool)
    for y, x in swaps.reshape(-1, 2):
        mask[y : y + patch_size, x : x + patch_size] = True
    return mask


moved = Exercise(
    my_moved,
    swapped(),
    laws={
        "No swaps, nothing moved.": Law(
            lambda f, *case: (np.zeros(case[1:3], bool), f(*case)),
            swapped().map(lambda case: (case[0][:0], *case[1:])),
        ),
        "One swap moves both patches.": Law(
            lambda f, *case: (2 * case[3] ** 2, np.sum(f(*case))),
            swapped().filter(lambda c: len(c[0])).map(lambda c: (c[0][:1], *c[1:])),
        ),
        "Swaps that are undone moved nothing.": Law(
            lambda f, *case: (np.zeros(case[1:3], bool), f(*case)),
            swapped().map(
                lambda case: (np.vstack([case[0], case[0][::-1]]), *case[1:])
            ),
        ),
    },
    hints=(
        "a pixel moved if another one stands in its place in the end",
        "number the pixels: names = np.arange(height * width).reshape(height, width); "
        "do the swaps on the names, one after another",
        "return names != np.arange(height * width).reshape(height, width), after each "
        "swap exchanged its two patches through a copy",
    ),
    mistakes={
        "these are all pixels of all patches: a later swap may bring a pixel home": (
            every_patch
        ),
        "only the first patch of each swap: the second one moves too": (
            lambda swaps, *sizes: every_patch(swaps[:, :2], *sizes)
        ),
        "a patch at y ends before y + patch_size: you lost its last row and column": (
            lambda *case: every_patch(*case[:3], case[3] - 1)
        ),
    },
)

level = st.sampled_from((0, 255, 51, 102)).map(np.uint8)
pairs = columns(level, level, st.booleans(), most=4).map(
    lambda case: tuple(row[None] for row in case)
)


def my_masked_mse(image, restored, where):
    return parts(np.square(image / 255 - restored / 255), where)


def parts(squared, where):
    masks = (where, ~where)
    return [squared[mask].mean() if mask.any() else math.nan for mask in masks]


masked_mse = Exercise(
    my_masked_mse,
    pairs,
    laws={
        "A perfect restoration has no error, and no pixels no answer.": Law(
            lambda f, image, where: (parts(0.0 * image, where), f(image, image, where)),
            pairs.map(lambda case: case[1:]),
        ),
        "Exchanging the images changes nothing.": unchanged(
            lambda image, restored, where: (restored, image, where), "swapped"
        ),
        "Turning the mask round exchanges the errors.": Law(
            lambda f, a, b, *where: (f(a, b, *where)[::-1], f(a, b, ~where[0])),
            labels=("exchanged", "turned"),
        ),
    },
    hints=(
        "square the differences once, then average two parts of them",
        "divide the bytes by 255 before you subtract; squared[where] are the pixels "
        "inside, squared[~where] the others",
        "squared = np.square(image / 255 - restored / 255); return "
        "squared[where].mean() and squared[~where].mean(), nan where a part is empty",
    ),
    mistakes={
        "bytes wrap around: 0 - 1 is 255. Divide by 255 before you subtract": (
            lambda image, restored, where: parts(
                ((image - restored) / 255.0) ** 2, where
            )
        ),
        "you divide by all pixels: few moved pixels then look like a small error": (
            lambda image, restored, where: [
                np.mean(np.square(image / 255 - restored / 255) * part)
                for part in (where, ~where)
            ]
        ),
        "all right but one case: an empty part. The error of no pixels is nan, not 0, "
        "which would be perfect": lambda *case: np.nan_to_num(my_masked_mse(*case)),
    },
)

error = st.sampled_from((0.0, 1.0, 2.0, 4.0))
both = st.tuples(error, error) | st.just((math.nan, math.nan))
errors = st.lists(both, min_size=1, max_size=4).map(lambda rows: (*np.array(rows).T,))
some_error = errors.map(lambda case: case[1]).filter(lambda e: np.nansum(e) > 0)


def my_share_left(restored, copied):
    total = np.nansum(copied)
    return np.nansum(restored) / total if total else math.nan


share_left = Exercise(
    my_share_left,
    errors,
    laws={
        "Whoever copies leaves all: 1.": Law(
            lambda f, copied: (1.0, f(copied, copied)), some_error
        ),
        "Whoever restores all leaves nothing: 0.": Law(
            lambda f, copied: (0.0, f(0 * copied, copied)), some_error
        ),
        "Where copying makes no error there is no share: nan.": Law(
            lambda f, restored, copied: (math.nan, f(restored, 0 * copied))
        ),
    },
    hints=(
        "how much error is there in all, and how much would copying have made?",
        "add up each of the two without the nan, np.nansum, then divide",
        "total = np.nansum(copied); return np.nansum(restored) / total, and nan where "
        "total is 0",
    ),
    mistakes={
        "this averages a ratio an image: an image in which hardly anything moved then "
        "weighs as much as all others. Add up first, then divide": lambda a, b: (
            np.mean((a / b)[b > 0]) if (b > 0).any() else math.nan
        ),
        "one image without moved pixels (nan) makes all of it nan: leave it out": (
            lambda a, b: a.sum() / b.sum() if b.sum() else math.nan
        ),
        "all right but one case: copying without error. Something over 0 is inf, but "
        "there is no share of nothing: nan": lambda restored, copied: (
            np.nansum(restored) / np.nansum(copied)
        ),
    },
)
