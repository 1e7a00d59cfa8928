"""PSNR and MSE: equal to scikit-image, and refusals."""

import math

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from strategies import refused, seeds

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


def test_refusals_of_mse_and_psnr():
    with refused("one shape"):
        mse([0, 1], [0])
    with refused("image2 must be finite"):
        mse([0], [math.nan])
    with refused("data_range must be finite and > 0"):
        psnr([0], [1], data_range=-1)
