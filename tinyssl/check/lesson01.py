"""Exercises of lesson 1: agreement beyond chance."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

grades = st.integers(0, 4)
sizes = st.tuples(st.integers(2, 9))  # num_classes


@st.composite
def ratings(draw, defined=True):
    """Draw grades of two raters; where defined, not one and the same for all."""
    n = draw(st.integers(1, 8))
    pair = st.lists(grades, min_size=n, max_size=n).map(np.array)
    y_true, y_pred = draw(pair), draw(pair)
    if defined and len({*y_true, *y_pred}) == 1:
        y_pred[0] = (y_pred[0] + 1) % 5
    return y_true, y_pred


# ---- my_confusion_matrix


def _table(y_true, y_pred, num_classes):
    """Count; the right answer."""
    return metrics.confusion_matrix(y_true, y_pred, num_classes=num_classes)


def _present_only(y_true, y_pred, num_classes):
    """Leave out the classes that nobody uses."""
    used = np.union1d(y_true, y_pred)
    return _table(y_true, y_pred, num_classes)[np.ix_(used, used)]


def _overwritten(y_true, y_pred, num_classes):
    """Add at repeated indices once only."""
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    table[y_true, y_pred] += 1
    return table


@law("Every image is counted once.", ratings())
def _all_counted(f, y_true, y_pred):
    return len(y_true), np.sum(f(y_true, y_pred, 5))


@law(
    "Swapping the raters turns rows into columns.",
    ratings(),
    labels=("turned", "swapped"),
)
def _transposed(f, y_true, y_pred):
    return np.transpose(f(y_true, y_pred, 5)), f(y_pred, y_true, 5)


confusion_matrix = Exercise(
    "my_confusion_matrix",
    _table,
    st.tuples(ratings(), st.integers(5, 6)).map(lambda case: (*case[0], case[1])),
    (_all_counted, _transposed),
    (
        "row i, column j holds how often grade i was called j",
        "begin with np.zeros((num_classes, num_classes), dtype=np.int64), and add 1 "
        "for each pair of grades",
        "for i, j in zip(y_true, y_pred): table[i, j] += 1",
    ),
    (
        Mistake(
            lambda y_true, y_pred, num_classes: _table(y_pred, y_true, num_classes),
            "rows and columns are swapped: the truth chooses the row",
        ),
        Mistake(
            _present_only,
            "a grade that nobody uses keeps its row and column of zeros: the table has "
            "num_classes of each, whatever the data",
        ),
        Mistake(
            lambda y_true, y_pred, num_classes: np.outer(
                np.bincount(y_true, minlength=num_classes),
                np.bincount(y_pred, minlength=num_classes),
            ),
            "every grade of the one is paired with every grade of the other; an image "
            "has one of each: walk through both at once, with zip",
        ),
        Mistake(
            _overwritten,
            "table[y_true, y_pred] += 1 adds once for a pair that comes twice; "
            "np.add.at adds every time",
        ),
        Mistake(
            lambda y_true, y_pred, num_classes: (
                _table(y_true, y_pred, num_classes) / len(y_true)
            ),
            "these are shares; the table holds counts",
        ),
    ),
)


# ---- my_weights


def _weights(num_classes):
    """Return the squared distances over the largest; the right answer."""
    i, j = np.indices((num_classes, num_classes))
    return (i - j) ** 2 / (num_classes - 1) ** 2


@law("A right grade costs nothing.", sizes)
def _free_diagonal(f, num_classes):
    return np.zeros(num_classes), np.diagonal(f(num_classes))


@law("The worst mistake costs 1.", sizes)
def _largest_is_one(f, num_classes):
    return 1.0, np.max(f(num_classes))


def _distance(num_classes):
    """Return abs(i - j)."""
    i, j = np.indices((num_classes, num_classes))
    return np.abs(i - j)


weights = Exercise(
    "my_weights",
    _weights,
    sizes,
    (_free_diagonal, _largest_is_one),
    (
        "entry (i, j) is what it costs to call grade i grade j: it grows with the "
        "square of their distance",
        "np.indices((num_classes, num_classes)) gives the tables of i and of j",
        "(i - j) ** 2 / (num_classes - 1) ** 2",
    ),
    (
        Mistake(
            lambda num_classes: _distance(num_classes) ** 2,
            "the squares are right; divide by the largest, (num_classes - 1) ** 2",
        ),
        Mistake(
            lambda num_classes: _distance(num_classes) ** 2 / (num_classes - 1),
            "the divisor is (num_classes - 1) ** 2: its square is missing",
        ),
        Mistake(
            lambda num_classes: _distance(num_classes) ** 2 / num_classes - 1,
            "Python divides before it subtracts: put brackets round num_classes - 1",
        ),
        Mistake(
            lambda num_classes: _distance(num_classes) ** 2 / num_classes**2,
            "the largest distance is num_classes - 1, not num_classes",
        ),
        Mistake(
            lambda num_classes: _distance(num_classes) / (num_classes - 1),
            "these weights are linear: square the distance",
        ),
        Mistake(
            lambda num_classes: 1 - _weights(num_classes),
            "this is agreement (1 where the grades are equal); the lesson weighs "
            "disagreement",
        ),
    ),
)


# ---- my_qwk


def _value(y_true, y_pred):
    """Return the kappa of the library; the right answer."""
    return metrics.quadratic_weighted_kappa(y_true, y_pred)


def _by_position(y_true, y_pred):
    """Take a grade's position among those present for the grade."""
    _, positions = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    return _value(*np.split(positions, 2))


