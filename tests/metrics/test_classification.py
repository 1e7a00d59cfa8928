"""Accuracy, precision, recall and F1: equal to scikit-learn, laws and refusals."""

from unittest import mock

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_pairs, small, weights

from tinyssl.metrics import (
    _kappas,
    accuracy,
    balanced_accuracy,
    classification,
    f1_score,
    precision,
    recall,
)

TWINS = [
    (precision, sklearn.metrics.precision_score),
    (recall, sklearn.metrics.recall_score),
    (f1_score, sklearn.metrics.f1_score),
]


@pytest.fixture(scope="module")
def torchmetrics():
    pytest.importorskip("torchmetrics")
    from torchmetrics.functional import classification

    return classification


@given(st.data(), label_pairs(low=-2), small)
def test_accuracy_equals_sklearn(data, pair, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    expected = sklearn.metrics.accuracy_score(*pair, sample_weight=w)
    with mock.patch.object(classification, "SMALL", length):
        actual = accuracy(*pair, sample_weight=w)
    assert actual == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), TWINS)
def test_a_mean_over_an_undefined_class_is_undefined(ours, theirs):
    # true and predicted: 0 and 1 by both, 2 by one, 3 by none
    sides = ([0, 1, 2, 1], [0, 1, 1, 1]), ([0, 1, 1, 1], [0, 1, 2, 1])
    for y_true, y_pred in sides:
        options = {"average": "macro", "undefined": np.nan, "num_classes": 4}
        assert np.isnan(ours(y_true, y_pred, **options))
        each = ours(y_true, y_pred, **options | {"average": None})
        assert np.isnan(each[3])
        expected = theirs(
            y_true, y_pred, average="macro", zero_division=np.nan, labels=range(4)
        )
        assert np.nanmean(each) == pytest.approx(expected, abs=1e-12)


@given(label_pairs())
def test_all_equal_torchmetrics(torchmetrics, pair):
    import torch

    true, pred = map(torch.from_numpy, pair)
    for ours, theirs in (
        (precision, torchmetrics.multiclass_precision),
        (recall, torchmetrics.multiclass_recall),
        (f1_score, torchmetrics.multiclass_f1_score),
    ):
        for average in ("macro", "micro", "weighted", None):
            expected = theirs(pred, true, 5, average=average or "none")
            options = {} if average == "macro" else {"num_classes": 5}
            actual = ours(true, pred, average=average, **options)
            np.testing.assert_allclose(actual, expected, atol=1e-6)
    expected = float(torchmetrics.multiclass_accuracy(pred, true, 5, average="micro"))
    assert accuracy(true, pred) == pytest.approx(expected, abs=1e-6)


def test_accuracy_of_labels_of_any_dtype(monkeypatch):
    monkeypatch.setattr(classification, "PART", 100)
    y_true, y_pred = np.random.default_rng(0).integers(0, 5, (2, 3000))
    expected = sum(int(a == b) for a, b in zip(y_true, y_pred, strict=True)) / 3000
    for length in (0, 2**62):
        monkeypatch.setattr(classification, "SMALL", length)
        for threads in "123":
            monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
            for dtype in ("u1", "i1", "u4", "i8", "u8", "f2", "f8"):
                assert accuracy(y_true.astype(dtype), y_pred) == expected
        far = np.array([2**64 - 1, 2**63], np.uint64)
        assert accuracy(far, [-1, 2**63 - 1]) == 0  # neighbours, as floats the same
        assert accuracy(far, far) == 1


def test_narrow_labels_do_not_wrap_in_a_table():
    pair = np.tile([0, 100, 127], 50).astype(np.int8), np.tile([100, 0, 127], 50)
    expected = sklearn.metrics.f1_score(*pair, average="macro")
    for length in (0, 2**62):
        with mock.patch.object(_kappas, "SMALL", length):
            assert f1_score(*pair, average="macro") == pytest.approx(expected)


