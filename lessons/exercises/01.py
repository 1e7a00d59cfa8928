"""Exercises of lesson 1: agreement beyond chance."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Law, columns, unchanged

grades = st.integers(0, 4)
ratings = columns(grades, grades, most=8)


def my_confusion_matrix(y_true, y_pred, num_classes):
    return metrics.confusion_matrix(y_true, y_pred, num_classes=num_classes)


def overwritten(y_true, y_pred, num_classes):
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    table[y_true, y_pred] += 1
    return table


confusion_matrix = Exercise(
    my_confusion_matrix,
    st.tuples(ratings, st.integers(5, 6)).map(lambda case: (*case[0], case[1])),
    laws={
        "Every image is counted once.": Law(
            lambda f, *case: (len(case[0]), np.sum(f(*case)))
        ),
        "Swapping the raters turns rows into columns.": Law(
            lambda f, a, b, *k: (np.transpose(f(a, b, *k)), f(b, a, *k)),
            labels=("turned", "swapped"),
        ),
    },
    hints=(
        "row i, column j holds how often grade i was called j",
        "begin with np.zeros((num_classes, num_classes), dtype=np.int64), and add 1 "
        "for each pair of grades",
        "for i, j in zip(y_true, y_pred): table[i, j] += 1",
    ),
    mistakes={
        "rows and columns are swapped: the truth chooses the row": lambda *case: (
            my_confusion_matrix(*case).T
        ),
        "every grade of the one is paired with every grade of the other; an image has "
        "one of each: walk through both at once, with zip": lambda *case: np.outer(
            *(np.bincount(grades, minlength=case[2]) for grades in case[:2])
        ),
        "table[y_true, y_pred] += 1 adds once for a pair that comes twice; np.add.at "
        "adds every time": overwritten,
    },
)

sizes = st.integers(2, 9)


def my_weights(num_classes):
    return distances(num_classes) ** 2 / (num_classes - 1) ** 2


def distances(num_classes):
    i, j = np.indices((num_classes, num_classes))
    return np.abs(i - j)


weights = Exercise(
    my_weights,
    sizes,
    laws={
        "A right grade costs nothing.": Law(
            lambda f, num_classes: (np.zeros(num_classes), np.diagonal(f(num_classes)))
        ),
        "The worst mistake costs 1.": Law(
            lambda f, num_classes: (1.0, np.max(f(num_classes)))
        ),
    },
    hints=(
        "entry (i, j) is what it costs to call grade i grade j: it grows with the "
        "square of their distance",
        "np.indices((num_classes, num_classes)) gives the tables of i and of j",
        "(i - j) ** 2 / (num_classes - 1) ** 2",
    ),
    mistakes={
        "the divisor is (num_classes - 1) ** 2: its square is missing": (
            lambda num_classes: distances(num_classes) ** 2 / (num_classes - 1)
        ),
        "Python divides before it subtracts: put brackets round num_classes - 1": (
            lambda num_classes: distances(num_classes) ** 2 / num_classes - 1
        ),
        "these weights are linear: square the distance": lambda num_classes: (
            distances(num_classes) / (num_classes - 1)
        ),
    },
)


def my_qwk(y_true, y_pred):
    return metrics.quadratic_weighted_kappa(y_true, y_pred)


def by_position(y_true, y_pred):
    _, positions = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    return my_qwk(*np.split(positions, 2))


qwk = Exercise(
    my_qwk,
    ratings,
    laws={
        "A rater agrees perfectly with itself.": Law(
            lambda f, y_true: (1.0, f(y_true, y_true)),
            ratings.map(np.concatenate).filter(np.ptp),
        ),
        "Swapping the raters changes nothing.": unchanged(
            lambda y_true, y_pred: (y_pred, y_true), "swapped"
        ),
        "Counting grades from the other end changes nothing.": unchanged(
            lambda y_true, y_pred: (4 - y_true, 4 - y_pred), "reversed"
        ),
        "Where both raters give one grade to all, there is no answer: nan.": Law(
            lambda f, grade: (math.nan, f(np.full(3, grade), np.full(3, grade))), grades
        ),
    },
    hints=(
        "kappa is 1 - observed / expected: two mean squared differences of grades",
        "observed goes over the pairs as they stand, expected over every grade of the "
        "one rater beside every grade of the other: y_true[:, None] - y_pred[None, :]",
        "observed = np.mean((y_true - y_pred) ** 2.0); expected is the same of that "
        "table; where expected is 0, return nan",
    ),
    mistakes={
        "a grade that nobody uses closes up here: 4 counts as 3 where no 3 occurs. "
        "Keep the values; do not number the grades present": by_position,
        "this is the kappa of linear weights: square the differences": (
            lambda y_true, y_pred: metrics.cohen_kappa(y_true, y_pred, weights="linear")
        ),
        "all right but one case: two raters who give one grade to all. Expected is 0, "
        "and 0/0 is nan, not 0": lambda y_true, y_pred: (
            metrics.quadratic_weighted_kappa(y_true, y_pred, undefined=0.0)
        ),
    },
)
