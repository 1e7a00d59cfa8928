"""``out=``: the answer goes where it is asked, or nowhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import read_only
from strategies import batches, computed, seeds, ways

from tinyssl.transforms import flip, rotate, sample_swaps, swap_patches
from tinyssl.transforms import swaps as module

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)
SWAPS = sample_swaps((6, 6), 2, 12, rng=0).reshape(4, 3, 4)
CALLS = {
    "swap_patches": lambda images, out: swap_patches(images, SWAPS, 2, out=out),
    "rotate": lambda images, out: rotate(images, [0, 1, 2, 3], out=out),
    "flip": lambda images, out: flip(images, np.arange(4) > 1, out=out),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_in_out(name):
    out = np.zeros_like(IMAGES)
    assert CALLS[name](IMAGES, out) is out
    np.testing.assert_array_equal(out, CALLS[name](IMAGES, None))


def test_out_of_images_that_are_not_square():
    images = IMAGES[:, 1:]
    out = np.zeros((4, 6, 5, 3), np.uint8)
    assert rotate(images, 1, out=out) is out
    np.testing.assert_array_equal(out, np.rot90(images, 1, axes=(1, 2)))


@given(batches(), st.integers(1, 2), seeds, ways)
def test_swapping_in_place(images, size, seed, way):
    N, H, W, _ = images.shape
    try:
        swaps = sample_swaps((H, W), size, 4 * N, rng=seed).reshape(N, 4, 4)
    except ValueError:
        swaps = []
    expected = swap_patches(images, swaps, size)
    with computed(module, way):
        assert swap_patches(images, swaps, size, out=images) is images
    np.testing.assert_array_equal(images, expected)


BAD = {
    "list": (lambda x: x.tolist(), TypeError, "must be a numpy array, found list"),
    "dtype": (lambda x: x.astype("i4"), TypeError, "must have dtype uint8 as images"),
    "shape": (lambda x: x[1:].copy(), ValueError, r"must have shape \(4, 6, 6, 3\)"),
    "flat": (lambda x: x.ravel(), ValueError, r"must have shape .* found \(432,\)"),
    "order": (np.asfortranarray, ValueError, "must be C-contiguous, found strides"),
    "frozen": (read_only, ValueError, "must be writeable, found"),
    "view": (lambda x: x[:], ValueError, "must .*share no memory with images"),
    "images": (lambda x: x, ValueError, "must share no memory with images"),
}
CASES = [(name, case) for name in CALLS for case in BAD]
CASES.remove(("swap_patches", "images"))  # only swaps work in place


@pytest.mark.parametrize(("name", "case"), CASES)
def test_an_out_that_does_not_fit_is_refused_and_stays(name, case):
    spoil, error, message = BAD[case]
    images = IMAGES.copy()
    out = spoil(images)
    with pytest.raises(error, match=f"^out {message}"):
        CALLS[name](images, out)
    np.testing.assert_array_equal(images, IMAGES)
    if np.shape(out) == IMAGES.shape:
        np.testing.assert_array_equal(out, IMAGES)


@pytest.mark.parametrize("bad", [[[0, 0, 1, 1]], [[0, 0, 0, 9]]])
def test_bad_swaps_leave_the_images_alone(bad):
    images = IMAGES.copy()
    with pytest.raises(ValueError, match="swaps must"):
        swap_patches(images, [[0, 0, 3, 3], *bad], 2, out=images)
    np.testing.assert_array_equal(images, IMAGES)


def test_big_endian_images_are_not_swapped_in_place():
    images = IMAGES.astype(">i4")
    with pytest.raises(TypeError, match="have dtype int32 as images, found >i4"):
        swap_patches(images, SWAPS, 2, out=images)
