"""Exercises of lesson 9: judge restored images."""

import math

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

values = st.integers(-2, 3)

# ---- my_exchange_test


@st.composite
def two_sets(draw):
    """Draw two small sets of values, and orders in which to deal them anew.

    Sizes are powers of two: means are exact, and equal distances are equal.
    """
    sizes = draw(st.sampled_from(((1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (2, 4))))
    first, second = (draw(st.lists(values, min_size=k, max_size=k)) for k in sizes)
    n = len(first) + len(second)
    orders = draw(st.lists(st.permutations(range(n)), min_size=1, max_size=6))
    return np.array(first, float), np.array(second, float), np.array(orders)


def _squared(first, second):
    """Return the squared difference of two means."""
    return (np.mean(first) - np.mean(second)) ** 2


def _exchanged(first, second, orders, distance=_squared, cut=None):
    """Return the distances of the sets dealt anew."""
    both = np.concatenate([first, second])
    n = len(first) if cut is None else cut
    return np.array([distance(both[o[:n]], both[o[n:]]) for o in orders])


def _p(first, second, orders):
    """Count the order found, and ties; the right answer."""
    dealt = _exchanged(first, second, orders)
    beyond = np.sum(dealt >= _squared(first, second))
    return float((1 + beyond) / (1 + len(orders)))


def _without_own(first, second, orders):
    """Leave the order found out."""
    dealt = _exchanged(first, second, orders)
    return float(np.mean(dealt >= _squared(first, second)))


def _strictly(first, second, orders):
    """Count only what is farther."""
    dealt = _exchanged(first, second, orders)
    beyond = np.sum(dealt > _squared(first, second))
    return float((1 + beyond) / (1 + len(orders)))


def _signed(first, second, orders):
    """Keep the sign of the difference."""

    def distance(a, b):
        return np.mean(a) - np.mean(b)

    dealt = _exchanged(first, second, orders, distance)
    beyond = np.sum(dealt >= distance(first, second))
    return float((1 + beyond) / (1 + len(orders)))


def _halved(first, second, orders):
    """Deal two halves, whatever the sizes of the sets."""
    cut = (len(first) + len(second)) // 2
    dealt = _exchanged(first, second, orders, cut=max(1, cut))
    beyond = np.sum(dealt >= _squared(first, second))
    return float((1 + beyond) / (1 + len(orders)))


@law("Where all values are equal, every order is as far: p is 1.", two_sets())
def _no_difference(f, first, second, orders):
    return 1.0, f(0 * first, 0 * second, orders)


@law("The values as they lie count as one order.", two_sets())
def _itself(f, first, second, orders):
    own = np.arange(len(first) + len(second))[None]
    again = np.concatenate([orders, own])
    count = f(first, second, orders) * (1 + len(orders)) + 1
    return count / (2 + len(orders)), f(first, second, again)


@law("Turning all values' signs round changes nothing.", two_sets())
def _mirrored(f, first, second, orders):
    return f(first, second, orders), f(-first, -second, orders)


exchange_test = Exercise(
    "my_exchange_test",
    _p,
    two_sets(),
    (_no_difference, _itself, _mirrored),
    (
        "put both sets into one row, deal it anew by each order, and count how often "
        "the two parts are at least as far apart as the sets were",
        "both = np.concatenate([first, second]); for an order the sides are "
        "both[order[:n]] and both[order[n:]], with n = len(first)",
        "p = (1 + how many dealt distances are >= the one found) / (1 + len(orders))",
    ),
    (
        Mistake(
            _without_own,
            "p can become 0 here: the sides as they are belong to the draws. Add 1 "
            "above and below",
        ),
        Mistake(_strictly, "a draw that is exactly as far counts too: >=, not >"),
        Mistake(_signed, "a difference has a sign, a distance has none: square it"),
        Mistake(
            _halved,
            "the dealt sides must be as large as the sets: cut at len(first)",
        ),
    ),
)


# ---- my_paired_gain


@st.composite
def pairs(draw):
    """Draw a score an image, restored and copied."""
    n = draw(st.integers(2, 5))
    scores = st.lists(values, min_size=n, max_size=n)
    return tuple(np.array(draw(scores)) / 4 for _ in range(2))


def _interval(gains, quantile=None, ddof=1, root=True):
    """Return mean, low and high of some gains."""
    n = len(gains)
    if quantile is None:
        quantile = stats.t.ppf(0.975, n - 1)
    half = quantile * gains.std(ddof=ddof) / (math.sqrt(n) if root else 1)
    return gains.mean(), gains.mean() - half, gains.mean() + half


def _gain(restored, copied):
    """Take differences first; the right answer."""
    return _interval(restored - copied)


def _unpaired(restored, copied):
    """Add the variances of both, as if the images were others."""
    n = len(restored)
    error = math.sqrt((restored.var(ddof=1) + copied.var(ddof=1)) / n)
    half = stats.t.ppf(0.975, n - 1) * error
    mean = restored.mean() - copied.mean()
    return mean, mean - half, mean + half


@law("Whoever copies gains nothing, surely.", pairs().map(lambda case: case[:1]))
def _copies(f, copied):
    return (0.0, 0.0, 0.0), f(copied, copied)


@law("The same gain for every image is sure.", pairs().map(lambda case: case[:1]))
def _sure(f, copied):
    return (1.0, 1.0, 1.0), f(copied + 1, copied)


@law("Exchanging both turns the interval round.", pairs())
def _exchange(f, restored, copied):
    mean, low, high = f(restored, copied)
    return (-mean, -high, -low), f(copied, restored)


paired_gain = Exercise(
    "my_paired_gain",
    _gain,
    pairs(),
    (_copies, _sure, _exchange),
    (
        "each image has two scores: subtract first, then ask how the differences "
        "scatter",
        "gains = restored - copied; the error of their mean is gains.std(ddof=1) / "
        "np.sqrt(len(gains))",
        "half = scipy.stats.t.ppf(0.975, len(gains) - 1) * error; return mean, mean - "
        "half, mean + half",
    ),
    (
        Mistake(
            _unpaired,
            "this treats the two scores of one image as strangers: what is hard about "
            "the image cancels only in the difference. Subtract first",
        ),
        Mistake(
            lambda restored, copied: _interval(restored - copied, quantile=1.96),
            "1.96 is for endless images: Student's t with n - 1 degrees of freedom",
        ),
        Mistake(
            lambda restored, copied: _interval(restored - copied, ddof=0),
            "the deviation of a sample is divided by n - 1: std(ddof=1)",
        ),
        Mistake(
            lambda restored, copied: _interval(restored - copied, root=False),
            "this is how single images scatter: the mean of n scatters less, by the "
            "root of n",
        ),
        Mistake(
            lambda restored, copied: _interval(copied - restored),
            "the sign: restored minus copied",
        ),
    ),
)


# ---- my_missing

NEEDED = {
    "frechet": ("d", "features", "floor", "n1", "n2"),
    "ssim": ("copied", "data_range"),
}
FACTS = ("copied", "d", "data_range", "features", "floor", "n1", "n2")


@st.composite
def reports(draw):
    """Draw what a report states of SSIM and of the Frechet distance."""
    scores = draw(st.lists(st.sampled_from(("ssim", "frechet")), unique=True))
    facts = draw(st.lists(st.sampled_from(FACTS), unique=True))
    stated = st.sampled_from((1, 0.0, None))
    return (dict.fromkeys(scores, 0.5) | {name: draw(stated) for name in facts},)


def _left_out(report, needed=NEEDED, absent=lambda report, name: False):
    """Return what is needed and not stated."""
    names = [name for score in needed if score in report for name in needed[score]]
    return sorted(
        name for name in names if report.get(name) is None or absent(report, name)
    )


def _missing(report):
    """Ask for what belongs to the scores given; the right answer."""
    return _left_out(report)


complete = reports().map(lambda case: (case[0] | dict.fromkeys(FACTS, 1),))


@law("A report that states all lacks nothing.", complete)
def _nothing(f, report):
    return 0, len(f(report))


@law("Where no score is given, nothing is needed.", reports())
def _no_score(f, report):
    bare = {k: v for k, v in report.items() if k not in NEEDED}
    return 0, len(f(bare))


missing = Exercise(
    "my_missing",
    _missing,
    reports(),
    (_nothing, _no_score),
    (
        "each score asks for its own facts, and only if it is given",
        'begin with names = []; if "ssim" in report: names += ["copied", '
        '"data_range"]; the same for "frechet"',
        "return sorted(name for name in names if report.get(name) is None)",
    ),
    (
        Mistake(
            lambda report: _left_out(
                report, absent=lambda report, name: not report[name]
            ),
            "0 is stated: ask for None, not for what is false",
        ),
        Mistake(
            lambda report: sorted(n for n in FACTS if report.get(n) is None),
            "a report without SSIM owes no data range: ask only for what belongs to "
            "the scores that are given",
        ),
        Mistake(
            lambda report: sorted(
                name
                for score in NEEDED
                if score in report
                for name in NEEDED[score]
                if name not in report
            ),
            'None is not stated: report.get(name) is None finds both, "name in report" '
            "only one",
        ),
        Mistake(
            lambda report: _left_out(
                report, NEEDED | {"frechet": ("d", "features", "n1", "n2")}
            ),
            "without the floor a distance cannot be read: it is needed too",
        ),
        Mistake(
            lambda report: _left_out(report, NEEDED | {"ssim": ("data_range",)}),
            "without the score of copying an SSIM cannot be read: it is needed too",
        ),
        Mistake(lambda report: _left_out(report)[::-1], "sorted, from a to z"),
        Mistake(
            lambda report: [
                name
                for score in sorted(NEEDED, reverse=True)
                if score in report
                for name in NEEDED[score]
                if report.get(name) is None
            ],
            "the names of both scores together, from a to z: sort at the end",
        ),
    ),
)

EXERCISES = {e.name: e for e in (exchange_test, paired_gain, missing)}
