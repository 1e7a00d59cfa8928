"""Quarter turns: bit for bit numpy.rot90, uniform labels, and refusals."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import batches, seeds

from tinyssl.transforms import rotate, sample_turns


def test_turns_are_uniform_and_seeded():
    turns = sample_turns(4000, rng=0)
    assert turns.shape == (4000,)
    assert scipy.stats.chisquare(np.bincount(turns, minlength=4)).pvalue > 1e-3
    again = sample_turns(4000, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again, turns)
    assert sample_turns(0, rng=0).shape == (0,)


@given(batches(), st.integers(-5, 8))
def test_one_turn_equals_numpy(images, turns):
    before = images.copy()
    actual = rotate(images, turns)
    expected = np.rot90(images, turns, axes=(1, 2))
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(images, before)
    assert actual.dtype == images.dtype
    assert actual.flags.c_contiguous
    assert not np.shares_memory(actual, images)
    gray = rotate(images[..., 0], turns)
    np.testing.assert_array_equal(gray, expected[..., 0])


@given(batches(square=True), seeds)
def test_turns_of_each_image(images, seed):
    turns = np.random.default_rng(seed).integers(-5, 9, size=len(images))
    actual = rotate(images, turns)
    expected = [np.rot90(x, k) for x, k in zip(images, turns, strict=True)]
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(rotate(actual, -turns), images)
    np.testing.assert_array_equal(
        rotate(rotate(images, turns), turns), rotate(images, 2 * turns)
    )


@pytest.mark.parametrize("turns", [[0, 2], [1, 3], [-1, 5]])
def test_images_that_are_not_square(turns):
    images = np.arange(2 * 3 * 5).reshape(2, 3, 5, 1)
    expected = [np.rot90(x, k) for x, k in zip(images, turns, strict=True)]
    np.testing.assert_array_equal(rotate(images, turns), expected)


@pytest.mark.parametrize("k", range(4))
def test_images_larger_than_a_tile(k):
    images = np.random.default_rng(0).random((2, 45, 70, 3), np.float32)
    expected = np.rot90(images, k, axes=(1, 2))
    np.testing.assert_array_equal(rotate(images, k), expected)


def test_signs_and_payloads_of_floats_survive():
    images = np.array([[[0.0, -0.0], [np.nan, -np.inf]]])
    actual = rotate(images, 1)
    expected = np.ascontiguousarray(np.rot90(images, 1, axes=(1, 2)))
    assert actual.tobytes() == expected.tobytes()


def test_no_images():
    assert rotate(np.empty((0, 3, 5, 1)), []).shape == (0, 3, 5, 1)
    assert rotate(np.empty((2, 3, 5, 0)), 1).shape == (2, 5, 3, 0)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((np.ones((2, 2)), 1), ValueError, r"images must be \(N, H, W\) or"),
        (([[["a"]]], 1), TypeError, "images must hold numbers"),
        (
            (np.ones((2, 3, 3)), 1.0),
            TypeError,
            "turns must be integers, found dtype",
        ),
        ((np.ones((2, 3, 3)), [1]), ValueError, r"have shape \(2,\), found \(1,\)"),
        ((np.ones((2, 3, 3)), [[1, 2]]), ValueError, r"turns must be an integer or"),
        ((np.ones((2, 3, 5)), [0, 1]), ValueError, "all even or all odd .* 3 x 5"),
    ],
)
def test_refusals(args, error, message):
    with pytest.raises(error, match=message):
        rotate(*args)


def test_refusals_of_sampling():
    with pytest.raises(ValueError, match="n must be >= 0, found -1"):
        sample_turns(-1, rng=0)
    with pytest.raises(TypeError, match="n must be an integer, found"):
        sample_turns(1.5, rng=0)
