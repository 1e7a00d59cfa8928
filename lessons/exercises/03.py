"""Exercises of lesson 3: labels from pixels."""

import itertools

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, unchanged


@st.composite
def placements(draw):
    size = draw(st.integers(1, 3))
    height, width = (size + draw(st.integers(0, 4)) for _ in range(2))
    limits = (height - size, width - size) * 2
    swap = tuple(draw(st.integers(0, limit + 1)) for limit in limits)
    return swap, height, width, size


def my_fits(swap, height, width, patch_size):
    return inside(swap, height, width, patch_size) and max(gaps(swap)) >= patch_size


def inside(swap, height, width, patch_size):
    y1, x1, y2, x2 = swap
    far = max(y1, y2) <= height - patch_size and max(x1, x2) <= width - patch_size
    return min(swap) >= 0 and far


def gaps(swap):
    y1, x1, y2, x2 = swap
    return abs(y1 - y2), abs(x1 - x2)


fits = Exercise(
    my_fits,
    placements(),
    laws={
        "Patches that lie one upon the other do not fit.": Law(
            lambda f, *case: (False, f(*case)),
            placements().map(lambda case: (case[0][:2] * 2, *case[1:])),
        ),
        "The last row and the last column may be used.": Law(
            lambda f, *case: (True, f(*case)),
            st.integers(1, 3).map(
                lambda size: ((0, 0, size, size), *[2 * size] * 2, size)
            ),
        ),
        "It does not matter which patch comes first.": unchanged(
            lambda swap, *sizes: ((*swap[2:], *swap[:2]), *sizes), "swapped"
        ),
    },
    hints=(
        "two questions: does each patch end inside the image, and are the two apart "
        "along at least one axis?",
        "a patch at y covers the rows y to y + patch_size - 1; two patches are "
        "disjoint if abs(y1 - y2) >= patch_size or abs(x1 - x2) >= patch_size",
        "y1, x1, y2, x2 = swap; inside: max(y1, y2) <= height - patch_size and max(x1, "
        "x2) <= width - patch_size; return inside and disjoint",
    ),
    mistakes={
        "off by one: the place height - patch_size is allowed, and so is width - "
        "patch_size; with < the last row and column are never reached": (
            lambda swap, height, width, size: my_fits(swap, height - 1, width - 1, size)
        ),
        "too strict: patches side by side differ along one axis only, and are "
        "disjoint. Say or, not and": lambda *case: (
            inside(*case) and min(gaps(case[0])) >= case[3]
        ),
        "both lie inside, but do they overlap? Overlaps destroy pixels": inside,
    },
)


@st.composite
def swapped_images(draw):
    size = draw(st.integers(1, 2))
    side = size * draw(st.integers(2, 3))
    image = np.arange(side * side).reshape(side, side)
    places = itertools.product(range(side - size + 1), repeat=4)
    swap = st.sampled_from([swap for swap in places if max(gaps(swap)) >= size])
    swaps = np.array(draw(st.lists(swap, max_size=3)), int).reshape(-1, 4)
    return swapped(image, swaps, size), swaps, size


def swapped(image, swaps, patch_size, through=np.copy):
    image = image.copy()
    for y1, x1, y2, x2 in swaps:
        patch1 = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        patch1[:], patch2[:] = patch2, through(patch1)
    return image


def my_undo_swaps(image, swaps, patch_size):
    return swapped(image, swaps[::-1], patch_size)


undo_swaps = Exercise(
    my_undo_swaps,
    swapped_images(),
    laws={
        "No swaps, no change.": Law(
            lambda f, *case: (case[0], f(*case)),
            swapped_images().map(lambda case: (case[0], case[1][:0], case[2])),
        ),
        "No pixel is lost, and none comes twice.": Law(
            lambda f, *case: (np.sort(case[0], axis=None), np.sort(f(*case), axis=None))
        ),
    },
    hints=(
        "a swap undoes itself; which of several has to be undone first?",
        "go through swaps[::-1] on a copy of the image, exchanging through a temporary",
        "image = image.copy(); for y1, x1, y2, x2 in swaps[::-1]: keep = "
        "patch1.copy(); patch1[:] = patch2; patch2[:] = keep",
    ),
    mistakes={
        "swapped again from the first to the last: that is right only where no two "
        "swaps share a pixel. The last swap is undone first": swapped,
        "slices are views: the second assignment reads what the first has just "
        "overwritten. Copy one patch first": lambda image, swaps, patch_size: swapped(
            image, swaps[::-1], patch_size, through=np.asarray
        ),
        "only one swap is undone: go through all of them": (
            lambda image, swaps, patch_size: swapped(image, swaps[-1:], patch_size)
        ),
    },
)

orders = st.integers(2, 5).flatmap(lambda n: st.permutations(range(n))).map(np.array)
shuffled = orders.map(lambda order: (10 * (1 + order), order))


def my_undo_tiles(tiles, order):
    return tiles[np.argsort(order)]


undo_tiles = Exercise(
    my_undo_tiles,
    shuffled,
    laws={
        "Tiles in order stay where they are.": Law(
            lambda f, tiles: (tiles, f(tiles, np.arange(len(tiles)))),
            shuffled.map(lambda case: case[0]),
        ),
        "It undoes tiles[order].": Law(
            lambda f, tiles, order: (tiles, f(tiles[order], order))
        ),
    },
    hints=(
        "place k of the puzzle shows tile order[k]: so where does tile i lie?",
        "tile i lies where order is i; np.argsort(order) says so for every i",
        "return tiles[np.argsort(order)]; or write original[order] = tiles",
    ),
    mistakes={
        "this shuffles once more. Two tiles exchanged come back that way, three in a "
        "circle do not: you need the inverse of the order": lambda tiles, order: tiles[
            order
        ],
        "an order read backwards is not its inverse": lambda tiles, order: tiles[
            order[::-1]
        ],
        "these are the tiles as they came": lambda tiles, order: tiles,
    },
)
