"""Exercises of lesson 17: many p values, and the interval of a task."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl.check.exercise import Exercise, Law, gives, holds, unchanged

one = st.sampled_from((0.0, 0.001, 0.004, 0.01, 0.02, 0.03, 0.04, 0.06, 0.2, 0.5, 1.0))
tables = st.lists(one, min_size=1, max_size=6).map(np.array)


def my_holm(p):
    order = np.argsort(p)
    steps = np.minimum(np.arange(len(p), 0, -1) * p[order], 1)
    return np.maximum.accumulate(steps)[np.argsort(order)]


laws = {
    "A table of one comparison needs no correction.": gives(
        lambda p: p, one.map(lambda p: np.array([p]))
    ),
    "The comparisons in another order: the same answers in that order.": Law(
        lambda f, p: (np.asarray(f(p))[::-1], f(p[::-1])),
        labels=("reversed", "of them"),
    ),
    "None falls below its p, none exceeds 1.": holds(
        lambda q, p: np.all((np.array(q) >= p - 1e-9) & (np.array(q) <= 1 + 1e-9))
    ),
}
hints = """
- the smallest of n p values is multiplied by n, the next by n - 1, the last by 1
- order = np.argsort(p) sorts them; np.maximum.accumulate keeps what came before, where
  that is larger; corrected[order] = ... puts them back
- corrected = np.empty(len(p)); corrected[order] =
  np.maximum.accumulate(np.minimum(np.arange(len(p), 0, -1) * p[order], 1))
- this multiplies every p by the number of comparisons (Bonferroni): right, but it finds
  less; only the smallest needs all of them
      np.arange(len(p), 0, -1) -> len(p)
- a larger p may not end below a smaller one: keep the largest so far
      np.maximum.accumulate(steps) -> steps
- these are sorted: put them back in the order in which they came
      [np.argsort(order)] ->
"""
holm = Exercise(my_holm, tables, laws=laws, hints=hints)

gain = st.integers(-9, 9).map(lambda k: k / 10)


@st.composite
def tasks(draw):
    E, D = draw(st.integers(2, 5)), draw(st.integers(2, 4))
    return np.array([[draw(gain) for _ in range(D)] for _ in range(E)])


def my_task_interval(gains):
    means = gains.mean(axis=1)
    half = stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
    return np.mean(means) + half * np.array([-1, 1])


laws = {
    "The mean gain lies in the middle.": Law(
        lambda f, gains: (gains.mean(), np.mean(f(gains))), None, ("mean", "middle")
    ),
    "The same draws of labels a second time are no new encoders.": unchanged(
        lambda gains: (np.tile(gains, 2),), "twice"
    ),
    "The order of the encoders changes nothing.": unchanged(
        lambda gains: (gains[::-1],), "reversed"
    ),
}
hints = """
- what was repeated to judge a task? its encoders; each has one gain
- means = gains.mean(axis=1) is a gain for each encoder; then Student's t for the mean
  of len(means) numbers
- half = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) /
  np.sqrt(len(means)); the ends are means.mean() - half and means.mean() + half
- draws of labels of one encoder are taken for encoders: average over them first
      gains.mean(axis=1) -> gains.ravel()
- this averages over the encoders: it says how sure the gain of these very encoders is
  for other labels
      axis=1 -> axis=0
- 1.96 belongs to a known variance; with n encoders it is stats.t.ppf(0.975, n - 1)
      stats.t.ppf(0.975, len(means) - 1) -> 1.96
"""
cases = tasks().filter(lambda gains: np.ptp(gains.mean(axis=1)) > 0.01)
task_interval = Exercise(my_task_interval, cases, laws=laws, hints=hints)
