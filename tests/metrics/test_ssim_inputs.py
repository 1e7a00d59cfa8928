"""SSIM: every form of input, one thread or many, and each refusal."""

import math

import numpy as np
import pytest
from strategies import numpy_up_to, refused

from tinyssl.metrics import _ssim, ssim

RNG = np.random.default_rng(0)
windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])


@windows
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "u2", "i8", "f2", "f4", ">f8"])
@pytest.mark.parametrize("length", [0, 2**62])
def test_every_dtype_gives_the_bits_of_float64(window, dtype, length):
    images = RNG.integers(-128, 128, (2, 20, 17)).astype(dtype)
    with numpy_up_to(_ssim, length):
        expected = ssim(*images.astype(float), data_range=255, window=window)
        assert ssim(images[0], images[1], data_range=255, window=window) == (
            # whole numbers are summed as such
            pytest.approx(expected, abs=1e-13)
            if window == "uniform" and dtype == "u1"
            else expected
        )
        same = images[0].astype(float), images[0]  # two dtypes meet in float64
        assert ssim(*same, data_range=255, window=window) == 1.0


class Frame:
    """As a table of pandas: an array on request."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


@windows
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_every_layout_gives_the_same_bits(dtype, window, monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", 0)
    images = RNG.integers(0, 256, (2, 20, 17, 3)).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, "window": window}
    expected = ssim(*images, **options)
    locked = images.copy()
    locked.flags.writeable = False
    layouts = [
        np.asfortranarray(images),
        np.flip(np.flip(images).copy()),
        np.repeat(images, 2, axis=2)[:, :, ::2],
        locked,
        images.astype(images.dtype.newbyteorder(">")),
        [Frame(image) for image in images],
    ]
    for layout in layouts:
        assert ssim(layout[0], layout[1], **options) == expected
    lists = [image.astype(float).tolist() for image in images]
    assert ssim(*lists, **options) == ssim(*images.astype(float), **options)


@windows
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("rows", [17, 30])
def test_bits_do_not_depend_on_the_threads(dtype, window, rows, monkeypatch):
    for name, value in {"SMALL": 0, "SERIAL": 0, "TILE": 4}.items():
        monkeypatch.setattr(_ssim, name, value)
    images = RNG.integers(0, 256, (2, rows, 15, 3)).astype(dtype)
    answers = []
    for threads in ("1", "2", "3", "7"):
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        score, score_map = ssim(
            *images, data_range=255, channel_axis=-1, window=window, full=True
        )
        answers.append((score, score_map.tobytes()))
    assert answers == answers[:1] * 4


GRAY, COLOUR, BIG = np.zeros((16, 16)), np.zeros((16, 16, 3)), np.zeros((90, 90))
WORD, HUGE = np.array([["a"]]), 1e200 * np.eye(16)
BOX = {"window": "uniform"}


@pytest.mark.parametrize(
    ("image1", "image2", "options", "message"),
    [
        (GRAY, COLOUR, {}, "image1 and image2 must have one shape"),
        (GRAY[:0], GRAY[:0], {}, "image1 must not be empty"),
        (GRAY, GRAY + math.nan, {}, "image2 must be finite, found nan"),
        (GRAY + math.inf, GRAY, {}, r"found inf at position \(0, 0\)"),
        (BIG, BIG * math.nan, {}, r"image2.* nan at position \(0, 0\)"),
        (BIG - math.inf, BIG, {}, r"image1.* found -inf at position"),
        (HUGE, HUGE, {}, r"within 1e-70..1e70.* values up to 1e\+200"),
        (WORD, WORD, {}, "TypeError: image1 must hold numbers"),
        (GRAY + 1j, GRAY, {}, "TypeError: image1 must hold numbers"),
        (COLOUR, COLOUR, {}, "2 axes.*: channel_axis says where the col"),
        (GRAY, GRAY, {"channel_axis": 0}, "image1 must have 3 axes"),
        (COLOUR, COLOUR, {"channel_axis": 3}, "channel_axis must lie in"),
        (COLOUR, COLOUR, {"channel_axis": -4}, "channel_axis must be >="),
        (GRAY[:9], GRAY[:9], {}, "at least 11 x 11.* a smaller sigma"),
        (GRAY, GRAY, {"data_range": 0}, "data_range must be finite and"),
        (GRAY, GRAY, {"data_range": "1"}, "TypeError: data_range must be a number"),
        (GRAY, GRAY, {"data_range": math.inf}, "data_range must be finite"),
        (GRAY, GRAY, {"k1": 0}, "k1 must be finite and > 0"),
        (GRAY, GRAY, {"k2": -1}, "k2 must be finite and > 0"),
        (GRAY, GRAY, {"window": "box"}, "window must be one of 'gaussian'"),
        (GRAY, GRAY, {"win_size": 7}, "win_size is for window='uniform'"),
        (GRAY, GRAY, {"sigma": 0.1}, "sigma must be at least 1/7"),
        (GRAY, GRAY, {"sigma": 0}, "sigma must be finite and > 0"),
        (GRAY, GRAY, {"win_size": 8, **BOX}, "win_size must be odd, found 8"),
        (GRAY, GRAY, {"win_size": 1, **BOX}, "win_size must be >= 3, found 1"),
        (
            GRAY,
            GRAY,
            {"win_size": 7.0, **BOX},
            "TypeError: win_size must be an integer",
        ),
        (GRAY, GRAY, {"win_size": 17, **BOX}, "least 17 x 17.* smaller win_size mends"),
        (GRAY, GRAY, {"sigma": 2, **BOX}, "sigma is for window='gaussian', found 2"),
    ],
)
def test_refusals(image1, image2, options, message):
    with refused(message):
        ssim(image1, image2, **{"data_range": 1, **options})
