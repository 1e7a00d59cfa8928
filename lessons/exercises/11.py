"""Exercises of lesson 11: place as a label."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged


@st.composite
def patches(draw):
    h, w = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    numbers = st.lists(st.integers(-9, 30), min_size=h * w, max_size=h * w)
    return (np.array(draw(numbers), float).reshape(h, w),)


def my_level(patch):
    y, x = (np.arange(side) - (side - 1) / 2 for side in patch.shape)
    patch = patch - patch.mean()
    down = (patch * y[:, None]).mean() / (y**2).mean()
    right = (patch * x).mean() / (x**2).mean()
    return patch - down * y[:, None] - right * x


def ramp(patch):
    return sum(np.indices(patch.shape) * [[[2]], [[-3]]])


laws = {
    "The mean of what is left is 0.": Law(
        lambda f, patch: (0.0, np.mean(np.asarray(f(patch))))
    ),
    "Of a ramp, the same slope everywhere, nothing is left.": gives(
        lambda patch: np.zeros(patch.shape), lambda patch: 4.0 + ramp(patch)
    ),
    "A ramp added to the patch changes nothing.": unchanged(
        lambda patch: (patch + ramp(patch),), "on a ramp"
    ),
    "A patch twice as bright: twice as much is left.": Law(
        lambda f, patch: (2 * np.asarray(f(patch)), f(2 * patch)),
        labels=("twice", "of twice"),
    ),
}
hints = """
- subtract the mean; then subtract a slope from top to bottom, and one from left to
  right
- let y = np.arange(h) - (h - 1) / 2, which is 0 in the middle; the slope down is
  (patch * y[:, None]).mean() / (y**2).mean()
- patch - patch.mean() - down * y[:, None] - right * x
- the mean is gone, the slopes are not
      - down * y[:, None] - right * x ->
- the slope to the right is still there
      - right * x ->
- a slope is divided by the mean square of the places
      / (y**2).mean() ->
      / (x**2).mean() ->
"""
level = Exercise(my_level, patches(), laws=laws, hints=hints)

orders = (
    st.integers(3, 6)
    .flatmap(
        lambda L: st.lists(
            st.permutations(range(L)).map(tuple), min_size=2, max_size=5, unique=True
        )
    )
    .map(lambda rows: (np.array(rows),))
)


def my_least_distance(orders):
    differ = (orders[:, None] != orders).sum(axis=2)
    return differ[np.triu_indices(len(orders), 1)].min()


def with_twin(orders):
    twin = orders[-1].copy()
    twin[:2] = twin[1::-1]
    return np.vstack([orders[-1:], orders[:-1], twin[None]])


laws = {
    "An order and the same with two tiles exchanged differ in 2.": gives(
        2, lambda orders: np.array([orders[0], with_twin(orders[:1])[-1]])
    ),
    "An order that stands there twice: 0.": gives(
        0, lambda orders: np.vstack([orders, orders[:1]])
    ),
    "The order of the rows changes nothing.": unchanged(
        lambda orders: (orders[::-1],), "reversed"
    ),
    "Other names for the tiles change nothing.": unchanged(
        lambda orders: (orders.shape[1] - 1 - orders,), "renamed"
    ),
}
hints = """
- compare each order with each *other* one: in how many places do they differ? Of these
  numbers, the least
- for two of them: (a != b).sum()
- min((a != b).sum() for i, a in enumerate(orders) for b in orders[:i])
- an order differs from itself in 0: leave that pair out
      np.triu_indices(len(orders), 1) -> np.triu_indices(len(orders))
- the worst pair decides, not the mean: two classes that look alike are mixed up
      .min() -> .mean()
- neighbours in the list are not all pairs
      differ[np.triu_indices(len(orders), 1)] -> np.diag(differ, 1)
"""
least_distance = Exercise(my_least_distance, orders, laws=laws, hints=hints)
