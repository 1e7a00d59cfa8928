"""ROC AUC, average precision, their curves: equal to scikit-learn, laws, refusals."""

import math
from unittest import mock

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import ranked, small, weights

from tinyssl.metrics import (
    average_precision,
    precision_recall_curve,
    ranking,
    roc_auc,
    roc_curve,
)


def ranks(score):
    """Return finite scores of the same order; scikit-learn refuses infinity."""
    return np.unique(score, return_inverse=True)[1].reshape(score.shape)


@given(st.data(), ranked(), small)
def test_binary_equals_sklearn(data, sample, length):
    y_true, score = sample
    w = data.draw(st.none() | weights(len(y_true)))
    used = y_true if w is None else y_true[w > 0]
    with mock.patch.object(ranking, "SMALL", length):
        area = roc_auc(y_true, score, sample_weight=w)
        precision = average_precision(y_true, score, sample_weight=w)
    if used.any():
        expected = sklearn.metrics.average_precision_score(
            y_true, ranks(score), sample_weight=w
        )
        assert precision == pytest.approx(expected, abs=1e-12)
    else:
        assert math.isnan(precision)
    if used.any() and not used.all():
        expected = sklearn.metrics.roc_auc_score(y_true, ranks(score), sample_weight=w)
        assert area == pytest.approx(expected, abs=1e-12)
    else:
        assert math.isnan(area)


@given(st.data(), ranked(num_classes=3), small)
def test_one_vs_rest_equals_sklearn(data, sample, length):
    y_true, score = sample
    assume(len(np.unique(y_true)) == 3)
    w = data.draw(st.none() | weights(len(y_true)))
    assume(w is None or len(np.unique(y_true[w > 0])) == 3)
    one_hot = np.eye(3)[y_true]
    for average in ("macro", "weighted", None):
        options = {"average": average, "sample_weight": w}
        with mock.patch.object(ranking, "SMALL", length):
            area = roc_auc(y_true, score, **options)
            precision = average_precision(y_true, score, **options)
        expected = sklearn.metrics.roc_auc_score(one_hot, ranks(score), **options)
        np.testing.assert_allclose(area, expected, atol=1e-12)
        expected = sklearn.metrics.average_precision_score(
            one_hot, ranks(score), **options
        )
        np.testing.assert_allclose(precision, expected, atol=1e-12)


@given(st.data(), ranked())
def test_curves_equal_sklearn(data, sample):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    score = ranks(score) / 8
    w = data.draw(st.none() | weights(len(y_true)).map(lambda w: w + 0.25))
    expected = sklearn.metrics.roc_curve(
        y_true, score, sample_weight=w, drop_intermediate=False
    )
    for actual, want in zip(
        roc_curve(y_true, score, sample_weight=w), expected, strict=True
    ):
        np.testing.assert_allclose(actual, want, atol=1e-12)
    expected = sklearn.metrics.precision_recall_curve(y_true, score, sample_weight=w)
    actual = precision_recall_curve(y_true, score, sample_weight=w)
    np.testing.assert_allclose(actual[0], expected[0][:-1][::-1], atol=1e-12)
    np.testing.assert_allclose(actual[1], expected[1][:-1][::-1], atol=1e-12)
    np.testing.assert_array_equal(actual[2], expected[2][::-1])


@given(ranked(), small)
def test_laws(sample, length):
    y_true, score = sample
    with mock.patch.object(ranking, "SMALL", length):
        area = roc_auc(y_true, score, undefined=0.5)
        reverse = roc_auc(y_true, -score, undefined=0.5)
        swapped = roc_auc(1 - y_true, -score, undefined=0.5)
        by_rank = roc_auc(y_true, ranks(score) * 1000 - 7, undefined=0.5)
        shuffled = roc_auc(y_true[::-1], score[::-1], undefined=0.5)
        precision = average_precision(y_true, score, undefined=0.5)
        moved = average_precision(y_true, ranks(score) * 3.5, undefined=0.5)
    assert 0 <= area <= 1
    assert area == pytest.approx(1 - reverse)
    assert area == swapped == by_rank == shuffled
    assert 0 < precision <= 1
    assert precision == moved


@pytest.mark.parametrize("length", [0, 2**62])
def test_known_values(length):
    y_true, score = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    with mock.patch.object(ranking, "SMALL", length):
        assert roc_auc(y_true, score) == 0.75
        assert average_precision(y_true, score) == pytest.approx(5 / 6)
        assert roc_auc(y_true, [0, 0, 0, 0]) == 0.5
        assert roc_auc(y_true, [1, 2, 3, 4]) == average_precision([1], [0]) == 1
        # neighbours that float64 cannot tell apart
        big = np.array([2**60, 2**60, 2**60 + 1, 2**60 + 1])
        assert roc_auc(y_true, big) == 1


