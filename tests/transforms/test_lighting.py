"""Lighting: what changes, what stays black, and how far it may go."""

import numpy as np
import pytest
from hypothesis import given
from laws import pure
from strategies import batches, seeds

from tinyssl.transforms import adjust, sample_adjustments

BYTES = np.array([0, 1, 255], np.uint8).reshape(1, 1, 3, 1)


@given(batches(), seeds)
def test_laws_of_lighting(images, seed):
    images = images.view(np.uint8)
    gains, offsets = sample_adjustments(len(images), rng=seed)
    assert (np.abs(gains - 1) <= 0.1).all()
    assert (np.abs(offsets) <= 12.75).all()
    black = ~images.any(axis=-1)
    assert not pure(adjust, images, gains, offsets)[black].any()
    one = np.ones(len(images))
    np.testing.assert_array_equal(adjust(images, one, 0 * one), images)
    inverted = adjust(images, -one, 255 * one)
    np.testing.assert_array_equal(inverted[~black], 255 - images[~black])
    assert (adjust(images, one, 300 * one)[~black] == 255).all()


def test_lighting_rounds_to_the_nearest_grey_level():
    image = np.full((1, 1, 1, 3), (100, 101, 102), np.uint8)
    actual = adjust(image, [1.009], [0.0])  # 100.9, 101.909, 102.918
    assert actual.ravel().tolist() == [101, 102, 103]
    assert adjust(image, [1.0], [-0.9]).ravel().tolist() == [99, 100, 101]
    assert adjust(image[:0], [], []).shape == (0, 1, 1, 3)


@pytest.mark.parametrize("gain", [2e32, -2e32, 0.0])
def test_the_largest_lighting_neither_warns_nor_wraps(gain):
    expected = np.array([0, 255 if gain > 0 else 0, 255 if gain > 0 else 0])
    actual = adjust(BYTES, [gain], [0.0])
    np.testing.assert_array_equal(actual.ravel(), expected)
    dark, light = adjust(BYTES.repeat(2, 0), [gain, gain], [-2e32, 2e32])
    assert (dark.ravel()[1:] <= light.ravel()[1:]).all()


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_every_drawn_lighting_can_be_applied(name):
    gains, offsets = sample_adjustments(1, rng=0, **{name: 1e30})
    assert adjust(BYTES, gains, offsets).shape == BYTES.shape
