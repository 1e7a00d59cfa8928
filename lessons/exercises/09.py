"""Exercises of lesson 9: judge restored images."""

import math

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl.check.exercise import Exercise, Law, columns, unchanged

values = st.integers(-2, 3)
sizes = st.sampled_from(((1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (2, 4)))


@st.composite
def two_sets(draw):  # of powers of two: means are exact, and equal distances are equal
    n1, n2 = draw(sizes)
    both = np.array(draw(st.lists(values, min_size=n1 + n2, max_size=n1 + n2)), float)
    orders = st.lists(st.permutations(range(n1 + n2)), min_size=1, max_size=6)
    return both[:n1], both[n1:], np.array(draw(orders))


def squared(first, second):
    return (np.mean(first) - np.mean(second)) ** 2


def my_exchange_test(first, second, orders, distance=squared, beyond=np.greater_equal):
    both, n = np.concatenate([first, second]), len(first)
    dealt = [distance(both[order[:n]], both[order[n:]]) for order in orders]
    return (1 + np.sum(beyond(dealt, distance(first, second)))) / (1 + len(orders))


def counted(f, first, second, orders):
    found = np.arange(len(first) + len(second))
    count = f(first, second, orders) * (1 + len(orders)) + 1
    return count / (2 + len(orders)), f(first, second, np.vstack([orders, found]))


exchange_test = Exercise(
    my_exchange_test,
    two_sets(),
    laws={
        "Where all values are equal, every order is as far: p is 1.": Law(
            lambda f, first, second, orders: (1.0, f(0 * first, 0 * second, orders))
        ),
        "The values as they lie count as one order.": Law(counted),
        "Turning all values' signs round changes nothing.": unchanged(
            lambda first, second, orders: (-first, -second, orders), "turned"
        ),
    },
    hints=(
        "put both sets into one row, deal it anew by each order, and count how often "
        "the two parts are at least as far apart as the sets were",
        "both = np.concatenate([first, second]); for an order the sides are "
        "both[order[:n]] and both[order[n:]], with n = len(first)",
        "p = (1 + how many dealt distances are >= the one found) / (1 + len(orders))",
    ),
    mistakes={
        "p can become 0 here: the sides as they are belong to the draws. Add 1 above "
        "and below": lambda *case: (
            (my_exchange_test(*case) * (1 + len(case[2])) - 1) / len(case[2])
        ),
        "a draw that is exactly as far counts too: >=, not >": lambda *case: (
            my_exchange_test(*case, beyond=np.greater)
        ),
        "a difference has a sign, a distance has none: square it": lambda *case: (
            my_exchange_test(*case, distance=lambda a, b: np.mean(a) - np.mean(b))
        ),
    },
)

quarters = values.map(lambda value: value / 4)
pairs = columns(quarters, quarters, least=2, most=5)
some = pairs.map(lambda case: case[1])


def my_paired_gain(restored, copied):
    return interval(restored - copied, np.var(restored - copied, ddof=1))


def interval(gains, variance, quantile=None):
    n = len(gains)
    quantile = quantile or stats.t.ppf(0.975, n - 1)
    half = quantile * math.sqrt(variance / n)
    return gains.mean(), gains.mean() - half, gains.mean() + half


def exchanged(f, restored, copied):
    mean, low, high = f(restored, copied)
    return (-mean, -high, -low), f(copied, restored)


paired_gain = Exercise(
    my_paired_gain,
    pairs,
    laws={
        "Whoever copies gains nothing, surely.": Law(
            lambda f, copied: ((0.0, 0.0, 0.0), f(copied, copied)), some
        ),
        "The same gain for every image is sure.": Law(
            lambda f, copied: ((1.0, 1.0, 1.0), f(copied + 1, copied)), some
        ),
        "Exchanging both turns the interval round.": Law(
            exchanged, labels=("turned", "exchanged")
        ),
    },
    hints=(
        "each image has two scores: subtract first, then ask how the differences "
        "scatter",
        "gains = restored - copied; the error of their mean is gains.std(ddof=1) / "
        "np.sqrt(len(gains))",
        "half = scipy.stats.t.ppf(0.975, len(gains) - 1) * error; return mean, mean - "
        "half, mean + half",
    ),
    mistakes={
        "this treats the two scores of one image as strangers: what is hard about the "
        "image cancels only in the difference. Subtract first": lambda *case: interval(
            case[0] - case[1], sum(np.var(scores, ddof=1) for scores in case)
        ),
        "1.96 is for endless images: Student's t with n - 1 degrees of freedom": (
            lambda a, b: interval(a - b, np.var(a - b, ddof=1), quantile=1.96)
        ),
        "this is how single images scatter: the mean of n scatters less, by the root "
        "of n": lambda a, b: interval(a - b, np.var(a - b, ddof=1) * len(a)),
    },
)

NEEDED = {
    "frechet": ("d", "features", "floor", "n1", "n2"),
    "ssim": ("copied", "data_range"),
}
FACTS = sorted(sum(NEEDED.values(), ()))
score = st.lists(st.sampled_from(("ssim", "frechet")), unique=True)
fact = st.dictionaries(st.sampled_from(FACTS), st.sampled_from((1, 0.0, None)))
reports = st.tuples(score, fact).map(
    lambda drawn: (dict.fromkeys(drawn[0], 0.5) | drawn[1],)
)


def my_missing(report):
    return [name for name in needed(report) if report.get(name) is None]


def needed(report):
    return sorted(n for score in NEEDED if score in report for n in NEEDED[score])


missing = Exercise(
    my_missing,
    reports,
    laws={
        "A report that states all lacks nothing.": Law(
            lambda f, report: (0, len(f(report))),
            reports.map(lambda case: case[0] | dict.fromkeys(FACTS, 1)),
        ),
        "Where no score is given, nothing is needed.": Law(
            lambda f, report: (0, len(f(report))), fact
        ),
    },
    hints=(
        "each score asks for its own facts, and only if it is given",
        'begin with names = []; if "ssim" in report: names += ["copied", '
        '"data_range"]; the same for "frechet"',
        "return sorted(name for name in names if report.get(name) is None)",
    ),
    mistakes={
        "0 is stated: ask for None, not for what is false": lambda report: [
            name for name in needed(report) if not report.get(name)
        ],
        "a report without SSIM owes no data range: ask only for what belongs to the "
        "scores that are given": lambda report: [
            name for name in FACTS if report.get(name) is None
        ],
        'None is not stated: report.get(name) is None finds both, "name in report" '
        "only one": lambda report: [
            name for name in needed(report) if name not in report
        ],
    },
)
