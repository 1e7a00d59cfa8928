"""SSIM: equal to scikit-image, and laws at the edges, in NumPy and in the kernels."""

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, numpy_up_to, seeds, small

from tinyssl.metrics import SSIMAccumulator, _ssim, ssim

windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])
lengths = pytest.mark.parametrize("length", [0, 2**62])


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
    with numpy_up_to(_ssim, length):
        actual = ssim(image1, image2, sample_covariance=unbiased, **options)
    assert actual == pytest.approx(expected, abs=1e-10)


@given(image_pairs(), small, st.sampled_from((None, 3, 9)), st.booleans())
def test_uniform_map_equals_skimage(images, length, win_size, unbiased):
    *images, data_range = images
    options = {"data_range": data_range, "channel_axis": -1, "full": True}
    options["win_size"] = win_size
    score, expected = peer_ssim(*images, use_sample_covariance=unbiased, **options)
    options |= {"window": "uniform", "sample_covariance": unbiased}
    with numpy_up_to(_ssim, length):
        actual, actual_map = ssim(*images, **options)
    edge = (win_size or 7) // 2
    expected = expected[edge:-edge, edge:-edge]
    np.testing.assert_allclose(actual_map, expected, atol=1e-10, rtol=0)
    assert actual == pytest.approx(score, abs=1e-10)


@given(image_pairs(), small, st.sampled_from(("gaussian", "uniform")))
def test_laws(images, length, window):
    image1, image2, data_range = images
    gray = {"data_range": data_range, "window": window}
    options = {"channel_axis": -1, **gray}
    with numpy_up_to(_ssim, length):
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


@given(seeds, st.sampled_from(("u1", "f4", "f8")), st.sampled_from(WINDOWS))
def test_numpy_and_the_kernel_give_the_same_bits(seed, dtype, window):
    rng = np.random.default_rng(seed)
    shape = rng.integers(23, 40), rng.integers(23, 40), rng.integers(1, 4)
    images = rng.integers(0, 256, (2, *shape)).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, **window}
    with numpy_up_to(_ssim, images[0].size):
        expected, expected_map = ssim(*images, full=True, **options)
        batch = SSIMAccumulator(**options)
        batch.update(*images[:, None].repeat(2, axis=1))
        assert abs(batch.compute() - expected) <= 2.0**-60  # its own unit
    if "window" not in window:  # a larger box has a kernel of its own
        with numpy_up_to(_ssim, 0):
            actual, actual_map = ssim(*images, full=True, **options)
        assert actual == expected
        np.testing.assert_array_equal(actual_map, expected_map)


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
@pytest.mark.parametrize("side", [32, 33])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_numpy_answers_calls_of_up_to_32_x_32_values(side, dtype, window, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (2, side, side)).astype(dtype)
    calls, answer = [], _ssim.numpy_ssim_map
    monkeypatch.setattr(
        _ssim, "numpy_ssim_map", lambda *args: (calls.append(1), answer(*args))
    )
    options = {"data_range": 255, "window": window}
    expected = ssim(*images, **options)
    for count in (2, 3):  # whatever came before
        assert ssim(*images, **options) == expected
        assert len(calls) == (count if side == 32 else 0)
    calls.clear()
    batch = SSIMAccumulator(**options)
    batch.update(*images[:, None].repeat(2, axis=1))
    assert abs(batch.compute() - expected) <= 2.0**-60
    assert not calls  # more values in a call


@windows
@lengths
@pytest.mark.parametrize(
    ("dtype", "offset", "contrast"), [("f4", 1000, 1), ("f8", 1e8, 1), ("u2", 30000, 8)]
)
def test_an_offset_costs_no_digits(length, window, dtype, offset, contrast):
    rng = np.random.default_rng(0)
    images = (offset + contrast * rng.uniform(0, 1, (2, 40, 30))).astype(dtype)
    with numpy_up_to(_ssim, length):
        actual = ssim(*images, data_range=contrast, window=window)
    # contrast and structure by brute force: for so large an offset the luminance is 1
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps = taps if window == "gaussian" else np.ones(7)
    weights, K = np.outer(taps, taps) / taps.sum() ** 2, len(taps)
    terms = []
    for i, j in np.ndindex(40 - K + 1, 30 - K + 1):
        a, b = images[:, i : i + K, j : j + K].astype(float) - offset
        a, b = a - np.sum(weights * a), b - np.sum(weights * b)
        variances = np.sum(weights * (a * a + b * b))
        c2 = (0.03 * contrast) ** 2
        terms.append((2 * np.sum(weights * a * b) + c2) / (variances + c2))
    assert actual == pytest.approx(np.mean(terms), abs=1e-6)


@windows
@lengths
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0, 255), (30000, 30008), (7, 100)])
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_constant_images_follow_the_luminance_term(length, window, x, y, dtype):
    image1, image2 = np.full((16, 16), x, dtype), np.full((16, 16), y, dtype)
    c1 = (0.01 * 255) ** 2
    with numpy_up_to(_ssim, length):
        actual = ssim(image1, image2, data_range=255, window=window)
    expected = (2 * x * y + c1) / (x**2 + y**2 + c1)
    assert actual == pytest.approx(expected, abs=1e-12)


@windows
@lengths
def test_rounding_never_lifts_the_map_above_one(length, window):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 1, (40, 40))
    nearly = image + rng.normal(0, 1e-9, image.shape)
    with numpy_up_to(_ssim, length):
        score, score_map = ssim(image, nearly, data_range=1, full=True, window=window)
    assert score_map.max() <= 1
    assert score <= 1


def test_bytes_in_a_window_beyond_int32_are_summed_as_floats():
    image = np.full((132, 131), 255, np.uint8)
    other = image - (np.arange(131) % 2).astype(np.uint8)
    options = {"data_range": 255, "window": "uniform"}
    for win_size in (127, 129):
        actual = ssim(image, other, win_size=win_size, **options)
        expected = ssim(image / 1.0, other / 1.0, win_size=win_size, **options)
        assert actual == pytest.approx(expected, abs=1e-12)
        assert 0.9 < actual < 1
