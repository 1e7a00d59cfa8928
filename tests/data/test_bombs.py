"""Small files of huge images: read in little memory, or refused."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tinyssl.data.crop import square_crop
from tinyssl.data.decode import open_rgb, read_image

LIMIT = 300e6  # bytes, Python and its packages among them
PROGRAM = """
import json, resource, sys
from pathlib import Path
from tinyssl.data import Table, load_images
from tinyssl.data.decode import image_size, read_image, read_mask

path, told = Path(sys.argv[1]), []
table = Table("demo", path.parent, ("a",), (path,))
for read in (lambda p: load_images(table, 96), read_image, read_mask, image_size):
    try:
        read(path)
        told.append("")
    except ValueError as error:
        told.append(str(error))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([peak * (1 if sys.platform == "darwin" else 1024), told]))
"""
MEMORY = "MB of memory, more than 190 MB (8900 x 8900)"
WIDE = "a side is longer than 65,535 pixels"
BOMBS = {
    "p.png": ("P", (8900, 8900), {}, ""),
    "deep.png": ("I;16", (8900, 8900), {}, ""),
    "photograph.jpg": ("RGB", (8900, 8900), {}, ""),
    "colours.png": ("RGB", (8900, 8900), {}, MEMORY),
    "web.webp": ("RGB", (8900, 8900), {"lossless": True, "method": 0}, MEMORY),
    "progressive.jpg": ("RGB", (8900, 8900), {"progressive": True}, MEMORY),
    "tall.png": ("L", (1, 9_000_000), {}, f"{WIDE} (1 x 9000000)"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_little_memory_or_refused(tmp_path, name):
    mode, size, options, expected = BOMBS[name]
    Image.new(mode, size).save(tmp_path / name, **options)
    # A shell between them: a process inherits the peak of what started it.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", PROGRAM]
    command.append(tmp_path / name)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, (load, whole, mask, header) = json.loads(done.stdout)
    assert peak < LIMIT
    assert expected in load
    assert (load == "") == (expected == "")
    assert all(f"{name}: " in told for told in (whole, mask))  # three bytes a pixel
    assert header == ""


@pytest.mark.parametrize("mode", ["RGB", "P", "I;16"])
def test_a_large_image_is_reduced_by_a_whole_factor_strip_by_strip(tmp_path, mode):
    size = (7001, 3000)  # not a multiple of the factor, nor of a strip
    kind, white = (np.uint16, 4095) if mode == "I;16" else (np.uint8, 255)
    slope = np.linspace(0, 0.5, 3000)[:, None] + np.linspace(0, 0.5, 7001)
    image = Image.fromarray((slope * white).astype(kind))
    image = image if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / "a.png", compress_level=1)
    small, shape = open_rgb(tmp_path / "a.png", short_side=700)
    assert (small.shape, shape) == ((750, 1751, 3), size[::-1])
    whole = read_image(tmp_path / "a.png")
    np.testing.assert_allclose(whole[..., 0], slope * 255, atol=1.1)
    blocks = whole[:, :7000].reshape(750, 4, 1750, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small[:, :1750], blocks, atol=1)
    np.testing.assert_allclose(small[-1, -1], whole[-1, -1], atol=1)
    # smaller ones stay as they are
    image.crop((0, 0, 7001, 2800)).save(tmp_path / "a.png", compress_level=1)
    assert open_rgb(tmp_path / "a.png", short_side=700)[0].shape == (2800, 7001, 3)


def test_the_circle_of_a_strip_does_not_take_gigabytes():
    y, x = np.mgrid[:64, :4096]
    seen = np.hypot(y - 2000, x - 2048) < 1990  # an arc
    assert square_crop(seen).side <= 256
