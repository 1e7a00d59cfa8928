"""Files become RGB bytes or masks; loading: bad files, the one crop, the cache."""

import json
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinyssl.data import DataError, Table, load_images, open_dataset
from tinyssl.data.crop import (
    Crop,
    looks_like_fundus,
    resize,
    square_crop,
    working_shape,
)
from tinyssl.data.decode import image_size, read_image, read_mask
from tinyssl.data.images import center_crop, field_of_view, fingerprint, round_mask

places = st.integers(-30, 30)
lengths = st.integers(8, 90)
crops = st.builds(Crop, places, places, lengths, height=st.just(60), width=st.just(80))
sides = st.tuples(st.integers(1, 40), st.integers(1, 40))
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
    # arrays are resized and rounded
    pixels = np.full((2, 20, 20, 3), 200, np.uint8)
    table = Table("demo", Path("demo"), ("a", "b"), pixels)
    same, _ = load_images(table, 20)
    assert (same[:, round_mask(20)] == 200).all()
    assert not same[:, ~round_mask(20)].any()
    assert (table.images == 200).all()  # the input is untouched
    small, _ = load_images(replace(table, is_fundus=False), 5)
    assert (small == 200).all()


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
    assert json.loads(notes.read_text())["bad"] == {}
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


def test_fingerprint_tells_tables_apart_and_progress_is_on_stderr(folder, capsys):
    table = open_dataset(folder("a.png"))
    expected = fingerprint(table, 16)
    assert expected == fingerprint(open_dataset(table.root), 16)
    others = fingerprint(table, 17), fingerprint(replace(table, is_fundus=False), 16)
    assert expected not in others
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
    assert (actual.shape, actual.dtype) == ((4, 6, 3), np.uint8)
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


