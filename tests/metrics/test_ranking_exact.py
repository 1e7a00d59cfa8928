"""Ranking counted from the definition, in any dtype, and where a peer is wrong."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import numpy_up_to, ranked, small, weights

from tinyssl.metrics import average_precision, ranking, roc_auc


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
    for metric, exact in (
        (roc_auc, area_of_all_pairs),
        (average_precision, precision_of_all_thresholds),
    ):
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
    exact = score.astype(np.float64)
    expected = roc_auc(y_true, exact), average_precision(y_true, exact)
    monkeypatch.setattr(ranking, "SMALL", 0)
    for threads in "12":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        actual = roc_auc(y_true, score), average_precision(y_true, score)
        assert actual == expected


@pytest.mark.parametrize("low", [-(2**63), -(2**53) - 2, 2**53 - 2, 2**60, 2**63 - 4])
@pytest.mark.parametrize("length", [0, 2**62])
def test_neighbours_that_float64_cannot_tell_apart(low, length):
    score = np.array([low, low + 1, low + 2, low + 3])
    with numpy_up_to(ranking, length):
        assert roc_auc([0, 1, 0, 1], score) == 0.75
        assert roc_auc([0, 1, 0, 1], score.astype(np.uint64)) == 0.75 or low < 0
        assert average_precision([1, 0, 1, 0], score) == (1 / 2 + 2 / 4) / 2


@given(ranked())
def test_scores_in_0_to_1_equal_torchmetrics(torchmetrics, sample):
    import torch

    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    score = np.unique(score, return_inverse=True)[1] / 8
    pair = torch.from_numpy(score), torch.from_numpy(y_true)
    for ours, theirs in (
        (roc_auc, torchmetrics.binary_auroc),
        (average_precision, torchmetrics.binary_average_precision),
    ):
        expected = float(theirs(*pair))
        assert ours(y_true, score) == pytest.approx(expected, abs=1e-6)


@pytest.mark.filterwarnings("ignore:No negative samples:UserWarning")
def test_where_torchmetrics_is_wrong(torchmetrics):
    import torch

    # three logits in perfect order; a float32 sigmoid makes them one
    y_true, score = torch.tensor([0, 1, 1]), torch.tensor([30.0, 40.0, 50.0])
    assert roc_auc(y_true, score) == average_precision(y_true, score) == 1
    assert float(torchmetrics.binary_auroc(score, y_true)) == 0.5
    # one class: no pair to rank
    y_true = torch.tensor([1, 1, 1])
    assert math.isnan(roc_auc(y_true, score))
    assert float(torchmetrics.binary_auroc(score / 50, y_true)) == 0.0
