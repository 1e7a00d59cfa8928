"""Confusion matrix and kappas: known values, laws and equal peers."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import label_pairs, numpy_up_to, small, weights

from tinyssl.metrics import _kappas, accuracy, cohen_kappa, confusion_matrix
from tinyssl.metrics import quadratic_weighted_kappa as qwk

# loops that run as Python (NUMBA_DISABLE_JIT=1) warn where integers wrap
wraps = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
either = pytest.mark.parametrize("length", [0, 2**62])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2], 0.75),
        ([1, 3, 5], [2, 4, 6], 0.8421052631578947),
        ([4, 4, 3, 4, 2, 4, 1, 1], [4, 4, 3, 4, 4, 2, 1, 1], 0.68932),
        ([0.0, 1.0], np.array([True, False]), -1.0),
        ([0, -(2.0**63)], [0, -(2**63)], 1.0),
        (np.ma.array([0, 1]), [0, 1], 1.0),  # none of them is masked
    ],
)
def test_known_values(y_true, y_pred, expected):
    assert qwk(y_true, y_pred) == pytest.approx(expected, abs=5e-6)


@given(label_pairs(), small)
def test_kappa_is_symmetric_and_ignores_order_and_unused_grades(pair, length):
    with numpy_up_to(_kappas, length):
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


@either
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "?"])
def test_narrow_labels_do_not_wrap(dtype, length):
    narrow = np.array([[0, 100, 127, 1] * 9, [100, 0, 127, 3] * 9]).astype(dtype)
    with numpy_up_to(_kappas, length):
        assert qwk(*narrow) == qwk(*narrow.astype(int))
        table = confusion_matrix(*narrow)
        np.testing.assert_array_equal(table, confusion_matrix(*narrow.astype(int)))


@wraps
@either
@pytest.mark.parametrize("narrow", ["i1", "u1", "i4", "u8"])
def test_labels_of_two_dtypes_do_not_wrap(narrow, length):
    y_true, y_pred = np.tile([0, 44, 7], 20), np.tile([300, 44, 2**33], 20)
    with numpy_up_to(_kappas, length):
        expected = qwk(y_true, y_pred)
        assert qwk(y_true.astype(narrow), y_pred) == expected
        assert qwk(y_pred, y_true.astype(narrow)) == expected
    assert accuracy(y_true.astype(narrow), y_pred) == 1 / 3


@given(st.data(), label_pairs(), st.sampled_from((None, "linear", "quadratic")), small)
def test_kappas_equal_sklearn(data, pair, scheme, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    used = slice(None) if w is None else w > 0
    with numpy_up_to(_kappas, length):
        actual = cohen_kappa(*pair, weights=scheme, sample_weight=w)
    if np.ptp(np.concatenate([values[used] for values in pair])) == 0:
        assert math.isnan(actual)
        return
    expected = sklearn.metrics.cohen_kappa_score(
        *pair, weights=scheme, labels=range(5), sample_weight=w
    )
    assert actual == pytest.approx(expected, abs=1e-12)


@given(label_pairs(), st.sampled_from((None, "linear", "quadratic")))
def test_kappas_equal_torchmetrics(torchmetrics, pair, scheme):
    import torch

    assume(np.ptp(np.concatenate(pair)) > 0)
    y_true, y_pred = map(torch.from_numpy, pair)
    expected = torchmetrics.multiclass_cohen_kappa(y_pred, y_true, 5, scheme)
    actual = cohen_kappa(y_true, y_pred, weights=scheme)
    assert actual == pytest.approx(float(expected), abs=1e-5)  # theirs is float32


@given(st.data(), label_pairs(), small)
def test_confusion_matrix_equals_sklearn(data, pair, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    expected = sklearn.metrics.confusion_matrix(*pair, labels=range(5), sample_weight=w)
    with numpy_up_to(_kappas, length):
        actual = confusion_matrix(*pair, num_classes=5, sample_weight=w)
    np.testing.assert_allclose(actual, expected, atol=1e-12)
    assert actual.dtype == (np.int64 if w is None else np.float64)


@either
def test_num_classes_defaults_to_the_largest_label(length):
    with numpy_up_to(_kappas, length):
        assert confusion_matrix([0], [0], num_classes=4).shape == (4, 4)
        for last in (2, 62, 63, 64, 100):  # the last two: more than the first table has
            table = confusion_matrix([0, last, 1], [0, 0, last])
            assert table.shape == (last + 1, last + 1)
            assert table[last, 0] == table[1, last] == table[0, 0] == 1
            assert table.sum() == 3
