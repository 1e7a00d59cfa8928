"""Quarter turns and flips, of images and volumes: bit for bit NumPy's own."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from laws import FORMS, assert_uniform, pure
from strategies import batches, computed, seeds, volumes, ways

from tinyssl.transforms import (
    flip,
    rotate,
    sample_flips,
    sample_swaps,
    sample_turns,
    swap_patches,
)
from tinyssl.transforms import turns as module

cubes = seeds.map(lambda seed: np.random.default_rng(seed).random((3, 4, 4, 4, 4)))
PLANES = [None, *itertools.permutations((1, 2, 3), 2), (-2, -3), (-1, 1)]
planes = st.sampled_from(PLANES)
VOLUMES = np.random.default_rng(0).random((3, 6, 32, 32, 2))  # enough for the kernels
SWAPS = sample_swaps((6, 32, 32), 5, 60, rng=0, spatial_dims=3).reshape(3, 20, 6)
TURNS = np.array([1, 2, 3])
SIGNS = np.array([0.0, -0.0, np.nan, -np.inf]).reshape(1, 2, 2, 1)
SIGNS.view(np.uint64)[0, 1, 0] += 5  # the payload of a nan


def test_draws_are_uniform():
    turns = sample_turns(4000, rng=0)
    assert turns.dtype == np.int64
    assert_uniform(turns[:, None], np.arange(4)[:, None])
    assert 0.47 < sample_flips(4000, rng=0).mean() < 0.53


@example(SIGNS, 1, None, (0, 1))
@example(SIGNS, 1, None, (2**62, 1))
@given(st.one_of(batches(), volumes()), st.integers(-5, 8), planes, ways)
def test_a_turn_in_any_plane_equals_numpy(images, turns, axes, way):
    last = images.ndim - 2
    plane = axes or (last - 1, last)
    expected = np.rot90(images, turns, axes=plane)
    with computed(module, way):
        actual = pure(rotate, images, turns, axes=axes)
        if axes is None:
            gray = rotate(images[..., 0], turns, axes=None if last == 2 else plane)
            np.testing.assert_array_equal(gray, expected[..., 0])
            assert gray.tobytes() == expected[..., 0].tobytes()
    np.testing.assert_array_equal(actual, expected)
    assert actual.tobytes() == expected.tobytes()


@given(st.one_of(batches(square=True), cubes), seeds, planes, ways)
def test_turns_of_each_image(images, seed, axes, way):
    axes = axes if images.ndim == 5 else None
    plane = axes or (images.ndim - 3, images.ndim - 2)
    turns = np.random.default_rng(seed).integers(-5, 9, size=len(images))
    pairs = zip(images, turns, strict=True)
    expected = [np.rot90(image[None], k, plane)[0] for image, k in pairs]
    with computed(module, way):
        actual = rotate(images, turns, axes=axes)
        back = rotate(actual, -turns, axes=axes)
        twice = rotate(actual, turns.astype("i1"), axes=axes)
        np.testing.assert_array_equal(rotate(images, 2 * turns, axes=axes), twice)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(back, images)


@pytest.mark.parametrize("dtype", [*"?bBhHiIlLqQefdFD", np.clongdouble])
@pytest.mark.parametrize("shape", [(145, 270, 3), (40, 30, 20), (130, 150, 1)])
def test_every_number_type_in_images_larger_than_a_tile_and_wide_pixels(shape, dtype):
    images = np.random.default_rng(0).integers(0, 99, (2, *shape)).astype(dtype)
    for k in range(4):
        expected = np.rot90(images, k, axes=(1, 2))
        np.testing.assert_array_equal(pure(rotate, images, k), expected)


def test_no_images():
    assert rotate(np.empty((0, 3, 5, 1)), []).shape == (0, 3, 5, 1)
    assert rotate(np.empty((2, 3, 5, 0)), 1).shape == (2, 5, 3, 0)
    assert rotate(np.empty((0, 3, 4, 5, 1)), []).shape == (0, 3, 4, 5, 1)
    assert flip(np.empty((0, 4, 4, 1)), np.empty(0, bool)).shape == (0, 4, 4, 1)
    assert flip(np.empty((0, 4, 4)), []).shape == (0, 4, 4)


@given(batches(), seeds)
def test_flipping_twice_moves_no_bit(images, seed):
    flips = sample_flips(len(images), rng=seed)
    once = pure(flip, images, flips)
    for image, flipped, was in zip(images, once, flips, strict=True):
        np.testing.assert_array_equal(flipped, image[:, ::-1] if was else image)
    np.testing.assert_array_equal(flip(once, flips), images)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_volumes_gives_the_same_bits(form):
    before = VOLUMES.copy()
    swapped = swap_patches(form(VOLUMES), form(SWAPS), 5)
    np.testing.assert_array_equal(swapped, swap_patches(VOLUMES, SWAPS, 5))
    turned = rotate(form(VOLUMES), form(TURNS))
    np.testing.assert_array_equal(turned, rotate(VOLUMES, TURNS))
    np.testing.assert_array_equal(VOLUMES, before)
