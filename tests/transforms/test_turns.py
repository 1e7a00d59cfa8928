"""Quarter turns: bit for bit numpy.rot90, uniform labels, and refusals."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import batches, computed, seeds, ways

from tinyssl.transforms import rotate, sample_turns
from tinyssl.transforms import turns as module


def test_turns_are_uniform_and_seeded():
    turns = sample_turns(4000, rng=0)
    assert turns.shape == (4000,)
    assert turns.dtype == np.int64
    assert scipy.stats.chisquare(np.bincount(turns, minlength=4)).pvalue > 1e-3
    assert sample_turns(0, rng=0).shape == (0,)


@given(seeds, st.integers(0, 9), st.integers(0, 9))
def test_a_draw_depends_on_the_seed_not_on_the_batch(seed, n1, n2):
    expected = sample_turns(n1 + n2, rng=seed)
    rng = np.random.default_rng(seed)
    parts = sample_turns(n1, rng=rng), sample_turns(n2, rng=rng)
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@given(batches(), st.integers(-5, 8), ways)
def test_one_turn_equals_numpy(images, turns, way):
    before = images.copy()
    expected = np.rot90(images, turns, axes=(1, 2))
    with computed(module, way):
        actual = rotate(images, turns)
        gray = rotate(images[..., 0], turns)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(gray, expected[..., 0])
    np.testing.assert_array_equal(images, before)
    assert actual.dtype == images.dtype
    assert actual.flags.c_contiguous
    assert not np.shares_memory(actual, images)


@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-1, 1), (3, 2)])
def test_axes_count_in_images_and_turn_first_towards_second(axes):
    images = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    actual = rotate(images, 1, axes=axes)
    np.testing.assert_array_equal(actual, np.rot90(images, 1, axes))


@given(batches(square=True), seeds, ways)
def test_turns_of_each_image(images, seed, way):
    turns = np.random.default_rng(seed).integers(-5, 9, size=len(images))
    expected = [np.rot90(x, k) for x, k in zip(images, turns, strict=True)]
    with computed(module, way):
        actual = rotate(images, turns)
        back = rotate(actual, -turns)
        twice = rotate(actual, turns.astype("i1"))
        np.testing.assert_array_equal(rotate(images, 2 * turns), twice)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(back, images)


@pytest.mark.parametrize("k", range(4))
def test_images_larger_than_a_tile(k):
    images = np.random.default_rng(0).random((2, 145, 270, 3), np.float32)
    expected = np.rot90(images, k, axes=(1, 2))
    np.testing.assert_array_equal(rotate(images, k), expected)


@pytest.mark.parametrize("dtype", [*"?bBhHiIlLqQefdFD", np.clongdouble])
def test_every_number_type(dtype):
    images = np.random.default_rng(0).integers(0, 99, (2, 130, 150, 1)).astype(dtype)
    actual = rotate(images, 3)
    assert actual.dtype == images.dtype
    np.testing.assert_array_equal(actual, np.rot90(images, 3, axes=(1, 2)))


@given(ways)
def test_signs_and_payloads_of_floats_survive(way):
    images = np.array([[[0.0, -0.0], [np.nan, -np.inf]]])
    images.view(np.uint64)[0, 1, 0] += 5
    with computed(module, way):
        actual = rotate(images, 1)
    expected = np.ascontiguousarray(np.rot90(images, 1, axes=(1, 2)))
    assert actual.tobytes() == expected.tobytes()


def test_no_images():
    assert rotate(np.empty((0, 3, 5, 1)), []).shape == (0, 3, 5, 1)
    assert rotate(np.empty((2, 3, 5, 0)), 1).shape == (2, 5, 3, 0)
    assert rotate(np.empty((0, 3, 4, 5, 1)), []).shape == (0, 3, 4, 5, 1)


BATCH = np.ones((2, 3, 3))
AXES = "axes must be two different axes after the first of 3, found"


@pytest.mark.parametrize(
    ("args", "axes", "error", "message"),
    [
        (
            (BATCH[0], 1),
            None,
            ValueError,
            r"images must be \(N, H, W\), \(N, H, W, C\) ",
        ),
        (
            (np.ones((2,) * 6), 1),
            None,
            ValueError,
            "unless axes are given",
        ),
        (([[["a"]]], 1), None, TypeError, "images must hold numbers"),
        ((BATCH, 1.0), None, TypeError, "turns must be integers, found dtype"),
        (
            (BATCH, [True, False]),
            None,
            TypeError,
            "turns must be integers, found dtype",
        ),
        ((BATCH, [1]), None, ValueError, r"have shape \(2,\), found \(1,\)"),
        ((BATCH, [[1, 2]]), None, ValueError, "turns must be an integer or have shape"),
        ((BATCH[:, :2], [0, 1]), None, ValueError, "all even or all odd .* of 2 x 3"),
        ((BATCH, 1), 1, TypeError, "axes must be a pair of integers, found 1"),
        ((BATCH, 1), (1, 2, 3), TypeError, "axes must be a pair of integers, found"),
        ((BATCH, 1), (1, 2.0), TypeError, "axes must be an integer, found 2.0"),
        ((BATCH, 1), (1, 3), ValueError, AXES),
        ((BATCH, 1), (1, -2), ValueError, AXES),
        ((BATCH, 1), (0, 2), ValueError, AXES),
        ((BATCH, 1), (1, -3), ValueError, AXES),
        ((BATCH, 1), (1, -4), ValueError, "axes must be >= -3, found -4"),
        ((3, 1), (0, 1), ValueError, "axes must be two different axes"),
    ],
)
def test_refusals(args, axes, error, message):
    with pytest.raises(error, match=message):
        rotate(*args, axes=axes)


def test_refusals_of_sampling():
    with pytest.raises(ValueError, match="n must be >= 0, found -1"):
        sample_turns(-1, rng=0)
    with pytest.raises(TypeError, match="n must be an integer, found"):
        sample_turns(1.5, rng=0)
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator or"):
        sample_turns(1, rng=None)
