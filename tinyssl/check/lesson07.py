"""Exercises of lesson 7: a place from a map, errors in discs, labels in a mirror."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Mistake
from tinyssl.check.search import law

# ---- my_soft_argmax

levels = st.sampled_from((0.0, 1.0, 2.0, -1.0, 3.0))


@st.composite
def maps(draw):
    """Draw a small map of logits, wider than high or the other way round."""
    H, W = draw(st.sampled_from(((1, 2), (2, 1), (2, 3), (3, 2))))
    numbers = draw(st.lists(levels, min_size=H * W, max_size=H * W))
    return (np.reshape(numbers, (H, W)),)


@st.composite
def peaks(draw):
    """Draw a map with all probability in one pixel, and that pixel."""
    H, W = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    y, x = draw(st.integers(0, H - 1)), draw(st.integers(0, W - 1))
    logits = np.full((H, W), -200.0)
    logits[y, x] = 0
    return logits, y, x


def _soft_argmax(logits):
    """Return the mean place of the softmax; the right answer."""
    return _mean_place(np.exp(logits - logits.max()))


def _mean_place(weights):
    """Return the mean place under some weights."""
    y, x = np.indices(weights.shape)
    return np.array([(weights * y).sum(), (weights * x).sum()]) / weights.sum()


def _unshifted(logits):
    """Take the exponential of logits as they are."""
    return _mean_place(np.exp(logits))


def _row_by_row(logits):
    """Take a softmax in each row."""
    weights = np.exp(logits - logits.max())
    weights /= weights.sum(axis=1, keepdims=True)
    y, x = np.indices(logits.shape)
    return np.array([(weights * y).sum(), (weights * x).sum()])


@law("Where one pixel has everything, that pixel is the answer.", peaks())
def _one_peak(f, logits, y, x):
    return np.array([y, x]), f(logits)


@law("A constant added to all logits changes nothing.", maps())
def _constant(f, logits):
    return f(logits), f(logits - 5)


@law("Logits of a thousand are no trouble.", maps())
def _large(f, logits):
    return _soft_argmax(logits), f(logits + 1000)


soft_argmax = Exercise(
    "my_soft_argmax",
    _soft_argmax,
    maps(),
    (_one_peak, _constant, _large),
    (
        "two steps: turn logits into probabilities, then average the places",
        "weights = np.exp(logits - logits.max()), divided by their sum; y, x = "
        "np.indices(logits.shape)",
        "return np.array([(weights * y).sum(), (weights * x).sum()])",
    ),
    (
        Mistake(
            lambda logits: _soft_argmax(logits)[::-1],
            "points are (y, x): the mean row comes first",
        ),
        Mistake(
            lambda logits: np.array(np.unravel_index(logits.argmax(), logits.shape)),
            "this is the highest pixel; asked is the mean place of all probability",
        ),
        Mistake(
            lambda logits: _mean_place(np.abs(logits)),
            "logits are no probabilities: take np.exp of them first",
        ),
        Mistake(
            lambda logits: _mean_place(logits),
            "logits are no probabilities: take np.exp of them first",
        ),
        Mistake(
            _row_by_row,
            "each row's weights add up to 1 here: divide by the sum over the whole map",
        ),
        Mistake(
            _unshifted,
            "np.exp(1000) is infinite: subtract the largest logit first, which "
            "changes nothing else",
        ),
        Mistake(
            lambda logits: _soft_argmax(logits) + 1,
            "the first pixel's centre is at 0, not at 1",
        ),
        Mistake(
            lambda logits: _soft_argmax(logits) * np.exp(logits - logits.max()).sum(),
            "the weights must add up to 1: divide by their sum",
        ),
    ),
)

# ---- my_disc_diameters

steps = st.sampled_from((0.0, 3.0, 4.0, -3.0, -4.0, 8.0, 6.0))
radii = st.sampled_from((1.0, 2.0, 5.0))


@st.composite
def misses(draw):
    """Draw true points, predicted points and the radius of each eye's disc."""
    N = draw(st.integers(1, 3))
    truth = draw(st.lists(st.tuples(steps, steps), min_size=N, max_size=N))
    off = draw(st.lists(st.tuples(steps, steps), min_size=N, max_size=N))
    radius = draw(st.lists(radii, min_size=N, max_size=N))
    return np.array(truth), np.array(truth) + np.array(off), np.array(radius)


def _diameters(points_true, points_pred, disc_radius):
    """Return errors in disc diameters; the right answer."""
    return np.hypot(*(points_pred - points_true).T) / (2 * disc_radius)


@law(
    "The true place has error 0.",
    misses().map(lambda case: (case[0], case[2])),
)
def _hit(f, points_true, disc_radius):
    return np.zeros(len(points_true)), f(points_true, points_true, disc_radius)


@law("A picture twice as large has the same errors.", misses())
def _larger(f, points_true, points_pred, disc_radius):
    doubled = f(2 * points_true, 2 * points_pred, 2 * disc_radius)
    return f(points_true, points_pred, disc_radius), doubled


