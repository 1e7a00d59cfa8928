"""Confusion matrix and kappas: known values, laws and refusals."""

import math
import warnings
from unittest import mock

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import label_pairs, small, weights

from tinyssl import reference
from tinyssl.metrics import _kappas, cohen_kappa, confusion_matrix
from tinyssl.metrics import quadratic_weighted_kappa as qwk

# loops that run as Python (NUMBA_DISABLE_JIT=1) warn where integers wrap
wraps = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2], 0.75),
        ([1, 3, 5], [2, 4, 6], 0.8421052631578947),
        ([4, 4, 3, 4, 2, 4, 1, 1], [4, 4, 3, 4, 4, 2, 1, 1], 0.68932),
        ([0, 1, 4, 4], [0, 4, 4, 1], 0.29411764705882354),
        ([0, 1], [1, 0], -1.0),
    ],
)
def test_known_values(y_true, y_pred, expected):
    assert qwk(y_true, y_pred) == pytest.approx(expected, abs=5e-6)


@given(label_pairs(low=-9, high=9), small)
def test_kappa_equals_the_reference(pair, length):
    assume(np.ptp(np.concatenate(pair)) > 0)
    expected = reference.quadratic_weighted_kappa(*pair)
    with mock.patch.object(_kappas, "SMALL", length):
        assert qwk(*pair) == pytest.approx(expected, abs=1e-12)


@wraps
@given(label_pairs(), st.integers(-(10**12), 10**12), st.sampled_from((-3, -1, 1, 7)))
def test_kappa_ignores_shift_scale_and_reversal(pair, shift, scale):
    moved = [values * scale + shift for values in pair]
    np.testing.assert_equal(qwk(*moved), qwk(*pair))


@given(label_pairs(), small)
def test_kappa_is_symmetric_and_ignores_order(pair, length):
    with mock.patch.object(_kappas, "SMALL", length):
        np.testing.assert_equal(qwk(*pair[::-1]), qwk(*pair))
        np.testing.assert_equal(qwk(*(values[::-1] for values in pair)), qwk(*pair))


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


@pytest.mark.parametrize("scheme", [None, "linear", "quadratic"])
@pytest.mark.parametrize("w", [[0.1, 0.2, 0.3, 0], [0.1, 0.3, 0.7, 0]])
def test_what_weighs_nothing_is_no_sample(scheme, w):
    constant = [7, 7, 7, 0]  # but for a row of weight 0
    score = cohen_kappa(constant, constant, weights=scheme, sample_weight=w)
    assert math.isnan(score)


@wraps
@pytest.mark.parametrize("far", [10**9, 2**32, 2**62])
def test_kappa_of_grades_far_apart_is_exact(far):
    y_true, y_pred = [0, 1, far] * 1000, [1, 1, far] * 1000
    n, a, b = 3000, 1000 * (1 + far), 1000 * (2 + far)
    expected_disagreement = n * 1000 * (1 + far**2) + n * 1000 * (2 + far**2)
    expected_disagreement -= 2 * a * b
    expected = (expected_disagreement - n * 1000) / expected_disagreement
    assert qwk(y_true, y_pred) == expected


def test_weighted_kappa_of_one_constant_is_undefined():
    options = {"sample_weight": [1, 2.5]}
    assert np.isnan(qwk([3, 3], [3, 3], **options))
    assert qwk([3, 3], [3, 3], undefined=0.5, **options) == 0.5
    assert qwk([3, 3], [3, 4], undefined=0.5, **options) == 0.0


def test_kappa_of_unsigned_grades_beyond_int64():
    top = np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], np.uint64)
    assert qwk(top, top[::-1]) == qwk([1, 0, 1], [1, 0, 1])
    assert qwk(top, top[[1, 0, 2]]) == qwk([1, 0, 1], [0, 1, 1])


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
def test_narrow_labels_do_not_wrap(dtype):
    wide = np.tile([0, 100, 127, 1], 2000), np.tile([100, 0, 127, 1], 2000)
    narrow = [values.astype(dtype) for values in wide]
    expected = qwk(*(values.astype(int) for values in narrow))
    assert qwk(*narrow) == expected


@given(st.data(), label_pairs(), st.sampled_from((None, "linear", "quadratic")))
def test_kappas_equal_sklearn(data, pair, scheme):
    w = data.draw(st.none() | weights(len(pair[0])))
    used = slice(None) if w is None else w > 0
    if np.ptp(np.concatenate([values[used] for values in pair])) == 0:
        assert math.isnan(cohen_kappa(*pair, weights=scheme, sample_weight=w))
        return
    expected = sklearn.metrics.cohen_kappa_score(
        *pair, weights=scheme, labels=range(5), sample_weight=w
    )
    actual = cohen_kappa(*pair, weights=scheme, sample_weight=w)
    assert actual == pytest.approx(expected, abs=1e-12)


def test_linear_kappa_keeps_the_distance_of_gaps():
    pair = [0, 1, 4, 4], [0, 4, 4, 1]
    with_gap = cohen_kappa(*pair, weights="linear")
    assert with_gap == cohen_kappa(*pair, weights="linear", num_classes=5)
    closed = cohen_kappa([0, 1, 2, 2], [0, 2, 2, 1], weights="linear")
    assert with_gap != closed


