"""Images that are there more than once: same bytes, same pixels, same picture."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyssl.data.audit.hashes import (
    TURNS,
    close_pairs,
    random_pairs,
    similarities,
    turn_hashes,
)
from tinyssl.data.audit.look import Looks
from tinyssl.data.decode import read_image

LEAST, MOST = 0.55, 0.95  # between them lies the line, whatever the unrelated say
UNRELATED = 2000  # pairs drawn in a part to know how alike unrelated pictures are
CANDIDATES, TURNED = 20, 4  # pairs an image to look at: as they are, in each turn
SMALL = 64  # px; in less, a right eye is a mirrored left one, and all chests are alike


@dataclass(frozen=True)
class Pair:
    """Two rows of `Looks` that show one picture.

    Parameters
    ----------
    first, second : int
    kind : str
        ``"bytes"``, ``"pixels"`` (other bytes, equal when decoded) or ``"picture"``
        (saved again, cropped, lit otherwise, or the same eye photographed again).
    similarity : float
        Correlation of the structures, up to 1.
    turn : (int, int)
        Quarter turns and mirroring of the second that make it the first.
    """

    first: int
    second: int
    kind: str
    similarity: float = 1.0
    turn: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Copies:
    """All pairs, the groups they form, and how the line was drawn.

    Parameters
    ----------
    pairs : tuple of Pair
        Surest first.
    group : (N,) int64 array
        Images of one group show one picture, directly or through others.
    lines : dict of str to float
        Similarity from which a pair of a part counts.
    unrelated : dict of str to (K,) float64 array
        Similarities of pairs of a part drawn at random, from which it was taken.
    max_bits, distances : int and (65,) int64 array
        As `close_pairs` returns them for pictures the right way round.
    looked_at : int
        Pairs the hash proposed.
    """

    pairs: tuple[Pair, ...]
    group: NDArray[np.int64]
    lines: dict[str, float]
    unrelated: dict[str, NDArray[np.float64]]
    max_bits: int
    distances: NDArray[np.int64]
    looked_at: int

    def members(self) -> list[NDArray[np.int64]]:
        """Return the rows of each group of two or more."""
        return rows_by(self.group)


def find_copies(looks: Looks) -> Copies:
    """Find what is there more than once, in one part or in several.

    Parameters
    ----------
    looks : Looks

    Returns
    -------
    Copies

    Notes
    -----
    The hash proposes the closest 20 pairs an image, and 4 for each turned or mirrored
    form. The line lies twice as far above the median of pairs drawn at random as
    their 99th percentile does (a normal law would be at 4.7 deviations), but within
    .55 and .95. Pairs of two parts need the higher line.

    On IDRiD (``tinyssl audit IDRiD --json``, under "copies") random pairs have median
    .14 and percentile .33: the line is at .55. Files saved again are found at .99,
    the same eye photographed twice from .61 on. At 28 pixels (RetinaMNIST) random
    pairs have percentile .74 and the line is at .95: only copies can be told, and
    only of eyes: of PneumoniaMNIST's chests all 8 pairs found so were false. A picture
    turned by more than two or three degrees, or cropped to half, may be missed.
    """
    same_bytes = [
        Pair(int(rows[0]), int(row), "bytes")
        for rows in rows_by(looks.digest)
        for row in rows[1:]
    ]
    # From here on one of each, for a thousand blank files make half a million pairs
    alone = np.sort(np.unique(looks.digest, return_index=True)[1])
    structures = looks.structures[alone]
    unrelated = {
        part: _at_random(structures[looks.part[alone] == part]) for part in looks.parts
    }
    large = looks.structures.shape[1] >= SMALL
    lines = {
        part: _draw_line(unrelated[part]) if large or table.is_fundus else np.inf
        for part, table in looks.parts.items()
    }
    line = np.array([lines[part] for part in looks.part[alone]])
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {}
    looked_at, max_bits, distances = 0, 0, np.zeros(65, np.int64)
    for turn in TURNS if large else TURNS[:1]:
        hashes = looks.hashes[alone]
        per_image = CANDIDATES if turn == TURNS[0] else TURNED
        pairs, limit, histogram = close_pairs(
            hashes, turn_hashes(hashes, turn), per_image=per_image
        )
        if turn == TURNS[0]:
            max_bits, distances = limit, histogram
        looked_at += len(pairs)
        scores = similarities(structures, pairs, turn=turn)
        for k in np.flatnonzero(scores >= line[pairs].max(axis=1)):
            key = tuple(alone[pairs[k]].tolist())
            best[key] = max(best.get(key, (0.0, turn)), (float(scores[k]), turn))
    same_picture = [
        Pair(*key, _kind(looks, *key, score), score, turn)
        for key, (score, turn) in best.items()
    ]
    pairs = same_bytes + sorted(same_picture, key=lambda pair: -pair.similarity)
    group = join(len(looks), ((pair.first, pair.second) for pair in pairs))
    return Copies(
        tuple(sorted(pairs, key=lambda pair: pair.kind)),
        *(group, lines, unrelated, max_bits, distances, looked_at),
    )


def _at_random(structures: np.ndarray) -> NDArray[np.float64]:
    """Return similarities of pairs drawn at random: nearly all are unrelated."""
    return similarities(
        structures, np.column_stack(random_pairs(len(structures), UNRELATED))
    )


def _draw_line(unrelated: np.ndarray) -> float:
    """Return the similarity that unrelated pictures do not reach."""
    if not len(unrelated):
        return LEAST
    median, high = np.quantile(unrelated, [0.5, 0.99])
    return float(np.clip(high + (high - median), LEAST, MOST))


def _kind(looks: Looks, first: int, second: int, score: float) -> str:
    """Return "pixels" where two files decode to the same, else "picture"."""
    paths = looks.path[first], looks.path[second]
    same_size = (looks.height[first], looks.width[first]) == (
        *(looks.height[second], looks.width[second]),
    )
    if score < 0.9 or not same_size or None in paths:
        return "picture"
    same = np.array_equal(read_image(paths[0]), read_image(paths[1]))
    return "pixels" if same else "picture"


def rows_by(keys: np.ndarray) -> list[NDArray[np.int64]]:
    """Return the rows of each key that is there twice or more, in order."""
    rows = defaultdict(list)
    for row, key in enumerate(keys.tolist()):
        rows[key].append(row)
    return [np.array(group) for group in rows.values() if len(group) > 1]


def join(n: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Return a group number for each of n rows; paired rows share one."""
    parent = np.arange(n)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]  # halve the path for the next time
            i = parent[i]
        return i

    for first, second in pairs:
        parent[root(second)] = root(first)
    return np.unique([root(i) for i in range(n)], return_inverse=True)[1]
