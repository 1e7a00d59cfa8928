"""One image file to RGB bytes or a mask, refusing by name whatever cannot be."""

from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps

from tinyssl.data.table import DataError

MAX_PIXELS = 80_000_000  # 240 MB decoded; no fundus camera comes near it
# Only decoders of photographs: Pillow would hand a PostScript file to a program.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM")


def read_image(path):
    """Return an image file as RGB, (H, W, 3) uint8, upright by its EXIF orientation.

    Any mode becomes 8-bit RGB, transparent pixels black. A DataError where the file is
    missing, truncated, none of `FORMATS`, of floating point, or too large.
    """
    return np.asarray(open_rgb(path)[0])


def read_mask(path):
    """As `read_image`, (H, W) bool: where it is brighter than half its maximum."""
    gray = read_image(path).max(axis=-1)
    return gray > gray.max() / 2  # all False for an empty mask


def image_size(path):
    """Return (height, width) of an image file as shown, reading its header only."""
    with open_image(path) as image:
        return _upright_size(image)


def open_rgb(path, *, short_side=None):
    """Return an upright RGB image, a JPEG perhaps reduced, and its full shape."""
    with open_image(path) as image:
        if image.width * image.height > MAX_PIXELS:
            size = f"{image.width} x {image.height}"
            raise DataError(f"larger than {MAX_PIXELS:,} pixels ({size})")
        full_size = _upright_size(image)
        if short_side is not None:
            scale = min(1.0, short_side / min(image.size))
            reduced = [int(np.ceil(length * scale)) for length in image.size]
            image.draft("RGB", reduced)  # only JPEG decoders act on it
        return _to_rgb(ImageOps.exif_transpose(image)), full_size


@contextmanager
def open_image(path):
    """Open an image file; whatever goes wrong with it is a DataError with its name."""
    from tinyssl.data import medical  # which needs MAX_PIXELS

    try:
        if medical.is_medical(path):
            yield medical.open_medical(path)
            return
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except Exception as error:  # a decoder may raise anything on broken bytes
        raise DataError(f"{path}: {_reason_of(error)}") from None


def _reason_of(error):
    if isinstance(error, DataError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "missing file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not an image"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"larger than {MAX_PIXELS:,} pixels"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a JPEG, PNG, TIFF, BMP, GIF, WebP or PPM image"
    return f"unreadable image ({str(error) or type(error).__name__})"


def _upright_size(image):
    """Return (height, width) after the EXIF orientation; 5 to 8 swap the sides."""
    width, height = image.size
    sideways = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (width, height) if sideways else (height, width)


def _to_rgb(image):
    """Return 8-bit RGB from any mode, transparency laid on black."""
    if image.mode == "F":
        raise DataError("pixels are floating point; save it with 8 or 16 bits")
    if image.mode.startswith("I"):  # 16-bit gray, which Pillow also opens as "I"
        pixels = np.asarray(image).astype(np.int64)
        if pixels.size and not 0 <= pixels.min() <= pixels.max() <= 65535:
            raise DataError("pixels lie outside 0..65535")
        return Image.fromarray((pixels // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image).convert("RGB")
    return image.convert("RGB")  # decodes the file if nothing above did
