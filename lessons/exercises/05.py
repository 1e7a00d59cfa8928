"""Exercises of lesson 5: a share of the patients, paired differences, an interval."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl import summary
from tinyssl.check.exercise import Exercise, Law, unchanged


@st.composite
def patients(draw):
    names = [f"p{number}" for number in range(draw(st.integers(1, 5)))]
    again = draw(st.lists(st.sampled_from(names), max_size=6))
    patient = draw(st.permutations(names + again))
    return np.array(patient), np.array(draw(st.permutations(names)))


shares = st.tuples(patients(), st.sampled_from((5, 10, 25, 50, 100))).map(
    lambda case: (*case[0], case[1])
)


def my_labelled(patient, order, percent):
    enough = np.argmax(100 * reached(patient, order) >= percent * len(patient))
    return np.isin(patient, order[: enough + 1])


def reached(patient, order):
    return np.cumsum([np.sum(patient == name) for name in order])


def whole(f, patient, order, percent):
    mask = np.asarray(f(patient, order, percent), bool)
    return np.isin(patient, patient[mask]), mask


def nested(f, patient, order):
    small, large = (np.asarray(f(patient, order, p), bool) for p in (25, 50))
    return small, small & large


labelled = Exercise(
    my_labelled,
    shares,
    laws={
        "100 % are all images.": Law(
            lambda f, patient, order: (patient != "", f(patient, order, 100)),
            patients(),
        ),
        "All images of a patient have labels, or none has.": Law(whole),
        "At least the share asked for.": Law(
            lambda f, *case: (True, 100 * np.mean(f(*case)) > case[2] - 1e-9)
        ),
        "A smaller share lies inside a larger one.": Law(nested, patients()),
    },
    hints=(
        "add patients from the front of order until percent of the images are there",
        "np.cumsum of the patients' numbers of images says how many of them suffice",
        "for number in range(1, len(order) + 1): mask = np.isin(patient, "
        "order[:number]); return mask as soon as 100 * mask.sum() >= percent * "
        "len(patient)",
    ),
    mistakes={
        "this stops one patient too early: a share that does not come out even is "
        "rounded up": lambda patient, order, percent: np.isin(
            patient, order[100 * reached(patient, order) <= percent * len(patient)]
        ),
        "where a share comes out even this takes one patient more: stop as soon as "
        "percent of the images are reached": lambda patient, order, percent: (
            my_labelled(patient, order, min(percent + 1e-6, 100))
        ),
        "percent is of the images; patients may have one or three of them": (
            lambda patient, order, percent: np.isin(
                patient, order[: -(-percent * len(order) // 100)]
            )
        ),
    },
)

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


differences = Exercise(
    my_differences,
    results(),
    laws={
        "Scratch minus scratch is 0 in every fold.": Law(
            lambda f, rows: (np.zeros(len(rows) // 3), f(rows, "scratch")),
            results().map(lambda case: case[:1]),
        ),
        "The order of the rows does not matter.": unchanged(
            lambda rows, start: (sorted(rows), start), "sorted"
        ),
    },
    hints=(
        "a difference has meaning only within one fold: find each start's score there",
        "sort the rows by fold first, or collect {fold: score} for each of the two",
        "a = {fold: score for name, fold, score in rows if name == start}; b likewise "
        'for "scratch"; np.array([a[fold] - b[fold] for fold in sorted(a)])',
    ),
    mistakes={
        "these pairs are formed as the rows come: fold 0 of the one is subtracted from "
        "fold 3 of the other": lambda rows, start: (
            scores(rows, start) - scores(rows, "scratch")
        ),
        "the pairs are right, but not their order: fold 0 first, then fold 1": (
            lambda rows, start: my_differences(rows, start)[
                [fold for name, fold, _ in rows if name == start]
            ]
        ),
        "the mean of scratch is subtracted from every fold: then easy folds look like "
        "gains": lambda rows, start: (
            scores(sorted(rows), start) - scores(rows, "scratch").mean()
        ),
    },
)

gain = st.integers(-9, 9).map(lambda k: k / 10)
gains = st.lists(gain, min_size=2, max_size=6).map(np.array)


def my_interval(differences, test_share):
    return np.array(summary.paired_interval(differences, test_share=test_share)[1:])


def around(differences, test_share, quantile):
    factor = 1 / len(differences) + test_share
    half = quantile * np.sqrt(factor * np.var(differences, ddof=1))
    return np.mean(differences) + half * np.array([-1, 1])


interval = Exercise(
    my_interval,
    st.tuples(gains, st.sampled_from((0.25, 0.5, 0.0, 1.0))),
    laws={
        "Folds that all agree leave no doubt: both ends are their difference.": Law(
            lambda f, gain, folds: (np.full(2, gain), f(np.full(folds, gain), 0.25)),
            st.tuples(gain, st.integers(2, 6)),
        ),
        "Which start is called the first changes the signs, and no more.": Law(
            lambda f, d, *share: (-np.array(f(d, *share))[::-1], f(-d, *share)),
            labels=("turned", "exchanged"),
        ),
    },
    hints=(
        "mean ± t times the root of s² (1/k + test_share), for k folds",
        "s² is np.var(differences, ddof=1); t is stats.t.ppf(0.975, k - 1), from scipy",
        "half = stats.t.ppf(0.975, k - 1) * np.sqrt(np.var(differences, ddof=1) * "
        "(1 / k + test_share)); the ends are mean - half and mean + half",
    ),
    mistakes={
        "this is the plain interval: it takes the folds for independent, and is too "
        "short. Add test_share to 1/k": lambda differences, test_share: my_interval(
            differences, 0
        ),
        "1.96 belongs to a known variance; with k folds it is stats.t.ppf(0.975, k - "
        "1), which is 2.78 for five": lambda *case: around(*case, 1.96),
        "k differences leave k - 1 degrees of freedom, for their mean was taken": (
            lambda *case: around(*case, stats.t.ppf(0.975, len(case[0])))
        ),
    },
)
