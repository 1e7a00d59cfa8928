"""Exercises of lesson 3: labels from pixels."""

import itertools

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_fits


@st.composite
def placements(draw):
    """Draw two corners in or near an image, its sides, and the side of a patch."""
    size = draw(st.integers(1, 3))
    height, width = (size + draw(st.integers(0, 4)) for _ in range(2))
    limits = (height - size, width - size) * 2
    swap = tuple(draw(st.integers(0, limit + 1)) for limit in limits)
    return swap, height, width, size


def _inside(swap, height, width, patch_size, spare=0):
    """Tell whether both patches lie inside, with some pixels to spare."""
    y1, x1, y2, x2 = swap
    low, far = min(swap), (max(y1, y2) + spare, max(x1, x2) + spare)
    return low >= 0 and far[0] <= height - patch_size and far[1] <= width - patch_size


def _gaps(swap):
    """Return how far the corners are apart along each axis."""
    y1, x1, y2, x2 = swap
    return abs(y1 - y2), abs(x1 - x2)


def _fits(swap, height, width, patch_size):
    """Tell whether both patches lie inside and are disjoint; the right answer."""
    return _inside(swap, height, width, patch_size) and max(_gaps(swap)) >= patch_size


@law(
    "Patches that lie one upon the other do not fit.",
    st.tuples(st.integers(1, 3), st.integers(0, 4)),
)
def _onto_itself(f, patch_size, spare):
    side = patch_size + spare
    return False, f((0, 0, 0, 0), side, side, patch_size)


@law(
    "The last row and the last column may be used.",
    st.tuples(st.integers(1, 3), st.integers(0, 3)),
)
def _last_place(f, patch_size, spare):
    last = patch_size + spare
    side = last + patch_size
    return True, f((0, 0, last, last), side, side, patch_size)


@law(
    "It does not matter which patch comes first.",
    placements(),
    labels=("as given", "swapped"),
)
def _either_first(f, swap, height, width, patch_size):
    exchanged = (*swap[2:], *swap[:2])
    sizes = height, width, patch_size
    return f(swap, *sizes), f(exchanged, *sizes)


fits = Exercise(
    "my_fits",
    _fits,
    placements(),
    (_onto_itself, _last_place, _either_first),
    (
        "two questions: does each patch end inside the image, and are the two apart "
        "along at least one axis?",
        "a patch at y covers the rows y to y + patch_size - 1; two patches are "
        "disjoint if abs(y1 - y2) >= patch_size or abs(x1 - x2) >= patch_size",
        "y1, x1, y2, x2 = swap; inside: max(y1, y2) <= height - patch_size and max(x1, "
        "x2) <= width - patch_size; return inside and disjoint",
    ),
    (
        Mistake(
            lambda *case: _fits(*case) and _inside(*case, spare=1),
            "off by one: the place height - patch_size is allowed, and so is width - "
            "patch_size; with < the last row and column are never reached",
        ),
        Mistake(
            lambda *case: _inside(*case) and min(_gaps(case[0])) >= case[3],
            "too strict: patches side by side differ along one axis only, and are "
            "disjoint. Say or, not and",
        ),
        Mistake(
            lambda *case: _inside(*case) and max(_gaps(case[0])) > case[3],
            "too strict: patches that touch do not overlap, so >= is enough",
        ),
        Mistake(
            lambda *case: _inside(*case) and case[0][:2] != case[0][2:],
            "two corners may differ and their patches still overlap: compare the "
            "distance with patch_size",
        ),
        Mistake(
            lambda swap, height, width, patch_size: (
                _inside((*swap[:2], *swap[:2]), height, width, patch_size)
                and max(_gaps(swap)) >= patch_size
            ),
            "the second patch must lie inside too: ask for y2 and x2 what you ask for "
            "y1 and x1",
        ),
        Mistake(
            lambda *case: _inside(*case),
            "both lie inside, but do they overlap? Overlaps destroy pixels",
        ),
        Mistake(
            lambda *case: max(_gaps(case[0])) >= case[3],
            "they are disjoint, but do they lie inside the image?",
        ),
    ),
)


# ---- my_undo_swaps


