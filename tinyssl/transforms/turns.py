"""Quarter turns: the label of rotation pretraining."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels


def sample_turns(n: int, *, rng: np.random.Generator | int) -> NDArray[np.int64]:
    """Draw a number of quarter turns for each of n images.

    Parameters
    ----------
    n : int, >= 0
        How many images.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.

    Returns
    -------
    turns : (n,) int64 array, values in {0, 1, 2, 3}
        Independent and uniform.

    Raises
    ------
    TypeError
        If n is not an integer.
    ValueError
        If n is negative.

    Notes
    -----
    The labels of rotation pretraining; a network that knows nothing has a
    cross-entropy of ln 4 = 1.386.

    References
    ----------
    Gidaris, Singh and Komodakis 2018, "Unsupervised representation learning by
    predicting image rotations", section 3.

    Examples
    --------
    >>> sample_turns(6, rng=0)
    array([3, 2, 2, 1, 1, 0])
    """
    return np.random.default_rng(rng).integers(4, size=_checks.integer("n", n))


def rotate(images: ArrayLike, turns: ArrayLike) -> NDArray:
    """Turn images counter-clockwise by quarter turns, without interpolation.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch. One image is ``image[None]``.
    turns : int or (N,) int array
        Quarter turns, of all images or of each. Any integer: -1 is 3, 4 is 0.

    Returns
    -------
    turned : (N, H, W, C) or (N, H, W) array, the dtype of images
        A new C-contiguous array; height and width trade places when the turns
        are odd.

    Raises
    ------
    TypeError
        If images do not hold numbers or turns are not integers.
    ValueError
        If images have another number of axes, turns another length than images,
        or even and odd turns meet in one batch of images that are not square.

    Notes
    -----
    Bit for bit ``numpy.rot90(image, k)``, whose view with negative strides torch
    refuses.

    References
    ----------
    Gidaris, Singh and Komodakis 2018, "Unsupervised representation learning by
    predicting image rotations", section 3.

    Examples
    --------
    >>> rotate(np.array([[[1, 2], [3, 4]]]), 1)
    array([[[2, 4],
            [1, 3]]])
    """
    images = _checks.array("images", images, kinds="biufc")
    if images.ndim not in (3, 4):
        raise ValueError(
            f"images must be (N, H, W) or (N, H, W, C), found shape {images.shape}"
        )
    turns = _check_turns(turns, images)
    N, H, W = images.shape[:3]
    odd = bool(N and turns[0] % 2)
    out = np.empty((N, W, H, *images.shape[3:]) if odd else images.shape, images.dtype)
    if images.size == 0:
        return out
    # unsigned integers as wide as the numbers: one kernel for each width, not type
    width = np.dtype(f"u{min(images.itemsize, 8)}")
    source = np.require(images, requirements=["C", "W"])
    _kernels.turns.rotate(
        source.reshape(N, H * W, -1).view(width),
        turns,
        out.reshape(N, *out.shape[1:3], -1).view(width),
    )
    return out


def _check_turns(turns, images):
    """Return (N,) int64 turns in 0..3 that the shape of the images allows."""
    turns = _checks.array("turns", turns)
    N, H, W = images.shape[:3]
    if turns.dtype.kind not in "iu" and turns.size:
        raise TypeError(f"turns must be integers, found dtype {turns.dtype}")
    if turns.shape not in ((), (N,)):
        raise ValueError(
            f"turns must be an integer or have shape ({N},), found {turns.shape}"
        )
    turns = np.ascontiguousarray(np.broadcast_to(turns % 4, N), dtype=np.int64)
    if H != W and (turns % 2).any() and not (turns % 2).all():
        raise ValueError(
            "turns must be all even or all odd when images are not square, "
            f"found both with images of {H} x {W}"
        )
    return turns
