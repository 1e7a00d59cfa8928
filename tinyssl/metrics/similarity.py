"""Likeness of two images: structural similarity, PSNR, mean squared error."""

import math
from typing import Literal, Required, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _ssim

Float64 = NDArray[np.float64]


class _Options(TypedDict, total=False):
    """What `ssim` takes beside what says the type of its answer."""

    data_range: Required[float]
    channel_axis: int | None
    window: str
    win_size: int | None
    sigma: float
    sample_covariance: bool
    k1: float
    k2: float
    spatial_dims: int


# fmt: off
@overload
def ssim(image1: ArrayLike, image2: ArrayLike, *, full: Literal[False] = ...,
         batch_axis: None = ..., **options: Unpack[_Options]) -> float: ...
@overload
def ssim(image1: ArrayLike, image2: ArrayLike, *, full: Literal[True],
         batch_axis: None = ..., **options: Unpack[_Options]
         ) -> tuple[float, Float64]: ...
@overload
def ssim(image1: ArrayLike, image2: ArrayLike, *, full: Literal[False] = ...,
         batch_axis: int, **options: Unpack[_Options]) -> Float64: ...
@overload
def ssim(image1: ArrayLike, image2: ArrayLike, *, full: Literal[True],
         batch_axis: int, **options: Unpack[_Options]
         ) -> tuple[Float64, Float64]: ...
# fmt: on
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
    spatial_dims: int = 2,
    batch_axis: int | None = None,
) -> float | Float64 | tuple[float | Float64, Float64]:
    """Structural similarity: luminance, contrast and structure, window by window.

    Parameters
    ----------
    image1, image2 : (H, W) or (D, H, W) array, and an axis for each said below
        Intensities, meant to be >= 0: an image and its negative score near 1.
    data_range : float, 1e-30..1e30
        Largest minus smallest possible intensity: 255 for uint8, 1 for [0, 1].
    channel_axis : int, optional; of the colours, which are scored apart and averaged
    window : {"gaussian", "uniform"}
    win_size : int, odd, 3 to 7001, default 7; side of a uniform window in pixels
    sigma : float, 1/7 to 1000, default 1.5
        Standard deviation of a Gaussian window in pixels, which has
        2 * int(3.5 * sigma + 0.5) + 1 taps, 11 by default.
    sample_covariance : bool; divide by (pixels in a window) - 1, not by the pixels
    k1, k2 : float, 1e-30..1e30; constants of the luminance and the contrast term
    full : bool; return the map too
    spatial_dims : {2, 3}; images, or volumes (D, H, W), whose windows are cubes
    batch_axis : int, optional
        Axis of the images of a batch, which is spread over the threads: the scores of
        its images. `SSIMAccumulator` has the mean of many batches.

    Returns
    -------
    score : float in [-1, 1], or (N,) float64 array of a batch
        Mean over all windows that lie wholly inside; 1 is identical.
    map : (H - w + 1, W - w + 1) or (H - w + 1, W - w + 1, C) float64 array
        If full: the score of each window of w pixels; with D - w + 1 in front of it for
        volumes, and N for a batch.

    Raises
    ------
    TypeError, ValueError
        If images are not numbers, empty, not finite, of different shapes, smaller than
        the window, or have axes that are not said; if bytes lie above data_range, or
        other integers further apart (floats may: noise does); if a window lies further
        than 1e5 data ranges from the mean (root mean square), or that than 1e10 from 0;
        if an option is out of range or of the other window.

    Notes
    -----
    The defaults are those of the paper, and of scikit-image's
    ``structural_similarity(..., gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)``; ``window="uniform", sample_covariance=True`` is its
    own default. Images are never resized (MATLAB and piq do that to large ones) and
    never padded (torchmetrics does), and a large offset costs no digits. The sums of a
    uniform window start anew every 32 rows: a pixel that lies 1,000 data ranges from
    all others leaves 1e-11 in the windows below it. The bits depend neither on threads
    nor on layout. Beside bytes, float32 or float64 of 4,096 x 4,096 pixels it takes 8
    MiB (``examples/benchmark.py --memory``); other dtypes are copied to float64 first.
    Wang et al. 2004, IEEE Transactions on Image Processing 13:600-612, equation 13.

    Examples
    --------
    >>> image = np.linspace(0, 1, 256).reshape(16, 16)
    >>> round(ssim(image, 1 - image, data_range=1), 4)
    -0.8262
    """
    settings = window, win_size, sigma, sample_covariance, k1, k2, spatial_dims
    options = _ssim.options(data_range, *settings)
    axes = batch_axis, channel_axis
    scores, maps = _ssim.scores(image1, image2, options, *axes, full=full)
    score = scores[0] if batch_axis is None else np.array(scores)
    return (score, maps) if full else score


def mse(image1: ArrayLike, image2: ArrayLike) -> float:
    """Mean squared difference: 0 is identical, the unit that of the values, squared.

    As `ssim`, but of arrays of any one shape, computed in float64 so that bytes do not
    wrap. Refused are images that differ by a mean square beyond 1e-300..1e300, whose
    digits float64 loses. Equals scikit-image's ``mean_squared_error``.

    >>> mse([0, 1], [0, 3])
    2.0
    """
    image1, image2 = _ssim.pair(image1, image2)
    _checks.finite("image1", image1)
    _checks.finite("image2", image2)
    with np.errstate(over="ignore"):
        difference = np.subtract(image1, image2, dtype=np.float64).ravel()  # C order
        error = float(difference @ difference) / difference.size
    if not 1e-300 <= error <= 1e300 and difference.any():
        rule = "differ by a mean square of 0 or of 1e-300..1e300"
        found = f"differences up to {np.abs(difference).max():g}"
        raise _checks.refusal("image1 and image2", rule, found)
    return error


def psnr(image1: ArrayLike, image2: ArrayLike, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in decibels: more is better, inf is identical.

    As `mse`, but in proportion to the square of data_range, which integers may not go
    beyond: see `ssim`. Equals scikit-image's ``peak_signal_noise_ratio``.

    >>> psnr([0, 255], [0, 230], data_range=255)
    23.182303391878165
    """
    data_range = _checks.scale("data_range", data_range)
    image1, image2 = _ssim.pair(image1, image2)
    _ssim.in_range(image1, image2, data_range)
    error = mse(image1, image2)
    if not error:
        return math.inf
    ratio = data_range * data_range / error
    if 0 < ratio < math.inf:
        return 10 * math.log10(ratio)
    return 20 * math.log10(data_range) - 10 * math.log10(error)
