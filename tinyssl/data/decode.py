"""One image file to RGB bytes or a mask, refusing by name whatever cannot be.

A process that decodes one file stays below 300 MB: what takes more is reduced by whole
factors, strip by strip, or refused.
"""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from tinyssl.data.masks import MAX_LABELS, drawn_area
from tinyssl.data.medical import medical_suffix, open_medical
from tinyssl.data.table import MAX_PIXELS, DataError

MAX_SIDE = 65_535  # as in a JPEG: Pillow takes 8 bytes for each row
MAX_BYTES = 190_000_000  # for one image, beside 100 MB for Python and its packages
LARGE = 20_000_000  # pixels; what has fewer is decoded as it is
STRIP = 250_000  # pixels that are converted at once
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # the tag, and what swaps the sides
# Only decoders of photographs: Pillow would hand a PostScript file to a program.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM")


def read_image(path):
    """Return an image file as RGB, (H, W, 3) uint8, upright by its EXIF orientation.

    Any mode becomes 8-bit RGB, transparent pixels black. Of deep gray images white is
    the largest value of 8, 10, 12, 14 or 16 bits, the fewest that hold the file's
    maximum, or what its TIFF tags declare: without tags a dark image of a 12-bit
    camera, nowhere above 1023, comes out four times as bright as the others. What
    cannot be shown so is a DataError.
    """
    return open_rgb(path)[0]


def read_mask(path, *, label=None, image=None):
    """Return where a mask file is drawn, upright: (H, W) bool array.

    It holds numbers of any depth; with a palette indices, if its first colour is black
    or transparent and not all are gray; or else colours, or transparency if all is one
    colour. What is drawn is `label`, an index or a colour 0xRRGGBB, or if not given
    what `drawn_area` says. A mask without an orientation tag is turned like its
    ``image``, a path, if it has the proportions of the stored pixels of that.
    """
    with open_image(path) as mask:
        tag = _orientation(mask)
        _load(mask, mask.size, bytes_out=6)
        codes, palette, names = _codes(mask)
        if label is None:
            drawn = drawn_area(codes, palette, names)
        else:
            drawn = codes == label if names is None else (names == label)[codes]
        drawn = _upright(drawn, mask)
    return _turned(drawn, _turn_with(image, drawn.shape, tag))


def image_size(path, image=None):
    """Return (height, width) as `read_image` or `read_mask` has it, of headers only."""
    with open_image(path) as file:
        shape, tag = _upright_shape(file), _orientation(file)
    return shape[::-1] if _turn_with(image, shape, tag) in SIDEWAYS else shape


def _turn_with(image, shape, tag):
    """Return how a mask of that shape is turned with its image, a path or None."""
    if tag is not None or image is None:
        return None
    with open_image(image) as photo:
        shown, turn = _upright_shape(photo), _orientation(photo)
    raw = shown[::-1] if turn in SIDEWAYS else shown
    return turn if same_proportions(shape, raw) else None


def open_rgb(path, *, short_side=None):
    """Return an image as `read_image`, perhaps reduced, and its full (height, width).

    Reduced are JPEGs and what has more than `LARGE` pixels, no side below `short_side`.
    """
    with open_image(path) as image:
        shape, size, factor = _upright_shape(image), image.size, 1
        if short_side is not None:
            scale = min(1.0, short_side / min(image.size))
            reduced = [int(np.ceil(length * scale)) for length in image.size]
            image.draft("RGB", reduced)  # only JPEG decoders act on it
            if image.width * image.height > LARGE:
                factor = max(1, min(image.size) // short_side)
        _load(image, size, bytes_out=3 / factor**2)
        return _upright(_to_rgb(image, factor), image), shape


def same_proportions(shape, other):
    """Return whether two (height, width) differ by a scale and rounding only."""
    return abs(shape[0] * other[1] - shape[1] * other[0]) <= max(other)


@contextmanager
def open_image(path):
    """Open an image file; whatever goes wrong with it is a DataError with its name."""
    try:
        if medical_suffix(path):
            yield open_medical(path)
            return
        # Given a path, Pillow maps the file, and a TIFF that lies on its side wrongly.
        with Path(path).open("rb") as file, Image.open(file, formats=FORMATS) as image:
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


def _orientation(image):
    """Return the orientation tag, or None; PNG's own getexif would decode the file."""
    return Image.Image.getexif(image).get(ORIENTATION)


def _upright_shape(image):
    """Return (height, width) after the orientation; Pillow swaps a TIFF's itself."""
    sideways = _orientation(image) in SIDEWAYS and image.format != "TIFF"
    return image.size if sideways else image.size[::-1]


def _upright(stored, image):
    """Return the decoded pixels of an image as they are shown."""
    return stored if image.format == "TIFF" else _turned(stored, _orientation(image))


def _turned(stored, orientation):
    """Return stored pixels, (H, W, ...), as they are shown: a view."""
    rows, columns = orientation in (3, 4, 6, 7), orientation in (2, 3, 7, 8)
    turned = stored[:: -1 if rows else 1, :: -1 if columns else 1]
    return turned.swapaxes(0, 1) if orientation in SIDEWAYS else turned


def _load(image, size, *, bytes_out):
    """Decode an image, of that size before its draft, unless it takes too much.

    ``bytes_out`` a pixel are needed beside what Pillow holds.
    """
    pixels, sides = size[0] * size[1], f"{size[0]} x {size[1]}"
    if pixels > MAX_PIXELS:
        raise DataError(f"larger than {MAX_PIXELS:,} pixels ({sides})")
    if max(size) > MAX_SIDE:
        raise DataError(f"a side is longer than {MAX_SIDE:,} pixels ({sides})")
    several = image.format != "MPO" and getattr(image, "is_animated", False)
    if several and image.format == "TIFF":
        image.seek(1)  # perhaps a smaller copy: a preview, such as an MPO holds
        several = not image.tag_v2.get(254, 0) & 1  # NewSubfileType
        image.seek(0)
    if several:
        raise DataError("holds several images; save each as a file of its own")
    held = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}.get(image.mode, 4)
    briefly = 12 if image.format == "WEBP" else 6 * ("progressive" in image.info)
    if image.format == "TIFF":  # a copy that is turned; a whole strip
        strip = image.tile[0][0] == "libtiff" and image.tag_v2.get(278, size[1])
        briefly = held * (bool(_orientation(image)) + min(strip / size[1], 1))
    needed = image.width * image.height * held
    needed += max(pixels * briefly, image.width * image.height * bytes_out)
    if needed > MAX_BYTES:
        rule = f"needs {needed / 1e6:.0f} MB of memory, more than"
        raise DataError(f"{rule} {MAX_BYTES / 1e6:.0f} MB ({sides}); save it smaller")
    sixteen = ";16" in str(getattr(image, "tile", ""))
    deep = sixteen and image.mode in ("RGB", "RGBA", "LA")
    image.load()
    if deep:  # Pillow keeps the upper byte of each colour
        top = max(high for _, high in image.getextrema()[: len(image.mode.rstrip("A"))])
        if top < 64:
            rule = "16-bit colours must reach 16384, found none above"
            raise DataError(f"{rule} {256 * top + 255}; save them with 8 bits")


