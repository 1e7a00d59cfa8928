"""One look at each image of all parts: whatever the audit asks, from one decode."""

import hashlib
import re
from types import SimpleNamespace

import numpy as np
from scipy import ndimage

from tinyssl.data.crop import field_of_view
from tinyssl.data.decode import image_size, open_image
from tinyssl.data.images import open_with_crop, try_all
from tinyssl.data.table import DataError
from tinyssl.rows import in_file

VIEW = 128  # px of the square in which copies are sought: larger vessels show
LIGHT = 4 / 128  # of the side: what is coarser than this is light, not structure
COARSE = 28  # px of the image kept for baselines, as in MedMNIST
DESCRIPTION, MODEL, DATE_FOLDER, DATE = 0x010E, 0x0110, 0x8769, 0x9003  # EXIF


class Looks(SimpleNamespace):
    """Columns of `_see` of all readable images; parts; why the others are not.

    The folder is for files without a name.
    """

    def label(self, i):
        """Return the name of image i, with its part where there are several."""
        name = str(self.shown[i])
        return f"{self.part[i]}: {name}" if len(self.parts) > 1 else name

    def table(self, i):
        """Return the table of image i alone."""
        return self.parts[self.part[i]].select(self.index[[i]])


def look(parts, *, folder=None, threads=None, progress=False):
    """Look once at every image of all parts; takes 4 KB an image, 16 KB of a folder."""
    rows = [(part, i) for part, table in parts.items() for i in range(len(table))]
    seen: list[dict] = [{} for _ in rows]
    side = min([VIEW, *(_typical_side(table) for table in parts.values())])
    # whole at once: small arrays of each image would leave holes in memory
    pixels = {"coarse": np.empty((len(rows), COARSE, COARSE, 3), np.uint8)}
    pixels["structure"] = in_file((len(rows), side, side), np.int8, folder)

    def see(k):
        part, i = rows[k]
        row = {"part": part} | _see(parts[part], i, side)
        for name, column in pixels.items():
            column[k] = row.pop(name)
        seen[k] = row

    bad = try_all(see, len(rows), threads=threads, progress=progress)
    good = [k for k, row in enumerate(seen) if row]
    if not good:
        raise DataError.listing("none of the images can be read", bad.values())
    for column in pixels.values() if bad else ():
        for new, old in enumerate(good):
            column[new] = column[old]
    columns = {name: column[: len(good)] for name, column in pixels.items()}
    for name in [*seen[good[0]]]:
        columns[name] = np.array([seen[k][name] for k in good])
    unreadable = [f"{rows[k][0]}: {reason}" for k, reason in bad.items()]
    columns["shown"] = columns["name"]  # in what is written
    return Looks(parts=parts, unreadable=unreadable, folder=folder, **columns)


def _see(table, i, side):
    """Return what the table says of an image, what its file carries and pixels show."""
    pixels, crop = open_with_crop(table, i, VIEW)
    view = crop.apply(pixels, side)
    green, area = view[..., 1].astype(np.float32), seen_area(view)
    fine = green - ndimage.gaussian_filter(green, 1)
    spread = view.max(axis=-1).astype(int) - view.min(axis=-1)
    path = table.images[i] if isinstance(table.images, tuple) else None
    digest = hashlib.sha256(pixels.tobytes() + str(crop).encode())
    return {
        "name": table.names[i],
        "index": i,
        "grade": -1 if table.grade is None else table.grade[i],  # -1 is unlabelled
        "patient": "" if table.patient is None else table.patient[i],  # "" is unknown
        "split": "" if table.split is None else table.split[i],
        "height": crop.height,
        "width": crop.width,
        "digest": digest.hexdigest(),  # of a large JPEG, at reduced size
        "coarse": crop.apply(pixels, COARSE),  # (28, 28, 3) uint8
        "structure": structure(green, area),  # (S, S) int8
        "gray": spread.max() <= 4,  # a JPEG of a gray image is not exactly gray
        "brightness": view.max(axis=-1)[area].mean(),  # of the brightest channel
        "detail": fine[area].std(),  # of the finest structure in green
        **(_read_header(path) if path else {"camera": "", "note": ""}),
    }


def _read_header(path):
    """Return what the header of a file tells: camera, and a comment or date."""
    with open_image(path) as image:
        exif = image.getexif()
        tables = getattr(image, "quantization", None) or {}
        compression = sum(sum(table) for table in tables.values())
        camera = (image.format, image.mode, compression, exif.get(MODEL))
        date = exif.get_ifd(DATE_FOLDER).get(DATE)
        notes = [image.info.get("comment"), exif.get(DESCRIPTION), date]
    texts = (n.decode("latin-1") if isinstance(n, bytes) else str(n) for n in notes)
    lines = [" ".join(text.replace("\0", " ").split())[:80] for text in texts]
    return {
        "camera": " ".join(str(word) for word in camera if word),
        "note": next((line for line in lines if re.search(r"\d{3}", line)), ""),
    }


def _typical_side(table):
    """Return the short side that most images of a table have, from a few of them."""
    if isinstance(table.images, np.ndarray):
        return min(table.images.shape[1:3])
    few, sides = table.images[:: max(1, len(table) // 9)], []
    try_all(lambda i: sides.append(min(image_size(few[i]))), len(few))
    return int(np.median(sides or [VIEW]))


def seen_area(view):
    """Return where an (S, S, 3) view shows the eye, without its rim and tab."""
    S = len(view)
    offset = np.arange(S) - (S - 1) / 2
    disc = offset[:, None] ** 2 + offset**2 <= (0.45 * S) ** 2
    return disc & field_of_view(view)


def structure(green, area):
    """Return vessels and lesions, freed of light: 42 is one local deviation."""
    band = _blur(green, area, 0.7) - _blur(green, area, 3)
    deviation = np.sqrt(_blur(band * band, area, 2 * LIGHT * len(green)))
    band = np.clip(band / (deviation + 0.5), -3, 3)
    band = np.clip(band - band[area].mean(), -3, 3) if area.any() else band
    return np.round(42 * band * area).astype(np.int8)


def _blur(array, area, sigma):
    """Return the Gaussian mean of what lies in the area; the outside takes no part."""
    inside = area.astype(np.float32)
    weight = ndimage.gaussian_filter(inside, sigma)
    return ndimage.gaussian_filter(array * inside, sigma) / np.maximum(weight, 1e-3)
