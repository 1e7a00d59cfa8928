"""Likeness of two images: structural similarity, PSNR, mean squared error."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels

# Up to this many values matrix products are quick enough not to load Numba for: .4 ms
# here, .14 ms one pixel wider (python -m timeit -s "import numpy as np; from
# tinyssl.metrics import ssim as f; x = np.random.default_rng(0).random((64, 64))"
# "f(x, x, data_range=1)", and 65).
SMALL = 64 * 64


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
        Side of a uniform window in pixels; 7 if left out. A Gaussian one has
        2 * int(3.5 * sigma + 0.5) + 1 taps, 11 by default.
    sigma : float, > 0, default 1.5
        Standard deviation of a Gaussian window in pixels.
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
    TypeError
        If images are not numbers or an option has the wrong type.
    ValueError
        If images are empty, not finite, of different shapes, smaller than the
        window, or coloured without channel_axis; if an option is out of range, or
        win_size is given with a Gaussian window, or sigma with a uniform one.

    Notes
    -----
    The defaults are those of the paper, and of scikit-image's
    ``structural_similarity(..., gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)``. ``window="uniform", sample_covariance=True`` is
    scikit-image's default. Images are never resized (MATLAB and piq do that to large
    ones) and never padded (torchmetrics does). Values are centred before they are
    squared, so a large offset costs no digits.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment: from error
    visibility to structural similarity", IEEE Transactions on Image Processing
    13(4):600-612, equation 13.

    Examples
    --------
    >>> image = np.linspace(0, 1, 256).reshape(16, 16)
    >>> ssim(image, image, data_range=1)
    1.0
    >>> round(ssim(image, 1 - image, data_range=1), 4)
    -0.8262
    """
    image1, image2 = _channels_last(image1, image2, channel_axis)
    data_range = _checks.positive("data_range", data_range)
    c1 = (_checks.positive("k1", k1) * data_range) ** 2
    c2 = (_checks.positive("k2", k2) * data_range) ** 2
    taps = _taps(window, win_size, sigma)
    H, W, C = image1.shape
    K = len(taps)
    if min(H, W) < K:
        raise ValueError(
            f"image1 must be at least {K} x {K} pixels, found {H} x {W}: "
            f"a smaller {'sigma' if window == 'gaussian' else 'win_size'} mends it"
        )
    unbias = K**2 / (K**2 - 1) if sample_covariance else 1.0

    small = image1.size <= SMALL
    out = np.empty((H - K + 1 if full or small else 1, (W - K + 1) * C))
    ssim_map = _small_ssim_map if small else _kernels.similarity.ssim_map
    total = ssim_map(image1, image2, tuple(taps), c1, c2, unbias, out)
    score = float(total) / ((H - K + 1) * (W - K + 1) * C)
    if not full:
        return score
    shape = (H - K + 1, W - K + 1, C)
    return score, out.reshape(shape if channel_axis is not None else shape[:2])


def mse(image1: ArrayLike, image2: ArrayLike) -> float:
    """Mean squared difference.

    Parameters
    ----------
    image1, image2 : array of one shape
        Any numbers; computed in float64, so bytes do not wrap.

    Returns
    -------
    error : float, >= 0
        0 is identical; the unit is that of the values, squared.

    Raises
    ------
    TypeError
        If images are not numbers.
    ValueError
        If images are empty, not finite, or of different shapes.

    Notes
    -----
    Equals scikit-image's ``mean_squared_error``.

    Examples
    --------
    >>> mse([0, 1], [0, 3])
    2.0
    """
    image1, image2 = _pair(image1, image2)
    difference = np.subtract(image1, image2, dtype=np.float64).ravel()  # in C order
    return float(difference @ difference) / difference.size


