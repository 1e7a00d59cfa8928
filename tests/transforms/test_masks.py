"""Patches and masks: exact inverses, exact counts, uniform choices, refusals."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import discs, grids, seeds

from tinyssl import reference
from tinyssl.transforms import mask_patches, patchify, sample_mask, unpatchify


def square_patches(batch):
    """Return images of square patches, and the patch size."""
    images, (rows, cols) = batch
    size = min(images.shape[1] // rows, images.shape[2] // cols)
    return images[:, : rows * size, : cols * size], size


@given(grids())
def test_patches_are_rows_of_pixels_and_back(batch):
    images, size = square_patches(batch)
    N, H, W = images.shape[:3]
    before = images.copy()
    patches = patchify(images, size)
    np.testing.assert_array_equal(images, before)
    expected = reference.patchify(images.reshape(N, H, W, -1), size) if N else patches
    np.testing.assert_array_equal(patches, expected)
    back = unpatchify(patches, size, images.shape[1:])
    assert back.tobytes() == images.tobytes()
    for array in (patches, back):
        assert array.dtype == images.dtype
        assert array.flags.c_contiguous
        assert not np.shares_memory(array, images)
        assert array is patches or not np.shares_memory(array, patches)


def test_the_order_inside_a_patch():
    images = np.arange(2 * 4 * 3).reshape(1, 2, 4, 3)
    expected = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]
    np.testing.assert_array_equal(patchify(images, 2)[0, 0], expected)


@given(
    st.integers(0, 5),
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(0, 99),
    st.integers(1, 4),
    seeds,
)
def test_counts_are_exact(n, rows, cols, percent, size, seed):
    keep = rows * cols * (100 - percent) // 100
    args = n, (rows * size, cols * size, 3), size
    ratio = percent / 100
    if keep == 0:
        with pytest.raises(ValueError, match="leave at least one patch, found"):
            sample_mask(*args, rng=seed, mask_ratio=ratio)
        return
    mask = sample_mask(*args, rng=seed, mask_ratio=ratio)
    assert mask.shape == (n, rows * cols)
    assert mask.dtype == np.bool_
    assert ((~mask).sum(axis=1) == keep).all()


@pytest.mark.parametrize(
    ("shape", "ratio", "keep"),
    [((14, 14), 0.75, 49), ((2, 5), 0.9, 1), ((2, 5), 0.7, 3), ((3, 3), 0.5, 4)],
)
def test_as_many_are_kept_as_arithmetic_says(shape, ratio, keep):
    mask = sample_mask(3, shape, 1, rng=0, mask_ratio=ratio)
    np.testing.assert_array_equal((~mask).sum(axis=1), [keep] * 3)


@given(discs(), st.integers(1, 4), seeds, st.booleans())
def test_patches_outside_the_region_are_out_of_the_budget(disc, size, seed, each):
    H, W = (side // size * size for side in disc.shape)
    disc = disc[:H, :W]
    region = np.stack([disc, np.ones_like(disc), disc[::-1]]) if each else disc
    mask = sample_mask(3, (H, W), size, rng=seed, mask_ratio=0.5, region=region)
    inside = patchify(np.broadcast_to(region, (3, H, W)), size).any(axis=-1)
    assert not (mask & ~inside).any()
    kept = (inside & ~mask).sum(axis=1)
    np.testing.assert_array_equal(kept, inside.sum(axis=1) // 2)


@pytest.mark.parametrize("region", [None, [[1, 1, 0], [0, 1, 1], [1, 0, 1]]])
def test_all_choices_are_equally_likely(region):
    mask = sample_mask(4500, (3, 3), 1, rng=0, mask_ratio=0.5, region=region)
    inside = np.ones(9, bool) if region is None else np.ravel(region) > 0
    L = int(inside.sum())
    seen = [tuple(np.flatnonzero(inside & ~row)) for row in mask]
    choices = [*itertools.combinations(np.flatnonzero(inside), L // 2)]
    assert len(choices) == math.comb(L, L // 2)
    counts = [seen.count(choice) for choice in choices]
    assert sum(counts) == 4500
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


@given(grids(), seeds, st.booleans())
def test_masked_patches_are_painted_and_no_others(batch, seed, shared):
    images, size = square_patches(batch)
    N, H, W = images.shape[:3]
    rng = np.random.default_rng(seed)
    L = H * W // size**2
    mask = rng.random(L if shared else (N, L)) < 0.5
    colour = rng.integers(0, 2, images.shape[3:]).astype(images.dtype)
    before = images.copy()
    actual = mask_patches(images, mask, size, fill=colour.real)
    np.testing.assert_array_equal(images, before)
    assert actual.dtype == images.dtype
    assert not np.shares_memory(actual, images)
    masks = np.broadcast_to(mask, (N, L)).reshape(N, H // size, W // size)
    for y, x in np.ndindex(H, W):
        painted = masks[:, y // size, x // size]
        assert (actual[painted, y, x] == colour).all()
        kept = actual[~painted, y, x].tobytes()
        assert kept == images[~painted, y, x].tobytes()


IMAGE = np.zeros((1, 4, 6), np.uint8)


@pytest.mark.parametrize(
    ("function", "args", "error", "message"),
    [
        (patchify, (IMAGE, 3), ValueError, "must divide the image, found 3 for 4 x 6"),
        (patchify, (IMAGE, 0), ValueError, "patch_size must be >= 1, found 0"),
        (patchify, (IMAGE, 2.0), TypeError, "patch_size must be an integer"),
        (patchify, (IMAGE[0], 2), ValueError, r"images must be .N, H, W. or"),
        (patchify, (IMAGE[:, :0], 2), ValueError, "must divide .* 2 for 0 x 6"),
        (unpatchify, (IMAGE, 2, (4, 6)), ValueError, r"must be .N, 6, 4. .* .1, 4, 6."),
        (unpatchify, (IMAGE[0], 2, (4, 6)), ValueError, r"patches must be .N, 6, 4."),
        (unpatchify, (IMAGE, 2, (4, 6, 3)), ValueError, r"patches must be .N, 6, 12."),
        (unpatchify, (IMAGE, 2, (4,)), ValueError, "image_shape must be"),
        (mask_patches, (IMAGE, np.ones(6), 2), TypeError, "mask must hold bools"),
        (mask_patches, (IMAGE, [True] * 5, 2), ValueError, r"mask must have shape .6,"),
    ],
)
def test_refusals(function, args, error, message):
    with pytest.raises(error, match=message):
        function(*args)


@pytest.mark.parametrize(
    ("dtype", "fill", "error", "message"),
    [
        (np.uint8, 256, ValueError, "fill must be finite and fit dtype uint8, found"),
        (np.uint8, 0.5, ValueError, "fit dtype uint8, found 0.5"),
        (np.uint8, np.nan, ValueError, "fit dtype uint8, found nan"),
        (np.float16, 1e6, ValueError, "fit dtype float16, found 1000000.0"),
        (np.float32, np.inf, ValueError, "must be finite and fit"),
        (np.uint8, [1, 2, 3], ValueError, "a number or one for each channel"),
        (np.uint8, "red", TypeError, "fill must hold numbers"),
    ],
)
def test_refusals_of_colours(dtype, fill, error, message):
    with pytest.raises(error, match=message):
        mask_patches(IMAGE.astype(dtype), [True] * 6, 2, fill=fill)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mask_ratio": 1}, ValueError, "mask_ratio must be < 1, found 1.0"),
        ({"mask_ratio": -0.5}, ValueError, "mask_ratio must be finite and >= 0"),
        ({"mask_ratio": "x"}, TypeError, "mask_ratio must be a number, found 'x'"),
        ({"mask_ratio": 0.9}, ValueError, "one patch, found 0.9 of 9 patches"),
        ({"region": np.zeros((6, 6))}, ValueError, "found 0.75 of 0 patches"),
        ({"region": np.ones((3, 6))}, ValueError, r"region must have shape .6, 6. or"),
        ({"region": np.ones((3, 6, 6))}, ValueError, r"or .2, 6, 6. .* found .3, 6, 6"),
    ],
)
def test_refusals_of_sampling(options, error, message):
    with pytest.raises(error, match=message):
        sample_mask(2, (6, 6), 2, rng=0, **options)
