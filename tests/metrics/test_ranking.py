"""Ranking and its curves: equal to scikit-learn, exact by definition, in any dtype."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import lengths, numpy_up_to, ranked, small, weights

from tinyssl import metrics
from tinyssl.metrics import average_precision, ranking, roc_auc

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
@given(st.data(), ranked(num_classes=3), small)
def test_one_vs_rest_equals_sklearn(ours, theirs, data, sample, length):
    y_true, score = sample
    assume(len(np.unique(y_true)) == 3)
    w = data.draw(st.none() | weights(len(y_true)))
    assume(w is None or len(np.unique(y_true[w > 0])) == 3)
    average = data.draw(st.sampled_from(("macro", "weighted", None)))
    options = {"average": average, "sample_weight": w}
    with numpy_up_to(ranking, length):
        actual = ours(y_true, score, **options)
    expected = theirs(np.eye(3)[y_true], ranks(score), **options)
    np.testing.assert_allclose(actual, expected, atol=1e-12)


@given(st.data(), ranked())
def test_curves_equal_sklearn(data, sample):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    w = data.draw(st.none() | weights(len(y_true)).map(lambda w: w + 0.25))
    columns = {"y_true": y_true, "y_score": ranks(score) / 8, "sample_weight": w}
    expected = sklearn.metrics.roc_curve(**columns, drop_intermediate=False)
    np.testing.assert_allclose(metrics.roc_curve(**columns), expected, atol=1e-12)
    *actual, thresholds = metrics.precision_recall_curve(**columns)
    *expected, twins = sklearn.metrics.precision_recall_curve(**columns)
    expected = [rates[:-1][::-1] for rates in expected]
    np.testing.assert_allclose(actual, expected, atol=1e-12)
    np.testing.assert_array_equal(thresholds, twins[::-1])


def test_undefined_and_classes_that_never_occur():
    assert math.isnan(roc_auc([1, 1], [0.1, 0.2]))
    score = [[3, 1, 0], [1, 3, 0]]
    for metric in TWINS:
        for w in (None, [1.0, 2.0]):
            options = {"undefined": 0.5, "sample_weight": w}
            assert metric([0, 0], [0.1, 0.2], **options) == 0.5
        each = metric([0, 1], score, average=None)
        np.testing.assert_array_equal(each, [1, 1, np.nan])
        assert math.isnan(metric([0, 1], score))
        assert metric([0, 1], score, average="weighted") == 1
    # scikit-learn takes it for a class of average precision 0
    with pytest.warns(UserWarning, match="No positive class found"):
        theirs = sklearn.metrics.average_precision_score(np.eye(3)[[0, 1]], score)
    assert theirs == pytest.approx(2 / 3)
    *rates, _ = metrics.roc_curve([1, 1], [0, 1], undefined=-1)
    np.testing.assert_array_equal(rates, [[-1, -1, -1], [0, 0.5, 1]])
    *shares, _ = metrics.precision_recall_curve([0, 0], [0, 1])
    np.testing.assert_array_equal(shares, [[0, 0], [np.nan, np.nan]])


def area_of_all_pairs(y_true, score, counts):
    """Return the AUC from each pair of a positive and a negative, without rounding."""
    rows = list(zip(y_true, score.tolist(), map(int, counts), strict=True))
    positive = [(s, w) for y, s, w in rows if y]
    negative = [(s, w) for y, s, w in rows if not y]
    total = sum(w for _, w in positive) * sum(w for _, w in negative)
    twice = sum(w * u * ((p > q) + (p >= q)) for p, w in positive for q, u in negative)
    return float(Fraction(twice, 2 * total))


def precision_of_all_thresholds(y_true, score, counts):
    """Return the average precision from its definition, without rounding."""
    rows = list(zip(y_true, score.tolist(), map(int, counts), strict=True))
    mean = Fraction(0)
    for y, s, w in rows:
        if y and w:
            true = sum(u for z, t, u in rows if z and t >= s)
            mean += w * Fraction(true, sum(u for _, t, u in rows if t >= s))
    return float(mean / sum(w for y, _, w in rows if y))


EXACT = {roc_auc: area_of_all_pairs, average_precision: precision_of_all_thresholds}


@given(ranked(max_size=12), small)
def test_counts_are_exact(sample, length):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    ones = np.ones(len(y_true))
    with numpy_up_to(ranking, length):
        assert roc_auc(y_true, score) == area_of_all_pairs(y_true, score, ones)
        actual = average_precision(y_true, score)
    expected = precision_of_all_thresholds(y_true, score, ones)
    assert actual == pytest.approx(expected, abs=1e-15)


@given(st.data(), ranked(max_size=12))
def test_weights_that_are_counts_repeat_a_sample(data, sample):
    y_true, score = sample
    counts = data.draw(weights(len(y_true))) * 2
    assume(0 < np.dot(y_true, counts) < counts.sum())
    for metric, exact in EXACT.items():
        actual = metric(y_true, score, sample_weight=counts)
        assert actual == pytest.approx(exact(y_true, score, counts), abs=1e-14)
        for scale in (-1000, 1000):  # in products these vanish, or overflow
            scaled = np.ldexp(counts, scale)
            assert metric(y_true, score, sample_weight=scaled) == actual


UP = (10.0 ** np.random.default_rng(13).uniform(-8, 0, 29)).tolist()  # a sum rounded up


@example(w=[0, 1e-300, 0, 1e-300])
@example(w=UP)
@given(st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=30))
def test_weighted_scores_of_a_perfect_order_stay_at_1(w):
    score = np.arange(len(w))
    half, ones = (score >= len(w) // 2).astype(int), np.ones(len(w), int)
    for metric, y_true, weight in (
        (roc_auc, half, w),
        (average_precision, half, w),
        (average_precision, ones, w[::-1]),
    ):
        actual = metric(y_true, score, sample_weight=weight)
        assert actual == pytest.approx(1)
        assert actual <= 1


@pytest.mark.parametrize("dtype", ["b1", "u1", "i1", "f2", "f4", "i8", "u8", ">f8"])
def test_scores_of_any_dtype(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 3000)
    low = 0 if dtype[0] in "bu" else -99
    score = rng.integers(low, 100, 3000).astype(dtype)
    expected = [metric(y_true, score.astype(np.float64)) for metric in EXACT]
    monkeypatch.setattr(ranking, "SMALL", 0)
    for threads in "12":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert [metric(y_true, score) for metric in EXACT] == expected


@pytest.mark.parametrize("low", [-(2**63), -(2**53) - 2, 2**53 - 2, 2**60, 2**63 - 4])
@lengths
def test_neighbours_that_float64_cannot_tell_apart(low, length):
    score = np.array([low, low + 1, low + 2, low + 3])
    with numpy_up_to(ranking, length):
        assert roc_auc([0, 1, 0, 1], score) == 0.75
        assert roc_auc([0, 1, 0, 1], score.astype(np.uint64)) == 0.75 or low < 0
        assert average_precision([1, 0, 1, 0], score) == (1 / 2 + 2 / 4) / 2
