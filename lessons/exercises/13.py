"""Exercises of lesson 13: match two views."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, gives, unchanged


@st.composite
def vectors(draw, count):
    """Draw pairs of count rows each, none of which is 0."""
    row = st.tuples(*[st.integers(-3, 4)] * draw(st.integers(2, 3))).filter(any)
    some = st.lists(row, min_size=count, max_size=count)
    return np.array(draw(some), float), np.array(draw(some), float)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def my_info_nce(said, true, temperature):
    logits = unit(said) @ unit(true).T / temperature
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits))


laws = {
    "Among N equal patches one can but guess: ln N.": gives(
        lambda said, true, temperature: np.log(len(true)),
        lambda said, true, temperature: (said, 0 * true + true[0], temperature),
    ),
    "One patch alone is no question: 0.": gives(
        0.0, lambda said, true, temperature: (said[:1], true[:1], temperature)
    ),
    "Longer vectors change nothing: angles count.": unchanged(
        lambda said, true, temperature: (3 * said, 2 * true, temperature), "longer"
    ),
    "Both in another order: the same loss.": unchanged(
        lambda said, true, temperature: (said[::-1], true[::-1], temperature),
        "reversed",
    ),
}
hints = """
- a cross-entropy: each row of said has N logits, and its own row of true is the answer
- divide every row by its length; logits = said @ true.T / temperature is (N, N), and
  the right answers stand on the diagonal
- the mean of np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)
- divide the rows by their lengths: a cosine does not grow with a vector
      unit(said) @ unit(true).T -> said @ true.T
- each prediction chooses among the patches, so the sum runs along its row (axis=1)
      sum(axis=1) -> sum(axis=0)
- divide by the temperature: .1 makes the differences ten times as large
      / temperature -> * temperature
"""
cases = st.tuples(
    st.integers(1, 5).flatmap(vectors), st.sampled_from((0.5, 0.2, 2.0))
).map(lambda case: (*case[0], case[1]))
info_nce = Exercise(my_info_nce, cases, laws=laws, hints=hints)


@st.composite
def copies(draw):
    patient = draw(
        st.lists(st.integers(0, 3), min_size=2, max_size=5).filter(
            lambda names: len(set(names)) > 1
        )
    )
    first, second = draw(vectors(len(patient)))
    return first, second, np.array(patient), draw(st.sampled_from((0.5, 1.0, 0.2)))


def my_triplet(first, second, patient, margin):
    apart = 2 - 2 * unit(first) @ unit(second).T
    late = np.diag(apart)[:, None] - apart + margin
    return np.maximum(0, late)[patient[:, None] != patient].mean()


laws = {
    "Where all vectors are alike, the loss is the margin.": gives(
        lambda first, second, patient, margin: margin,
        lambda first, second, patient, margin: (
            0 * first + first[0],
            0 * first + first[0],
            patient,
            margin,
        ),
    ),
    "Copies at their place, other patients opposite: 0.": gives(
        0.0,
        lambda first, second, patient, margin: (
            first[[0, 0]] * [[1], [-1]],
            first[[0, 0]] * [[1], [-1]],
            np.array([3, 1]),
            margin,
        ),
    ),
    "Longer vectors change nothing.": unchanged(
        lambda first, second, patient, margin: (3 * first, 2 * second, patient, margin),
        "longer",
    ),
    "Patients may have other names.": unchanged(
        lambda first, second, patient, margin: (first, second, 9 - patient, margin),
        "renamed",
    ),
}
hints = """
- for image i its copy is second[i]; every second[j] of another patient is a negative;
  each such pair (i, j) makes one loss, and the answer is their mean
- squared distances of unit vectors are 2 - 2 cosines: apart = 2 - 2 * first @ second.T,
  the copies on its diagonal
- np.maximum(0, np.diag(apart)[:, None] - apart + margin), at the places where
  patient[:, None] != patient
- the other eye of a patient is no negative: ask for another patient, not another row
      patient[:, None] != patient -> ~np.eye(len(patient), dtype=bool)
- a negative that is far enough costs nothing, and earns nothing: cut off at 0
      np.maximum(0, late) -> late
- give every vector length 1 first: 2 - 2 cosines is the squared distance only then
      unit(first) @ unit(second).T -> first @ second.T
"""
triplet = Exercise(my_triplet, copies(), laws=laws, hints=hints)
