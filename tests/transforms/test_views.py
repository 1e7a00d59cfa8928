"""Views and lighting: laws and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from strategies import batches, seeds

from tinyssl.transforms import adjust, sample_adjustments, sample_views, warp

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


@given(batches())
def test_identity_and_mirror_move_no_bit(images):
    images = images.view(np.uint8)
    still = np.tile(IDENTITY, (len(images), 1, 1))
    np.testing.assert_array_equal(warp(images, still), images)
    mirror = still * [1, -1, 1]
    np.testing.assert_array_equal(warp(images, mirror), images[:, :, ::-1])


@pytest.mark.parametrize("k", range(4))
def test_quarter_turns_move_no_bit(k):
    images = np.random.default_rng(0).integers(0, 256, (1, 9, 9, 3), np.uint8)
    angle = k * math.pi / 2
    cos, sin = math.cos(angle), math.sin(angle)
    actual = warp(images, [[[cos, sin, 0], [-sin, cos, 0]]])
    np.testing.assert_array_equal(actual, np.rot90(images, k, axes=(1, 2)))


def test_what_lies_outside_is_black():
    images = np.full((1, 8, 8, 1), 200, np.uint8)
    actual = warp(images, [[[1, 0, 1], [0, 1, 0]]])[0, :, :, 0]
    np.testing.assert_array_equal(actual[:4], 200)
    np.testing.assert_array_equal(actual[4:], 0)
    assert not warp(images, [[[1, 0, 9], [0, 1, 0]]]).any()


def test_values_between_two_pixels_are_rounded():
    images = np.array([10, 21, 33, 43], np.uint8).reshape(1, 1, 4, 1)
    actual = warp(images, [[[1, 0, 0], [0, 1, 1 / 4]]])  # half a pixel to the right
    np.testing.assert_array_equal(actual.ravel(), [16, 27, 38, 22])


def test_no_images():
    assert warp(ONE[:0], np.empty((0, 2, 3))).shape == (0, 4, 4, 1)
    assert adjust(ONE[:0], [], []).shape == (0, 4, 4, 1)


@given(seeds)
def test_views_stay_in_their_range(seed):
    matrices = sample_views(50, rng=seed, max_angle=10, zoom=0.2, shift=0.1)
    again = sample_views(50, rng=seed, max_angle=10, zoom=0.2, shift=0.1)
    np.testing.assert_array_equal(matrices, again)
    assert (np.abs(matrices[:, :, 2]) <= 0.2).all()
    scale = np.sqrt(np.abs(np.linalg.det(matrices[:, :, :2])))
    assert (scale <= 1.2 + 1e-12).all()
    assert (scale >= 1 / 1.2 - 1e-12).all()
    angle = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert (np.abs(angle) <= 10 + 1e-9).all()
    unflipped = sample_views(50, rng=seed, flip=False)
    assert (np.linalg.det(unflipped[:, :, :2]) > 0).all()
    still = sample_views(3, rng=seed, flip=False, max_angle=0, zoom=0, shift=0)
    np.testing.assert_array_equal(still, [IDENTITY] * 3)


def test_half_of_the_views_are_mirrored():
    determinants = np.linalg.det(sample_views(4000, rng=0)[:, :, :2])
    assert 0.47 < np.mean(determinants < 0) < 0.53


@given(batches(), seeds)
def test_laws_of_lighting(images, seed):
    images = images.view(np.uint8)
    gains, offsets = sample_adjustments(len(images), rng=seed)
    assert (np.abs(gains - 1) <= 0.15).all()
    assert (np.abs(offsets) <= 25.5).all()
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
            warp,
            (ONE / 1, [IDENTITY]),
            TypeError,
            "images must be uint8, found dtype",
        ),
        (warp, (ONE[0], [IDENTITY]), ValueError, r"images must be \(N, H, W, C\)"),
        (warp, (ONE, IDENTITY), ValueError, r"matrices must have shape \(1, 2, 3\)"),
        (warp, (ONE, [IDENTITY * math.nan]), ValueError, "matrices must be finite"),
        (
            adjust,
            (ONE, [1, 1], [0]),
            ValueError,
            r"gains must have shape \(1,\)",
        ),
        (adjust, (ONE, [1], 0), ValueError, r"offsets must have shape \(1,\), found"),
        (adjust, (ONE, [1], [math.inf]), ValueError, "offsets must be finite"),
        (adjust, (ONE / 1, [1], [0]), TypeError, "images must be uint8"),
        (sample_views, (-1,), ValueError, "n must be >= 0, found -1"),
        (sample_adjustments, (1.0,), TypeError, "n must be an integer"),
    ],
)
def test_refusals(function, args, error, message):
    options = {"rng": 0} if function in (sample_views, sample_adjustments) else {}
    with pytest.raises(error, match=message):
        function(*args, **options)


@pytest.mark.parametrize("option", ["max_angle", "zoom", "shift"])
def test_refusals_of_options(option):
    with pytest.raises(ValueError, match=f"{option} must be finite and >= 0, found -1"):
        sample_views(1, rng=0, **{option: -1})
    with pytest.raises(TypeError, match=f"{option} must be a number, found 'a'"):
        sample_views(1, rng=0, **{option: "a"})


def test_refusals_of_lighting_options():
    with pytest.raises(ValueError, match="brightness must be finite and >= 0"):
        sample_adjustments(1, rng=0, brightness=math.inf)
    with pytest.raises(ValueError, match="contrast must be finite and >= 0"):
        sample_adjustments(1, rng=0, contrast=-0.1)
