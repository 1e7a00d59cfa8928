"""Images that come as arrays: MedMNIST's files, never unpickled, and synthetic eyes."""

import re
from pathlib import Path

import numpy as np

from tinyssl.data.classes import RETINOPATHY
from tinyssl.data.crop import looks_like_fundus
from tinyssl.data.records import MAX_GRADE
from tinyssl.data.table import DataError, Table
from tinyssl.data.toy import fundus
from tinyssl.data.toy.macula import CLASSES, volumes

PARTS = ("train", "val", "test")
NAMED = {  # file: its classes, and whether they are grades; of others the numbers stay
    "retinamnist": (RETINOPATHY, True),
    "pneumoniamnist": (("normal", "pneumonia"), False),
    "breastmnist": (("malignant", "normal or benign"), False),
}
TOY = re.compile(r"toy(?::(\d{1,7})(?::(\d{1,4})(?::(\d{1,9}))?)?)?")
TOY_VOLUMES = re.compile(r"toy-volumes(?::(\d{1,6})(?::(\d{1,9}))?)?")


def read_medmnist(path):
    """Read an .npz of 2-D images with at most one label each."""
    try:
        # Pickled objects could run code when loaded: NumPy refuses them.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # unzipping broken bytes may raise anything
        raise DataError(f"{path}: cannot be read as plain arrays ({error})") from None
    parts = [part for part in PARTS if f"{part}_images" in arrays]
    if not parts:
        rule = "must hold train_images, val_images or test_images"
        raise DataError(f"{path}: {rule}; found {', '.join(arrays) or 'nothing'}")
    images = [_as_rgb(path, f"{part}_images", arrays) for part in parts]
    shapes = {array.shape[1:] for array in images}
    if len(shapes) > 1:
        raise DataError(f"{path}: images must have one size, found {sorted(shapes)}")
    counts = {part: len(array) for part, array in zip(parts, images, strict=True)}
    labels = [_labels(path, f"{part}_labels", arrays, n) for part, n in counts.items()]
    pixels, grade = np.concatenate(images), np.concatenate(labels)
    names, ordered = NAMED.get(path.stem.partition("_")[0].lower(), (None, False))
    return Table(
        layout="medmnist",
        root=path,
        names=tuple(f"{part}/{i}" for part, n in counts.items() for i in range(n)),
        images=pixels,
        grade=grade if (grade >= 0).any() else None,
        split=np.repeat(parts, [*counts.values()]),
        class_names=names,
        ordered=ordered,
        is_fundus=looks_like_fundus(list(pixels[:: max(1, len(pixels) // 16)])),
    )


def _as_rgb(path, name, arrays):
    images = arrays[name]
    colour = images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != np.uint8 or not (images.ndim == 3 or colour) or not len(images):
        rule = "must be (n, H, W) or (n, H, W, 3) uint8"
        raise DataError(f"{path}: {name} {rule}, found {images.shape} {images.dtype}")
    return images if colour else np.repeat(images[..., None], 3, axis=-1)


def _labels(path, name, arrays, n):
    labels = arrays.get(name, np.full(n, -1))
    if labels.ndim == 2 and labels.shape[1] > 1:  # ChestMNIST has 14 findings
        rule = "several labels an image (multi-label) are not read: save one column"
        raise DataError(f"{path}: {name}: {rule} of them, found {labels.shape}")
    if labels.shape not in {(n,), (n, 1)} or labels.dtype.kind not in "iu":
        rule = f"must be one integer an image, ({n},) or ({n}, 1)"
        raise DataError(f"{path}: {name} {rule}, found {labels.shape} {labels.dtype}")
    if n and not -1 <= labels.min() <= labels.max() <= MAX_GRADE:
        rule = f"must lie in 0..{MAX_GRADE}, or be -1 where unknown"
        raise DataError(f"{path}: {name} {rule}, found {labels.min()}..{labels.max()}")
    return labels.reshape(-1).astype(np.int64)


def read_toy(spec):
    """Draw the eyes of toy:N:SIZE:SEED, the maculas of toy-volumes:N:SEED; or None."""
    if match := TOY_VOLUMES.fullmatch(spec):
        n, seed = (int(g or d) for g, d in zip(match.groups(), (200, 0), strict=True))
        if n < 1:
            raise DataError(f"{spec}: must be toy-volumes:N:SEED with N >= 1")
        found, name = volumes(n, rng=seed), "volume"
        known = {"layout": "toy volumes", "dims": 3, "is_fundus": False}
        known |= {"grade": found.classes, "class_names": CLASSES, "ordered": False}
    elif spec.partition(":")[0] == "toy":
        match = TOY.fullmatch(spec)
        given = match.groups() if match else ("0", "0", "0")
        n, size, seed = (int(g or d) for g, d in zip(given, (500, 96, 0), strict=True))
        if n < 1 or size < 16:
            rule = "must be toy, toy:N, toy:N:SIZE or toy:N:SIZE:SEED"
            raise DataError(f"{spec}: {rule} with N >= 1 and SIZE >= 16")
        found, name = fundus(n, size=size, rng=seed), "toy"
        known = {"layout": "toy", "grade": found.grades, "class_names": RETINOPATHY}
        known |= {"masks": {"vessel": found.vessels, **found.lesions}}
        known |= {"region": found.field_of_view, "report": np.array(found.report)}
        known |= {"points": {"disc": found.disc, "fovea": found.fovea}}
        known |= {"factors": found.factors}
    else:
        return None
    names = tuple(f"{name}{i:05d}" for i in range(n))
    known |= {"images": found.images, "patient": found.patient, "eye": found.eye}
    return Table(root=Path(spec), names=names, **known)
