"""Exercises of lesson 4: four turns, their loss, and what a table of answers says."""

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyssl.check.exercise import Exercise, Law, unchanged

pictures = st.tuples(st.integers(1, 3), st.integers(2, 3)).map(
    lambda sizes: np.arange(sizes[0] * sizes[1] ** 2).reshape(-1, sizes[1], sizes[1])
)


def my_four_turns(images):
    return np.stack([np.rot90(images, k, (1, 2)) for k in range(4)], axis=1)


def mirrored(images):
    transposed = images.swapaxes(1, 2)
    ways = (images, transposed, images[:, ::-1], transposed[:, ::-1])
    return np.stack(ways, axis=1)


def one_more(f, images):
    turned = np.asarray(f(images))
    return np.roll(turned, -1, axis=1), np.rot90(turned, 1, (2, 3))


four_turns = Exercise(
    my_four_turns,
    pictures,
    laws={
        "Place 0 holds the images as they are.": Law(
            lambda f, images: (images, np.asarray(f(images))[:, 0])
        ),
        "One turn more leads from each place to the next, and from 3 to 0.": Law(
            one_more, labels=("next", "turned")
        ),
    },
    hints=(
        "np.rot90 turns counter-clockwise, and takes the two axes to turn in",
        "the images lie in the axes 1 and 2: np.rot90(images, k, (1, 2)) turns all of "
        "them k times",
        "np.stack([... for k in range(4)], axis=1) puts the four beside each other, "
        "image by image",
    ),
    mistakes={
        "these turn clockwise: a right number of turns the other way round gives 90 "
        "the label of 270": lambda images: my_four_turns(images)[:, [0, 3, 2, 1]],
        "a transposed or mirrored image is not a turned one: a right eye would become "
        "a left eye": mirrored,
        "the four turns stand in one row of 4 N images; keep them in an axis of their "
        "own: np.stack, axis=1": lambda images: np.concatenate(my_four_turns(images)),
    },
)

half_steps = st.integers(-8, 8).map(lambda k: k / 2)
answers = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 4), elements=half_steps),
        hnp.arrays(np.int64, n, elements=st.integers(0, 3)),
    )
)


def my_cross_entropy(logits, turns):
    return losses(logits)[np.arange(len(turns)), turns].mean()


def losses(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted


def naive(logits, turns):
    chosen = logits[np.arange(len(turns)), turns]
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)


def sure(f, answer, turn):
    return 1000 * (answer != turn), f(1000.0 * np.eye(4)[[answer]], np.array([turn]))


cross_entropy = Exercise(
    my_cross_entropy,
    answers,
    laws={
        "Equal logits cost ln 4, however large they are.": Law(
            lambda f, level: (math.log(4), f(np.full((1, 4), level), np.array([2]))),
            st.sampled_from((0.0, 1.0, -3.0, 1000.0, -1000.0)),
        ),
        "A logit ahead by 1000 costs 1000 where it is wrong, 0 where it is right.": (
            Law(sure, st.tuples(st.integers(0, 3), st.integers(0, 3)))
        ),
        "A number added to all four logits of an image changes nothing.": unchanged(
            lambda logits, turns: (logits + 1 + np.arange(len(turns))[:, None], turns),
            "shifted",
        ),
    },
    hints=(
        "log Σ exp z - z[t] for each image, t its true turn; then the mean",
        "logits[np.arange(len(turns)), turns] are the logits of the true turns; "
        "subtract the largest logit of each image first, or exp runs over",
        "z = logits - logits.max(axis=1, keepdims=True); return "
        "np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(turns)), turns])",
    ),
    mistakes={
        "right for small logits only: exp(1000) is infinite and exp(-1000) is 0. "
        "Subtract each image's largest logit first": naive,
        "this is the sum over the images: a batch twice as large would cost twice": (
            lambda logits, turns: my_cross_entropy(logits, turns) * len(turns)
        ),
        "logits[:, turns] asks every image for the turns of all images; "
        "logits[np.arange(len(turns)), turns] asks each for its own": (
            lambda logits, turns: losses(logits)[:, turns].mean()
        ),
    },
)

tables = hnp.arrays(
    np.int64, (4, 4), elements=st.integers(0, 5), fill=st.nothing()
).filter(np.any)
PARITY = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0
NEIGHBOURS = np.equal.outer(np.arange(4) // 2, np.arange(4) // 2)


def my_axis_and_way(table, same=PARITY):
    on_axis = table[same].sum()
    way = np.trace(table) / on_axis if on_axis else math.nan
    return np.array([on_axis / table.sum(), way])


axis_and_way = Exercise(
    my_axis_and_way,
    tables,
    laws={
        "Where all answers are right, both shares are 1.": Law(
            lambda f, table: (np.ones(2), f(table)),
            hnp.arrays(np.int64, 4, elements=st.integers(1, 5)).map(np.diag),
        ),
        "Photographs that all lie turned by 90 change nothing.": unchanged(
            lambda table: (np.roll(table, (1, 1), axis=(0, 1)),), "turned"
        ),
        "No answer on the right axis: the second share is nan.": Law(
            lambda f, table: (np.array([0.0, math.nan]), f(table)),
            st.integers(1, 5).map(lambda n: n * (1 - PARITY)),
        ),
    },
    hints=(
        "0 and 2 quarter turns share an axis, and so do 1 and 3: which cells of the "
        "table are on the right axis?",
        "a cell is on it where row plus column is even; table[0::2, 0::2] and "
        "table[1::2, 1::2] hold just these",
        "on_axis = table[0::2, 0::2].sum() + table[1::2, 1::2].sum(); the shares are "
        "on_axis / table.sum() and np.trace(table) / on_axis",
    ),
    mistakes={
        "the second share is of the answers on the right axis, not of all: this is the "
        "accuracy": lambda table: (
            np.array([table[PARITY].sum(), np.trace(table)]) / table.sum()
        ),
        "0 and 90 degrees are neighbours, not an axis: 0 belongs to 180": (
            lambda table: my_axis_and_way(table, NEIGHBOURS)
        ),
        "all right but one case: with no answer on the right axis the second share is "
        "0/0, which is nan, not 0": lambda table: np.nan_to_num(my_axis_and_way(table)),
    },
)
