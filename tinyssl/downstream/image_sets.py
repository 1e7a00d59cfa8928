"""Images of a folder or file, read one at a time, each with the name it pairs by."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyssl.data import DataError, open_dataset
from tinyssl.data.decode import image_size, read_image
from tinyssl.data.images import center_crop
from tinyssl.data.records import IMAGE_SUFFIXES

RANGES = {"uint8": 255.0, "uint16": 65535.0}  # others must be said


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of any source, decoded when asked for.

    Parameters
    ----------
    root : str
        Where they came from.
    names : sequence of str
        Path below the folder, without suffix; the position in an array.
    items : sequence of Path or (H, W, C) array
    data_range : float
        Largest possible value of a pixel.
    size : int, optional
        The central square is resized to that many rows and columns.
    patients : sequence of str, optional
        Whose image each is, where the source says so of all.
    """

    root: str
    names: Sequence[str]
    items: Sequence[Path | NDArray]
    data_range: float = 255.0
    size: int | None = None
    patients: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[NDArray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> NDArray:
        """Return image i: uint8, or float32 in [0, 1] where the range is not 255."""
        item = self.items[i]
        if isinstance(item, Path):
            image = read_image(item)
        else:
            image = np.broadcast_to(item, (*item.shape[:2], 3))
        if image.dtype != np.uint8 or self.data_range != RANGES["uint8"]:
            self.refuse_outside(image, i)
            image = image.astype(np.float32) / np.float32(self.data_range)
        if self.size is None or image.shape[:2] == (self.size, self.size):
            return image
        if image.dtype != np.uint8:
            raise DataError(f"{self.root}: size resizes images of 8 bits only")
        return center_crop(*image.shape[:2]).apply(image, self.size)

    def refuse_outside(self, image: NDArray, i: int) -> None:
        """Refuse values that the data range says cannot be."""
        low, high = float(image.min()), float(image.max())
        if not (low >= 0 and high <= self.data_range):  # nan too
            raise DataError(
                f"{self.root}: values must lie in 0..{self.data_range:g}, the data "
                f"range; {self.names[i]} has {low:g} to {high:g}"
            )

    def shape(self, i: int) -> tuple[int, int]:
        """Return the (height, width) of image i as `__getitem__` returns it."""
        if self.size is not None:
            return self.size, self.size
        item = self.items[i]
        return image_size(item) if isinstance(item, Path) else item.shape[:2]


def open_images(
    path: str | Path, *, data_range: float | None = None, size: int | None = None
) -> ImageSet:
    """Open the images of a folder or file.

    Parameters
    ----------
    path : str or Path
        A folder (its image files at any depth), one image file, an ``.npy`` array
        (N, H, W) or (N, H, W, C), a MedMNIST ``.npz``, a manifest ``.csv``, or
        ``"toy:N:SIZE"``.
    data_range : float, optional
        Largest possible pixel value of an ``.npy`` array of 16 bits or floats. If not
        given it follows from the type: 65535, and 1 for floats in [0, 1].
    size : int, optional
        See `ImageSet`.

    Raises
    ------
    DataError
        If there are no images, or the data range of floats is not said.
    """
    if str(path).split(":")[0] == "toy":
        return _from_table(str(path), size)
    path = Path(path)
    if path.is_dir():
        files = sorted(_image_files(path))
        if not files:
            raise DataError(f"{path}: has no image files")
        names = [f.relative_to(path).with_suffix("").as_posix() for f in files]
        return ImageSet(str(path), names, files, size=size)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".npy":
        return _from_array(path, data_range, size)
    if path.suffix.lower() in (".npz", ".csv"):
        return _from_table(path, size)
    return ImageSet(str(path), [path.stem], [path], size=size)


def pairs_of(first: ImageSet, second: ImageSet) -> NDArray[np.int64]:
    """Return the positions (i, j) of images whose names agree, (P, 2).

    Two sets of one image are a pair whatever their names.

    Raises
    ------
    DataError
        If a name that pairs stands twice in one set, such as a.png and a.jpg.
    """
    if len(first) == len(second) == 1:
        return np.zeros((1, 2), np.int64)
    shared = set(first.names) & set(second.names)
    for images in (first, second):
        for name, count in Counter(images.names).items():
            if count > 1 and name in shared:
                raise DataError(
                    f"{images.root}: {count} images are called {name!r}, so it is "
                    "not clear which is paired"
                )
    place = {name: j for j, name in enumerate(second.names)}
    found = [(i, place[n]) for i, n in enumerate(first.names) if n in shared]
    return np.array(found, np.int64).reshape(-1, 2)


def refuse_sizes(first: ImageSet, second: ImageSet) -> None:
    """Refuse images of several sizes, naming the first that differs."""
    wanted = first.shape(0)
    for images in (first, second):
        for i in range(len(images)):
            if (found := images.shape(i)) != wanted:
                raise DataError(
                    f"{images.root}: images must be of one size, found "
                    f"{images.names[i]} of {found[0]} x {found[1]} beside "
                    f"{first.names[0]} of {wanted[0]} x {wanted[1]} in {first.root}: "
                    "--size PX resizes all"
                )


def _image_files(folder: Path) -> Iterator[Path]:
    """Yield the image files at any depth, but none that are hidden."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file():
            yield path


def _from_table(path: str | Path, size: int | None) -> ImageSet:
    """Open what the readers of data sets know."""
    table = open_dataset(path)
    known = table.patient is not None and (table.patient != "").all()
    patients = table.patient if known else None
    return ImageSet(str(path), table.names, table.images, 255, size, patients)


def _from_array(path: Path, data_range: float | None, size: int | None) -> ImageSet:
    """Open an .npy file without reading it whole."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: is not an .npy array ({error})") from None
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3) or len(array) == 0:
        raise DataError(
            f"{path}: must be (N, H, W) or (N, H, W, 1 or 3), found {array.shape}"
        )
    if array.dtype.name not in RANGES and array.dtype.kind != "f":
        text = f"must hold uint8, uint16 or floats, found {array.dtype}"
        raise DataError(f"{path}: {text}")
    if data_range is None and array.dtype.kind == "f":
        if not (array.min() >= 0 and array.max() <= 1):
            raise DataError(
                f"{path}: holds floats from {array.min():g} to {array.max():g}: say "
                "their largest possible value with --data-range"
            )
        data_range = 1.0
    if data_range is None or array.dtype == np.uint8:
        data_range = RANGES[array.dtype.name]
    names = [str(i) for i in range(len(array))]
    return ImageSet(str(path), names, array, data_range, size)
