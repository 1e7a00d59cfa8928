"""Data: the synthetic eye, readers for the public layouts, images, folds.

Without torch, which begins in `tinyssl.models`.
"""

from tinyssl.data import folds, images, toy
from tinyssl.data.images import load_images, load_masks, load_points
from tinyssl.data.layouts import open_dataset
from tinyssl.data.table import DataError, Table

__all__ = ["DataError", "Table", "load_images", "load_masks", "load_points"]
__all__ += ["folds", "images", "open_dataset", "toy"]
