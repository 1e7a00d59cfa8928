"""Exercises of lesson 19: where it looked."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged


def numbers(*shape):
    size = int(np.prod(shape))
    return st.lists(st.integers(-3, 4), min_size=size, max_size=size).map(
        lambda values: np.array(values, float).reshape(shape)
    )


def my_input_gradient(x, w, b, v):
    return x * (w.T @ (v * (w @ x + b > 0)))


laws = {
    "A black image (x = 0) has no shares.": gives(
        lambda x, w, b, v: x, lambda x, w, b, v: (0 * x, w, b, v)
    ),
    "Where b is 0, the shares sum to the answer.": Law(
        lambda f, x, w, b, v: (np.maximum(w @ x, 0) @ v, np.sum(f(x, w, 0 * b, v)))
    ),
    "Twice v, twice the shares.": Law(
        lambda f, x, w, b, v: (2 * np.asarray(f(x, w, b, v)), f(x, w, b, 2 * v)),
        labels=("twice", "of 2 v"),
    ),
}
hints = """
- first the gradient: by how much does the answer rise if x[i] rises a little? Then
  times x[i]
- a unit whose w x + b is below 0 answers 0 and passes no gradient; of the others, unit
  k passes v[k] * w[k]
- open = w @ x + b > 0; x * (w.T @ (v * open))
- closed units (w x + b below 0) pass nothing on
       * (w @ x + b > 0) ->
- this is the gradient; a share is the gradient times the pixel
      x * (w.T @ -> (w.T @
- whether a unit is open depends on b too
       + b > 0 -> > 0
"""
sizes = st.tuples(st.integers(1, 3), st.integers(1, 4))
cases = sizes.flatmap(
    lambda s: st.tuples(
        numbers(s[0]), numbers(s[1], s[0]), numbers(s[1]), numbers(s[1])
    )
).filter(lambda c: np.all(c[1] @ c[0] + c[2]) and np.all(c[1] @ c[0]) and np.all(c[2]))
input_gradient = Exercise(my_input_gradient, cases, laws=laws, hints=hints)


def my_pointing(heat, target, view):
    if not (target & view).any():
        return np.nan
    highest = view & (heat == heat[view].max())
    return target[highest].mean()


laws = {
    "No target in the view: nan.": gives(
        np.nan, lambda heat, target, view: (heat, target & ~view, view)
    ),
    "A flat map hits as often as a random place of the view.": gives(
        lambda heat, target, view: target[view].mean() or np.nan,
        lambda heat, target, view: (0 * heat, target, view),
    ),
    "What the map says outside of the view does not count.": unchanged(
        lambda heat, target, view: (heat + 9 * ~view, target, view), "9 more outside"
    ),
    "Twice the map, plus 1, changes nothing.": unchanged(
        lambda heat, target, view: (2 * heat + 1, target, view), "2 heat + 1"
    ),
}
hints = """
- find the highest value among the pixels of the view, then all pixels that have it
- highest = view & (heat == heat[view].max())
- the answer is target[highest].mean(); before that: nan if not (target & view).any()
- several pixels may be highest: the first of them is chosen by luck, take the share
      target[highest].mean() -> float(target[view][heat[view].argmax()])
- the highest pixel is looked for within the view
      view & (heat == heat[view].max()) -> heat == heat.max()
- an eye without a target can be neither hit nor missed
      return np.nan -> return 0.0
"""


def masks(*shape):
    return numbers(*shape).map(lambda values: values > 0)


sides = st.tuples(st.integers(1, 3), st.integers(1, 4))
cases = sides.flatmap(lambda s: st.tuples(numbers(*s), masks(*s), masks(*s)))
cases = cases.filter(lambda case: case[2].any())
pointing = Exercise(my_pointing, cases, laws=laws, hints=hints)
