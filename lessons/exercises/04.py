"""Exercises of lesson 4: four turns, their loss, and what a table of answers says."""

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged

shapes = st.sampled_from([(n, side, side) for n in (1, 2, 3) for side in (2, 3)])
pictures = shapes.map(lambda shape: np.arange(np.prod(shape)).reshape(shape) + 0.5)


def my_four_turns(images):
    return np.stack([np.rot90(images, k, (1, 2)) for k in range(4)], axis=1)


def one_more(f, images):
    turned = np.asarray(f(images))
    return np.roll(turned, -1, axis=1), np.rot90(turned, 1, (2, 3))


laws = {
    "Place 0 holds the images as they are.": Law(
        lambda f, images: (images, np.asarray(f(images))[:, 0]),
        labels=("images", "place 0"),
    ),
    "One turn more leads from each place to the next, and from 3 to 0.": Law(
        one_more, labels=("next", "turned")
    ),
}
hints = """
- np.rot90 turns counter-clockwise, and takes the two axes to turn in
- the images lie in the axes 1 and 2: np.rot90(images, k, (1, 2)) turns all of them k
  times
- np.stack([... for k in range(4)], axis=1) puts the four beside each other, image by
  image
- these turn clockwise: a right number of turns the other way round gives 90 the label
  of 270
      (1, 2) -> (2, 1)
- a transposed or mirrored image is not a turned one: a right eye would become a left
  eye
      np.stack([images, images.mT, images[:, ::-1], images.mT[:, ::-1]], axis=1)
- the four turns stand in one row of 4 N images; keep them in an axis of their own:
  np.stack, axis=1
      np.concatenate(my_four_turns(images))
"""
four_turns = Exercise(my_four_turns, pictures, laws=laws, hints=hints)

half_steps = st.integers(-8, 8).map(lambda k: k / 2)
answers = columns(st.tuples(*[half_steps] * 4), st.integers(0, 3), most=4)


def my_cross_entropy(logits, turns):
    z = logits - logits.max(axis=1, keepdims=True)
    wanted = z[np.arange(len(turns)), turns]
    return np.mean(np.log(np.exp(z).sum(axis=1)) - wanted)


def ahead(logits, turns):  # in every other image
    at = np.eye(4)[turns[::-1]]
    return logits + 1000 * at * (1 - np.arange(len(turns)) % 2)[:, None], turns


def equal(f, level):  # a float32 of 1000 has three places
    return round(math.log(4), 3), np.round(f(np.full((1, 4), level), np.array([2])), 3)


laws = {
    "Equal logits cost ln 4, however large they are.": Law(
        equal, st.sampled_from((0.0, 1.0, -3.0, 1000.0, -1000.0))
    ),
    "A number added to all four logits of an image changes nothing.": unchanged(
        lambda logits, turns: (logits + 1 + np.arange(len(turns))[:, None], turns),
        "shifted",
    ),
    "A logit ahead by 1000 costs that where it is wrong, whatever lies beside.": gives(
        my_cross_entropy, ahead
    ),
}
hints = """
- log Σ exp z - z[t] for each image, t its true turn; then the mean
- logits[np.arange(len(turns)), turns] are the logits of the true turns; subtract the
  largest logit of each image first, or exp runs over
- z = logits - logits.max(axis=1, keepdims=True); return
  np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(turns)), turns])
- right for small logits only: exp(1000) is infinite, exp(-1000) is 0. Subtract each
  image's own largest logit first, and take the log of the sum, not of a share
      - logits.max(axis=1, keepdims=True) ->
- this is the sum over the images: a batch twice as large would cost twice
      np.mean -> np.sum
- logits[:, turns] asks every image for the turns of all images;
  logits[np.arange(len(turns)), turns] asks each for its own
      z[np.arange(len(turns)), turns] -> z[:, turns]
      axis=1)) - -> axis=1, keepdims=True)) -
"""
cross_entropy = Exercise(my_cross_entropy, answers, laws=laws, hints=hints)

table = hnp.arrays(np.int64, (4, 4), elements=st.integers(0, 5), fill=st.nothing())
tables = st.tuples(table, st.sampled_from((1, 100)))
tables = tables.map(lambda pair: pair[0] * pair[1]).filter(np.any)
PARITY = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0
NEIGHBOURS = np.equal.outer(np.arange(4) // 2, np.arange(4) // 2)


def my_axis_and_way(table):
    on_axis, right = table[PARITY].sum(), np.trace(table)
    return np.array([on_axis / table.sum(), right / on_axis if on_axis else math.nan])


laws = {
    "Where all answers are right, both shares are 1.": gives(
        np.ones(2), tables.map(lambda table: np.diag(1 + table[0]))
    ),
    "Photographs that all lie turned by 90 change nothing.": unchanged(
        lambda table: (np.roll(table, (1, 1), axis=(0, 1)),), "turned"
    ),
    "No answer on the right axis: the second share is nan.": gives(
        np.array([0.0, math.nan]), st.integers(1, 5).map(lambda n: n * (1 - PARITY))
    ),
}
hints = """
- 0 and 2 quarter turns share an axis, and so do 1 and 3: which cells of the table are
  on the right axis?
- a cell is on it where row plus column is even; table[0::2, 0::2] and table[1::2, 1::2]
  hold just these
- on_axis = table[0::2, 0::2].sum() + table[1::2, 1::2].sum(); the shares are on_axis /
  table.sum() and np.trace(table) / on_axis
- the second share is of the answers on the right axis, not of all: this is the accuracy
      right / on_axis if on_axis else math.nan -> right / table.sum()
- 0 and 90 degrees are neighbours, not an axis: 0 belongs to 180
      PARITY -> NEIGHBOURS
- all right but one case: with no answer on the right axis the second share is 0/0,
  which is nan, not 0
      math.nan -> 0.0
"""
axis_and_way = Exercise(my_axis_and_way, tables, laws=laws, hints=hints)