@law(
    "A point on the rim of the disc is half a diameter from its centre.",
    st.tuples(radii),
)
def _rim(f, radius):
    centre, rim = np.zeros((1, 2)), np.array([[0.0, radius]])
    return np.array([0.5]), f(centre, rim, np.array([radius]))


disc_diameters = Exercise(
    "my_disc_diameters",
    _diameters,
    misses(),
    (_hit, _larger, _rim),
    (
        "first the distance of each pair of points in pixels, then the unit",
        "the distance is np.sqrt(((points_pred - points_true) ** 2).sum(axis=1))",
        "divide it by 2 * disc_radius, each eye by its own",
    ),
    (
        Mistake(
            lambda *case: 2 * _diameters(*case),
            "a diameter is two radii: divide by 2 * disc_radius",
        ),
        Mistake(
            lambda points_true, points_pred, disc_radius: np.hypot(
                *(points_pred - points_true).T
            ),
            "these are pixels: divide by each eye's disc diameter",
        ),
        Mistake(
            lambda points_true, points_pred, disc_radius: (
                np.abs(points_pred - points_true).sum(axis=1) / (2 * disc_radius)
            ),
            "this walks along rows and columns: the distance is the root of the sum "
            "of squares",
        ),
        Mistake(
            lambda points_true, points_pred, disc_radius: (
                ((points_pred - points_true) ** 2).sum(axis=1) / (2 * disc_radius)
            ),
            "the root is missing: this is the squared distance",
        ),
        Mistake(
            lambda points_true, points_pred, disc_radius: (
                np.hypot(*(points_pred - points_true).T) / (2 * disc_radius.mean())
            ),
            "each eye has a disc of its own: divide by its own diameter, not the mean",
        ),
        Mistake(
            lambda points_true, points_pred, disc_radius: (
                np.linalg.norm(points_pred - points_true) / (2 * disc_radius)
            ),
            "this is one length over all eyes together: sum over axis=1 only",
        ),
        Mistake(
            lambda *case: _diameters(*case).mean(),
            "asked is one error an eye; averaging comes later, beside the median",
        ),
    ),
)

# ---- my_mirror_labels


@st.composite
def labelled(draw):
    """Draw rows of disc (y, x), fovea (y, x) and 1 for a right eye; and a width."""
    width = draw(st.sampled_from((4, 8, 5)))
    place = st.integers(0, width - 1)
    row = st.tuples(place, place, place, place, st.integers(0, 1))
    rows = draw(st.lists(row, min_size=1, max_size=3))
    return np.array(rows, float), width


def _part(labels, width, *, last=1, columns=(1, 3), eye=True):
    """Mirror some of the points, and the eye."""
    labels = labels.copy()
    for column in columns:
        labels[:, column] = width - last - labels[:, column]
    if eye:
        labels[:, 4] = 1 - labels[:, 4]
    return labels


def _mirrored(labels, width):
    """Mirror points and eye; the right answer."""
    return _part(labels, width)


@law("A mirrored right eye is a left one, and the other way round.", labelled())
def _other_eye(f, labels, width):
    return 1 - labels[:, 4], f(labels, width)[:, 4]


@law("Mirrored twice is not mirrored.", labelled())
def _twice(f, labels, width):
    return labels, f(f(labels, width), width)


@law("A pixel of the mirrored picture is where its label says.", labelled())
def _with_pixels(f, labels, width):
    found = []
    mirrored = f(labels, width)
    for y, x in labels[:, :2].astype(int):
        picture = np.zeros((width, width), bool)
        picture[y, x] = True
        found.append(np.argwhere(picture[:, ::-1])[0])
    return np.array(found, float), mirrored[:, :2]


mirror_labels = Exercise(
    "my_mirror_labels",
    _mirrored,
    labelled(),
    (_other_eye, _twice, _with_pixels),
    (
        "three things change: the column of the disc, that of the fovea, and the eye",
        "column x of width columns becomes width - 1 - x; the eye becomes 1 - eye",
        "labels = labels.copy(); labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]; "
        "labels[:, 4] = 1 - labels[:, 4]; return labels",
    ),
    (
        Mistake(
            lambda labels, width: _part(labels, width, eye=False),
            "the points moved, but a mirrored right eye is a left eye: 1 - eye",
        ),
        Mistake(
            lambda labels, width: _part(labels, width, columns=()),
            "the eye changed, but its points were left behind",
        ),
        Mistake(
            lambda labels, width: _part(labels, width, last=0),
            "off by one: columns go from 0 to width - 1, so x becomes width - 1 - x",
        ),
        Mistake(
            lambda labels, width: _part(labels, width, columns=(0, 2)),
            "this mirrors top to bottom: points are (y, x), so take columns 1 and 3",
        ),
        Mistake(
            lambda labels, width: _part(labels, width, columns=(1,)),
            "the fovea has to move as well as the disc",
        ),
        Mistake(
            lambda labels, width: labels,
            "nothing has changed: points and eye both do",
        ),
    ),
)

EXERCISES = {e.name: e for e in (soft_argmax, disc_diameters, mirror_labels)}
