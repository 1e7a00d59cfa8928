"""Where patches are drawn: they fit, are disjoint and uniform, and no loop can hang."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.transforms import sample_swaps


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


def covered(region, corner, size):
    """Return whether a patch lies wholly inside the region."""
    return region[tuple(slice(start, start + size) for start in corner)].all()


def free(region, size):
    """Return all corners of patches that lie wholly inside the region."""
    corners = np.ndindex(*(side - size + 1 for side in region.shape))
    return [corner for corner in corners if covered(region, corner, size)]


def distances(corners1, corners2):
    """Return how far patches are apart, along the axis that parts them most."""
    return np.abs(np.subtract(corners1, corners2)).max(axis=-1)


@given(geometries(), seeds, st.integers(0, 6))
def test_patches_fit_and_are_disjoint(geometry, seed, num_swaps):
    shape, size = geometry
    swaps = draw_swaps(shape, size, num_swaps, rng=seed)
    assert swaps.shape == (num_swaps, 2 * len(shape))
    assert swaps.dtype == np.int64
    assert (swaps >= 0).all()
    assert (swaps <= [side - size for side in shape] * 2).all()
    assert (distances(*np.split(swaps, 2, axis=1)) >= size).all()
    colour = sample_swaps(
        (*shape, 3), size, num_swaps, rng=seed, spatial_dims=len(shape)
    )
    np.testing.assert_array_equal(colour, swaps)


@given(geometries(), seeds, st.integers(0, 6), st.integers(0, 6))
def test_a_draw_depends_on_the_seed_not_on_the_batch(geometry, seed, T1, T2):
    expected = draw_swaps(*geometry, T1 + T2, rng=seed)
    rng = np.random.default_rng(seed)
    parts = [draw_swaps(*geometry, T, rng=rng) for T in (T1, T2)]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@given(geometries(), seeds)
def test_a_region_holds_both_patches_or_is_refused(geometry, seed):
    shape, size = geometry
    region = np.random.default_rng(seed).random(shape) < 0.9
    try:
        swaps = draw_swaps(shape, size, 6, rng=seed, region=region)
    except ValueError:
        places = np.array(free(region, size)).reshape(-1, len(shape))
        assert not (distances(places[:, None], places) >= size).any()
    else:
        patches = swaps.reshape(-1, len(shape))
        assert all(covered(region, corner, size) for corner in patches)
        assert (distances(*np.split(swaps, 2, axis=1)) >= size).all()


HOLED = np.ones((5, 6, 6))
HOLED[2, 2:4, 3] = HOLED[0, 0, 0] = 0


@pytest.mark.parametrize(
    ("size", "region"),
    [(3, np.ones((9, 8))), (3, np.tri(9, 8)), (2, np.ones((4, 5, 5))), (2, HOLED)],
)
def test_places_are_uniform(size, region):
    num_swaps = 4000
    mask = None if region.all() else region
    swaps = draw_swaps(region.shape, size, num_swaps, rng=0, region=mask)
    first, second = np.split(swaps, 2, axis=1)
    places = np.array(free(region, size))
    apart = distances(places[:, None], places) >= size
    starts = apart.any(axis=1)
    # the first patch: any place that has a partner; the second: any of its partners
    chance1 = starts / starts.sum()
    chance2 = chance1 @ (apart / np.maximum(apart.sum(axis=1, keepdims=True), 1))
    for corners, chance in ((first, chance1), (second, chance2)):
        actual = (corners[:, None] == places).all(axis=-1).sum(axis=0)
        assert actual.sum() == num_swaps
        assert not actual[chance == 0].any()
        actual, expected = actual[chance > 0], num_swaps * chance[chance > 0]
        assert scipy.stats.chisquare(actual, expected).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(20, 18), (9, 8, 7)])
def test_the_last_rows_and_columns_are_drawn(shape):
    swaps = draw_swaps(shape, 3, 3000, rng=0)
    for corner in np.split(swaps, 2, axis=1):
        np.testing.assert_array_equal(corner.min(axis=0), 0)
        np.testing.assert_array_equal(corner.max(axis=0), np.array(shape) - 3)


def test_a_region_of_any_kind_is_a_mask():
    region = np.tri(9, 8)
    expected = sample_swaps((9, 8), 2, 5, rng=0, region=region)
    for form in (region.tolist(), 255 * region.astype(np.uint8), region > 0):
        actual = sample_swaps((9, 8), 2, 5, rng=0, region=form)
        np.testing.assert_array_equal(actual, expected)


CUBE = {"spatial_dims": 3}


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        (((8, 8), 8, 1), {}, ValueError, "room for two disjoint .* the image, found 8"),
        (((8, 8), 5, 1), {}, ValueError, "room for two disjoint .* of 8 x 8"),
        (((8, 8), 5, 0), {}, ValueError, "room for two disjoint patches"),
        (((8, 9, 8), 5, 1), CUBE, ValueError, "room for two disjoint .* of 8 x 9 x 8"),
        (((8, 8), 9, 1), {}, ValueError, "patch_size must fit .* found 9 for 8 x 8"),
        (((2, 8, 8), 3, 1), CUBE, ValueError, "must fit .* found 3 for 2 x 8 x 8"),
        (((8, 8), 0, 1), {}, ValueError, "patch_size must be >= 1, found 0"),
        (((8, 8), -2, 1), {}, ValueError, "patch_size must be >= 1, found -2"),
        (((8, 8), 2.0, 1), {}, TypeError, "patch_size must be an integer, found 2.0"),
        (((8, 8), 2, -1), {}, ValueError, "num_swaps must be >= 0, found -1"),
        (((8, 8), 2, True), {}, TypeError, "num_swaps must be an integer, found True"),
        (((8, 0), 2, 1), {}, ValueError, "image_shape must be >= 1, found 0"),
        (
            ((8,), 2, 1),
            {},
            ValueError,
            r"be \(H, W\) or \(H, W, C\) with spatial_dims=2",
        ),
        (
            ((8,) * 4, 2, 1),
            {},
            ValueError,
            r"with spatial_dims=2, found \(8, 8, 8, 8\)",
        ),
        (((8, 8), 2, 1), CUBE, ValueError, r"be \(D, H, W\) or \(D, H, W, C\) with"),
        ((8, 2, 1), {}, TypeError, "image_shape must be a tuple, found 8"),
        (((8, 8.5), 2, 1), {}, TypeError, "image_shape must be an integer, found 8.5"),
        (
            ((8, 8), 2, 1),
            {"spatial_dims": 4},
            ValueError,
            "spatial_dims must be one of",
        ),
        (
            ((8, 8), 2, 1),
            {"spatial_dims": 2.0},
            TypeError,
            "spatial_dims must be an int",
        ),
        (((8, 8), 2, 1), {"region": np.ones((8, 7))}, ValueError, "region must have"),
        (((8, 8), 2, 1), {"region": np.eye(8)}, ValueError, "inside region, found 2"),
        (((8, 8), 2, 1), {"region": np.zeros((8, 8))}, ValueError, "inside region"),
        (((8, 8), 2, 1), {"rng": "seed"}, TypeError, "rng must be a numpy.random.Gen"),
        (((8, 8), 2, 1), {"rng": -1}, ValueError, "rng must be >= 0, found -1"),
    ],
)
def test_refusals(args, options, error, message):
    with pytest.raises(error, match=message):
        sample_swaps(*args, **({"rng": 0} | options))
