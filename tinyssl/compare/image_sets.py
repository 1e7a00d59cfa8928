"""Images of a folder or file, read one at a time, each with the name it pairs by."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyssl.data import DataError, open_dataset
from tinyssl.data.decode import image_size, read_image
from tinyssl.data.files import IMAGE_SUFFIXES
from tinyssl.data.images import center_crop

RANGES = {"uint8": 255.0, "uint16": 65535.0}  # others must be said


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of any source, decoded when asked for."""

    root: str  # where they came from
    names: Sequence[str]  # path below the folder, without suffix; or position
    items: Sequence[Path | NDArray]  # files, or (H, W, C) arrays
    data_range: float = RANGES["uint8"]  # largest possible value of a pixel
    size: int | None = None  # the central square is resized to it
    patients: NDArray | None = None  # whose each is, where the source says so of all

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        """Return image i: uint8, or float32 in [0, 1] where it holds other values."""
        image = self.items[i]
        if isinstance(image, Path):
            image = read_image(image)
        image = np.broadcast_to(image, (*image.shape[:2], 3))
        if image.dtype != np.uint8:
            low, high = float(image.min()), float(image.max())
            if not (low >= 0 and high <= self.data_range):  # nan too
                rule = f"values must lie in 0..{self.data_range:g}, the data range"
                found = f"{self.names[i]} has {low:g} to {high:g}"
                raise DataError(f"{self.root}: {rule}; {found}")
            image = image.astype(np.float32) / np.float32(self.data_range)
        if self.size is None or image.shape[:2] == (self.size, self.size):
            return image
        if image.dtype != np.uint8:
            raise DataError(f"{self.root}: size resizes images of 8 bits only")
        return center_crop(*image.shape[:2]).apply(image, self.size)

    def shape(self, i):
        """Return the (height, width) of image i as `__getitem__` returns it."""
        if self.size is not None:
            return self.size, self.size
        item = self.items[i]
        return image_size(item) if isinstance(item, Path) else item.shape[:2]


def open_images(path, *, data_range=None, size=None):
    """Open a folder, an image, an .npy (N, H, W[, C]), .npz or .csv, or "toy:N:SIZE".

    The central square of each is resized to ``size``. ``data_range``, of an .npy, is by
    its type if not given; DataError if floats leave [0, 1] without it.
    """
    root, path = str(path), Path(path)
    is_toy, kind = root.split(":")[0] == "toy", path.suffix.lower()
    if is_toy or (path.is_file() and kind in (".npz", ".csv")):
        table = open_dataset(root)
        known = table.patient is not None and (table.patient != "").all()
        patients = table.patient if known else None
        return ImageSet(root, table.names, table.images, size=size, patients=patients)
    if path.is_dir():
        files = [f.relative_to(path) for f in sorted(path.rglob("*")) if f.is_file()]
        files = [f for f in files if f.suffix.lower() in IMAGE_SUFFIXES]
        files = [f for f in files if "/." not in f"/{f.as_posix()}"]  # none hidden
        if not files:
            raise DataError(f"{path}: has no image files")
        names = [f.with_suffix("").as_posix() for f in files]
        return ImageSet(root, names, [path / f for f in files], size=size)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    if kind == ".npy":
        return _open_array(path, data_range, size)
    return ImageSet(root, [path.stem], [path], size=size)


def pairs_of(first, second):
    """Return the positions (P, 2) of images whose names agree; two single ones pair."""
    if len(first) == len(second) == 1:
        return np.zeros((1, 2), np.int64)
    shared = set(first.names) & set(second.names)
    for images in (first, second):
        for name, count in Counter(images.names).items():
            if count > 1 and name in shared:
                what = f"{count} images are called {name!r}"
                rule = "so it is not clear which is paired"
                raise DataError(f"{images.root}: {what}, {rule}")
    place = {name: j for j, name in enumerate(second.names)}
    found = [(i, place[n]) for i, n in enumerate(first.names) if n in shared]
    return np.array(found, np.int64).reshape(-1, 2)


def refuse_sizes(first, second):
    """Refuse images of several sizes, naming the first that differs."""
    wanted = first.shape(0)
    for images in (first, second):
        for i, name in enumerate(images.names):
            if (found := images.shape(i)) != wanted:
                raise DataError(
                    f"{images.root}: images must be of one size, found {name} of "
                    f"{found[0]} x {found[1]} beside {first.names[0]} of {wanted[0]} x "
                    f"{wanted[1]} in {first.root}: --size PX resizes all"
                )


def _open_array(path, data_range, size):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: is not an .npy array ({error})") from None
    array = array[..., None] if array.ndim == 3 else array
    if array.ndim != 4 or array.shape[3] not in (1, 3) or len(array) == 0:
        rule = "must be (N, H, W) or (N, H, W, 1 or 3)"
        raise DataError(f"{path}: {rule}, found {array.shape}")
    kind, floats = array.dtype, array.dtype.kind == "f"
    if kind.name not in RANGES and not floats:
        raise DataError(f"{path}: must hold uint8, uint16 or floats, found {kind}")
    if data_range is None and floats and not (array.min() >= 0 and array.max() <= 1):
        rule = "say their largest possible value with --data-range"
        found = f"{array.min():g} to {array.max():g}"
        raise DataError(f"{path}: holds floats from {found}: {rule}")
    if data_range is None or kind == np.uint8:
        data_range = RANGES.get(kind.name, 1.0)
    return ImageSet(str(path), [*map(str, range(len(array)))], array, data_range, size)
