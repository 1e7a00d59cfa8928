"""Hypothesis strategies and small helpers that several test files share."""

import contextlib

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

seeds = st.integers(0, 2**32 - 1)
# lengths up to which a public function uses NumPy: never, or always
small = st.sampled_from((0, 2**62))
lengths = pytest.mark.parametrize("length", [0, 2**62])
# loops that run as Python (NUMBA_DISABLE_JIT=1) warn where integers wrap
wraps = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@st.composite
def label_pairs(draw, low=0, high=4, max_size=40):
    """Two int64 label arrays of one length."""
    n = draw(st.integers(1, max_size))
    labels = npst.arrays(np.int64, n, elements=st.integers(low, high))
    return draw(labels), draw(labels)


@st.composite
def weights(draw, n):
    """Weights with some zeros, not all."""
    values = draw(npst.arrays(np.float64, n, elements=st.sampled_from((0, 0.5, 1, 3))))
    values[draw(st.integers(0, n - 1))] = 2.0
    return values


@st.composite
def ranked(draw, num_classes=2, max_size=40):
    """Labels and scores with many ties, infinite scores among them."""
    n = draw(st.integers(1, max_size))
    values = st.sampled_from((-np.inf, -1e300, -1.5, -0.0, 0.0, 1e-320, 0.25, np.inf))
    shape = n if num_classes == 2 else (n, num_classes)
    y_true = draw(npst.arrays(np.int64, n, elements=st.integers(0, num_classes - 1)))
    return y_true, draw(npst.arrays(np.float64, shape, elements=values))


@st.composite
def mask_pairs(draw, count=2):
    """Masks of one two-dimensional shape."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    return tuple(draw(npst.arrays(np.bool_, shape)) for _ in range(count))


@st.composite
def image_pairs(draw, least=11, most=24):
    """Two alike (H, W, C) images of one dtype, with their data range."""
    H, W = draw(st.integers(least, most)), draw(st.integers(least, most))
    C = draw(st.sampled_from((1, 3)))
    kinds = st.sampled_from((("u1", 255), ("f4", 1.0), ("f8", 100.0)))
    dtype, data_range = draw(kinds)
    rng = np.random.default_rng(draw(seeds))
    image = rng.uniform(0, data_range, (H, W, C))
    noisy = image + rng.normal(0, draw(st.sampled_from((0, 0.1, 1))), image.shape)
    noisy = np.clip(noisy, 0, data_range)
    return image.astype(dtype), noisy.astype(dtype), data_range


@st.composite
def batches(draw, square=False, sides=(12, 12)):
    """(N, H, W, C) images of some dtype, of sides up to these."""
    N, *shape, C = (draw(st.integers(1, most)) for most in (3, *sides, 3))
    shape = shape[:1] * len(sides) if square else shape
    dtype = draw(st.sampled_from(["?", "u1", "i2", "f4", "f8", "c8", "c16"]))
    rng = np.random.default_rng(draw(seeds))
    return rng.integers(0, 256, (N, *shape, C)).astype(dtype)


def volumes():
    """(N, D, H, W, C) volumes of some dtype."""
    return batches(sides=(7, 7, 7))


@st.composite
def grids(draw, most=4, side=4):
    """(N, H, W, C) or (N, H, W) images of some dtype, and the rows and columns."""
    rows, cols = draw(st.integers(1, most)), draw(st.integers(1, most))
    h, w = draw(st.integers(1, side)), draw(st.integers(1, side))
    N, C = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    dtype = draw(st.sampled_from(["?", "u1", "i2", "i8", "f2", "f4", "f8", "c16"]))
    shape = (N, rows * h, cols * w) + ((C,) if draw(st.booleans()) else ())
    rng = np.random.default_rng(draw(seeds))
    return rng.integers(0, 256, shape).astype(dtype), (rows, cols)


@st.composite
def discs(draw, least=12, most=32):
    """A round field of view in an image, as bools."""
    H, W = draw(st.integers(least, most)), draw(st.integers(least, most))
    y, x = np.mgrid[:H, :W]
    return np.hypot((y + 0.5) / H - 0.5, (x + 0.5) / W - 0.5) < 0.5


# how a transform computes: up to which size by NumPy, and on how many threads
ways = st.tuples(small, st.integers(1, 3))


@contextlib.contextmanager
def computed(module, way):
    """Let a transform's module compute this way, however small the images are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", way[0])
        patch.setattr(module._arrays, "PART", 1)
        patch.setenv("TINYSSL_NUM_THREADS", str(way[1]))
        yield


@contextlib.contextmanager
def refused(message):
    """Expect a ValueError of one line that says this, or "TypeError: this"."""
    kind = TypeError if message.startswith("TypeError: ") else ValueError
    with pytest.raises(kind, match=message.removeprefix("TypeError: ")) as caught:
        yield
    assert "\n" not in str(caught.value)


@contextlib.contextmanager
def numpy_up_to(module, length):
    """Let a module take NumPy up to this length, and the kernel beyond it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", length)
        yield
