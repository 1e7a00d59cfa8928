"""Exercises of lesson 15: ask in words."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, holds, unchanged

number = st.integers(-4, 4).map(lambda k: k / 4)
tables = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.tuples(*[number] * n), min_size=n, max_size=n)
)
pairs = st.tuples(tables.map(np.array), st.sampled_from((1.0, 3.0, 10.0, 0.5)))


def my_pair_loss(cosines, scale):
    z = scale * cosines
    own = z.diagonal()
    rows = np.log(np.exp(z).sum(axis=1)) - own
    columns = np.log(np.exp(z).sum(axis=0)) - own
    return (rows.mean() + columns.mean()) / 2


laws = {
    "Where all cosines are equal, it is the logarithm of the number of pairs.": gives(
        lambda cosines, scale: np.log(len(cosines)),
        lambda cosines, scale: (np.full(cosines.shape, cosines[0, 0]), scale),
    ),
    "Exchanging eyes and reports changes nothing.": unchanged(
        lambda cosines, scale: (cosines.T, scale), "exchanged"
    ),
    "The pairs in another order: nothing changes.": unchanged(
        lambda cosines, scale: (cosines[::-1, ::-1], scale), "reversed"
    ),
    "Adding one number to all cosines changes nothing.": unchanged(
        lambda cosines, scale: (cosines + 0.5, scale), "added"
    ),
}
hints = """
- multiply by the scale; the eye's own report stands on the diagonal; take the
  cross-entropy along each row, and along each column
- along a row: log of the sum of exp, minus the own logit: np.log(np.exp(z).sum(axis=1))
  - z.diagonal()
- the same with axis=0; the loss is the mean of both means
- you ask which report belongs to each eye, but not which eye belongs to each report
      (rows.mean() + columns.mean()) / 2 -> rows.mean()
- the two questions are averaged, not added
      columns.mean()) / 2 -> columns.mean())
- the scale multiplies the cosines (a temperature would divide them)
      z = scale * cosines -> z = cosines / scale
"""
pair_loss = Exercise(my_pair_loss, pairs, laws=laws, hints=hints)


@st.composite
def vectors(draw):
    d, counts = draw(st.integers(2, 3)), draw(st.tuples(*[st.integers(1, 3)] * 2))
    row = st.tuples(*[st.integers(-3, 3)] * d).filter(any)
    eyes, yes, no = (
        draw(st.lists(row, min_size=n, max_size=n)) for n in (*counts, counts[1])
    )
    return np.array(eyes, float), np.array(yes, float), np.array(no, float)


def my_zero_shot(eyes, yes, no):
    eyes, yes, no = (x / np.linalg.norm(x, axis=1)[:, None] for x in (eyes, yes, no))
    a, b = eyes @ yes.T, eyes @ no.T
    return 1 / (1 + np.exp(b - a))


laws = {
    "Where “no” says the same as “yes”, it is one half.": gives(
        lambda eyes, yes, no: np.full((len(eyes), len(yes)), 0.5),
        lambda eyes, yes, no: (eyes, yes, yes),
    ),
    "Exchanging “yes” and “no” gives 1 minus the answer.": Law(
        lambda f, eyes, yes, no: (1 - np.array(f(eyes, yes, no)), f(eyes, no, yes)),
        labels=("1 minus", "exchanged"),
    ),
    "Vectors three times as long change nothing.": unchanged(
        lambda eyes, yes, no: (3 * eyes, 3 * yes, no), "longer"
    ),
    "It never leaves [.119, .881].": holds(
        lambda answer, *case: np.all(abs(np.array(answer) - 0.5) < 0.381)
    ),
}
hints = """
- bring all vectors to length 1; products of rows are cosines then: (N, K) with "yes",
  and (N, K) with "no"
- the softmax of two numbers a and b is exp(a) / (exp(a) + exp(b)), which is also
  1 / (1 + exp(b - a))
- a is eyes @ yes.T, b is eyes @ no.T, after each row was divided by its np.linalg.norm
- these are products, not cosines: a long vector would count for more than a near one
      x / np.linalg.norm(x, axis=1)[:, None] -> x
- a softmax over the findings makes them rivals, but an eye can have two of them
      1 / (1 + np.exp(b - a)) -> np.exp(a) / np.exp(a).sum(axis=1)[:, None]
- this is the probability of "no"
      b - a -> a - b
"""
zero_shot = Exercise(my_zero_shot, vectors(), laws=laws, hints=hints)
