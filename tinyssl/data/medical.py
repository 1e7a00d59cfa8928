"""DICOM, NIfTI and .npy files: of one 2-D image each, as Pillow images; volumes.

DICOM is shown as its window says, or from the least to the greatest value of its stored
bits, and MONOCHROME1, where more is darker, inverted. NIfTI holds (H, W), .npy (H, W)
or (H, W, 3): integers are taken as those of a PNG of 8 or 16 bits, floats must lie in
[0, 1]. Of a volume, three axes, bytes stay; other values from their .5 % to 99.5 %.
"""

import importlib.util

import numpy as np
from PIL import Image

from tinyssl.data.table import MAX_PIXELS, DataError

PACKAGES = {".dcm": "pydicom", ".dicom": "pydicom"}  # what reads each kind
PACKAGES |= {".nii": "nibabel", ".nii.gz": "nibabel", ".npy": "numpy"}


def medical_suffix(path):
    """Return the suffix by which a file is one of these, or None."""
    return next((s for s in PACKAGES if str(path).lower().endswith(s)), None)


def require(paths):
    """Raise a DataError of one line if a package that these files need is missing."""
    for path in paths:
        suffix = medical_suffix(path)
        if suffix and not importlib.util.find_spec(PACKAGES[suffix]):
            how = f'{PACKAGES[suffix]}: pip install "tinyssl[medical]"'
            raise DataError(f"{path}: {suffix} files need {how}")


def open_medical(path):
    """Return one file as a Pillow image of mode L, RGB or I;16; may raise anything."""
    require([path])
    if PACKAGES[medical_suffix(path)] == "pydicom":
        return Image.fromarray(_read_dicom(path))
    data, colour = _lazily(path), medical_suffix(path) == ".npy"
    shape = data.shape if colour else _axes(data.shape, 2)
    _check(shape, colour=colour)  # before it is read
    return _to_image(np.asanyarray(data).reshape(shape))


def is_volume(path):
    """Return whether a file's header says three axes, and not those of RGB."""
    try:
        shape = _lazily(path).shape if medical_suffix(path) else ()
    except Exception:  # it will be named where it is read
        return False
    return len(_axes(shape, 3)) == 3 and 3 not in shape[2:]


def read_volume(path):
    """Return one volume as (D, H, W, 1) uint8, its axes in the order of the file."""
    try:
        shape = _axes(_lazily(path).shape, 3)
        if len(shape) != 3 or not 0 < np.prod(shape) <= MAX_PIXELS:
            rule = f"must be a volume of at most {MAX_PIXELS:,} voxels"
            raise DataError(f"{path}: {rule}, found {shape}")
        values = np.asanyarray(_lazily(path)).reshape(shape)
        if values.dtype.kind not in "buif" or not np.isfinite(values).all():
            found = f"found {values.dtype} with nan or infinity"
            raise DataError(f"{path}: must hold finite numbers, {found}")
    except DataError:
        raise
    except Exception as error:  # headers of strangers may raise anything
        raise DataError(f"{path}: cannot be read ({error})") from None
    if values.dtype != np.uint8:
        low, high = np.percentile(values, (0.5, 99.5))
        shares = (values - low) / max(high - low, 1e-12)
        values = np.uint8(np.rint(255 * np.clip(shares, 0, 1)))
    return values[..., None]


def _lazily(path):
    """Return what has a shape, and becomes an array when it is wanted."""
    require([path])
    if PACKAGES.get(medical_suffix(path)) == "pydicom":
        return np.empty(0)  # one file of a series is a slice
    if medical_suffix(path) == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    import nibabel

    return nibabel.load(path).dataobj


def _axes(shape, n):
    """Return a shape without axes of length 1 behind the n-th."""
    return shape[:n] if {*shape[n:]} <= {1} else shape


def _check(shape, *, colour):
    fits = len(shape) == 2 or (colour and len(shape) == 3 and shape[2] == 3)
    if not fits or not 0 < shape[0] * shape[1] <= MAX_PIXELS:
        rule = f"must be (H, W){' or (H, W, 3)' * colour} of at most {MAX_PIXELS:,}"
        found = f"found {shape}; save slices of a volume one by one"
        raise DataError(f"{rule} pixels, {found}")


def _to_image(array):
    kind = array.dtype.kind
    if kind not in "buif":
        raise DataError(f"must hold integers or floats, found {array.dtype}")
    deep = array.ndim == 2 and kind in "iu" and array.dtype != np.uint8
    top = 65535 if deep else 255 if kind in "iu" else 1
    low, high = array.min(), array.max()
    if not 0 <= low <= high <= top:
        rule = f"values ({array.dtype}) must lie in 0..{top}"
        raise DataError(f"{rule}, found {low:g}..{high:g}")
    array = np.rint(array * np.float64(255)) if top == 1 else np.asarray(array)
    return Image.fromarray(array.astype(np.uint16 if deep else np.uint8))


def _read_dicom(path):
    """Return (H, W) or (H, W, 3) uint8."""
    import pydicom
    from pydicom.pixels import apply_modality_lut, pixel_array

    header = pydicom.dcmread(path, stop_before_pixels=True)
    frames = int(header.get("NumberOfFrames") or 1)
    _check((header.Rows, header.Columns, frames)[: 2 + (frames > 1)], colour=False)
    pixels, kind = pixel_array(path), header.PhotometricInterpretation  # YBR is RGB now
    if header.SamplesPerPixel == 3 and pixels.dtype == np.uint8:
        return pixels
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise DataError(f"must be gray or RGB of 8 bits, found {kind} {pixels.dtype}")
    ends = np.array([0, 2**header.BitsStored - 1])
    ends -= header.PixelRepresentation * 2 ** (header.BitsStored - 1)  # 1 is signed
    pixels, ends = apply_modality_lut(pixels, header), apply_modality_lut(ends, header)
    if "WindowCenter" in header and "WindowWidth" in header:  # of several the first
        window = (header.WindowCenter, header.WindowWidth)
        centre, width = (float(np.ravel(value)[0]) for value in window)
        ends = centre - 0.5 + np.array([-0.5, 0.5]) * (width - 1)  # PS3.3, C.11.2.1.2
    shares = np.clip((pixels - ends[0]) / max(ends[1] - ends[0], 1e-9), 0, 1)
    return np.rint(255 * abs(shares - (kind == "MONOCHROME1"))).astype(np.uint8)
