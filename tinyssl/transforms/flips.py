"""Mirror images: with quarter turns, the eight views that move no pixel value."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _threads
from tinyssl.transforms import _out


def sample_flips(n: int, *, rng: np.random.Generator | int) -> NDArray[np.bool_]:
    """Draw for each of n images whether it is mirrored.

    Parameters
    ----------
    n : int, >= 0
        How many images.
    rng : numpy.random.Generator or int
        Source of chance, or a seed.

    Returns
    -------
    flips : (n,) bool array
        Independent, True with probability one half.

    Raises
    ------
    TypeError
        If n is not an integer, or rng neither a generator nor a seed.
    ValueError
        If n is negative.

    Notes
    -----
    With `sample_turns` all eight symmetries of the square are equally likely.

    Examples
    --------
    >>> sample_flips(4, rng=0)
    array([False,  True,  True,  True])
    """
    return _checks.generator(rng).random(_checks.integer("n", n)) < 0.5


def flip(images: ArrayLike, flips: ArrayLike, *, out: NDArray | None = None) -> NDArray:
    """Mirror some images of a batch, left and right exchanged.

    Parameters
    ----------
    images : (N, H, W, C) or (N, H, W) array of numbers
        A batch.
    flips : (N,) bool array
        Which of them; the others are copied.
    out : array of the shape and dtype of images, optional
        Where to put the answer, C-contiguous; it shares no memory with images.

    Returns
    -------
    flipped : array of the shape and dtype of images
        A new C-contiguous array, or out. Flipping again gives the images back, bit
        for bit.

    Raises
    ------
    TypeError
        If images do not hold numbers, flips are not bools, or out is not an array of
        the dtype of images.
    ValueError
        If images have another number of axes, flips another length, or out cannot
        take the answer. Nothing has been written then.

    Notes
    -----
    Nothing is interpolated: a lesion of one or two pixels survives. A mirrored right
    eye is a left eye.

    Examples
    --------
    >>> flip(np.array([[[1, 2], [3, 4]]]), [True])
    array([[[2, 1],
            [4, 3]]])
    """
    images = _checks.array("images", images, kinds="biufc")
    flips = _checks.array("flips", flips)
    if images.ndim not in (3, 4):
        raise ValueError(
            f"images must be (N, H, W) or (N, H, W, C), found shape {images.shape}"
        )
    if flips.dtype != np.bool_ and flips.size:
        raise TypeError(f"flips must be bools, found dtype {flips.dtype}")
    if flips.shape != (len(images),):
        raise ValueError(f"flips must have shape ({len(images)},), found {flips.shape}")
    out = _out.result(out, images, images.shape)

    def work(start, stop):
        for n in range(start, stop):
            out[n] = images[n, :, ::-1] if flips[n] else images[n]

    _threads.spread(work, len(images), least=_out.least(images))
    return out
