"""Exercises of lesson 1: agreement beyond chance."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged

grades = st.integers(0, 4)
ratings = columns(grades, grades, most=8)


def my_confusion_matrix(y_true, y_pred, num_classes):
    return metrics.confusion_matrix(y_true, y_pred, num_classes=num_classes)


def often(*grades):
    return tuple(np.repeat(y, 300) for y in grades)


cases = st.tuples(ratings, st.integers(5, 6)).map(lambda case: (*case[0], case[1]))
laws = {
    "Every image is counted once.": Law(
        lambda f, *case: (len(case[0]), np.sum(f(*case))), labels=("images", "counted")
    ),
    "Swapping the raters turns rows into columns.": Law(
        lambda f, a, b, *k: (np.transpose(f(a, b, *k)), f(b, a, *k)),
        labels=("turned", "swapped"),
    ),
    "What comes 300 times as often counts 300 times as much.": Law(
        lambda f, *c: (300.0 * np.asarray(f(*c)), f(*often(*c[:2]), c[2])),
        labels=("300 times", "got"),
    ),
}
hints = """
- row i, column j holds how often grade i was called j
- begin with np.zeros((num_classes, num_classes), dtype=np.int64), and add 1 for each
  pair of grades
- for i, j in zip(y_true, y_pred): table[i, j] += 1
- rows and columns are swapped: the truth chooses the row
      my_confusion_matrix(y_pred, y_true, num_classes)
- every grade of the one is paired with every grade of the other; an image has one of
  each: walk through both at once, with zip
      np.outer(*(np.bincount(y, minlength=num_classes) for y in (y_true, y_pred)))
- table[y_true, y_pred] += 1 adds once for a pair that comes twice; np.add.at adds every
  time
      np.minimum(my_confusion_matrix(y_true, y_pred, num_classes), 1)
"""
confusion_matrix = Exercise(my_confusion_matrix, cases, laws=laws, hints=hints)


def my_weights(num_classes):
    i, j = np.indices((num_classes, num_classes))
    return abs(i - j) ** 2 / (num_classes - 1) ** 2


laws = {
    "A right grade costs nothing.": Law(
        lambda f, num_classes: (np.zeros(num_classes), np.diagonal(f(num_classes))),
        labels=("expected", "diagonal"),
    ),
    "The worst mistake costs 1.": Law(
        lambda f, num_classes: (1.0, np.max(f(num_classes))),
        labels=("expected", "largest"),
    ),
}
hints = """
- entry (i, j) is what it costs to call grade i grade j: it grows with the square of
  their distance
- np.indices((num_classes, num_classes)) gives the tables of i and of j
- (i - j) ** 2 / (num_classes - 1) ** 2
- the divisor is (num_classes - 1) ** 2: its square is missing
      / (num_classes - 1) ** 2 -> / (num_classes - 1)
- Python divides before it subtracts: put brackets round num_classes - 1
      / (num_classes - 1) ** 2 -> / num_classes - 1
- these weights are linear: square the distance
      ** 2 ->
"""
sizes = st.integers(2, 9) | st.just(20)
weights = Exercise(my_weights, sizes, laws=laws, hints=hints)


def my_qwk(y_true, y_pred):
    return metrics.quadratic_weighted_kappa(y_true, y_pred)


def positions(y_true, y_pred):
    both = np.concatenate([y_true, y_pred])
    return np.split(np.unique(both, return_inverse=True)[1], 2)


laws = {
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
    "All images 300 times change nothing.": Law(
        lambda f, *case: (f(*case), f(*often(*case))),
        columns(grades, grades, most=2),
        labels=("once", "300 times"),
    ),
    "Where both raters give one grade to all, there is no answer: nan.": gives(
        math.nan, grades.map(lambda grade: (np.full(3, grade), np.full(3, grade)))
    ),
}
hints = """
- kappa is 1 - observed / expected: two mean squared differences of grades
- observed goes over the pairs as they stand, expected over every grade of the one rater
  beside every grade of the other: y_true[:, None] - y_pred[None, :]
- observed = np.mean((y_true - y_pred) ** 2.0); expected is the same of that table;
  where expected is 0, return nan
- a grade that nobody uses closes up here: 4 counts as 3 where no 3 occurs. Keep the
  values; do not number the grades present
      my_qwk(*positions(y_true, y_pred))
- this is the kappa of linear weights: square the differences
      metrics.cohen_kappa(y_true, y_pred, weights="linear")
- all right but one case: two raters who give one grade to all. Expected is 0, and 0/0
  is nan, not 0
      metrics.quadratic_weighted_kappa(y_true, y_pred, undefined=0.0)
"""
qwk = Exercise(my_qwk, ratings, laws=laws, hints=hints)
