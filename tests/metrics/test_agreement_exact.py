"""Kappas without rounding, for any number of threads, and where a peer is wrong."""

from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import label_pairs, numpy_up_to, small, weights

from tinyssl.metrics import _kappas, cohen_kappa, confusion_matrix
from tinyssl.metrics import quadratic_weighted_kappa as qwk

# loops that run as Python (NUMBA_DISABLE_JIT=1) warn where integers wrap
wraps = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
COSTS = {
    None: lambda a, b: int(a != b),
    "linear": lambda a, b: abs(a - b),
    "quadratic": lambda a, b: (a - b) ** 2,
}


def exact_kappa(y_true, y_pred, cost, counts=None):
    """Return kappa by definition, over all pairs and without rounding; None if 0/0."""
    counts = map(Fraction, [1] * len(y_true) if counts is None else counts)
    rows = list(zip(map(int, y_true), map(int, y_pred), counts, strict=True))
    observed = sum(w * cost(a, b) for a, b, w in rows) * sum(w for *_, w in rows)
    expected = sum(w * u * cost(a, b) for a, _, w in rows for _, b, u in rows)
    return float(1 - observed / expected) if expected else None


@wraps
@given(st.data(), st.sampled_from(["i1", "u1", "i4", "u4", "i8", "u8"]), small)
def test_kappas_of_any_integers_are_the_nearest_float(data, dtype, length):
    ends = np.iinfo(dtype)
    near = data.draw(st.integers(ends.min, ends.max - 3))
    grade = st.integers(ends.min, ends.max) | st.integers(near, near + 3)
    pairs = data.draw(st.lists(st.tuples(grade, grade), min_size=1, max_size=9))
    pair = [np.array(values, dtype) for values in zip(*pairs, strict=True)]
    for scheme, cost in COSTS.items():
        with numpy_up_to(_kappas, length):
            actual = cohen_kappa(*pair, weights=scheme, undefined=7)
        expected = exact_kappa(*pair, cost)
        assert actual == (7 if expected is None else expected)


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (np.uint64([2**64 - 1, 2**64 - 2]), np.uint64([2**64 - 2, 2**64 - 2])),
        (np.uint64([2**64 - 1, 2**64 - 2]), np.uint64([2**64 - 1, 2**64 - 2])),
        (np.uint64([2**64 - 1, 0]), np.array([-(2**63), 0])),
    ],
)
def test_labels_beyond_int64_and_of_mixed_signs(y_true, y_pred):
    for scheme, cost in COSTS.items():
        expected = exact_kappa(y_true, y_pred, cost)
        assert cohen_kappa(y_true, y_pred, weights=scheme) == expected


@given(st.data(), label_pairs(max_size=9), st.sampled_from((0, -(2**60), 2**60)))
def test_weights_that_are_counts_repeat_a_sample(data, pair, shift):
    pair = [values + shift for values in pair]
    counts = data.draw(weights(len(pair[0]))) * 2
    for scheme, cost in COSTS.items():
        options = {"weights": scheme, "undefined": 7}
        actual = cohen_kappa(*pair, sample_weight=counts, **options)
        expected = exact_kappa(*pair, cost, counts)
        assert actual == pytest.approx(7 if expected is None else expected, abs=1e-12)
        for scale in (-1000, 1000):  # in products these vanish, or overflow
            scaled = np.ldexp(counts, scale)
            assert actual == cohen_kappa(*pair, sample_weight=scaled, **options)


grades = st.sampled_from((0, 1, 2, 5, 2**62))
far_weights = st.sampled_from((1e-140, 1e-60, 1e-17, 0.3, 1.0, 7e60))


@pytest.mark.parametrize("scheme", COSTS)
@example(rows=[(2**62, 5, 1e-17), (5, 2, 0.3)])
@given(rows=st.lists(st.tuples(grades, grades, far_weights), min_size=1, max_size=6))
def test_weights_far_apart_leave_kappas_their_digits(scheme, rows):
    y_true, y_pred, w = zip(*rows, strict=True)
    expected = exact_kappa(y_true, y_pred, COSTS[scheme], w)
    actual = cohen_kappa(y_true, y_pred, weights=scheme, sample_weight=w, undefined=7)
    expected = 7 if expected is None else expected
    assert actual == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("scheme", COSTS)
def test_a_sample_of_little_weight_still_counts(scheme):
    little = {"weights": scheme, "sample_weight": [1e100, 1e-100]}
    assert cohen_kappa([0, 1], [0, 1], **little) == 1
    assert cohen_kappa([2**60, 2**60 + 1], [2**60, 2**60 + 1], **little) == 1
    # what weighs nothing is no sample, and a constant rater is left
    for w in ([0, 0, 0, 1e-300], [0, 0.1, 0.2, 0.3], [0, 0.1, 0.3, 0.7]):
        y = [0, 7, 7, 7]
        assert cohen_kappa(y, y, weights=scheme, sample_weight=w, undefined=9) == 9


@pytest.mark.parametrize("dtype", ["u1", "i2", "i8"])
def test_any_number_of_threads_gives_the_same(monkeypatch, dtype):
    pair = np.random.default_rng(0).integers(0, 5, (2, 5000)).astype(dtype)
    expected = qwk(*pair), confusion_matrix(*pair).tolist()
    monkeypatch.setattr(_kappas, "PART", 100)
    for threads in "123":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert (qwk(*pair), confusion_matrix(*pair).tolist()) == expected


@wraps
@pytest.mark.parametrize("place", [0, -1, slice(None, None, 3)])
@pytest.mark.parametrize("far", [10**9, 2**32, 2**40, 2**62, -(2**40)])
def test_labels_far_out_in_any_part_are_seen(monkeypatch, place, far):
    monkeypatch.setattr(_kappas, "PART", 100)
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    y_true, y_pred = np.tile([0, 1, 1], 1000), np.tile([0, 0, 1], 1000)
    y_true[place] = far
    a, b = y_true.tolist(), y_pred.tolist()
    squares = sum(x * x for x in a + b)
    observed = 3000 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    expected = 3000 * squares - 2 * sum(a) * sum(b)
    assert qwk(y_true, y_pred) == float(1 - Fraction(observed, expected))


def test_where_scikit_learn_is_wrong():
    # n sum d² = 4 * 18; n sum a² + n sum b² - 2 sum a sum b = 4 * 66 - 2 * 9 * 9
    pair, expected = ([0, 1, 4, 4], [0, 4, 4, 1]), float(1 - Fraction(72, 102))
    assert qwk(*pair) == expected
    for labels, right in ((None, False), ([4, 0, 1], False), (range(5), True)):
        theirs = sklearn.metrics.cohen_kappa_score(
            *pair, weights="quadratic", labels=labels
        )
        assert (theirs == pytest.approx(expected)) == right
