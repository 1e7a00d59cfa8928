"""Tiles of a grid and their order: the puzzle of jigsaw pretraining."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays, _places


def sample_tile_offsets(
    n: int,
    image_shape: tuple[int, ...],
    grid: int | tuple[int, int],
    tile_size: int,
    *,
    rng: np.random.Generator | int,
    region: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Draw where in its cell each tile is cut: the jitter of jigsaw pretraining.

    As `sample_blocks`, for a grid and tile_size as `split_tiles` takes them. Without
    the jitter, edges that run on across the border of two tiles give their
    neighbourhood away; the authors cut tiles of 64 px from cells of 75 px.

    Parameters
    ----------
    region : (H, W) mask, optional
        Each tile lies wholly where the mask is not 0; refused if a cell holds none.

    Returns
    -------
    offsets : (n, L, 2) int64 array
        Rows (dy, dx) in pixels from the top left corner of the cell, for the
        L = rows * columns cells in reading order; independent, uniform over all
        places in the cell, 0 and cell - tile_size included.
    """
    H, W = _arrays.sides(image_shape)
    rows, cols = _arrays.divided(grid, H, W)
    n = _arrays.count(n, 2 * rows * cols)
    h, w = H // rows, W // cols
    size = _tile_size(tile_size, h, w)
    inside = _places.integral(_arrays.regions(region, 1, H, W)[0])
    free = _places.free_corners(inside, (size, size))

    # the k-th free place of each cell, in reading order
    chances = _checks.generator(rng).random((n, rows * cols))
    offsets = np.empty((n, rows * cols, 2), np.int64)
    for cell, (row, col) in enumerate(np.ndindex(rows, cols)):
        top, left = row * h, col * w
        places = np.argwhere(free[top : top + h - size + 1, left : left + w - size + 1])
        if len(places) == 0:
            rule = f"hold a tile of {size} x {size} in each cell"
            found = f"none in row {row}, column {col} of the grid"
            raise _checks.refusal("region", rule, found)
        offsets[:, cell] = places[_places.pick(chances[:, cell], len(places))]
    return offsets


def split_tiles(
    images: ArrayLike,
    grid: int | tuple[int, int],
    *,
    tile_size: int | None = None,
    offsets: ArrayLike | None = None,
) -> NDArray:
    """Cut images into the tiles of a grid.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch, H and W multiples of the grid.
    grid : int or (int, int)
        Rows and columns of cells; 3 is (3, 3).
    tile_size : int, optional
        Side of square tiles in pixels, at most that of a cell. By default a tile
        is the whole cell.
    offsets : (L, 2) or (N, L, 2) int array, optional
        Where in its cell each tile begins, as `sample_tile_offsets` draws it; with
        tile_size alone, tiles lie in the middle of their cells.

    Returns
    -------
    tiles : (N, L, h, w, C) or (N, L, h, w) array, the dtype of images
        A new C-contiguous array, the L = rows * columns tiles in reading order.

    Raises
    ------
    ValueError
        If shapes do not fit, a tile leaves its cell, or offsets come without its size.

    Notes
    -----
    `join_tiles` undoes it, bit for bit, when tiles are whole cells. Noroozi and Favaro
    2016, "Unsupervised learning of visual representations by solving jigsaw puzzles".

    Examples
    --------
    >>> split_tiles(np.arange(16).reshape(1, 4, 4), 2)[0, 1]
    array([[2, 3],
           [6, 7]])
    """
    images = _arrays.batch(images)
    N, H, W = images.shape[:3]
    rows, cols = _arrays.divided(grid, H, W)
    L = rows * cols
    if tile_size is None:
        if offsets is not None:
            raise ValueError("offsets must come with a tile_size, found None")
        tiles = cells(images, rows, cols)
        return tiles.copy().reshape(N, L, *tiles.shape[3:])
    h, w = H // rows, W // cols
    size = _tile_size(tile_size, h, w)
    if offsets is None:
        offsets = np.tile([(h - size) // 2, (w - size) // 2], (L, 1))
    offsets = _arrays.integers("offsets", offsets, (L, 2), (N, L, 2))
    bad = ((offsets < 0) | (offsets > (h - size, w - size))).any(axis=-1)
    _arrays.refuse("offsets", f"lie in 0..{h - size}, 0..{w - size}", offsets, bad)
    offsets = np.broadcast_to(offsets.astype(np.int64), (N, L, 2))
    tiles = np.empty((N, L, size, size, *images.shape[3:]), images.dtype)
    for n, cell in np.ndindex(N, L):
        y, x = offsets[n, cell] + (cell // cols * h, cell % cols * w)
        tiles[n, cell] = images[n, y : y + size, x : x + size]
    return tiles


def join_tiles(tiles: ArrayLike, grid: int | tuple[int, int]) -> NDArray:
    """Lay the tiles of a grid side by side: the inverse of `split_tiles`.

    As `split_tiles`, but gaps between tiles smaller than their cells are gone: the
    images are (N, rows * h, columns * w, C), or (N, rows * h, columns * w).

    Parameters
    ----------
    tiles : (N, L, h, w, C) or (N, L, h, w) array of numbers
        The L = rows * columns tiles of each image in reading order.
    """
    tiles = _checks.array("tiles", tiles, kinds="biufc")
    _arrays.ranked("tiles", tiles, (4, 5), "(N, L, h, w) or (N, L, h, w, C)")
    rows, cols = _arrays.divided(grid)
    N, L, h, w = tiles.shape[:4]
    if rows * cols != L:
        raise ValueError(f"grid must have {L} cells as tiles, found {rows} x {cols}")
    images = np.empty((N, rows * h, cols * w, *tiles.shape[4:]), tiles.dtype)
    target = cells(images, rows, cols)
    target[...] = tiles.reshape(target.shape)
    return images


def cells(images, rows, cols):
    """Return a view (N, rows, columns, h, w, ...) of the cells of a grid."""
    N, H, W = images.shape[:3]
    shape = (N, rows, H // rows, cols, W // cols, *images.shape[3:])
    return np.swapaxes(images.reshape(shape), 2, 3)


def _tile_size(tile_size, h, w):
    size = _checks.integer("tile_size", tile_size, least=1)
    if size > min(h, w):
        raise _checks.refusal("tile_size", f"fit into a cell of {h} x {w} pixels", size)
    return size
