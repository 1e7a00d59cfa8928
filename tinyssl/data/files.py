"""The files of a data set: which are images, and which nothing uses."""

import os
from collections import defaultdict
from pathlib import Path

from tinyssl.data.medical import medical_suffix

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".tif", ".tiff"}
IMAGE_SUFFIXES |= {".bmp", ".gif", ".webp", ".ppm", ".pgm"}
UNREAD_SUFFIXES = {".jp2", ".j2k", ".jpx", ".jxl", ".heic", ".heif", ".avif", ".psd"}
UNREAD_SUFFIXES |= {".svs", ".ndpi", ".nrrd", ".mha", ".mhd", ".dng", ".exr"}


def suffix_of(path):
    """Return a file's suffix in small letters, ".nii.gz" as one."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def stem_of(path):
    """Return a file's name without its suffix."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def list_images(folder):
    """Return the image files directly in a folder, sorted; none if it is missing.

    Medical files only where there are no others: beside photographs they often are the
    same images. Those of kinds that are not read always, for `build_table` to refuse.
    """
    found = folder.iterdir() if folder.is_dir() else ()
    found = [path for path in found if not path.name.startswith(".")]
    found.sort(key=lambda path: path.name)
    images = [p for p in found if suffix_of(p) in IMAGE_SUFFIXES | UNREAD_SUFFIXES]
    return images or [*filter(medical_suffix, found)]


def list_folders(folder):
    """Return the folders in a folder, sorted, without hidden ones and loops."""
    with os.scandir(folder) as entries:  # which know, without a look, what is a file
        names = sorted(e.name for e in entries if not e.is_file(follow_symlinks=False))
    shown = [folder / name for name in names if not name.startswith((".", "__"))]
    found, here = [path for path in shown if path.is_dir()], folder.resolve()
    return [path for path in found if not here.is_relative_to(path.resolve())]


def images_below(folder):
    """As `list_images`, of a folder and of all folders below it."""
    inner = (images_below(below) for below in list_folders(folder))
    return [*list_images(folder), *(image for images in inner for image in images)]


def find_image(folder, name):
    """Return the image of this name, or stem, with the suffix it has; else a png."""
    if medical_suffix(name) or suffix_of(Path(name)) in IMAGE_SUFFIXES:
        return folder / name
    suffixes = [one for s in sorted(IMAGE_SUFFIXES) for one in (s, s.upper())]
    paths = (folder / f"{name}{suffix}" for suffix in suffixes)
    return next((path for path in paths if path.is_file()), folder / f"{name}.png")


def unlisted(root, used):
    """Return the files below a folder that are not among those used, sorted."""
    found = []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith((".", "__"))]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted({*found} - {*used})


def count_unused(root, used):
    """Return how many files of each kind nothing uses, each kind with an example."""
    kinds = defaultdict(list)
    for path in unlisted(root, used):
        kinds[suffix_of(path) or "without a suffix"].append(path.relative_to(root))
    found = sorted(kinds.items())
    return tuple(f"{len(files)} {k} ({files[0].as_posix()})" for k, files in found)
