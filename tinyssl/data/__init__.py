"""Data: the synthetic eye, readers for the public layouts, images, folds.

NumPy and Pillow only; torch begins in `tinyssl.models`.
"""

import importlib

from tinyssl.data.images import load_images, load_masks, load_points
from tinyssl.data.layouts import open_dataset
from tinyssl.data.table import DataError, Table

__all__ = ["DataError", "Table", "load_images", "load_masks", "load_points"]
__all__ += ["folds", "images", "open_dataset", "toy"]


def __getattr__(name: str):
    if name in ("folds", "toy"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