def _rows_dropped(y_true, y_pred):
    """Leave out the images graded 0 by either."""
    kept = (y_true > 0) & (y_pred > 0)
    return _value(y_true[kept], y_pred[kept])


def _mean_of_classes(y_true, y_pred):
    """Average one kappa a class."""
    return np.mean([metrics.cohen_kappa(y_true == k, y_pred == k) for k in range(5)])


def _zero(y_true, y_pred):
    """Call the undefined 0."""
    return metrics.quadratic_weighted_kappa(y_true, y_pred, undefined=0.0)


def _one(y_true, y_pred):
    """Call the undefined 1."""
    return metrics.quadratic_weighted_kappa(y_true, y_pred, undefined=1.0)


def _scaled_once(y_true, y_pred):
    """Divide the observed disagreement by (K-1)**2, the expected one not."""
    observed = np.mean((y_true - y_pred) ** 2.0) / 16
    return 1 - observed / np.mean((y_true[:, None] - y_pred) ** 2.0)


@law(
    "A rater agrees perfectly with itself.",
    ratings().map(lambda pair: (np.concatenate(pair),)),
)
def _perfect(f, y_true):
    return _value(y_true, y_true), f(y_true, y_true)


@law("Swapping the raters changes nothing.", ratings(), labels=("as given", "swapped"))
def _symmetric(f, y_true, y_pred):
    return f(y_true, y_pred), f(y_pred, y_true)


@law(
    "Counting grades from the other end changes nothing.",
    ratings(),
    labels=("as given", "reversed"),
)
def _reversed(f, y_true, y_pred):
    return f(y_true, y_pred), f(4 - y_true, 4 - y_pred)


@law(
    "Where both raters give one grade to all, there is no answer: nan.",
    st.tuples(grades),
)
def _open(f, grade):
    return math.nan, f(np.full(3, grade), np.full(3, grade))


qwk = Exercise(
    "my_qwk",
    _value,
    ratings(defined=False),
    (_perfect, _symmetric, _reversed, _open),
    (
        "kappa is 1 - observed / expected: two mean squared differences of grades",
        "observed goes over the pairs as they stand, expected over every grade of the "
        "one rater beside every grade of the other: y_true[:, None] - y_pred[None, :]",
        "observed = np.mean((y_true - y_pred) ** 2.0); expected is the same of that "
        "table; where expected is 0, return nan",
    ),
    (
        Mistake(
            _scaled_once,
            "one of the two is divided by (K-1) squared, the other is not: divide both "
            "or none, it cancels",
        ),
        Mistake(
            _by_position,
            "a grade that nobody uses closes up here: 4 counts as 3 where no 3 occurs. "
            "Keep the values; do not number the grades present",
        ),
        Mistake(
            lambda y_true, y_pred: metrics.cohen_kappa(
                y_true, y_pred, weights="linear"
            ),
            "this is the kappa of linear weights: square the differences",
        ),
        Mistake(
            lambda y_true, y_pred: metrics.cohen_kappa(y_true, y_pred),
            "this kappa calls every mistake equally bad: weigh by squared distance",
        ),
        Mistake(
            lambda y_true, y_pred: 1 - np.mean((y_true - y_pred) ** 2) / np.var(y_true),
            "expected is not the spread of the truth about its mean (that makes R "
            "squared): set every grade of the one beside every grade of the other",
        ),
        Mistake(
            _rows_dropped,
            "the images of grade 0 got lost: 0 is a grade, not a missing one",
        ),
        Mistake(
            _mean_of_classes,
            "this is a mean of one kappa a grade, and knows no distance between grades",
        ),
        Mistake(
            _zero,
            "all right but one case: two raters who give one grade to all. Expected "
            "is 0, and 0/0 is nan, not 0",
        ),
        Mistake(
            _one,
            "all right but one case: two raters who give one grade to all. It looks "
            "like perfect agreement, but chance gives as much: 0/0 is nan, not 1",
        ),
    ),
)

EXERCISES = {e.name: e for e in (confusion_matrix, weights, qwk)}
