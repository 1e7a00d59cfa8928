"""Images that are there more than once: identical, or near-duplicates.

The leak guard's thumbnails (`tinyssl.data.copies`) know an image again that was saved
or resized. Of those that were cropped, turned, mirrored, brightened or photographed
again they only propose pairs, whose vessels and lesions must then correlate.
"""

from collections import defaultdict

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

from tinyssl._threads import blocks
from tinyssl.data.copies import connected, same_pairs, thumbnails
from tinyssl.dictionary import spherical_kmeans, unit
from tinyssl.rows import in_file

LEAST, MOST = 0.55, 0.95  # between them lies the line, whatever the unrelated say
UNRELATED = 2000  # pairs drawn in a part to know how alike unrelated images are
CLOSEST, TURNED = 20, 3  # pairs an image to look at: as it is, in each turn
SMALL = 64  # px; in less, a right eye is a mirrored left one, and all chests are alike
BLOCK = 256  # rows or pairs at a time
# Images a cell, and cells to look in: time grows with the images, not with their
# square. Up to 4,000 images all are compared with all.
CELL, CELLS = 500, 8
# (quarter turns counter-clockwise, mirrored left to right afterwards)
TURNS = tuple((quarters, mirrored) for mirrored in (0, 1) for quarters in range(4))


def find_copies(looks):
    """Find what is there more than once: "pairs" of rows, surest first.

    The line lies twice as far above the median of pairs drawn at random as their 99th
    percentile, within .55 and .95; for two parts it is the higher one. On IDRiD it is
    .55: files saved again reach .99, eyes photographed twice .61. At 28 pixels it is
    .95: only copies of eyes can be told (of chests all 8 pairs found were false).
    The "turn" of the second makes it the first.
    """
    identical = _with_the_first(looks.digest)
    # From here on one of each, for a thousand blank files make half a million pairs
    alone = np.sort(np.unique(looks.digest, return_index=True)[1])
    structures, part = looks.structure, looks.part[alone]
    large = structures.shape[1] >= SMALL
    needed, unrelated = {}, {}
    for name, table in looks.parts.items():
        needed[name], unrelated[name] = _draw_line(structures, alone[part == name])
        needed[name] = needed[name] if large or table.is_fundus else np.inf
    line = np.array([needed[name] for name in part])

    small = thumbnails(looks.coarse[i] for i in alone)
    saved_again = connected(len(alone), np.stack(same_pairs(small, small), axis=1))
    rows, looked_at, found = _with_the_first(saved_again), 0, []
    for turn in TURNS if large else TURNS[:1]:
        certain = len(rows) if turn == TURNS[0] else 0
        most = CLOSEST if turn == TURNS[0] else TURNED
        proposed = propose(small, turn, most, folder=looks.folder)
        rows = np.concatenate([rows[:certain], proposed])
        scores = similarities(structures, alone[rows], turn=turn)
        sure = scores >= line[rows].max(axis=1)
        sure[:certain] = True
        chosen = alone[rows[sure]].tolist()
        found += zip(scores[sure].tolist(), [turn] * len(chosen), chosen, strict=True)
        looked_at += len(proposed)
    pairs = {(i, j): (i, j, "identical", 1.0, TURNS[0]) for i, j in identical.tolist()}
    for score, turn, (i, j) in sorted(found, reverse=True):
        pairs.setdefault((i, j), (i, j, "similar", score, turn))
    names = ("first", "second", "kind", "similarity", "turn")
    return {
        "similarity_needed": needed,
        "similarity_of_unrelated": unrelated,
        "pairs_looked_at": looked_at,
        "pairs": [dict(zip(names, pair, strict=True)) for pair in pairs.values()],
    }


