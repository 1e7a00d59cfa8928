"""Localisation error: known values and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from strategies import seeds

from tinyssl.metrics import localization_error


def test_known_values():
    actual = localization_error([[0, 0], [1, 1]], [[3, 4], [1, 1]])
    np.testing.assert_array_equal(actual, [5, 0])
    assert localization_error([0, 0], [3, 4], spacing=2) == 10
    assert localization_error([0, 0], [3, 4], spacing=[2, 0.5]) == math.hypot(6, 2)
    np.testing.assert_array_equal(localization_error([[5], [2]], [[2], [5]]), [3, 3])
    assert localization_error([1e308], [0.0]) == 1e308
    assert localization_error([1, 2, 3], [2, 4, 5]) == 3
    assert localization_error([1, 2, 3], [2, 4, 5]).shape == ()
    # bytes do not wrap
    assert localization_error(np.uint8([[0, 13]]), np.uint8([[0, 10]])) == 3


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_squares_neither_overflow_nor_vanish(scale):
    far = np.array([[3, -4], [-5, 12]]) * scale
    actual = localization_error(np.zeros((2, 2)), far)
    np.testing.assert_allclose(actual, np.array([5, 13]) * scale, rtol=1e-15)


@given(seeds)
def test_laws(seed):
    rng = np.random.default_rng(seed)
    a, b, shift = rng.normal(size=(3, 5, 2))
    expected = localization_error(a, b)
    np.testing.assert_array_equal(localization_error(b, a), expected)
    np.testing.assert_allclose(localization_error(a + shift, b + shift), expected)
    np.testing.assert_allclose(localization_error(a, b, spacing=3), 3 * expected)
