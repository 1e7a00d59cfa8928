"""ROC AUC, average precision and their curves: equal to scikit-learn, and laws."""

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import numpy_up_to, ranked, small, weights

from tinyssl.metrics import (
    average_precision,
    precision_recall_curve,
    ranking,
    roc_auc,
    roc_curve,
)

TWINS = {
    roc_auc: sklearn.metrics.roc_auc_score,
    average_precision: sklearn.metrics.average_precision_score,
}


def ranks(score):
    """Return finite scores of the same order; scikit-learn refuses infinity."""
    return np.unique(score, return_inverse=True)[1].reshape(score.shape)


@given(st.data(), ranked(), small)
def test_binary_equals_sklearn(data, sample, length):
    y_true, score = sample
    w = data.draw(st.none() | weights(len(y_true)))
    used = y_true if w is None else y_true[w > 0]
    for ours, theirs in TWINS.items():
        with numpy_up_to(ranking, length):
            actual = ours(y_true, score, sample_weight=w)
        if used.any() and (ours is average_precision or not used.all()):
            expected = theirs(y_true, ranks(score), sample_weight=w)
            assert actual == pytest.approx(expected, abs=1e-12)
        else:
            assert math.isnan(actual)


@pytest.mark.parametrize(("ours", "theirs"), TWINS.items())
@given(
    st.data(),
    ranked(num_classes=3),
    small,
    st.sampled_from(("macro", "weighted", None)),
)
def test_one_vs_rest_equals_sklearn(ours, theirs, data, sample, length, average):
    y_true, score = sample
    assume(len(np.unique(y_true)) == 3)
    w = data.draw(st.none() | weights(len(y_true)))
    assume(w is None or len(np.unique(y_true[w > 0])) == 3)
    options = {"average": average, "sample_weight": w}
    with numpy_up_to(ranking, length):
        actual = ours(y_true, score, **options)
    expected = theirs(np.eye(3)[y_true], ranks(score), **options)
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@given(st.data(), ranked())
def test_curves_equal_sklearn(data, sample):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    score = ranks(score) / 8
    w = data.draw(st.none() | weights(len(y_true)).map(lambda w: w + 0.25))
    actual = roc_curve(y_true, score, sample_weight=w)
    expected = sklearn.metrics.roc_curve(
        y_true, score, sample_weight=w, drop_intermediate=False
    )
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    actual = precision_recall_curve(y_true, score, sample_weight=w)
    *expected, thresholds = sklearn.metrics.precision_recall_curve(
        y_true, score, sample_weight=w
    )
    for ours, theirs in zip(actual[:2], expected, strict=True):
        np.testing.assert_allclose(ours, theirs[:-1][::-1], atol=1e-12)
    np.testing.assert_array_equal(actual[2], thresholds[::-1])


@pytest.mark.parametrize("length", [0, 2**62])
def test_known_values(length):
    y_true, score = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    w = {"sample_weight": [1, 3, 2, 6]}
    with numpy_up_to(ranking, length):
        assert roc_auc(y_true, score) == 0.75
        assert average_precision(y_true, score) == pytest.approx(5 / 6)
        assert roc_auc(y_true, [0, 0, 0, 0]) == 0.5
        assert roc_auc(y_true, [1, 2, 3, 4]) == average_precision([1], [0]) == 1
        # of 8 * 4 = 32 in weight, 6 * 4 + 2 * 1 are pairs won
        assert roc_auc(y_true, score, **w) == 26 / 32
        # 6 positive at precision 1, then 2 at 8 / 11
        assert average_precision(y_true, score, **w) == (6 + 2 * 8 / 11) / 8


def test_undefined_and_classes_that_never_occur():
    assert math.isnan(roc_auc([1, 1], [0.1, 0.2]))
    weight = {"sample_weight": [1.0, 2.0]}
    for metric in (roc_auc, average_precision):
        assert metric([0, 0], [0.1, 0.2], undefined=0.5) == 0.5
        assert metric([0, 0], [0.1, 0.2], undefined=0.25, **weight) == 0.25
    score = [[3, 1, 0], [1, 3, 0]]
    for metric in (roc_auc, average_precision):
        each = metric([0, 1], score, average=None)
        np.testing.assert_array_equal(each, [1, 1, np.nan])
        assert math.isnan(metric([0, 1], score))
        assert metric([0, 1], score, average="weighted") == 1
    # scikit-learn takes it for a class of average precision 0
    with pytest.warns(UserWarning, match="No positive class found"):
        theirs = sklearn.metrics.average_precision_score(np.eye(3)[[0, 1]], score)
    assert theirs == pytest.approx(2 / 3)
    fpr, tpr, _ = roc_curve([1, 1], [0, 1], undefined=-1)
    np.testing.assert_array_equal(fpr, [-1, -1, -1])
    np.testing.assert_array_equal(tpr, [0, 0.5, 1])
    precision, recall, _ = precision_recall_curve([0, 0], [0, 1])
    np.testing.assert_array_equal(precision, [0, 0])
    np.testing.assert_array_equal(recall, [np.nan, np.nan])
