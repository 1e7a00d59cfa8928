"""PSNR and MSE: equal to scikit-image, and the ends of float64."""

import math

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from strategies import seeds

from tinyssl.metrics import mse, psnr


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
