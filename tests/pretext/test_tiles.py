"""Tiles of images and volumes: where they lie, and their light without its slope."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.data.images import round_mask
from tinyssl.pretext.inputs import levelled
from tinyssl.pretext.tiles import cut_tiles, lay_tiles

SIDES = [(24, 24), (31, 40), (8, 14, 20)]


def places(n, *sides):
    """Return images or volumes whose channels are the place of each pixel."""
    return np.stack([np.stack(np.indices(sides, np.uint8), axis=-1)] * n)


@given(seeds, st.sampled_from(SIDES), st.sampled_from([0.5, 0.85, 1.0]))
def test_there_is_one_tile_of_each_cell_in_reading_order(seed, sides, share):
    grid = 5 - len(sides)
    tiles = cut_tiles(places(3, *sides), share, rng=np.random.default_rng(seed))
    cells = [side // grid for side in sides]
    expected = [int(share * side) for side in cells]
    expected = expected if grid == 2 else [min(expected)] * 2
    for image in tiles:
        order = itertools.product(range(grid), repeat=len(sides))
        for tile, cell in zip(image, order, strict=True):
            assert tile.shape == (*expected, len(sides))
            first = tile[(0,) * len(sides)]
            whole = np.stack(np.indices(expected), axis=-1) + first
            np.testing.assert_array_equal(tile, whole)
            assert (whole // cells == cell).all()


@pytest.mark.parametrize("sides", SIDES)
def test_a_tile_lies_anywhere_in_its_cell(sides):
    tiles = cut_tiles(places(300, *sides), 0.85, rng=np.random.default_rng(0))
    first = tiles[(slice(None), 0, *[0] * len(sides))]  # (300, dims), of the first cell
    room = [side // (5 - len(sides)) for side in sides] - np.array(tiles.shape[2:-1])
    assert first.min(0).tolist() == [0] * len(sides)
    assert first.max(0).tolist() == room.tolist()


@pytest.mark.parametrize("size", [32, 48, 96, 100])
def test_tiles_of_half_a_cell_fit_into_a_round_field(size):
    region, rng = round_mask(size), np.random.default_rng(0)
    tiles = cut_tiles(places(9, size, size), 0.5, rng=rng, region=region)
    y, x = np.moveaxis(tiles, -1, 0)
    assert region[y, x].all()
    with pytest.raises(ValueError, match=r"region must hold a tile .* in each cell"):
        cut_tiles(places(9, size, size), 0.85, rng=rng, region=region)


def test_tiles_are_laid_side_by_side_and_volumes_cut_through():
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3), np.uint8)
    tiles = cut_tiles(images, 1.0, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(lay_tiles(tiles), images)
    volumes = np.random.default_rng(0).integers(0, 256, (2, 8, 6, 10, 1), np.uint8)
    laid = lay_tiles(cut_tiles(volumes, 1.0, rng=np.random.default_rng(0)))
    np.testing.assert_array_equal(laid[:, :6], volumes[:, 2])
    np.testing.assert_array_equal(laid[:, 6:], volumes[:, 6])


@pytest.mark.parametrize("shape", [(2, 3, 7, 9), (2, 1, 4, 5, 6), (1, 1, 1, 8)])
def test_no_slope_of_the_light_is_left(shape):
    torch.manual_seed(0)
    images, *ramps = (
        torch.randn(shape),
        *torch.meshgrid(
            *(torch.arange(side, dtype=torch.float32) for side in shape[2:]),
            indexing="ij",
        ),
    )
    images = images - images.flatten(2).mean(2).view(*shape[:2], *[1] * len(ramps))
    level = levelled(images)
    for ramp in ramps:
        ramp = ramp - ramp.mean()
        assert (level * ramp).sum(tuple(range(2, len(shape)))).abs().max() < 1e-3
        torch.testing.assert_close(
            levelled(images + 5 * ramp), level, atol=1e-3, rtol=0
        )
    torch.testing.assert_close(levelled(level), level)
