"""Exercises of lesson 9: judge restored images."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged

values = st.integers(-2, 3)
sizes = st.sampled_from(((1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (2, 4)))


@st.composite
def two_sets(draw):  # of powers of two: means are exact, and equal distances are equal
    n1, n2 = draw(sizes)
    both = np.array(draw(st.lists(values, min_size=n1 + n2, max_size=n1 + n2)), float)
    orders = st.lists(st.permutations(range(n1 + n2)), min_size=1, max_size=6)
    return both[:n1], both[n1:], np.array(draw(orders))


def my_exchange_test(first, second, orders):
    both, n = np.concatenate([first, second]), len(first)
    orders = np.vstack([np.arange(len(both)), orders])  # as found, then as dealt
    apart = (both[orders[:, :n]].mean(axis=1) - both[orders[:, n:]].mean(axis=1)) ** 2
    return np.mean(apart >= apart[0])


def counted(f, first, second, orders):
    found = np.arange(len(first) + len(second))
    count = f(first, second, orders) * (1 + len(orders)) + 1
    return count / (2 + len(orders)), f(first, second, np.vstack([orders, found]))


laws = {
    "Where all values are equal, every order is as far: p is 1.": gives(
        1.0, lambda first, second, orders: (0 * first, 0 * second, orders)
    ),
    "The values as they lie count as one order.": Law(
        counted, labels=("counted", "with it")
    ),
    "Turning all values' signs round changes nothing.": unchanged(
        lambda first, second, orders: (-first, -second, orders), "turned"
    ),
}
hints = """
- put both sets into one row, deal it anew by each order, and count how often the two
  parts are at least as far apart as the sets were
- both = np.concatenate([first, second]); for an order the sides are both[order[:n]] and
  both[order[n:]], with n = len(first)
- p = (1 + how many dealt distances are >= the one found) / (1 + len(orders))
- p can become 0 here: the sides as they are belong to the draws. Add 1 above and below
      np.mean(apart >= apart[0]) -> np.mean(apart[1:] >= apart[0])
- a draw that is exactly as far counts too: >=, not >
      np.mean(apart >= apart[0]) -> (1 + np.sum(apart > apart[0])) / len(apart)
- a difference has a sign, a distance has none: square it
      ** 2 ->
"""
exchange_test = Exercise(my_exchange_test, two_sets(), laws=laws, hints=hints)

quarters = values.map(lambda value: value / 4)


def my_paired_gain(restored, copied):
    gains, n = restored - copied, len(restored)
    half = stats.t.ppf(0.975, n - 1) * np.sqrt(np.var(gains, ddof=1) / n)
    return gains.mean(), gains.mean() - half, gains.mean() + half


def middle(mean, low, high):
    return [mean, (low + high) / 2]


def exchanged(f, restored, copied):
    mean, low, high = f(restored, copied)
    return (-mean, -high, -low), f(copied, restored)


cases = columns(quarters, quarters, least=2).filter(lambda c: np.ptp(c[0] - c[1]))
laws = {
    "The mean is the mean gain, and lies in the middle.": Law(
        lambda f, *case: ([np.mean(case[0] - case[1])] * 2, middle(*f(*case))),
        labels=("gain", "mean, middle"),
    ),
    "A point more for every restored image moves all three by one.": Law(
        lambda f, a, b: (1 + np.array(f(a, b)), f(a + 1, b)),
        labels=("moved", "got"),
    ),
    "Exchanging both turns the interval round.": Law(
        exchanged, labels=("turned", "exchanged")
    ),
}
hints = """
- each image has two scores: subtract first, then ask how the differences scatter
- gains = restored - copied; the error of their mean is gains.std(ddof=1) /
  np.sqrt(len(gains))
- half = scipy.stats.t.ppf(0.975, len(gains) - 1) * error; return mean, mean - half,
  mean + half
- this treats the two scores of one image as strangers: what is hard about the image
  cancels only in the difference. Subtract first
      np.var(gains, ddof=1) -> (np.var(restored, ddof=1) + np.var(copied, ddof=1))
- 1.96 is for endless images: Student's t with n - 1 degrees of freedom
      stats.t.ppf(0.975, n - 1) -> 1.96
- this is how single images scatter: the mean of n scatters less, by the root of n
      np.var(gains, ddof=1) / n -> np.var(gains, ddof=1)
"""
paired_gain = Exercise(my_paired_gain, cases, laws=laws, hints=hints)

NEEDED = {
    "frechet": ("d", "features", "floor", "n1", "n2"),
    "ssim": ("copied", "data_range"),
}
FACTS = sorted(sum(NEEDED.values(), ()))
scores = st.dictionaries(st.sampled_from([*NEEDED]), st.sampled_from((0.5, 0.0)))
facts = st.dictionaries(
    st.sampled_from([*FACTS, "mse", "a"]), st.sampled_from((1, 0.0, None, "x"))
)
reports = st.tuples(facts, scores).map(lambda drawn: (drawn[0] | drawn[1],))


def my_missing(report):
    needed = [name for score in NEEDED if score in report for name in NEEDED[score]]
    return sorted(name for name in needed if report.get(name) is None)


laws = {
    "A report that states all lacks nothing.": gives(
        [], lambda report: report | dict.fromkeys(FACTS, 1)
    ),
    "Where no score is given, nothing is needed.": gives([], facts),
}
hints = """
- each score asks for its own facts, and only if it is given
- begin with names = []; if "ssim" in report: names += ["copied", "data_range"]; the
  same for "frechet"
- return sorted(name for name in names if report.get(name) is None)
- 0 is stated: ask for None, not for what is false
      report.get(name) is None -> not report.get(name)
- a report without SSIM owes no data range: ask only for what belongs to the scores that
  are given
      if score in report ->
- None is not stated: report.get(name) is None finds both, "name in report" only one
      report.get(name) is None -> name not in report
"""
missing = Exercise(my_missing, reports, laws=laws, hints=hints)
