"""SSIM: every dtype and layout, one thread or many."""

import numpy as np
import pytest
from strategies import numpy_up_to

from tinyssl.metrics import _ssim, ssim

RNG = np.random.default_rng(0)
windows = pytest.mark.parametrize("window", ["gaussian", "uniform"])


@windows
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "u2", "i8", "f2", "f4", ">f8"])
@pytest.mark.parametrize("length", [0, 2**62])
def test_every_dtype_gives_the_bits_of_float64(window, dtype, length):
    images = RNG.integers(-128, 128, (2, 20, 17)).astype(dtype)
    with numpy_up_to(_ssim, length):
        top = 65_535 if dtype == "u2" else 255  # -1 is 65,535 there
        expected = ssim(*images.astype(float), data_range=top, window=window)
        assert ssim(images[0], images[1], data_range=top, window=window) == (
            # whole numbers are summed as such
            pytest.approx(expected, abs=1e-13)
            if window == "uniform" and dtype == "u1"
            else expected
        )
        same = images[0].astype(float), images[0]  # two dtypes meet in float64
        assert ssim(*same, data_range=top, window=window) == 1.0


@windows
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_every_layout_gives_the_same_bits(dtype, window, monkeypatch):
    monkeypatch.setattr(_ssim, "SMALL", 0)
    images = RNG.integers(0, 256, (2, 20, 17, 3)).astype(dtype)
    options = {"data_range": 255, "channel_axis": -1, "window": window}
    expected = ssim(*images, **options)
    locked = images.copy()
    locked.flags.writeable = False
    for layout in (
        np.asfortranarray(images),
        np.flip(np.flip(images).copy()),
        np.repeat(images, 2, axis=2)[:, :, ::2],
        locked,
        images.astype(images.dtype.newbyteorder(">")),
    ):
        assert ssim(*layout, **options) == expected


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
