"""Patches as tokens, and which of them a masked autoencoder does not see."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays
from tinyssl.transforms.tiles import cells


def patchify(images: ArrayLike, patch_size: int) -> NDArray:
    """Cut images into square patches, or volumes into cubes, each a row of numbers.

    As `split_tiles`, in the order of the authors' code for masked autoencoders (He et
    al. 2022, "Masked autoencoders are scalable vision learners", section 3).
    `unpatchify` undoes it, bit for bit.

    Parameters
    ----------
    images : (N, H, W), (N, H, W, C) or, volumes, (N, D, H, W, C) array of numbers
    patch_size : int, >= 1
        Side of the patches in pixels, of which H and W, and D, are multiples.

    Returns
    -------
    patches : (N, L, patch_size**2 * C) array, the dtype of images
        New and C-contiguous: the L = H / patch_size * W / patch_size patches, and the
        pixels of each, in reading order, the channels of a pixel side by side. Of
        volumes D / patch_size times as many of patch_size**3 * C.

    >>> patchify(np.arange(8).reshape(1, 2, 4), 2)[0]
    array([[0, 1, 4, 5],
           [2, 3, 6, 7]])
    """
    images = _arrays.batch(images, volumes=True)
    dims = 3 if images.ndim == 5 else 2
    size, grid = _patch_grid(patch_size, *images.shape[1 : dims + 1])
    C = math.prod(images.shape[dims + 1 :])
    patches = cells(images, *grid).copy()
    return patches.reshape(len(images), math.prod(grid), size**dims * C)


def unpatchify(
    patches: ArrayLike, patch_size: int, image_shape: tuple[int, ...]
) -> NDArray:
    """Put rows of patches together to images again: the inverse of `patchify`.

    See `patchify`, and see `split_tiles` for what both share.

    Parameters
    ----------
    patches, image_shape : (N, L, patch_size**2 * C) array, and tuple of int
        As `patchify` returns them, and (H, W), (H, W, C) or (D, H, W, C) of one image.
    """
    patches = _checks.array("patches", patches, kinds="biufc")
    dims = 3 if np.iterable(image_shape) and len(tuple(image_shape)) == 4 else 2
    sides = _arrays.sides(image_shape, dims, " or (D, H, W, C)")
    size, grid = _patch_grid(patch_size, *sides)
    C = math.prod(tuple(image_shape)[dims:])
    expected = (math.prod(grid), size**dims * C)
    if patches.ndim != 3 or patches.shape[1:] != expected:
        rule = f"be (N, {expected[0]}, {expected[1]}) for patches of {size} in images"
        rule = f"{rule} of {tuple(image_shape)}"
        raise _checks.refusal("patches", rule, f"shape {patches.shape}")
    images = np.empty((len(patches), *sides, C), patches.dtype)
    target = cells(images, *grid)
    target[...] = patches.reshape(target.shape)
    return images.reshape(len(patches), *image_shape)


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

    As `sample_blocks`, for patches as `patchify` cuts them.

    Parameters
    ----------
    mask_ratio : float, 0 <= mask_ratio < 1, default 0.75
        Share of the patches to mask; refused if no patch would be kept.
    region : (H, W) or (n, H, W) mask, optional
        Patches where it is 0 all over are neither kept nor masked and do not count
        (black corners around a field of view, say).

    Returns
    -------
    mask : (n, L) bool array
        True where a patch is masked, in the order of `patchify`. Of the L patches, or
        those that touch the region, ``int(L * (1 - mask_ratio))`` are kept; each choice
        is equally likely.

    Notes
    -----
    The authors' int() drops a patch where binary fractions fall short (10 patches,
    ratio .9: none is left); here a billionth is forgiven. The encoder sees
    ``seen = ~mask & patchify(region[None], patch_size).any(axis=-1)``, of one shared
    region equally many of each image.
    """
    H, W = _arrays.sides(image_shape)
    size, grid = _patch_grid(patch_size, H, W)
    n = _arrays.count(n, math.prod(grid))
    mask_ratio = _checks.not_negative("mask_ratio", mask_ratio, below=1)
    L = grid[0] * grid[1]
    inside = patchify(_arrays.regions(region, n, H, W)[..., None], size).any(axis=-1)
    budget = inside.sum(axis=1, keepdims=True)
    keep = (budget * (1 - mask_ratio) + 1e-9).astype(np.int64)
    if (keep == 0).any():
        found = f"{mask_ratio} of {budget.min()} patches"
        raise _checks.refusal("mask_ratio", "leave at least one patch", found)
    # noise for each patch, the lowest are kept; those outside come last
    noise = np.where(inside, _checks.generator(rng).random((n, L)), np.inf)
    rank = noise.argsort(axis=1).argsort(axis=1)
    return (rank >= keep) & (rank < budget)


def mask_patches(
    images: ArrayLike, mask: ArrayLike, patch_size: int, *, fill: ArrayLike = 0
) -> NDArray:
    """Paint masked patches of images over with one colour, and no other pixels.

    Images as `split_tiles` takes them, patches as `patchify` cuts them; returned are
    images. For showing masks: a masked autoencoder does not see such patches at all.

    Parameters
    ----------
    mask : (N, L) or (L,) bool array; as `sample_mask` draws it, True is masked
    fill : number or (C,) array; the colour, in values that the dtype of images holds
    """
    images = _arrays.batch(images)
    N, H, W = images.shape[:3]
    _, (rows, cols) = _patch_grid(patch_size, H, W)
    mask = _checks.array("mask", mask)
    if mask.dtype != np.bool_:
        raise TypeError(f"mask must hold bools, found dtype {mask.dtype}")
    _arrays.shaped("mask", mask, (rows * cols,), (N, rows * cols))
    out = images.copy(order="C")
    where = np.broadcast_to(mask, (N, rows * cols)).reshape(N, rows, cols)
    cells(out, rows, cols)[where] = _arrays.colour(fill, images)
    return out


def _patch_grid(patch_size, *sides):
    """Return the patch size and how many patches lie along each side, at least one."""
    size = _checks.integer("patch_size", patch_size, least=1)
    if any(side % size for side in sides) or not math.prod(sides):
        found = f"{size} for {_arrays.text(sides)} pixels"
        raise _checks.refusal("patch_size", "divide the image", found)
    return size, [side // size for side in sides]
