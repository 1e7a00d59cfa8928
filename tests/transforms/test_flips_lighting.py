"""Flips and lighting: laws and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from strategies import batches, seeds

from tinyssl.transforms import adjust, flip, sample_adjustments, sample_flips


@given(batches(), seeds)
def test_flipping_twice_moves_no_bit(images, seed):
    flips = sample_flips(len(images), rng=seed)
    before = images.copy()
    once = flip(images, flips)
    np.testing.assert_array_equal(images, before)
    assert not np.shares_memory(once, images)
    assert once.flags.c_contiguous
    for image, flipped, was in zip(images, once, flips, strict=True):
        np.testing.assert_array_equal(flipped, image[:, ::-1] if was else image)
    np.testing.assert_array_equal(flip(once, flips), images)


def test_half_of_the_images_are_mirrored():
    assert 0.47 < sample_flips(4000, rng=0).mean() < 0.53


def test_no_images():
    assert flip(ONE[:0], np.empty(0, bool)).shape == (0, 4, 4, 1)
    assert adjust(ONE[:0], [], []).shape == (0, 4, 4, 1)


@given(batches(), seeds)
def test_laws_of_lighting(images, seed):
    images = images.view(np.uint8)
    gains, offsets = sample_adjustments(len(images), rng=seed)
    assert (np.abs(gains - 1) <= 0.1).all()
    assert (np.abs(offsets) <= 12.75).all()
    adjusted = adjust(images, gains, offsets)
    assert adjusted.dtype == np.uint8
    black = ~images.any(axis=-1)
    assert not adjusted[black].any()
    one = np.ones(len(images))
    np.testing.assert_array_equal(adjust(images, one, 0 * one), images)
    inverted = adjust(images, -one, 255 * one)
    np.testing.assert_array_equal(inverted[~black], 255 - images[~black])
    assert (adjust(images, one, 300 * one)[~black] == 255).all()


ONE = np.zeros((1, 4, 4, 1), np.uint8)


@pytest.mark.parametrize(
    ("function", "args", "error", "message"),
    [
        (
            adjust,
            (ONE, [1, 1], [0]),
            ValueError,
            r"gains must have shape \(1,\)",
        ),
        (adjust, (ONE, [1], 0), ValueError, r"offsets must have shape \(1,\), found"),
        (adjust, (ONE, [1], [math.inf]), ValueError, "offsets must be finite"),
        (adjust, (ONE / 1, [1], [0]), TypeError, "images must be uint8"),
        (adjust, (ONE[0], [1], [0]), ValueError, r"images must be \(N, H, W, C\), fo"),
        (sample_flips, (-1,), ValueError, "n must be >= 0, found -1"),
        (flip, (ONE, [1]), TypeError, "flips must be bools, found dtype int64"),
        (flip, (ONE, [True] * 2), ValueError, r"flips must have shape \(1,\)"),
        (flip, (ONE[0, 0], [True]), ValueError, r"images must be \(N, H, W\)"),
        (sample_adjustments, (1.0,), TypeError, "n must be an integer"),
    ],
)
def test_refusals(function, args, error, message):
    options = {"rng": 0} if function in (sample_flips, sample_adjustments) else {}
    with pytest.raises(error, match=message):
        function(*args, **options)


@pytest.mark.parametrize("sample", [sample_flips, sample_adjustments])
def test_a_bad_rng_is_refused(sample):
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator or"):
        sample(2, rng="seed")
    with pytest.raises(ValueError, match="rng must be >= 0, found -1"):
        sample(2, rng=-1)


def test_refusals_of_lighting_options():
    with pytest.raises(ValueError, match="brightness must be finite and >= 0"):
        sample_adjustments(1, rng=0, brightness=math.inf)
    with pytest.raises(ValueError, match="contrast must be finite and >= 0"):
        sample_adjustments(1, rng=0, contrast=-0.1)


def test_lighting_rounds_to_the_nearest_grey_level():
    image = np.full((1, 1, 1, 3), (100, 101, 102), np.uint8)
    actual = adjust(image, [1.009], [0.0])  # 100.9, 101.909, 102.918
    assert actual.ravel().tolist() == [101, 102, 103]
    assert adjust(image, [1.0], [-0.9]).ravel().tolist() == [99, 100, 101]