@given(st.data(), label_pairs(), small)
def test_confusion_matrix_equals_sklearn(data, pair, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    expected = sklearn.metrics.confusion_matrix(*pair, labels=range(5), sample_weight=w)
    with mock.patch.object(_kappas, "SMALL", length):
        actual = confusion_matrix(*pair, num_classes=5, sample_weight=w)
    np.testing.assert_allclose(actual, expected, atol=1e-12)
    assert actual.dtype == (np.int64 if w is None else np.float64)


@pytest.mark.parametrize("length", [0, 2**62])
def test_num_classes_defaults_to_the_largest_label(length):
    with mock.patch.object(_kappas, "SMALL", length):
        assert confusion_matrix([0, 2], [0, 1]).shape == (3, 3)
        assert confusion_matrix([0], [0], num_classes=4).shape == (4, 4)
        for last in (62, 63, 64, 100):  # more than the first table has
            table = confusion_matrix([0, last, 1], [0, 0, last])
            assert table.shape == (last + 1, last + 1)
            assert table[last, 0] == table[1, last] == table[0, 0] == 1
            assert table.sum() == 3


def test_whole_floats_and_bools_are_labels():
    assert qwk([0.0, 1.0, 2.0], [0.0, 2.0, 2.0]) == qwk([0, 1, 2], [0, 2, 2])
    assert qwk(np.array([True, False]), np.array([True, False])[::-1]) == -1


REFUSALS = [
    (([], []), {}, ValueError, "y_true must not be empty"),
    (([0, 1], [0]), {}, ValueError, r"one shape, found \(2,\) and \(1,\)"),
    (([[0], [1]], [0, 1]), {}, ValueError, "y_true must be one-dimensional"),
    (([0, 1.2], [0, 1]), {}, ValueError, "whole numbers, found 1.2 at position 1"),
    (([0, 1], [math.nan, 1]), {}, ValueError, "y_pred must be finite, found nan"),
    (([0, math.inf], [0, 1]), {}, ValueError, "y_true must be finite, found inf"),
    (([0, 1e300], [0, 1]), {}, ValueError, "must fit int64, found 1e[+]300"),
    ((["a", "b"], [0, 1]), {}, TypeError, "y_true must hold numbers, found dtype <U1"),
    (([0, [1]], [0, 1]), {}, ValueError, "y_true cannot be read as an array"),
    (([0, 1j], [0, 1]), {}, TypeError, "y_true must hold numbers, found dtype complex"),
    (([0, -1], [0, 1]), {"num_classes": 2}, ValueError, "lie in 0..1, found -1 at"),
    (([0, 2], [0, 1]), {"num_classes": 2}, ValueError, "y_true must lie in 0..1, fou"),
    (([0, 1], [0, 7]), {"num_classes": 5}, ValueError, "y_pred must lie in 0..4"),
    (([0], [0]), {"num_classes": 0}, ValueError, "num_classes must be >= 1, found 0"),
    (([0], [0]), {"num_classes": 2.0}, TypeError, "num_classes must be an integer"),
    (([0], [0]), {"num_classes": True}, TypeError, "num_classes must be an integer"),
    (([0], [0]), {"sample_weight": [1, 2]}, ValueError, r"shape \(1,\), found \(2,\)"),
    (([0], [0]), {"sample_weight": [-1]}, ValueError, "sample_weight must be >= 0"),
    (([0], [0]), {"sample_weight": [0]}, ValueError, "not be zero everywhere"),
    (([0], [0]), {"sample_weight": [math.nan]}, ValueError, "weight must be finite"),
    (([0] * 2,) * 2, {"sample_weight": [1e308] * 2}, ValueError, "have a finite sum"),
    (([0], [0]), {"sample_weight": "1"}, TypeError, "sample_weight must hold numbers"),
    ((np.ma.array([0, 1], mask=[0, 1]), [0, 1]), {}, ValueError, "masked values"),
]


@pytest.mark.parametrize("metric", [confusion_matrix, qwk, cohen_kappa])
@pytest.mark.parametrize(("args", "options", "error", "message"), REFUSALS)
@pytest.mark.parametrize("length", [0, 2**62])
def test_refusals(metric, args, options, error, message, length):
    with (
        mock.patch.object(_kappas, "SMALL", length),
        pytest.raises(error, match=message),
    ):
        metric(*args, **options)


def test_refusals_of_one_function():
    for length in (0, 2**62):
        with (
            mock.patch.object(_kappas, "SMALL", length),
            pytest.raises(ValueError, match="y_true must be >= 0, found -1 at positi"),
        ):
            confusion_matrix([-1], [0])
    with pytest.raises(ValueError, match="weights must be one of None, 'linear', 'qua"):
        cohen_kappa([0], [0], weights="cubic")
    for metric in (qwk, cohen_kappa):
        with pytest.raises(TypeError, match="undefined must be a number, found None"):
            metric([0], [0], undefined=None)
    with pytest.raises(ValueError, match="labels must be < 4096 to be counted"):
        confusion_matrix([0], [10**9])


def test_nothing_warns_and_a_masked_array_without_masked_values_passes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert qwk(np.ma.array([0, 1]), [0, 1]) == 1