def _to_rgb(image, factor=1):
    """Return (H, W, 3) uint8 from any mode, shrunk by a factor, sides rounded up."""
    if image.mode == "F":
        raise DataError("pixels are floating point; save it with 8 or 16 bits")
    white = _white_of(image) if image.mode[0] == "I" else None
    height, width = (-(-side // factor) for side in image.size[::-1])
    pixels = np.empty((height, width, 3), np.uint8)
    for top, strip in _strips(image, factor):
        if white:
            gray = np.asarray(strip).astype(np.int64) * 255 // white
            strip = Image.fromarray(gray.astype(np.uint8))
        if strip.has_transparency_data:
            strip = strip.convert("RGBA")
            black = Image.new("RGBA", strip.size, (0, 0, 0, 255))
            strip = Image.alpha_composite(black, strip)
        rgb = strip.convert("RGB").reduce(factor)
        pixels[top // factor :][: rgb.height] = rgb
    return pixels


def _strips(image, factor=1):
    """Yield horizontal strips of a decoded image, each after its first row."""
    rows = factor * max(1, STRIP // (image.width * factor))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _white_of(image):
    """Return which value of a deep gray image is white; see `read_image`."""
    strips = (np.asarray(strip) for _, strip in _strips(image))
    low, high = np.transpose([(strip.min(), strip.max()) for strip in strips])
    low, high = int(low.min()), int(high.max())
    if not 0 <= low <= high <= 65535:
        raise DataError("pixels lie outside 0..65535")
    if image.format == "PPM":
        return 65535  # Pillow has scaled it by the white it declares
    if image.format == "TIFF":
        bits = min(image.tag_v2.get(258, (16,)))  # BitsPerSample
        declared = image.tag_v2.get(281, (0,))  # MaxSampleValue
        high = max(high, (2**bits - 1) % 65535, *declared)  # 16 bits may hold fewer
    return next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if high < 2**bits)


def _codes(mask):
    """Return codes, palette and names of a decoded mask, as `drawn_area` takes them."""
    if mask.mode == "P":
        palette, listed = np.zeros((256, 3), np.uint8), mask.getpalette()
        palette.flat[: len(listed)] = listed
        gray = (palette == palette[:, :1]).all()
        clear = mask.info.get("transparency")  # an index, or the opacity of each
        if isinstance(clear, bytes):
            clear = clear.find(b"\0") if {*clear} <= {0, 255} else -1
        if clear == 0 or (clear is None and not palette[0].any()):
            palette[0] = 0
            black = ~palette[np.flatnonzero(mask.histogram())].any(axis=-1)
            if black.sum() > 1:  # the colours do not tell the indices apart
                return np.asarray(mask), None, None
            if clear == 0 or not gray:
                return np.asarray(mask), palette, None
        if clear is None and gray:
            mask = mask.convert("L")
    if mask.mode[0] in "1LIF" and not mask.has_transparency_data:
        if mask.mode == "F" and not np.isfinite(mask.getextrema()).all():
            raise DataError("a mask must hold finite values, found others")
        return np.asarray(mask), None, None

    rgb = mask if mask.mode == "RGB" else mask.convert("RGB")
    if mask.has_transparency_data:
        opacity = mask.convert("RGBA").getchannel("A")
        if len({*opacity.getextrema()}) == 2:  # one opacity says nothing
            rgb = Image.new("RGB", mask.size)
            rgb.paste(mask.convert("RGB"), mask=opacity)
            if rgb.getbbox() is None:
                return np.asarray(opacity), None, None
    codes, weights = np.empty(mask.size[::-1], np.uint8), (65536, 256, 1)
    found = rgb.getcolors(MAX_LABELS)  # None if there are more
    colours = [(0, 0, 0), *(colour for _, colour in found or ())]
    palette = np.unique(np.array(colours, np.uint8), axis=0)  # sorted as the names
    names = palette @ weights
    for top, strip in _strips(rgb):
        pixels = np.asarray(strip)
        new = np.searchsorted(names, pixels @ weights) if found else pixels.max(-1)
        codes[top : top + strip.height] = new
    if not found:
        return codes, None, None
    gray = (palette == palette[:, :1]).all()
    return (palette[:, 0][codes], None, None) if gray else (codes, palette, names)
