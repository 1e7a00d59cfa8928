"""Accuracy, precision, recall and F1: equal to scikit-learn, and laws."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_pairs, numpy_up_to, small, weights

from tinyssl import metrics
from tinyssl.metrics import accuracy, classification, precision, recall

TWINS = {
    precision: sklearn.metrics.precision_score,
    recall: sklearn.metrics.recall_score,
    metrics.f1_score: sklearn.metrics.f1_score,
}
each = pytest.mark.parametrize(("ours", "theirs"), TWINS.items())


@given(st.data(), label_pairs(low=-2), small)
def test_accuracy_equals_sklearn(data, pair, length):
    w = data.draw(st.none() | weights(len(pair[0])))
    expected = sklearn.metrics.accuracy_score(*pair, sample_weight=w)
    with numpy_up_to(classification, length):
        actual = accuracy(*pair, sample_weight=w)
    assert actual == pytest.approx(expected, abs=1e-12)


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


@given(st.data(), label_pairs())
def test_balanced_accuracy_is_mean_recall(data, pair):
    w = data.draw(st.none() | weights(len(pair[0])))
    used = np.unique(pair[0] if w is None else pair[0][w > 0])
    options = {"labels": used, "average": "macro", "sample_weight": w}
    expected = sklearn.metrics.recall_score(*pair, **options)
    actual = metrics.balanced_accuracy(*pair, sample_weight=w)
    assert actual == pytest.approx(expected, abs=1e-12)


@each
@given(st.data(), label_pairs(), st.sampled_from((0.0, 1.0)))
def test_averages_equal_sklearn(ours, theirs, data, pair, undefined):
    averages = st.sampled_from(("macro", "weighted", "micro", None))
    options = {"average": data.draw(averages)}
    options["sample_weight"] = data.draw(st.none() | weights(len(pair[0])))
    expected = theirs(*pair, labels=range(5), zero_division=undefined, **options)
    actual = ours(*pair, num_classes=5, undefined=undefined, **options)
    np.testing.assert_allclose(actual, expected, atol=1e-12)
    # without num_classes "macro" counts the classes that occur
    expected = theirs(*pair, average="macro", zero_division=0)
    assert ours(*pair, average="macro") == pytest.approx(expected, abs=1e-12)


@each
@given(label_pairs(high=1))
def test_binary_equals_sklearn(ours, theirs, pair):
    expected = theirs(*pair, zero_division=0)
    assert ours(*pair, average="binary") == pytest.approx(expected, abs=1e-12)
    assert ours(*pair, average="binary", num_classes=2) == ours(*pair, average="binary")


@each
def test_a_mean_over_an_undefined_class_is_undefined(ours, theirs):
    # true and predicted: 0 and 1 by both, 2 by one, 3 by none
    sides = ([0, 1, 2, 1], [0, 1, 1, 1]), ([0, 1, 1, 1], [0, 1, 2, 1])
    for y_true, y_pred in sides:
        options = {"average": "macro", "undefined": np.nan, "num_classes": 4}
        assert np.isnan(ours(y_true, y_pred, **options))
        values = ours(y_true, y_pred, **options | {"average": None})
        assert np.isnan(values[3])
        options = {"average": "macro", "zero_division": np.nan, "labels": range(4)}
        expected = theirs(y_true, y_pred, **options)
        assert np.nanmean(values) == pytest.approx(expected, abs=1e-12)


def test_a_class_that_never_occurs():
    values = precision([0, 2], [0, 2], average=None, num_classes=4, undefined=np.nan)
    np.testing.assert_array_equal(values, [1, np.nan, 1, np.nan])
    assert precision([0, 2], [0, 2], average="macro") == 1
    assert precision([0, 2], [0, 2], average="macro", num_classes=4) == 0.5
    assert recall([0, 0], [0, 1], average="weighted", undefined=np.nan) == 0.5


def test_results_are_plain_floats():
    pair = [0, 1, 1], [0, 1, 0]
    results = [accuracy(*pair), accuracy(*pair, sample_weight=[1, 2, 3])]
    results += [metrics.balanced_accuracy(*pair)]
    averages = ("binary", "macro", "micro", "weighted")
    results += [metric(*pair, average=name) for metric in TWINS for name in averages]
    assert {type(result) for result in results} == {float}
