"""Small patches of images as `PatchDictionary` takes them: drawn or all, normalised."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyssl import _checks
from tinyssl.transforms._arrays import batch

BLACK, DARK = 12 / 255, 0.08  # the brightest channel of a pixel; the mean of a patch
FLAT = (10 / 255) ** 2  # added to the variance of a patch
BLOCK = 4096  # patches at once


def sample(images, size, count, *, rng):
    """Draw at most ``count`` patches of all images, none twice; normalised, (n, d)."""
    images = as_list(images, size)
    counts = np.array([inside(in_unit(image), size).sum() for image in images])
    ends, patches = counts.cumsum(), []
    chosen = np.sort(rng.choice(ends[-1], min(ends[-1], count), replace=False))
    parts = np.split(chosen, np.searchsorted(chosen, ends[:-1]))
    for image, part, first in zip(images, parts, ends - counts, strict=True):
        if len(part) or not patches:  # fields are found again: all would not fit
            field = inside(in_unit(image), size)
            places = np.flatnonzero(field)[part - first]
            corners = np.divmod(places, field.shape[1])
            patches.append(windows(in_unit(image), size)[corners])
    return normalised(np.concatenate(patches))


def unfold(image, size, stride):
    """Yield the patches of an image, every ``stride`` pixels, normalised: (n, d)."""
    image = in_unit(image)
    view = windows(image, size)[::stride, ::stride]
    field = inside(image, size)[::stride, ::stride]
    rows = max(1, BLOCK // field.shape[1])  # so that memory stays small
    for top in range(0, len(field), rows):
        band = slice(top, top + rows)
        yield normalised(view[band][field[band]])


def windows(image, size):
    """View all patches of an image: (h, w, size, size, C)."""
    view = sliding_window_view(image, (size, size), axis=(0, 1))
    return view.transpose(0, 1, 3, 4, 2)


def inside(image, size):
    """Mark the patches in the field of view by their top left pixels: (h, w) bool."""

    def box(values):
        table = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        above, below = table[:-size], table[size:]
        return below[:, size:] - below[:, :-size] - above[:, size:] + above[:, :-size]

    light = box(image.mean(-1, dtype=np.float64)) >= DARK * size**2
    return light & (box(image.max(-1) <= BLACK) == 0)


def normalised(patches):
    """Return patches as rows (n, d) of mean 0 and, unless they are flat, variance 1."""
    x = patches.reshape(len(patches), np.prod(patches.shape[1:]))
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + FLAT)


def as_list(images, size, d=None):
    """Return images as a list of (H, W, C), d = size**2 * C; refuse any others."""
    images = batch(images) if isinstance(images, np.ndarray) else images
    images = [_checks.array("images", image) for image in images]
    images = [image[..., None] if image.ndim == 2 else image for image in images]
    channels = {image.shape[-1] for image in images}
    C = d and d // size**2
    if len(channels) != 1 or (C and channels != {C}):
        rule = f"have {C} channels, as when fitted" if C else "be of one kind"
        raise _checks.refusal("images", rule, ", ".join(map(str, channels)) or "none")
    for image in images:
        if image.ndim != 3 or min(image.shape[:2]) < size:
            rule = f"be (H, W) or (H, W, C) and hold a patch {size} pixels across"
            raise _checks.refusal("images", rule, f"shape {image.shape}")
        in_range = image.dtype.kind == "f" and image.min() >= 0 and image.max() <= 1
        if image.dtype != np.uint8 and not in_range:
            found = f"{image.dtype} from {image.min()} to {image.max()}"
            raise _checks.refusal("images", "be uint8, or floats in [0, 1]", found)
    return images


def in_unit(image):
    """Return an image in float32, values in [0, 1]."""
    return np.divide(image, 255 if image.dtype == np.uint8 else 1, dtype=np.float32)
