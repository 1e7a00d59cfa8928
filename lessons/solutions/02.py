"""Solutions of lesson 2."""

import numpy as np


def my_ssim_window(window1, window2, data_range):
    x, y = window1.astype(np.float64), window2.astype(np.float64)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    return luminance * (2 * covariance + c2) / (x.var() + y.var() + c2)


def my_gain(ssim_copied, ssim_restored):
    if ssim_copied == 1:
        return np.nan
    return (ssim_restored - ssim_copied) / (1 - ssim_copied)


def my_frechet_diagonal(mean1, variances1, mean2, variances2):
    deviations = np.sqrt(variances1) - np.sqrt(variances2)
    return np.sum((mean1 - mean2) ** 2) + np.sum(deviations**2)
