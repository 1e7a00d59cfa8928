"""Tiles: cut and joined bit for bit, offsets uniform in their cells, refusals."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import grids, seeds

from tinyssl.transforms import join_tiles, sample_tile_offsets, split_tiles


@given(grids())
def test_tiles_are_cells_in_reading_order(batch):
    images, (rows, cols) = batch
    before = images.copy()
    tiles = split_tiles(images, (rows, cols))
    N, H, W = images.shape[:3]
    h, w = H // rows, W // cols
    assert tiles.shape == (N, rows * cols, h, w, *images.shape[3:])
    for i in range(rows * cols):
        top, left = i // cols * h, i % cols * w
        expected = images[:, top : top + h, left : left + w]
        np.testing.assert_array_equal(tiles[:, i], expected)
    np.testing.assert_array_equal(images, before)
    # joined bit for bit, in new memory
    joined = join_tiles(tiles, (rows, cols))
    for array in (tiles, joined):
        assert array.dtype == images.dtype
        assert array.flags.c_contiguous
        assert not np.shares_memory(array, images)
        assert not np.shares_memory(array, tiles) or array is tiles
    assert joined.tobytes() == images.tobytes()


def test_signs_and_payloads_of_floats_survive():
    images = np.array([[[0.0, -0.0], [np.nan, -np.inf]]])
    assert join_tiles(split_tiles(images, 2), 2).tobytes() == images.tobytes()


@given(grids(), seeds, st.data())
def test_smaller_tiles_lie_at_their_offsets(batch, seed, data):
    images, (rows, cols) = batch
    N, H, W = images.shape[:3]
    h, w = H // rows, W // cols
    size = data.draw(st.integers(1, min(h, w)))
    offsets = sample_tile_offsets(N, (H, W), (rows, cols), size, rng=seed)
    assert offsets.shape == (N, rows * cols, 2)
    assert ((offsets >= 0) & (offsets <= [h - size, w - size])).all()
    tiles = split_tiles(images, (rows, cols), tile_size=size, offsets=offsets)
    assert tiles.dtype == images.dtype
    for n, i in np.ndindex(N, rows * cols):
        y, x = (i // cols * h, i % cols * w) + offsets[n, i]
        expected = images[n, y : y + size, x : x + size]
        np.testing.assert_array_equal(tiles[n, i], expected)


def test_one_list_of_offsets_and_none():
    images = np.random.default_rng(0).random((2, 10, 10, 3))
    corner = split_tiles(images, 2, tile_size=3, offsets=[[2, 2]] * 4)
    np.testing.assert_array_equal(corner[:, 3], images[:, 7:, 7:])
    middle = split_tiles(images, 2, tile_size=3)
    np.testing.assert_array_equal(middle[:, 3], images[:, 6:9, 6:9])


RING = np.ones((12, 15))
RING[4:8, 5:9] = 0


@pytest.mark.parametrize("region", [None, np.ones((12, 15)), RING])
def test_offsets_are_uniform_where_the_tile_fits(region):
    h, w, size = 6, 5, 2
    offsets = sample_tile_offsets(4000, (12, 15), (2, 3), size, rng=0, region=region)
    inside = np.ones((12, 15)) if region is None else region
    for i in range(6):
        cell = inside[i // 3 * h :, i % 3 * w :]
        places = [
            (y, x)
            for y in range(h - size + 1)
            for x in range(w - size + 1)
            if cell[y : y + size, x : x + size].all()
        ]
        counts = [(offsets[:, i] == place).all(axis=1).sum() for place in places]
        assert sum(counts) == 4000
        assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_cells_are_drawn_independently():
    offsets = sample_tile_offsets(4000, (12, 12), 2, 5, rng=0)
    moves = offsets.reshape(4000, 8)
    table = np.corrcoef(moves, rowvar=False) - np.eye(8)
    assert np.abs(table).max() < 0.07
    assert moves.min(axis=0).tolist() == [0] * 8
    assert moves.max(axis=0).tolist() == [1] * 8


IMAGE = np.zeros((1, 6, 6))


@pytest.mark.parametrize(
    ("args", "options", "error", "message"),
    [
        ((IMAGE[0], 2), {}, ValueError, r"images must be .N, H, W. or .N, H, W, C."),
        (([[["a"]]], 1), {}, TypeError, "images must hold numbers"),
        ((IMAGE, 4), {}, ValueError, "grid must divide the image, found 4 x 4 for 6 x"),
        ((IMAGE, (2, 4)), {}, ValueError, "grid must divide .* 2 x 4"),
        ((IMAGE, (2, 3, 1)), {}, ValueError, r"grid must be a number or .rows, col"),
        ((IMAGE, 0), {}, ValueError, "grid must be >= 1, found 0"),
        ((IMAGE, 1.5), {}, TypeError, "grid must be an integer, found 1.5"),
        ((IMAGE, 2), {"offsets": [[0, 0]]}, ValueError, "offsets must come with a til"),
        ((IMAGE, 2), {"tile_size": 4}, ValueError, "cell of 3 x 3 pixels, found 4"),
        ((IMAGE, 2), {"tile_size": 0}, ValueError, "tile_size must be >= 1, found 0"),
    ],
)
def test_refusals_of_splitting(args, options, error, message):
    with pytest.raises(error, match=message):
        split_tiles(*args, **options)


@pytest.mark.parametrize(
    ("offsets", "error", "message"),
    [
        ([[0.0, 0]] * 4, TypeError, "offsets must be integers, found dtype float64"),
        ([[0, 0]] * 3, ValueError, r"have shape .4, 2. or .1, 4, 2., found .3, 2."),
        ([[0, 0]] * 3 + [[0, 2]], ValueError, r"in 0..1, 0..1, found .0, 2."),
        ([[0, -1]] + [[0, 0]] * 3, ValueError, r"found .0, -1."),
    ],
)
def test_refusals_of_offsets(offsets, error, message):
    with pytest.raises(error, match=message):
        split_tiles(IMAGE, 2, tile_size=2, offsets=offsets)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((np.zeros((1, 4, 2)), 2), r"tiles must be .N, L, h, w. or .N, L, h, w, C."),
        ((np.zeros((1, 5, 2, 2)), 2), "grid must have 5 cells as tiles, found 2 x 2"),
    ],
)
def test_refusals_of_joining(args, message):
    with pytest.raises(ValueError, match=message):
        join_tiles(*args)


@pytest.mark.parametrize(
    ("args", "region", "message"),
    [
        ((1, (6, 6), 2, 4), None, "tile_size must fit into a cell of 3 x 3"),
        ((1, (6, 7), 2, 2), None, "grid must divide the image, found 2 x 2 for 6 x 7"),
        ((1, (6, 0), 2, 2), None, "image_shape must be >= 1, found 0"),
        ((1, (6,), 2, 2), None, r"image_shape must be .H, W. or .H, W, C."),
        ((1, (6, 6), 2, 2), np.eye(6), "tile of 2 x 2 in each cell, found none in row"),
        ((0, (6, 6), 2, 2), np.tri(6), "found none in row 0, column 1 of the grid"),
        ((1, (6, 6), 2, 2), np.ones((6, 5)), "region must have shape .6, 6. or"),
    ],
)
def test_refusals_of_sampling(args, region, message):
    with pytest.raises(ValueError, match=message):
        sample_tile_offsets(*args, rng=0, region=region)


def test_the_image_shape_is_a_tuple():
    with pytest.raises(TypeError, match="image_shape must be a tuple, found 6"):
        sample_tile_offsets(1, 6, 2, 2, rng=0)