@st.composite
def swapped_images(draw):
    """Draw an image whose pixels have names, swapped a few times, and the swaps."""
    size = draw(st.integers(1, 2))
    side = size * draw(st.integers(2, 3))
    image = np.arange(side * side).reshape(side, side)
    places = itertools.product(range(side - size + 1), repeat=4)
    swap = st.sampled_from([swap for swap in places if max(_gaps(swap)) >= size])
    swaps = np.array(draw(st.lists(swap, max_size=3)), int).reshape(-1, 4)
    return _replayed(image, swaps, size), swaps, size


def _replayed(image, swaps, patch_size):
    """Return the image after these swaps, one after another."""
    image = image.copy()
    for y1, x1, y2, x2 in swaps:
        patch1 = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        keep = patch1.copy()
        patch1[:] = patch2
        patch2[:] = keep
    return image


def _undone(image, swaps, patch_size):
    """Replay the swaps backwards; the right answer."""
    return _replayed(image, swaps[::-1], patch_size)


def _views(image, swaps, patch_size):
    """Exchange views, so that one patch comes twice."""
    image = image.copy()
    for y1, x1, y2, x2 in swaps[::-1]:
        patch1 = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        patch1[:], patch2[:] = patch2, patch1
    return image


@law("No swaps, no change.", swapped_images().map(lambda case: case[::2]))
def _untouched(f, image, patch_size):
    return image, f(image, np.empty((0, 4), int), patch_size)


@law("No pixel is lost, and none comes twice.", swapped_images())
def _none_lost(f, image, swaps, patch_size):
    return np.sort(image, axis=None), np.sort(f(image, swaps, patch_size), axis=None)


undo_swaps = Exercise(
    "my_undo_swaps",
    _undone,
    swapped_images(),
    (_untouched, _none_lost),
    (
        "a swap undoes itself; which of several has to be undone first?",
        "go through swaps[::-1] on a copy of the image, exchanging through a temporary",
        "image = image.copy(); for y1, x1, y2, x2 in swaps[::-1]: keep = "
        "patch1.copy(); patch1[:] = patch2; patch2[:] = keep",
    ),
    (
        Mistake(
            _replayed,
            "swapped again from the first to the last: that is right only where no two "
            "swaps share a pixel. The last swap is undone first",
        ),
        Mistake(
            _views,
            "slices are views: the second assignment reads what the first has just "
            "overwritten. Copy one patch first",
        ),
        Mistake(
            lambda image, swaps, patch_size: _replayed(image, swaps[-1:], patch_size),
            "only one swap is undone: go through all of them",
        ),
        Mistake(
            lambda image, swaps, patch_size: np.sort(image, axis=None).reshape(
                image.shape
            ),
            "sorting pixels is no way to restore an image: use the swaps",
        ),
    ),
)


# ---- my_undo_tiles


@st.composite
def shuffled(draw):
    """Draw tiles with names, taken in some order, and the order."""
    n = draw(st.integers(2, 5))
    order = np.array(draw(st.permutations(range(n))))
    return 10 * (1 + np.arange(n))[order], order


def _sorted_back(tiles, order):
    """Take the tiles in the inverse order; the right answer."""
    return tiles[np.argsort(order)]


@law("Tiles in order stay where they are.", shuffled().map(lambda case: case[:1]))
def _in_order(f, tiles):
    return tiles, f(tiles, np.arange(len(tiles)))


@law("It undoes tiles[order].", shuffled())
def _restored(f, tiles, order):
    return tiles, f(tiles[order], order)


undo_tiles = Exercise(
    "my_undo_tiles",
    _sorted_back,
    shuffled(),
    (_in_order, _restored),
    (
        "place k of the puzzle shows tile order[k]: so where does tile i lie?",
        "tile i lies where order is i; np.argsort(order) says so for every i",
        "return tiles[np.argsort(order)]; or write original[order] = tiles",
    ),
    (
        Mistake(
            lambda tiles, order: tiles[order],
            "this shuffles once more. Two tiles exchanged come back that way, three in "
            "a circle do not: you need the inverse of the order",
        ),
        Mistake(
            lambda tiles, order: tiles[order[::-1]],
            "an order read backwards is not its inverse",
        ),
        Mistake(
            lambda tiles, order: tiles[::-1],
            "this turns the row of tiles round, whatever the order",
        ),
        Mistake(
            lambda tiles, order: tiles,
            "these are the tiles as they came",
        ),
    ),
)

EXERCISES = {e.name: e for e in (fits, undo_swaps, undo_tiles)}
