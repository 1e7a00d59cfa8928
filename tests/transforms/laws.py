"""What several files ask of transforms alike."""

import numpy as np
import pytest
import scipy.stats


def pure(verb, images, *args, **options):
    """Call a verb; its answer is new, C-contiguous and of one type with the images."""
    before = images.copy()
    answer = verb(images, *args, **options)
    np.testing.assert_array_equal(images, before)
    changed = answer[0] if isinstance(answer, tuple) else answer
    assert changed.dtype == images.dtype
    assert changed.flags.c_contiguous
    assert not np.shares_memory(changed, images)
    return answer


def covered(region, corner, sides):
    """Return whether a box lies wholly in the region."""
    box = (slice(c, c + s) for c, s in zip(corner, sides, strict=True))
    return min(corner) >= 0 and region[tuple(box)].sum() == np.prod(sides)


def free(region, sides):
    """Return all corners of boxes that lie wholly in the region."""
    corners = np.ndindex(*np.subtract(region.shape, sides) + 1)
    return np.array([corner for corner in corners if covered(region, corner, sides)])


def assert_uniform(drawn, places, chances=None):
    """Each row drawn is one of the places, all equally likely, or as chances say."""
    counts = (np.asarray(drawn)[:, None] == places).all(axis=-1).sum(axis=0)
    chances = np.full(len(places), 1 / len(places)) if chances is None else chances
    assert counts.sum() == len(drawn)
    assert not counts[chances == 0].any()
    counts, expected = (x[chances > 0] for x in (counts, len(drawn) * chances))
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


FORMS = {  # of one array
    "list": np.ndarray.tolist,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "fortran": np.asfortranarray,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "read-only": read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "tensor": lambda x: pytest.importorskip("torch").from_numpy(x.copy()),
}
