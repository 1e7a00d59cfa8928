"""Quarter turns: the label of rotation pretraining."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.transforms import _out

SMALL = 2**15  # numbers: NumPy turns them in .1 ms, less than loading the compiler
WIDE = 8  # numbers in a pixel: NumPy copies runs of more as fast as the kernel


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
        If n is not an integer, or rng neither a generator nor a seed.
    ValueError
        If n is negative.

    Notes
    -----
    The labels of rotation pretraining; a network that knows nothing has a
    cross-entropy of ln 4 = 1.386.

    There is no region to draw in, as the other samplers have: a turn moves the whole
    image. What a region is for here, hiding the frame that would give the answer
    away, is done to the images before they turn, with a mask that equals its own
    quarter turns: ``images * mask[..., None]``.

    References
    ----------
    Gidaris, Singh and Komodakis 2018, "Unsupervised representation learning by
    predicting image rotations", section 3.

    Examples
    --------
    >>> sample_turns(6, rng=0)
    array([3, 2, 2, 1, 1, 0])
    """
    n = _checks.integer("n", n)
    return _checks.generator(rng).integers(4, size=n)


def rotate(
    images: ArrayLike,
    turns: ArrayLike,
    *,
    axes: tuple[int, int] | None = None,
    out: NDArray | None = None,
) -> NDArray:
    """Turn images counter-clockwise by quarter turns, without interpolation.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, C) array of numbers
        A batch; or (N, D, H, W, C) volumes. One image is ``image[None]``.
    turns : int or (N,) int array
        Quarter turns, of all images or of each. Any integer: -1 is 3, 4 is 0.
    axes : pair of int, optional
        The plane of the turn, from the first axis towards the second, counted in
        images, whose axis 0 numbers them. Default is H towards W: (1, 2), in
        volumes (2, 3). Where axes are given, images may have any axes after the
        first: (1, 2) turns (N, D, H, W, C) from D towards H.
    out : array, optional
        Where to put the answer: an array of its shape and of the dtype of images,
        C-contiguous, that shares no memory with them.

    Returns
    -------
    turned : array of the dtype of images
        A new C-contiguous array, or out. The two axes have traded lengths where the
        turns are odd.

    Raises
    ------
    TypeError
        If images do not hold numbers, turns or axes are not integers, or out is not
        an array of the dtype of images.
    ValueError
        If images have another number of axes, axes are not two of them, turns have
        another length than images, even and odd turns meet in one batch of images
        that are not square, or out cannot take the answer. Nothing has been written
        then.

    Notes
    -----
    Bit for bit ``numpy.rot90(image, k, axes)``, whose view with negative strides
    torch refuses. The images of a batch are spread over the cores.

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
    axes = _check_axes(axes, images)
    turns = _check_turns(turns, images, axes)
    shape = list(images.shape)
    if (turns % 2).any():
        shape[axes[0]], shape[axes[1]] = shape[axes[1]], shape[axes[0]]
    out = _out.result(out, images, tuple(shape))
    if out.size == 0:
        return out
    first, last = sorted(axes)
    channels = math.prod(images.shape[last + 1 :])
    if last == first + 1 and channels <= WIDE and images.size > SMALL:
        turns = turns if axes[0] == first else -turns % 4
        _rotate_planes(images, turns, first, out)
    else:
        _rotate_arrays(images, turns, axes, out)
    return out


def _rotate_planes(images, turns, first, out):
    """Turn in two neighbouring axes: the kernel sees (planes, H, W, channels)."""
    # unsigned integers as wide as the numbers: one kernel for each width, not type
    width = np.dtype(f"u{min(images.itemsize, 8)}")
    turns = np.repeat(turns, math.prod(images.shape[1:first]))
    source = np.require(images, requirements=["C", "W"])
    source, target = (
        x.reshape(len(turns), *x.shape[first : first + 2], -1).view(width)
        for x in (source, out)
    )

    def work(start, stop):
        part = slice(start, stop)
        _kernels.turns.rotate(source[part], turns[part], target[part])

    _threads.spread(work, len(turns), least=_out.least(target))


def _rotate_arrays(images, turns, axes, out):
    """Do what the kernel does with NumPy, in any two axes."""
    plane = tuple(axis - 1 for axis in axes)

    def work(start, stop):
        for n in range(start, stop):
            out[n] = np.rot90(images[n], turns[n], plane)

    _threads.spread(work, len(images), least=_out.least(images))


def _check_axes(axes, images):
    """Return the two axes of the turn as numbers >= 1."""
    if axes is None:
        if images.ndim not in (3, 4, 5):
            raise ValueError(
                "images must be (N, H, W), (N, H, W, C) or (N, D, H, W, C) unless "
                f"axes are given, found shape {images.shape}"
            )
        return (2, 3) if images.ndim == 5 else (1, 2)
    if np.ndim(axes) != 1 or len(axes) != 2:
        raise TypeError(f"axes must be a pair of integers, found {_checks.shown(axes)}")
    pair = [_checks.integer("axes", axis, least=-images.ndim) for axis in axes]
    inside = [axis % images.ndim for axis in pair if axis < images.ndim]
    if len({0, *inside}) < 3:
        raise ValueError(
            f"axes must be two different axes after the first of {images.ndim}, "
            f"found {axes!r}"
        )
    return tuple(inside)


def _check_turns(turns, images, axes):
    """Return (N,) int64 turns in 0..3 that the shape of the images allows."""
    turns = _checks.array("turns", turns)
    N, H, W = len(images), images.shape[axes[0]], images.shape[axes[1]]
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
