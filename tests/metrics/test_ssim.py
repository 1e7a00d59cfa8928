"""SSIM: equal to scikit-image, and laws at the edges, in NumPy and in the kernels."""

import collections
import contextlib
from unittest import mock

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, seeds

from tinyssl.metrics import _ssim, ssim

ROUTES = ("numpy", "kernel")
routes = st.sampled_from(ROUTES)


@contextlib.contextmanager
def route(name):
    """Send images of any size through NumPy, or through the kernels."""
    with (
        mock.patch.object(_ssim, "SMALL", 2**62 if name == "numpy" else 0),
        mock.patch.object(_ssim, "_ready", set()),
        mock.patch.object(_ssim, "PATIENCE", 2**62),
    ):
        yield


def peer_ssim(image1, image2, **options):
    """scikit-image in float64; its float32 sums are another number."""
    return skimage.metrics.structural_similarity(
        image1.astype(float), image2.astype(float), **options
    )


@given(image_pairs(), routes, st.sampled_from((0.7, 1.0, 1.5)), st.booleans())
def test_gaussian_equals_skimage(images, way, sigma, unbiased):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "sigma": sigma}
    expected = peer_ssim(
        image1, image2, gaussian_weights=True, use_sample_covariance=unbiased, **options
    )
    with route(way):
        actual = ssim(image1, image2, sample_covariance=unbiased, **options)
    assert actual == pytest.approx(expected, abs=1e-10)


@given(image_pairs(), routes, st.sampled_from((None, 3, 9)), st.booleans())
def test_uniform_map_equals_skimage(images, way, win_size, unbiased):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "full": True}
    options["win_size"] = win_size
    score, expected = peer_ssim(
        image1, image2, use_sample_covariance=unbiased, **options
    )
    with route(way):
        actual = ssim(
            image1, image2, window="uniform", sample_covariance=unbiased, **options
        )
    edge = (win_size or 7) // 2
    np.testing.assert_allclose(
        actual[1], expected[edge:-edge, edge:-edge], atol=1e-10, rtol=0
    )
    assert actual[0] == pytest.approx(score, abs=1e-10)


@given(image_pairs(), routes, st.sampled_from(("gaussian", "uniform")))
def test_laws(images, way, window):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "window": window}
    gray = {"data_range": data_range, "window": window}
    with route(way):
        score = ssim(image1, image2, **options)
        assert ssim(image1, image1, **options) == 1.0
        assert ssim(image2, image1, **options) == score
        flipped = ssim(image1[::-1, ::-1], image2[::-1, ::-1], **options)
        turned = ssim(image1.swapaxes(0, 1), image2.swapaxes(0, 1), **options)
        full, score_map = ssim(image1, image2, full=True, **options)
        C = image1.shape[-1]
        channels = [ssim(image1[..., c], image2[..., c], **gray) for c in range(C)]
        moved = (np.moveaxis(image, -1, 0) for image in (image1, image2))
        first = ssim(*moved, channel_axis=0, **gray)
    assert -1 <= score <= 1
    assert flipped == pytest.approx(score, abs=1e-12)
    assert turned == pytest.approx(score, abs=1e-12)
    assert np.mean(channels) == pytest.approx(score, abs=1e-12)
    assert score_map.max() <= 1
    assert score_map.mean() == pytest.approx(score, abs=1e-12)
    lost = 10 if window == "gaussian" else 6
    assert score_map.shape == (len(image1) - lost, image1.shape[1] - lost, C)
    assert first == full == score


WINDOWS = [{}, {"sigma": 1.7}, {"sigma": 3}, {"window": "uniform", "win_size": 15}]


@given(seeds, st.sampled_from(("u1", "f8")), st.sampled_from(WINDOWS))
def test_a_small_image_has_the_same_bits_before_and_after_the_kernel_loads(
    seed, dtype, window
):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, 40, 33, rng.integers(1, 4))).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, "full": True, **window}
    with route("numpy"):
        expected, expected_map = ssim(*images, **options)
    with mock.patch.object(_ssim, "_ready", {np.dtype(float)}):
        actual, actual_map = ssim(*images, **options)
    assert actual == expected
    np.testing.assert_array_equal(actual_map, expected_map)


