"""Values and options beyond reason are refused by number, and those within are not."""

import inspect
import math
import re
from typing import get_args

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from strategies import numpy_up_to, refused, seeds, small

from tinyssl import metrics, reference, transforms
from tinyssl.metrics import SSIMAccumulator, _ssim, mse, psnr, ssim

windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])
RNG = np.random.default_rng(0)
PAIR = RNG.random((2, 40, 40))


@windows
@given(seeds, small, st.floats(0, 8), st.booleans())
def test_ssim_is_right_to_six_digits_or_refused(window, seed, length, power, whole):
    # one value, or half of the image, far from the rest
    rng = np.random.default_rng(seed)
    images = rng.random((2, 40, 30))
    images[1] = images[0] + 0.1 * images[1]
    y, x = rng.integers(30), rng.integers(20)
    images[:, y : 40 if whole else y + 1, x : x + 1 + 9 * whole] += 10**power
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps = taps if window == "gaussian" else np.ones(7)
    with numpy_up_to(_ssim, length):
        try:
            actual = ssim(*images, data_range=1, window=window)
        except ValueError as error:
            assert "data ranges of their mean" in str(error)  # noqa: PT017
            assert power > 4.8
            return
    assert power < 8
    images, constants = images[..., None], (0.01**2, 0.03**2, 1.0)
    expected = reference.ssim_map(*images, taps / taps.sum(), *constants).mean()
    assert actual == pytest.approx(expected, abs=2e-6)  # centred window by window


@windows
@pytest.mark.parametrize("value", [1e12, 1.1e35, -3.3e35, 1e60, 1e100, 1e160, 1e300])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_values_beyond_the_range_are_refused(value, dtype, window):
    if dtype == "f4" and abs(value) > 1e38:
        return
    flat = np.ones((40, 40))
    alone = PAIR[0].copy()
    alone[20, 21] = value
    for images in (value * PAIR, (value * flat, 1.5 * value * flat), (alone, PAIR[1])):
        images = np.asarray(images, dtype)
        with refused("^image1 and image2 must lie within 100000 data ranges of their"):
            ssim(*images, data_range=1, window=window)
        with refused("^images1 and images2 must lie within 100000 data ranges"):
            SSIMAccumulator(data_range=1, window=window).update(*images[:, None])


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e30])
def test_the_unit_of_the_values_changes_nothing(scale):
    expected = ssim(*PAIR, data_range=1)
    assert ssim(*(PAIR * scale), data_range=scale) == pytest.approx(expected, abs=1e-12)
    assert psnr(*(PAIR * scale), data_range=scale) == pytest.approx(
        skimage.metrics.peak_signal_noise_ratio(*PAIR, data_range=1)
    )


@pytest.mark.parametrize("name", ["data_range", "k1", "k2"])
@pytest.mark.parametrize("value", [9e-31, 1e-300, 2e30, 1e300])
def test_scales_beyond_reason_are_refused(name, value):
    with refused(f"{name} must lie in 1e-30..1e30, found {re.escape(str(value))}"):
        ssim(*PAIR, **{"data_range": 1, name: value})


def test_squares_that_vanish_or_overflow_are_no_answers():
    assert mse([1e-149], [0]) == pytest.approx(1e-298)
    for far in (1e-170, 1e-200, 1e151, 1e300):
        with refused("must differ by a mean square of 0 or of 1e-300..1e300, found"):
            mse([far], [0])
        with refused("must differ by a mean square of 0 or of 1e-300..1e300, found"):
            psnr([far], [0], data_range=1)


BYTES = RNG.integers(0, 240, (64, 64), np.uint8)


@pytest.mark.parametrize(
    ("images", "top", "least"),
    [
        ((BYTES, BYTES + np.uint8(8)), 1, "247, as values lie in 0..247"),
        ((np.full_like(BYTES, 200), np.full_like(BYTES, 190)), 1, "200, as values"),
        ((BYTES, BYTES.astype(np.uint16) * 17), 255, "4063, as values lie in 0"),
        ((BYTES.astype(np.int16) - 100, BYTES / 1), 100, "239, as values lie in -100"),
        ((BYTES, BYTES / 255), 1.0, "239, as values lie in 0..239"),
        ((BYTES > 9, BYTES > 99), 0.5, "1, as values lie in 0..1"),
    ],
)
def test_whole_numbers_beyond_the_data_range_are_refused(images, top, least):
    for metric in (ssim, psnr):
        with refused(f"^data_range must be at least {least}.*, found {top:g}$"):
            metric(*images, data_range=top)
        assert math.isfinite(metric(*images, data_range=4096))
    with refused(f"data_range must be at least {least}"):
        SSIMAccumulator(data_range=top).update(images[0][None], images[1][None])


