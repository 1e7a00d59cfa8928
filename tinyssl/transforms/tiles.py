"""Tiles of a grid and their order: the puzzle of jigsaw pretraining."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays, _places

ALL_UP_TO = 9  # tiles: all 9! = 362,880 permutations are looked through
CANDIDATES = 2**17
LARGEST_SET = 10_000


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
    it, edges across a border give two tiles away; the authors cut 64 px from 75 px.

    Parameters
    ----------
    region : (H, W) mask, optional
        Each tile lies wholly where the mask is not 0; refused if a cell holds none.

    Returns
    -------
    offsets : (n, L, 2) int64 array
        Rows (dy, dx) in pixels from the top left corner of the cell, for the cells in
        reading order; independent, uniform over all places, the last one included.
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
    images : (N, H, W, C) or (N, H, W) array of numbers, H and W multiples of the grid
    grid : int or (int, int); rows and columns of cells, 3 is (3, 3)
    tile_size : int, optional
        Side of square tiles in pixels, at most a cell's; by default the whole cell.
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


def permutation_set(
    num_tiles: int, size: int, *, rng: np.random.Generator | int = 0
) -> NDArray[np.int64]:
    """Return permutations that differ from one another in as many places as possible.

    Greedy: the next one is farthest from the nearest of those chosen (Hamming
    distance), then farthest on average, then drawn. Up to 9 tiles it is the best of
    all num_tiles!, beyond that of 131,072 drawn ones. 100 permutations of 9 tiles have
    least distance 6 and mean distance 8.08; chance is then ln 100 = 4.605. To choose by
    the mean alone lets two differ by one exchange. For the source see `split_tiles`.

    Parameters
    ----------
    num_tiles : int, 1..255; how many tiles a permutation orders
    size : int, 1..10000, at most num_tiles!; the classes of jigsaw pretraining
    rng : numpy.random.Generator or int, default 0
        Keep one set: classes drawn anew for each run mean nothing to an old head.

    Returns
    -------
    permutations : (size, num_tiles) int64 array
        Distinct rows, each a permutation of 0..num_tiles-1.

    >>> permutation_set(3, 3)
    array([[0, 1, 2],
           [1, 2, 0],
           [2, 0, 1]])
    """
    num_tiles = _checks.integer("num_tiles", num_tiles, least=1, most=255)
    size = _checks.integer("size", size, least=1)
    most = min(math.factorial(num_tiles), LARGEST_SET)
    if size > most:
        rule = f"{num_tiles}! = {most}" if most < LARGEST_SET else LARGEST_SET
        raise ValueError(f"size must be <= {rule}, found {size}")
    rng = _checks.generator(rng)
    places = _candidates(num_tiles, rng)
    P = places.shape[1]
    nearest, total = np.full(P, 255, np.uint8), np.zeros(P, np.int32)
    chosen = [rng.integers(P)]
    while len(chosen) < size:
        # Hamming distance to the last one chosen
        distance = np.zeros_like(nearest)
        for place in places:
            distance += place != place[chosen[-1]]
        np.minimum(nearest, distance, out=nearest)
        total += distance
        # the largest minimum, then the largest mean, then chance
        best = np.flatnonzero(nearest == nearest.max())
        best = best[total[best] == total[best].max()]
        chosen.append(best[rng.integers(best.size)])
    return np.ascontiguousarray(places[:, chosen].T, dtype=np.int64)


def sample_permutations(
    n: int, permutations: ArrayLike, *, rng: np.random.Generator | int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a permutation of a set for each of n images.

    As `sample_turns`, but a network that knows nothing has a cross-entropy of ln P.

    Parameters
    ----------
    permutations : (P, L) int array
        The set, P >= 1, as `permutation_set` makes it; other rows are refused.

    Returns
    -------
    labels : (n,) int64 array, values in 0..P-1
        Independent and uniform: the classes to predict.
    orders : (n, L) int64 array; ``permutations[labels]``, for `permute_tiles`
    """
    permutations = _check_orders("permutations", permutations)
    if permutations.ndim != 2 or len(permutations) == 0:
        rule = "be (P, L) with P >= 1"
        raise _checks.refusal("permutations", rule, permutations.shape)
    n = _arrays.count(n, max(1, permutations.shape[1]))
    labels = _checks.generator(rng).integers(len(permutations), size=n)
    return labels, permutations[labels]


def permute_tiles(
    images: ArrayLike, grid: int | tuple[int, int], orders: ArrayLike
) -> NDArray:
    """Shuffle the cells of a grid in images: output tile i is input tile ``order[i]``.

    As `split_tiles` and `join_tiles` in one. ``numpy.argsort(orders, axis=-1)`` gives
    the images back, bit for bit.

    Parameters
    ----------
    orders : (L,) or (N, L) int array
        A permutation of 0..L-1 for all images or for each; nothing else is taken.

    >>> permute_tiles(np.arange(4).reshape(1, 2, 2), 2, [3, 0, 1, 2])
    array([[[3, 0],
            [1, 2]]])
    """
    images = _arrays.batch(images)
    N, H, W = images.shape[:3]
    rows, cols = _arrays.divided(grid, H, W)
    L = rows * cols
    orders = _check_orders("orders", orders)
    _arrays.shaped("orders", orders, (L,), (N, L))
    orders = np.broadcast_to(orders, (N, L))
    out = np.empty(images.shape, images.dtype)
    source, target = (cells(x, rows, cols) for x in (images, out))
    for n, i in np.ndindex(N, L):
        target[n, i // cols, i % cols] = source[n, *divmod(orders[n, i], cols)]
    return out


def cells(images, *grid):
    """Return a view (N, rows, columns, h, w, ...) of the cells of a grid."""
    dims, (N, *sides) = len(grid), images.shape
    split = np.ravel([(n, side // n) for n, side in zip(grid, sides, strict=False)])
    apart = images.reshape(N, *split, *sides[dims:])
    return np.moveaxis(apart, range(1, 2 * dims, 2), range(1, dims + 1))


def _tile_size(tile_size, h, w):
    size = _checks.integer("tile_size", tile_size, least=1)
    if size > min(h, w):
        raise _checks.refusal("tile_size", f"fit into a cell of {h} x {w} pixels", size)
    return size


def _candidates(num_tiles, rng):
    """Return permutations to choose from, one a column: (num_tiles, P) uint8."""
    if num_tiles > ALL_UP_TO:
        ordered = np.tile(np.arange(num_tiles, dtype=np.uint8), (CANDIDATES, 1))
        return np.ascontiguousarray(rng.permuted(ordered, axis=1).T)
    places = np.zeros((1, 1), np.uint8)
    for tile in range(1, num_tiles):
        # the new tile at each place of all permutations without it
        new = np.full((1, places.shape[1]), tile, np.uint8)
        places = np.hstack([np.insert(places, i, new, 0) for i in range(tile + 1)])
    return places


def _check_orders(name, orders):
    """Return int64 permutations of 0..L-1 along the last axis."""
    orders = _arrays.integers(name, orders, empty=True)
    _arrays.ranked(name, orders, (1, 2), "(L,) or (N, L)")
    L = orders.shape[-1]
    bad = (np.sort(orders, axis=-1) != np.arange(L)).any(axis=-1)
    _arrays.refuse(name, f"be permutations of 0..{L - 1}", orders, bad)
    return orders.astype(np.int64)
