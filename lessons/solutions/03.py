"""Solutions of lesson 3."""

import numpy as np


def my_fits(swap, height, width, patch_size):
    y1, x1, y2, x2 = swap
    rows = min(y1, y2) >= 0 and max(y1, y2) <= height - patch_size
    columns = min(x1, x2) >= 0 and max(x1, x2) <= width - patch_size
    disjoint = abs(y1 - y2) >= patch_size or abs(x1 - x2) >= patch_size
    return rows and columns and disjoint


def my_undo_swaps(image, swaps, patch_size):
    image = image.copy()
    for y1, x1, y2, x2 in swaps[::-1]:
        patch1 = image[y1 : y1 + patch_size, x1 : x1 + patch_size]
        patch2 = image[y2 : y2 + patch_size, x2 : x2 + patch_size]
        keep = patch1.copy()
        patch1[:] = patch2
        patch2[:] = keep
    return image


def my_undo_tiles(tiles, order):
    original = np.empty_like(tiles)
    original[order] = tiles
    return original
