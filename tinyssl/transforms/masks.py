"""Patches as tokens, and which of them a masked autoencoder does not see."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _places
from tinyssl.transforms.tiles import join_tiles, split_tiles


def patchify(images: ArrayLike, patch_size: int) -> NDArray:
    """Cut images into square patches and lay each out as a row of numbers.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch, H and W multiples of patch_size.
    patch_size : int, >= 1
        Side of the patches in pixels.

    Returns
    -------
    patches : (N, L, patch_size**2 * C) array, the dtype of images
        A new C-contiguous array: the L = H / patch_size * W / patch_size patches in
        reading order, in each the pixels in reading order, the channels of a pixel
        side by side.

    Raises
    ------
    TypeError
        If images do not hold numbers or patch_size is not an integer.
    ValueError
        If shapes do not fit.

    Notes
    -----
    The order of the authors' code for masked autoencoders. `unpatchify` undoes it,
    bit for bit.

    References
    ----------
    He et al. 2022, "Masked autoencoders are scalable vision learners", section 3.

    Examples
    --------
    >>> patchify(np.arange(16).reshape(1, 4, 4), 2)[0]
    array([[ 0,  1,  4,  5],
           [ 2,  3,  6,  7],
           [ 8,  9, 12, 13],
           [10, 11, 14, 15]])
    """
    images = _places.batch(images)
    size, grid = _patch_grid(patch_size, *images.shape[1:3])
    tiles = split_tiles(images, grid)
    width = size * size * math.prod(images.shape[3:])
    return tiles.reshape(len(images), grid[0] * grid[1], width)


def unpatchify(
    patches: ArrayLike, patch_size: int, image_shape: tuple[int, ...]
) -> NDArray:
    """Put rows of patches together to images again: the inverse of `patchify`.

    Parameters
    ----------
    patches : (N, L, patch_size**2 * C) array of numbers
        As `patchify` returns them.
    patch_size : int, >= 1
        Side of the patches in pixels.
    image_shape : tuple of int
        (H, W, C) or (H, W) of one image.

    Returns
    -------
    images : (N, H, W, C) or (N, H, W) array
        A new C-contiguous array of the dtype of patches.

    Raises
    ------
    TypeError
        If patches do not hold numbers, or patch_size or image_shape no integers.
    ValueError
        If shapes do not fit.

    Notes
    -----
    Patches a network predicted as standard scores must be un-normalised before.

    References
    ----------
    He et al. 2022, "Masked autoencoders are scalable vision learners", section 3.

    Examples
    --------
    >>> images = np.arange(16).reshape(1, 4, 4)
    >>> (unpatchify(patchify(images, 2), 2, (4, 4)) == images).all()
    np.True_
    """
    patches = _checks.array("patches", patches, kinds="biufc")
    H, W = _places.sides(image_shape)
    size, grid = _patch_grid(patch_size, H, W)
    channels = tuple(image_shape)[2:]
    expected = (grid[0] * grid[1], size * size * math.prod(channels))
    if patches.ndim != 3 or patches.shape[1:] != expected:
        raise ValueError(
            f"patches must be (N, {expected[0]}, {expected[1]}) for patches of {size} "
            f"in images of {tuple(image_shape)}, found shape {patches.shape}"
        )
    tiles = patches.reshape(len(patches), expected[0], size, size, *channels)
    return join_tiles(tiles, grid)


def sample_mask(
    n: int,
    image_shape: tuple[int, ...],
    patch_size: int,
    *,
    rng: np.random.Generator | int,
    mask_ratio: float = 0.75,
    region: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Draw the patches of each image that a masked autoencoder has to predict.

    Parameters
    ----------
    n : int, >= 0
        How many images.
    image_shape : tuple of int
        (H, W), or (H, W, C) whose channels are ignored; multiples of patch_size.
    patch_size : int, >= 1
        Side of the patches in pixels.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.
    mask_ratio : float, default 0.75
        Share of the patches to mask, 0 <= mask_ratio < 1.
    region : (H, W) or (n, H, W) mask, optional
        Patches where it is 0 all over are neither kept nor masked and do not count
        (black corners around a field of view, say).

    Returns
    -------
    mask : (n, L) bool array
        True where a patch is masked, in the order of `patchify`. Of the L patches, or
        those that touch the region, ``int(L * (1 - mask_ratio))`` are kept; each choice
        is equally likely, and that of one image does not depend on n.

    Raises
    ------
    TypeError
        If n, image_shape or patch_size are not integers or mask_ratio not a number.
    ValueError
        If a number is out of range, shapes do not fit, or no patch would be kept.

    Notes
    -----
    As the authors': noise for each patch, the lowest are kept. Their int() drops a
    patch where binary fractions fall short (10 patches, ratio .9: none); here a
    billionth is forgiven. What the encoder sees is the rest of the budget:
    ``~mask & patchify(region[None], patch_size).any(axis=-1)``. In one shared region
    all images keep equally many, so ``numpy.nonzero(seen)[1].reshape(n, -1)`` are
    the patches to encode.

    References
    ----------
    He et al. 2022, "Masked autoencoders are scalable vision learners", section 3.

    Examples
    --------
    >>> sample_mask(2, (32, 32), 16, rng=0)
    array([[ True,  True,  True, False],
           [ True,  True, False,  True]])
    """
    n = _checks.integer("n", n)
    H, W = _places.sides(image_shape)
    size, grid = _patch_grid(patch_size, H, W)
    mask_ratio = _checks.not_negative("mask_ratio", mask_ratio)
    if mask_ratio >= 1:
        raise ValueError(f"mask_ratio must be < 1, found {mask_ratio}")
    L = grid[0] * grid[1]
    inside = np.ones((1, L), bool)
    if region is not None:
        inside = patchify(_places.regions(region, n, H, W), size).any(axis=-1)
    budget = inside.sum(axis=1, keepdims=True)
    keep = (budget * (1 - mask_ratio) + 1e-9).astype(np.int64)
    if (keep == 0).any():
        least = int(budget.min())
        raise ValueError(
            f"mask_ratio must leave at least one patch, "
            f"found {mask_ratio} of {least} patches"
        )
    # noise for each patch, the lowest are kept; those outside come last
    noise = np.where(inside, _checks.generator(rng).random((n, L)), np.inf)
    rank = np.arange(L)
    mask = np.empty((n, L), bool)
    masked = np.broadcast_to((rank >= keep) & (rank < budget), (n, L))
    np.put_along_axis(mask, noise.argsort(axis=1), masked, axis=1)
    return mask


