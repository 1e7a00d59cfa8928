"""Patch swapping in images and volumes: the laws of the method, and refusals."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import batches, computed, seeds, volumes, ways

from tinyssl import reference
from tinyssl.transforms import sample_swaps, swap_patches
from tinyssl.transforms import swaps as module


@given(st.one_of(batches(), volumes()), seeds, st.integers(0, 5), st.data(), ways)
def test_laws_of_swapping(images, seed, num_swaps, data, way):
    N, *shape, C = images.shape
    size = data.draw(st.integers(1, min(shape)))
    assume(max(shape) >= 2 * size)
    before = images.copy()
    dims = len(shape)
    swaps = sample_swaps(shape, size, N * num_swaps, rng=seed, spatial_dims=dims)
    swaps = swaps.reshape(N, num_swaps, 2 * dims)
    with computed(module, way):
        swapped = swap_patches(images, swaps, size)
        back = swap_patches(swapped, swaps[:, ::-1], size)
    np.testing.assert_array_equal(images, before)
    assert swapped.dtype == images.dtype
    assert swapped.flags.c_contiguous
    assert not np.shares_memory(swapped, images)
    expected = images.copy()
    reference.swap_patches(expected, swaps, size)
    np.testing.assert_array_equal(swapped, expected)
    # undone backwards; pixels are moved, not lost; few of them change
    np.testing.assert_array_equal(back, images)
    kept = [np.sort(x.reshape(N, -1, C), axis=1) for x in (images, swapped)]
    np.testing.assert_array_equal(*kept)
    changed = (swapped != images).any(axis=-1).reshape(N, -1).sum(axis=1)
    assert (changed <= 2 * num_swaps * size**dims).all()
    # a batch is its images
    alone = [swap_patches(x, s, size) for x, s in zip(images, swaps, strict=True)]
    np.testing.assert_array_equal(swapped, alone)


@given(st.one_of(batches(), volumes()), seeds)
def test_nothing_moves_outside_the_region(images, seed):
    shape = images.shape[1:-1]
    region = np.random.default_rng(seed).random(shape) < 0.8
    options = {"rng": seed, "region": region, "spatial_dims": len(shape)}
    size = 1 if region.sum() < 30 else 2
    try:
        swaps = sample_swaps(shape, size, 5, **options)
    except ValueError:
        assume(False)
    swapped = swap_patches(images, swaps, size)
    np.testing.assert_array_equal(swapped[:, ~region], images[:, ~region])


@pytest.mark.parametrize("small", [0, 2**62])
@pytest.mark.parametrize("shape", [(8, 8), (6, 7, 8)])
def test_one_list_of_swaps_serves_all_images_and_layouts(shape, small):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), np.uint8)
    swaps = sample_swaps(shape, 3, 4, rng=0, spatial_dims=len(shape))
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
    images = np.ones((2, 5, 5, 1))
    for none in ([], np.empty((0, 4), int), np.empty((2, 0, 4), int)):
        np.testing.assert_array_equal(swap_patches(images, none, 2), images)
    cubes = np.ones((2, 5, 5, 5, 1))
    for none in ([], np.empty((0, 6), int)):
        np.testing.assert_array_equal(swap_patches(cubes, none, 2), cubes)
    swaps = [[0, 0, 3, 3]]
    assert swap_patches(images[:0], swaps, 2).shape == (0, 5, 5, 1)
    assert swap_patches(images[..., :0], swaps, 2).shape == (2, 5, 5, 0)


IMAGE = np.zeros((6, 6))
CUBE = np.zeros((6, 6, 6))
PAIR = [0, 0, 3, 3]


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((IMAGE[0], [], 1), ValueError, r"images must be \(H, W\), \(H, W, C\) or \(N"),
        (
            (IMAGE, [[0] * 6], 1),
            ValueError,
            r"images must be \(D, H, W\), \(D.* of 6 c",
        ),
        ((CUBE[None, None], [PAIR], 1), ValueError, r"images must be .*for swaps of 4"),
        ((["a"], [], 1), TypeError, "images must hold numbers"),
        ((IMAGE, [PAIR], 0), ValueError, "patch_size must be >= 1, found 0"),
        ((IMAGE, [PAIR], 1.0), TypeError, "patch_size must be an integer"),
        ((IMAGE, [PAIR[:3]], 1), ValueError, r"swaps must be \(T, 4\) or \(N, T, 4\)"),
        ((IMAGE, PAIR, 1), ValueError, r"swaps must be .*, found \(4,\)"),
        ((IMAGE, [[0, 0, 3.0, 3]], 1), TypeError, "swaps must be integers, found"),
        ((IMAGE, [[0, 0, 4, 4]], 3), ValueError, "patches of 3 inside 6 x 6, found"),
        ((IMAGE, [[-1, 0, 3, 3]], 3), ValueError, r"inside 6 x 6, found \[-1, 0, 3, 3"),
        ((IMAGE, [PAIR], 7), ValueError, "patches of 7 inside 6 x 6"),
        ((IMAGE, np.array([PAIR], "u8") + 2**63, 1), ValueError, "inside 6 x 6"),
        (
            (IMAGE, [PAIR, [0, 0, 2, 2]], 3),
            ValueError,
            r"disjoint .* 3, found \[0, 0, 2",
        ),
        ((IMAGE, [[PAIR]], 3), ValueError, "one .T, 4. block for each of 1"),
        ((CUBE[..., None], [[PAIR]], 3), ValueError, "block for each of 6 im"),
        ((CUBE, [[0, 0, 0, 0, 4, 0]], 3), ValueError, "inside 6 x 6 x 6, found"),
        ((CUBE, [[0, 0, 0, 2, 2, 2]], 3), ValueError, "disjoint patches of 3, found"),
        ((CUBE, [[[0, 0, 0, 3, 0, 0]]], 3), ValueError, "one .T, 6. block for each"),
    ],
)
def test_refusals(args, error, message):
    with pytest.raises(error, match=message):
        swap_patches(*args)
