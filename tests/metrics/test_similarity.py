"""SSIM, PSNR, MSE: equal to scikit-image, laws at the edges, and refusals."""

import math
from unittest import mock

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, seeds, small

from tinyssl.metrics import _ssim, mse, psnr, ssim


def peer_ssim(image1, image2, **options):
    """scikit-image in float64; its float32 sums are another number."""
    return skimage.metrics.structural_similarity(
        image1.astype(float), image2.astype(float), **options
    )


@given(image_pairs(), small, st.sampled_from((0.7, 1.0, 1.5)), st.booleans())
def test_gaussian_equals_skimage(images, length, sigma, unbiased):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "sigma": sigma}
    expected = peer_ssim(
        image1, image2, gaussian_weights=True, use_sample_covariance=unbiased, **options
    )
    with mock.patch.object(_ssim, "SMALL", length):
        actual = ssim(image1, image2, sample_covariance=unbiased, **options)
    assert actual == pytest.approx(expected, abs=1e-10)


@given(image_pairs(), small, st.sampled_from((None, 3, 9)))
def test_uniform_map_equals_skimage(images, length, win_size):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "full": True}
    options["win_size"] = win_size
    score, expected = peer_ssim(image1, image2, **options)
    with mock.patch.object(_ssim, "SMALL", length):
        actual = ssim(
            image1, image2, window="uniform", sample_covariance=True, **options
        )
    edge = (win_size or 7) // 2
    np.testing.assert_allclose(
        actual[1], expected[edge:-edge, edge:-edge], atol=1e-10, rtol=0
    )
    assert actual[0] == pytest.approx(score, abs=1e-10)


@given(image_pairs(), small)
def test_laws(images, length):
    image1, image2, data_range = images
    options = {"data_range": data_range, "channel_axis": -1}
    with mock.patch.object(_ssim, "SMALL", length):
        score = ssim(image1, image2, **options)
        assert ssim(image1, image1, **options) == 1.0
        assert ssim(image2, image1, **options) == score
        flipped = ssim(image1[::-1, ::-1], image2[::-1, ::-1], **options)
        turned = ssim(image1.swapaxes(0, 1), image2.swapaxes(0, 1), **options)
        full, score_map = ssim(image1, image2, full=True, **options)
        channels = [
            ssim(image1[..., c], image2[..., c], data_range=data_range)
            for c in range(image1.shape[-1])
        ]
        first = ssim(
            np.moveaxis(image1, -1, 0),
            np.moveaxis(image2, -1, 0),
            data_range=data_range,
            channel_axis=0,
        )
    assert -1 <= score <= 1
    assert flipped == pytest.approx(score, abs=1e-12)
    assert turned == pytest.approx(score, abs=1e-12)
    assert np.mean(channels) == pytest.approx(score, abs=1e-12)
    assert score_map.max() <= 1
    assert score_map.mean() == pytest.approx(score, abs=1e-12)
    H, W, C = image1.shape
    assert score_map.shape == (H - 10, W - 10, C)
    assert first == full == score


@pytest.mark.parametrize("length", [0, 2**62])
@pytest.mark.parametrize(("dtype", "offset"), [("f4", 1000.0), ("f8", 1e8)])
def test_an_offset_costs_no_digits(length, dtype, offset):
    rng = np.random.default_rng(0)
    image1, image2 = (offset + rng.uniform(0, 1, (2, 40, 40))).astype(dtype)
    with mock.patch.object(_ssim, "SMALL", length):
        actual = ssim(image1, image2, data_range=1)
    # the luminance term is 1 for so large an offset
    flat1, flat2 = (x.astype(float) - offset for x in (image1, image2))
    expected = np.mean(list(contrast_term(flat1, flat2)))
    assert actual == pytest.approx(expected, abs=1e-6)


def contrast_term(image1, image2):
    """Contrast and structure by brute force, for data_range 1."""
    offsets = np.arange(-5, 6)
    taps = np.exp(-0.5 * (offsets / 1.5) ** 2)
    weights = np.outer(taps, taps) / taps.sum() ** 2
    for i in range(len(image1) - 10):
        for j in range(len(image1) - 10):
            a, b = (x[i : i + 11, j : j + 11] for x in (image1, image2))
            a, b = a - np.sum(weights * a), b - np.sum(weights * b)
            covariance, variances = np.sum(weights * a * b), weights * (a * a + b * b)
            yield (2 * covariance + 9e-4) / (np.sum(variances) + 9e-4)


