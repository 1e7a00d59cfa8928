"""Some rows of many: what would fill the memory lies in a file without a name."""

import math
import os
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

import numpy as np

from tinyssl._threads import blocks
from tinyssl.files import no_room

LARGE = 2**28  # bytes


def take(array, index):
    """Select positions from an array, or from a list of images of any size.

    A hundred thousand images stay mapped: all of them, in order, are the array itself,
    and many of them lie in a file beside it, or where temporary files do.
    """
    if len(index) == len(array) and np.array_equal(index, np.arange(len(array))):
        return array
    if not isinstance(array, np.ndarray):
        return [array[i] for i in index]
    if not isinstance(array, np.memmap) or len(index) * array[:1].nbytes < LARGE:
        return array[index]
    beside = array.filename and Path(array.filename).parent
    folder = beside if beside and os.access(beside, os.W_OK) else None
    some = in_file((len(index), *array.shape[1:]), array.dtype, folder)
    for block in blocks(len(index)):
        some[block] = array[index[block]]
    return some


def thin(index, most):
    """Return every so many of some positions: at most so many, spread over all."""
    return index[:: max(1, -(-len(index) // most))]


def in_file(shape, dtype, folder=None):
    """Return zeros in a file that goes with them, of which memory holds what it can."""
    folder = Path(folder or gettempdir())
    try:
        with TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk kills at a write
                size = math.prod(shape) * np.dtype(dtype).itemsize
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype, shape=shape)
    except OSError as error:
        raise no_room(folder / "rows", error) or error from None
