"""Tiles: cut and joined bit for bit, offsets uniform in their cells."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from laws import assert_uniform, free, pure
from strategies import grids, seeds

from tinyssl.transforms import join_tiles, sample_tile_offsets, split_tiles


@example((np.array([[[0.0, -0.0], [np.nan, -np.inf]]]), (2, 2)))
@given(grids())
def test_tiles_are_cells_in_reading_order(batch):
    images, (rows, cols) = batch
    tiles = pure(split_tiles, images, (part for part in (rows, cols)))
    N, H, W = images.shape[:3]
    h, w = H // rows, W // cols
    assert tiles.shape == (N, rows * cols, h, w, *images.shape[3:])
    for i in range(rows * cols):
        top, left = i // cols * h, i % cols * w
        expected = images[:, top : top + h, left : left + w]
        np.testing.assert_array_equal(tiles[:, i], expected)
    # joined bit for bit
    assert pure(join_tiles, tiles, (rows, cols)).tobytes() == images.tobytes()


@given(grids(), seeds, st.data())
def test_smaller_tiles_lie_at_their_offsets(batch, seed, data):
    images, (rows, cols) = batch
    N, H, W = images.shape[:3]
    h, w = H // rows, W // cols
    size = data.draw(st.integers(1, min(h, w)))
    offsets = sample_tile_offsets(N, (H, W), (rows, cols), size, rng=seed)
    assert offsets.shape == (N, rows * cols, 2)
    assert ((offsets >= 0) & (offsets <= [h - size, w - size])).all()
    tiles = pure(split_tiles, images, (rows, cols), tile_size=size, offsets=offsets)
    for n, i in np.ndindex(N, rows * cols):
        y, x = (i // cols * h, i % cols * w) + offsets[n, i]
        expected = images[n, y : y + size, x : x + size]
        np.testing.assert_array_equal(tiles[n, i], expected)


def test_one_list_of_offsets_and_none():
    images = np.random.default_rng(0).random((2, 10, 14, 3))
    corner = split_tiles(images, 2, tile_size=3, offsets=[[2, 4]] * 4)
    np.testing.assert_array_equal(corner[:, 3], images[:, 7:, 11:])
    middle = split_tiles(images, 2, tile_size=3)
    np.testing.assert_array_equal(middle[:, 3], images[:, 6:9, 9:12])


RING = np.ones((12, 15))
RING[4:8, 5:9] = 0


@pytest.mark.parametrize("region", [None, np.ones((12, 15)), RING])
def test_offsets_are_uniform_where_the_tile_fits(region):
    offsets = sample_tile_offsets(4000, (12, 15), (2, 3), 2, rng=0, region=region)
    cells = split_tiles(np.ones((1, 12, 15)) if region is None else [region], (2, 3))[0]
    for i, cell in enumerate(cells):
        assert_uniform(offsets[:, i], free(cell, (2, 2)))


def test_cells_are_drawn_independently():
    moves = sample_tile_offsets(4000, (12, 12), 2, 5, rng=0).reshape(4000, 8)
    assert np.abs(np.corrcoef(moves, rowvar=False) - np.eye(8)).max() < 0.07