def photograph(height, width, y, x, radius, notch=False):
    """Return an unevenly lit reddish disc on noisy black."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - y, columns - x) < radius
    if notch:
        inside |= np.hypot(rows - (y - radius), columns - x) < radius / 12
    light = 60 + 120 * columns / width
    image = inside[..., None] * light[..., None] * [1, 0.5, 0.2]
    noise = np.random.default_rng(0).uniform(0, 6, image.shape)
    return (image + noise).astype(np.uint8)


@given(st.floats(80, 120), st.floats(140, 160), st.floats(70, 130), st.booleans())
def test_circle_is_found_though_cut_and_notched(y, x, radius, notch):
    crop = square_crop(photograph(200, 300, y, x, radius, notch=notch))
    middle = crop.top + crop.side / 2 - 0.5, crop.left + crop.side / 2 - 0.5
    np.testing.assert_allclose(middle, (y, x), atol=2)
    assert crop.side == pytest.approx(2 * radius, abs=4)


def test_circle_is_found_from_its_corners_alone_and_cut_away_from_the_edge():
    for radius in (145, 150, 160):  # cut on all sides
        crop = square_crop(photograph(200, 280, 99.5, 139.5, radius))
        assert crop.side == pytest.approx(2 * radius, abs=4)
    image = photograph(200, 300, 99.5, 149.5, 100)
    image[:30] = image[170:] = 0
    crop = square_crop(image)
    assert (crop.top, crop.side) == (pytest.approx(0, abs=4), pytest.approx(200, abs=6))


def test_field_of_view_is_the_largest_area_without_holes_and_tells_eyes():
    for value in (0, 5, 128, 255):  # no circle
        image = np.full((40, 60, 3), value, np.uint8)
        assert square_crop(image) == center_crop(40, 60)
        assert field_of_view(image).all()
    image = photograph(100, 150, 49.5, 74.5, 45)
    image[45:55, 70:80] = 0  # a dark spot inside
    image[2:8, 2:20] = 200  # a date stamp outside
    actual = field_of_view(image)
    assert actual[50, 75] > actual[5, 5]
    assert actual.sum() == pytest.approx(np.pi * 45**2, rel=0.02)
    # eyes are told from other images
    eye = photograph(60, 60, 29.5, 29.5, 30)
    gray = np.repeat(eye.max(axis=-1, keepdims=True), 3, axis=-1)
    full = np.full((60, 60, 3), (180, 90, 40), np.uint8)
    assert looks_like_fundus([eye, eye, gray])
    assert not any(map(looks_like_fundus, ([gray], [full], [])))


@given(crops, st.integers(0, 59), st.integers(0, 79))
def test_points_follow_the_pixels(crop, y, x):
    size = crop.side  # no resizing: a pixel goes to a pixel
    image = np.zeros((60, 80), bool)
    image[y, x] = True
    points = crop.points(np.array([[y, x], [np.nan, np.nan]]), size)
    inside = (points[0] >= 0).all() and (points[0] < size).all()
    expected = points[:1].tolist() if inside else []
    assert np.argwhere(crop.apply(image, size)).tolist() == expected
    assert np.isnan(points[1]).all()  # missing stays missing


@given(crops, st.integers(4, 64))
def test_points_follow_a_resized_blob(crop, size):
    rows, columns = np.mgrid[:60, :80]
    blob = np.exp(-((rows - 29.5) ** 2 + (columns - 39.5) ** 2) / 50)
    expected = crop.points(np.array([29.5, 39.5]), size)
    margin = 14 * size / crop.side
    if margin <= expected.min() and expected.max() <= size - 1 - margin:
        weight = crop.apply((blob * 255).astype(np.uint8), size).astype(float)
        y, x = np.mgrid[:size, :size]
        actual = np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()
        np.testing.assert_allclose(actual, expected, atol=0.15)


@given(crops, st.integers(4, 40))
def test_a_reduced_copy_gives_the_same_crop(crop, size):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (15, 20, 3), np.uint8)
    full = small.repeat(4, axis=0).repeat(4, axis=1)
    expected = crop.apply(full, size).mean()
    assert crop.apply(small, size).mean() == pytest.approx(expected, abs=12)


def test_a_mask_is_true_where_half_a_pixel_was_and_floats_are_refused():
    half = np.tile(np.arange(8) < 5, (8, 1))  # shares 1, 1, .5, 0 of wider pixels
    actual = Crop(0, 0, 8, 8, 8).apply(half, 4)
    assert actual[0].tolist() == [True, True, True, False]
    with pytest.raises(TypeError, match="array must be uint8 or bool, found float64"):
        Crop(0, 0, 4, 4, 4).apply(np.zeros((4, 4)), 2)


@given(st.integers(1, 70))
def test_round_mask_does_not_change_when_turned(size):
    mask = round_mask(size)
    np.testing.assert_array_equal(mask, np.rot90(mask))
    assert mask[size // 2].all()
    assert round_mask(4).sum() == 12


@given(sides, sides)
def test_a_flat_array_stays_flat(shape, wanted):
    for array in (np.full((*shape, 3), 77, np.uint8), np.ones(shape, bool)):
        resized = resize(array, wanted)
        assert resized.shape[:2] == wanted
        np.testing.assert_allclose(resized.astype(float), float(array.flat[0]))
        assert resize(array, shape) is array


def test_a_shrunk_mask_keeps_its_area_and_place_a_smooth_map_its_values_fields_shrink():
    mask = np.zeros((80, 120), bool)
    mask[20:40, 60:90] = True
    small = resize(mask, (40, 60))
    assert small.dtype == np.float32
    assert 4 * small.sum() == pytest.approx(mask.sum(), rel=0.01)
    rows, columns = np.nonzero(small >= 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 19, 30, 44)
    y, x = np.mgrid[:60, :90] / 90
    expected = np.sin(3 * y) * np.cos(4 * x)
    actual = resize(resize(expected, (30, 45)), (60, 90))
    np.testing.assert_allclose(actual, expected, atol=0.03)
    # fields shrink to the width and are never enlarged
    region = np.ones((720, 1080), bool)
    assert working_shape(region, 540) == (360, 540)
    assert working_shape(region, 0) == working_shape(region, 5000) == (720, 1080)
    assert working_shape(np.zeros((10, 10), bool), 5) == (10, 10)
    region[:, :540] = False  # the field counts, and not the black around it
    assert working_shape(region, 270) == (360, 540)
