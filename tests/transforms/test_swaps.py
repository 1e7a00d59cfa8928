"""Patch swapping: every law of the method, uniform places, and refusals."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import batches, seeds

from tinyssl import reference
from tinyssl.transforms import sample_swaps, swap_patches


@st.composite
def geometries(draw, most=14):
    """An image shape, a patch size that leaves room for a pair, and T."""
    H, W = draw(st.integers(1, most)), draw(st.integers(1, most))
    size = draw(st.integers(1, min(H, W)))
    assume(max(H, W) >= 2 * size)
    return (H, W), size, draw(st.integers(0, 6))


def covered(region, swaps, size):
    """Return whether each patch lies wholly inside the region."""
    corners = swaps.reshape(-1, 2)
    return all(region[y : y + size, x : x + size].all() for y, x in corners)


@given(geometries(), seeds)
def test_patches_fit_and_are_disjoint(geometry, seed):
    (H, W), size, num_swaps = geometry
    swaps = sample_swaps((H, W), size, num_swaps, rng=seed)
    assert swaps.shape == (num_swaps, 4)
    assert swaps.dtype == np.int64
    assert (swaps >= 0).all()
    assert (swaps <= [H - size, W - size] * 2).all()
    assert (np.abs(swaps[:, :2] - swaps[:, 2:]).max(axis=1) >= size).all()
    again = sample_swaps((H, W, 3), size, num_swaps, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(again, swaps)


@given(geometries(), seeds)
def test_a_region_holds_both_patches(geometry, seed):
    (H, W), size, num_swaps = geometry
    region = np.random.default_rng(seed).random((H, W)) < 0.9
    try:
        swaps = sample_swaps((H, W), size, num_swaps, rng=seed, region=region)
    except ValueError:
        places = np.argwhere(
            [
                [covered(region, np.array([y, x]), size) for x in range(W - size + 1)]
                for y in range(H - size + 1)
            ]
        )
        apart = np.abs(places[:, None] - places[None, :]).max(axis=-1, initial=0)
        assert not (apart >= size).any()
    else:
        assert covered(region, swaps, size)
        assert (np.abs(swaps[:, :2] - swaps[:, 2:]).max(axis=1) >= size).all()


@pytest.mark.parametrize("region", [None, np.ones((9, 8)), np.tri(9, 8)])
def test_places_are_uniform(region):
    size, num_swaps = 3, 4000
    swaps = sample_swaps((9, 8), size, num_swaps, rng=0, region=region)
    whole = np.ones((9, 8)) if region is None else region
    places = [(y, x) for y in range(7) for x in range(6)]
    places = [p for p in places if covered(whole, np.array(p), size)]
    apart = {
        p: [q for q in places if max(abs(p[0] - q[0]), abs(p[1] - q[1])) >= size]
        for p in places
    }
    starts = [p for p in places if apart[p]]
    first = [np.sum((swaps[:, :2] == p).all(axis=1)) for p in starts]
    assert sum(first) == num_swaps
    assert scipy.stats.chisquare(first).pvalue > 1e-3
    second = [np.sum((swaps[:, 2:] == p).all(axis=1)) for p in places]
    chance = [
        sum(1 / len(apart[s]) for s in starts if p in apart[s]) / len(starts)
        for p in places
    ]
    expected = np.array(chance) * num_swaps
    seen = expected > 0
    assert sum(np.array(second)[seen]) == num_swaps
    result = scipy.stats.chisquare(np.array(second)[seen], expected[seen])
    assert result.pvalue > 1e-3


def test_the_last_row_and_column_are_drawn():
    swaps = sample_swaps((20, 20), 4, 3000, rng=0)
    for corner in swaps[:, :2], swaps[:, 2:]:
        assert corner.min() == 0
        np.testing.assert_array_equal(corner.max(axis=0), [16, 16])


@given(batches(), seeds, st.integers(0, 5), st.integers(1, 6))
def test_laws_of_swapping(images, seed, num_swaps, size):
    N, H, W, C = images.shape
    assume(size <= min(H, W) and max(H, W) >= 2 * size)
    before = images.copy()
    swaps = sample_swaps((H, W), size, N * num_swaps, rng=seed).reshape(N, num_swaps, 4)
    swapped = swap_patches(images, swaps, size)
    np.testing.assert_array_equal(images, before)
    assert swapped.dtype == images.dtype
    assert swapped.flags.c_contiguous
    assert not np.shares_memory(swapped, images)
    expected = images.copy()
    reference.swap_patches(expected, swaps, size)
    np.testing.assert_array_equal(swapped, expected)
    # undone backwards; pixels are moved, not lost; few of them change
    back = swap_patches(swapped, swaps[:, ::-1], size)
    np.testing.assert_array_equal(back, images)
    kept = [np.sort(x.reshape(N, H * W, C), axis=1) for x in (images, swapped)]
    np.testing.assert_array_equal(*kept)
    changed = (swapped != images).any(axis=-1).sum(axis=(1, 2))
    assert (changed <= 2 * num_swaps * size**2).all()
    # a batch is its images
    alone = [swap_patches(x, s, size) for x, s in zip(images, swaps, strict=True)]
    np.testing.assert_array_equal(swapped, alone)


def test_one_list_of_swaps_serves_all_images_and_shapes():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    swaps = sample_swaps((8, 8), 3, 4, rng=0)
    swapped = swap_patches(images, swaps, 3)
    np.testing.assert_array_equal(swapped[1], swap_patches(images[1], swaps, 3))
    gray = swap_patches(images[1, ..., 0], swaps, 3)
    np.testing.assert_array_equal(swapped[1, ..., 0], gray)


def test_no_swaps_and_no_images():
    images = np.ones((2, 5, 5, 1))
    for none in ([], np.empty((0, 4), int), np.empty((2, 0, 4), int)):
        np.testing.assert_array_equal(swap_patches(images, none, 2), images)
    swaps = [[0, 0, 3, 3]]
    assert swap_patches(images[:0], swaps, 2).shape == (0, 5, 5, 1)


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        (((8, 8), 8, 1), {}, ValueError, "room for two disjoint .* the image, found 8"),
        (((8, 8), 5, 1), {}, ValueError, "room for two disjoint patches"),
        (((8, 8), 9, 1), {}, ValueError, "patch_size must fit into the image, found 9"),
        (((8, 8), 5, 0), {}, ValueError, "room for two disjoint patches"),
        (((8, 8), 0, 1), {}, ValueError, "patch_size must be >= 1, found 0"),
        (((8, 8), -2, 1), {}, ValueError, "patch_size must be >= 1, found -2"),
        (((8, 8), 2.0, 1), {}, TypeError, "patch_size must be an integer, found 2.0"),
        (((8, 8), 2, -1), {}, ValueError, "num_swaps must be >= 0, found -1"),
        (((8, 0), 2, 1), {}, ValueError, "image_shape must be >= 1, found 0"),
        (((8,), 2, 1), {}, ValueError, r"image_shape must be \(H, W\) or \(H, W, C\)"),
        ((8, 2, 1), {}, TypeError, "image_shape must be a tuple, found 8"),
        (((8, 8.5), 2, 1), {}, TypeError, "image_shape must be an integer"),
        (((8, 8), 2, 1), {"region": np.ones((8, 7))}, ValueError, "region must have"),
        (((8, 8), 2, 1), {"region": np.eye(8)}, ValueError, "inside region, found 2"),
        (((8, 8), 2, 1), {"region": np.zeros((8, 8))}, ValueError, "inside region"),
    ],
)
def test_refusals_of_sampling(args, options, error, message):
    with pytest.raises(error, match=message):
        sample_swaps(*args, rng=0, **options)


IMAGE = np.zeros((6, 6))


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((IMAGE[0], [], 1), ValueError, r"images must be \(H, W\), \(H, W, C\)"),
        ((["a"], [], 1), TypeError, "images must hold numbers"),
        ((IMAGE, [[0, 0, 3, 3]], 0), ValueError, "patch_size must be >= 1"),
        ((IMAGE, [[0, 0, 3]], 1), ValueError, r"swaps must be \(T, 4\) or \(N, T, 4\)"),
        ((IMAGE, [[0, 0, 3.0, 3]], 1), TypeError, "swaps must be integers"),
        (
            (IMAGE, [[0, 0, 4, 4]], 3),
            ValueError,
            "patches of 3 inside 6 x 6, found",
        ),
        ((IMAGE, [[-1, 0, 3, 3]], 3), ValueError, "inside 6 x 6"),
        (
            (IMAGE, [[0, 0, 2, 2]], 3),
            ValueError,
            "disjoint patches of 3, found",
        ),
        ((IMAGE, [[[0, 0, 3, 3]]], 3), ValueError, "one .T, 4. block for each of 1"),
        ((IMAGE.reshape(2, 3, 6, 1), [[[0, 0, 0, 3]]], 3), ValueError, "each of 2 im"),
    ],
)
def test_refusals_of_swapping(args, error, message):
    with pytest.raises(error, match=message):
        swap_patches(*args)
