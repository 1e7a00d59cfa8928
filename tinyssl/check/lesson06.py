"""Exercises of lesson 6: restore the context."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_moved


@st.composite
def swapped(draw):
    """Draw swaps of disjoint patches, one perhaps undone at once, and the sides."""
    size = draw(st.integers(1, 2))
    height, width = (2 * size + draw(st.integers(0, 2)) for _ in range(2))
    rows = st.integers(0, height - size)
    columns = st.integers(0, width - size)
    swap = st.tuples(rows, columns, rows, columns).filter(
        lambda s: abs(s[0] - s[2]) >= size or abs(s[1] - s[3]) >= size
    )
    swaps = draw(st.lists(swap, max_size=3))
    if swaps and draw(st.booleans()):
        swaps = [*swaps, swaps[-1]]
    return np.array(swaps, int).reshape(-1, 4), height, width, size


def _follow(swaps, height, width, patch_size):
    """Return who stands where in the end, by number."""
    names = np.arange(height * width).reshape(height, width)
    for y1, x1, y2, x2 in swaps:
        patch1 = names[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = names[y2 : y2 + patch_size, x2 : x2 + patch_size]
        keep = patch1.copy()
        patch1[:] = patch2
        patch2[:] = keep
    return names


def _moved(swaps, height, width, patch_size):
    """Compare who stands there with who stood there; the right answer."""
    names = _follow(swaps, height, width, patch_size)
    return names != np.arange(height * width).reshape(height, width)


def _every_patch(swaps, height, width, patch_size):
    """Mark all pixels of all patches."""
    mask = np.zeros((height, width), bool)
    for y, x in swaps.reshape(-1, 2):
        mask[y : y + patch_size, x : x + patch_size] = True
    return mask


def _columns_first(swaps, height, width, patch_size):
    """Read corners as (x, y)."""
    return _every_patch(
        swaps.reshape(-1, 2)[:, ::-1].reshape(-1, 4), height, width, patch_size
    )


@law("No swaps, nothing moved.", swapped().map(lambda case: case[1:]))
def _nothing(f, height, width, patch_size):
    expected = np.zeros((height, width), bool)
    return expected, f(np.empty((0, 4), int), height, width, patch_size)


@law(
    "One swap moves both patches.",
    swapped().filter(lambda c: len(c[0])).map(lambda c: (c[0][:1], *c[1:])),
)
def _both(f, swaps, height, width, patch_size):
    return 2 * patch_size**2, np.sum(f(swaps, height, width, patch_size))


@law("Swaps that are undone moved nothing.", swapped())
def _undone(f, swaps, height, width, patch_size):
    undone = np.concatenate([swaps, swaps[::-1]])
    expected = np.zeros((height, width), bool)
    return expected, f(undone, height, width, patch_size)


moved = Exercise(
    "my_moved",
    _moved,
    swapped(),
    (_nothing, _both, _undone),
    (
        "a pixel moved if another one stands in its place in the end",
        "number the pixels: names = np.arange(height * width).reshape(height, width); "
        "do the swaps on the names, one after another",
        "return names != np.arange(height * width).reshape(height, width), after each "
        "swap exchanged its two patches through a copy",
    ),
    (
        Mistake(
            _every_patch,
            "these are all pixels of all patches: a later swap may bring a pixel home",
        ),
        Mistake(
            lambda swaps, *rest: _every_patch(swaps[:, :2], *rest),
            "only the first patch of each swap: the second one moves too",
        ),
        Mistake(
            lambda swaps, *rest: _moved(swaps[-1:], *rest),
            "only the last swap: go through all of them",
        ),
        Mistake(
            _columns_first,
            "corners are (y, x): the first number says how far down",
        ),
        Mistake(
            lambda swaps, height, width, patch_size: _every_patch(
                swaps, height, width, patch_size - 1
            ),
            "a patch at y ends before y + patch_size: you lost its last row and column",
        ),
    ),
)


# ---- my_masked_mse


@st.composite
def pairs(draw):
    """Draw two images of bytes and a mask, perhaps all or nothing."""
    n = draw(st.integers(1, 4))
    pixels = st.lists(st.sampled_from((0, 255, 51, 102)), min_size=n, max_size=n)
    image, restored = (np.array([draw(pixels)], np.uint8) for _ in range(2))
    where = np.array([draw(st.lists(st.booleans(), min_size=n, max_size=n))])
    return image, restored, where


def _parts(squared, where):
    """Average inside and outside a mask, nan where there is nothing."""
    return [
        float(squared[part].mean()) if part.any() else math.nan
        for part in (where, ~where)
    ]


def _masked(image, restored, where):
    """Return both errors; the right answer."""
    return _parts(np.square(image / 255 - restored / 255), where)


def _diluted(image, restored, where):
    """Divide by all pixels."""
    squared = np.square(image / 255 - restored / 255)
    return [(squared * part).mean() for part in (where, ~where)]


@law("A perfect restoration has no error, and no pixels no answer.", pairs())
def _perfect(f, image, restored, where):
    return _masked(image, image, where), f(image, image, where)


@law("Exchanging the images changes nothing.", pairs())
def _either_way(f, image, restored, where):
    return f(image, restored, where), f(restored, image, where)


@law("Turning the mask round exchanges the errors.", pairs())
def _turned(f, image, restored, where):
    return f(image, restored, where)[::-1], f(image, restored, ~where)


masked_mse = Exercise(
    "my_masked_mse",
    _masked,
    pairs(),
    (_perfect, _either_way, _turned),
    (
        "square the differences once, then average two parts of them",
        "divide the bytes by 255 before you subtract; squared[where] are the pixels "
        "inside, squared[~where] the others",
        "squared = np.square(image / 255 - restored / 255); return "
        "squared[where].mean() and squared[~where].mean(), nan where a part is empty",
    ),
    (
        Mistake(
            lambda image, restored, where: _parts((image - restored) ** 2.0, where),
            "bytes wrap around: 0 - 1 is 255. Divide by 255 first, which makes floats",
        ),
        Mistake(
            lambda image, restored, where: _parts(
                ((image - restored) / 255.0) ** 2, where
            ),
            "bytes wrap around: 0 - 1 is 255. Divide by 255 before you subtract",
        ),
        Mistake(
            lambda image, restored, where: _parts(
                (image.astype(float) - restored) ** 2, where
            ),
            "these are errors of bytes: values in [0, 1] were asked for",
        ),
        Mistake(
            _diluted,
            "you divide by all pixels: few moved pixels then look like a small error",
        ),
        Mistake(
            lambda *case: np.nan_to_num(_masked(*case)),
            "all right but one case: an empty part. The error of no pixels is nan, not "
            "0, which would be perfect",
        ),
        Mistake(
            lambda *case: _masked(*case)[::-1],
            "the other way round: inside the mask first, then outside",
        ),
        Mistake(
            lambda image, restored, where: _parts(
                np.abs(image / 255 - restored / 255), where
            ),
            "these are absolute errors: square the differences",
        ),
    ),
)


# ---- my_share_left


@st.composite
def errors(draw):
    """Draw the errors of some images, restored and copied; nan in both or in none."""
    n = draw(st.integers(1, 4))
    values = st.lists(st.sampled_from((0.0, 1.0, 2.0, 4.0)), min_size=n, max_size=n)
    restored, copied = (np.array(draw(values)) for _ in range(2))
    empty = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    restored[empty] = copied[empty] = math.nan
    return restored, copied


some_error = errors().map(lambda case: case[1]).filter(lambda e: np.nansum(e) > 0)


def _share(restored, copied):
    """Divide the sums of the known errors; the right answer."""
    total = np.nansum(copied)
    return float(np.nansum(restored) / total) if total else math.nan


def _mean_of_ratios(restored, copied):
    """Average a ratio an image."""
    known = copied > 0
    ratios = restored[known] / copied[known]
    return float(ratios.mean()) if known.any() else math.nan


def _unknown_spreads(restored, copied):
    """Let one nan decide."""
    total = copied.sum()
    return float(restored.sum() / total) if total else math.nan


@law("Whoever copies leaves all: 1.", st.tuples(some_error))
def _copies(f, copied):
    return 1.0, f(copied, copied)


@law("Whoever restores all leaves nothing: 0.", st.tuples(some_error))
def _restores(f, copied):
    return 0.0, f(0 * copied, copied)


@law("Where copying makes no error there is no share: nan.", errors())
def _no_error(f, restored, copied):
    return math.nan, f(restored, 0 * copied)


share_left = Exercise(
    "my_share_left",
    _share,
    errors(),
    (_copies, _restores, _no_error),
    (
        "how much error is there in all, and how much would copying have made?",
        "add up each of the two without the nan, np.nansum, then divide",
        "total = np.nansum(copied); return np.nansum(restored) / total, and nan where "
        "total is 0",
    ),
    (
        Mistake(
            _mean_of_ratios,
            "this averages a ratio an image: an image in which hardly anything moved "
            "then weighs as much as all others. Add up first, then divide",
        ),
        Mistake(
            lambda *case: 1 - _share(*case),
            "this is the share that was restored: what is left was asked for",
        ),
        Mistake(
            _unknown_spreads,
            "one image without moved pixels (nan) makes all of it nan: leave it out",
        ),
        Mistake(
            lambda restored, copied: float(np.nansum(restored) - np.nansum(copied)),
            "a difference depends on how much was swapped: divide by copying's error",
        ),
        Mistake(
            lambda *case: 0.0 if np.nansum(case[1]) == 0 else _share(*case),
            "all right but one case: copying without error. 0/0 is nan, not 0",
        ),
        Mistake(
            lambda a, b: math.inf if np.nansum(a) > 0 == np.nansum(b) else _share(a, b),
            "all right but one case: copying without error. Something over 0 is inf, "
            "but there is no share of nothing: nan",
        ),
        Mistake(
            lambda *case: min(1.0, _share(*case)),
            "a network can do worse than copying: do not cut the share off at 1",
        ),
    ),
)

EXERCISES = {e.name: e for e in (moved, masked_mse, share_left)}
