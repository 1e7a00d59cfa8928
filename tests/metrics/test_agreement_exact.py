"""Kappas without rounding, for any number of threads, and where the peers are wrong."""

from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import label_pairs, small, weights

from tinyssl.metrics import _kappas, accuracy, cohen_kappa, confusion_matrix
from tinyssl.metrics import quadratic_weighted_kappa as qwk

# loops that run as Python (NUMBA_DISABLE_JIT=1) warn where integers wrap
wraps = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@pytest.fixture(scope="module")
def torchmetrics():
    pytest.importorskip("torchmetrics")
    from torchmetrics.functional import classification

    return classification


def fraction(y_true, y_pred, cost, counts=None):
    """Return kappa from the definition over all pairs, without rounding."""
    counts = [1] * len(y_true) if counts is None else counts
    rows = list(zip(map(int, y_true), map(int, y_pred), map(int, counts), strict=True))
    observed = sum(w * sum(u for *_, u in rows) * cost(a, b) for a, b, w in rows)
    expected = sum(w * u * cost(a, b) for a, _, w in rows for _, b, u in rows)
    return float(1 - Fraction(observed, expected)) if expected else None


COSTS = {
    None: lambda a, b: int(a != b),
    "linear": lambda a, b: abs(a - b),
    "quadratic": lambda a, b: (a - b) ** 2,
}


@wraps
@given(st.data(), st.sampled_from(["i1", "u1", "i4", "u4", "i8", "u8"]), small)
def test_kappas_of_any_integers_are_the_nearest_float(data, dtype, length):
    ends = np.iinfo(dtype)
    near = data.draw(st.integers(ends.min, ends.max - 3))
    grade = st.integers(ends.min, ends.max) | st.integers(near, near + 3)
    pairs = data.draw(st.lists(st.tuples(grade, grade), min_size=1, max_size=9))
    pair = [np.array(values, dtype) for values in zip(*pairs, strict=True)]
    for scheme, cost in COSTS.items():
        with mock.patch.object(_kappas, "SMALL", length):
            actual = cohen_kappa(*pair, weights=scheme, undefined=7)
        expected = fraction(*pair, cost)
        assert actual == (7 if expected is None else expected)


@given(st.data(), label_pairs(max_size=9), st.sampled_from((0, -(2**60), 2**60)))
def test_weights_that_are_counts_repeat_a_sample(data, pair, shift):
    pair = [values + shift for values in pair]
    counts = data.draw(weights(len(pair[0]))) * 2
    for scheme, cost in COSTS.items():
        actual = cohen_kappa(*pair, weights=scheme, sample_weight=counts, undefined=7)
        expected = fraction(*pair, cost, counts)
        assert actual == pytest.approx(7 if expected is None else expected, abs=1e-12)
        for scale in (-1000, 1000):  # in products these vanish, or overflow
            scaled = np.ldexp(counts, scale)
            assert actual == cohen_kappa(
                *pair, weights=scheme, sample_weight=scaled, undefined=7
            )


def test_mixed_signs_beyond_int64():
    pair = np.array([2**64 - 1, 0], np.uint64), np.array([-(2**63), 0])
    for scheme, cost in COSTS.items():
        expected = fraction(*pair, cost)
        assert cohen_kappa(*pair, weights=scheme) == expected


@pytest.mark.parametrize("dtype", ["u1", "i2", "i8"])
def test_any_number_of_threads_gives_the_same(monkeypatch, dtype):
    pair = np.random.default_rng(0).integers(0, 5, (2, 5000)).astype(dtype)
    expected = qwk(*pair), confusion_matrix(*pair).tolist()
    monkeypatch.setattr(_kappas, "PART", 100)
    for threads in "123":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert (qwk(*pair), confusion_matrix(*pair).tolist()) == expected


@wraps
@pytest.mark.parametrize("place", [0, -1])
def test_a_label_far_out_in_another_part_is_seen(monkeypatch, place):
    monkeypatch.setattr(_kappas, "PART", 100)
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    y_true, y_pred = np.tile([0, 1, 1], 1000), np.tile([0, 0, 1], 1000)
    y_true[place] = 2**40
    a, b = y_true.tolist(), y_pred.tolist()
    squares = sum(x * x for x in a + b)
    observed = 3000 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    expected = 3000 * squares - 2 * sum(a) * sum(b)
    assert qwk(y_true, y_pred) == float(1 - Fraction(observed, expected))


@wraps
@pytest.mark.parametrize("length", [0, 2**62])
@pytest.mark.parametrize("narrow", ["i1", "u1", "i4", "u8"])
def test_labels_of_two_dtypes_do_not_wrap(narrow, length):
    y_true, y_pred = np.tile([0, 44, 7], 20), np.tile([300, 44, 2**33], 20)
    with mock.patch.object(_kappas, "SMALL", length):
        expected = qwk(y_true, y_pred)
        assert qwk(y_true.astype(narrow), y_pred) == expected
        assert qwk(y_pred, y_true.astype(narrow)) == expected
    assert accuracy(y_true.astype(narrow), y_pred) == 1 / 3


@given(label_pairs(), small)
def test_kappa_does_not_depend_on_unused_grades(pair, length):
    with mock.patch.object(_kappas, "SMALL", length):
        expected = qwk(*pair)
        np.testing.assert_equal(qwk(*pair, num_classes=5), expected)
        np.testing.assert_equal(qwk(*pair, num_classes=1000), expected)


def test_where_scikit_learn_is_wrong():
    # n sum d² = 4 * 18; n sum a² + n sum b² - 2 sum a sum b = 4 * 66 - 2 * 9 * 9
    pair = [0, 1, 4, 4], [0, 4, 4, 1]
    expected = float(1 - Fraction(72, 102))
    assert qwk(*pair) == expected
    theirs = sklearn.metrics.cohen_kappa_score
    positions = theirs(*pair, weights="quadratic")
    shuffled = theirs(*pair, weights="quadratic", labels=[4, 0, 1])
    right = theirs(*pair, weights="quadratic", labels=range(5))
    assert positions == pytest.approx(
        7 / 11
    )  # 4 counted as 2: 1 - 4 * 2 / (4 * 18 - 2 * 25)
    assert shuffled != pytest.approx(expected)
    assert right == pytest.approx(expected)


@given(label_pairs(), st.sampled_from((None, "linear", "quadratic")))
def test_kappas_equal_torchmetrics(torchmetrics, pair, scheme):
    import torch

    assume(np.ptp(np.concatenate(pair)) > 0)
    y_true, y_pred = map(torch.from_numpy, pair)
    expected = torchmetrics.multiclass_cohen_kappa(y_pred, y_true, 5, scheme)
    actual = cohen_kappa(y_true, y_pred, weights=scheme)
    assert actual == pytest.approx(float(expected), abs=1e-5)  # theirs is float32
