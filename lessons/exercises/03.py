"""Exercises of lesson 3: labels from pixels."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged


@st.composite
def placements(draw):
    size = draw(st.integers(1, 3))
    height, width = (size + draw(st.integers(0, 4)) for _ in range(2))
    limits = (height - size, width - size) * 2
    swap = tuple(draw(st.integers(-1, limit + 1)) for limit in limits)
    return swap, height, width, size


def my_fits(swap, height, width, patch_size):
    y1, x1, y2, x2 = swap
    lowest, rightmost = height - patch_size, width - patch_size
    inside = min(swap) >= 0 and max(y1, y2) <= lowest and max(x1, x2) <= rightmost
    return inside and apart(swap, patch_size)


def apart(swap, size, along=any):
    return along(abs(a - b) >= size for a, b in zip(swap[:2], swap[2:], strict=True))


laws = {
    "Patches that lie one upon the other do not fit.": gives(
        False, lambda swap, *sizes: (swap[:2] * 2, *sizes)
    ),
    "The last row and the last column may be used.": gives(
        True, st.integers(1, 3).map(lambda n: ((0, 0, n, n), 2 * n, 2 * n, n))
    ),
    "It does not matter which patch comes first.": unchanged(
        lambda swap, *sizes: ((*swap[2:], *swap[:2]), *sizes), "swapped"
    ),
}
hints = """
- two questions: does each patch end inside the image, and are the two apart along at
  least one axis?
- a patch at y covers the rows y to y + patch_size - 1; two patches are disjoint if
  abs(y1 - y2) >= patch_size or abs(x1 - x2) >= patch_size
- y1, x1, y2, x2 = swap; inside: max(y1, y2) <= height - patch_size and max(x1, x2) <=
  width - patch_size; return inside and disjoint
- off by one: the place height - patch_size is allowed, and so is width - patch_size;
  with < the last row and column are never reached
      <= -> <
- too strict: patches side by side differ along one axis only, and are disjoint. Say or,
  not and
      apart(swap, patch_size) -> apart(swap, patch_size, along=all)
- both lie inside, but do they overlap? Overlaps destroy pixels
      inside and apart(swap, patch_size) -> inside
"""
fits = Exercise(my_fits, placements(), laws=laws, hints=hints)


@st.composite
def swapped_images(draw):
    size = draw(st.integers(1, 2))
    height, width = (2 * size + draw(st.integers(0, 3)) for _ in range(2))
    image = np.arange(height * width).reshape(height, width) / 4
    rows, columns = st.integers(0, height - size), st.integers(0, width - size)
    swap = st.tuples(rows, columns, rows, columns).filter(lambda s: apart(s, size))
    swaps = np.array(draw(st.lists(swap, max_size=3)), int).reshape(-1, 4)
    return my_undo_swaps(image, swaps[::-1], size), swaps, size


def my_undo_swaps(image, swaps, patch_size):
    image = image.copy()
    for y1, x1, y2, x2 in swaps[::-1]:
        patch1 = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        patch1[:], patch2[:] = patch2, patch1.copy()
    return image


laws = {
    "No swaps, no change.": gives(
        lambda image, *_: image, lambda image, swaps, size: (image, swaps[:0], size)
    ),
    "No pixel is lost, and none comes twice.": Law(
        lambda f, *case: (np.sort(case[0], axis=None), np.sort(f(*case), axis=None)),
        labels=("had", "has"),
    ),
}
hints = """
- a swap undoes itself; which of several has to be undone first?
- go through swaps[::-1] on a copy of the image, exchanging through a temporary
- image = image.copy(); for y1, x1, y2, x2 in swaps[::-1]: keep = patch1.copy();
  patch1[:] = patch2; patch2[:] = keep
- swapped again from the first to the last: that is right only where no two swaps share
  a pixel. The last swap is undone first
      [::-1] ->
- slices are views: the second assignment reads what the first has just overwritten.
  Copy one patch first
      patch1.copy() -> patch1
- only one swap is undone: go through all of them
      [::-1] -> [-1:]
"""
undo_swaps = Exercise(my_undo_swaps, swapped_images(), laws=laws, hints=hints)

orders = st.sampled_from((2, 3, 4, 9)).flatmap(lambda n: st.permutations(range(n)))


def my_undo_tiles(tiles, order):
    return tiles[np.argsort(order)]


@st.composite
def puzzles(draw):
    order, shape = draw(orders), draw(st.sampled_from(((), (1, 2), (2, 1))))
    size = len(order) * math.prod(shape)
    return np.arange(size).reshape(-1, *shape) / 4, np.array(order)


laws = {
    "Tiles in order stay where they are.": gives(
        lambda tiles, order: tiles, lambda tiles, order: (tiles, np.sort(order))
    ),
    "It undoes tiles[order].": Law(
        lambda f, tiles, order: (tiles, f(tiles[order], order))
    ),
}
hints = """
- place k of the puzzle shows tile order[k]: so where does tile i lie?
- tile i lies where order is i; np.argsort(order) says so for every i
- return tiles[np.argsort(order)]; or write original[order] = tiles
- this shuffles once more. Two tiles exchanged come back that way, three in a circle do
  not: you need the inverse of the order
      tiles[order]
- an order read backwards is not its inverse
      tiles[order[::-1]]
- these are the tiles as they came
      tiles
"""
undo_tiles = Exercise(my_undo_tiles, puzzles(), laws=laws, hints=hints)
