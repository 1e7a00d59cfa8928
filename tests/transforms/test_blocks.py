"""Blocks: inside the image and the region, of the asked size, painted exactly."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import batches, discs, seeds

from tinyssl.transforms import mask_blocks, sample_blocks


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), seeds)
def test_blocks_lie_in_the_image(H, W, num_blocks, seed):
    blocks = sample_blocks(3, (H, W, 3), rng=seed, num_blocks=num_blocks)
    assert blocks.shape == (3, num_blocks, 4)
    assert blocks.dtype == np.int64
    corners, sizes = blocks[..., :2], blocks[..., 2:]
    assert (corners >= 0).all()
    assert (sizes >= 1).all()
    assert (corners + sizes <= [H, W]).all()


def test_areas_and_aspects_are_as_asked():
    blocks = sample_blocks(4000, (1000, 800), rng=0, area=(0.1, 0.2), aspect=(0.5, 2))
    h, w = blocks[:, 0, 2:].T
    areas, aspects = h * w / 800_000, h / w
    assert 0.0995 < areas.min() < 0.101 < 0.199 < areas.max() < 0.2005
    assert 0.498 < aspects.min() < 0.51 < 1.95 < aspects.max() < 2.008
    # uniform, and log-uniform
    uniform = scipy.stats.kstest(areas, "uniform", args=(0.1, 0.1))
    assert uniform.pvalue > 1e-3
    logs = scipy.stats.kstest(np.log(aspects), "uniform", args=(-np.log(2), np.log(4)))
    assert logs.pvalue > 1e-3


@given(discs(), seeds, st.booleans())
def test_a_region_holds_each_block(disc, seed, each):
    region = np.stack([disc, np.ones_like(disc), disc[::-1]]) if each else disc
    blocks = sample_blocks(
        3, disc.shape, rng=seed, region=region, num_blocks=2, area=(0.05, 0.5)
    )
    for mask, rows in zip(np.broadcast_to(region, (3, *disc.shape)), blocks, strict=1):
        for y, x, h, w in rows:
            assert mask[y : y + h, x : x + w].all()


TRIANGLE = np.tri(8, 8, 2)


@pytest.mark.parametrize("region", [None, np.ones((8, 8)), TRIANGLE])
def test_places_are_uniform(region):
    # 3 x 3 of 8 x 8 pixels, whatever is drawn
    blocks = sample_blocks(
        4000, (8, 8), rng=0, region=region, area=(9 / 64, 9 / 64), aspect=(1, 1)
    )[:, 0]
    np.testing.assert_array_equal(blocks[:, 2:], np.full((4000, 2), 3))
    whole = np.ones((8, 8)) if region is None else region
    places = [p for p in np.ndindex(6, 6) if whole[p[0] :, p[1] :][:3, :3].all()]
    counts = [(blocks[:, :2] == p).all(axis=1).sum() for p in places]
    assert sum(counts) == 4000
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_a_region_of_ones_is_no_region():
    options = {"rng": 0, "area": (0.1, 1), "aspect": (0.2, 5), "num_blocks": 20}
    expected = sample_blocks(5, (9, 14), **options)
    actual = sample_blocks(5, (9, 14), region=np.ones((9, 14)), **options)
    np.testing.assert_array_equal(actual, expected)


@given(batches(), seeds, st.booleans())
def test_blocks_are_painted_and_nothing_else(images, seed, shared):
    N, H, W, C = images.shape
    blocks = sample_blocks(N, (H, W), rng=seed, num_blocks=2)
    blocks = blocks[0] if shared else blocks
    before = images.copy()
    masked, hole = mask_blocks(images, blocks, fill=[1] * C)
    np.testing.assert_array_equal(images, before)
    assert masked.dtype == images.dtype
    assert not np.shares_memory(masked, images)
    row, col = np.mgrid[:H, :W]
    for n in range(N):
        expected = np.zeros((H, W), bool)
        for y, x, h, w in blocks if shared else blocks[n]:
            expected |= (y <= row) & (row < y + h) & (x <= col) & (col < x + w)
        np.testing.assert_array_equal(hole[n], expected)
    assert (masked[hole] == 1).all()
    assert masked[~hole].tobytes() == images[~hole].tobytes()


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        ((-1, (8, 8)), {}, ValueError, "n must be >= 0, found -1"),
        ((1, (8, 8)), {"num_blocks": 0}, ValueError, "num_blocks must be >= 1"),
        ((1, (8, 8)), {"area": (0.2, 0.1)}, ValueError, "low <= high <= 1, found"),
        ((1, (8, 8)), {"area": (0.2, 1.1)}, ValueError, r"found .0.2, 1.1."),
        ((1, (8, 8)), {"area": 0.2}, TypeError, "area must be two finite numbers > 0"),
        ((1, (8, 8)), {"area": (0, 1)}, ValueError, "two finite numbers > 0, found"),
        ((1, (8, 8)), {"aspect": (1, 2, 3)}, ValueError, "aspect must be two finite"),
        ((1, (8, 8)), {"aspect": (3, 2)}, ValueError, "with low <= high, found .3, 2."),
        (
            (1, (8, 8)),
            {"region": np.eye(8)},
            ValueError,
            "region must have 1 or more places .* of 2 x 2 pixels, .* found 0",
        ),
    ],
)
def test_refusals_of_sampling(args, options, error, message):
    with pytest.raises(error, match=message):
        sample_blocks(*args, rng=0, **options)


@pytest.mark.parametrize(
    ("blocks", "error", "message"),
    [
        ([[0, 0, 2.0, 2]], TypeError, "blocks must be integers, found dtype float64"),
        ([[0, 0, 2]], ValueError, r"blocks must be .T, 4. or .N, T, 4., found .1, 3."),
        ([0, 0, 2, 2], ValueError, r"found .4,."),
        (
            [[[0, 0, 2, 2]]] * 3,
            ValueError,
            r"one list for each of 2 images, found shape",
        ),
        ([[0, 0, 5, 2]], ValueError, r"inside 4 x 4, found .0, 0, 5, 2."),
        ([[3, 0, 2, 2]], ValueError, "inside 4 x 4"),
        ([[0, -1, 2, 2]], ValueError, "inside 4 x 4"),
        ([[0, 0, 2, 0]], ValueError, "inside 4 x 4"),
        ([[2**62, 0, 2**62, 2]], ValueError, "inside 4 x 4"),
    ],
)
def test_refusals_of_painting(blocks, error, message):
    with pytest.raises(error, match=message):
        mask_blocks(np.zeros((2, 4, 4)), blocks)
