"""Exercises of lesson 4: four turns, their loss, and what a table of answers says."""

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_four_turns


@st.composite
def pictures(draw):
    """Draw a few square images in which every pixel has a name."""
    n, side = draw(st.integers(1, 3)), draw(st.integers(2, 3))
    return (np.arange(n * side * side).reshape(n, side, side),)


def _four_turns(images):
    """Turn every image four ways; the right answer."""
    return np.stack([np.rot90(images, k, (1, 2)) for k in range(4)], axis=1)


def _mirrored(images):
    """Take mirror images for turns."""
    transposed = images.swapaxes(1, 2)
    ways = (images, transposed, images[:, ::-1], transposed[:, ::-1])
    return np.stack(ways, axis=1)


@law("Place 0 holds the images as they are.", pictures())
def _as_they_are(f, images):
    return images, np.asarray(f(images))[:, 0]


@law(
    "One turn more leads from each place to the next, and from 3 to 0.",
    pictures(),
    labels=("next", "turned"),
)
def _one_more(f, images):
    turned = np.asarray(f(images))
    return np.roll(turned, -1, axis=1), np.rot90(turned, 1, (2, 3))


four_turns = Exercise(
    "my_four_turns",
    _four_turns,
    pictures(),
    (_as_they_are, _one_more),
    (
        "np.rot90 turns counter-clockwise, and takes the two axes to turn in",
        "the images lie in the axes 1 and 2: np.rot90(images, k, (1, 2)) turns all of "
        "them k times",
        "np.stack([... for k in range(4)], axis=1) puts the four beside each other, "
        "image by image",
    ),
    (
        Mistake(
            lambda images: _four_turns(images)[:, [0, 3, 2, 1]],
            "these turn clockwise: a right number of turns the other way round gives "
            "90 the label of 270",
        ),
        Mistake(
            lambda images: np.stack([images] * 4, axis=1),
            "four copies, and none is turned: the label would be a lottery",
        ),
        Mistake(
            _mirrored,
            "a transposed or mirrored image is not a turned one: a right eye would "
            "become a left eye",
        ),
        Mistake(
            lambda images: _four_turns(images).swapaxes(0, 1),
            "all first turns come first here; the shape wanted is (N, 4, S, S): stack "
            "along axis 1",
        ),
        Mistake(
            lambda images: np.concatenate(_four_turns(images)),
            "the four turns stand in one row of 4 N images; keep them in an axis of "
            "their own: np.stack, axis=1",
        ),
    ),
)


# ---- my_cross_entropy


@st.composite
def answers(draw):
    """Draw logits of a few images, and their turns."""
    n = draw(st.integers(1, 4))
    half_steps = st.integers(-8, 8).map(lambda k: k / 2)
    logits = draw(hnp.arrays(np.float64, (n, 4), elements=half_steps))
    turns = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    return logits, np.array(draw(turns))