def psnr(image1: ArrayLike, image2: ArrayLike, *, data_range: float) -> float:
    """Peak signal-to-noise ratio.

    Parameters
    ----------
    image1, image2 : array of one shape
        Any numbers.
    data_range : float, > 0
        Largest minus smallest possible intensity: 255 for uint8, 1 for [0, 1].

    Returns
    -------
    ratio : float
        Decibels; more is better, inf is identical.

    Raises
    ------
    TypeError
        If images or data_range are not numbers.
    ValueError
        If images are empty, not finite, or of different shapes; if data_range is not
        positive.

    Notes
    -----
    Equals scikit-image's ``peak_signal_noise_ratio``.

    Examples
    --------
    >>> psnr([0, 255], [0, 230], data_range=255)
    23.182303391878165
    """
    data_range = _checks.positive("data_range", data_range)
    error = mse(image1, image2)
    return 10 * math.log10(data_range**2 / error) if error else math.inf


def _pair(image1, image2):
    """Return two finite, not empty arrays of one shape."""
    image1, image2 = _checks.array("image1", image1), _checks.array("image2", image2)
    _checks.same_shape("image1", image1, "image2", image2)
    _checks.not_empty("image1", image1)
    _checks.finite("image1", image1)
    _checks.finite("image2", image2)
    return image1, image2


def _channels_last(image1, image2, channel_axis):
    """Return two (H, W, C) C-contiguous arrays of one dtype the kernel knows."""
    image1, image2 = _pair(image1, image2)
    axes = 2 if channel_axis is None else 3
    if image1.ndim != axes:
        hint = ": channel_axis says where the colours are" if image1.ndim == 3 else ""
        raise ValueError(
            f"image1 must have {axes} axes, found shape {image1.shape}{hint}"
        )
    if channel_axis is None:
        image1, image2 = image1[..., None], image2[..., None]
    else:
        channel_axis = _checks.integer("channel_axis", channel_axis, least=-3)
        if channel_axis > 2:
            raise ValueError(f"channel_axis must lie in -3..2, found {channel_axis}")
        image1, image2 = (np.moveaxis(x, channel_axis, -1) for x in (image1, image2))
    same = image1.dtype == image2.dtype and image1.dtype in (np.uint8, np.float32)
    dtype = image1.dtype if same else np.float64
    return np.require(image1, dtype, "CW"), np.require(image2, dtype, "CW")


def _taps(window, win_size, sigma):
    """Return the weights of a window along one axis; they add up to 1."""
    _checks.choice("window", window, ("gaussian", "uniform"))
    sigma = _checks.positive("sigma", sigma)
    if window == "uniform":
        if sigma != 1.5:
            raise ValueError(f"sigma is for window='gaussian', found {sigma}")
        size = 7 if win_size is None else _checks.integer("win_size", win_size, least=3)
        if size % 2 == 0:
            raise ValueError(f"win_size must be odd, found {size}")
        return [1 / size] * size
    if win_size is not None:
        raise ValueError(f"win_size is for window='uniform', found {win_size!r}")
    radius = int(3.5 * sigma + 0.5)  # as scikit-image: truncate=3.5
    if radius < 1:
        raise ValueError(f"sigma must be at least 1/7, found {sigma}")
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return (weights / weights.sum()).tolist()


def _small_ssim_map(image1, image2, taps, c1, c2, unbias, out):
    """Do as the kernel does: each filter is a matrix product from left and right."""
    a, b = (x.astype(np.float64).transpose(2, 0, 1) for x in (image1, image2))
    centre1, centre2 = (x.mean(axis=(1, 2), keepdims=True) for x in (a, b))
    a, b = a - centre1, b - centre2
    left, right = (_band(side, taps) for side in a.shape[1:])
    a, b, squares, product = (left @ x @ right.T for x in (a, b, a * a + b * b, a * b))
    variances = unbias * (squares - (a * a + b * b))
    covariance = unbias * (product - a * b)
    a, b = a + centre1, b + centre2
    score = (2 * a * b + c1) * (2 * covariance + c2)
    score /= (a * a + b * b + c1) * (variances + c2)
    np.minimum(score, 1, out=score)
    out[:] = score.transpose(1, 2, 0).reshape(out.shape)
    return out.sum()


def _band(side, taps):
    """Return the (side - K + 1, side) matrix whose rows are the taps, one further."""
    band = np.zeros((side - len(taps) + 1, side))
    rows = np.arange(len(band))
    for k, tap in enumerate(taps):
        band[rows, rows + k] = tap
    return band
