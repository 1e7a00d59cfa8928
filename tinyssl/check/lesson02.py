"""Exercises of lesson 2: likeness of images and of sets."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

ranges = st.sampled_from((1.0, 255.0))


@st.composite
def windows(draw):
    """Draw two windows of one shape in 0..255 or [0, 1], and the range."""
    data_range = draw(ranges)
    shape = draw(st.sampled_from(((2, 2), (3, 3), (2, 4))))
    pixels = math.prod(shape)
    levels = st.lists(st.integers(0, 4), min_size=pixels, max_size=pixels)
    pair = (np.reshape(draw(levels), shape) * data_range / 4 for _ in range(2))
    return *pair, data_range


def far_from_zero(case):
    """Return float32 windows, 1000 higher."""
    return *(np.float32(window + 1000) for window in case[:2]), case[2]


# ---- my_ssim_window


def _window(window1, window2, data_range, k1=0.01, k2=0.03, ddof=0):
    """Return the SSIM of one window; the right answer."""
    x, y = np.float64(window1), np.float64(window2)
    c1, c2 = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    covariance = np.sum((x - x.mean()) * (y - y.mean())) / (x.size - ddof)
    luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    return (
        luminance * (2 * covariance + c2) / (x.var(ddof=ddof) + y.var(ddof=ddof) + c2)
    )


def _cancelled(window1, window2, data_range):
    """Square first: right but for rounding."""
    x, y = window1, window2
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    covariance = np.mean(x * y) - x.mean() * y.mean()
    variances = np.mean(x * x) - x.mean() ** 2 + np.mean(y * y) - y.mean() ** 2
    luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    return luminance * (2 * covariance + c2) / (variances + c2)


def _constants_once(window1, window2, data_range):
    """Forget to square the constants."""
    root = math.sqrt(data_range)
    return _window(window1, window2, root, math.sqrt(0.01), math.sqrt(0.03))


def _mixed_divisors(window1, window2, data_range):
    """Take the covariance by n - 1, the variances by n."""
    x, y = np.float64(window1), np.float64(window2)
    c2 = (0.03 * data_range) ** 2
    covariance = np.cov(x.ravel(), y.ravel())[0, 1]
    structure = (2 * covariance + c2) / (x.var() + y.var() + c2)
    return structure * _window(x, y, data_range, k2=1e9)


@law("Every window is like itself: 1.", windows().map(lambda case: case[1:]))
def _itself(f, window, data_range):
    return 1.0, f(window, window, data_range)


@law("Likeness goes both ways.", windows(), labels=("as given", "swapped"))
def _either_way(f, window1, window2, data_range):
    return f(window1, window2, data_range), f(window2, window1, data_range)


@law(
    "Doubling both windows and the range changes nothing.",
    windows(),
    labels=("as given", "doubled"),
)
def _rescaled(f, window1, window2, data_range):
    doubled = f(2 * window1, 2 * window2, 2 * data_range)
    return f(window1, window2, data_range), doubled


@law("Float32 windows far from zero keep their digits.", windows().map(far_from_zero))
def _offset(f, window1, window2, data_range):
    return _window(window1, window2, data_range), f(window1, window2, data_range)


ssim_window = Exercise(
    "my_ssim_window",
    _window,
    windows(),
    (_itself, _either_way, _rescaled, _offset),
    (
        "the formula has two fractions: one of the means with c1, one of covariance "
        "and variances with c2",
        "c1 = (0.01 * data_range) ** 2, c2 = (0.03 * data_range) ** 2; the covariance "
        "is the mean of (window1 - its mean) * (window2 - its mean), all in float64",
        "luminance = (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1), structure = (2 * "
        "covariance + c2) / (window1.var() + window2.var() + c2), with m1 and m2 the "
        "means; multiply them",
    ),
    (
        Mistake(
            lambda window1, window2, data_range: _window(window1, window2, 1.0),
            "your constants do not grow with data_range: c1 = (0.01 * data_range) ** 2",
        ),
        Mistake(
            _constants_once,
            "your constants are not squared: c1 = (0.01 * data_range) ** 2",
        ),
        Mistake(
            lambda *case: _window(*case, ddof=1),
            "you divide by n - 1; Wang et al. take the plain mean over the window",
        ),
        Mistake(
            _mixed_divisors,
            "np.cov divides by n - 1 and var by n: take the plain mean of (x - m1) * "
            "(y - m2) for the covariance too",
        ),
        Mistake(
            lambda *case: _window(*case, k1=1e9),
            "the means are missing: an image and a brighter one would score 1",
        ),
        Mistake(
            lambda *case: _window(*case, k2=1e9),
            "only the means are compared: the fraction of covariance is missing",
        ),
        Mistake(
            _cancelled,
            "right on paper, but digits cancel: turn the windows to float64 first, and "
            "take the mean away before you square",
        ),
    ),
)


# ---- my_gain

scores = st.sampled_from((0.5, 0.75, 0.25, 0.0, 1.0, -0.5))
damaged = scores.filter(lambda score: score < 1)


def _gain(ssim_copied, ssim_restored):
    """Return the share restored of what was left to restore; the right answer."""
    if ssim_copied == 1:
        return math.nan
    return (ssim_restored - ssim_copied) / (1 - ssim_copied)


@law("Whoever copies gains nothing.", st.tuples(damaged))
def _copy(f, ssim_copied):
    return 0.0, f(ssim_copied, ssim_copied)


@law("Perfect restoration gains 1.", st.tuples(damaged))
def _perfect(f, ssim_copied):
    return 1.0, f(ssim_copied, 1.0)


@law("Where nothing was damaged there is no gain to speak of: nan.", st.tuples(scores))
def _nothing_left(f, ssim_restored):
    return math.nan, f(1.0, ssim_restored)


gain = Exercise(
    "my_gain",
    _gain,
    st.tuples(scores, scores),
    (_copy, _perfect, _nothing_left),
    (
        "how much better than copying, and how much better could it have been?",
        "both are differences from ssim_copied: to ssim_restored, and to 1",
        "(ssim_restored - ssim_copied) / (1 - ssim_copied), and nan where ssim_copied "
        "is 1",
    ),
    (
        Mistake(
            lambda ssim_copied, ssim_restored: ssim_restored - ssim_copied,
            "a difference is right for copying (0), but a perfect restoration must "
            "gain 1: divide by what was left to gain",
        ),
        Mistake(
            lambda ssim_copied, ssim_restored: (
                (ssim_restored - ssim_copied) / ssim_copied
            ),
            "you divide by what copying has; divide by what it left to gain, the way "
            "from ssim_copied to 1",
        ),
        Mistake(
            lambda ssim_copied, ssim_restored: ssim_restored / ssim_copied,
            "a ratio gives copying 1, not 0, and has no fixed best value",
        ),
        Mistake(
            lambda ssim_copied, ssim_restored: max(
                0.0, _gain(ssim_copied, ssim_restored)
            ),
            "harm is negative: do not cut it off at 0",
        ),
        Mistake(
            lambda ssim_copied, ssim_restored: (
                0.0 if ssim_copied == 1 else _gain(ssim_copied, ssim_restored)
            ),
            "all right but one case: an input perfect already. 0/0 is nan, not 0",
        ),
        Mistake(
            lambda ssim_copied, ssim_restored: (
                (ssim_restored - ssim_copied) / (1 - ssim_copied)
            ),
            "all right but one case: an input perfect already; return nan there",
        ),
    ),
)


# ---- my_frechet_diagonal


@st.composite
def gaussians(draw):
    """Draw means and variances of two Gaussians of independent features."""
    d = draw(st.integers(1, 3))
    numbers = st.lists(st.integers(-3, 3), min_size=d, max_size=d)
    squares = st.lists(st.sampled_from((0.0, 1.0, 4.0, 9.0)), min_size=d, max_size=d)
    return tuple(
        np.array(draw(kind), float) for kind in (numbers, squares, numbers, squares)
    )


def _diagonal(mean1, variances1, mean2, variances2):
    """Return the distance by the library; the right answer."""
    covariances = np.diag(variances1), np.diag(variances2)
    return metrics.frechet_distance_from_stats(
        mean1, covariances[0], mean2, covariances[1]
    )


def _parts(mean1, variances1, mean2, variances2):
    """Return the squared distances of means, and of standard deviations."""
    means, roots = (mean1 - mean2) ** 2, np.sqrt(variances1) - np.sqrt(variances2)
    return means.sum(), (roots**2).sum()


@law(
    "Every Gaussian is at distance 0 from itself.",
    gaussians().map(lambda case: case[:2]),
)
def _same(f, mean, variances):
    return 0.0, f(mean, variances, mean, variances)


@law(
    "With equal variances it is the squared distance of the means.",
    gaussians().map(lambda case: case[:3]),
)
def _shifted(f, mean1, variances, mean2):
    return np.sum((mean1 - mean2) ** 2), f(mean1, variances, mean2, variances)


@law(
    "Features three times as large are nine times as far apart.",
    gaussians(),
    labels=("9 times", "tripled"),
)
def _scaled(f, mean1, variances1, mean2, variances2):
    tripled = f(3 * mean1, 9 * variances1, 3 * mean2, 9 * variances2)
    return 9 * f(mean1, variances1, mean2, variances2), tripled


frechet_diagonal = Exercise(
    "my_frechet_diagonal",
    _diagonal,
    gaussians(),
    (_same, _shifted, _scaled),
    (
        "independent features add up: in each it is the formula of one dimension",
        "(m1 - m2)² + (s1 - s2)², with s the standard deviation: the root of the "
        "variance",
        "np.sum((mean1 - mean2) ** 2) plus np.sum((np.sqrt(variances1) - "
        "np.sqrt(variances2)) ** 2)",
    ),
    (
        Mistake(
            lambda mean1, variances1, mean2, variances2: (
                np.sum((mean1 - mean2) ** 2) + np.sum((variances1 - variances2) ** 2)
            ),
            "variances are given, standard deviations are compared: take their roots",
        ),
        Mistake(
            lambda *case: sum(_parts(*case)) + np.sqrt(case[1] * case[3]).sum(),
            "the product of the standard deviations counts twice: (s1 - s2)² is s1² + "
            "s2² - 2 s1 s2",
        ),
        Mistake(
            lambda *case: math.sqrt(sum(_parts(*case))),
            "this is the root of it: the distance that is reported stays squared",
        ),
        Mistake(
            lambda *case: _parts(*case)[0],
            "only the means are compared: spread counts too",
        ),
        Mistake(
            lambda *case: _parts(*case)[1],
            "only the spread is compared: means count too",
        ),
        Mistake(
            lambda *case: sum(_parts(*case)) / len(case[0]),
            "features add up; do not average over them",
        ),
    ),
)

EXERCISES = {e.name: e for e in (ssim_window, gain, frechet_diagonal)}
