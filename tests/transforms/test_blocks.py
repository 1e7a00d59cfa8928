"""Blocks: inside the image and the region, of the asked size, painted exactly."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from laws import assert_uniform, covered, free, pure
from strategies import batches, discs, seeds

from tinyssl.transforms import mask_blocks, sample_blocks


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), seeds)
def test_blocks_lie_in_the_image(H, W, num_blocks, seed):
    blocks = sample_blocks(3, (H, W, 3), rng=seed, num_blocks=num_blocks)
    assert (blocks.shape, blocks.dtype) == ((3, num_blocks, 4), np.int64)
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
    for values, law in (areas, (0.1, 0.1)), (np.log(aspects), (-np.log(2), np.log(4))):
        assert scipy.stats.kstest(values, "uniform", args=law).pvalue > 1e-3


@given(discs(), seeds, st.booleans())
def test_a_region_holds_each_block(disc, seed, each):
    half = disc & (np.arange(disc.shape[1]) < disc.shape[1] // 2)
    region = np.stack([disc, np.ones_like(disc), half]) if each else disc
    options = {"region": region, "num_blocks": 2, "area": (0.05, 0.5)}
    blocks = sample_blocks(3, disc.shape, rng=seed, **options)
    for mask, rows in zip(np.broadcast_to(region, (3, *disc.shape)), blocks, strict=1):
        assert all(covered(mask, row[:2], row[2:]) for row in rows)


@pytest.mark.parametrize("region", [None, np.ones((8, 8)), np.tri(8, 8, 2)])
def test_places_are_uniform(region):
    # 3 x 3 of 8 x 8 pixels, whatever is drawn
    options = {"region": region, "area": (9 / 64, 9 / 64), "aspect": (1, 1)}
    blocks = sample_blocks(4000, (8, 8), rng=0, **options)[:, 0]
    np.testing.assert_array_equal(blocks[:, 2:], np.full((4000, 2), 3))
    places = free(np.ones((8, 8)) if region is None else region, (3, 3))
    assert_uniform(blocks[:, :2], places)


@given(batches(), seeds, st.booleans())
def test_blocks_are_painted_and_nothing_else(images, seed, shared):
    N, H, W, C = images.shape
    blocks = sample_blocks(N, (H, W), rng=seed, num_blocks=2)
    blocks = blocks[0] if shared else blocks
    masked, hole = pure(mask_blocks, images, blocks, fill=[1] * C)
    row, col = np.mgrid[:H, :W]
    for n in range(N):
        expected = np.zeros((H, W), bool)
        for y, x, h, w in blocks if shared else blocks[n]:
            expected |= (y <= row) & (row < y + h) & (x <= col) & (col < x + w)
        np.testing.assert_array_equal(hole[n], expected)
    assert (masked[hole] == 1).all()
    assert masked[~hole].tobytes() == images[~hole].tobytes()
