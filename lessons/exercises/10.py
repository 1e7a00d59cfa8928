"""Exercises of lesson 10: a dictionary of patches."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged

rows = st.integers(2, 3).flatmap(
    lambda d: st.lists(st.tuples(*[st.integers(-4, 5)] * d), min_size=2, max_size=6)
)
tables = rows.map(lambda rows: np.array(rows, float))


def my_whiten(x, ridge):
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    return (x - x.mean(axis=0)) @ (vectors / np.sqrt(values + ridge) @ vectors.T)


def covariance(f, x, ridge):
    return np.eye(x.shape[1]), np.cov(np.transpose(f(x, ridge)), bias=True)


spread = tables.filter(lambda x: np.linalg.det(np.cov(x.T, bias=True)) > 0.1)
laws = {
    "Each column has mean 0.": Law(
        lambda f, x, ridge: (np.zeros(x.shape[1]), np.mean(f(x, ridge), axis=0))
    ),
    "With a ridge of 0 the covariance is the identity.": Law(
        covariance, spread.map(lambda x: (x, 0.0))
    ),
    "The columns in another order: the same answers in that order.": Law(
        lambda f, x, ridge: (np.asarray(f(x, ridge))[:, ::-1], f(x[:, ::-1], ridge)),
        labels=("reversed", "of them"),
    ),
    "Adding one row to all rows changes nothing.": unchanged(
        lambda x, ridge: (x + np.arange(x.shape[1]), ridge), "added"
    ),
}
hints = """
- subtract the mean of each column; then multiply the rows by a symmetric matrix: the
  covariance (plus ridge on its diagonal) to the power -1/2
- values, vectors = np.linalg.eigh(np.cov(x.T, bias=True)): the columns of vectors are
  the directions, values their variances
- (x - x.mean(axis=0)) @ (vectors / np.sqrt(values + ridge) @ vectors.T)
- this ends in the axes of the directions (PCA whitening): turn back with @ vectors.T,
  so that a patch still looks like one
       @ vectors.T ->
- the ridge is added to the variance, under the root
      np.sqrt(values + ridge) -> (np.sqrt(values) + ridge)
- each column has its own unit now, but columns still vary together: divide along the
  directions of the covariance
      (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + ridge)
"""
cases = st.tuples(tables, st.sampled_from((0.1, 1.0, 4.0)))
whiten = Exercise(my_whiten, cases, laws=laws, hints=hints)

flat = ((1, 0), (0, 1), (-1, 0), (0, -1), (0.6, 0.8), (0.8, -0.6), (-0.8, 0.6))
deep = ((1, 0, 0), (0, 1, 0), (0, 0, -1), (0, 0.6, 0.8), (-0.6, 0, 0.8), (0.8, 0.6, 0))


@st.composite
def points_and_centres(draw):
    directions = st.sampled_from(draw(st.sampled_from((flat, deep))))
    centres = draw(st.lists(directions, min_size=1, max_size=4, unique=True))
    points = draw(st.lists(directions, min_size=1, max_size=6))
    return np.array(points, float), np.array(centres, float)


def my_kmeans_step(points, centres):
    nearest = (points @ centres.T).argmax(axis=1)
    sums = np.array([points[nearest == k].sum(axis=0) for k in range(len(centres))])
    lengths = np.linalg.norm(sums, axis=1)[:, None]
    return np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)


def objective(points, centres):
    return (points @ np.transpose(centres)).max(axis=1).mean()


def clear(case):  # each point has one nearest centre, no centre's points cancel
    points, centres = case
    cosines = np.sort(points @ centres.T, axis=1)
    nearest = (points @ centres.T).argmax(axis=1)
    sums = [points[nearest == k].sum(axis=0) for k in set(nearest.tolist())]
    apart = (np.diff(cosines[:, -2:], axis=1) > 0.01).all()
    return apart and min(map(np.linalg.norm, sums)) > 0.01


def never_falls(f, points, centres):
    rises = objective(points, f(points, centres)) - objective(points, centres)
    return 0.0, min(0.0, rises)


laws = {
    "Each centre has length 1.": Law(
        lambda f, points, centres: (
            np.ones(len(centres)),
            np.linalg.norm(f(points, centres), axis=1),
        )
    ),
    "Where every point is a centre, nothing moves.": gives(
        lambda points, centres: centres,
        lambda points, centres: (centres[: len(points)], centres),
    ),
    "The mean cosine to the nearest centre never falls.": Law(never_falls),
    "The order of the points changes nothing.": unchanged(
        lambda points, centres: (points[::-1], centres), "reversed"
    ),
}
hints = """
- give every point to the centre with the largest cosine; then each centre becomes the
  direction of the sum of its points
- for rows of length 1 the cosines are points @ centres.T; nearest is their
  argmax(axis=1)
- for k: total = points[nearest == k].sum(axis=0), and the new centre is total /
  np.linalg.norm(total), or the old one if no point is nearest to it
- a mean of directions is shorter than 1: divide by its length
      np.linalg.norm(sums, axis=1) -> np.bincount(nearest, minlength=len(sums))
- a centre to which no point is nearest stays where it is
      1e-12), centres) -> 1e-12), 0)
- a point and its opposite are not alike: the cosine keeps its sign
      (points @ centres.T).argmax -> abs(points @ centres.T).argmax
"""
kmeans_step = Exercise(
    my_kmeans_step, points_and_centres().filter(clear), laws=laws, hints=hints
)
