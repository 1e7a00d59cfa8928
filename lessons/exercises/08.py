"""Exercises of lesson 8: Dice in the view, stitched patches, an honest threshold."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Law, columns, gives, holds, unchanged

shapes = st.sampled_from(((1, 3), (2, 2), (2, 3)))
masks = shapes.flatmap(
    lambda shape: st.tuples(*[hnp.arrays(bool, shape, fill=st.nothing())] * 3)
)


def my_dice_in_view(mask_true, mask_pred, view):
    return metrics.dice(mask_true, mask_pred, region=view)


laws = {
    "A mask agrees with itself; 0/0 is nan.": gives(
        lambda mask, _, view: 1.0 if (mask & view).any() else np.nan,
        lambda _, mask, view: (mask, mask, view),
    ),
    "It does not matter who drew which mask.": unchanged(
        lambda mask_true, mask_pred, view: (mask_pred, mask_true, view), "swapped"
    ),
    "What is marked outside the view does not count.": unchanged(
        lambda mask_true, mask_pred, view: (mask_true, mask_pred | ~view, view),
        "marked",
    ),
    "Every pixel 300 times changes nothing.": unchanged(
        lambda *masks: tuple(np.repeat(mask, 300, axis=1) for mask in masks),
        "300 times",
    ),
}
hints = """
- first throw away what lies outside the view, in both masks
- count three areas: marked by both, by the first, by the second; twice the first over
  the sum of the others
- true, pred = mask_true[view], mask_pred[view]; total = true.sum() + pred.sum(); 2 *
  (true & pred).sum() / total, and np.nan where total is 0
- the view is not used: marks on the black frame count
      , region=view ->
- two empty masks share nothing and miss nothing: 0/0 is nan, not 0
      region=view -> region=view, undefined=0.0
- this divides by the joint area (IoU); Dice doubles the shared area and divides by the
  sum of both
      metrics.dice -> metrics.iou
"""
dice_in_view = Exercise(my_dice_in_view, masks, laws=laws, hints=hints)


@st.composite
def stitches(draw):
    size = draw(st.integers(1, 2))
    height, width = (size + draw(st.integers(0, 2)) for _ in range(2))
    corner = st.tuples(st.integers(0, height - size), st.integers(0, width - size))
    corners = draw(st.lists(corner, min_size=1, max_size=3))
    values = st.sampled_from((0.0, 1.0, 0.5))
    patches = hnp.arrays(float, (len(corners), size, size), elements=values)
    return draw(patches), np.array(corners), height, width


def my_overlap_average(patches, corners, height, width):
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for patch, (y, x) in zip(patches, corners, strict=True):
        total[y : y + len(patch), x : x + len(patch)] += patch
        count[y : y + len(patch), x : x + len(patch)] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


laws = {
    "Patches of one value give that value, wherever they lie.": gives(
        my_overlap_average, lambda patches, *rest: (0 * patches + 1, *rest)
    ),
    "The order of the patches does not matter.": unchanged(
        lambda patches, corners, *sizes: (patches[::-1], corners[::-1], *sizes),
        "reversed",
    ),
    "Every patch 300 times changes nothing.": unchanged(
        lambda *case: (*(np.repeat(part, 300, axis=0) for part in case[:2]), *case[2:]),
        "300 times",
    ),
}
hints = """
- keep two maps: the sum of all patches at each pixel, and how many there were
- total[y : y + s, x : x + s] += patch and count[y : y + s, x : x + s] += 1; divide at
  the end
- return np.where(count > 0, total / np.maximum(count, 1), np.nan)
- each patch overwrites the one before: add them up, and count
      += -> =
- this is the sum: divide by the number of patches at each pixel
      np.where(count > 0, total / np.maximum(count, 1), np.nan) -> total
- where no patch lies nothing is known: nan, not 0
      np.nan -> 0.0
"""
overlap_average = Exercise(my_overlap_average, stitches(), laws=laws, hints=hints)

level = st.sampled_from((0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0))
pixels = columns(level, st.booleans(), least=2, most=5).filter(lambda c: c[1].any())
candidates = st.lists(level, unique=True, min_size=1, max_size=5).map(np.array)


def my_threshold(probability, truth, candidates):
    candidates = np.sort(candidates)
    return candidates[np.argmax(dice_at(probability, truth, candidates))]


def dice_at(probability, truth, candidates, mark=np.greater_equal):
    found = mark(probability, candidates[:, None])
    return 2 * (found & truth).sum(1) / (found.sum(1) + truth.sum())


def none_better(f, probability, truth, candidates):
    nearest = np.argmin(np.abs(candidates - f(probability, truth, candidates)))
    scores = dice_at(probability, truth, candidates)
    return scores.max(), scores[nearest]


def ties_are_exact(probability, truth, candidates):  # whatever way Dice is computed
    marked = np.unique(probability >= candidates[:, None], axis=0)
    return len(np.unique(dice_at(probability, truth, candidates))) == len(marked)


cases = st.tuples(pixels, candidates).map(lambda case: (*case[0], case[1]))
cases = cases.filter(lambda case: ties_are_exact(*case))
laws = {
    "The threshold is one of the candidates.": holds(
        lambda t, *case: np.isclose(t, case[2]).any()
    ),
    "No candidate has a higher Dice.": Law(none_better, labels=("highest", "this one")),
    "The order of the candidates does not matter.": unchanged(
        lambda *case: (*case[:2], case[2][::-1]), "reversed"
    ),
}
hints = """
- try every candidate: mark, compute Dice, keep the best
- found = probability >= t; Dice is 2 * (found & truth).sum() / (found.sum() +
  truth.sum())
- candidates = np.sort(candidates); scores = [dice of t for t in candidates]; return
  candidates[np.argmax(scores)], and argmax takes the first of equals
- this maximises accuracy, which likes to mark nothing: maximise Dice
      dice_at(probability, -> np.mean((probability >= candidates[:, None]) ==
      truth, candidates)) -> truth, 1))
- this is the candidate's position: return candidates[position]
      np.argmax(dice_at(probability, truth, candidates))
- a pixel on the threshold is marked: >=, not >
      truth, candidates)) -> truth, candidates, np.greater))
"""
threshold = Exercise(my_threshold, cases, laws=laws, hints=hints)