def test_known_values_with_weights():
    y_true, y_score = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    weight = {"sample_weight": [1, 3, 2, 6]}
    # of 8 * 4 = 32 in weight, 6 * 4 + 2 * 1 are pairs won
    assert roc_auc(y_true, y_score, **weight) == 26 / 32
    # 6 positive at precision 1, then 2 at 8 / 11
    assert average_precision(y_true, y_score, **weight) == (6 + 2 * 8 / 11) / 8


def test_a_sum_of_weights_rounded_up_is_no_precision_above_1():
    weight = 10.0 ** np.random.default_rng(13).uniform(-8, 0, 29)
    y_score = np.arange(29)[::-1]
    assert average_precision(np.ones(29, int), y_score, sample_weight=weight) == 1


def test_undefined_and_classes_that_never_occur():
    assert math.isnan(roc_auc([1, 1], [0.1, 0.2]))
    assert roc_auc([0, 0], [0.1, 0.2], undefined=0.5) == 0.5
    assert average_precision([0, 0], [0.1, 0.2], undefined=0.0) == 0.0
    weight = {"sample_weight": [1.0, 2.0], "undefined": 0.25}
    assert roc_auc([0, 0], [0.1, 0.2], **weight) == 0.25
    assert average_precision([0, 0], [0.1, 0.2], **weight) == 0.25
    score = [[3, 1, 0], [1, 3, 0]]
    np.testing.assert_array_equal(roc_auc([0, 1], score, average=None), [1, 1, np.nan])
    assert math.isnan(roc_auc([0, 1], score))
    assert roc_auc([0, 1], score, average="weighted") == 1
    fpr, tpr, _ = roc_curve([1, 1], [0, 1], undefined=-1)
    np.testing.assert_array_equal(fpr, [-1, -1, -1])
    np.testing.assert_array_equal(tpr, [0, 0.5, 1])
    precision, recall, _ = precision_recall_curve([0, 0], [0, 1])
    np.testing.assert_array_equal(precision, [0, 0])
    np.testing.assert_array_equal(recall, [np.nan, np.nan])


@pytest.mark.parametrize(
    "metric", [roc_auc, average_precision, roc_curve, precision_recall_curve]
)
@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (([], []), ValueError, "y_true must not be empty"),
        (([0, 1], [1]), ValueError, r"y_score must have shape \(2,\) or \(2, K\)"),
        (([0, 1], [[[0]], [[1]]]), ValueError, r"y_score must have shape \(2,\) or"),
        (([0, 1], [0, math.nan]), ValueError, "y_score must not be NaN, found nan at"),
        (([0, 2], [0, 1]), ValueError, r"y_true must lie in 0\.\.1, found 2 at"),
        (([-1, 1], [0, 1]), ValueError, r"y_true must lie in 0\.\.1, found -1 at"),
        (([0, 3], np.ones((2, 3))), ValueError, r"y_true must lie in 0\.\.2, found 3"),
        (([0, 0.5], [0, 1]), ValueError, "y_true must hold whole numbers"),
        (([0, 1], ["a", "b"]), TypeError, "y_score must hold numbers"),
        (([0, 1], np.ones((2, 0))), ValueError, r"two or more, found \(2, 0\)"),
        (
            ([0, 1], np.ones((2, 1))),
            ValueError,
            r"shape \(2,\) or a column for each cl",
        ),
        (([0, 1], [0, 1j]), TypeError, "y_score must hold numbers, found dtype comple"),
        (([0, 1], 0.5), ValueError, r"y_score must have shape .* found \(\)"),
    ],
)
def test_refusals(metric, args, error, message):
    with pytest.raises(error, match=message):
        metric(*args)
    with pytest.raises(TypeError, match="undefined must be a number, found None"):
        metric([0, 1], [0, 1], undefined=None)


def test_refusals_of_options():
    with pytest.raises(ValueError, match="average must be one of 'macro', 'weighted'"):
        roc_auc([0, 1], [0, 1], average="micro")
    with pytest.raises(ValueError, match="y_score must be one-dimensional"):
        roc_curve([0, 1], np.ones((2, 2)))
    with pytest.raises(ValueError, match="sample_weight must be >= 0"):
        roc_auc([0, 1], [0, 1], sample_weight=[1, -1])
