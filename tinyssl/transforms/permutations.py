"""Permutations of tiles: a set far apart, its labels, and the shuffled images."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _places

ALL_UP_TO = 9  # tiles: all 9! = 362,880 permutations are looked through
CANDIDATES = 2**17
LARGEST_SET = 10_000


def permutation_set(
    num_tiles: int, size: int, *, rng: np.random.Generator | int = 0
) -> NDArray[np.int64]:
    """Return permutations that differ from one another in as many places as possible.

    Parameters
    ----------
    num_tiles : int, 1..255
        How many tiles a permutation orders.
    size : int, 1..10000
        How many permutations, at most num_tiles!: the classes of jigsaw pretraining.
    rng : numpy.random.Generator or int, default 0
        Source of chance, or a seed. Keep one set: classes drawn anew for each run
        mean nothing to an old head.

    Returns
    -------
    permutations : (size, num_tiles) int64 array
        Distinct rows, each a permutation of 0..num_tiles-1.

    Raises
    ------
    TypeError
        If num_tiles or size are not integers.
    ValueError
        If a number is out of range, or size above num_tiles!.

    Notes
    -----
    Greedy: the next one is farthest from the nearest of those chosen (Hamming
    distance), then farthest on average, then drawn. Up to 9 tiles it is the best of
    all num_tiles!, beyond that of 131,072 drawn ones. 100 permutations of 9 tiles
    have least distance 6 and mean distance 8.08, in about 0.1 s (``python -m timeit
    -s "from tinyssl.transforms import permutation_set" "permutation_set(9, 100)"``);
    chance is then ln 100 = 4.605. The popular way, to choose by the mean alone, lets
    two permutations differ by a single exchange.

    References
    ----------
    Noroozi and Favaro 2016, "Unsupervised learning of visual representations by
    solving jigsaw puzzles".

    Examples
    --------
    >>> permutation_set(3, 3)
    array([[0, 1, 2],
           [1, 2, 0],
           [2, 0, 1]])
    """
    num_tiles = _checks.integer("num_tiles", num_tiles, least=1)
    size = _checks.integer("size", size, least=1)
    if num_tiles > 255:
        raise ValueError(f"num_tiles must be <= 255, found {num_tiles}")
    most = min(math.factorial(num_tiles), LARGEST_SET)
    if size > most:
        rule = f"{num_tiles}! = {most}" if most < LARGEST_SET else LARGEST_SET
        raise ValueError(f"size must be <= {rule}, found {size}")
    rng = _checks.generator(rng)
    places = _candidates(num_tiles, rng)
    nearest = np.full(places.shape[1], 255, np.uint8)
    total = np.zeros(places.shape[1], np.int32)
    chosen = [rng.integers(places.shape[1])]
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

    Parameters
    ----------
    n : int, >= 0
        How many images.
    permutations : (P, L) int array
        The set, as `permutation_set` makes it.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.

    Returns
    -------
    labels : (n,) int64 array, values in 0..P-1
        Independent and uniform: the classes to predict.
    orders : (n, L) int64 array
        ``permutations[labels]``, for `permute_tiles`.

    Raises
    ------
    TypeError
        If n or permutations are not integers.
    ValueError
        If n is negative, or a row of permutations is none.

    Notes
    -----
    A network that knows nothing has a cross-entropy of ln P.

    Examples
    --------
    >>> labels, orders = sample_permutations(4, permutation_set(9, 100), rng=0)
    >>> labels
    array([85, 63, 51, 26])
    """
    n = _checks.integer("n", n)
    permutations = _check_orders("permutations", permutations)
    if permutations.ndim != 2 or len(permutations) == 0:
        raise ValueError(
            f"permutations must be (P, L) with P >= 1, found {permutations.shape}"
        )
    labels = _checks.generator(rng).integers(len(permutations), size=n)
    return labels, permutations[labels]


def permute_tiles(
    images: ArrayLike, grid: int | tuple[int, int], orders: ArrayLike
) -> NDArray:
    """Shuffle the cells of a grid: output tile i is input tile ``order[i]``.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch, H and W multiples of the grid.
    grid : int or (int, int)
        Rows and columns of cells; 3 is (3, 3).
    orders : (L,) or (N, L) int array
        A permutation of 0..L-1 for all images or for each.

    Returns
    -------
    permuted : array, the shape and dtype of images
        A new C-contiguous array.

    Raises
    ------
    TypeError
        If images do not hold numbers, or grid or orders no integers.
    ValueError
        If shapes do not fit, or an order is no permutation.

    Notes
    -----
    ``permute_tiles(permuted, grid, numpy.argsort(orders, axis=-1))`` gives the images
    back, bit for bit. Tiles already cut are shuffled by NumPy alone:
    ``tiles[numpy.arange(N)[:, None], orders]``.

    References
    ----------
    Noroozi and Favaro 2016, "Unsupervised learning of visual representations by
    solving jigsaw puzzles".

    Examples
    --------
    >>> permute_tiles(np.arange(4).reshape(1, 2, 2), 2, [3, 0, 1, 2])
    array([[[3, 0],
            [1, 2]]])
    """
    images = _places.batch(images)
    N, H, W = images.shape[:3]
    rows, cols = _places.divided(grid, H, W)
    L = rows * cols
    orders = _check_orders("orders", orders)
    if orders.shape not in ((L,), (N, L)):
        raise ValueError(
            f"orders must have shape ({L},) or ({N}, {L}), found {orders.shape}"
        )
    orders = np.broadcast_to(orders, (N, L))
    out = np.empty(images.shape, images.dtype)
    source, target = (_places.cells(x, rows, cols) for x in (images, out))
    for n, i in np.ndindex(N, L):
        target[n, i // cols, i % cols] = source[n, *divmod(orders[n, i], cols)]
    return out


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
    orders = _checks.array(name, orders)
    if orders.dtype.kind not in "iu" and orders.size:
        raise TypeError(f"{name} must be integers, found dtype {orders.dtype}")
    if orders.ndim not in (1, 2):
        raise ValueError(f"{name} must be (L,) or (N, L), found shape {orders.shape}")
    L = orders.shape[-1]
    bad = (np.sort(orders, axis=-1) != np.arange(L)).any(axis=-1)
    if bad.any():
        row = orders[bad][0] if orders.ndim == 2 else orders
        raise ValueError(
            f"{name} must be permutations of 0..{L - 1}, "
            f"found {_checks.shown(row.tolist())}"
        )
    return orders.astype(np.int64)