def _log_probabilities(logits):
    """Return the log-softmax."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _each(logits, turns):
    """Return the loss of each image."""
    return -_log_probabilities(logits)[np.arange(len(turns)), turns]


def _cross_entropy(logits, turns):
    """Average the losses; the right answer."""
    return _each(logits, turns).mean()


def _naive(logits, turns):
    """Leave the largest logit in."""
    chosen = logits[np.arange(len(turns)), turns]
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)


@law(
    "Equal logits cost ln 4, however large they are.",
    st.tuples(st.sampled_from((0.0, 1.0, -3.0, 1000.0, -1000.0)), st.integers(0, 3)),
)
def _nothing_known(f, level, turn):
    return math.log(4), f(np.full((1, 4), level), np.array([turn]))


@law(
    "A number added to all four logits of an image changes nothing.",
    st.tuples(answers(), st.integers(1, 9)).map(lambda case: (*case[0], case[1])),
    labels=("as given", "shifted"),
)
def _shifted(f, logits, turns, number):
    return f(logits, turns), f(logits + number, turns)


cross_entropy = Exercise(
    "my_cross_entropy",
    _cross_entropy,
    answers(),
    (_nothing_known, _shifted),
    (
        "log Σ exp z - z[t] for each image, t its true turn; then the mean",
        "logits[np.arange(len(turns)), turns] are the logits of the true turns; "
        "subtract the largest logit of each image first, or exp runs over",
        "z = logits - logits.max(axis=1, keepdims=True); return "
        "np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(turns)), turns])",
    ),
    (
        Mistake(
            _naive,
            "right for small logits only: exp(1000) is infinite and exp(-1000) is 0. "
            "Subtract each image's largest logit first",
        ),
        Mistake(
            lambda logits, turns: _each(logits, turns).sum(),
            "this is the sum over the images: a batch twice as large would cost twice",
        ),
        Mistake(
            lambda logits, turns: _cross_entropy(logits, turns) / math.log(2),
            "this loss is in bits: with the natural logarithm, chance is ln 4 = 1.386",
        ),
        Mistake(
            lambda logits, turns: (1 - np.exp(-_each(logits, turns))).mean(),
            "one minus the probability punishes a sure mistake hardly more than a "
            "doubtful one: take minus its logarithm",
        ),
        Mistake(
            lambda logits, turns: -_log_probabilities(logits)[:, turns].mean(),
            "logits[:, turns] asks every image for the turns of all images; "
            "logits[np.arange(len(turns)), turns] asks each for its own",
        ),
        Mistake(
            lambda logits, turns: -_log_probabilities(logits).mean(),
            "this averages all four turns, the wrong ones too: pick the true turn's",
        ),
        Mistake(
            lambda logits, turns: -_cross_entropy(logits, turns),
            "the sign: a loss falls as the answer gets better, and is never negative",
        ),
        Mistake(
            lambda logits, turns: np.mean(logits.argmax(axis=1) != turns),
            "this is the error rate: it has no gradient, and does not know how sure "
            "the network was",
        ),
    ),
)


# ---- my_axis_and_way

counts = st.integers(0, 5)
tables = hnp.arrays(np.int64, (4, 4), elements=counts).filter(np.any)
PARITY = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0
NEIGHBOURS = np.equal.outer(np.arange(4) // 2, np.arange(4) // 2)


def _ratio(part, whole):
    """Divide; nothing of nothing is nan."""
    return part / whole if whole else math.nan


def _shares(table):
    """Return the two shares; the right answer."""
    return _shares_where(PARITY, table)


def _shares_where(same, table):
    """Return the shares where some cells are called the right axis."""
    on_axis = table[same].sum()
    return np.array([on_axis / table.sum(), _ratio(np.trace(table), on_axis)])


def _by_rows(table):
    """Average the shares of the rows, few or many answers in each."""
    on_axis = (table * PARITY).sum(axis=1)
    answered, aligned = table.any(axis=1), on_axis > 0
    axis = (on_axis[answered] / table[answered].sum(axis=1)).mean()
    ways = np.diag(table)[aligned] / on_axis[aligned]
    return np.array([axis, ways.mean() if aligned.any() else math.nan])


@law(
    "Where all answers are right, both shares are 1.",
    st.tuples(hnp.arrays(np.int64, 4, elements=st.integers(1, 5)).map(np.diag)),
)
def _all_right(f, table):
    return np.ones(2), f(table)


@law(
    "Photographs that all lie turned by 90 change nothing.",
    st.tuples(tables),
    labels=("as given", "turned"),
)
def _turned(f, table):
    return f(table), f(np.roll(table, (1, 1), axis=(0, 1)))


@law(
    "No answer on the right axis: the second share is nan.",
    st.tuples(st.integers(1, 5).map(lambda n: n * (1 - PARITY))),
)
def _no_axis(f, table):
    return np.array([0.0, math.nan]), f(table)


axis_and_way = Exercise(
    "my_axis_and_way",
    _shares,
    st.tuples(tables),
    (_all_right, _turned, _no_axis),
    (
        "0 and 2 quarter turns share an axis, and so do 1 and 3: which cells of the "
        "table are on the right axis?",
        "a cell is on it where row plus column is even; table[0::2, 0::2] and "
        "table[1::2, 1::2] hold just these",
        "on_axis = table[0::2, 0::2].sum() + table[1::2, 1::2].sum(); the shares are "
        "on_axis / table.sum() and np.trace(table) / on_axis",
    ),
    (
        Mistake(
            lambda table: np.array(
                [table[PARITY].sum() / table.sum(), np.trace(table) / table.sum()]
            ),
            "the second share is of the answers on the right axis, not of all: this "
            "is the accuracy",
        ),
        Mistake(
            lambda table: np.array(
                [table[0::2, 0::2].sum() / table.sum(), np.trace(table)]
                / np.array([1, table[0::2, 0::2].sum()])
            ),
            "these are the cells of one axis, 0 and 180; those of 90 and 270 are right "
            "too: table[1::2, 1::2]",
        ),
        Mistake(
            lambda table: _shares_where(NEIGHBOURS, table),
            "0 and 90 degrees are neighbours, not an axis: 0 belongs to 180",
        ),
        Mistake(
            lambda table: _shares(table)[::-1],
            "the two shares are exchanged: the axis first",
        ),
        Mistake(
            lambda table: np.nan_to_num(_shares(table)),
            "all right but one case: with no answer on the right axis the second share "
            "is 0/0, which is nan, not 0",
        ),
        Mistake(
            _by_rows,
            "this averages the four rows; count answers instead, for the rows may hold "
            "few or many",
        ),
    ),
)

EXERCISES = {e.name: e for e in (four_turns, cross_entropy, axis_and_way)}
