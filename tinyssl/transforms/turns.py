"""Quarter turns and mirror images: the eight views that move no pixel value."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.transforms import _arrays

SMALL = 2**15  # numbers: NumPy turns them in .1 ms, less than loading the compiler
WIDE = 8  # numbers in a pixel: NumPy copies runs of more as fast as the kernel


def sample_turns(n: int, *, rng: np.random.Generator | int) -> NDArray[np.int64]:
    """Draw a number of quarter turns for each of n images.

    Parameters
    ----------
    n : int, >= 0; how many images
    rng : numpy.random.Generator or int; source of chance, or a seed

    Returns
    -------
    turns : (n,) int64 array, values in {0, 1, 2, 3}; independent and uniform

    Raises
    ------
    ValueError
        If n is negative.

    Notes
    -----
    A network that knows nothing has a cross-entropy of ln 4 = 1.386. There is no
    region to draw in: a frame that would give the answer away is hidden before the
    turn, by a mask that equals its own quarter turns: ``images * mask[..., None]``.
    Gidaris et al. 2018, "Unsupervised representation learning by predicting image
    rotations", section 3.

    Examples
    --------
    >>> sample_turns(6, rng=0)
    array([3, 2, 2, 1, 1, 0])
    """
    return _checks.generator(rng).integers(4, size=_arrays.count(n))


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
        The plane of the turn, from the first axis towards the second, neither of them
        axis 0. Default is H towards W: (1, 2), in volumes (2, 3). With axes, images may
        have any number of them: (1, 2) turns (N, D, H, W, C) from D towards H.
    out : array, optional
        For the answer: of its shape and dtype, C-contiguous, apart from images.

    Returns
    -------
    turned : array of the dtype of images
        A new C-contiguous array, or out; odd turns make the two axes trade lengths.

    Raises
    ------
    ValueError
        If shapes do not fit, even and odd turns meet in one batch of images that are
        not square, out cannot take the answer, or a value is out of range.

    Notes
    -----
    Bit for bit ``numpy.rot90(image, k, axes)``, whose view torch refuses.

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
    out = _arrays.result(out, images, tuple(shape))
    first, last = sorted(axes)
    channels = math.prod(images.shape[last + 1 :])
    if last == first + 1 and channels <= WIDE and images.size > SMALL:
        turns = turns if axes[0] == first else -turns % 4
        return _rotate_planes(images, turns, first, out)
    # what the kernel does, with NumPy and in any two axes
    plane = tuple(axis - 1 for axis in axes)
    return _arrays.each(out, images, lambda n: np.rot90(images[n], turns[n], plane))


def sample_flips(n: int, *, rng: np.random.Generator | int) -> NDArray[np.bool_]:
    """Draw for each of n images whether it is mirrored.

    As `sample_turns`, but (n,) bools, independent and True with probability one half.
    With quarter turns, all eight symmetries of the square are equally likely.
    """
    return _checks.generator(rng).random(_arrays.count(n)) < 0.5


def flip(images: ArrayLike, flips: ArrayLike, *, out: NDArray | None = None) -> NDArray:
    """Mirror some images of a batch, left and right exchanged.

    As `rotate`, but of images alone. A mirrored right eye is a left eye.

    Parameters
    ----------
    flips : (N,) bool array; which of them, the others are copied
    """
    images, flips = _arrays.batch(images), _checks.array("flips", flips)
    if flips.dtype != np.bool_ and flips.size:
        raise TypeError(f"flips must be bools, found dtype {flips.dtype}")
    _arrays.shaped("flips", flips, (len(images),))
    out = _arrays.result(out, images, images.shape)
    return _arrays.each(out, images, lambda n: images[n, :, :: -1 if flips[n] else 1])


def _rotate_planes(images, turns, first, out):
    """Turn in two neighbouring axes: the kernel sees (planes, H, W, channels)."""
    # unsigned integers as wide as the numbers: one kernel for each width, not type
    width = np.dtype(f"u{min(images.itemsize, 8)}")
    turns = np.repeat(turns, math.prod(images.shape[1:first]))
    source, target = (
        x.reshape(len(turns), *x.shape[first : first + 2], -1).view(width)
        for x in (np.require(images, requirements=["C", "W"]), out)
    )

    def work(start, stop):
        part = slice(start, stop)
        _kernels.turns.rotate(source[part], turns[part], target[part])

    _threads.spread(work, len(turns), least=_arrays.least(target))
    return out


def _check_axes(axes, images):
    if axes is None:
        rule = "(N, H, W), (N, H, W, C) or (N, D, H, W, C) unless axes are given"
        _arrays.not_one(_arrays.ranked("images", images, (3, 4, 5), rule))
        return (2, 3) if images.ndim == 5 else (1, 2)
    if np.ndim(axes) != 1 or len(axes) != 2:
        raise TypeError(f"axes must be a pair of integers, found {_checks.shown(axes)}")
    pair = [_checks.integer("axes", axis, least=-images.ndim) for axis in axes]
    inside = [axis % images.ndim for axis in pair if axis < images.ndim]
    if len({0, *inside}) < 3:
        rule = f"be two different axes after the first of {images.ndim}"
        raise _checks.refusal("axes", rule, repr(axes))
    return tuple(inside)


def _check_turns(turns, images, axes):
    """Return (N,) int64 turns in 0..3 that the shape of the images allows."""
    turns = _arrays.integers("turns", turns, empty=True)
    N, H, W = len(images), images.shape[axes[0]], images.shape[axes[1]]
    if turns.ndim:
        _arrays.shaped("turns", turns, (N,), rule="be an integer or have shape")
    turns = np.ascontiguousarray(np.broadcast_to(turns % 4, N), dtype=np.int64)
    if H != W and (turns % 2).any() and not (turns % 2).all():
        rule = "be all even or all odd when images are not square"
        raise _checks.refusal("turns", rule, f"both with images of {H} x {W}")
    return turns
