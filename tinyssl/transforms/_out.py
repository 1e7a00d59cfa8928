"""The array that a transform fills: a new one, or the caller's ``out``."""

import numpy as np

PART = 2**20  # bytes: what a thread must have to do to be worth its start, about 100 us


def result(out, images, shape, *, in_place=False):
    """Return a new array of this shape, or ``out`` if it can take the answer."""
    if out is None:
        return np.empty(shape, images.dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a numpy array, found {type(out).__name__}")
    if out.dtype != images.dtype:
        raise TypeError(
            f"out must have dtype {images.dtype} as images, found {out.dtype}"
        )
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, found {out.shape}")
    if not out.flags.c_contiguous:
        raise ValueError(f"out must be C-contiguous, found strides {out.strides}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, found a read-only array")
    if in_place and out is images:
        return out
    if np.may_share_memory(out, images):
        rule = "be images itself or share no memory" if in_place else "share no memory"
        raise ValueError(f"out must {rule} with images, found an overlap")
    return out


def least(images):
    """Return how many images, at least, one thread should get."""
    return 1 + PART * len(images) // max(1, images.nbytes)
