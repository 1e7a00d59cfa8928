"""Ring 2: the compiled loops against the answer key."""

import itertools
import math

import numba
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import batches, image_pairs, label_pairs, mask_pairs, ranked, seeds

from tinyssl import _kernels, reference
from tinyssl._kernels import _compile
from tinyssl.transforms import sample_swaps

widths = st.sampled_from(["u1", "i2", "i8"])


@given(label_pairs(low=-1000, high=1000), st.sampled_from(["i2", "i8"]))
def test_rating_sums(pair, dtype):
    pair = [values.astype(dtype) for values in pair]
    actual = _kernels.agreement.rating_sums(*pair, -1000)
    assert actual == reference.rating_sums(*pair, -1000)


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


@given(label_pairs(), widths)
def test_pairs_of_labels(pair, dtype):
    pair = [values.astype(dtype) for values in pair]
    assert _kernels.agreement.count_equal(*pair) == reference.count_equal(*pair)
    table = np.zeros((5, 5), np.int64)
    assert _kernels.agreement.confusion_matrix(*pair, 5, table)
    np.testing.assert_array_equal(table, reference.confusion_matrix(*pair, 5))


@given(st.integers(1, 40), st.lists(st.tuples(*[st.integers(0, 39)] * 2), max_size=3))
def test_num_used(num_classes, counted):
    table = np.zeros((num_classes, num_classes), np.int64)
    for place in counted:
        table[tuple(np.minimum(place, num_classes - 1))] = 1
    assert _kernels.agreement.num_used(table) == reference.num_used(table)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i8", "u8"])
@pytest.mark.parametrize("place", [0, 1])
def test_confusion_matrix_never_counts_outside_its_table(dtype, place):
    outside = np.iinfo(dtype).max if dtype[0] == "u" else np.iinfo(dtype).min
    for label in (5, outside):
        pair = np.zeros((2, 3), dtype)
        pair[place, 1] = label
        table = np.zeros((5, 5), np.int64)
        assert not _kernels.agreement.confusion_matrix(*pair, 5, table)
        assert table.sum() == table[0, 0] == 1


@given(mask_pairs(), st.sampled_from((1, 255)), st.sampled_from((1, 9_000)))
def test_overlap_counts(masks, value, repeats):
    parts = [np.tile(mask.ravel().view(np.uint8) * value, repeats) for mask in masks]
    actual = _kernels.agreement.overlap_counts(*parts)
    assert actual == reference.overlap_counts(*parts)


