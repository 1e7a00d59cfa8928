"""Tiles of images and volumes: one out of each cell, and laid side by side."""

import numpy as np

from tinyssl.transforms import join_tiles, sample_tile_offsets, split_tiles


def cut_tiles(images, share, *, rng, region=None):
    """Cut a tile with this share of its side out of each cell, anywhere in the cell.

    Images have 3 x 3 cells and square tiles, (N, 9, s, s, C), in the (H, W) region if
    there is one; volumes (N, D, H, W, C) have 2 x 2 x 2 cells: (N, 8, d, h, w, C).
    """
    N, *sides, C = images.shape
    grid = 5 - len(sides)
    cells = np.array(sides) // grid
    size = (share * cells).astype(int).clip(1)
    if len(sides) == 2:
        H, W = grid * cells
        how = {"grid": grid, "tile_size": min(size)}
        within = {"region": None if region is None else region[:H, :W]}
        offsets = sample_tile_offsets(N, (H, W), **how, **within, rng=rng)
        return split_tiles(images[:, :H, :W], **how, offsets=offsets)
    corners = rng.integers(cells - size + 1, size=(N, 8, 3))
    corners += cells * np.argwhere(np.ones((2, 2, 2)))
    places = enumerate(corners.reshape(-1, 3))
    tiles = [images[(i // 8, *map(slice, at, at + size))] for i, at in places]
    return np.reshape(tiles, (N, 8, *size, C))


def lay_tiles(tiles):
    """Lay tiles side by side; of volumes the middle of each, front half above back."""
    if tiles.ndim == 6:
        return join_tiles(tiles[:, :, tiles.shape[2] // 2], (4, 2))
    return join_tiles(tiles, 3)
