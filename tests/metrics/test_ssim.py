"""SSIM, PSNR and MSE: equal to scikit-image, laws, every dtype, layout and thread."""

import math
from unittest.mock import Mock

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import image_pairs, lengths, numpy_up_to, seeds, small

from tinyssl.metrics import SSIMAccumulator, _ssim, mse, psnr, ssim

RNG = np.random.default_rng(0)
windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])
dtypes = pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])


@pytest.mark.parametrize(
    ("window", "name", "sizes"),
    [("gaussian", "sigma", (0.7, 1.0, 1.5)), ("uniform", "win_size", (None, 3, 9))],
)
@given(image_pairs(), small, st.data(), st.booleans())
def test_map_equals_skimage(window, name, sizes, images, length, data, unbiased):
    *images, data_range = images
    size = data.draw(st.sampled_from(sizes))
    options = {"data_range": data_range, "channel_axis": -1, "full": True, name: size}
    ours = {"window": window, "sample_covariance": unbiased}
    with numpy_up_to(_ssim, length):
        actual, actual_map = ssim(*images, **ours, **options)
    gaussian = window == "gaussian"
    options |= {"gaussian_weights": gaussian, "use_sample_covariance": unbiased}
    images = [image.astype(float) for image in images]  # its float32 is another number
    expected, full_map = skimage.metrics.structural_similarity(*images, **options)
    edge = int(3.5 * size + 0.5) if gaussian else (size or 7) // 2
    expected_map = full_map[edge:-edge, edge:-edge]
    np.testing.assert_allclose(actual_map, expected_map, atol=1e-10, rtol=0)
    assert actual == pytest.approx(expected, abs=1e-10)


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
    means = flipped, turned, np.mean(channels), score_map.mean()
    assert means == pytest.approx([score] * 4, abs=1e-12)
    assert score_map.max() <= 1
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


@windows
@pytest.mark.parametrize("side", [32, 33])
@dtypes
def test_numpy_answers_calls_of_up_to_32_x_32_values(side, dtype, window, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (2, side, side)).astype(dtype)
    spy = Mock(wraps=_ssim.numpy_ssim_map)
    monkeypatch.setattr(_ssim, "numpy_ssim_map", spy)
    options = {"data_range": 255, "window": window}
    expected = ssim(*images, **options)
    for count in (2, 3):  # whatever came before
        assert ssim(*images, **options) == expected
        assert spy.call_count == (count if side == 32 else 0)
    spy.reset_mock()
    batch = SSIMAccumulator(**options)
    batch.update(*images[:, None].repeat(2, axis=1))
    assert abs(batch.compute() - expected) <= 2.0**-60
    spy.assert_not_called()  # more values in a call


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


@windows
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "u2", "i8", "f2", "f4", ">f8"])
@lengths
def test_every_dtype_gives_the_bits_of_float64(window, dtype, length):
    images = RNG.integers(-128, 128, (2, 20, 17)).astype(dtype)
    top = 65_535 if dtype == "u2" else 255  # -1 is 65,535 there
    wide, options = images.astype(float), {"data_range": top, "window": window}
    with numpy_up_to(_ssim, length):
        expected = ssim(*wide, **options)
        if window == "uniform" and dtype == "u1":  # whole numbers are summed as such
            expected = pytest.approx(expected, abs=1e-13)
        assert ssim(*images, **options) == expected
        # two dtypes meet in float64
        assert ssim(wide[0], images[0], **options) == 1.0
        expected = ssim(wide[0], wide[1] + 0.5, **options)
        assert ssim(images[0], wide[1] + 0.5, **options) == expected


@windows
@dtypes
def test_every_layout_gives_the_same_bits(dtype, window, monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", 0)
    images = RNG.integers(0, 256, (2, 20, 17, 3)).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, "window": window}
    expected = ssim(*images, **options)
    locked = images.copy()
    locked.flags.writeable = False
    for layout in (
        np.asfortranarray(images),
        np.flip(np.flip(images).copy()),
        np.repeat(images, 2, axis=2)[:, :, ::2],
        locked,
        images.astype(images.dtype.newbyteorder(">")),
    ):
        assert ssim(*layout, **options) == expected


@windows
@dtypes
@pytest.mark.parametrize("rows", [17, 30])
def test_bits_do_not_depend_on_the_threads(dtype, window, rows, monkeypatch):
    for name, value in {"SMALL": 0, "SERIAL": 0, "TILE": 4}.items():
        monkeypatch.setattr(_ssim, name, value)
    images, answers = RNG.integers(0, 256, (2, rows, 15, 3)).astype(dtype), []
    options = {"data_range": 255, "channel_axis": -1, "window": window, "full": True}
    for threads in ("1", "2", "3", "7"):
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        score, score_map = ssim(*images, **options)
        answers.append((score, score_map.tobytes()))
    assert answers == answers[:1] * 4


@given(seeds)
def test_mse_and_psnr_equal_skimage(seed):
    image1, image2 = np.random.default_rng(seed).integers(0, 256, (2, 5, 4), np.uint8)
    expected = skimage.metrics.mean_squared_error(image1, image2)
    assert mse(image1, image2) == pytest.approx(expected)
    expected = skimage.metrics.peak_signal_noise_ratio(image1, image2, data_range=255)
    assert psnr(image1, image2, data_range=255) == pytest.approx(expected)
    assert mse(image1, image1) == 0
    assert psnr(image1, image1, data_range=255) == math.inf
    assert psnr([0, 0], [5, 5], data_range=5) == 0.0


def test_large_and_small_values():
    assert mse([1e149], [-1e149]) == pytest.approx(4e298)
    assert psnr([1e-149], [0], data_range=1e30) == pytest.approx(3580)
    assert psnr([1e149], [0], data_range=1e-30) == pytest.approx(-3580)
