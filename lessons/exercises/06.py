"""Exercises of lesson 6: restore the context."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import transforms
from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged


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


def covered(swaps, height, width, patch_size):
    mask = np.zeros((height, width), bool)
    for y, x in swaps.reshape(-1, 2):
        mask[y : y + patch_size, x : x + patch_size] = True
    return mask


laws = {
    "No swaps, nothing moved.": gives(
        my_moved, lambda swaps, *sizes: (swaps[:0], *sizes)
    ),
    "One swap moves both patches.": Law(
        lambda f, *case: (2 * len(case[0]) * case[3] ** 2, np.sum(f(*case))),
        lambda swaps, *sizes: (swaps[:1], *sizes),
        labels=("pixels", "marked"),
    ),
    "It does so in images of more than 256 pixels, too.": gives(
        my_moved, st.just((np.array([[0, 0, 16, 0]]), 18, 16, 2))
    ),
    "Swaps that are undone moved nothing.": gives(
        my_moved, lambda swaps, *sizes: (np.vstack([swaps, swaps[::-1]]), *sizes)
    ),
}
hints = """
- a pixel moved if another one stands in its place in the end
- number the pixels: names = np.arange(height * width).reshape(height, width); do the
  swaps on the names, one after another
- return names != np.arange(height * width).reshape(height, width), after each swap
  exchanged its two patches through a copy
- these are all pixels of all patches: a later swap may bring a pixel home
      covered(swaps, height, width, patch_size)
- only the first patch of each swap: the second one moves too
      covered(swaps[:, :2], height, width, patch_size)
- a patch at y ends before y + patch_size: you lost its last row and column
      covered(swaps, height, width, patch_size - 1)
"""
moved = Exercise(my_moved, swapped(), laws=laws, hints=hints)

level = st.sampled_from((0, 255, 51, 102)).map(np.uint8)
pairs = columns(level, level, st.booleans()).map(
    lambda case: tuple(row.reshape(-1, 2 - row.size % 2) for row in case)
)


def my_masked_mse(image, restored, where):
    squared = np.square(image / 255 - restored / 255)
    return [squared[part].mean() if part.any() else np.nan for part in (where, ~where)]


laws = {
    "A perfect restoration has no error, and no pixels no answer.": gives(
        my_masked_mse, lambda image, restored, where: (image, image, where)
    ),
    "Exchanging the images changes nothing.": unchanged(
        lambda image, restored, where: (restored, image, where), "swapped"
    ),
    "Turning the mask round exchanges the errors.": Law(
        lambda f, a, b, *where: (f(a, b, *where)[::-1], f(a, b, ~where[0])),
        labels=("exchanged", "turned"),
    ),
}
hints = """
- square the differences once, then average two parts of them
- divide the bytes by 255 before you subtract; squared[where] are the pixels inside,
  squared[~where] the others
- squared = np.square(image / 255 - restored / 255); return squared[where].mean() and
  squared[~where].mean(), nan where a part is empty
- bytes wrap around: 0 - 1 is 255. Divide by 255 before you subtract
      image / 255 - restored / 255 -> (image - restored) / 255
- you divide by all pixels: few moved pixels then look like a small error
      squared[part].mean() if part.any() else np.nan -> np.mean(squared * part)
- all right but one case: an empty part. The error of no pixels is nan, not 0, which
  would be perfect
      np.nan -> 0.0
"""
masked_mse = Exercise(my_masked_mse, pairs, laws=laws, hints=hints)

error = st.sampled_from((0.0, 1.0, 2.0, 4.0, 0.001))
both = st.tuples(error, error) | st.just((math.nan, math.nan))
errors = st.lists(both, min_size=1, max_size=4).map(lambda rows: (*np.array(rows).T,))
some_error = errors.map(lambda case: case[1]).filter(lambda e: np.nansum(e) > 0)


def my_share_left(restored, copied):
    total = np.nansum(copied)
    return np.nansum(restored) / total if total else math.nan


laws = {
    "Whoever copies leaves all: 1.": gives(1.0, some_error.map(lambda e: (e, e))),
    "Whoever restores all leaves nothing: 0.": gives(
        0.0, some_error.map(lambda copied: (0 * copied, copied))
    ),
    "Where copying makes no error there is no share: nan.": gives(
        math.nan, lambda restored, copied: (restored, 0 * copied)
    ),
}
hints = """
- how much error is there in all, and how much would copying have made?
- add up each of the two without the nan, np.nansum, then divide
- total = np.nansum(copied); return np.nansum(restored) / total, and nan where total is
  0
- this averages a ratio an image: an image in which hardly anything moved then weighs as
  much as all others. Add up first, then divide
      np.mean((restored / copied)[copied > 0]) if np.nansum(copied) else math.nan
- one image without moved pixels (nan) makes all of it nan: leave it out
      nansum -> sum
- all right but one case: copying without error. Something over 0 is inf, but there is
  no share of nothing: nan
      np.nansum(restored) / np.nansum(copied)
"""
share_left = Exercise(my_share_left, errors, laws=laws, hints=hints)
