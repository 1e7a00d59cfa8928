"""Files become RGB bytes or masks; loading: bad files, the crop, the cache."""

import json
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, Table, load_images, open_dataset
from tinyssl.data.decode import image_size, read_image, read_mask
from tinyssl.data.images import fingerprint, round_mask

ORANGE = (200, 100, 40)
REASONS = {
    "bomb.png": "larger than 80,000,000 pixels (9000 x 9000)",
    "bomb2.png": "larger than 80,000,000 pixels",
    "cut.jpg": "unreadable image (image file is truncated",
    "cut.png": "unreadable image",
    "empty.png": "not a JPEG, PNG, TIFF",
    "float.tif": "pixels are floating point",
    "script.jpg": "not a JPEG, PNG, TIFF",
    "text.jpg": "not a JPEG, PNG, TIFF",
}


@pytest.fixture
def bad_files(folder):
    root = folder("cut.jpg", size=(200, 300))
    script = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9"
    files = {"empty.png": b"", "text.jpg": "not an image", "script.jpg": script}
    folder("good1.jpg", "good2.png", "cut.png", files=files)
    for name, share in (("cut.jpg", 0.5), ("cut.png", 0.8)):
        whole = (root / name).read_bytes()
        (root / name).write_bytes(whole[: int(share * len(whole))])
    Image.new("F", (6, 4)).save(root / "float.tif")
    Image.new("1", (9000, 9000)).save(root / "bomb.png")
    Image.new("1", (14000, 14000)).save(root / "bomb2.png")
    return root


@pytest.mark.parametrize("cache", [None, "cache"])
def test_all_bad_files_are_named_at_once_or_skipped(bad_files, tmp_path, cache):
    cache = cache and tmp_path / cache
    for _ in range(2):  # the second time from the cache
        with pytest.raises(DataError) as caught:
            load_images(open_dataset(bad_files), 16, cache=cache)
        first, *lines = str(caught.value).splitlines()
        assert first.endswith("8 problems")
        for line, (name, reason) in zip(lines, REASONS.items(), strict=True):
            assert f"{name}: {reason}" in line
        table = open_dataset(bad_files)
        images, table = load_images(table, 16, cache=cache, skip_bad=True)
        assert table.names == ("good1.jpg", "good2.png")
        assert images.shape == (2, 16, 16, 3)
        assert images[1].any()
        assert [reason.split(":")[0] for reason in table.skipped] == list(REASONS)


@pytest.mark.parametrize("cache", [None, "cache"])
def test_nothing_readable_and_an_image_that_vanished(folder, cache):
    root = folder(files={"a.png": b""})
    table, cache = open_dataset(root), cache and root / cache
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        load_images(table, 16, skip_bad=True, cache=cache)
    table.images[0].unlink()
    with pytest.raises(DataError, match="missing file"):
        load_images(table, 16, cache=cache)


def test_an_eye_is_round_and_centred_another_image_cropped_at_the_centre(folder):
    root = folder("a.png", size=(200, 300))  # radius 135: cut by 35
    images, table = load_images(open_dataset(root), 54)
    assert table.is_fundus
    rows = images[0].max(axis=(1, 2)) > 90
    assert (images[0].max(axis=(0, 2)) > 90).all()
    np.testing.assert_array_equal(np.flatnonzero(~rows), [*range(7), *range(47, 54)])
    assert not images[0][~round_mask(54)].any()
    pixels = np.pad(np.full((20, 20, 3), 200, np.uint8), [(0, 0), (10, 10), (0, 0)])
    Image.fromarray(pixels).save(root / "a.png")
    images, table = load_images(open_dataset(root), 10)
    assert not table.is_fundus
    assert (images == 200).all()


def test_cache_is_mapped_mended_and_follows_the_files(folder, tmp_path, monkeypatch):
    root, cache = folder("data/a.png") / "data", tmp_path / "cache"
    expected, _ = load_images(open_dataset(root), 16)

    def check():
        actual, _ = load_images(open_dataset(root), 16, cache=cache)
        assert isinstance(actual, np.memmap)
        assert not actual.flags.writeable
        np.testing.assert_array_equal(actual, expected)
        return sorted(cache.iterdir())

    notes, npy = check()
    assert (notes.suffix, npy.suffix) == (".json", ".npy")
    assert json.loads(notes.read_text()) == {"bad": {}}
    # half a cache is built anew
    cut, broken = npy.read_bytes()[:200], "{"
    damages = (lambda: npy.write_bytes(cut), lambda: notes.write_text(broken))
    for damage in (npy.unlink, notes.unlink, *damages):
        damage()
        assert check() == [notes, npy]
    # an interrupted build leaves none
    with monkeypatch.context() as patch:
        interrupt = mock.Mock(side_effect=KeyboardInterrupt)
        patch.setattr("tinyssl.data.images.open_rgb", interrupt)
        assert check() == [notes, npy]  # nothing is decoded
        with pytest.raises(KeyboardInterrupt):
            load_images(open_dataset(root), 17, cache=cache)
    assert check() == [notes, npy]
    # another image, another cache
    folder("data/a.png", color=(90, 20, 10), size=(44, 60))
    actual, _ = load_images(open_dataset(root), 16, cache=cache)
    assert actual.max() == 90
    assert len(list(cache.glob("*.npy"))) == 2


def test_arrays_are_resized_and_rounded():
    pixels = np.full((2, 20, 20, 3), 200, np.uint8)
    table = Table("demo", Path("demo"), ("a", "b"), pixels)
    same, _ = load_images(table, 20)
    assert (same[:, round_mask(20)] == 200).all()
    assert not same[:, ~round_mask(20)].any()
    assert (table.images == 200).all()  # the input is untouched
    small, _ = load_images(replace(table, is_fundus=False), 5)
    assert (small == 200).all()


def test_fingerprint_tells_tables_apart_and_progress_is_on_stderr(folder, capsys):
    table = open_dataset(folder("a.png"))
    expected = fingerprint(table, 16)
    assert expected == fingerprint(open_dataset(table.root), 16)
    assert expected != fingerprint(table, 17)
    assert expected != fingerprint(replace(table, is_fundus=False), 16)
    load_images(table, 16, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "decoding" in err
    with pytest.raises(ValueError, match="size must be positive, found 0"):
        load_images(table, 0)


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
    image = np.where(expected, *values[::-1]).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "mask.png")
    actual = read_mask(tmp_path / "mask.png")
    np.testing.assert_array_equal(actual, expected & (values[1] > 0))
    with pytest.raises(DataError, match="a folder, not an image"):
        read_image(tmp_path)