@given(st.data(), label_pairs())
def test_balanced_accuracy_is_mean_recall(data, pair):
    w = data.draw(st.none() | weights(len(pair[0])))
    used = np.unique(pair[0] if w is None else pair[0][w > 0])
    expected = sklearn.metrics.recall_score(
        *pair, labels=used, average="macro", sample_weight=w
    )
    actual = balanced_accuracy(*pair, sample_weight=w)
    assert actual == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), TWINS)
@given(st.data(), label_pairs(), st.sampled_from((0.0, 1.0)))
def test_all_classes_equal_sklearn(ours, theirs, data, pair, undefined):
    w = data.draw(st.none() | weights(len(pair[0])))
    for average in ("macro", "weighted", "micro", None):
        expected = theirs(
            *pair,
            labels=range(5),
            average=average,
            zero_division=undefined,
            sample_weight=w,
        )
        actual = ours(
            *pair,
            average=average,
            num_classes=5,
            sample_weight=w,
            undefined=undefined,
        )
        np.testing.assert_allclose(actual, expected, atol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), TWINS)
@given(label_pairs())
def test_macro_without_num_classes_counts_the_classes_that_occur(ours, theirs, pair):
    expected = theirs(*pair, average="macro", zero_division=0)
    assert ours(*pair, average="macro") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), TWINS)
@given(label_pairs(high=1))
def test_binary_equals_sklearn(ours, theirs, pair):
    expected = theirs(*pair, zero_division=0)
    assert ours(*pair, average="binary") == pytest.approx(expected, abs=1e-12)


def test_a_class_that_never_occurs():
    values = precision([0, 2], [0, 2], average=None, num_classes=4, undefined=np.nan)
    np.testing.assert_array_equal(values, [1, np.nan, 1, np.nan])
    assert precision([0, 2], [0, 2], average="macro") == 1
    assert precision([0, 2], [0, 2], average="macro", num_classes=4) == 0.5
    assert recall([0, 0], [0, 1], average="weighted", undefined=np.nan) == 0.5


@pytest.mark.parametrize("metric", [precision, recall, f1_score])
def test_binary_takes_two_classes_by_name(metric):
    pair = [0, 1, 1], [0, 1, 0]
    named = metric(*pair, average="binary", num_classes=2)
    assert named == metric(*pair, average=None)[1]


def test_results_are_plain_floats():
    pair = [0, 1, 1], [0, 1, 0]
    results = [accuracy(*pair), balanced_accuracy(*pair)]
    results += [accuracy(*pair, sample_weight=[1, 2, 3])]
    results += [
        metric(*pair, average=average)
        for metric, _ in TWINS
        for average in ("binary", "macro", "micro", "weighted")
    ]
    assert {type(result) for result in results} == {float}


@pytest.mark.parametrize("metric", [precision, recall, f1_score])
def test_refusals(metric):
    with pytest.raises(ValueError, match="average must be one of 'binary', 'macro'"):
        metric([0], [0], average="samples")
    with pytest.raises(ValueError, match=r"y_true must lie in 0..1, found 2"):
        metric([0, 2], [0, 1], average="binary")
    with pytest.raises(TypeError, match="average"):
        metric([0], [0])
    with pytest.raises(TypeError, match="undefined must be a number, found 'nan'"):
        metric([0], [0], average="macro", undefined="nan")
    with pytest.raises(ValueError, match="num_classes must be 2 or left out"):
        metric([0], [0], average="binary", num_classes=3)
    with pytest.raises(ValueError, match="y_true must not be empty"):
        metric([], [], average="macro")


def test_refusals_of_accuracy():
    with pytest.raises(ValueError, match="one shape"):
        accuracy([0, 1], [0])
    with pytest.raises(ValueError, match=r"whole numbers, found 0\.5 at"):
        accuracy([0.5], [0])
    with pytest.raises(ValueError, match="y_true must be >= 0"):
        balanced_accuracy([-1], [0])