@pytest.mark.parametrize("length", [0, 2**62])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 255), (30000, 30008), (7, 100)])
def test_constant_images_follow_the_luminance_term(length, x, y):
    image1, image2 = np.full((16, 16), x, "u2"), np.full((16, 16), y, "u2")
    c1 = (0.01 * 255) ** 2
    with mock.patch.object(_ssim, "SMALL", length):
        actual = ssim(image1, image2, data_range=255)
    expected = (2 * x * y + c1) / (x**2 + y**2 + c1)
    assert actual == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("length", [0, 2**62])
def test_rounding_never_lifts_the_map_above_one(length):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 1, (40, 40))
    nearly = image + rng.normal(0, 1e-9, image.shape)
    with mock.patch.object(_ssim, "SMALL", length):
        score, score_map = ssim(image, nearly, data_range=1, full=True)
    assert score_map.max() <= 1
    assert score <= 1


@given(seeds)
def test_mse_and_psnr_equal_skimage(seed):
    image1, image2 = np.random.default_rng(seed).integers(0, 256, (2, 5, 4), np.uint8)
    expected = skimage.metrics.mean_squared_error(image1, image2)
    assert mse(image1, image2) == pytest.approx(expected)
    expected = skimage.metrics.peak_signal_noise_ratio(image1, image2, data_range=255)
    assert psnr(image1, image2, data_range=255) == pytest.approx(expected)
    assert mse(image1, image1) == 0
    assert psnr(image1, image1, data_range=255) == math.inf


GRAY, COLOUR = np.zeros((16, 16)), np.zeros((16, 16, 3))


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        ((GRAY, COLOUR), {}, ValueError, "image1 and image2 must have one shape"),
        ((GRAY[:0], GRAY[:0]), {}, ValueError, "image1 must not be empty"),
        ((GRAY, GRAY + math.nan), {}, ValueError, "image2 must be finite, found nan"),
        ((GRAY + math.inf, GRAY), {}, ValueError, r"found inf at position \(0, 0\)"),
        ((GRAY + 1j, GRAY), {}, TypeError, "image1 must hold numbers"),
        ((COLOUR, COLOUR), {}, ValueError, "2 axes.*: channel_axis says where the col"),
        ((GRAY, GRAY), {"channel_axis": 0}, ValueError, "image1 must have 3 axes"),
        ((COLOUR, COLOUR), {"channel_axis": 3}, ValueError, "channel_axis must lie in"),
        ((COLOUR, COLOUR), {"channel_axis": -4}, ValueError, "channel_axis must be >="),
        ((GRAY[:9], GRAY[:9]), {}, ValueError, "at least 11 x 11.* a smaller sigma"),
        ((GRAY, GRAY), {"data_range": 0}, ValueError, "data_range must be finite and"),
        ((GRAY, GRAY), {"data_range": "1"}, TypeError, "data_range must be a number"),
        (
            (GRAY, GRAY),
            {"data_range": math.inf},
            ValueError,
            "data_range must be fin",
        ),
        ((GRAY, GRAY), {"k1": 0}, ValueError, "k1 must be finite and > 0"),
        ((GRAY, GRAY), {"k2": -1}, ValueError, "k2 must be finite and > 0"),
        ((GRAY, GRAY), {"window": "box"}, ValueError, "window must be one of 'gaussia"),
        ((GRAY, GRAY), {"win_size": 7}, ValueError, "win_size is for window='uniform'"),
        ((GRAY, GRAY), {"sigma": 0.1}, ValueError, "sigma must be at least 1/7"),
        ((GRAY, GRAY), {"sigma": 0}, ValueError, "sigma must be finite and > 0"),
    ],
)
def test_refusals(images, options, error, message):
    with pytest.raises(error, match=message):
        ssim(*images, **{"data_range": 1, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"win_size": 8}, ValueError, "win_size must be odd, found 8"),
        ({"win_size": 1}, ValueError, "win_size must be >= 3, found 1"),
        ({"win_size": 7.0}, TypeError, "win_size must be an integer, found 7.0"),
        ({"win_size": 17}, ValueError, "at least 17 x 17.* a smaller win_size mends"),
        ({"sigma": 2}, ValueError, "sigma is for window='gaussian', found 2"),
    ],
)
def test_refusals_of_a_uniform_window(options, error, message):
    with pytest.raises(error, match=message):
        ssim(GRAY, GRAY, data_range=1, window="uniform", **options)


def test_refusals_of_mse_and_psnr():
    with pytest.raises(ValueError, match="one shape"):
        mse([0, 1], [0])
    with pytest.raises(ValueError, match="image2 must be finite"):
        mse([0], [math.nan])
    with pytest.raises(ValueError, match="data_range must be finite and > 0"):
        psnr([0], [1], data_range=-1)
