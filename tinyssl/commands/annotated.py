"""Photographs with what was drawn on them, read from a data set of any layout.

Networks look at fields of view of one width, whatever camera took them. Everything is
scored at the photographs' own size.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyssl.commands.prepare import cores
from tinyssl.data import Table
from tinyssl.data.copies import thumbnails
from tinyssl.data.images import field_of_view, read_image, read_mask
from tinyssl.data.resize import resize, working_shape
from tinyssl.downstream.annotated import Annotated
from tinyssl.downstream.segmentation import prepare

FIELD_WIDTH = 540  # pixels: that of DRIVE, where the field measures its vessels
WIDTHS = (16, 32, 64)  # channels of the U-Net


def network_of(widths: Sequence[int]) -> dict[str, Any]:
    """Return the configuration of the network that segments."""
    return {"name": "UNet", "in_channels": 3, "widths": list(widths)}


@dataclass(frozen=True)
class Target:
    """How one kind of object is looked for.

    Parameters
    ----------
    name : str
        In words.
    field_width : int
        Pixels across the field of view at which a network looks; 0 is the
        photographs' own. A microaneurysm is gone where an optic disc fits a patch.
    focus : float
        Share of the training patches that hold the object.
    """

    name: str
    field_width: int = FIELD_WIDTH
    focus: float = 0.5


TARGETS = {
    "vessel": Target("Vessels", focus=0.0),
    "MA": Target("Microaneurysms", field_width=0),
    "HE": Target("Haemorrhages"),
    "EX": Target("Hard exudates"),
    "SE": Target("Soft exudates"),
    "OD": Target("Optic disc", field_width=180),
}


def held_out(table: Table) -> np.ndarray:
    """Say which images are for testing only.

    Parameters
    ----------
    table : Table

    Returns
    -------
    (N,) bool array
        The official test images; without them those of the last fifth of the
        patients (at least one). An image of no known patient counts as one.
    """
    if table.split is not None and (table.split == "test").any():
        return table.split == "test"
    names = np.array(table.names)
    if table.patient is not None:
        names = np.where(table.patient == "", names, table.patient)
    order = np.unique(names)
    return np.isin(names, order[-max(1, len(order) // 5) :])


def loaded(item: Path | np.ndarray, read: Callable[[Path], np.ndarray]) -> np.ndarray:
    """Read a file; pixels given as an array are there already."""
    return read(item) if isinstance(item, Path) else item


def read_photographs(
    table: Table, width: int
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Read photographs and prepare them.

    Parameters
    ----------
    table : Table
    width : int
        Pixels across the field of view; 0 is the photographs' own.

    Returns
    -------
    images : list of (h, w, 3) uint8 arrays
        Shrunk and prepared.
    regions : list of (H, W) bool arrays
        Fields of view at the photographs' own size: as shipped, else as found.
    small : (N, 16, 16, 3) uint8 array
        What each photograph is known by.
    """

    def read(item, region):
        image = loaded(item, read_image)
        found = field_of_view(image) if region is None else loaded(region, read_mask)
        shape = working_shape(found, width)
        inside = resize(found, shape) >= 0.5
        return prepare(resize(image, shape), inside), found, thumbnails([image])[0]

    shipped = table.region if table.region is not None else [None] * len(table)
    with ThreadPoolExecutor(cores()) as pool:
        images, regions, small = zip(
            *pool.map(read, table.images, shipped), strict=True
        )
    return list(images), list(regions), np.stack(small)


def read_annotated(table: Table, name: str, width: int) -> Annotated:
    """Read photographs and one kind of mask; an eye without that lesion has no file."""
    masks = table.masks[name]
    missing = [n for n, m in zip(table.names, masks, strict=True) if m is None]
    if missing and name == "vessel":
        raise ValueError(f"{table.root}: no vessel mask for {', '.join(missing[:10])}")
    images, regions, _ = read_photographs(table, width)
    drawn = [
        np.zeros_like(region) if mask is None else loaded(mask, read_mask)
        for mask, region in zip(masks, regions, strict=True)
    ]
    for n, mask, region in zip(table.names, drawn, regions, strict=True):
        if mask.shape != region.shape:
            raise ValueError(
                f"{table.root}: the {name} mask of {n} must be as large as its image "
                f"{region.shape}, found {mask.shape}"
            )
    return Annotated(images, drawn, regions)
