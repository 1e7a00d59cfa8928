"""Exercises of lesson 0: a grade, an eye's side, folds without leaks."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law
from tinyssl.data import toy

# ---- my_grade

KINDS = ("MA", "HE", "EX", "SE", "NV", "PH")
number = st.sampled_from((0, 0, 0, 0, 1, 9, 10, 12))
counts = st.fixed_dictionaries(dict.fromkeys(KINDS, number))


def _grade(counts):
    """Grade; the right answer."""
    return toy.grade_from_counts(counts)


def _mildest_first(counts):
    """Ask the rules in the wrong order."""
    if counts["MA"]:
        return 1
    return _grade(counts)


def _more_than_ten(counts):
    """Take "at least 10" for "more than 10"."""
    exactly = counts["HE"] == 10
    return _grade(counts | {"HE": 9}) if exactly else _grade(counts)


def _by_total(counts):
    """Grade by the number of lesions."""
    return min(4, sum(counts.values()))


@law("An eye without lesions has grade 0.", st.just(()))
def _healthy(f):
    return 0, f(dict.fromkeys(KINDS, 0))


@law(
    "A single lesion gives the grade of its kind.",
    st.sampled_from(KINDS).map(lambda kind: (dict.fromkeys(KINDS, 0) | {kind: 1},)),
)
def _alone(f, counts):
    return _grade(counts), f(counts)


@law(
    "One lesion more never lowers the grade.",
    st.tuples(counts, st.sampled_from(KINDS)),
    labels=("before", "after"),
)
def _never_lower(f, counts, kind):
    before, after = f(counts), f(counts | {kind: counts[kind] + 1})
    return max(before, after), after


grade = Exercise(
    "my_grade",
    _grade,
    st.tuples(counts),
    (_healthy, _alone, _never_lower),
    (
        "the gravest finding decides: ask for grade 4 first, and for grade 1 last",
        "4 with any NV or PH; else 3 with at least 10 HE; else 2 with any HE, EX or "
        "SE; else 1 with any MA; else 0",
        'begin with: if counts["NV"] or counts["PH"]: return 4',
    ),
    (
        Mistake(
            _mildest_first, "a microaneurysm does not end the matter: ask for it last"
        ),
        Mistake(_more_than_ten, "10 haemorrhages are enough for grade 3: >=, not >"),
        Mistake(_by_total, "not how many lesions but which: one new vessel is a 4"),
        Mistake(
            lambda counts: _grade(counts | {"PH": 0}),
            "a preretinal haemorrhage (PH) is proliferative too: grade 4",
        ),
        Mistake(
            lambda counts: _grade(counts | {"SE": 0, "EX": 0}),
            "exudates, hard (EX) or soft (SE), make a grade 2 without any haemorrhage",
        ),
    ),
)

# ---- my_eye

places = st.tuples(st.integers(0, 63), st.integers(0, 63)).map(np.array)
points = st.tuples(places, places).filter(lambda pair: pair[0][1] != pair[1][1])


def _eye(disc, fovea):
    """Tell the side; the right answer."""
    return "right" if disc[1] > fovea[1] else "left"


@law('The answer is "right" or "left".', points)
def _a_side(f, disc, fovea):
    found = f(disc, fovea)
    return found if found in ("right", "left") else _eye(disc, fovea), found


@law("The mirror image is the other eye.", points)
def _mirrored(f, disc, fovea):
    mirror = np.array([0, 63]), np.array([1, -1])
    other = f(mirror[0] + mirror[1] * disc, mirror[0] + mirror[1] * fovea)
    return {"right": "left", "left": "right"}.get(f(disc, fovea)), other


eye = Exercise(
    "my_eye",
    _eye,
    points,
    (_a_side, _mirrored),
    (
        "compare the disc with the fovea, not with the middle of the image",
        "points are (y, x): disc[1] is how far to the right the disc lies",
        'right if the disc lies right of the fovea: "right" if disc[1] > fovea[1]',
    ),
    (
        Mistake(
            lambda disc, fovea: disc[1] > fovea[1],
            'say it in words: "right" if this is True, else "left"',
        ),
        Mistake(
            lambda disc, fovea: "left" if disc[1] > fovea[1] else "right",
            "the other way round: a right eye has its disc on the right",
        ),
        Mistake(
            lambda disc, fovea: "right" if disc[0] > fovea[0] else "left",
            "points are (y, x): index 0 is how far down",
        ),
        Mistake(
            lambda disc, fovea: "right" if disc[1] > 31.5 else "left",
            "the eye may look aside: compare with the fovea, not with the middle",
        ),
    ),
)

# ---- my_folds


@st.composite
def patients(draw):
    """Draw the patient of each image, and a number of folds they suffice for."""
    num_folds = draw(st.integers(2, 4))
    names = [f"p{number}" for number in range(num_folds + draw(st.integers(0, 3)))]
    again = draw(st.lists(st.sampled_from(names), max_size=8))
    return np.array(draw(st.permutations(names + again))), num_folds


def _folds(patient, num_folds):
    """Deal out patients; one right answer."""
    return np.unique(patient, return_inverse=True)[1] % num_folds


@law("It returns one number for each image: the fold it lies in.", patients())
def _one_each(f, patient, num_folds):
    return (len(patient),), np.shape(f(patient, num_folds))


@law("Every image gets one fold, from 0 to num_folds - 1.", patients())
def _in_range(f, patient, num_folds):
    folds = np.asarray(f(patient, num_folds))
    known = np.isin(folds, np.arange(num_folds)) & (folds % 1 == 0)
    return np.ones(len(patient), bool), known


@law("All images of one patient share a fold.", patients())
def _whole(f, patient, num_folds):
    folds = np.asarray(f(patient, num_folds))
    shared = [len(np.unique(folds[patient == name])) for name in np.unique(patient)]
    return np.ones(len(shared), int), shared


@law("No fold stays empty.", patients())
def _full(f, patient, num_folds):
    return np.arange(num_folds), np.unique(f(patient, num_folds))


folds = Exercise(
    "my_folds",
    _folds,
    patients(),
    (_one_each, _in_range, _whole, _full),
    (
        "deal out patients, not images",
        "np.unique(patient, return_inverse=True)[1] numbers the patients from 0",
        "the patient's number % num_folds is a fold",
    ),
    (
        Mistake(
            lambda patient, num_folds: np.arange(len(patient)) % num_folds,
            "this deals out images: the two eyes of a patient land in different folds",
        ),
        Mistake(
            lambda patient, num_folds: (
                np.arange(len(patient)) * num_folds // len(patient)
            ),
            "blocks of images cut through a patient at their borders, and tear apart "
            "patients whose images do not stand together",
        ),
        Mistake(
            lambda patient, num_folds: np.unique(patient, return_inverse=True)[1],
            "this is one fold a patient: fold it down to num_folds with %",
        ),
        Mistake(
            lambda patient, num_folds: np.zeros(len(patient), int),
            "everything lies in one fold: nothing is left to test on",
        ),
    ),
    several=True,
)

EXERCISES = {e.name: e for e in (grade, eye, folds)}
