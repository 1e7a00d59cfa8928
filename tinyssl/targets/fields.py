"""Images of any size with their fields of view and masks, as segmentation sees them.

Each colour is brought to zero mean and unit deviation around each pixel: illumination
and camera go, vessels stay. Blood is darkest in green; red shows the choroid behind the
retina, whose vessels are not to be found.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from tinyssl._threads import cores
from tinyssl.data import DataError, Table
from tinyssl.data.crop import field_of_view, resize, working_shape
from tinyssl.data.decode import read_image, read_mask
from tinyssl.data.images import each, warn_of_empty
from tinyssl.pretext.patches import cut_patches

NEUTRAL, DEVIATION = 128, 32  # bytes of the local mean and of one deviation from it


def prepare(
    image: NDArray[np.uint8], region: NDArray[np.bool_], *, sigma: float | None = None
) -> NDArray[np.uint8]:
    """Even out local mean and local contrast, each colour by itself: (H, W, C) uint8.

    128 is the local mean, 32 one local deviation; clipped at 4 deviations. Pixels out
    of the field of view, (H, W), do not take part and come out neutral. ``sigma`` is
    the radius of the neighbourhood in pixels; 1/40 of the field's width if None.
    """
    if sigma is None:
        sigma = np.ptp(np.flatnonzero(region.any(0))) / 40
    inside = region[..., None].astype(np.float32)

    def local(values):
        return ndimage.gaussian_filter(values, (sigma, sigma, 0), truncate=3)

    weight = np.maximum(local(inside), 1e-3)
    centred = (image - local(image * inside) / weight) * inside
    deviation = np.sqrt(local(centred * centred) / weight)
    scaled = NEUTRAL + DEVIATION * centred / np.maximum(deviation, 1.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def held_out(table: Table) -> NDArray[np.bool_]:
    """Say which images are for testing only: official, or a fifth of patients.

    An image of no known patient counts as one.
    """
    if table.split is not None and (table.split == "test").any():
        return table.split == "test"
    names = np.array(table.names)
    if table.patient is not None:
        names = np.where(table.patient == "", names, table.patient)
    order = np.unique(names)
    return np.isin(names, order[-max(1, len(order) // 5) :])


def read_fields(table: Table, width: int) -> tuple[list[NDArray], list[NDArray]]:
    """Read images, shrunk and prepared, and their fields of view at full size."""

    def read(i):
        item, region = table.images[i], shipped[i]
        image, as_image = loaded(item, read_image), partial(read_mask, image=item)
        found = field_of_view(image) if region is None else loaded(region, as_image)
        shape = working_shape(found, width)
        inside = resize(found, shape) >= 0.5
        return prepare(resize(image, shape), inside), found

    shipped = table.region if table.region is not None else [None] * len(table)
    rows = [*each(read, len(table), threads=cores())]
    if bad := [row for row in rows if isinstance(row, DataError)]:
        raise DataError.listing(table.root, bad)
    images, fields = zip(*rows, strict=True)
    return list(images), list(fields)


def kind_of_mask(table, reading) -> str:
    """Return which masks are meant where none is named: vessels, or the only kind."""
    kinds = [name for name in table.masks if not name.endswith("_2nd")]
    if len(kinds) != 1 or not reading.labelled:
        return "vessel"
    reading.log(f"{table.root}: learning {kinds[0]!r}, the only kind of mask there is")
    return kinds[0]


def read_masks(table: Table, name: str, fields: list[NDArray], label=None):
    """Read one kind of mask, or a label of it; an eye without it has no file."""
    if name not in table.masks:
        kinds = ", ".join(table.masks) or "none"
        raise ValueError(f"{table.root}: needs {name} masks, found {kinds}")
    masks = table.masks[name]
    missing = [n for n, m in zip(table.names, masks, strict=True) if m is None]
    if missing and name == "vessel":
        raise ValueError(f"{table.root}: no vessel mask for {', '.join(missing[:10])}")
    truth, known = [], zip(table.names, table.images, masks, fields, strict=True)
    for n, image, item, field in known:
        as_image = partial(read_mask, image=image, label=label)
        mask = np.zeros_like(field) if item is None else loaded(item, as_image)
        if label is not None and not isinstance(item, Path | None):
            mask = mask == label
        if mask.shape != field.shape:
            rule = f"must be as large as its image {field.shape}, found {mask.shape}"
            raise ValueError(f"{table.root}: the {name} mask of {n} {rule}")
        truth.append(mask)
    shows = [mask.any() for mask in truth]
    if not any(shows):
        what = name if label is None else f"label {label} of {name}"
        raise ValueError(f"{table.root}: {what} must be drawn in an image")
    there = [s for s, m in zip(shows, masks, strict=True) if isinstance(m, Path)]
    warn_of_empty(table, name, there)
    return truth


def loaded(item: Path | NDArray, read: Callable[[Path], NDArray]) -> NDArray:
    """Read a file; pixels given as an array are there already."""
    return read(item) if isinstance(item, Path) else item


def shrunk(layers: list[NDArray], images: list[NDArray], least: float = 0.0):
    """Return masks at the images' size: the share of each pixel that they cover."""
    small = [resize(m, x.shape[:2]) for m, x in zip(layers, images, strict=True)]
    return [m >= least for m in small] if least else small


def blend(
    answer, image, *, patch_size=64, stride=48, batch_size=32
) -> NDArray[np.float32]:
    """Answer a whole image (H, W, C) patch by patch.

    ``answer`` maps patches (N, s, s, C) to numbers (N, s, s). Overlapping ones are
    averaged to (H, W); the weight falls smoothly from a patch's middle to its rim,
    where it has seen the least.
    """
    if not 1 <= stride <= patch_size:
        found = f"found {stride} with patches of {patch_size}"
        raise ValueError(f"stride must lie in 1..patch_size, {found}")
    H, W, _ = image.shape
    # reflect, so that each pixel lies near the middle of some patch
    margin = patch_size // 2
    tops, lefts = (np.arange(0, side + stride, stride) for side in (H, W))
    height, width = int(tops[-1]) + patch_size, int(lefts[-1]) + patch_size
    rims = (margin, height - margin - H), (margin, width - margin - W), (0, 0)
    padded = np.pad(image, rims, mode="reflect")
    hill = np.sin(np.pi * (np.arange(patch_size) + 0.5) / patch_size) ** 2
    window = np.outer(hill, hill).astype(np.float32)

    total = np.zeros((height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    corners = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 2)
    for first in range(0, len(corners), batch_size):
        some = corners[first : first + batch_size]
        patches = cut_patches([padded] * len(some), some, patch_size)
        for (y, x), patch in zip(some, answer(patches), strict=True):
            place = np.s_[y : y + patch_size, x : x + patch_size]
            total[place] += window * patch
            weight[place] += window
    inner = np.s_[margin : margin + H, margin : margin + W]
    return total[inner] / weight[inner]


def mean_over_views(answer, inputs: torch.Tensor, views: int) -> torch.Tensor:
    """Average maps (N, 1, s, s) over quarter turns, then those of the mirror image."""
    total = 0
    for view in range(views):
        mirrored = inputs.flip(3) if view >= 4 else inputs
        found = answer(mirrored.rot90(view % 4, (2, 3))).rot90(-(view % 4), (2, 3))
        total = total + (found.flip(3) if view >= 4 else found)
    return total / views
