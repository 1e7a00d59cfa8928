"""Patch swapping: the disorder of context restoration."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.transforms import _arrays, _places

SMALL = 50  # swaps in all: NumPy takes .3 ms, less than loading the compiler


def sample_swaps(
    image_shape: tuple[int, ...],
    patch_size: int,
    num_swaps: int,
    *,
    rng: np.random.Generator | int,
    region: ArrayLike | None = None,
    spatial_dims: int = 2,
) -> NDArray[np.int64]:
    """Draw pairs of square patches, or of cubes, that do not overlap.

    As `sample_blocks`, but of T pairs for one image; draws are independent, so a batch
    needs one call: ``sample_swaps(shape, s, N * T, rng=rng).reshape(N, T, 4)``. Chen et
    al. 2019, Medical Image Analysis 58:101539, algorithm 1.

    Parameters
    ----------
    image_shape : (H, W) or (H, W, C), with ``spatial_dims=3`` (D, H, W) or (D, H, W, C)
    patch_size : int, >= 1; side in pixels, refused if no two disjoint patches fit
    num_swaps : int, >= 0; number of pairs, T
    region : (H, W) or (D, H, W) mask, optional
        Both patches lie wholly where the mask is not 0 (a field of view, say).
    spatial_dims : {2, 3}, default 2
        Images or volumes: three numbers alone do not tell (H, W, C) from (D, H, W).

    Returns
    -------
    swaps : (T, 4) or (T, 6) int64 array
        Rows (y1, x1, y2, x2): the top left corners of the two patches, in pixels.
        In volumes (z1, y1, x1, z2, y2, x2). The first patch is uniform over all places
        that leave room for a second one, the last row and column included; the second
        over all that are at least patch_size apart from the first along one axis.

    >>> sample_swaps((8, 8), 4, 2, rng=0)
    array([[3, 4, 1, 0],
           [0, 0, 0, 4]])
    """
    dims = _checks.integer("spatial_dims", spatial_dims)
    _checks.choice("spatial_dims", dims, (2, 3))
    shape = _arrays.sides(image_shape, dims, f" with spatial_dims={dims}")
    size = _checks.integer("patch_size", patch_size, least=1)
    rng = _checks.generator(rng)
    places = _places.free_places(shape, size, region)
    # the lines near each first patch are many numbers, too
    most = _checks.LARGEST_DRAW // (4 * (2 * size) ** (dims - 1))
    num_swaps = _checks.integer("num_swaps", num_swaps, most=most)

    # first patch: any place that leaves room for a second
    partners = _places.disjoint_places(places, size)
    first = np.flatnonzero(places & (partners > 0))
    if first.size == 0:
        within = "the image" if region is None else "region"
        rule = f"leave room for two disjoint patches inside {within}"
        found = f"{size} for an image of {_arrays.text(shape)}"
        raise _checks.refusal("patch_size", rule, found)
    chance = rng.random((num_swaps, 2))
    first = first[_places.pick(chance[:, 0], first.size)]

    # second patch: the k-th free place, in reading order, that is not near the first
    k = _places.pick(chance[:, 1], partners.flat[first])
    second = np.flatnonzero(places)[_skip_neighbours(k, places, first, size)]
    corners = (np.unravel_index(patch, places.shape) for patch in (first, second))
    return np.stack([*next(corners), *next(corners)], axis=1)


def _skip_neighbours(k, places, first, size):
    """Return the rank among all free places of the k-th that is not near the first."""
    *lines, cols = places.shape
    *corner, x = np.unravel_index(first, places.shape)
    # the lines of places near the first patch: (axes, steps, T)
    steps = np.indices([2 * size - 1] * len(lines)).reshape(len(lines), -1, 1)
    line = np.expand_dims(corner, 1) + steps + 1 - size
    inside = ((line >= 0) & (line < np.reshape(lines, (-1, 1, 1)))).all(axis=0)
    start = np.ravel_multi_index(tuple(line), lines, mode="clip") * cols
    # free places before, within and between these runs, in reading order
    rank = np.concatenate([[0], np.cumsum(places)])
    before = rank[start + np.maximum(x - size + 1, 0)]
    near = np.where(inside, rank[start + np.minimum(x + size, cols)] - before, 0)
    between = before - (near.cumsum(axis=0) - near)
    return k + np.where(k >= between, near, 0).sum(axis=0)


def swap_patches(
    images: ArrayLike, swaps: ArrayLike, patch_size: int, *, out: NDArray | None = None
) -> NDArray:
    """Swap pairs of patches, one after another.

    As `rotate`, but ``out`` may be images itself, to swap in place. Undone by
    ``swap_patches(swapped, swaps[::-1], patch_size)``, bit for bit.

    Parameters
    ----------
    images : (H, W), (H, W, C) or (N, H, W, C) array of numbers
        One image or a batch; or (D, H, W), (D, H, W, C) or (N, D, H, W, C) volumes.
    swaps, patch_size : (T, 4) or (N, T, 4) int array, and int
        As `sample_swaps` has them, for all images or for each; for volumes (T, 6) or
        (N, T, 6). Refused if the patches of a swap overlap or leave the image.

    >>> swap_patches(np.array([[1, 2], [3, 4]]), [[0, 0, 1, 1]], 1)
    array([[4, 2],
           [3, 1]])
    """
    images = _checks.array("images", images, kinds="biufc")
    size = _checks.integer("patch_size", patch_size, least=1)
    swaps, shape = _check_swaps(swaps, images, size)
    out = _arrays.result(out, images, images.shape, in_place=True)
    if out.size == 0:
        return out
    N, T = swaps.shape[:2]
    exchange = _exchange if N * T <= SMALL else _kernels.swaps.swap_patches
    # an image is a volume of one plane, its pixels are bytes
    if len(shape) == 2:
        shape, swaps = (1, *shape), np.insert(swaps, (0, 2), 0, axis=-1)
    source, target = (x.reshape(N, *shape, -1) for x in (images, out))

    def work(start, stop):
        if out is not images:
            target[start:stop] = source[start:stop]
        exchange(target[start:stop].view(np.uint8), swaps[start:stop], size)

    _threads.spread(work, N, least=_arrays.least(target))
    return out


def _exchange(volumes, swaps, size):
    """Do what the kernel does with NumPy's slices: few swaps need no compiler."""
    for volume, pairs in zip(volumes, swaps, strict=True):
        for corners in pairs.reshape(-1, 2, 3):
            patch1, patch2 = (
                volume[z : z + size, y : y + size, x : x + size] for z, y, x in corners
            )
            keep = patch1.copy()
            patch1[:] = patch2
            patch2[:] = keep


