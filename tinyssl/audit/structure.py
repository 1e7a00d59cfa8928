"""Which pictures are copies: a hash proposes pairs, a correlation confirms them.

Two photographs of different eyes look alike from afar: round, red, a disc at one side.
So both steps look at vessels and lesions, with the light taken away, and both know
from the data at hand how alike unrelated pictures are.
"""

import numpy as np
from numpy.typing import NDArray

from tinyssl.data.field_of_view import field_of_view

# (quarter turns counter-clockwise, mirrored left to right afterwards)
TURNS = tuple((quarters, mirrored) for mirrored in (0, 1) for quarters in range(4))
LIGHT = 4 / 128  # of the side: what is coarser than this is light, not structure
SAMPLE = 200_000  # pairs drawn to know the distances of the unrelated
BLOCK = 256  # rows at a time
HASH_SIDE = 32  # px the cosine transform is taken of


def seen_area(view: np.ndarray) -> NDArray[np.bool_]:
    """Return where a view shows the eye: within nine tenths of the radius, not black.

    Parameters
    ----------
    view : (S, S, 3) uint8 array
        The square around the field of view.

    Returns
    -------
    (S, S) bool array
        Without the rim, the tab on it, and what the camera cut off: all pictures of a
        camera share these, and they move when a picture is cropped.
    """
    S = len(view)
    offset = np.arange(S) - (S - 1) / 2
    disc = offset[:, None] ** 2 + offset**2 <= (0.45 * S) ** 2
    return disc & field_of_view(view)


def structure(green: np.ndarray, area: np.ndarray) -> NDArray[np.int8]:
    """Return vessels and lesions of one view, freed of light and contrast.

    Parameters
    ----------
    green : (S, S) uint8 array
        One channel of the view.
    area : (S, S) bool array
        From `seen_area`.

    Returns
    -------
    (S, S) int8 array
        42 is one local standard deviation; 0 outside the area, and where nothing is
        to be seen.
    """
    band = _blur(green, area, 0.7) - _blur(green, area, 3)
    deviation = np.sqrt(_blur(band * band, area, 2 * LIGHT * len(green)))
    band = np.clip(band / (deviation + 0.5), -3, 3)
    band = np.clip(band - band[area].mean(), -3, 3) if area.any() else band
    return np.round(42 * band * area).astype(np.int8)


def perceptual_hash(green: np.ndarray, area: np.ndarray) -> np.uint64:
    """Return 64 bits that change little when a picture is saved again.

    Parameters
    ----------
    green : (S, S) uint8 array
    area : (S, S) bool array

    Returns
    -------
    uint64
        Signs of the cosine transform's coefficients 1..8 by 1..8, of the view without
        its light at 32 x 32 pixels.

    Notes
    -----
    Without the light, for left and right, centre and rim are alike in all eyes; signs
    rather than ranks, so that a turned picture's hash follows from this one.

    Examples
    --------
    >>> green = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    >>> area = np.ones((64, 64), bool)
    >>> bits = perceptual_hash(green, area) ^ perceptual_hash(green // 2, area)
    >>> int(bits).bit_count() < 4
    True
    """
    from PIL import Image
    from scipy import fft

    flat = (green - _blur(green, area, LIGHT * len(green))) * area
    picture = Image.fromarray(flat.astype(np.float32))
    small = picture.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX)
    coefficients = fft.dctn(np.asarray(small))[1:9, 1:9]
    return np.packbits(coefficients > 0).view(np.uint64)[0]


def turn_hashes(hashes: np.ndarray, turn: tuple[int, int]) -> NDArray[np.uint64]:
    """Return the hashes of the turned pictures, without looking at them again.

    Mirrored, the odd cosines change sign; transposed, rows become columns.
    """
    bits = np.unpackbits(hashes[:, None].view(np.uint8), axis=1).reshape(-1, 8, 8)
    odd = np.arange(1, 9) % 2
    quarters, mirrored = turn
    for _ in range(quarters):
        bits = bits.transpose(0, 2, 1) ^ odd[:, None]
    if mirrored:
        bits = bits ^ odd
    return np.packbits(bits.reshape(-1, 64), axis=1).view(np.uint64)[:, 0]


