"""Blocks: rectangular holes for inpainting."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.transforms import _arrays, _places


def sample_blocks(
    n: int,
    image_shape: tuple[int, ...],
    *,
    rng: np.random.Generator | int,
    num_blocks: int = 1,
    area: tuple[float, float] = (0.05, 0.25),
    aspect: tuple[float, float] = (0.5, 2.0),
    region: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Draw rectangles to be cut out of each of n images.

    Parameters
    ----------
    n, rng : int, >= 0, and numpy.random.Generator or int
        How many images, and the source of chance or a seed.
    image_shape : tuple of int
        (H, W), or (H, W, C) whose channels are ignored.
    num_blocks : int, >= 1, default 1
        How many for each image, T; they may overlap.
    area : (float, float), default (0.05, 0.25)
        Least and largest share of the image for one block, 0 < low <= high <= 1.
    aspect : (float, float), default (0.5, 2.0)
        Least and largest height over width.
    region : (H, W) or (n, H, W) mask, optional
        Blocks lie wholly where the mask is not 0.

    Returns
    -------
    blocks : (n, T, 4) int64 array
        Rows (y, x, h, w): the top left corner, height and width, in pixels.

    Raises
    ------
    ValueError
        If region has another shape, or no place for a square of the least area.

    Notes
    -----
    Area is uniform, aspect log-uniform, the place uniform among all that fit. Where a
    drawn shape does not fit into the region it moves, in four steps, towards the
    square of the least area (Pathak et al. 2016, "Context encoders: feature learning by
    inpainting", section 3.3, for the task).

    Examples
    --------
    >>> sample_blocks(1, (64, 64), rng=0, num_blocks=2)
    array([[[ 1, 23, 23, 32],
            [42, 47, 18, 12]]])
    """
    most = _checks.LARGEST_DRAW // 3
    T = _checks.integer("num_blocks", num_blocks, least=1, most=most)
    n = _arrays.count(n, 3 * T)
    H, W = _arrays.sides(image_shape)
    area = _arrays.interval("area", area, most=1)
    aspect = _arrays.interval("aspect", aspect)
    region = None if region is None else _arrays.regions(region, n, H, W)
    chances = _checks.generator(rng).random((n * T, 3))
    sizes, corners = _places.rectangles(chances, H, W, region, area, aspect, each=T)
    return np.concatenate([corners[:, 0], sizes], axis=1).reshape(n, T, 4)


def mask_blocks(
    images: ArrayLike, blocks: ArrayLike, *, fill: ArrayLike = 0
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Paint blocks over with one colour, and no other pixels.

    As `mask_patches`, in images as `split_tiles` takes them, but without a grid.

    Parameters
    ----------
    blocks : (T, 4) or (N, T, 4) int array
        Rows (y, x, h, w), for all images or for each, as `sample_blocks` draws them.
        They may overlap, but not leave the image.

    Returns
    -------
    masked : array, the shape and dtype of images
        A new C-contiguous array.
    hole : (N, H, W) bool array
        The union of the blocks: where inpainting is scored.
    """
    images = _arrays.batch(images)
    N, H, W = images.shape[:3]
    blocks = _arrays.integers("blocks", blocks)
    if blocks.shape[-1:] != (4,) or blocks.ndim not in (2, 3):
        raise ValueError(f"blocks must be (T, 4) or (N, T, 4), found {blocks.shape}")
    if blocks.ndim == 3 and len(blocks) != N:
        rule = f"have one list for each of {N} images"
        raise _checks.refusal("blocks", rule, f"shape {blocks.shape}")
    blocks = _arrays.boxes("blocks", "(y, x, h, w)", blocks, H, W)
    blocks = np.broadcast_to(blocks, (N, *blocks.shape[-2:]))
    colour = _arrays.colour(fill, images)
    out, hole = images.copy(order="C"), np.zeros((N, H, W), bool)
    for n in range(N):
        for y, x, h, w in blocks[n]:
            out[n, y : y + h, x : x + w] = colour
            hole[n, y : y + h, x : x + w] = True
    return out, hole
