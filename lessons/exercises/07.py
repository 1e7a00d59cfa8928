"""Exercises of lesson 7: a place from a map, errors in discs, labels in a mirror."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyssl import metrics
from tinyssl.check.exercise import Exercise, Law, columns, gives, unchanged

levels = st.sampled_from((0.0, 1.0, 2.0, -1.0, 3.0))
shapes = st.sampled_from(((1, 2), (2, 1), (2, 3), (3, 2)))
maps = shapes.flatmap(lambda shape: hnp.arrays(float, shape, elements=levels))
peaks = maps.map(lambda logits: np.where(logits == logits.max(), 0.0, -200.0)).filter(
    lambda logits: np.sum(logits == 0) == 1
)


def my_soft_argmax(logits):
    weights, (y, x) = np.exp(logits - logits.max()), np.indices(logits.shape)
    return np.array([(weights * y).sum(), (weights * x).sum()]) / weights.sum()


laws = {
    "Where one pixel has everything, that pixel is the answer.": gives(
        lambda logits: np.argwhere(logits == 0)[0], peaks
    ),
    "A constant added to all logits changes nothing.": unchanged(
        lambda logits: (logits - 5,), "minus 5"
    ),
    "Logits of a thousand are no trouble, up or down, equal or not.": gives(
        my_soft_argmax,
        st.one_of(
            *(maps.map(lambda z, by=by: by(z, 1000.0)) for by in (np.add, np.subtract)),
            maps.map(lambda z: 1000 * z),
        ),
    ),
}
hints = """
- two steps: turn logits into probabilities, then average the places
- weights = np.exp(logits - logits.max()), divided by their sum; y, x =
  np.indices(logits.shape)
- return np.array([(weights * y).sum(), (weights * x).sum()])
- points are (y, x): the mean row comes first
      my_soft_argmax(logits)[::-1]
- this is the highest pixel; asked is the mean place of all probability
      np.array(np.unravel_index(logits.argmax(), logits.shape))
- np.exp(1000) is infinite: subtract the largest logit first, which changes nothing else
      logits - logits.max() -> logits
"""
soft_argmax = Exercise(my_soft_argmax, maps, laws=laws, hints=hints)

steps = st.sampled_from((0.0, 3.0, 4.0, -3.0, -4.0, 8.0, 6.0))
places = st.tuples(steps, steps)
radii = st.sampled_from((1.0, 2.0, 5.0))
misses = columns(places, places, radii, most=3).map(
    lambda case: (case[0], case[0] + case[1], case[2])
)


def my_disc_diameters(points_true, points_pred, disc_radius):
    return metrics.localization_error(points_true, points_pred) / (2 * disc_radius)


laws = {
    "The true place has error 0.": gives(
        lambda *case: 0 * case[2], lambda true, _, radius: (true, true, radius)
    ),
    "A picture twice as large has the same errors.": unchanged(
        lambda *case: tuple(2 * part for part in case), "doubled"
    ),
    "A point on the rim of the disc is half a diameter from its centre.": gives(
        [0.5],
        radii.map(lambda r: (np.zeros((1, 2)), np.array([[0, r]]), np.array([r]))),
    ),
}
hints = """
- first the distance of each pair of points in pixels, then the unit
- the distance is np.sqrt(((points_pred - points_true) ** 2).sum(axis=1))
- divide it by 2 * disc_radius, each eye by its own
- a diameter is two radii: divide by 2 * disc_radius
      2 * disc_radius -> disc_radius
- these are pixels: divide by each eye's disc diameter
      metrics.localization_error(points_true, points_pred)
- each eye has a disc of its own: divide by its own diameter, not the mean
      2 * disc_radius -> 2 * disc_radius.mean()
"""
disc_diameters = Exercise(my_disc_diameters, misses, laws=laws, hints=hints)


@st.composite
def labelled(draw):
    width = draw(st.sampled_from((4, 8, 5)))
    place = st.integers(0, 2 * width - 2).map(lambda number: number / 2)
    row = st.tuples(place, place, place, place, st.integers(0, 1))
    return np.array(draw(st.lists(row, min_size=1, max_size=3)), float), width


def my_mirror_labels(labels, width):
    labels = labels.copy()
    labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]
    labels[:, 4] = 1 - labels[:, 4]
    return labels


def with_pixels(f, labels, width):
    labels = np.floor(labels)
    pictures = np.zeros((len(labels), width, width))
    y, x = labels[:, :2].T.astype(int)
    pictures[np.arange(len(labels)), y, x] = 1
    return np.argwhere(pictures[:, :, ::-1])[:, 1:], np.array(f(labels, width))[:, :2]


laws = {
    "A mirrored right eye is a left one, and the other way round.": Law(
        lambda f, labels, width: (1 - labels[:, 4], np.array(f(labels, width))[:, 4]),
        labels=("expected", "column 4"),
    ),
    "Mirrored twice is not mirrored.": Law(
        lambda f, labels, width: (labels, f(np.array(f(labels, width)), width)),
        labels=("given", "twice"),
    ),
    "A pixel of the mirrored picture is where its label says.": Law(
        with_pixels, labels=("pixels", "labels")
    ),
}
hints = """
- three things change: the column of the disc, that of the fovea, and the eye
- column x of width columns becomes width - 1 - x; the eye becomes 1 - eye
- labels = labels.copy(); labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]; labels[:,
  4] = 1 - labels[:, 4]; return labels
- the points moved, but a mirrored right eye is a left eye: 1 - eye
      1 - labels[:, 4] -> labels[:, 4]
- the eye changed, but its points were left behind
      width - 1 - labels[:, [1, 3]] -> labels[:, [1, 3]]
- off by one: columns go from 0 to width - 1, so x becomes width - 1 - x
      width - 1 -> width
"""
mirror_labels = Exercise(my_mirror_labels, labelled(), laws=laws, hints=hints)
