"""Exercises of lesson 18: the average of networks, and the variance of all images."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged

number = st.integers(-8, 8).map(lambda k: k / 2)
count = st.sampled_from((1, 2, 3, 10, 40))


@st.composite
def networks(draw):
    H, P = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    weights = [[draw(number) for _ in range(P)] for _ in range(H)]
    return np.array(weights), np.array([draw(count) for _ in range(H)])


def my_average(weights, counts):
    return counts / counts.sum() @ weights


laws = {
    "Equal networks have themselves as their average.": gives(
        lambda weights, counts: weights[0],
        lambda weights, counts: (np.tile(weights[:1], (len(weights), 1)), counts),
    ),
    "Ten times as many images everywhere change nothing.": unchanged(
        lambda weights, counts: (weights, 10 * counts), "times ten"
    ),
    "A hospital split into two equal halves changes nothing.": Law(
        lambda f, weights, counts: (
            f(weights, 2 * counts),
            f(np.concatenate([weights, weights]), np.concatenate([counts, counts])),
        ),
        labels=("whole", "halves"),
    ),
}
hints = """
- a hospital with twice as many images weighs twice as much, and the weights sum to 1
- shares = counts / counts.sum(); multiply each row by its share, then add the rows
- (counts[:, None] * weights).sum(axis=0) / counts.sum()
- this counts hospitals, not images: the small ones weigh as much as the large ones
      counts / counts.sum() @ weights -> weights.mean(axis=0)
- this is a sum, which grows with the number of images: divide by all of them
      counts / counts.sum() @ weights -> counts @ weights
- divide by the images of all hospitals, not by the number of hospitals
      counts / counts.sum() -> counts / len(counts)
"""
average = Exercise(my_average, networks(), laws=laws, hints=hints)


@st.composite
def statistics(draw):
    H = draw(st.integers(1, 4))
    variances = [draw(st.sampled_from((0.0, 0.25, 1.0, 4.0))) for _ in range(H)]
    means, counts = ([draw(of) for _ in range(H)] for of in (number, count))
    return np.array(means), np.array(variances), np.array(counts)


def my_joint_variance(means, variances, counts):
    shares = counts / counts.sum()
    between = shares @ (means - shares @ means) ** 2
    return shares @ variances + between


laws = {
    "One hospital alone has its own variance.": gives(
        lambda means, variances, counts: variances[0],
        lambda means, variances, counts: (means[:1], variances[:1], counts[:1]),
    ),
    "A number added to all means changes nothing.": unchanged(
        lambda means, variances, counts: (means + 3, variances, counts), "shifted"
    ),
    "Images of one value a hospital: the variance of these values.": gives(
        lambda means, variances, counts: np.repeat(means, counts).var(),
        lambda means, variances, counts: (means, 0 * variances, counts),
    ),
}
hints = """
- the variance of all is the mean of the variances plus the variance of the means, each
  hospital by its share of the images
- shares = counts / counts.sum(); the mean of all is shares @ means
- shares @ variances + shares @ (means - shares @ means) ** 2
- the cameras' difference is forgotten: add how far the means lie from the mean of all
      shares @ variances + between -> shares @ variances
- the mean of all images weighs hospitals by their images, not all alike
      means - shares @ means -> means - means.mean()
- every hospital weighs alike here: weigh it by its number of images
      counts / counts.sum() -> np.ones(len(counts)) / len(counts)
"""
joint_variance = Exercise(my_joint_variance, statistics(), laws=laws, hints=hints)
