"""Accumulators refuse in one line, and what is refused leaves no trace."""

import pickle

import numpy as np
import pytest

from tinyssl.metrics import ConfusionAccumulator, GaussianAccumulator, accuracy


def counts():
    accumulator = ConfusionAccumulator(3)
    accumulator.update([0, 1, 2], [0, 1, 1])
    return accumulator


def gaussian():
    accumulator = GaussianAccumulator()
    accumulator.update(np.eye(3))
    return accumulator


@pytest.mark.parametrize(
    ("make", "call", "error", "message"),
    [
        (counts, lambda a: a.update([0, 3], [0, 1]), ValueError, r"lie in 0\.\.2, fou"),
        (counts, lambda a: a.update([0], [0, 1]), ValueError, "must have one shape"),
        (counts, lambda a: a.update([], []), ValueError, "y_true must not be empty"),
        (counts, lambda a: a.update([0.5], [1]), ValueError, "must hold whole numbers"),
        (
            counts,
            lambda a: a.update([0], [1], sample_weight=[-1]),
            ValueError,
            "sample_weight must be >= 0",
        ),
        (
            counts,
            lambda a: a.merge(ConfusionAccumulator(4)),
            ValueError,
            "other must have 3 classes, found 4",
        ),
        (
            counts,
            lambda a: a.merge(gaussian()),
            TypeError,
            "other must be a ConfusionAccumulator, found a GaussianAcc",
        ),
        (
            gaussian,
            lambda a: a.update(np.ones((2, 4))),
            ValueError,
            "features must have 3 features, found 4",
        ),
        (
            gaussian,
            lambda a: a.update([[1, 2, np.nan]]),
            ValueError,
            r"features must be finite, found nan at position \(0, 2\)",
        ),
        (
            gaussian,
            lambda a: a.update([[1, 2, 1e31]]),
            ValueError,
            "features must lie within",
        ),
        (
            gaussian,
            lambda a: a.update(np.ones((0, 3))),
            ValueError,
            "features must have n >= 1, found n = 0",
        ),
        (gaussian, lambda a: a.update([["a"] * 3]), TypeError, "must hold numbers"),
        (
            gaussian,
            lambda a: a.merge(_of(2)),
            ValueError,
            "other must have 3 features, found 2",
        ),
        (gaussian, lambda a: a.compute(_of(2)), ValueError, "other must have 3 feat"),
        (
            gaussian,
            lambda a: a.compute(GaussianAccumulator()),
            ValueError,
            "other must have at least 2 samples, found 0",
        ),
        (gaussian, lambda a: a.merge(np.eye(3)), TypeError, "a GaussianAccumulator"),
        (
            gaussian,
            lambda a: a.compute(None),
            TypeError,
            "GaussianAccumulator, found a None",
        ),
    ],
)
def test_a_refusal_leaves_the_state(make, call, error, message):
    accumulator = make()
    before = pickle.dumps(accumulator)
    with pytest.raises(error, match=message) as caught:
        call(accumulator)
    assert "\n" not in str(caught.value)
    assert pickle.dumps(accumulator) == before


def _of(d):
    other = GaussianAccumulator()
    other.update(np.eye(d))
    return other


def test_nothing_seen_nothing_said():
    with pytest.raises(ValueError, match="no labels counted yet: update before score"):
        ConfusionAccumulator(2).score(accuracy)
    with pytest.raises(ValueError, match="at least 2 samples, found 0"):
        GaussianAccumulator().covariance  # noqa: B018
    one = GaussianAccumulator()
    one.update([[1.0, 2.0]])
    with pytest.raises(ValueError, match="at least 2 samples, found 1"):
        one.compute(gaussian())


@pytest.mark.parametrize(
    ("num_classes", "error", "message"),
    [
        (0, ValueError, "num_classes must be >= 1, found 0"),
        (4097, ValueError, "num_classes must be <= 4096, found 4097"),
        (2.0, TypeError, "num_classes must be an integer"),
    ],
)
def test_numbers_of_classes(num_classes, error, message):
    with pytest.raises(error, match=message):
        ConfusionAccumulator(num_classes)
