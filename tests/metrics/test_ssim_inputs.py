"""SSIM: every form of input, one thread or many, and each refusal."""

import math

import numpy as np
import pytest

from tinyssl.metrics import _ssim, ssim

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "u2", "i8", "f2", "f4", ">f8"])
@pytest.mark.parametrize("small", [0, 2**62])
def test_every_dtype_gives_the_bits_of_float64(window, dtype, small, monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", small)
    images = RNG.integers(-128, 128, (2, 20, 17)).astype(dtype)
    expected = ssim(*images.astype(float), data_range=255, window=window)
    actual = ssim(*images, data_range=255, window=window)
    if window == "uniform" and dtype == "u1":  # whole numbers are summed as such
        assert actual == pytest.approx(expected, abs=1e-13)
    else:
        assert actual == expected


def test_two_dtypes_meet_in_float64(monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", 0)
    image = RNG.integers(0, 256, (20, 17)).astype(np.uint8)
    other = image.astype(np.float32)
    assert ssim(image, other, data_range=255) == 1.0


class Frame:
    """As a table of pandas: an array on request."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_every_layout_gives_the_same_bits(dtype, window, monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", 0)
    images = RNG.integers(0, 256, (2, 20, 17, 3)).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, "window": window}
    expected = ssim(*images, **options)
    locked = images.copy()
    locked.flags.writeable = False
    wide = np.repeat(images, 2, axis=2)[:, :, ::2]
    layouts = [
        np.asfortranarray(images),
        np.flip(np.flip(images).copy()),
        wide,
        locked,
        images.astype(images.dtype.newbyteorder(">")),
        [Frame(image) for image in images],
    ]
    for layout in layouts:
        assert ssim(layout[0], layout[1], **options) == expected
    lists = [image.astype(float).tolist() for image in images]
    assert ssim(*lists, **options) == ssim(*images.astype(float), **options)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
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
HUGE = 1e200 * np.eye(16)


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        ((GRAY, COLOUR), {}, ValueError, "image1 and image2 must have one shape"),
        ((GRAY[:0], GRAY[:0]), {}, ValueError, "image1 must not be empty"),
        ((GRAY, GRAY + math.nan), {}, ValueError, "image2 must be finite, found nan"),
        ((GRAY + math.inf, GRAY), {}, ValueError, r"found inf at position \(0, 0\)"),
        ((BIG, BIG * math.nan), {}, ValueError, r"image2.* nan at position \(0, 0\)"),
        ((BIG - math.inf, BIG), {}, ValueError, r"image1.* found -inf at position"),
        ((HUGE, HUGE), {}, ValueError, r"within 1e-70..1e70.* values up to 1e\+200"),
        ((np.array([["a"]]),) * 2, {}, TypeError, "image1 must hold numbers"),
        ((GRAY + 1j, GRAY), {}, TypeError, "image1 must hold numbers"),
        ((COLOUR, COLOUR), {}, ValueError, "2 axes.*: channel_axis says where the col"),
        ((GRAY, GRAY), {"channel_axis": 0}, ValueError, "image1 must have 3 axes"),
        ((COLOUR, COLOUR), {"channel_axis": 3}, ValueError, "channel_axis must lie in"),
        ((COLOUR, COLOUR), {"channel_axis": -4}, ValueError, "channel_axis must be >="),
        ((GRAY[:9], GRAY[:9]), {}, ValueError, "at least 11 x 11.* a smaller sigma"),
        ((GRAY, GRAY), {"data_range": 0}, ValueError, "data_range must be finite and"),
        ((GRAY, GRAY), {"data_range": "1"}, TypeError, "data_range must be a number"),
        (
            (GRAY, GRAY),
            {"data_range": math.inf},
            ValueError,
            "data_range must be fin",
        ),
        ((GRAY, GRAY), {"k1": 0}, ValueError, "k1 must be finite and > 0"),
        ((GRAY, GRAY), {"k2": -1}, ValueError, "k2 must be finite and > 0"),
        ((GRAY, GRAY), {"window": "box"}, ValueError, "window must be one of 'gaussia"),
        ((GRAY, GRAY), {"win_size": 7}, ValueError, "win_size is for window='uniform'"),
        ((GRAY, GRAY), {"sigma": 0.1}, ValueError, "sigma must be at least 1/7"),
        ((GRAY, GRAY), {"sigma": 0}, ValueError, "sigma must be finite and > 0"),
    ],
)
def test_refusals(images, options, error, message):
    with pytest.raises(error, match=message):
        ssim(*images, **{"data_range": 1, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"win_size": 8}, ValueError, "win_size must be odd, found 8"),
        ({"win_size": 1}, ValueError, "win_size must be >= 3, found 1"),
        ({"win_size": 7.0}, TypeError, "win_size must be an integer, found 7.0"),
        ({"win_size": 17}, ValueError, "at least 17 x 17.* a smaller win_size mends"),
        ({"sigma": 2}, ValueError, "sigma is for window='gaussian', found 2"),
    ],
)
def test_refusals_of_a_uniform_window(options, error, message):
    with pytest.raises(error, match=message):
        ssim(GRAY, GRAY, data_range=1, window="uniform", **options)
