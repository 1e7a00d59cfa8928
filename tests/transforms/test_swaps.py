"""Patch swapping in images and volumes: where patches are drawn, and how they move."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import assert_uniform, covered, free, pure
from strategies import batches, computed, seeds, volumes, ways

from tinyssl import reference
from tinyssl.transforms import sample_swaps, swap_patches
from tinyssl.transforms import swaps as module


@st.composite
def geometries(draw):
    """The sides of an image or a volume, and a patch size with room for a pair."""
    most = draw(st.sampled_from([(14, 14), (6, 6, 6)]))
    shape = tuple(draw(st.integers(1, side)) for side in most)
    size = draw(st.integers(1, min(shape)))
    assume(max(shape) >= 2 * size)
    return shape, size


def draw_swaps(shape, size, num_swaps, **options):
    return sample_swaps(shape, size, num_swaps, spatial_dims=len(shape), **options)


def distances(corners1, corners2):
    """Return how far patches are apart, along the axis that parts them most."""
    return np.abs(np.subtract(corners1, corners2)).max(axis=-1)


@given(geometries(), seeds, st.integers(0, 6))
def test_patches_fit_and_are_disjoint(geometry, seed, num_swaps):
    shape, size = geometry
    swaps = draw_swaps(shape, size, num_swaps, rng=seed)
    assert (swaps.shape, swaps.dtype) == ((num_swaps, 2 * len(shape)), np.int64)
    assert (swaps >= 0).all()
    assert (swaps <= [side - size for side in shape] * 2).all()
    assert (distances(*np.split(swaps, 2, axis=1)) >= size).all()
    dims = np.uint8(len(shape))  # any integer
    colour = sample_swaps((*shape, 3), size, num_swaps, rng=seed, spatial_dims=dims)
    np.testing.assert_array_equal(colour, swaps)


@given(geometries(), seeds)
def test_a_region_holds_both_patches_or_is_refused(geometry, seed):
    shape, size = geometry
    sides = [size] * len(shape)
    region = np.random.default_rng(seed).random(shape) < 0.9
    try:
        swaps = draw_swaps(shape, size, 6, rng=seed, region=region)
    except ValueError:
        places = free(region, sides).reshape(-1, len(shape))
        assert not (distances(places[:, None], places) >= size).any()
    else:
        patches = swaps.reshape(-1, len(shape))
        assert all(covered(region, corner, sides) for corner in patches)
        assert (distances(*np.split(swaps, 2, axis=1)) >= size).all()


HOLED = np.ones((5, 6, 6))
HOLED[2, 2:4, 3] = HOLED[0, 0, 0] = 0


@pytest.mark.parametrize(
    ("size", "region"),
    [(3, np.ones((9, 8))), (3, np.tri(9, 8)), (2, np.ones((4, 5, 5))), (2, HOLED)],
)
def test_places_are_uniform(size, region):
    mask = None if region.all() else region
    swaps = draw_swaps(region.shape, size, 4000, rng=0, region=mask)
    places = free(region, [size] * region.ndim)
    apart = distances(places[:, None], places) >= size
    starts = apart.any(axis=1)
    # the first patch: any place that has a partner; the second: any of its partners
    chance1 = starts / starts.sum()
    chance2 = chance1 @ (apart / np.maximum(apart.sum(axis=1, keepdims=True), 1))
    first, second = np.split(swaps, 2, axis=1)
    assert_uniform(first, places, chance1)
    assert_uniform(second, places, chance2)


@given(st.one_of(batches(), volumes()), seeds, st.integers(0, 5), st.data(), ways)
def test_laws_of_swapping(images, seed, num_swaps, data, way):
    N, *shape, C = images.shape
    size = data.draw(st.integers(1, min(shape)))
    assume(max(shape) >= 2 * size)
    swaps = draw_swaps(shape, size, N * num_swaps, rng=seed)
    swaps = swaps.reshape(N, num_swaps, 2 * len(shape))
    with computed(module, way):
        swapped = pure(swap_patches, images, swaps, size)
        back = swap_patches(swapped, swaps[:, ::-1], size)
    expected = images.copy()
    reference.swap_patches(expected, swaps, size)
    np.testing.assert_array_equal(swapped, expected)
    # undone backwards; pixels are moved, not lost; few of them change
    np.testing.assert_array_equal(back, images)
    kept = [np.sort(x.reshape(N, -1, C), axis=1) for x in (images, swapped)]
    np.testing.assert_array_equal(*kept)
    changed = (swapped != images).any(axis=-1).reshape(N, -1).sum(axis=1)
    assert (changed <= 2 * num_swaps * size ** len(shape)).all()
    # a batch is its images
    alone = [swap_patches(x, s, size) for x, s in zip(images, swaps, strict=True)]
    np.testing.assert_array_equal(swapped, alone)


@pytest.mark.parametrize("small", [0, 2**62])
@pytest.mark.parametrize("shape", [(8, 8), (6, 7, 8)])
def test_one_list_of_swaps_serves_all_images_and_layouts(shape, small):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), np.uint8)
    swaps = draw_swaps(shape, 3, 4, rng=0)
    expected = images.copy()
    reference.swap_patches(expected, [swaps] * 3, 3)
    with computed(module, (small, 1)):
        actual = swap_patches(images, swaps, 3)
        one = swap_patches(images[1], swaps, 3)
        gray = swap_patches(images[1, ..., 0], swaps, 3)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(one, expected[1])
    np.testing.assert_array_equal(gray, expected[1, ..., 0])


def test_no_swaps_and_no_images():
    images, cubes = np.ones((2, 5, 5, 1)), np.ones((2, 5, 5, 5, 1))
    for none in ([], np.empty((0, 4), int), np.empty((2, 0, 4), int)):
        np.testing.assert_array_equal(swap_patches(images, none, 2), images)
    for none in ([], np.empty((0, 6), int)):
        np.testing.assert_array_equal(swap_patches(cubes, none, 2), cubes)
    swaps = [[0, 0, 3, 3]]
    assert swap_patches(images[:0], swaps, 2).shape == (0, 5, 5, 1)
    assert swap_patches(images[..., :0], swaps, 2).shape == (2, 5, 5, 0)
