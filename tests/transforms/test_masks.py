"""Patches and masks: exact inverses, exact counts, uniform choices."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from laws import assert_uniform, pure
from strategies import discs, grids, seeds

from tinyssl import reference
from tinyssl.transforms import mask_patches, patchify, sample_mask, unpatchify

sides = st.integers(1, 7)


def square_patches(batch):
    """Return images of square patches, and the patch size."""
    images, (rows, cols) = batch
    size = min(images.shape[1] // rows, images.shape[2] // cols)
    return images[:, : rows * size, : cols * size], size


@given(grids())
def test_patches_are_rows_of_pixels_and_back(batch):
    images, size = square_patches(batch)
    N, H, W = images.shape[:3]
    patches = pure(patchify, images, size)
    expected = reference.patchify(images.reshape(N, H, W, -1), size) if N else patches
    np.testing.assert_array_equal(patches, expected)
    back = pure(unpatchify, patches, size, images.shape[1:])
    assert back.tobytes() == images.tobytes()


def test_the_order_inside_a_patch():
    images = np.arange(2 * 4 * 3).reshape(1, 2, 4, 3)
    expected = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]
    np.testing.assert_array_equal(patchify(images, 2)[0, 0], expected)


@example(3, 14, 14, 75, 1, 0)
@example(3, 2, 5, 90, 1, 0)  # 10 * (1 - 0.9) lies below 1
@example(3, 2, 5, 70, 1, 0)
@example(3, 3, 3, 50, 1, 0)
@given(st.integers(0, 5), sides, sides, st.integers(0, 99), st.integers(1, 4), seeds)
def test_counts_are_exact(n, rows, cols, percent, size, seed):
    keep = rows * cols * (100 - percent) // 100
    args = n, (rows * size, cols * size, 3), size
    ratio = percent / 100
    if keep == 0:
        with pytest.raises(ValueError, match="leave at least one patch, found"):
            sample_mask(*args, rng=seed, mask_ratio=ratio)
        return
    mask = sample_mask(*args, rng=seed, mask_ratio=ratio)
    assert (mask.shape, mask.dtype) == ((n, rows * cols), np.bool_)
    assert ((~mask).sum(axis=1) == keep).all()


@given(discs(), st.integers(1, 4), seeds, st.booleans())
def test_patches_outside_the_region_are_out_of_the_budget(disc, size, seed, each):
    H, W = (side // size * size for side in disc.shape)
    disc = disc[:H, :W]
    region = np.stack([disc, np.ones_like(disc), disc[::-1]]) if each else disc
    mask = sample_mask(3, (H, W), size, rng=seed, mask_ratio=0.5, region=region)
    inside = patchify(np.broadcast_to(region, (3, H, W)), size).any(axis=-1)
    assert not (mask & ~inside).any()
    np.testing.assert_array_equal((inside & ~mask).sum(axis=1), inside.sum(axis=1) // 2)


@pytest.mark.parametrize("region", [None, [[1, 1, 0], [0, 1, 1], [1, 0, 1]]])
def test_all_choices_are_equally_likely(region):
    mask = sample_mask(4500, (3, 3), 1, rng=0, mask_ratio=0.5, region=region)
    inside = np.ones(9, bool) if region is None else np.ravel(region) > 0
    kept = itertools.combinations(np.flatnonzero(inside), inside.sum() // 2)
    assert_uniform(inside & ~mask, [np.isin(np.arange(9), choice) for choice in kept])


@given(grids(), seeds, st.booleans())
def test_masked_patches_are_painted_and_no_others(batch, seed, shared):
    images, size = square_patches(batch)
    N, H, W = images.shape[:3]
    rng = np.random.default_rng(seed)
    L = H * W // size**2
    mask = rng.random(L if shared else (N, L)) < 0.5
    colour = rng.integers(0, 2, images.shape[3:]).astype(images.dtype)
    actual = pure(mask_patches, images, mask, size, fill=colour.real)
    masks = np.broadcast_to(mask, (N, L)).reshape(N, H // size, W // size)
    for y, x in np.ndindex(H, W):
        painted = masks[:, y // size, x // size]
        assert (actual[painted, y, x] == colour).all()
        assert actual[~painted, y, x].tobytes() == images[~painted, y, x].tobytes()
