"""What ``ssim`` and its accumulator share: options, the form of images, the score."""

import collections
import functools
import math

import numpy as np

from tinyssl import _checks, _kernels, _threads

NAMES = ("image1", "image2")
HINT = (
    ": channel_axis says where the colours are, batch_axis where the images of a batch "
    "(which SSIMAccumulator adds up), spatial_dims=3 that they are volumes"
)
BYTES = np.dtype(np.uint8)
KEPT = (np.uint8, np.float32)  # dtypes that are not made float64
# Values of a call up to which NumPy answers, with the bits of the kernel, which costs
# .46 s to load; then 64 x 64 bytes take .055 ms there and .27 here, 128 x 128 .15 and
# 2.5, 256 x 256 .35 and 8.9 (timeit of ssim(x, y, data_range=255) with SMALL = 0 and
# SMALL = 2**62). Images of so many values are float64 in any batch.
SMALL = 32 * 32
SERIAL = 16_384  # values, some 100 us of work: not worth another thread
TILE = 32  # rows of the map that are added up together
EXACT = 127  # side of the largest window of bytes whose sums of squares fit int32
LONGEST = 7_001  # taps of a window: a sigma of 1,000
# Data ranges of a window from the mean of its image, whose squares cost 1e-6 of the
# score at most, and of that mean from 0, whose rounding is then as small
FAR, FARTHEST = 1e5, 1e10

# weights along one axis, which add up to 1; whether all are alike; constants; axes
Options = collections.namedtuple("Options", "taps box c1 c2 unbias data_range dims")


def options(*given):
    """Check the options and return them as the kernels want them."""
    try:
        return _options(*given)
    except TypeError:  # no hash, as arrays: refused in words
        return _options.__wrapped__(*given)


@functools.lru_cache(maxsize=8, typed=True)
def _options(data_range, window, win_size, sigma, sample_covariance, k1, k2, dims):
    _checks.choice("spatial_dims", dims, (2, 3))
    data_range = _checks.scale("data_range", data_range)
    c1 = (_checks.scale("k1", k1) * data_range) ** 2
    c2 = (_checks.scale("k2", k2) * data_range) ** 2
    _checks.choice("window", window, ("gaussian", "uniform"))
    sigma = _checks.positive("sigma", sigma)
    if window == "uniform":
        if sigma != 1.5:
            raise ValueError(f"sigma is for window='gaussian', found {sigma}")
        size = 7 if win_size is None else win_size
        size = _checks.integer("win_size", size, least=3, most=LONGEST)
        if size % 2 == 0:
            raise ValueError(f"win_size must be odd, found {size}")
        taps = np.full(size, 1 / size)
    elif win_size is not None:
        raise ValueError(f"win_size is for window='uniform', found {win_size!r}")
    else:
        radius = int(3.5 * sigma + 0.5)  # as scikit-image: truncate=3.5
        if radius < 1:
            raise ValueError(f"sigma must be at least 1/7, found {sigma}")
        if 2 * radius + 1 > LONGEST:
            raise ValueError(f"sigma must be at most 1000, found {sigma:g}")
        taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        taps /= taps.sum()
    pixels = len(taps) ** dims
    unbias = pixels / (pixels - 1) if sample_covariance else 1.0
    return Options(taps, window == "uniform", c1, c2, unbias, data_range, dims)


def pair(image1, image2, *, names=NAMES):
    """Return two arrays of numbers of one shape that are not empty."""
    image1, image2 = _checks.array(names[0], image1), _checks.array(names[1], image2)
    _checks.same_shape(names[0], image1, names[1], image2)
    _checks.not_empty(names[0], image1)
    return image1, image2


def in_range(image1, image2, data_range):
    """Refuse whole numbers further apart than data_range; floats may go beyond it."""
    whole = [image for image in (image1, image2) if image.dtype.kind != "f"]
    if not whole or (data_range >= 255 and image1.dtype == image2.dtype == BYTES):
        return
    # bytes begin at 0, other whole numbers (of a scanner, say) anywhere
    low = min(0 if x.dtype == BYTES else int(x.min()) for x in whole)
    high = max(int(x.max()) for x in whole)
    if high - low > data_range * (1 + 1e-9):
        rule = f"be at least {high - low}, as values lie in {low}..{high}"
        raise _checks.refusal("data_range", rule, f"{data_range:g}")


