"""Loading: bad files, the crop, the cache."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, Table, load_images, open_dataset
from tinyssl.data.images import fingerprint, round_mask


def save(image, path, **options):
    image.save(path, **options)
    return path


@pytest.fixture
def bad_files(tmp_path, write_image):
    """Return a folder of two good images and one of each bad kind."""
    folder = tmp_path / "data"
    for name in ("good1.jpg", "good2.png"):
        write_image(folder / name)
    whole = write_image(folder / "cut.jpg", height=200, width=300).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    whole = (folder / "good2.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) - 30])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not an image")
    (folder / "script.jpg").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9"
    )
    save(Image.new("F", (6, 4)), folder / "float.tif")
    save(Image.new("1", (9000, 9000)), folder / "bomb.png")
    save(Image.new("1", (14000, 14000)), folder / "bomb2.png")
    return folder


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


def test_all_bad_files_are_named_at_once(bad_files):
    with pytest.raises(DataError) as caught:
        load_images(open_dataset(bad_files), 16)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("8 problems")
    for line, (name, reason) in zip(lines[1:], REASONS.items(), strict=True):
        assert f"{name}: {reason}" in line


@pytest.mark.parametrize("cached", [False, True])
def test_skip_bad_goes_on_and_says_so(bad_files, tmp_path, cached):
    cache = tmp_path / "cache" if cached else None
    for _ in range(2):  # the second time from the cache
        images, table = load_images(
            open_dataset(bad_files), 16, cache=cache, skip_bad=True
        )
        assert table.names == ("good1.jpg", "good2.png")
        assert images.shape == (2, 16, 16, 3)
        assert images[1].any()
        assert [reason.split(":")[0] for reason in table.skipped] == list(REASONS)
        if cached:
            with pytest.raises(DataError, match="8 problems"):
                load_images(open_dataset(bad_files), 16, cache=cache)


def test_nothing_readable(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        load_images(open_dataset(tmp_path), 16, skip_bad=True)
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        load_images(open_dataset(tmp_path), 16, skip_bad=True, cache=tmp_path / "cache")


def test_images_that_vanish_after_opening(tmp_path, write_image):
    write_image(tmp_path / "a.png")
    table = open_dataset(tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match="missing file"):
        load_images(table, 16)


def test_loaded_eye_is_round_and_centred(tmp_path, write_image):
    write_image(tmp_path / "a.png", height=200, width=300)  # radius 135: cut by 35
    images, table = load_images(open_dataset(tmp_path), 54)
    assert table.is_fundus
    rows = images[0].max(axis=(1, 2)) > 90
    columns = images[0].max(axis=(0, 2)) > 90
    assert columns.all()
    np.testing.assert_array_equal(np.flatnonzero(~rows), [*range(7), *range(47, 54)])
    assert not images[0][~round_mask(54)].any()


def test_other_images_are_cropped_at_the_centre(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = 200
    save(Image.fromarray(pixels), tmp_path / "a.png")
    images, table = load_images(open_dataset(tmp_path), 10)
    assert not table.is_fundus
    assert (images == 200).all()


def test_cache_is_mapped_and_follows_the_files(tmp_path, write_image):
    folder, cache = tmp_path / "data", tmp_path / "cache"
    write_image(folder / "a.png")
    expected, _ = load_images(open_dataset(folder), 16)
    for _ in range(2):
        actual, _ = load_images(open_dataset(folder), 16, cache=cache)
        assert isinstance(actual, np.memmap)
        assert not actual.flags.writeable
        np.testing.assert_array_equal(actual, expected)
    assert len(list(cache.glob("*.npy"))) == 1
    assert not list(cache.glob(".part*"))

    write_image(folder / "a.png", color=(90, 20, 10), height=44)
    actual, _ = load_images(open_dataset(folder), 16, cache=cache)
    assert actual.max() == 90
    assert len(list(cache.glob("*.npy"))) == 2


def test_half_a_cache_is_built_anew(tmp_path, write_image):
    folder, cache = tmp_path / "data", tmp_path / "cache"
    write_image(folder / "a.png")
    expected, _ = load_images(open_dataset(folder), 16, cache=cache)
    expected = expected.copy()
    (npy,), (notes,) = cache.glob("*.npy"), cache.glob("*.json")
    assert json.loads(notes.read_text()) == {"bad": {}}
    for damage in (
        npy.unlink,
        notes.unlink,
        lambda: npy.write_bytes(npy.read_bytes()[:200]),
        lambda: notes.write_text("{"),
    ):
        damage()
        actual, _ = load_images(open_dataset(folder), 16, cache=cache)
        np.testing.assert_array_equal(actual, expected)


def test_an_interrupted_build_leaves_no_cache(tmp_path, write_image, monkeypatch):
    folder, cache = tmp_path / "data", tmp_path / "cache"
    write_image(folder / "a.png")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyssl.data.images.open_rgb", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_images(open_dataset(folder), 16, cache=cache)
    assert not list(cache.iterdir())


def test_arrays_are_resized_and_rounded():
    pixels = np.full((2, 20, 20, 3), 200, np.uint8)
    table = Table("demo", Path("demo"), ("a", "b"), pixels)
    same, _ = load_images(table, 20)
    assert (same[:, round_mask(20)] == 200).all()
    assert not same[:, ~round_mask(20)].any()
    assert (table.images == 200).all()  # the input is untouched
    small, _ = load_images(replace(table, is_fundus=False), 5)
    assert (small == 200).all()


def test_fingerprint_tells_tables_apart(tmp_path, write_image):
    write_image(tmp_path / "a.png")
    table = open_dataset(tmp_path)
    assert fingerprint(table) == fingerprint(open_dataset(tmp_path))
    assert fingerprint(table) != fingerprint(table, size=16)
    assert fingerprint(table) != fingerprint(replace(table, is_fundus=False))
    eyes = Table("demo", Path("demo"), ("a",), np.zeros((1, 4, 4, 3), np.uint8))
    assert fingerprint(eyes) != fingerprint(replace(eyes, images=eyes.images + 1))


def test_progress_is_on_stderr(tmp_path, write_image, capsys):
    write_image(tmp_path / "a.png")
    load_images(open_dataset(tmp_path), 16, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "decoding" in captured.err


def test_size_must_be_positive(tmp_path, write_image):
    write_image(tmp_path / "a.png")
    with pytest.raises(ValueError, match="size must be positive, found 0"):
        load_images(open_dataset(tmp_path), 0)
