"""What pretext tasks share: which pixels are lit, and images freed of their scale."""

import numpy as np
import torch
from scipy.ndimage import binary_erosion

from tinyssl._threads import blocks
from tinyssl.data.images import round_mask

LIT = 12  # of 255: pixels darker than this in every channel count as background


def field_statistics(images):
    """Return mean and deviation over the lit pixels of (N, C, H, W): (N, C, 1, 1).

    Of volumes (N, C, D, H, W): (N, C, 1, 1, 1).
    """
    space = tuple(range(2, images.ndim))
    lit = (images.amax(1, keepdim=True) > LIT / 255).float()  # (N, 1, H, W)
    count = lit.sum(space, keepdim=True).clamp_min(1)
    mean = (images * lit).sum(space, keepdim=True) / count
    variance = ((images - mean).square() * lit).sum(space, keepdim=True) / count
    return mean, variance.sqrt().clamp_min(0.02)  # a flat image stays finite


def standardised(images):
    """Return images at mean 0 and deviation 1 over their lit pixels."""
    mean, deviation = field_statistics(images)
    return (images - mean) / deviation


def levelled(images):
    """Return images or volumes, of mean 0, without the slope of their light.

    What is left correlates with no axis of space.
    """
    space = range(2, images.ndim)
    for axis in space:
        place = torch.linspace(-1, 1, images.shape[axis], device=images.device)
        place = place.view([-1 if a == axis else 1 for a in range(images.ndim)])
        slope = (images * place).mean((*space,), keepdim=True) / place.square().mean()
        images = images - slope * place
    return images


def pooled(maps):
    """Return the mean over space of maps (N, C, h, w) or (N, C, d, h, w): (N, C)."""
    return maps.flatten(2).mean(2)


def seen(task, images):
    """Return the pooled features (N, D) of images, standardised if the task asks."""
    images = standardised(images) if task.standardise else images
    return pooled(task.encoder.features(images))


def turn_invariant_field(images):
    """Mark the pixels (N, S, S) that are lit in all four turns of their image.

    Equal to its own quarter turns, the field cannot tell them apart. It ends one pixel
    inside what is lit: the outermost pixel is a blend with black.
    """
    lit = images.max(-1) > LIT  # (N, S, S)
    inside = binary_erosion(lit, np.ones((1, 3, 3)), border_value=1)
    half = inside & np.rot90(inside, 2, (1, 2))
    return half & np.rot90(half, 1, (1, 2))


def common_field(images):
    """Mark the pixels (S, S) inside the round mask that nine images in ten light."""
    lit = sum((np.max(images[at], -1) > LIT).sum(0) for at in blocks(len(images)))
    return (lit / len(images) >= 0.9) & round_mask(images.shape[1])