def position(name, axis, axes):
    """Return an axis counted from the front."""
    given = _checks.integer(name, axis, least=-axes)
    if given >= axes:
        raise _checks.refusal(name, f"lie in {-axes}..{axes - 1}", axis)
    return given % axes


def _batch(image1, image2, batch_axis, channel_axis, options, names):
    """Return C-contiguous (N, H, W, C) arrays of a dtype the kernels know."""
    axes = options.dims + (batch_axis is not None) + (channel_axis is not None)
    if image1.ndim != axes:
        found = f"shape {image1.shape}{HINT if image1.ndim > axes else ''}"
        raise _checks.refusal(names[0], f"have {axes} axes", found)
    places = {}  # where an axis is: where it should be
    if batch_axis is not None:
        places[position("batch_axis", batch_axis, axes)] = 0
    if channel_axis is not None:
        place = position("channel_axis", channel_axis, axes)
        if place in places:
            raise _checks.refusal("channel_axis", "not be batch_axis", channel_axis)
        places[place] = -1
    new = (*[None] * (batch_axis is None), ..., *[None] * (channel_axis is None))
    moved = [*places], [*places.values()]
    image1, image2 = (np.moveaxis(image, *moved)[new] for image in (image1, image2))
    kept = [np.float32] if options.box and len(options.taps) > EXACT else KEPT
    same = image1.dtype == image2.dtype and image1.dtype in kept
    small = math.prod(image1.shape[1:]) <= SMALL
    dtype = image1.dtype if same and not small else np.float64
    # what a kernel compiles for once: C order, and not read-only
    image1, image2 = (np.ascontiguousarray(x, dtype) for x in (image1, image2))
    return [x if x.flags.writeable else x.copy() for x in (image1, image2)]


def _map_shape(shape, options, names=NAMES):
    """Return the shape of the map of (H, W, C) images, or refuse small ones."""
    *sides, C = shape
    K = len(options.taps)
    if min(sides) < K:
        mended = "win_size" if options.box else "sigma"
        least = " x ".join([str(K)] * options.dims)
        found = f"{' x '.join(map(str, sides))}: a smaller {mended} mends it"
        raise _checks.refusal(names[0], f"be at least {least} pixels", found)
    return [*[side - K + 1 for side in sides], C]


def scores(
    image1, image2, options, batch_axis, channel_axis, *, full=False, names=NAMES
):
    """Return the mean SSIM of each pair of images as a list, and their maps if full."""
    given = pair(image1, image2, names=names)
    in_range(*given, options.data_range)
    images1, images2 = _batch(*given, batch_axis, channel_axis, options, names)
    N, *shape = images1.shape
    *sides, columns, C = _map_shape(shape, options, names)
    maps = np.empty((N, math.prod(sides), columns * C)) if full else [None] * N

    def work(start, stop):
        return [
            _score(images1[n], images2[n], options, out=maps[n], batch=N)
            for n in range(start, stop)
        ]

    found = [score for part in _threads.spread(work, N) for score in part]
    if math.isnan(sum(found)):
        _refuse_far(*given, options.data_range, names)
    if not full:
        return found, None
    shape = [N] * (batch_axis is not None) + [*sides, columns]
    return found, maps.reshape(*shape, *[C] * (channel_axis is not None))


