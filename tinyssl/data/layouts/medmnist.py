"""MedMNIST: one .npz of images and labels, never unpickled."""

from pathlib import Path

import numpy as np

from tinyssl.data.field_of_view import looks_like_fundus
from tinyssl.data.table import DataError, Table

PARTS = ("train", "val", "test")


def read_medmnist(path: Path) -> Table:
    """Read 2-D images with at most one label each.

    RetinaMNIST is told from the others by its look: colour on black corners.
    """
    try:
        # Pickled objects could run code when loaded: NumPy refuses them.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # unzipping broken bytes may raise anything
        raise DataError(f"{path}: cannot be read as plain arrays ({error})") from None
    parts = [part for part in PARTS if f"{part}_images" in arrays]
    if not parts:
        found = ", ".join(arrays) or "nothing"
        raise DataError(
            f"{path}: must hold train_images, val_images or test_images; found {found}"
        )
    images = [_as_rgb(path, f"{part}_images", arrays) for part in parts]
    shapes = {part_images.shape[1:] for part_images in images}
    if len(shapes) > 1:
        raise DataError(f"{path}: images must have one size, found {sorted(shapes)}")
    counts = [len(part_images) for part_images in images]
    sizes = dict(zip(parts, counts, strict=True))
    labels = [_labels(path, f"{part}_labels", arrays, n) for part, n in sizes.items()]
    images, grade = np.concatenate(images), np.concatenate(labels)
    few = images[:: max(1, len(images) // 16)]
    return Table(
        layout="medmnist",
        root=path,
        names=tuple(f"{part}/{i}" for part, n in sizes.items() for i in range(n)),
        images=images,
        grade=grade if (grade >= 0).any() else None,
        split=np.repeat(parts, counts),
        is_fundus=looks_like_fundus(list(few)),
    )


def _as_rgb(path: Path, name: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return (n, H, W, 3) bytes; gray images three times over."""
    images = arrays[name]
    colour = images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != np.uint8 or not (images.ndim == 3 or colour) or not len(images):
        raise DataError(
            f"{path}: {name} must be (n, H, W) or (n, H, W, 3) uint8, "
            f"found {images.shape} {images.dtype}"
        )
    return images if colour else np.repeat(images[..., None], 3, axis=-1)


def _labels(path: Path, name: str, arrays: dict[str, np.ndarray], n: int) -> np.ndarray:
    """Return (n,) labels; -1 where the file has none."""
    labels = arrays.get(name, np.full(n, -1))
    if labels.shape not in {(n,), (n, 1)} or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: {name} must be one integer an image, ({n},) or ({n}, 1), "
            f"found {labels.shape} {labels.dtype}"
        )
    return labels.reshape(-1).astype(np.int64)