def check_map(kernel, pair, window, unbias, centre, parts=1):
    """Compare what a kernel writes, a part of the tiles at a time, and its sums."""
    *images, data_range = pair
    constants = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2, unbias
    H, W, C = images[0].shape
    centres = np.full((2, W * C), centre)
    K = window if isinstance(window, int) else len(window)
    rows, columns, tile = H - K + 1, (W - K + 1) * C, 4
    out, sums = np.empty((rows, columns)), np.zeros((-(-rows // tile), columns))
    edges = [min(rows, tile * (part * len(sums) // parts)) for part in range(parts)]
    for start, stop in itertools.pairwise([*edges, rows]):
        kernel(
            *(*images, window, *constants, centres, start, stop, tile, out, sums),
            np.inf,
        )
    one_row, again = np.empty((1, columns)), np.zeros_like(sums)
    kernel(*images, window, *constants, centres, 0, rows, tile, one_row, again, np.inf)
    np.testing.assert_array_equal(again, sums)
    expected = getattr(reference, kernel.__name__)(*images, window, *constants)
    actual = out.reshape(rows, -1, C)
    np.testing.assert_allclose(actual, expected, atol=1e-12, rtol=0)
    assert sums.sum() == pytest.approx(expected.sum(), rel=1e-12)


@given(image_pairs(least=7), st.sampled_from((3, 7)), st.booleans(), st.integers(1, 3))
def test_ssim_map(images, size, unbiased, parts):
    taps = np.exp(-(np.linspace(-2, 2, size) ** 2))
    unbias = size**2 / (size**2 - 1) if unbiased else 1.0
    kernel = _kernels.similarity.ssim_map
    check_map(kernel, images, taps / taps.sum(), unbias, images[-1] / 2, parts)


@given(image_pairs(least=13), st.sampled_from(range(3, 14, 2)), st.integers(1, 3))
def test_box_ssim_map(images, size, parts):
    whole = images[0].dtype == np.uint8  # sums of whole numbers
    centre = np.int32(0) if whole else images[-1] / 2
    check_map(_kernels.similarity.box_ssim_map, images, size, 49 / 48, centre, parts)


@pytest.mark.parametrize("sigma", [1.5, 2.5, 6])
def test_ssim_map_of_long_windows(sigma):
    images = np.random.default_rng(0).uniform(1000, 1001, (2, 60, 50, 2)).astype("f4")
    radius = int(3.5 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = _kernels.similarity.ssim_map
    check_map(kernel, [*images, 1.0], taps / taps.sum(), 1.0, 1000.5)


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


@given(seeds, st.integers(0, 300), st.integers(0, 63), st.integers(0, 7))
def test_radix_sort(seed, n, shift, byte):
    rng = np.random.default_rng(seed)
    wide = rng.integers(0, 2**64, n, np.uint64) >> np.uint64(shift)
    alike = np.full(9, 2**63 + 5, np.uint64)  # but for one byte of one key
    alike[3] ^= np.uint64(128 << 8 * byte)
    for keys in (wide, wide & np.uint64(0xFF00FF), alike):
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


def check_swaps(images, seed, num_swaps):
    N, *shape, _ = images.shape
    size = max(1, max(shape) // 3)
    assume(size <= min(shape) and max(shape) >= 2 * size)
    options = {"rng": seed, "spatial_dims": len(shape)}
    swaps = sample_swaps(shape, size, N * num_swaps, **options)
    swaps = swaps.reshape(N, num_swaps, 2 * len(shape))
    expected, actual = images.copy(), images.copy()
    reference.swap_patches(expected, swaps, size)
    flat = actual.view(np.uint8)
    if len(shape) == 2:
        flat, swaps = flat[:, None], np.insert(swaps, (0, 2), 0, axis=-1)  # z1 and z2
    _kernels.swaps.swap_patches(flat, swaps, size)
    np.testing.assert_array_equal(actual, expected)


counts, volumes = st.integers(0, 5), batches(sides=(7, 7, 7))
test_swap_patches = given(batches(), seeds, counts)(check_swaps)
test_swap_patches_of_volumes = given(volumes, seeds, counts)(check_swaps)


def check_rotate(images, turns):
    expected = reference.rotate(images, turns)
    actual = np.empty_like(expected, order="C")
    _kernels.turns.rotate(images, turns, actual)
    np.testing.assert_array_equal(actual, expected)


@given(batches(square=True), seeds, st.sampled_from(["u1", "u8"]))
def test_rotate(images, seed, dtype):
    turns = np.random.default_rng(seed).integers(4, size=len(images))
    check_rotate(images.real.astype(dtype), turns)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize(
    "shape",
    [(127, 129, 1), (129, 255, 1), (257, 128, 1), (256, 257, 1), (30, 31, 3)],
)
def test_rotate_across_tiles(shape, turn):
    images = np.arange(math.prod(shape)).reshape(1, *shape)
    images = images.astype(np.uint8 if shape[2] == 3 else np.uint64)
    check_rotate(images, np.array([turn]))


@given(seeds, st.sampled_from([(8, 8), (16, 7), (136, 264), (264, 130), (130, 136)]))
def test_rotate_of_planes_of_bytes(seed, shape):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, *shape, 1), np.uint8)
    for turns in ([1, 1], [3, 3], [1, 3]):
        check_rotate(images, np.array(turns))


def test_a_kernel_compiles_where_nothing_can_be_cached(monkeypatch):
    def refuse(**options):
        if options.pop("cache", False):
            raise RuntimeError("no locator available")
        return numba.njit(**options)

    monkeypatch.setattr(_compile, "njit", refuse)
    compiled = _compile.kernel(lambda x: x + 1)
    assert compiled(1) == 2
