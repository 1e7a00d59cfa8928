"""Odd arguments: taken where the meaning is plain, else refused in one line."""

import numpy as np
import pytest

from tinyssl.transforms import (
    adjust,
    cut_paste,
    flip,
    mask_blocks,
    mask_patches,
    permute_tiles,
    rotate,
    sample_adjustments,
    sample_blocks,
    sample_swaps,
    split_tiles,
)

IMAGES = np.zeros((1, 4, 4))
BYTES = np.array([0, 1, 255], np.uint8).reshape(1, 1, 3, 1)
FAR = np.array([[2**64 - 1, 0, 1, 1, 1, 1]], np.uint64)


def test_a_pair_may_be_any_iterable():
    actual = split_tiles(IMAGES, (part for part in (2, 1)))
    assert actual.shape == (1, 2, 2, 4)
    message = r"grid must be a number or \(rows, columns\), found \(2, 2, 2\)"
    with pytest.raises(ValueError, match=message):
        split_tiles(IMAGES, (2, 2, 2))


def test_a_batch_of_no_images_needs_no_flips():
    assert flip(IMAGES[:0], []).shape == (0, 4, 4)
    with pytest.raises(TypeError, match="flips must be bools, found dtype int64"):
        flip(IMAGES, [1])


@pytest.mark.parametrize("gain", [2e32, -2e32, 0.0])
def test_the_largest_lighting_neither_warns_nor_wraps(gain):
    expected = np.array([0, 255 if gain > 0 else 0, 255 if gain > 0 else 0])
    actual = adjust(BYTES, [gain], [0.0])
    np.testing.assert_array_equal(actual.ravel(), expected)
    dark, light = adjust(BYTES.repeat(2, 0), [gain, gain], [-2e32, 2e32])
    assert (dark.ravel()[1:] <= light.ravel()[1:]).all()


@pytest.mark.parametrize("far", [1e33, -1e33, 1e300])
def test_lighting_that_float32_cannot_hold_is_refused(far):
    with pytest.raises(ValueError, match=r"gains must lie within ±2\.55e\+32, found"):
        adjust(BYTES, [far], [0])
    with pytest.raises(ValueError, match=r"offsets must lie within ±2\.55e\+32, fou"):
        adjust(BYTES, [1], [far])


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_every_drawn_lighting_can_be_applied(name):
    gains, offsets = sample_adjustments(1, rng=0, **{name: 1e30})
    assert adjust(BYTES, gains, offsets).shape == BYTES.shape
    with pytest.raises(ValueError, match=rf"{name} must be <= 1e\+30, found 1e\+308"):
        sample_adjustments(1, rng=0, **{name: 1e308})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: sample_swaps((8, 8, "x"), 2, 1, rng=0),
            TypeError,
            "image_shape must be an integer, found 'x'",
        ),
        (
            lambda: sample_swaps((8, 8, 0), 2, 1, rng=0),
            ValueError,
            "image_shape must be >= 1, found 0",
        ),
        (
            lambda: sample_swaps((8, 8), 2, 1, rng=np.random.SeedSequence(1)),
            TypeError,
            r"integer seed, found SeedSequence\( entropy=1, \)",
        ),
        (
            lambda: sample_blocks(1, (8, 8), rng=0, area=np.ones((2, 2))),
            TypeError,
            r"area must be two finite numbers > 0, found array\(\[\[1\., 1\.\], \[1",
        ),
        (
            lambda: rotate(IMAGES, 1, axes=np.ones((2, 2))),
            TypeError,
            r"axes must be a pair of integers, found array\(\[\[1\., 1\.\], \[1",
        ),
        (
            lambda: permute_tiles(np.zeros((1, 50, 50)), 50, np.zeros(2500, int)),
            ValueError,
            r"orders must be permutations of 0\.\.2499, found \[0, 0, .*\.\.\.$",
        ),
        (
            lambda: mask_patches(
                np.zeros((1, 4, 4, 99), int), [True], 4, fill=np.full(99, 0.5)
            ),
            ValueError,
            r"fill must be finite and fit dtype int64, found \[0\.5, .*\.\.\.$",
        ),
        (
            lambda: mask_blocks(IMAGES, FAR[:, :4]),
            ValueError,
            r"inside 4 x 4, found \[18446744073709551615, 0, 1, 1\]",
        ),
        (
            lambda: cut_paste(IMAGES, FAR, [1.0], [[1.0]]),
            ValueError,
            r"inside 4 x 4, found \[18446744073709551615, 0, 1, 1, 1, 1\]",
        ),
    ],
)
def test_refusals_are_one_short_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_numpy_integer_is_a_number_of_dimensions():
    expected = sample_swaps((4, 8, 8), 2, 3, rng=0, spatial_dims=3)
    actual = sample_swaps((4, 8, 8), 2, 3, rng=0, spatial_dims=np.uint8(3))
    np.testing.assert_array_equal(actual, expected)
