"""Exercises of lesson 5: a share of the patients, paired differences, an interval."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl import summary
from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_labelled

percents = st.sampled_from((5, 10, 25, 50, 100))


@st.composite
def patients(draw):
    """Draw the patient of each image, and all patients in some order."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 5)))]
    again = draw(st.lists(st.sampled_from(names), max_size=6))
    patient = draw(st.permutations(names + again))
    return np.array(patient), np.array(draw(st.permutations(names)))


shares = st.tuples(patients(), percents).map(lambda case: (*case[0], case[1]))


def _filled(patient, order):
    """Count the images of the first 1, 2, ... patients."""
    return np.cumsum([np.sum(patient == name) for name in order])


def _labelled(patient, order, percent):
    """Take the fewest patients that suffice; the right answer."""
    enough = np.argmax(100 * _filled(patient, order) >= percent * len(patient))
    return np.isin(patient, order[: enough + 1])


def _rounded_down(patient, order, percent):
    """Stop before the share is reached."""
    kept = 100 * _filled(patient, order) <= percent * len(patient)
    return np.isin(patient, order[kept])


def _of_patients(patient, order, percent):
    """Take a share of the patients for a share of the images."""
    number = -(-percent * len(order) // 100)
    return np.isin(patient, order[:number])


def _by_image(patient, order, percent):
    """Cut through the last patient."""
    rank = np.argsort(order)[np.searchsorted(np.sort(order), patient)]
    number = -(-percent * len(patient) // 100)
    mask = np.zeros(len(patient), bool)
    mask[np.argsort(rank, kind="stable")[:number]] = True
    return mask


def _first_images(patient, order, percent):
    """Take the first images as they lie."""
    return np.arange(len(patient)) < -(-percent * len(patient) // 100)


@law("100 % are all images.", patients())
def _all_of_them(f, patient, order):
    return np.ones(len(patient), bool), f(patient, order, 100)


@law("All images of a patient have labels, or none has.", shares)
def _whole(f, patient, order, percent):
    mask = np.asarray(f(patient, order, percent), bool)
    return np.isin(patient, patient[mask]), mask


@law("At least the share asked for.", shares)
def _at_least(f, patient, order, percent):
    got = np.sum(f(patient, order, percent))
    return True, bool(100 * got >= percent * len(patient))


@law("A smaller share lies inside a larger one.", patients())
def _nested(f, patient, order):
    small, large = (np.asarray(f(patient, order, p), bool) for p in (25, 50))
    return small, small & large


labelled = Exercise(
    "my_labelled",
    _labelled,
    shares,
    (_all_of_them, _whole, _at_least, _nested),
    (
        "add patients from the front of order until percent of the images are there",
        "np.cumsum of the patients' numbers of images says how many of them suffice",
        "for number in range(1, len(order) + 1): mask = np.isin(patient, "
        "order[:number]); return mask as soon as 100 * mask.sum() >= percent * "
        "len(patient)",
    ),
    (
        Mistake(
            _by_image,
            "this cuts through a patient: one eye has a label, the other has none",
        ),
        Mistake(
            _first_images,
            "these are the first images as they lie: order is not used, and a patient "
            "may be cut through",
        ),
        Mistake(
            _rounded_down,
            "this stops one patient too early: a share that does not come out even is "
            "rounded up",
        ),
        Mistake(
            lambda *case: _labelled(*case[:2], min(case[2] + 1e-6, 100)),
            "where a share comes out even this takes one patient more: stop as soon as "
            "percent of the images are reached",
        ),
        Mistake(
            _of_patients,
            "percent is of the images; patients may have one or three of them",
        ),
        Mistake(
            lambda patient, order, percent: _labelled(patient, order[::-1], percent),
            "begin at the front of order",
        ),
    ),
)


# ---- my_differences


@st.composite
def results(draw):
    """Draw rows (start, fold, score) of three starts in any order, and one start."""
    folds = range(draw(st.integers(1, 4)))
    score = st.integers(0, 9).map(lambda tenths: tenths / 10)
    starts = ("scratch", "rotation", "restoration")
    rows = [(start, fold, draw(score)) for start in starts for fold in folds]
    return draw(st.permutations(rows)), draw(st.sampled_from(starts[1:]))


def _by_fold(rows, start):
    """Return a start's scores in the order of the folds."""
    return np.array([score for name, _, score in sorted(rows) if name == start])


def _as_they_come(rows, start):
    """Return a start's scores as the rows come."""
    return np.array([score for name, _, score in rows if name == start])


def _folds_as_they_come(rows, start):
    """Pair rightly, in the order in which the start's folds come."""
    beside = {fold: score for name, fold, score in rows if name == "scratch"}
    own = [(fold, score) for name, fold, score in rows if name == start]
    return np.array([score - beside[fold] for fold, score in own])


def _differences(rows, start):
    """Subtract scratch, fold by fold; the right answer."""
    return _by_fold(rows, start) - _by_fold(rows, "scratch")


@law("Scratch minus scratch is 0 in every fold.", results().map(lambda case: case[:1]))
def _none(f, rows):
    return np.zeros(len(rows) // 3), f(rows, "scratch")


@law("The order of the rows does not matter.", results())
def _any_order(f, rows, start):
    return f(sorted(rows), start), f(rows, start)


differences = Exercise(
    "my_differences",
    _differences,
    results(),
    (_none, _any_order),
    (
        "a difference has meaning only within one fold: find each start's score there",
        "sort the rows by fold first, or collect {fold: score} for each of the two",
        "a = {fold: score for name, fold, score in rows if name == start}; b likewise "
        'for "scratch"; np.array([a[fold] - b[fold] for fold in sorted(a)])',
    ),
    (
        Mistake(
            lambda rows, start: (
                _as_they_come(rows, start) - _as_they_come(rows, "scratch")
            ),
            "these pairs are formed as the rows come: fold 0 of the one is subtracted "
            "from fold 3 of the other",
        ),
        Mistake(
            _folds_as_they_come,
            "the pairs are right, but not their order: fold 0 first, then fold 1",
        ),
        Mistake(
            lambda rows, start: (
                np.sort(_by_fold(rows, start)) - np.sort(_by_fold(rows, "scratch"))
            ),
            "sorted scores are no pairs: the best fold of the one is not the best of "
            "the other",
        ),
        Mistake(
            lambda rows, start: -_differences(rows, start),
            "the sign: a gain is positive, so scratch is subtracted",
        ),
        Mistake(
            lambda rows, start: _differences(rows, start).mean(),
            "this is the mean already; give one difference a fold, the interval needs "
            "them",
        ),
        Mistake(
            lambda rows, start: (
                _by_fold(rows, start) - _by_fold(rows, "scratch").mean()
            ),
            "the mean of scratch is subtracted from every fold: then easy folds look "
            "like gains",
        ),
    ),
)


# ---- my_interval

gains = st.lists(st.integers(-9, 9).map(lambda k: k / 10), min_size=2, max_size=6)
studies = st.tuples(gains.map(np.array), st.sampled_from((0.25, 0.5, 0.0, 1.0)))


def _interval(differences, test_share):
    """Return the corrected interval; the right answer."""
    return np.array(summary.paired_interval(differences, test_share=test_share)[1:])


def _around(differences, factor, *, ddof=1, quantile=None):
    """Return the mean, give or take a quantile times the root of factor times s²."""
    quantile = quantile or stats.t.ppf(0.975, len(differences) - 1)
    half = quantile * np.sqrt(factor * np.var(differences, ddof=ddof))
    return np.mean(differences) + half * np.array([-1, 1])


@law(
    "Folds that all agree leave no doubt: both ends are their difference.",
    st.tuples(st.integers(-9, 9).map(lambda k: k / 10), st.integers(2, 6)),
)
def _no_doubt(f, gain, folds):
    return np.full(2, gain), f(np.full(folds, gain), 0.25)


@law("Which start is called the first changes the signs, and no more.", studies)
def _mirrored(f, differences, test_share):
    low, high = f(differences, test_share)
    return np.array([-high, -low]), f(-differences, test_share)


interval = Exercise(
    "my_interval",
    _interval,
    studies,
    (_no_doubt, _mirrored),
    (
        "mean ± t times the root of s² (1/k + test_share), for k folds",
        "s² is np.var(differences, ddof=1); t is stats.t.ppf(0.975, k - 1), from scipy",
        "half = stats.t.ppf(0.975, k - 1) * np.sqrt(np.var(differences, ddof=1) * "
        "(1 / k + test_share)); the ends are mean - half and mean + half",
    ),
    (
        Mistake(
            lambda differences, test_share: _around(differences, 1 / len(differences)),
            "this is the plain interval: it takes the folds for independent, and is "
            "too short. Add test_share to 1/k",
        ),
        Mistake(
            lambda differences, test_share: _around(differences, test_share),
            "test_share comes on top of 1/k, not in its place",
        ),
        Mistake(
            lambda differences, test_share: _around(
                differences, 1 / len(differences) + test_share, ddof=0
            ),
            "s² divides by k - 1, for the mean was estimated too: ddof=1",
        ),
        Mistake(
            lambda differences, test_share: _around(
                differences, 1 / len(differences) + test_share, quantile=1.96
            ),
            "1.96 belongs to a known variance; with k folds it is "
            "stats.t.ppf(0.975, k - 1), which is 2.78 for five",
        ),
        Mistake(
            lambda differences, test_share: _around(
                differences,
                1 / len(differences) + test_share,
                quantile=stats.t.ppf(0.975, len(differences)),
            ),
            "k differences leave k - 1 degrees of freedom, for their mean was taken",
        ),
        Mistake(
            lambda differences, test_share: _around(
                differences,
                1 / len(differences) + test_share,
                quantile=stats.t.ppf(0.95, len(differences) - 1),
            ),
            "5 % of error lie on both sides together: take the quantile .975, not .95",
        ),
        Mistake(
            lambda differences, test_share: np.array(
                [np.min(differences), np.max(differences)]
            ),
            "minimum and maximum of the folds are no interval of the mean: with more "
            "folds they grow apart",
        ),
    ),
)

EXERCISES = {e.name: e for e in (labelled, differences, interval)}