def _score(image1, image2, options, *, out=None, batch=1):
    """Return the mean SSIM of two (H, W, C) images, one of a batch; the map to ``out``.

    A tile of rows has one sum whichever thread adds it; NaN and infinity give NaN.
    """
    *lines, columns, C = _map_shape(image1.shape, options)
    rows, tile = lines[0], TILE if options.dims == 2 else 1
    sums = np.zeros((-(-rows // tile), columns * C))

    def work(start, stop):
        start, stop = start * tile, min(stop * tile, rows)
        written = np.empty((1, columns * C)) if out is None else out
        known = image1, image2, window, options.c1, options.c2, options.unbias, centres
        far = (FAR * options.data_range) ** 2
        ssim_map(*known, start, stop, tile, written, sums, far)

    with np.errstate(all="ignore"):
        window, slides = options.taps, options.box and image1.size > SMALL
        if slides and options.dims == 2 and image1.dtype == BYTES:
            centres = np.zeros((2, image1.shape[1] * C), np.int32)  # sums are exact
        else:
            centres = _centres(image1, image2)
        means = centres[:, :C].ravel().tolist()
        if max(map(abs, means)) > FARTHEST * options.data_range:
            return math.nan
        if options.dims == 3:
            ssim_map = _kernels.similarity.ssim_volume
        elif slides:
            ssim_map, window = _kernels.similarity.box_ssim_map, len(window)
        elif image1.size * batch > SMALL:
            ssim_map = _kernels.similarity.ssim_map
        else:
            ssim_map = numpy_ssim_map
        if batch > 1 or image1.size <= SERIAL:
            work(0, len(sums))
        else:
            _threads.spread(work, len(sums))
        return float(sums.sum()) / (math.prod(lines) * columns * C)


def _centres(image1, image2):
    """Return for each image and colour the mean of some 1,000 pixels, as wide rows."""
    *sides, W, C = image1.shape
    parts = 32 if len(sides) == 1 else 10
    steps = tuple([slice(None, None, side // parts + 1) for side in (*sides, W)])
    centres = np.empty((2, W, C))
    for centre, image in zip(centres, (image1, image2), strict=True):
        # colour by colour: sums along an axis of three would be slow
        some = image[steps].reshape(-1, C).T.astype(np.float64, order="C")
        centre[:] = some.sum(axis=1) / some.shape[1]
    return centres.reshape(2, W * C)


def numpy_ssim_map(
    image1, image2, taps, c1, c2, unbias, centres, start, stop, tile, out, sums, far
):
    """Do as the kernel does, operation by operation: the bits are the same."""
    H, W, C = image1.shape
    # centred before squaring: no digits cancel
    a, b = (image1.reshape(H, W * C), image2.reshape(H, W * C)) - centres[:, None]
    four = np.stack((a, b, a * a + b * b, a * b))
    # weighted sums along the column and the row, then the map
    four = _filter(_filter(four, taps, 1).swapaxes(1, 2), taps, C).swapaxes(1, 2)
    a, b, squares, product = four
    variances, covariance = squares - (a * a + b * b), product - a * b
    a, b = (a, b) + centres[:, None, : a.shape[1]]
    scores = (2 * a * b + c1) * (2 * covariance + c2 / unbias)
    scores /= (a * a + b * b + c1) * (variances + c2 / unbias)
    scores[scores > 1] = 1
    scores[~(squares <= far)] = np.nan
    out[:] = scores[-len(out) :]
    for row, line in enumerate(scores):
        sums[row // tile] += line


def _filter(four, taps, step):
    """Add up five pairs of taps at a time, the first five with the middle one."""
    middle, length = len(taps) // 2, four.shape[1] - (len(taps) - 1) * step
    shifted = [four[:, k * step : k * step + length] for k in range(len(taps))]
    total, pair = taps[middle] * shifted[middle], np.empty_like(shifted[0])
    for first in range(0, middle, 5):
        five = np.zeros_like(pair)
        for k in range(first, min(first + 5, middle)):
            np.add(shifted[k], shifted[-1 - k], out=pair)
            five += np.multiply(taps[k], pair, out=pair)
        total += five
    return total


def _refuse_far(image1, image2, data_range, names):
    """Say why a score is NaN."""
    _checks.finite(names[0], image1)
    _checks.finite(names[1], image2)
    low, high = min(image1.min(), image2.min()), max(image1.max(), image2.max())
    raise ValueError(
        f"{names[0]} and {names[1]} must lie within {FAR:g} data ranges of their mean, "
        f"and that within {FARTHEST:g} of 0: found {low:g} to {high:g} and "
        f"data_range={data_range:g}"
    )
