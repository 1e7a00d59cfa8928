"""Confusion matrix and kappas: equal to scikit-learn, laws, and without rounding."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import label_pairs, lengths, numpy_up_to, small, weights, wraps

from tinyssl.metrics import accuracy, agreement, cohen_kappa, confusion_matrix
from tinyssl.metrics import quadratic_weighted_kappa as qwk

UNDEFINED = 7  # a value no kappa has
COSTS = {
    None: lambda a, b: int(a != b),
    "linear": lambda a, b: abs(a - b),
    "quadratic": lambda a, b: (a - b) ** 2,
}


def test_known_values_and_labels_of_other_kinds():
    assert qwk([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2]) == 0.75
    assert qwk([1, 3, 5], [2, 4, 6]) == pytest.approx(0.8421052631578947)
    y_true, y_pred = [4, 4, 3, 4, 2, 4, 1, 1], [4, 4, 3, 4, 4, 2, 1, 1]
    assert qwk(y_true, y_pred) == pytest.approx(0.68932, abs=5e-6)
    assert qwk([0.0, 1.0], np.array([True, False])) == -1
    assert qwk([0, -(2.0**63)], [0, -(2**63)]) == 1
    assert qwk(np.ma.array([0, 1]), [0, 1]) == 1  # none of them is masked


@given(label_pairs(), small)
def test_kappa_is_symmetric_and_ignores_order_and_unused_grades(pair, length):
    with numpy_up_to(agreement, length):
        expected = qwk(*pair)
        np.testing.assert_equal(qwk(*pair[::-1]), expected)
        np.testing.assert_equal(qwk(*(values[::-1] for values in pair)), expected)
        np.testing.assert_equal(qwk(*pair, num_classes=5), expected)
        np.testing.assert_equal(qwk(*pair, num_classes=1000), expected)


@given(label_pairs())
def test_kappa_of_constant_raters(pair):
    y_true, _ = pair
    constant = np.full_like(y_true, 3)
    for w in (None, np.linspace(0.1, 0.7, len(y_true))):
        assert math.isnan(qwk(constant, constant, sample_weight=w))
        assert qwk(constant, constant, undefined=1, sample_weight=w) == 1.0
        if (y_true != 3).any():
            assert qwk(y_true, constant, sample_weight=w) == 0.0
            assert qwk(constant, y_true, sample_weight=w) == 0.0


@lengths
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
def test_narrow_labels_do_not_wrap(dtype, length):
    narrow = np.array([[0, 100, 127, 1] * 9, [100, 0, 127, 3] * 9]).astype(dtype)
    with numpy_up_to(agreement, length):
        assert qwk(*narrow) == qwk(*narrow.astype(int))
        table = confusion_matrix(*narrow)
        np.testing.assert_array_equal(table, confusion_matrix(*narrow.astype(int)))


@wraps
@lengths
@pytest.mark.parametrize("narrow", ["i1", "u1", "i4", "u8"])
def test_labels_of_two_dtypes_do_not_wrap(narrow, length):
    y_true, y_pred = np.tile([0, 44, 7], 20), np.tile([300, 44, 2**33], 20)
    with numpy_up_to(agreement, length):
        expected = qwk(y_true, y_pred)
        assert qwk(y_true.astype(narrow), y_pred) == expected
        assert qwk(y_pred, y_true.astype(narrow)) == expected
    assert accuracy(y_true.astype(narrow), y_pred) == 1 / 3


@given(st.data(), label_pairs(), small)
def test_the_table_and_kappas_equal_sklearn(data, pair, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    options = {"labels": range(5), "sample_weight": w}
    used = slice(None) if w is None else w > 0
    one_grade = np.ptp(np.concatenate([values[used] for values in pair])) == 0
    with numpy_up_to(agreement, length):
        table = confusion_matrix(*pair, num_classes=5, sample_weight=w)
        expected = sklearn.metrics.confusion_matrix(*pair, **options)
        np.testing.assert_allclose(table, expected, atol=1e-12)
        assert table.dtype == (np.int64 if w is None else np.float64)
        for scheme in COSTS:
            actual = cohen_kappa(*pair, weights=scheme, sample_weight=w)
            if one_grade:
                assert math.isnan(actual)
            else:
                options["weights"] = scheme
                expected = sklearn.metrics.cohen_kappa_score(*pair, **options)
                assert actual == pytest.approx(expected, abs=1e-12)


@lengths
def test_num_classes_defaults_to_the_largest_label(length):
    with numpy_up_to(agreement, length):
        assert confusion_matrix([0], [0], num_classes=4).shape == (4, 4)
        for last in (2, 30, 31, 32, 100):  # the last two: more than the first table has
            table = confusion_matrix([0, last, 1], [0, 0, last])
            assert table.shape == (last + 1, last + 1)
            assert table[last, 0] == table[1, last] == table[0, 0] == 1
            assert table.sum() == 3
            for pair in ([0, 1], [last, 0]), ([last, 0], [0, 1]):
                assert confusion_matrix(*pair).shape == (last + 1, last + 1)
        assert confusion_matrix([0, 0], [0, 0]).tolist() == [[2]]


def exact_kappa(y_true, y_pred, cost, counts=None):
    """Return kappa by definition, over all pairs and without rounding."""
    counts = map(Fraction, [1] * len(y_true) if counts is None else counts)
    rows = list(zip(map(int, y_true), map(int, y_pred), counts, strict=True))
    observed = sum(w * cost(a, b) for a, b, w in rows) * sum(w for *_, w in rows)
    expected = sum(w * u * cost(a, b) for a, _, w in rows for _, b, u in rows)
    return float(1 - observed / expected) if expected else UNDEFINED


@wraps
@given(st.data(), st.sampled_from(["i1", "u1", "i4", "u4", "i8", "u8"]), small)
def test_kappas_of_any_integers_are_the_nearest_float(data, dtype, length):
    ends = np.iinfo(dtype)
    near = data.draw(st.integers(ends.min, ends.max - 3))
    grade = st.integers(ends.min, ends.max) | st.integers(near, near + 3)
    pairs = data.draw(st.lists(st.tuples(grade, grade), min_size=1, max_size=9))
    pair = [np.array(values, dtype) for values in zip(*pairs, strict=True)]
    for scheme, cost in COSTS.items():
        with numpy_up_to(agreement, length):
            actual = cohen_kappa(*pair, weights=scheme, undefined=UNDEFINED)
        assert actual == exact_kappa(*pair, cost)


@pytest.mark.parametrize("far", [2**26, 2**27, 2**30])
@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_squares_beyond_float64_keep_their_digits(far, places):
    pair = np.array([[far + 1, far, far], [3, 2, 3]])[list(places)]
    assert qwk(*pair) == exact_kappa(*pair, COSTS["quadratic"])


@pytest.mark.parametrize("scheme", COSTS)
def test_labels_beyond_int64_and_of_mixed_signs(scheme):
    far = np.uint64([2**64 - 1, 2**64 - 2])
    mixed = np.uint64([2**64 - 1, 0]), np.array([-(2**63), 0])
    for pair in ((far, far[[1, 1]]), (far, far), mixed):
        actual = cohen_kappa(*pair, weights=scheme)
        assert actual == exact_kappa(*pair, COSTS[scheme])


@given(st.data(), label_pairs(max_size=9), st.sampled_from((0, -(2**60), 2**60)))
def test_weights_that_are_counts_repeat_a_sample(data, pair, shift):
    pair = [values + shift for values in pair]
    counts = data.draw(weights(len(pair[0]))) * 2
    for scheme, cost in COSTS.items():
        options = {"weights": scheme, "undefined": UNDEFINED}
        actual = cohen_kappa(*pair, sample_weight=counts, **options)
        expected = exact_kappa(*pair, cost, counts)
        assert actual == pytest.approx(expected, abs=1e-12)
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
    options = {"weights": scheme, "sample_weight": w, "undefined": UNDEFINED}
    actual = cohen_kappa(y_true, y_pred, **options)
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
    monkeypatch.setattr(agreement, "PART", 100)
    for threads in "123":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert (qwk(*pair), confusion_matrix(*pair).tolist()) == expected


@wraps
@pytest.mark.parametrize("place", [0, -1, slice(None, None, 3)])
@pytest.mark.parametrize("far", [10**9, 2**32, 2**40, 2**62, -(2**40)])
def test_labels_far_out_in_any_part_are_seen(monkeypatch, place, far):
    monkeypatch.setattr(agreement, "PART", 100)
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    y_true, y_pred = np.tile([0, 1, 1], 1000), np.tile([0, 0, 1], 1000)
    y_true[place] = far
    a, b = y_true.astype(object), y_pred.astype(object)  # Python's own integers
    observed = 3000 * sum((a - b) ** 2)
    expected = 3000 * sum(a * a + b * b) - 2 * sum(a) * sum(b)
    assert qwk(y_true, y_pred) == float(1 - Fraction(observed, expected))


@wraps
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("far", [9, 40])  # in the first table, and beyond it
def test_a_class_that_one_part_has_is_counted(monkeypatch, place, far):
    monkeypatch.setattr(agreement, "PART", 100)
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    pair = np.random.default_rng(0).integers(0, 5, (2, 5000))
    pair[1, place] = far
    expected = np.zeros((far + 1, far + 1), int)
    np.add.at(expected, tuple(pair), 1)
    np.testing.assert_array_equal(confusion_matrix(*pair), expected)


def test_where_scikit_learn_is_wrong():
    # n sum d² = 4 * 18; n sum a² + n sum b² - 2 sum a sum b = 4 * 66 - 2 * 9 * 9
    pair, expected = ([0, 1, 4, 4], [0, 4, 4, 1]), float(1 - Fraction(72, 102))
    assert qwk(*pair) == expected
    for labels, right in ((None, False), ([4, 0, 1], False), (range(5), True)):
        options = {"weights": "quadratic", "labels": labels}
        theirs = sklearn.metrics.cohen_kappa_score(*pair, **options)
        assert (theirs == pytest.approx(expected)) == right