def test_the_kernel_loads_for_many_small_images(monkeypatch):
    monkeypatch.setattr(_ssim, "_ready", set())
    monkeypatch.setattr(_ssim, "_seen", collections.Counter())
    monkeypatch.setattr(_ssim, "PATIENCE", 600)
    image = np.eye(16)
    for _ in range(2):
        assert ssim(image, image, data_range=1) == 1.0
        assert not _ssim._ready
    assert ssim(image, image, data_range=1) == 1.0
    assert _ssim._ready == {image.dtype}


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_a_few_larger_images_do_not_wait_for_the_kernel(dtype, monkeypatch):
    monkeypatch.setattr(_ssim, "_ready", set())
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "3")
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 256)).astype(dtype)
    options = {"data_range": 255, "full": True}
    expected, expected_map = ssim(*images, **options)
    assert not _ssim._ready
    monkeypatch.setattr(_ssim, "PATIENCE", 0)
    actual, actual_map = ssim(*images, **options)
    assert _ssim._ready == {images.dtype}
    assert actual == expected
    np.testing.assert_array_equal(actual_map, expected_map)


def test_a_box_has_its_own_kernel_for_all_but_small_images(monkeypatch):
    monkeypatch.setattr(_ssim, "_ready", set())
    monkeypatch.setattr(_ssim, "numpy_ssim_map", None)
    image = np.eye(70)
    assert ssim(image, image, data_range=1, window="uniform") == 1.0


@pytest.mark.parametrize("way", ROUTES)
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
@pytest.mark.parametrize(("dtype", "offset"), [("f4", 1000.0), ("f8", 1e8)])
def test_an_offset_costs_no_digits(way, window, dtype, offset):
    rng = np.random.default_rng(0)
    image1, image2 = (offset + rng.uniform(0, 1, (2, 80, 40))).astype(dtype)
    with route(way):
        actual = ssim(image1, image2, data_range=1, window=window)
    # the luminance term is 1 for so large an offset
    flat1, flat2 = (x.astype(float) - offset for x in (image1, image2))
    expected = np.mean(list(contrast_term(flat1, flat2, window)))
    assert actual == pytest.approx(expected, abs=1e-6)


def contrast_term(image1, image2, window):
    """Contrast and structure by brute force, for data_range 1."""
    offsets = np.arange(-5, 6)
    taps = np.exp(-0.5 * (offsets / 1.5) ** 2) if window == "gaussian" else np.ones(7)
    weights = np.outer(taps, taps) / taps.sum() ** 2
    K = len(taps)
    for i in range(image1.shape[0] - K + 1):
        for j in range(image1.shape[1] - K + 1):
            a, b = (x[i : i + K, j : j + K] for x in (image1, image2))
            a, b = a - np.sum(weights * a), b - np.sum(weights * b)
            covariance, variances = np.sum(weights * a * b), weights * (a * a + b * b)
            yield (2 * covariance + 9e-4) / (np.sum(variances) + 9e-4)


def test_uint16_at_an_offset_keeps_its_contrast():
    rng = np.random.default_rng(0)
    image1, image2 = 30_000 + rng.integers(0, 8, (2, 90, 90)).astype("u2")
    expected = ssim(image1 - 30_000, image2 - 30_000, data_range=8)
    actual = ssim(image1, image2, data_range=8)
    # the luminance term, which is 1 at an offset, lowers the first
    assert expected < actual < 0.1
    one_more = ssim(image1 + 1, image2 + 1, data_range=8)
    assert actual == pytest.approx(one_more, abs=1e-9)


@pytest.mark.parametrize("way", ROUTES)
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 255), (30000, 30008), (7, 100)])
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_constant_images_follow_the_luminance_term(way, window, x, y, dtype):
    image1, image2 = np.full((16, 16), x, dtype), np.full((16, 16), y, dtype)
    c1 = (0.01 * 255) ** 2
    with route(way):
        actual = ssim(image1, image2, data_range=255, window=window)
    expected = (2 * x * y + c1) / (x**2 + y**2 + c1)
    assert actual == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("way", ROUTES)
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_rounding_never_lifts_the_map_above_one(way, window):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 1, (40, 40))
    nearly = image + rng.normal(0, 1e-9, image.shape)
    with route(way):
        score, score_map = ssim(image, nearly, data_range=1, full=True, window=window)
    assert score_map.max() <= 1
    assert score <= 1


def test_bytes_in_a_window_beyond_int32_are_summed_as_floats():
    image = np.full((140, 140), 255, np.uint8)
    other = image - (np.arange(140) % 2).astype(np.uint8)
    options = {"data_range": 255, "window": "uniform"}
    for win_size in (127, 129):
        actual = ssim(image, other, win_size=win_size, **options)
        expected = ssim(image / 1.0, other / 1.0, win_size=win_size, **options)
        assert actual == pytest.approx(expected, abs=1e-12)
        assert 0.9 < actual < 1