def propose(small, turn, most, *, folder=None):
    """Return (M, 2) rows i < j, one among the `most` nearest to the other, turned."""
    first, second = in_file((2, len(small), small[0].size), np.float32, folder)
    for at in blocks(len(small), BLOCK):
        # Freed of the light of each camera
        flat = small[at] - gaussian_filter(small[at].astype(np.float32), 2, axes=(1, 2))
        flat /= np.sqrt(gaussian_filter(flat**2, 4, axes=(1, 2))) + 2
        first[at] = unit(flat.reshape(len(flat), -1))
        second[at] = unit(turn_views(flat, turn).reshape(len(flat), -1))
    found = [np.empty(0, np.int64)]  # i * N + j
    for one, other, way in ((first, second, 1), (second, first, -1)):
        for rows, others in neighbourhoods(one, other):
            last = min(most, len(others) - 1)  # itself is among them
            likeness = one[rows] @ other[others].T
            nearest = np.argpartition(-likeness, last, axis=1)[:, : last + 1]
            i, j = (np.repeat(rows, last + 1), others[nearest].ravel())[::way]
            found.append(i[i < j] * len(small) + j[i < j])
    pairs = np.unique(np.concatenate(found))
    return np.column_stack(np.divmod(pairs, max(1, len(small))))


def neighbourhoods(one, other):
    """Yield rows of ``one``, and the rows of ``other`` that lie near them.

    Both are unit vectors (N, d). Near are those in the cells around that of the rows,
    which k-means finds.
    """
    K = -(-len(one) // CELL)
    rng = np.random.default_rng(0)
    some = one[rng.choice(len(one), min(len(one), 32 * K), replace=False)]
    centres = spherical_kmeans(some, K, 8, rng=rng)
    cells, others = ((x @ centres.T).argmax(1) for x in (one, other))
    around = np.argsort(-centres @ centres.T, axis=1)[:, :CELLS]
    for cell in range(K):
        near = np.flatnonzero(np.isin(others, around[cell]))
        rows = np.flatnonzero(cells == cell)
        for start in range(0, len(rows) * bool(len(near)), BLOCK):
            yield rows[start : start + BLOCK], near


def turn_views(views, turn):
    """Return (N, S, S, ...) square arrays turned, then mirrored left to right."""
    turned = np.rot90(views, turn[0], axes=(1, 2))
    return turned[:, :, ::-1] if turn[1] else turned


def similarities(structures, pairs, *, turn=(0, 0)):
    """Correlate (M, 2) pairs of (N, S, S) structures, the second turned: (M,) peaks.

    The best shift up to an eighth of the side counts; 0 where either shows nothing.
    """
    S = structures.shape[1]
    near = np.r_[0 : S // 8 + 1, S - S // 8 : S]
    peaks = np.zeros(len(pairs))
    for at in blocks(len(pairs), BLOCK):
        i, j = pairs[at].T
        i, same = np.unique(i, return_inverse=True)  # one has many pairs in a row
        first = structures[i].astype(np.float32)
        second = turn_views(structures[j], turn).astype(np.float32)
        products = fft.rfft2(first)[same] * fft.rfft2(second).conj()
        down = fft.ifft(products, axis=1)[:, near]  # of shifts only what counts
        surface = fft.irfft(down, n=S, axis=2)[:, :, near]
        first, second = (np.square(x).sum((1, 2)) for x in (first, second))
        norm = np.sqrt(first[same] * second)
        peaks[at] = surface.max((1, 2)) / np.maximum(norm, 1)
    return peaks


def _draw_line(structures, rows):
    """Return the similarity that unrelated rows do not reach, and their quantiles."""
    n = len(rows)
    drawn = np.random.default_rng(0).integers(0, max(1, n), (2, UNRELATED))
    pairs = np.unique(np.sort(drawn.T, axis=1), axis=0)  # nearly all are unrelated
    scores = similarities(structures, rows[pairs[pairs[:, 0] < pairs[:, 1]]])
    if n < 2:
        return LEAST, {}
    found = {str(q): float(np.quantile(scores, q)) for q in (0.5, 0.9, 0.99, 1.0)}
    return float(np.clip(2 * found["0.99"] - found["0.5"], LEAST, MOST)), found


def rows_by(keys):
    """Return the rows of each key that is there twice or more; "" is no key."""
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return [group for key, group in rows.items() if len(group) > 1 and key != ""]


def _with_the_first(keys):
    """Return a pair of rows for each later row of a key: the first one, and itself."""
    pairs = [(group[0], row) for group in rows_by(keys) for row in group[1:]]
    return np.array(pairs, np.int64).reshape(-1, 2)
