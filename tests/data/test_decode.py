"""Every kind of image file becomes RGB bytes or a mask."""

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError
from tinyssl.data.decode import image_size, read_image, read_mask

ORANGE = (200, 100, 40)


@pytest.mark.parametrize(
    ("mode", "color", "suffix", "expected"),
    [
        ("RGB", ORANGE, ".png", ORANGE),
        ("L", 77, ".png", (77, 77, 77)),
        ("1", 1, ".png", (255, 255, 255)),
        ("RGBA", (*ORANGE, 255), ".png", ORANGE),
        ("RGBA", (*ORANGE, 0), ".png", (0, 0, 0)),
        ("LA", (77, 0), ".png", (0, 0, 0)),
        ("P", 5, ".gif", ORANGE),
        ("I;16", 257 * 77, ".png", (77, 77, 77)),
        ("I;16", 65535, ".tif", (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), ".tif", (255, 0, 0)),
        ("YCbCr", (77, 128, 128), ".jpg", (77, 77, 77)),
    ],
)
def test_every_mode_becomes_rgb_bytes(tmp_path, mode, color, suffix, expected):
    image = Image.new(mode, (6, 4), color)
    if mode == "P":
        image.putpalette([*range(15), *ORANGE])
    image.save(tmp_path / f"image{suffix}")
    actual = read_image(tmp_path / f"image{suffix}")
    assert actual.shape == (4, 6, 3)
    assert actual.dtype == np.uint8
    np.testing.assert_array_equal(actual[2, 3], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    # EXIF: how row 0 and column 0 of the stored picture lie when it is shown.
    shown = np.zeros((4, 6), np.uint8)
    shown[0, :3] = 250
    half, quarter, back = (np.rot90(shown, turns) for turns in (2, 1, -1))
    stored = [shown, shown[:, ::-1], half, shown[::-1], shown.T, quarter, half.T, back]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored[orientation - 1]))
    image.save(tmp_path / "image.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "image.png")[..., 0], shown)
    assert image_size(tmp_path / "image.png") == (4, 6)


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (0, 76), (10, 200), (0, 0)])
def test_any_two_values_make_a_mask_and_one_an_empty_mask(tmp_path, values):
    expected = np.arange(24).reshape(4, 6) % 3 == 0
    image = np.where(expected, values[1], values[0]).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "mask.png")
    actual = read_mask(tmp_path / "mask.png")
    np.testing.assert_array_equal(actual, expected & (values[1] > 0))


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(DataError, match="a folder, not an image"):
        read_image(tmp_path)
