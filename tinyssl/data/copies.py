"""Which images show one picture: the guard against leaks, in every path alike.

Of IDRiD's 51 segmentation images 42 recur in its grading part, three by their hash, all
by their thumbnail. For copies that were turned or cropped there is ``tinyssl audit``.
"""

from hashlib import sha256

import numpy as np

from tinyssl._threads import blocks
from tinyssl.data.crop import resize

SIDE = 16  # pixels
# Root mean square difference in bytes: IDRiD's copies differ by at most 0.9, its other
# images by at least 3.6; synthetic eyes saved with quality 50 by 2.9, others by 7.5.
SAME = 3.0
AXES, SAMPLE = 8, 512  # of a projection, and rows that say along which they differ
BLOCK = 4096  # pairs at a time


def thumbnails(images):
    """Return N images (H, W, 3) or volumes (D, H, W, 1) as (N, 16, 16, 3) uint8."""
    middle = (x if x.ndim == 3 else x[len(x) // 2].repeat(3, axis=-1) for x in images)
    small = [resize(image, (SIDE, SIDE)) for image in middle]
    return np.array(small, np.uint8).reshape(-1, SIDE, SIDE, 3)


def seen_before(seen, new):
    """Say which of N new thumbnails show an image that was seen: (N,) bool array."""
    return np.isin(np.arange(len(new)), same_pairs(new, seen)[0])


def same_pairs(first, second):
    """Return the rows of two sets of thumbnails that show one picture, in order.

    A projection brings no two further apart. So only those are compared that are near
    one another along a few axes, found in a tree: of different eyes few pairs are left.
    """
    from scipy.spatial import KDTree

    length = SIDE * SIDE * 3
    first, second = (x.reshape(-1, length) for x in (first, second))
    if not (len(first) and len(second)):
        return np.empty((2, 0), np.int64)
    some = second[:: -(-len(second) // SAMPLE)].astype(np.float32)
    axes = np.linalg.svd(some - some.mean(0), full_matrices=False)[2][:AXES].T
    tree, others = (KDTree(x @ axes) for x in (first, second))
    near = tree.query_ball_tree(others, SAME * length**0.5 + 0.1)  # and rounding
    rows = np.repeat(np.arange(len(near)), [*map(len, near)])
    others = np.array([i for some in near for i in sorted(some)], np.int64)
    same = np.zeros(len(rows), bool)
    for at in blocks(len(rows), BLOCK):
        apart = first[rows[at]].astype(np.int32) - second[others[at]]
        same[at] = np.square(apart).sum(1) < SAME**2 * length
    return rows[same], others[same]


def connected(n, pairs):
    """Return the groups 0, 1, ... of n rows whose pairs belong together: (n,) int64."""
    from scipy.sparse import coo_array  # takes longer to import than all else here
    from scipy.sparse.csgraph import connected_components

    first, second = np.asarray(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(first), bool), (first, second)), (n, n))
    group = connected_components(links, directed=False)[1]
    _, start, which = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(start))[which]


def content_groups(images, patient=None, small=None):
    """Give one number to all images of one patient, and to all copies of one picture.

    Of N images byte-identical ones share a group; with their thumbnails `small` so do
    copies that were saved again. "" is an unknown patient. If a copy of p1's picture is
    filed under p2, both become one group. Groups, (N,) int64, are numbered in order of
    first appearance.
    """
    N = len(images)
    if patient is not None and len(patient) != N:
        raise ValueError(f"patient must have {N} entries, found {len(patient)}")
    first_with, pairs = {}, []
    for i in range(N):
        keys = [sha256(np.ascontiguousarray(images[i])).digest()]
        if patient is not None and patient[i]:
            keys.append(str(patient[i]))
        pairs += [(first_with.setdefault(key, i), i) for key in keys]
    if small is not None:
        pairs += np.transpose(same_pairs(small, small)).tolist()
    return connected(N, pairs)