def turn_view(view: np.ndarray, turn: tuple[int, int]) -> np.ndarray:
    """Return a square array turned, then mirrored left to right."""
    turned = np.rot90(view, turn[0])
    return turned[:, ::-1] if turn[1] else turned


def close_pairs(
    hashes: np.ndarray,
    others: np.ndarray,
    *,
    per_image: int,
    rng: np.random.Generator | int = 0,
) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
    """Return the pairs whose hashes differ least, few enough to look at each.

    Parameters
    ----------
    hashes, others : (N,) uint64 arrays
        The same twice, or `others` of the turned pictures.
    per_image : int
        How many pairs an image the caller can afford to look at.
    rng : numpy Generator or int

    Returns
    -------
    pairs : (M, 2) int64 array
        Rows i < j with at most `limit` bits different, closest first.
    limit : int
        The largest distance that leaves no more unrelated pairs than that.
    histogram : (65,) int64 array
        Distances of pairs drawn at random, from which the limit was taken.
    """
    N = len(hashes)
    first, second = random_pairs(N, SAMPLE, rng=rng)
    distances = np.bitwise_count(hashes[first] ^ others[second])
    histogram = np.bincount(distances, minlength=65)
    share = min(1.0, per_image * N / max(1, N * (N - 1) // 2))
    below = np.cumsum(histogram) <= share * max(1, len(first))
    limit = max(4, int(below.sum()) - 1)
    found = []
    for start in range(0, N, BLOCK):
        distance = np.bitwise_count(hashes[start : start + BLOCK, None] ^ others)
        i, j = np.nonzero(distance <= limit)
        later = i + start < j
        i, j = i[later], j[later]
        found.append(np.column_stack([distance[i, j], i + start, j]).astype(np.int64))
    pairs = np.concatenate(found) if found else np.empty((0, 3), np.int64)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    return pairs[: 4 * per_image * N, 1:], limit, histogram


def similarities(
    structures: np.ndarray, pairs: np.ndarray, *, turn: tuple[int, int] = (0, 0)
) -> NDArray[np.float64]:
    """Correlate pairs of structures, at the shift that suits them best.

    Parameters
    ----------
    structures : (N, S, S) int8 array
    pairs : (M, 2) int array
        Rows; the second is turned before.
    turn : tuple
        One of `TURNS`.

    Returns
    -------
    (M,) float64 array
        Peak of the cross-correlation within an eighth of the side: 1 for copies, 0
        where either shows nothing.
    """
    from scipy import fft

    S = structures.shape[1]
    reach = S // 8
    near = np.r_[0 : reach + 1, S - reach : S]
    peaks = np.zeros(len(pairs))
    for start in range(0, len(pairs), BLOCK):
        i, j = pairs[start : start + BLOCK].T
        first = structures[i].astype(np.float32)
        second = np.stack([turn_view(structures[k], turn) for k in j], dtype=np.float32)
        products = fft.rfft2(first) * fft.rfft2(second).conj()
        surface = fft.irfft2(products, s=(S, S))[:, near][:, :, near]
        norm = np.sqrt(np.square(first).sum((1, 2)) * np.square(second).sum((1, 2)))
        peaks[start : start + len(i)] = surface.max((1, 2)) / np.maximum(norm, 1)
    return peaks


def random_pairs(
    n: int, count: int, *, rng: np.random.Generator | int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows i < j of all pairs, or of about `count` drawn ones where more."""
    if n * (n - 1) // 2 <= count:
        return np.triu_indices(n, 1)
    first, second = np.random.default_rng(rng).integers(0, n, (2, count))
    differ = first != second
    return np.minimum(first, second)[differ], np.maximum(first, second)[differ]


def _blur(array: np.ndarray, area: np.ndarray, sigma: float) -> NDArray[np.float32]:
    """Return the Gaussian mean of what lies in the area; the outside takes no part."""
    from scipy import ndimage  # takes longer to import than all else here

    inside = area.astype(np.float32)
    weight = ndimage.gaussian_filter(inside, sigma)
    return ndimage.gaussian_filter(array * inside, sigma) / np.maximum(weight, 1e-3)
