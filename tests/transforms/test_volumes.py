"""Volumes: turns in any plane are numpy.rot90's, and all input forms give the same."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import computed, seeds, volumes, ways

from tinyssl.transforms import rotate, sample_swaps, swap_patches
from tinyssl.transforms import turns as module

PLANES = [*itertools.permutations((1, 2, 3), 2), (-2, -3), (-4, 3)]


@given(volumes(), st.integers(-5, 8), st.sampled_from(PLANES), ways)
def test_a_turn_in_any_plane_equals_numpy(images, turns, axes, way):
    before = images.copy()
    expected = np.rot90(images, turns, axes=axes)
    with computed(module, way):
        actual = rotate(images, turns, axes=axes)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(images, before)
    assert actual.flags.c_contiguous
    assert not np.shares_memory(actual, images)


@given(volumes(), st.integers(0, 3), ways)
def test_volumes_turn_in_their_slices(images, turns, way):
    with computed(module, way):
        actual = rotate(images, turns)
        gray = rotate(images[..., 0], turns, axes=(2, 3))
    expected = np.rot90(images, turns, axes=(2, 3))
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(gray, expected[..., 0])
    slices = [rotate(volume, turns) for volume in images]
    np.testing.assert_array_equal(actual, slices)


@given(seeds, st.sampled_from(PLANES), ways)
def test_each_volume_has_its_own_turns(seed, axes, way):
    rng = np.random.default_rng(seed)
    images, turns = rng.random((3, 4, 4, 4, 2)), rng.integers(-5, 9, 3)
    with computed(module, way):
        actual = rotate(images, turns, axes=axes)
        back = rotate(actual, turns, axes=axes[::-1])
    expected = [
        np.rot90(image[None], k, axes)[0]
        for image, k in zip(images, turns, strict=True)
    ]
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(back, images)


def test_wide_pixels():
    images = np.random.default_rng(0).random((2, 40, 30, 20))
    expected = np.rot90(images, 1, axes=(1, 2))
    np.testing.assert_array_equal(rotate(images, 1), expected)


def strided(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


FORMS = {
    "list": np.ndarray.tolist,
    "strided": strided,
    "fortran": np.asfortranarray,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "read-only": read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "tensor": lambda x: pytest.importorskip("torch").from_numpy(x.copy()),
}
VOLUMES = np.random.default_rng(0).random((3, 12, 40, 40, 2))
SWAPS = sample_swaps((12, 40, 40), 5, 60, rng=0, spatial_dims=3).reshape(3, 20, 6)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_bits(form):
    before = VOLUMES.copy()
    disguise = FORMS[form]
    swapped = swap_patches(disguise(VOLUMES), disguise(SWAPS), 5)
    np.testing.assert_array_equal(swapped, swap_patches(VOLUMES, SWAPS, 5))
    turns = disguise(np.array([1, 2, 3]))
    turned = rotate(disguise(VOLUMES), turns)
    np.testing.assert_array_equal(turned, rotate(VOLUMES, [1, 2, 3]))
    np.testing.assert_array_equal(VOLUMES, before)
