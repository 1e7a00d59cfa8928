"""What planted errors showed to be untested elsewhere."""

import numpy as np
import pytest

from tinyssl import metrics


@pytest.mark.parametrize("dtype", ["i1", "u1"])
def test_products_of_small_integers_do_not_wrap(dtype):
    labels = np.array([0, 100, 100, 3], dtype), np.array([0, 99, 100, 100], dtype)
    actual = metrics.confusion_matrix(*labels)
    expected = metrics.confusion_matrix(*(part.astype(int) for part in labels))
    np.testing.assert_array_equal(actual, expected)
    assert (actual[100, 99], actual[3, 100], actual.sum()) == (1, 1, 4)


def test_rounding_never_makes_a_distance_negative():
    for seed in range(40):
        features = np.random.default_rng(seed).normal(size=(30, 7))
        assert 0 <= metrics.frechet_distance(features, features) < 1e-12


def test_long_lists_of_grades_far_below_zero_do_not_wrap():
    a, b = np.random.default_rng(0).integers(-1, 1, (2, 3000))
    actual = metrics.quadratic_weighted_kappa(a * 2**40, b * 2**40)
    assert actual == metrics.quadratic_weighted_kappa(a, b)