def test_what_a_data_range_allows():
    # floats go beyond it, as noise does, and scanners count from anywhere
    assert ssim(PAIR[0], PAIR[1] * 3 - 1, data_range=1) < 1
    far = (30_000 + 8 * PAIR).astype(np.uint16)
    assert ssim(*far, data_range=8) < 1
    assert ssim(BYTES % 2, BYTES % 2, data_range=1) == 1
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert ssim(every, every, data_range=2.55 * 100) == 1  # rounded below 255
    assert ssim(every, every, data_range=255, window="uniform", win_size=7) == 1
    with refused("TypeError: win_size must be an integer, found 7.0"):
        ssim(every, every, data_range=255, window="uniform", win_size=7.0)


MASK, EYE, BATCH = PAIR > 0.5, np.eye(9), RNG.integers(0, 9, (2, 16, 16, 3), np.uint8)
DATA = {
    "y_true": [0, 1], "y_pred": [0, 1], "y_score": [0.0, 1], "image_shape": (16, 16),
    "mask_true": MASK[0], "mask_pred": MASK[1], "image1": PAIR[0], "image2": PAIR[1],
    "features1": EYE, "features2": EYE, "features": EYE, "rng": 0, "average": "macro",
    "mean1": [0.0], "cov1": [[1.0]], "mean2": [0.0], "cov2": [[1.0]],
    "points_true": EYE, "points_pred": EYE, "images": BATCH, "flips": [True, False],
    "gains": [[1, 1, 1]] * 2, "offsets": [0, 0], "tiles": BATCH[None], "n1": 9,
    "patches": BATCH[:, 0], "mask": [True] * 64, "blocks": [[0, 0, 1, 1]],
    "orders": [[3, 2, 1, 0]],
    "boxes": [[0, 0, 4, 4, 3, 3]] * 2, "alphas": [1, 1], "swaps": [[0, 0, 9, 9]],
    "permutations": [[0, 1]], "patch_size": 2, "tile_size": 2, "grid": 2, "n": 2,
    "num_swaps": 2, "num_tiles": 4, "size": 2, "turns": 1, "data_range": 1,
}  # fmt: skip
CASES = [
    (getattr(module, name), option.name)
    for module in (metrics, transforms)
    for name in module.__all__
    for option in inspect.signature(getattr(module, name)).parameters.values()
    if {int, float} & {option.annotation, *get_args(option.annotation)}
    and option.annotation is not ArrayLike
]


@pytest.mark.parametrize(("call", "option"), CASES)
@pytest.mark.parametrize("value", [10**18, 1e300, -(10**30), 10**99, 1e9, 10**10])
@pytest.mark.filterwarnings("ignore:.*mostly bias")
def test_numbers_beyond_reason_are_answered_or_refused(call, option, value):
    needed = {
        key: DATA[key]
        for key, parameter in inspect.signature(call).parameters.items()
        if parameter.default is parameter.empty and key != option
    }
    # no OverflowError, no MemoryError, no warning, and no wait
    try:
        call(**needed, **{option: value})
    except (ValueError, TypeError) as error:
        said = rf"\b{option}\b|image_shape|must have 3 axes|patches of {value}"
        assert re.search(said, str(error))  # noqa: PT017


@pytest.mark.parametrize("shape", [(10**9, 10**9), (9, 9, 10**18), (10**400, 1)])
def test_images_beyond_memory_are_refused(shape):
    for draw in (transforms.sample_blocks, transforms.sample_pastes):
        with refused("^image_shape must have at most 268435456 values, found"):
            draw(1, shape, rng=0)
    with refused("^image_shape must have at most 268435456 values, found"):
        transforms.sample_swaps(shape, 1, 1, rng=0)
