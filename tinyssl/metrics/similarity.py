"""Likeness of two images: structural similarity, PSNR, mean squared error."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _ssim


def ssim(
    image1: ArrayLike,
    image2: ArrayLike,
    *,
    data_range: float,
    channel_axis: int | None = None,
    window: str = "gaussian",
    win_size: int | None = None,
    sigma: float = 1.5,
    sample_covariance: bool = False,
    k1: float = 0.01,
    k2: float = 0.03,
    full: bool = False,
) -> float | tuple[float, NDArray[np.float64]]:
    """Structural similarity: luminance, contrast and structure, window by window.

    Parameters
    ----------
    image1, image2 : (H, W) array, or three axes with channel_axis
        Intensities, meant to be >= 0: an image and its negative score near 1.
    data_range : float, > 0
        Largest minus smallest possible intensity: 255 for uint8, 1 for [0, 1].
    channel_axis : int, optional
        Axis of the colours, which are scored apart and averaged.
    window : {"gaussian", "uniform"}
        Weights of a window.
    win_size : int, odd, optional
        Side of a uniform window in pixels; 7 if left out.
    sigma : float, > 0, default 1.5
        Standard deviation of a Gaussian window in pixels, which has
        2 * int(3.5 * sigma + 0.5) + 1 taps, 11 by default.
    sample_covariance : bool, default False
        Divide by (pixels in a window) - 1, not by the pixels.
    k1, k2 : float, > 0
        Constants of the luminance and the contrast term.
    full : bool, default False
        Return the map too.

    Returns
    -------
    score : float in [-1, 1]
        Mean over all windows that lie wholly inside; 1 is identical.
    map : (H - w + 1, W - w + 1) or (H - w + 1, W - w + 1, C) float64 array
        If full: the score of each window of w pixels.

    Raises
    ------
    TypeError, ValueError
        If images are not numbers, empty, not finite, of different shapes, beyond 1e70,
        smaller than the window, or coloured without channel_axis; if an option is out
        of range, or win_size is given with a Gaussian window, or sigma with a uniform.

    Notes
    -----
    The defaults are those of the paper, and of scikit-image's
    ``structural_similarity(..., gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)``; ``window="uniform", sample_covariance=True`` is its
    own default. Images are never resized (MATLAB and piq do that to large ones) and
    never padded (torchmetrics does). Values are centred before they are squared, so a
    large offset costs no digits. The sums of a uniform window slide, and start anew
    every 32 rows: a pixel that lies 1,000 data ranges from all others leaves 1e-11 in
    the windows below it. The bits depend neither on the threads nor on the layout.
    Beside bytes, float32 or float64 of 4,096 x 4,096 pixels it takes 8 MiB
    (``examples/benchmark.py --memory``); other dtypes are copied to float64 first.
    Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment: from error
    visibility to structural similarity", IEEE Transactions on Image Processing
    13(4):600-612, equation 13.

    Examples
    --------
    >>> image = np.linspace(0, 1, 256).reshape(16, 16)
    >>> round(ssim(image, 1 - image, data_range=1), 4)
    -0.8262
    """
    options = _ssim.options(
        data_range, window, win_size, sigma, sample_covariance, k1, k2
    )
    given = _ssim.pair(image1, image2)
    image1, image2 = _ssim.channels_last(*given, channel_axis, options)
    rows, columns, C = _ssim.map_shape(image1.shape, options)
    out = np.empty((rows, columns * C)) if full else None
    score = _ssim.score(image1, image2, options, out=out)
    _ssim.refuse_nan(score, *given)
    if not full:
        return score
    shape = (rows, columns) if channel_axis is None else (rows, columns, C)
    return score, out.reshape(shape)


def mse(image1: ArrayLike, image2: ArrayLike) -> float:
    """Mean squared difference: 0 is identical, the unit that of the values, squared.

    As `ssim`, but of arrays of any one shape, computed in float64 so that bytes do not
    wrap. Refused are images so far apart that a square does not fit float64. Equals
    scikit-image's ``mean_squared_error``.

    >>> mse([0, 1], [0, 3])
    2.0
    """
    image1, image2 = _ssim.pair(image1, image2)
    _checks.finite("image1", image1)
    _checks.finite("image2", image2)
    with np.errstate(over="ignore"):
        difference = np.subtract(image1, image2, dtype=np.float64).ravel()  # C order
        error = float(difference @ difference) / difference.size
    if not math.isfinite(error):
        raise ValueError(
            "image1 and image2 must lie within 1e150 of each other, or their squares "
            f"do not fit float64; found {np.abs(difference).max():g}"
        )
    return error


def psnr(image1: ArrayLike, image2: ArrayLike, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in decibels: more is better, inf is identical.

    As `mse`, but in proportion to the square of data_range, which is finite and > 0:
    see `ssim`. Equals scikit-image's ``peak_signal_noise_ratio``.

    >>> psnr([0, 255], [0, 230], data_range=255)
    23.182303391878165
    """
    data_range = _checks.positive("data_range", data_range)
    error = mse(image1, image2)
    if not error:
        return math.inf
    ratio = data_range * data_range / error
    if 0 < ratio < math.inf:
        return 10 * math.log10(ratio)
    return 20 * math.log10(data_range) - 10 * math.log10(error)
