"""Solutions of lesson 6."""

import numpy as np


def my_moved(swaps, height, width, patch_size):
    start = np.arange(height * width).reshape(height, width)
    names = start.copy()
    for y1, x1, y2, x2 in swaps:
        patch1 = names[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = names[y2 : y2 + patch_size, x2 : x2 + patch_size]
        keep = patch1.copy()
        patch1[:] = patch2
        patch2[:] = keep
    return names != start


def my_masked_mse(image, restored, where):
    squared = np.square(image / 255 - restored / 255)
    inside = squared[where].mean() if where.any() else np.nan
    outside = squared[~where].mean() if not where.all() else np.nan
    return inside, outside


def my_share_left(restored, copied):
    total = np.nansum(copied)
    return np.nansum(restored) / total if total else np.nan
