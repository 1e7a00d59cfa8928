"""Tiles of a grid and their order: the puzzle of jigsaw pretraining."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _places


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

    Parameters
    ----------
    n : int, >= 0
        How many images.
    image_shape : tuple of int
        (H, W), or (H, W, C) whose channels are ignored; multiples of the grid.
    grid : int or (int, int)
        Rows and columns of cells; 3 is (3, 3).
    tile_size : int, >= 1
        Side of the square tiles in pixels, at most that of a cell.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    region : (H, W) mask, optional
        Each tile lies wholly where the mask is not 0 (a field of view, say).

    Returns
    -------
    offsets : (n, L, 2) int64 array
        Rows (dy, dx) in pixels from the top left corner of the cell, for the
        L = rows * columns cells in reading order; independent, uniform over all
        places in the cell, 0 and cell - tile_size included.

    Raises
    ------
    TypeError
        If n, image_shape, grid or tile_size are not integers.
    ValueError
        If a number is out of range, image_shape is no multiple of the grid, or
        region has another shape or holds no tile in some cell.

    Notes
    -----
    Without the jitter, edges that run on across the border of two tiles give their
    neighbourhood away. The draw of one image does not depend on n.

    References
    ----------
    Noroozi and Favaro 2016, "Unsupervised learning of visual representations by
    solving jigsaw puzzles" (64 px tiles in cells of 75 px).

    Examples
    --------
    >>> sample_tile_offsets(1, (225, 225), 3, 64, rng=0)[0, :2]
    array([[7, 7],
           [3, 2]])
    """
    n = _checks.integer("n", n)
    H, W = _places.sides(image_shape)
    rows, cols = _places.divided(grid, H, W)
    h, w = H // rows, W // cols
    size = _tile_size(tile_size, h, w)
    inside = np.ones((H, W), bool)
    if region is not None:
        inside = _places.regions(region, 1, H, W)[0]
    free = _places.free_corners(_places.integral(inside), size, size)

    # the k-th free place of each cell, in reading order
    chances = _checks.generator(rng).random((n, rows * cols))
    offsets = np.empty((n, rows * cols, 2), np.int64)
    for cell, (row, col) in enumerate(np.ndindex(rows, cols)):
        top, left = row * h, col * w
        places = np.argwhere(free[top : top + h - size + 1, left : left + w - size + 1])
        if len(places) == 0:
            raise ValueError(
                f"region must hold a tile of {size} x {size} in each cell, "
                f"found none in row {row}, column {col} of the grid"
            )
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
    TypeError
        If images do not hold numbers, or grid, tile_size or offsets no integers.
    ValueError
        If shapes do not fit, or a tile leaves its cell.

    Notes
    -----
    `join_tiles` undoes it, bit for bit, when tiles are whole cells.

    References
    ----------
    Noroozi and Favaro 2016, "Unsupervised learning of visual representations by
    solving jigsaw puzzles".

    Examples
    --------
    >>> split_tiles(np.arange(16).reshape(1, 4, 4), 2)[0, 1]
    array([[2, 3],
           [6, 7]])
    """
    images = _places.batch(images)
    N, H, W = images.shape[:3]
    rows, cols = _places.divided(grid, H, W)
    if tile_size is None:
        if offsets is not None:
            raise ValueError("offsets must come with a tile_size, found None")
        tiles = _places.cells(images, rows, cols)
        return tiles.copy().reshape(N, rows * cols, *tiles.shape[3:])
    h, w = H // rows, W // cols
    size = _tile_size(tile_size, h, w)
    if offsets is None:
        offsets = np.tile([(h - size) // 2, (w - size) // 2], (rows * cols, 1))
    offsets = _check_offsets(offsets, N, rows * cols, (h - size, w - size))
    tiles = np.empty((N, rows * cols, size, size, *images.shape[3:]), images.dtype)
    for n, cell in np.ndindex(N, rows * cols):
        y, x = offsets[n, cell] + (cell // cols * h, cell % cols * w)
        tiles[n, cell] = images[n, y : y + size, x : x + size]
    return tiles


def join_tiles(tiles: ArrayLike, grid: int | tuple[int, int]) -> NDArray:
    """Lay the tiles of a grid side by side: the inverse of `split_tiles`.

    Parameters
    ----------
    tiles : (N, L, h, w, C) or (N, L, h, w) array of numbers
        The L = rows * columns tiles of each image in reading order.
    grid : int or (int, int)
        Rows and columns; 3 is (3, 3).

    Returns
    -------
    images : (N, rows * h, columns * w, C) or (N, rows * h, columns * w) array
        A new C-contiguous array of the dtype of tiles.

    Raises
    ------
    TypeError
        If tiles do not hold numbers or grid no integers.
    ValueError
        If tiles have another number of axes, or are not as many as the grid's cells.

    Notes
    -----
    Tiles smaller than their cells are joined without the gaps between them.

    Examples
    --------
    >>> images = np.arange(16).reshape(1, 4, 4)
    >>> (join_tiles(split_tiles(images, 2), 2) == images).all()
    np.True_
    """
    tiles = _checks.array("tiles", tiles, kinds="biufc")
    if tiles.ndim not in (4, 5):
        raise ValueError(
            f"tiles must be (N, L, h, w) or (N, L, h, w, C), found shape {tiles.shape}"
        )
    rows, cols = _places.pair("grid", grid)
    N, L, h, w = tiles.shape[:4]
    if rows * cols != L:
        raise ValueError(f"grid must have {L} cells as tiles, found {rows} x {cols}")
    images = np.empty((N, rows * h, cols * w, *tiles.shape[4:]), tiles.dtype)
    cells = _places.cells(images, rows, cols)
    cells[...] = tiles.reshape(cells.shape)
    return images


def _tile_size(tile_size, h, w):
    """Return the side of a tile that fits into a cell."""
    size = _checks.integer("tile_size", tile_size, least=1)
    if size > min(h, w):
        raise ValueError(
            f"tile_size must fit into a cell of {h} x {w} pixels, found {size}"
        )
    return size


def _check_offsets(offsets, N, L, limit):
    """Return (N, L, 2) offsets that keep each tile in its cell."""
    offsets = _checks.array("offsets", offsets)
    if offsets.dtype.kind not in "iu":
        raise TypeError(f"offsets must be integers, found dtype {offsets.dtype}")
    if offsets.shape not in ((L, 2), (N, L, 2)):
        raise ValueError(
            f"offsets must have shape ({L}, 2) or ({N}, {L}, 2), found {offsets.shape}"
        )
    bad = (offsets < 0) | (offsets > limit)
    if bad.any():
        found = offsets[bad.any(axis=-1)][0].tolist()
        raise ValueError(
            f"offsets must lie in 0..{limit[0]}, 0..{limit[1]}, found {found}"
        )
    return np.broadcast_to(offsets.astype(np.int64), (N, L, 2))
