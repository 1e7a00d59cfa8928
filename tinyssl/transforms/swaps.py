"""Patch swapping: the disorder of context restoration."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels


def sample_swaps(
    image_shape: tuple[int, ...],
    patch_size: int,
    num_swaps: int,
    *,
    rng: np.random.Generator | int,
    region: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Draw pairs of square patches that do not overlap.

    Parameters
    ----------
    image_shape : tuple of int
        (H, W), or (H, W, C) whose channels are ignored.
    patch_size : int, >= 1
        Side of the patches in pixels.
    num_swaps : int, >= 0
        Number of pairs, T.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    region : (H, W) mask, optional
        Both patches lie wholly where the mask is not 0 (a field of view, say).

    Returns
    -------
    swaps : (T, 4) int64 array
        Rows (y1, x1, y2, x2): the top left corners of the two patches, in pixels.

    Raises
    ------
    TypeError
        If image_shape, patch_size or num_swaps are not integers.
    ValueError
        If a number is out of range, region has another shape than the image, or
        no two disjoint patches fit.

    Notes
    -----
    The first patch is uniform over all places that leave room for a second one,
    the last row and column included; the second is uniform over all places disjoint
    from the first. Pairs are independent, so a batch needs one call:
    ``sample_swaps(shape, s, N * T, rng=rng).reshape(N, T, 4)``. There is no
    rejection loop, so nothing can hang.

    References
    ----------
    Chen et al. 2019, "Self-supervised learning for medical image analysis using
    image context restoration", Medical Image Analysis 58:101539, algorithm 1.

    Examples
    --------
    >>> sample_swaps((8, 8), 4, 2, rng=0)
    array([[4, 2, 0, 2],
           [3, 4, 1, 0]])
    """
    H, W = _check_shape(image_shape)
    size = _checks.integer("patch_size", patch_size, least=1)
    num_swaps = _checks.integer("num_swaps", num_swaps)
    places = _free_places(H, W, size, region)
    rng = np.random.default_rng(rng)

    # first patch: any place that leaves room for a second
    rows, cols = places.shape
    partners = np.count_nonzero(places) - _neighbours(places, size)
    first = np.flatnonzero(places & (partners > 0))
    if first.size == 0:
        within = "the image" if region is None else "region"
        raise ValueError(
            f"patch_size must leave room for two disjoint patches inside {within}, "
            f"found {size} for an image of {H} x {W}"
        )
    first = first[rng.integers(first.size, size=num_swaps)]
    y1, x1 = first // cols, first % cols

    # second patch: the k-th free place, in reading order, that is not near the first
    k = rng.integers(partners[y1, x1])
    rank = np.concatenate([[0], np.cumsum(places)])  # free places before each place
    left, right = np.maximum(x1 - size + 1, 0), np.minimum(x1 + size, cols)
    for dy in range(1 - size, size):
        row = np.clip(y1 + dy, 0, rows - 1) * cols
        inside = y1 + dy == row // cols
        start, stop = rank[row + left], rank[row + right]
        k += np.where(inside & (k >= start), stop - start, 0)
    second = np.flatnonzero(places)[k]
    return np.stack([y1, x1, second // cols, second % cols], axis=1)


def swap_patches(images: ArrayLike, swaps: ArrayLike, patch_size: int) -> NDArray:
    """Swap pairs of patches, one after another.

    Parameters
    ----------
    images : (H, W), (H, W, C) or (N, H, W, C) array of numbers
        One image or a batch.
    swaps : (T, 4) or (N, T, 4) int array
        Rows (y1, x1, y2, x2), as `sample_swaps` draws them; (T, 4) serves every
        image of a batch.
    patch_size : int, >= 1
        Side of the patches in pixels.

    Returns
    -------
    swapped : array, the shape and dtype of images
        A new C-contiguous array.

    Raises
    ------
    TypeError
        If images do not hold numbers, or swaps or patch_size are not integers.
    ValueError
        If shapes do not fit, a patch leaves the image, or the two patches of a
        swap overlap.

    Notes
    -----
    ``swap_patches(swap_patches(x, s, p), s[::-1], p)`` is x, bit for bit: pixels are
    moved, never lost. At most ``2 * T * patch_size**2`` of them change.

    References
    ----------
    Chen et al. 2019, "Self-supervised learning for medical image analysis using
    image context restoration", Medical Image Analysis 58:101539, algorithm 1.

    Examples
    --------
    >>> swap_patches(np.array([[1, 2], [3, 4]]), [[0, 0, 1, 1]], 1)
    array([[4, 2],
           [3, 1]])
    """
    images = _checks.array("images", images, kinds="biufc")
    if images.ndim not in (2, 3, 4):
        raise ValueError(
            "images must be (H, W), (H, W, C) or (N, H, W, C), "
            f"found shape {images.shape}"
        )
    size = _checks.integer("patch_size", patch_size, least=1)
    swaps = _check_swaps(swaps, images, size)
    out = images.copy(order="C")
    N = len(swaps)
    H, W = images.shape[-3:-1] if images.ndim > 2 else images.shape
    if out.size and swaps.size:
        _kernels.swaps.swap_patches(
            out.reshape(N, H, W, -1).view(np.uint8), swaps, size
        )
    return out


def _check_shape(image_shape):
    """Return height and width."""
    try:
        shape = tuple(image_shape)
    except TypeError:
        raise TypeError(f"image_shape must be a tuple, found {image_shape!r}") from None
    if len(shape) not in (2, 3):
        raise ValueError(f"image_shape must be (H, W) or (H, W, C), found {shape}")
    H, W = (_checks.integer("image_shape", side, least=1) for side in shape[:2])
    return H, W


def _free_places(H, W, size, region):
    """Return where the top left corner of a patch may lie: (H-s+1, W-s+1) bool."""
    if size > min(H, W):
        raise ValueError(
            f"patch_size must fit into the image, found {size} for {H} x {W}"
        )
    if region is None:
        return np.ones((H - size + 1, W - size + 1), dtype=bool)
    region = _checks.mask("region", region)
    if region.shape != (H, W):
        raise ValueError(
            f"region must have shape ({H}, {W}) as the image, found {region.shape}"
        )
    return _box_sums(region, size) == size**2


def _box_sums(values, size):
    """Return the sums of all size x size windows, by an integral image."""
    total = np.pad(values.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return (total[size:, size:] - total[:-size, size:] - total[size:, :-size]) + total[
        :-size, :-size
    ]


def _neighbours(places, size):
    """Count, for each place, the free places whose patch would overlap its own."""
    return _box_sums(np.pad(places, size - 1), 2 * size - 1)


def _check_swaps(swaps, images, size):
    """Return (N, T, 4) int64 swaps whose patches fit and are disjoint."""
    swaps = np.empty((0, 4), int) if np.size(swaps) == 0 else swaps
    swaps = _checks.array("swaps", swaps)
    if swaps.dtype.kind not in "iu":
        raise TypeError(f"swaps must be integers, found dtype {swaps.dtype}")
    N = len(images) if images.ndim == 4 else 1
    if swaps.ndim not in (2, 3) or swaps.shape[-1] != 4:
        raise ValueError(f"swaps must be (T, 4) or (N, T, 4), found {swaps.shape}")
    if swaps.ndim == 3 and (images.ndim != 4 or len(swaps) != N):
        raise ValueError(
            f"swaps must have one (T, 4) block for each of {N} images, "
            f"found shape {swaps.shape}"
        )
    H, W = images.shape[-3:-1] if images.ndim > 2 else images.shape
    limit = np.array([H - size, W - size] * 2)
    if ((swaps < 0) | (swaps > limit)).any():
        bad = swaps[((swaps < 0) | (swaps > limit)).any(axis=-1)][0]
        raise ValueError(
            f"swaps must keep patches of {size} inside {H} x {W}, found {bad.tolist()}"
        )
    swaps = swaps.astype(np.int64)
    apart = np.abs(swaps[..., :2] - swaps[..., 2:]).max(axis=-1, initial=0)
    if (apart < size).any():
        bad = swaps[apart < size][0]
        raise ValueError(
            f"swaps must hold disjoint patches of {size}, found {bad.tolist()}"
        )
    return np.ascontiguousarray(np.broadcast_to(swaps, (N, *swaps.shape[-2:])))
