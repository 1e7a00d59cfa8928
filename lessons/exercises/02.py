"""Exercises of lesson 2: likeness of images and of sets."""

import math

import numpy as np
from hypothesis import strategies as st

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged


@st.composite
def windows(draw):
    data_range = draw(st.sampled_from((1.0, 255.0, 4.0)))
    step = data_range / draw(st.sampled_from((4, 40)))  # they need not use it all
    shape = draw(st.sampled_from(((2, 2), (3, 3), (2, 4))))
    levels = st.lists(st.integers(0, 4), min_size=9, max_size=9)
    pair = (draw(levels)[: math.prod(shape)] for _ in range(2))
    return *(np.reshape(pixels, shape) * step for pixels in pair), data_range


def my_ssim_window(window1, window2, data_range):
    x, y = np.float64(window1).ravel(), np.float64(window2).ravel()
    (x_var, covariance), (_, y_var) = np.cov(x, y, ddof=0)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    return luminance * (2 * covariance + c2) / (x_var + y_var + c2)


def cancelled(x, y):
    return [[np.mean(a * b) - a.mean() * b.mean() for b in (x, y)] for a in (x, y)]


laws = {
    "Every window is like itself: 1.": gives(1.0, lambda x, y, top: (y, y, top)),
    "Likeness goes both ways.": unchanged(
        lambda x, y, data_range: (y, x, data_range), "swapped"
    ),
    "Doubling both windows and the range changes nothing.": unchanged(
        lambda *case: tuple(2 * part for part in case), "doubled"
    ),
    "Float32 windows far from zero keep their digits.": gives(
        my_ssim_window,
        lambda x, y, data_range: (*np.float32([1000 + x, 1000 + y]), data_range),
    ),
}
hints = """
- the formula has two fractions: one of the means with c1, one of covariance and
  variances with c2
- c1 = (0.01 * data_range) ** 2, c2 = (0.03 * data_range) ** 2; the covariance is the
  mean of (window1 - its mean) * (window2 - its mean), all in float64
- luminance = (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1), structure = (2 * covariance +
  c2) / (window1.var() + window2.var() + c2), with m1 and m2 the means; multiply them
- your constants do not grow with data_range: c1 = (0.01 * data_range) ** 2
      my_ssim_window(window1, window2, 1.0)
- you divide by n - 1; Wang et al. take the plain mean over the window
      ddof=0 -> ddof=1
- right on paper, but digits cancel: turn the windows to float64 first, and take the
  mean away before you square
      np.float64 -> np.asarray
      np.cov(x, y, ddof=0) -> cancelled(x, y)
"""
ssim_window = Exercise(my_ssim_window, windows(), laws=laws, hints=hints)

scores = st.sampled_from((0.5, 0.75, 0.25, 0.0, 1.0, -0.5, 63 / 64))
scores = st.one_of(*map(scores.map, (float, np.float64, np.float32)))  # x/0 differs
damaged = scores.filter(lambda score: score < 1)


def my_gain(ssim_copied, ssim_restored):
    if ssim_copied == 1:
        return math.nan
    return (ssim_restored - ssim_copied) / (1 - ssim_copied)


laws = {
    "Whoever copies gains nothing.": gives(0.0, damaged.map(lambda a: (a, a))),
    "Perfect restoration gains 1.": gives(1.0, damaged.map(lambda a: (a, 1.0))),
    "Where nothing was damaged there is no gain to speak of: nan.": gives(
        math.nan, lambda copied, restored: (type(copied)(1), restored)
    ),
}
hints = """
- how much better than copying, and how much better could it have been?
- both are differences from ssim_copied: to ssim_restored, and to 1
- (ssim_restored - ssim_copied) / (1 - ssim_copied), and nan where ssim_copied is 1
- a difference is right for copying (0), but a perfect restoration must gain 1: divide
  by what was left to gain
      ssim_restored - ssim_copied
- harm is negative: do not cut it off at 0
      max(0.0, my_gain(ssim_copied, ssim_restored))
- all right but one case: an input perfect already; return nan there
      (ssim_restored - ssim_copied) / (1 - ssim_copied)
"""
gain = Exercise(my_gain, st.tuples(scores, scores), laws=laws, hints=hints)

means = st.integers(-6, 6).map(lambda number: number / 2)
squares = st.sampled_from((0.0, 1.0, 4.0, 9.0, 2.0, 0.5))


def my_frechet_diagonal(mean1, variances1, mean2, variances2):
    cov1, cov2 = np.diag(variances1), np.diag(variances2)
    return metrics.frechet_distance_from_stats(mean1, cov1, mean2, cov2)


cases = columns(means, squares, means, squares, most=3)
laws = {
    "Every Gaussian is at distance 0 from itself.": gives(
        0.0, lambda mean, variances, *_: (mean, variances, mean, variances)
    ),
    "With equal variances it is the squared distance of the means.": gives(
        lambda mean1, _, mean2, __: np.sum((mean1 - mean2) ** 2),
        lambda mean1, variances, mean2, _: (mean1, variances, mean2, variances),
    ),
    "Features three times as large are nine times as far apart.": Law(
        lambda f, *case: (9 * f(*case), f(*map(np.multiply, (3, 9, 3, 9), case))),
        labels=("9 times", "tripled"),
    ),
}
hints = """
- independent features add up: in each it is the formula of one dimension
- (m1 - m2)² + (s1 - s2)², with s the standard deviation: the root of the variance
- np.sum((mean1 - mean2) ** 2) plus np.sum((np.sqrt(variances1) - np.sqrt(variances2))
  ** 2)
- variances are given, standard deviations are compared: take their roots
      np.sum((mean1 - mean2) ** 2 + (variances1 - variances2) ** 2)
- this is the root of it: the distance that is reported stays squared
      math.sqrt(my_frechet_diagonal(mean1, variances1, mean2, variances2))
- features add up; do not average over them
      my_frechet_diagonal(mean1, variances1, mean2, variances2) / len(mean1)
"""
frechet_diagonal = Exercise(my_frechet_diagonal, cases, laws=laws, hints=hints)
