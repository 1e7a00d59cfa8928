"""The same photograph in another file: known again by a thumbnail.

A hash of the bytes, or of the pixels, knows a file again only until it is saved
anew: of IDRiD's 51 segmentation images 42 recur in its grading part, three of them in
the same bytes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyssl import runs
from tinyssl.downstream.resolution import resize

SIDE = 16  # pixels
# Root mean square of the difference, in bytes. IDRiD's 42 photographs differ from their
# copies by 0.9 at most, the other nine from the nearest of 452 photographs by 3.6 at
# least; synthetic eyes saved with quality 50 by 2.9, from other eyes by 7.5.
SAME = 3.0


def thumbnails(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return each image shrunk to 16 x 16 pixels, whatever its shape.

    Parameters
    ----------
    images : iterable of (H, W, 3) uint8 arrays

    Returns
    -------
    (N, 16, 16, 3) uint8 array
    """
    small = [resize(image, (SIDE, SIDE)) for image in images]
    return np.array(small, np.uint8).reshape(-1, SIDE, SIDE, 3)


def seen_before(seen: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which thumbnails show a photograph that was seen.

    Parameters
    ----------
    seen : (M, 16, 16, 3) uint8 array
    new : (N, 16, 16, 3) uint8 array

    Returns
    -------
    (N,) bool array
        Also of copies that were compressed or resized. Not of copies that were
        cropped, turned, mirrored or brightened: ``audit`` looks for those.

    Examples
    --------
    >>> photographs = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3))
    >>> small = thumbnails(photographs.astype(np.uint8))
    >>> seen_before(small[:1], small)
    array([ True, False])
    """
    length = SIDE * SIDE * 3
    seen = seen.reshape(-1, length).astype(np.float32)
    known = np.zeros(len(new), bool)
    for i, one in enumerate(new.reshape(-1, length).astype(np.float32)):
        square = np.square(seen - one).mean(1)
        known[i] = bool((square < SAME**2).any())
    return known


def save_thumbnails(path: Path, small: NDArray[np.uint8]) -> None:
    """Save thumbnails atomically, as plain NumPy."""

    def write(partial):
        with partial.open("wb") as file:
            np.save(file, small)

    runs.write_atomic(path, write)


def load_thumbnails(path: Path) -> NDArray[np.uint8]:
    """Load thumbnails; never runs code from the file."""
    try:
        small = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged: pretrain again") from error
    if small.shape[1:] != (SIDE, SIDE, 3):
        raise ValueError(
            f"{path} must hold thumbnails of {SIDE} x {SIDE} pixels, found shape "
            f"{small.shape}: pretrain again"
        )
    return small
