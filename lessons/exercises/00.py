"""Exercises of lesson 0: a grade, an eye's side, folds without leaks."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, holds
from tinyssl.data import toy

HEALTHY = dict.fromkeys(("MA", "HE", "EX", "SE", "NV", "PH"), 0)
kinds = st.sampled_from([*HEALTHY])
numbers = st.sampled_from((0, 0, 0, 0, 1, 9, 10, 12))
counts = st.fixed_dictionaries(dict.fromkeys(HEALTHY, numbers))


def my_grade(counts):
    return toy.grade_from_counts(counts)


def never_lower(f, counts, kind):
    before, after = f(counts), f(counts | {kind: counts[kind] + 1})
    return max(before, after), after


laws = {
    "An eye without lesions has grade 0.": gives(0, st.just(HEALTHY)),
    "A single lesion gives the grade of its kind.": gives(
        my_grade, kinds.map(lambda kind: HEALTHY | {kind: 1})
    ),
    "One lesion more never lowers the grade.": Law(
        never_lower, st.tuples(counts, kinds), ("before", "after")
    ),
}
hints = """
- the gravest finding decides: ask for grade 4 first, and for grade 1 last
- 4 with any NV or PH; else 3 with at least 10 HE; else 2 with any HE, EX or SE; else 1
  with any MA; else 0
- begin with: if counts["NV"] or counts["PH"]: return 4
- a microaneurysm does not end the matter: ask for it last
      1 if counts["MA"] else my_grade(counts)
- 10 haemorrhages are enough for grade 3: >=, not >
      my_grade(counts | {"HE": counts["HE"] - (counts["HE"] == 10)})
- exudates, hard (EX) or soft (SE), make a grade 2 without any haemorrhage
      my_grade(counts | {"SE": 0, "EX": 0})
"""
grade = Exercise(my_grade, counts, laws=laws, hints=hints)

places = st.tuples(st.integers(40, 86), st.integers(40, 86))
gaps = st.tuples(st.integers(-9, 9), st.sampled_from((1, -1, 40, -40)))
points = st.tuples(places, gaps).map(
    lambda drawn: (np.array(drawn[0]) / 2, np.sum(drawn, axis=0) / 2)
)
OTHER = {"right": "left", "left": "right"}


def my_eye(disc, fovea):
    return "right" if disc[1] > fovea[1] else "left"


def mirrored(f, disc, fovea):
    other = f(*(np.array([y, 63 - x]) for y, x in (disc, fovea)))
    return OTHER[str(f(disc, fovea))], other


laws = {
    'The answer is "right" or "left".': holds(lambda side, *_: str(side) in OTHER),
    "The mirror image is the other eye.": Law(mirrored, labels=("the other", "got")),
}
hints = """
- compare the disc with the fovea, not with the middle of the image
- points are (y, x): disc[1] is how far to the right the disc lies
- right if the disc lies right of the fovea: "right" if disc[1] > fovea[1]
- say it in words: "right" if this is True, else "left"
      disc[1] > fovea[1]
- points are (y, x): index 0 is how far down
      [1] -> [0]
- the eye may look aside: compare with the fovea, not with the middle
      fovea[1] -> 31.5
"""
eye = Exercise(my_eye, points, laws=laws, hints=hints)


@st.composite
def patients(draw):
    num_folds = draw(st.integers(2, 5))
    number = num_folds + draw(st.sampled_from((0, 1, 2, 3, 7, 20)))
    name = draw(st.sampled_from(("p{}".format, lambda k: 3 + 7 * k)))
    names = [name(k) for k in range(number)]
    again = draw(st.lists(st.sampled_from(names), max_size=8))
    return np.array(draw(st.permutations(names + again))), num_folds


def my_folds(patient, num_folds):
    return np.unique(patient, return_inverse=True)[1] % num_folds


def whole(fold, patient, _):
    return len({*zip(patient, np.array(fold), strict=True)}) == len({*patient})


def about_equal(fold, patient, _):
    fold = dict(zip(patient, np.int64(fold), strict=True))
    images = np.bincount([fold[name] for name in patient])
    patients = np.bincount([*fold.values()])
    most = np.unique(patient, return_counts=True)[1].max()
    return np.ptp(patients) <= 1 or np.ptp(images) <= most


laws = {
    "It returns one number for each image: the fold it lies in.": holds(
        lambda fold, patient, _: np.shape(fold) == patient.shape
    ),
    "Folds are numbered from 0 to num_folds - 1.": holds(
        lambda fold, _, num_folds: np.isin(fold, np.arange(num_folds)).all()
    ),
    "All images of one patient share a fold.": holds(whole),
    "No fold stays empty.": holds(
        lambda fold, _, num_folds: len(np.unique(fold)) == num_folds
    ),
    "Folds are about equally large: they differ by a patient at most.": holds(
        about_equal
    ),
}
hints = """
- deal out patients, not images
- np.unique(patient, return_inverse=True)[1] numbers the patients from 0
- the patient's number % num_folds is a fold
- this deals out images: the two eyes of a patient land in different folds
      np.arange(len(patient)) % num_folds
- blocks of images cut through a patient at their borders, and tear apart patients whose
  images do not stand together
      np.arange(len(patient)) * num_folds // len(patient)
- this is one fold a patient: fold it down to num_folds with %
      np.unique(patient, return_inverse=True)[1]
"""
folds = Exercise(my_folds, patients(), laws=laws, hints=hints, several=True)
