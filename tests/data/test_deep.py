"""Masks and deep images keep what they hold; several images or labels are refused."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, Table, load_masks
from tinyssl.data.decode import image_size, open_rgb, read_image, read_mask

Y, X = np.mgrid[:60, :60]
DISC, CUP = np.hypot(Y - 29.5, X - 29.5) < 20, np.hypot(Y - 29.5, X - 24.5) < 8
RING = DISC * np.uint8(1) + CUP  # 0, 1 and 2
RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)
SMOOTH = Image.fromarray(DISC * np.uint8(255)).resize((30, 30), Image.Resampling.BOX)


def painted(codes, *colors, alpha=False):
    return Image.fromarray(np.array(colors, np.uint8)[codes], "RGBA" if alpha else None)


def indexed(codes, *colors):
    image = Image.fromarray(np.asarray(codes, np.uint8), "P")
    image.putpalette([value for color in colors for value in color])
    return image


def deep(codes, kind):
    return Image.fromarray(codes.astype(kind))


def cleared(image, transparency):
    image.info["transparency"] = transparency
    return image


BLACK, INK, CLEAR = (0, 0, 0), (0, 0, 0, 255), (9, 9, 9, 0)
TWO = {
    "16 bits, 0 and 3": (deep(DISC * 3, "u2"), "png"),
    "16 bits, 0 and 40000": (deep(DISC * 40000, "u2"), "tif"),
    "32 bits, 0 and 1,000,000": (deep(DISC * 1000000, "i4"), "tif"),
    "floats, 0 and 0.25": (deep(DISC * 0.25, "f4"), "tif"),
    "8 bits, 200 and 255": (deep(200 + DISC * 55, "u1"), "png"),
    "indices of a coloured palette": (indexed(DISC * 7, *[BLACK] * 7, RED), "png"),
    "a gray palette turned over": (indexed(~DISC, (255,) * 3, BLACK), "gif"),
    "an adaptive palette": (indexed(~DISC, RED, BLACK), "png"),
    "a palette all black": (indexed(DISC, BLACK, BLACK), "png"),
    "black on transparent": (painted(DISC * 1, (0, 0, 0, 0), INK), "png"),
    "the same, indexed": (cleared(indexed(DISC, RED, BLACK), 0), "png"),
    "the same, opacities": (cleared(indexed(DISC, RED, BLACK), b"\0\xff"), "png"),
    "the same, turned over": (cleared(indexed(~DISC, BLACK, RED), 1), "png"),
    "red on transparent": (painted(DISC * 1, CLEAR, (*RED, 255)), "png"),
    "one opacity": (painted(DISC * 1, (0, 0, 0, 0), (9, 9, 9, 0)), "png"),
    "blue": (painted(DISC * 1, BLACK, BLUE), "tif"),
}


@pytest.mark.parametrize("name", TWO)
def test_any_two_values_are_a_mask(tmp_path, name):
    image, suffix = TWO[name]
    image.save(tmp_path / f"mask.{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"mask.{suffix}"), DISC)


LABELS = {
    "numbers": (deep(RING, "u1"), "0, 1, 2", 2),
    "16-bit numbers": (deep(RING * np.uint16(500), "u2"), "0, 500, 1000", 1000),
    "grays": (deep(np.array([255, 128, 0])[RING], "u1"), "0, 128, 255", 0),
    "a void": (deep(np.array([0, 255, 1])[RING], "u1"), "0, 1, 255", 1),
    "indices": (indexed(RING, BLACK, RED, GREEN), "0, 1, 2", 2),
    "dark shades": (indexed(RING, BLACK, (80, 0, 0), (160, 0, 0)), "0, 1, 2", 2),
    "colours": (painted(RING, BLACK, RED, GREEN), "0x000000, 0x008000", 0x008000),
    "equal colours": (painted(CUP * 1, RED, (200, 255, 0)), "0xc8ff00", 0xC8FF00),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_refused_by_name_unless_one_is_chosen(tmp_path, name):
    image, found, label = LABELS[name]
    image.save(path := tmp_path / "mask.png")
    with pytest.raises(DataError, match=rf"mask.png: .*found .*{found}.*--mask-label"):
        read_mask(path)
    np.testing.assert_array_equal(read_mask(path, label=label), CUP)
    table = Table("demo", tmp_path, ("a",), (path,), masks={"MA": (path,)})
    assert load_masks(table, "MA", 60, label=label).any()
    assert not read_mask(path, label=77).any()


@pytest.mark.parametrize("color", [(255, 255, 255), RED])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("size", [60, 90])
def test_smooth_edges_and_the_noise_of_a_jpeg_are_no_labels(
    tmp_path, color, suffix, size
):
    gray = np.asarray(SMOOTH.resize((size, size), Image.Resampling.BILINEAR))
    shades = (gray[..., None] / 255 * color).round().astype(np.uint8)
    Image.fromarray(shades).save(tmp_path / f"mask.{suffix}", quality=80)
    actual = read_mask(tmp_path / f"mask.{suffix}")
    assert (actual != (gray > 127)).mean() < 0.02
    assert actual.mean() == pytest.approx(DISC.mean(), rel=0.05)


def test_few_values_of_a_jpeg_are_no_labels_and_saved_again_neither(tmp_path):
    for quality in (98, 100):
        mask = Image.fromarray(CUP * np.uint8(255))
        mask.save(tmp_path / "a.jpg", quality=quality)
        assert 2 < len(np.unique(read_image(tmp_path / "a.jpg"))) < 10
        Image.open(tmp_path / "a.jpg").save(tmp_path / "a.png")
        for name in ("a.jpg", "a.png"):
            np.testing.assert_array_equal(read_mask(tmp_path / name), CUP)
    box = (Y >= 16) & (Y < 43) & (X >= 8) & (X < 48)  # in a JPEG 0, 1 and 255
    Image.fromarray(box * np.uint8(255)).save(tmp_path / "a.jpg", quality=90)
    assert len(np.unique(read_image(tmp_path / "a.jpg"))) == 3
    np.testing.assert_array_equal(read_mask(tmp_path / "a.jpg"), box)


def test_what_is_nearly_black_in_a_ramp_is_no_label(tmp_path):
    ramp = np.clip(255 * (25 - np.hypot(Y - 29.5, X - 29.5)) / 10, 0, 255).round()
    ramp[(ramp == 0) & (Y > 0)] = 3  # as in a JPEG
    deep(ramp, "u1").save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), ramp > 127)


def test_lines_of_a_second_number_or_hue_are_labels_though_thin(tmp_path):
    codes = (X % 20 == 0) * 1 + (X % 20 == 10) * 2
    deep(codes, "u1").save(tmp_path / "mask.png")
    with pytest.raises(DataError, match="found 0, 1, 2"):
        read_mask(tmp_path / "mask.png")
    painted(codes, BLACK, RED, BLUE).save(tmp_path / "mask.png")
    with pytest.raises(DataError, match="found 0x000000, 0x0000ff, 0xff0000"):
        read_mask(tmp_path / "mask.png")


def test_masks_mostly_empty_are_said(folder):
    root = folder("a.png", "b.png", "c.png", masks=["m.png"])
    Image.new("1", (60, 40)).save(root / "empty.png")
    images = tuple(root / f"{name}.png" for name in "abc")
    masks = (root / "empty.png", root / "m.png", root / "empty.png")
    table = Table("demo", root, ("a", "b", "c"), images, masks={"MA": masks})
    with pytest.warns(UserWarning, match="nothing is drawn in 2 of 3 MA masks"):
        assert load_masks(table, "MA", 16).any(axis=(1, 2)).tolist() == [0, 1, 0]
    assert load_masks(table.select([0, 1]), "MA", 16)[1].any()


@pytest.mark.parametrize("top", [200, 255, 1000, 1023, 4000, 16383, 65535])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_deep_gray_is_scaled_by_the_bits_that_hold_it(tmp_path, top, suffix):
    values = np.linspace(0, top, 3600).round().reshape(60, 60)
    deep(values, "u2").save(tmp_path / f"a.{suffix}")
    actual = read_image(tmp_path / f"a.{suffix}")[..., 0]
    white = next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if top < 2**bits)
    np.testing.assert_allclose(actual, values / white * 255, atol=1)
    assert actual.max() > 190


def test_tags_say_how_deep_a_dark_image_is_and_dark_colours_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    deep(X * 10, "u2").save(path, tiffinfo={281: 4095})
    assert read_image(path).max() == 590 * 255 // 4095
    deep(X - 1, "i4").save(path)
    with pytest.raises(DataError, match=r"outside 0\.\.65535"):
        read_image(path)
    path = tmp_path / "colours.png"
    path.write_bytes(deep_png(np.dstack([X, Y, X]) * 69))
    with pytest.raises(
        DataError, match=r"colours\.png: 16-bit colours must reach 16384"
    ):
        read_image(path)
    path.write_bytes(deep_png(np.dstack([X, Y, X]) * 1100))
    np.testing.assert_array_equal(read_image(path)[..., 0], X * 1100 // 256)


def deep_png(pixels):
    """Return a PNG file of (H, W, 3) colours of 16 bits, which Pillow cannot write."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", *pixels.shape[1::-1], 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def stored(shown, orientation):
    """Return how a camera stores a picture, by EXIF's table."""
    back, half, quarter = (np.rot90(shown, turns) for turns in (-1, 2, 1))
    kinds = [shown, shown[:, ::-1], half, shown[::-1], shown.swapaxes(0, 1), quarter]
    kinds += [half.swapaxes(0, 1), back]
    return np.ascontiguousarray(kinds[orientation - 1])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_a_mask_is_turned_with_its_image(tmp_path, orientation, kind):
    shown = np.zeros((40, 60), bool)
    shown[8:16, 8:40] = True
    exif = Image.Exif()
    exif[0x0112] = orientation
    gray = stored(shown * np.uint8(250), orientation)
    image, tagged = tmp_path / f"image.{kind}", tmp_path / f"tagged.{kind}"
    raw, upright = tmp_path / "raw.png", tmp_path / "upright.png"
    Image.fromarray(gray).save(image, exif=exif, quality=95)
    Image.fromarray(gray).save(tagged, exif=exif, quality=95)
    Image.fromarray(gray).save(raw)
    Image.fromarray(shown).save(upright)
    assert image_size(image) == read_image(image).shape[:2] == (40, 60)
    assert ((read_image(image)[..., 0] > 125) == shown).all()
    table = Table("demo", tmp_path, ("a",), (image,), is_fundus=False)
    for mask in (raw, tagged) + (upright,) * (orientation > 4 or orientation == 1):
        np.testing.assert_array_equal(read_mask(mask, image=image), shown)
        actual = load_masks(replace(table, masks={"EX": (mask,)}), "EX", 40)
        np.testing.assert_array_equal(actual[0], shown[:, 10:50])


def test_several_images_in_a_file_are_refused_but_previews_are_not(tmp_path):
    one, other = Image.new("L", (60, 40), 9), Image.new("L", (60, 40), 90)
    for suffix in ("tif", "gif", "png", "webp"):
        path = tmp_path / f"pages.{suffix}"
        one.save(path, save_all=True, append_images=[other])
        for read in (read_image, read_mask):
            with pytest.raises(
                DataError, match=f"pages.{suffix}: holds several images"
            ):
                read(path)
    one.save(
        path := tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[other]
    )
    assert read_image(path).max() == 9
    small = other.resize((30, 20))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    one.save(path := tmp_path / "preview.tif", save_all=True, append_images=[small])
    assert open_rgb(path)[0].max() == 9