def _check_swaps(swaps, images, size):
    """Return (N, T, 4 or 6) swaps of disjoint patches that fit, and the sides."""
    swaps = _checks.array("swaps", swaps)
    if swaps.size == 0:
        swaps = np.empty((0, 6 if images.ndim == 5 else 4), np.int64)
    swaps = _arrays.integers("swaps", swaps)
    if swaps.ndim not in (2, 3) or swaps.shape[-1] not in (4, 6):
        rule = "be (T, 4) or (N, T, 4), with 6 columns for volumes"
        raise _checks.refusal("swaps", rule, swaps.shape)
    dims = swaps.shape[-1] // 2
    sides = _arrays.SIDES[dims]
    rule = f"({sides}), ({sides}, C) or (N, {sides}, C) for swaps of {2 * dims} columns"
    _arrays.ranked("images", images, (dims, dims + 1, dims + 2), rule)
    is_batch = images.ndim == dims + 2
    N, shape = len(images) if is_batch else 1, images.shape[is_batch:][:dims]
    if swaps.ndim == 3 and not (is_batch and len(swaps) == N):
        rule = f"have one (T, {2 * dims}) block for each of {N} images"
        raise _checks.refusal("swaps", rule, f"shape {swaps.shape}")
    # patches leave no image, and do not overlap
    corner1, corner2 = np.split(swaps.astype(np.int64), 2, axis=-1)
    limit = np.array([side - size for side in shape] * 2)
    outside = ((swaps < 0) | (swaps > limit)).any(axis=-1)
    near = (np.abs(corner1 - corner2) < size).all(axis=-1)
    rule = f"keep patches of {size} inside {_arrays.text(shape)}"
    _arrays.refuse("swaps", rule, swaps, outside)
    _arrays.refuse("swaps", f"hold disjoint patches of {size}", swaps, near)
    swaps = np.broadcast_to(swaps, (N, *swaps.shape[-2:]))
    return np.ascontiguousarray(swaps, dtype=np.int64), shape
