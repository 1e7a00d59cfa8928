"""Whole images from overlapping patches: cut, answered, and blended again."""

import numpy as np
import torch
from numpy.typing import NDArray

from tinyssl.pretext.patches import cut_patches


def blend(
    answer, image, *, patch_size=64, stride=48, batch_size=32
) -> NDArray[np.float32]:
    """Answer a whole image (H, W, C) patch by patch.

    ``answer`` maps patches (N, s, s, C) to numbers (N, s, s). Overlapping ones are
    averaged to (H, W); the weight falls smoothly from a patch's middle to its rim,
    where it has seen the least.
    """
    if not 1 <= stride <= patch_size:
        found = f"found {stride} with patches of {patch_size}"
        raise ValueError(f"stride must lie in 1..patch_size, {found}")
    H, W, _ = image.shape
    # reflect, so that each pixel lies near the middle of some patch
    margin = patch_size // 2
    tops, lefts = (np.arange(0, side + stride, stride) for side in (H, W))
    height, width = int(tops[-1]) + patch_size, int(lefts[-1]) + patch_size
    rims = (margin, height - margin - H), (margin, width - margin - W), (0, 0)
    padded = np.pad(image, rims, mode="reflect")
    hill = np.sin(np.pi * (np.arange(patch_size) + 0.5) / patch_size) ** 2
    window = np.outer(hill, hill).astype(np.float32)

    total = np.zeros((height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    corners = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 2)
    for first in range(0, len(corners), batch_size):
        some = corners[first : first + batch_size]
        patches = cut_patches([padded] * len(some), some, patch_size)
        for (y, x), patch in zip(some, answer(patches), strict=True):
            place = np.s_[y : y + patch_size, x : x + patch_size]
            total[place] += window * patch
            weight[place] += window
    inner = np.s_[margin : margin + H, margin : margin + W]
    return total[inner] / weight[inner]


def mean_over_views(answer, inputs: torch.Tensor, views: int) -> torch.Tensor:
    """Average maps (N, 1, s, s) over quarter turns, then those of the mirror image."""
    total = 0
    for view in range(views):
        mirrored = inputs.flip(3) if view >= 4 else inputs
        found = answer(mirrored.rot90(view % 4, (2, 3))).rot90(-(view % 4), (2, 3))
        total = total + (found.flip(3) if view >= 4 else found)
    return total / views