def mask_patches(
    images: ArrayLike, mask: ArrayLike, patch_size: int, *, fill: ArrayLike = 0
) -> NDArray:
    """Paint masked patches over with one colour.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch, H and W multiples of patch_size.
    mask : (N, L) or (L,) bool array
        True where a patch is masked, as `sample_mask` draws it.
    patch_size : int, >= 1
        Side of the patches in pixels.
    fill : number or (C,) array, default 0
        The colour, in values of the dtype of images.

    Returns
    -------
    masked : array, the shape and dtype of images
        A new C-contiguous array; all other pixels are kept, bit for bit.

    Raises
    ------
    TypeError
        If images or fill do not hold numbers, mask no bools, or patch_size is not an
        integer.
    ValueError
        If shapes do not fit, or the dtype of images cannot hold fill.

    Notes
    -----
    For showing masks, and for inpainting: an autoencoder of the MAE kind does not see
    masked patches at all.

    References
    ----------
    He et al. 2022, "Masked autoencoders are scalable vision learners", section 3.

    Examples
    --------
    >>> mask_patches(np.arange(8).reshape(1, 2, 4), [True, False], 2, fill=-1)
    array([[[-1, -1,  2,  3],
            [-1, -1,  6,  7]]])
    """
    images = _places.batch(images)
    N, H, W = images.shape[:3]
    size, grid = _patch_grid(patch_size, H, W)
    mask = _checks.array("mask", mask)
    L = grid[0] * grid[1]
    if mask.dtype != np.bool_:
        raise TypeError(f"mask must hold bools, found dtype {mask.dtype}")
    if mask.shape not in ((L,), (N, L)):
        raise ValueError(
            f"mask must have shape ({L},) or ({N}, {L}), found {mask.shape}"
        )
    out = images.copy(order="C")
    # a row of a patch is one run of numbers
    channels = images.shape[3:]
    colour = np.broadcast_to(_places.colour(fill, images), (size, *channels)).ravel()
    runs = out.reshape(N, grid[0], size, grid[1], colour.size)
    np.copyto(runs, colour, where=mask.reshape(-1, grid[0], 1, grid[1], 1))
    return out


def _patch_grid(patch_size, H, W):
    """Return the patch size and the rows and columns of patches, at least one."""
    size = _checks.integer("patch_size", patch_size, least=1)
    if H % size or W % size or not H * W:
        raise ValueError(
            f"patch_size must divide the image, found {size} for {H} x {W} pixels"
        )
    return size, (H // size, W // size)
