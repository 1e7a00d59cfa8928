"""Exercises of lesson 8: Dice in the view, stitched patches, an honest threshold."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_dice_in_view


def grids(height, width):
    """Draw a bool array."""
    bits = st.lists(st.booleans(), min_size=height * width, max_size=height * width)
    return bits.map(lambda row: np.reshape(row, (height, width)))


shapes = st.sampled_from(((1, 3), (2, 2), (2, 3)))
pairs = shapes.flatmap(lambda shape: st.tuples(*[grids(*shape)] * 2))
triples = shapes.flatmap(lambda shape: st.tuples(*[grids(*shape)] * 3))


def _dice(mask_true, mask_pred, view):
    """Return Dice inside the view; the right answer."""
    true, pred = mask_true[view], mask_pred[view]
    total = true.sum() + pred.sum()
    return 2 * (true & pred).sum() / total if total else np.nan


def _or_else(mask_true, mask_pred, view, otherwise):
    """Return Dice inside the view, something else where it is 0/0."""
    score = _dice(mask_true, mask_pred, view)
    return otherwise if np.isnan(score) else score


def _cut_above_only(mask_true, mask_pred, view):
    """Cut what both marked to the view, and not what each marked."""
    total = mask_true.sum() + mask_pred.sum()
    return 2 * (mask_true & mask_pred & view).sum() / total if total else np.nan


def _iou(mask_true, mask_pred, view):
    """Return the shared area over the joint one."""
    true, pred = mask_true[view], mask_pred[view]
    joint = (true | pred).sum()
    return (true & pred).sum() / joint if joint else np.nan


@law(
    "A mask agrees with itself; 0/0 is nan.",
    pairs,
)
def _itself(f, mask, view):
    return (1.0 if (mask & view).any() else np.nan), f(mask, mask, view)


@law("It does not matter who drew which mask.", triples)
def _either_way(f, mask_true, mask_pred, view):
    return f(mask_true, mask_pred, view), f(mask_pred, mask_true, view)


@law("What is marked outside the view does not count.", triples)
def _outside(f, mask_true, mask_pred, view):
    return f(mask_true, mask_pred, view), f(mask_true, mask_pred | ~view, view)


dice_in_view = Exercise(
    "my_dice_in_view",
    _dice,
    triples,
    (_itself, _either_way, _outside),
    (
        "first throw away what lies outside the view, in both masks",
        "count three areas: marked by both, by the first, by the second; twice the "
        "first over the sum of the others",
        "true, pred = mask_true[view], mask_pred[view]; total = true.sum() + "
        "pred.sum(); 2 * (true & pred).sum() / total, and np.nan where total is 0",
    ),
    (
        Mistake(
            lambda mask_true, mask_pred, view: _dice(
                mask_true, mask_pred, np.ones_like(view)
            ),
            "the view is not used: marks on the black frame count",
        ),
        Mistake(
            lambda mask_true, mask_pred, view: _dice(
                mask_true & view, mask_pred, np.ones_like(view)
            ),
            "only one mask is cut to the view: cut both",
        ),
        Mistake(
            _cut_above_only,
            "the shared area is cut to the view, the two areas below the line are not",
        ),
        Mistake(
            lambda *case: _or_else(*case, 0.0),
            "two empty masks share nothing and miss nothing: 0/0 is nan, not 0",
        ),
        Mistake(
            lambda *case: _or_else(*case, 1.0),
            "two empty masks are no perfect drawing: 0/0 is nan, not 1",
        ),
        Mistake(
            lambda mask_true, mask_pred, view: np.mean(
                (mask_true == mask_pred)[view] if view.any() else np.nan
            ),
            "this is accuracy: marking nothing would score .8",
        ),
        Mistake(
            _iou,
            "this divides by the joint area (IoU); Dice doubles the shared area and "
            "divides by the sum of both",
        ),
    ),
)

# ---- my_overlap_average


@st.composite
def stitches(draw):
    """Draw patches, their corners, and the size of the picture they lie in."""
    size = draw(st.integers(1, 2))
    height, width = (size + draw(st.integers(0, 2)) for _ in range(2))
    corner = st.tuples(st.integers(0, height - size), st.integers(0, width - size))
    corners = draw(st.lists(corner, min_size=1, max_size=3))
    pixels = len(corners) * size * size
    values = st.sampled_from((0.0, 1.0, 0.5))
    numbers = draw(st.lists(values, min_size=pixels, max_size=pixels))
    return np.reshape(numbers, (-1, size, size)), np.array(corners), height, width


def _sums(patches, corners, height, width):
    """Return the sum of all patches at each pixel, and how many there were."""
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for patch, (y, x) in zip(patches, corners, strict=True):
        place = np.s_[y : y + len(patch), x : x + len(patch)]
        total[place] += patch
        count[place] += 1
    return total, count


def _average(patches, corners, height, width):
    """Stitch patches by averaging; the right answer."""
    total, count = _sums(patches, corners, height, width)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _overwritten(patches, corners, height, width, *, first=False):
    """Let one patch have each pixel: the last, or the first."""
    stitched = np.full((height, width), np.nan)
    order = slice(None, None, -1) if first else slice(None)
    for patch, (y, x) in zip(patches[order], corners[order], strict=True):
        stitched[y : y + len(patch), x : x + len(patch)] = patch
    return stitched


def _running(patches, corners, height, width):
    """Halve the distance to each next patch."""
    stitched = np.full((height, width), np.nan)
    for patch, (y, x) in zip(patches, corners, strict=True):
        place = np.s_[y : y + len(patch), x : x + len(patch)]
        before = np.where(np.isnan(stitched[place]), patch, stitched[place])
        stitched[place] = (before + patch) / 2
    return stitched


@law("Patches of one value give that value, wherever they lie.", stitches())
def _flat(f, patches, corners, height, width):
    covered = _sums(patches, corners, height, width)[1] > 0
    stitched = f(np.full_like(patches, 0.25), corners, height, width)
    return np.where(covered, 0.25, np.nan), stitched


@law("The order of the patches does not matter.", stitches())
def _any_order(f, patches, corners, height, width):
    forwards = f(patches, corners, height, width)
    return forwards, f(patches[::-1], corners[::-1], height, width)


overlap_average = Exercise(
    "my_overlap_average",
    _average,
    stitches(),
    (_flat, _any_order),
    (
        "keep two maps: the sum of all patches at each pixel, and how many there were",
        "total[y : y + s, x : x + s] += patch and count[y : y + s, x : x + s] += 1; "
        "divide at the end",
        "return np.where(count > 0, total / np.maximum(count, 1), np.nan)",
    ),
    (
        Mistake(
            _overwritten,
            "each patch overwrites the one before: add them up, and count",
        ),
        Mistake(
            lambda *case: _overwritten(*case, first=True),
            "the first patch keeps the pixel: add all of them up, and count",
        ),
        Mistake(
            lambda *case: _sums(*case)[0],
            "this is the sum: divide by the number of patches at each pixel",
        ),
        Mistake(
            lambda patches, corners, height, width: (
                _sums(patches, corners, height, width)[0] / len(patches)
            ),
            "divide by the patches that lie on a pixel, not by all patches",
        ),
        Mistake(
            lambda *case: np.nan_to_num(_average(*case)),
            "where no patch lies nothing is known: nan, not 0",
        ),
        Mistake(
            _running,
            "halving with each new patch gives the last one most weight: sum, count, "
            "and divide once",
        ),
    ),
)

# ---- my_threshold

CANDIDATES = np.array([0.2, 0.4, 0.6, 0.8])


@st.composite
def validations(draw):
    """Draw probabilities and the truth of some pixels, a vessel among them."""
    n = draw(st.integers(2, 5))
    level = st.sampled_from((0.1, 0.3, 0.5, 0.7, 0.9, 0.4))
    probability = draw(st.lists(level, min_size=n, max_size=n))
    truth = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    return np.array(probability), np.array(truth), CANDIDATES


def _dice_at(probability, truth, candidates):
    """Return the Dice of each candidate."""
    found = probability >= candidates[:, None]
    return 2 * (found & truth).sum(1) / (found.sum(1) + truth.sum())


def _threshold(probability, truth, candidates):
    """Return the first candidate of the highest Dice; the right answer."""
    return candidates[np.argmax(_dice_at(probability, truth, candidates))]


def _most_accurate(probability, truth, candidates):
    """Choose by accuracy."""
    right = (probability >= candidates[:, None]) == truth
    return candidates[np.argmax(right.mean(1))]


def _strictly(probability, truth, candidates):
    """Mark what lies above the threshold, not on it."""
    found = probability > candidates[:, None]
    scores = 2 * (found & truth).sum(1) / (found.sum(1) + truth.sum())
    return candidates[np.argmax(scores)]


@law("The threshold is one of the candidates.", validations())
def _a_candidate(f, probability, truth, candidates):
    return True, bool(np.isin(f(probability, truth, candidates), candidates))


@law("No candidate has a higher Dice.", validations())
def _none_better(f, probability, truth, candidates):
    scores = _dice_at(probability, truth, candidates)
    answer = f(probability, truth, candidates)
    return scores.max(), scores[np.flatnonzero(candidates == answer)[0]]


threshold = Exercise(
    "my_threshold",
    _threshold,
    validations(),
    (_a_candidate, _none_better),
    (
        "try every candidate: mark, compute Dice, keep the best",
        "found = probability >= t; Dice is 2 * (found & truth).sum() / (found.sum() + "
        "truth.sum())",
        "scores = [dice of t for t in candidates]; return "
        "candidates[np.argmax(scores)], and argmax takes the first of equals",
    ),
    (
        Mistake(
            _most_accurate,
            "this maximises accuracy, which likes to mark nothing: maximise Dice",
        ),
        Mistake(
            lambda probability, truth, candidates: 0.5,
            "a fixed .5 looks at nothing: try the candidates",
        ),
        Mistake(
            lambda probability, truth, candidates: np.max(
                _dice_at(probability, truth, candidates)
            ),
            "this is the best Dice: asked is the candidate that reaches it",
        ),
        Mistake(
            lambda probability, truth, candidates: np.argmax(
                _dice_at(probability, truth, candidates)
            ),
            "this is the candidate's position: return candidates[position]",
        ),
        Mistake(_strictly, "a pixel on the threshold is marked: >=, not >"),
        Mistake(
            lambda probability, truth, candidates: candidates[::-1][
                np.argmax(_dice_at(probability, truth, candidates)[::-1])
            ],
            "of equal candidates take the lowest: the first, not the last",
        ),
    ),
)

EXERCISES = {e.name: e for e in (dice_in_view, overlap_average, threshold)}
