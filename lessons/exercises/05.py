"""Exercises of lesson 5: a share of the patients, paired differences, an interval."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl.check.exercise import Exercise, Law, gives, holds, unchanged


@st.composite
def shares(draw):
    name = draw(st.sampled_from(("p{}".format, lambda number: 3 + 7 * number)))
    names = [name(number) for number in range(draw(st.integers(1, 5)))]
    again = draw(st.lists(st.sampled_from(names), max_size=6))
    patient, order = draw(st.permutations(names + again)), draw(st.permutations(names))
    percent = draw(st.sampled_from((5, 10, 20, 25, 50, 75, 100)))
    return np.array(patient), np.array(order), percent


def my_labelled(patient, order, percent):
    images = [np.sum(patient == name) for name in order]
    before = np.cumsum([0, *images])[:-1]
    return np.isin(patient, order[100 * before < percent * len(patient)])


def whole(mask, patient, *_):
    return len({*zip(patient, np.array(mask), strict=True)}) == len({*patient})


def nested(f, *case):
    small, large = (np.array(f(*case, percent)) for percent in (25, 50))
    return small, small & large


laws = {
    "100 % are all images.": gives(
        lambda patient, *_: patient != "", lambda *case: (*case[:2], 100)
    ),
    "All images of a patient have labels, or none has.": holds(whole),
    "At least the share asked for.": holds(
        lambda mask, patient, _, percent: 100 * np.sum(mask) >= percent * len(patient)
    ),
    "A smaller share lies inside a larger one.": Law(
        nested, lambda *case: case[:2], labels=("at 25 %", "of which at 50 %")
    ),
}
hints = """
- add patients from the front of order until percent of the images are there
- np.cumsum of the patients' numbers of images says how many of them suffice
- for number in range(1, len(order) + 1): mask = np.isin(patient, order[:number]);
  return mask as soon as 100 * mask.sum() >= percent * len(patient)
- this stops one patient too early: a share that does not come out even is rounded up
      [:-1] -> [1:]
      before < -> before <=
- where a share comes out even this takes one patient more: stop as soon as percent of
  the images are reached
      before < -> before <=
- percent is of the images; patients may have one or three of them
      np.isin(patient, order[: -(-percent * len(order) // 100)])
"""
labelled = Exercise(my_labelled, shares(), laws=laws, hints=hints)

STARTS = ("scratch", "rotation", "restoration")


@st.composite
def results(draw):
    folds = range(draw(st.integers(1, 4)))
    score = st.integers(0, 9).map(lambda tenths: tenths / 10)
    rows = [(start, fold, draw(score)) for start in STARTS for fold in folds]
    return draw(st.permutations(rows)), draw(st.sampled_from(STARTS[1:]))


def my_differences(rows, start):
    return scores(sorted(rows), start) - scores(sorted(rows), "scratch")


def scores(rows, start):
    return np.array([score for name, _, score in rows if name == start])


laws = {
    "Scratch minus scratch is 0 in every fold.": gives(
        lambda rows, _: np.zeros(len(rows) // 3), lambda rows, _: (rows, "scratch")
    ),
    "The order of the rows does not matter.": unchanged(
        lambda rows, start: (sorted(rows), start), "sorted"
    ),
}
hints = """
- a difference has meaning only within one fold: find each start's score there
- sort the rows by fold first, or collect {fold: score} for each of the two
- a = {fold: score for name, fold, score in rows if name == start}; b likewise for
  "scratch"; np.array([a[fold] - b[fold] for fold in sorted(a)])
- these pairs are formed as the rows come: fold 0 of the one is subtracted from fold 3
  of the other
      sorted(rows) -> rows
- the pairs are right, but not their order: fold 0 first, then fold 1
      my_differences(rows, start)[[fold for name, fold, _ in rows if name == start]]
- the mean of scratch is subtracted from every fold: then easy folds look like gains
      scores(sorted(rows), "scratch") -> scores(rows, "scratch").mean()
"""
differences = Exercise(my_differences, results(), laws=laws, hints=hints)

gain = st.integers(-9, 9).map(lambda k: k / 10)
gains = st.lists(gain, min_size=2, max_size=6).map(np.array).filter(np.ptp)


def my_interval(differences, test_share):
    k, variance = len(differences), np.var(differences, ddof=1)
    half = stats.t.ppf(0.975, k - 1) * np.sqrt((1 / k + test_share) * variance)
    return np.mean(differences) + half * np.array([-1, 1])


def as_read(f, differences, test_share):  # of the training part, or of all images
    ends = f(differences, test_share)
    parts = test_share, test_share / (1 - test_share)
    right = [my_interval(differences, part) for part in parts]
    return min(right, key=lambda pair: np.abs(np.subtract(pair, ends)).max()), ends


cases = st.tuples(gains, st.sampled_from((0.25, 0.5, 0.0, 0.2)))
laws = {
    "The mean difference lies in the middle.": Law(
        lambda f, *case: (np.mean(case[0]), np.mean(f(*case))), None, ("mean", "middle")
    ),
    "Which start is called the first changes the signs, and no more.": Law(
        lambda f, d, *share: (-np.array(f(d, *share))[::-1], f(-d, *share)),
        labels=("turned", "exchanged"),
    ),
    "It gives what the definition gives.": Law(as_read, labels=("one right", "got")),
}
hints = """
- mean ± t times the root of s² (1/k + test_share), for k folds
- s² is np.var(differences, ddof=1); t is stats.t.ppf(0.975, k - 1), from scipy
- half = stats.t.ppf(0.975, k - 1) * np.sqrt(np.var(differences, ddof=1) * (1 / k +
  test_share)); the ends are mean - half and mean + half
- this is the plain interval: it takes the folds for independent, and is too short. Add
  test_share to 1/k
      1 / k + test_share -> 1 / k
- 1.96 belongs to a known variance; with k folds it is stats.t.ppf(0.975, k - 1), which
  is 2.78 for five
      stats.t.ppf(0.975, k - 1) -> 1.96
- k differences leave k - 1 degrees of freedom, for their mean was taken
      k - 1 -> k
"""
interval = Exercise(my_interval, cases, laws=laws, hints=hints, several=True)
