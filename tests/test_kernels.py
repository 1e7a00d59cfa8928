"""Ring 2: the compiled loops against the answer key."""

import numba
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import batches, image_pairs, label_pairs, mask_pairs, ranked, seeds

from tinyssl import _kernels, reference
from tinyssl._kernels import _compile
from tinyssl.transforms import sample_swaps


@given(label_pairs(low=-1000, high=1000), st.sampled_from(["i2", "i4", "i8"]))
def test_rating_sums(pair, dtype):
    pair = [values.astype(dtype) for values in pair]
    actual = _kernels.agreement.rating_sums(*pair, -1000)
    assert actual == reference.rating_sums(*pair, -1000)


def test_rating_sums_of_bytes_do_not_wrap():
    pair = np.array([0, 255], np.uint8), np.array([255, 0], np.uint8)
    actual = _kernels.agreement.rating_sums(*pair, 0)
    assert actual == (255, 255, 255**2, 255**2, 2 * 255**2, 0, 255)


@given(seeds, st.sampled_from(["u1", "i1"]), st.integers(1, 70_000))
def test_byte_sums(seed, dtype, n):
    ends = np.iinfo(dtype)
    labels = np.random.default_rng(seed).integers(ends.min, ends.max + 1, (2, n))
    pair = labels.astype(dtype)
    assert _kernels.agreement.byte_sums(*pair) == reference.byte_sums(*pair)


@pytest.mark.parametrize(("a", "b"), [(255, 0), (0, 255), (255, 255)])
def test_byte_sums_of_a_full_block_of_the_largest_do_not_wrap(a, b):
    pair = np.full(65_536, a, np.uint8), np.full(65_536, b, np.uint8)
    assert _kernels.agreement.byte_sums(*pair) == reference.byte_sums(*pair)


@given(label_pairs(), st.sampled_from(["u1", "i4", "i8"]))
def test_count_equal(pair, dtype):
    pair = [values.astype(dtype) for values in pair]
    assert _kernels.agreement.count_equal(*pair) == reference.count_equal(*pair)


@given(label_pairs(), st.sampled_from(["u1", "i4", "i8"]))
def test_confusion_matrix(pair, dtype):
    pair = [values.astype(dtype) for values in pair]
    actual = np.zeros((5, 5), np.int64)
    _kernels.agreement.confusion_matrix(*pair, 5, actual)
    np.testing.assert_array_equal(actual, reference.confusion_matrix(*pair, 5))


@given(image_pairs(least=7), st.sampled_from((3, 7)), st.booleans(), st.booleans())
def test_ssim_map(images, size, uniform, unbiased):
    image1, image2, data_range = images
    taps = np.ones(size) if uniform else np.exp(-(np.linspace(-2, 2, size) ** 2))
    taps = tuple((taps / taps.sum()).tolist())
    constants = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    unbias = size**2 / (size**2 - 1) if unbiased else 1.0
    H, W, C = image1.shape
    actual = np.empty((H - size + 1, (W - size + 1) * C))
    arguments = image1, image2, taps, *constants, unbias
    total = _kernels.similarity.ssim_map(*arguments, actual)
    expected = reference.ssim_map(*arguments)
    np.testing.assert_allclose(actual.reshape(expected.shape), expected, atol=1e-12)
    assert total == pytest.approx(expected.sum(), rel=1e-12)
    one_row = np.empty((1, actual.shape[1]))
    assert _kernels.similarity.ssim_map(*arguments, one_row) == total


def test_ssim_map_of_an_image_larger_than_the_sampled_centre():
    rng = np.random.default_rng(0)
    images = rng.uniform(1000, 1001, (2, 150, 70, 1)).astype(np.float32)
    actual = np.empty((144, 64))
    arguments = *images, (1 / 7,) * 7, 1e-4, 9e-4, 49 / 48
    _kernels.similarity.ssim_map(*arguments, actual)
    expected = reference.ssim_map(*arguments)
    np.testing.assert_allclose(actual[..., None], expected, atol=1e-12)


@given(ranked())
def test_sortable_keys(sample):
    y_true, score = sample
    chosen = y_true == 1
    actual = np.empty(chosen.sum() + 1, np.uint64)
    assert _kernels.ranking.sortable_keys(score, chosen, actual) == chosen.sum()
    expected = reference.sortable_keys(score, chosen)
    np.testing.assert_array_equal(actual[:-1], expected)
    # and they have the order of the scores
    below = score[chosen, None] < score[None, chosen]
    np.testing.assert_array_equal(expected[:, None] < expected[None, :], below)


@given(seeds, st.integers(0, 300), st.integers(0, 63), st.booleans())
def test_radix_sort(seed, n, shift, narrow):
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 2**64, n, np.uint64) >> np.uint64(shift)
    keys = keys & np.uint64(0xFF00FF) if narrow else keys  # bytes that are all alike
    expected = reference.radix_sort(keys)
    actual = _kernels.ranking.radix_sort(keys, np.empty_like(keys))
    np.testing.assert_array_equal(actual, expected)


@given(ranked())
def test_count_below(sample):
    y_true, score = sample
    parts = np.sort(score[y_true == 1]), np.sort(score[y_true == 0])
    for scores, others in (parts, parts[::-1], (score[:0], parts[0]), parts[:1] * 2):
        actual = np.empty(len(scores), np.int64)
        _kernels.ranking.count_below(scores, others, actual)
        expected = reference.count_below(scores, others)
        np.testing.assert_array_equal(actual, expected)


@given(mask_pairs(), st.sampled_from((1, 255)))
def test_overlap_counts(masks, value):
    parts = [mask.ravel().astype(np.uint8) * np.uint8(value) for mask in masks]
    actual = _kernels.overlap.overlap_counts(*parts)
    assert actual == reference.overlap_counts(*parts)


@given(batches(), seeds, st.integers(0, 5))
def test_swap_patches(images, seed, num_swaps):
    N, H, W, _ = images.shape
    size = max(1, max(H, W) // 3)
    assume(size <= min(H, W) and max(H, W) >= 2 * size)
    swaps = sample_swaps((H, W), size, N * num_swaps, rng=seed).reshape(N, num_swaps, 4)
    expected, actual = images.copy(), images.copy()
    reference.swap_patches(expected, swaps, size)
    _kernels.swaps.swap_patches(actual.view(np.uint8), swaps, size)
    np.testing.assert_array_equal(actual, expected)


@given(batches(square=True), seeds)
def test_rotate(images, seed):
    turns = np.random.default_rng(seed).integers(4, size=len(images))
    N, H, W, C = images.shape
    actual = np.empty_like(images)
    _kernels.turns.rotate(images.reshape(N, H * W, C), turns, actual)
    np.testing.assert_array_equal(actual, reference.rotate(images, turns))


@pytest.mark.parametrize("side", [31, 32, 33, 65])
def test_rotate_across_tiles(side):
    images = np.arange(4 * side * side).reshape(4, side, side, 1)
    actual = np.empty_like(images)
    turns = np.arange(4)
    _kernels.turns.rotate(images.reshape(4, side * side, 1), turns, actual)
    np.testing.assert_array_equal(actual, reference.rotate(images, turns))


def test_a_kernel_compiles_where_nothing_can_be_cached(monkeypatch):
    def refuse(**options):
        if options.pop("cache", False):
            raise RuntimeError("no locator available")
        return numba.njit(**options)

    monkeypatch.setattr(_compile, "njit", refuse)
    compiled = _compile.kernel(lambda x: x + 1)
    assert compiled(1) == 2
