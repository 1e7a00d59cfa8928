"""Exercises of lesson 20: your own folder."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, columns, gives


def my_crossing(patient, split):
    same = patient[:, None] == patient
    apart = split[:, None] != split
    return (same & apart).any(axis=1) & (patient != "")


laws = {
    "With one split nobody crosses.": gives(
        lambda patient, split: split == "",
        lambda patient, split: (patient, np.full(len(split), "train")),
    ),
    "Unknown patients are not known to cross.": gives(
        lambda patient, split: split == "",
        lambda patient, split: (np.full(len(patient), ""), split),
    ),
    "The order of the images does not matter.": Law(
        lambda f, patient, split: (
            np.asarray(f(patient, split))[::-1],
            f(patient[::-1], split[::-1]),
        ),
        labels=("as given", "reversed"),
    ),
}
hints = """
- for each image ask: is there an image of the same patient, in another split?
- patient[:, None] == patient is a table of all pairs, split[:, None] != split another
- (same & apart).any(axis=1), but not where the patient is ""
- "" stands for nobody in particular: two unknown patients are not the same one
       & (patient != "") ->
- both sides cross, the first image of a patient too
      apart = split[:, None] != split -> apart = np.tril(split[:, None] != split)
- several images of a patient in one split do no harm
      apart = split[:, None] != split -> apart = ~np.eye(len(split), dtype=bool)
"""
names = st.sampled_from(("p1", "p2", "p3", ""))
splits = st.sampled_from(("train", "test", "val"))
crossing = Exercise(my_crossing, columns(names, splits), laws=laws, hints=hints)


def my_wilson(k, n):
    z = 1.959963984540054  # norm.ppf(0.975)
    middle, half = k + z**2 / 2, z * np.sqrt(k * (n - k) / n + z**2 / 4)
    return (middle - half) / (n + z**2), (middle + half) / (n + z**2)


def inside(f, k, n):
    low, high = np.asarray(f(k, n), float)
    small = 1e-6  # of rounding
    near = low - small <= k / n <= high + small
    return True, bool(near and low >= -small and high <= 1 + small)


def failures(f, k, n):
    low, high = f(k, n)
    return (1 - high, 1 - low), f(n - k, n)


laws = {
    "0 <= low <= k / n <= high <= 1.": Law(inside, labels=()),
    "Of the misses it is the mirror image: 1 - high, 1 - low.": Law(
        failures, labels=("mirrored", "of n - k")
    ),
    "All hits are no proof: the low end is below 1.": Law(
        lambda f, k, n: (True, bool(np.asarray(f(n, n), float)[0] < 0.999)), labels=()
    ),
}
hints = """
- the ends are the two rates p at which k lies just z deviations of sqrt(p (1 - p) / n)
  from n p: solve the square for p
- the middle is (k + z**2 / 2) / (n + z**2)
- half its length: z * sqrt(k (n - k) / n + z**2 / 4) / (n + z**2)
- the plain interval p - z sqrt(p (1 - p) / n) has length 0 where all are hits
      k / n + 1.959963984540054 * (k * (n - k) / n**3) ** 0.5 * np.array([-1, 1])
- under the root stands z**2 / 4 as well
       + z**2 / 4) -> )
- 95 % between two ends leaves 2.5 % outside of each: norm.ppf(0.975)
      1.959963984540054 -> 1.6448536269514722
"""
cases = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
wilson = Exercise(my_wilson, cases, laws=laws, hints=hints)
