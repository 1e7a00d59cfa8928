"""Views of an image: another place, turn, size and light, and the same eye."""

import numpy as np


def sample_views(images, *, rng, area=(0.85, 1.0), colour=1.0, turn=True, size=None):
    """Draw one view of each image: turned, mirrored, cropped, in another light.

    The turn is any, the crop a square of this share of the image's ``area``, shown at
    ``size`` pixels across. ``colour`` scales how far the light may change; at 1 the
    logarithms of brightness and contrast by .1, of saturation by .08, of each channel's
    gain by .05. These are mild views: strong ones destroy a lesion's size and colour.
    Of square (N, S, S, C) uint8 images; black stays black. What is drawn for one image
    does not depend on how many follow.
    """
    N, C = len(images), images.shape[3]
    drawn = rng.uniform(-1, 1, (N, 8 + C))
    matrices = affine_matrices(drawn[:, :5], area, turn)
    widths = colour * np.array([0.1, 0.1, 0.08, *[0.05] * C])
    resampled = resample(images, matrices, size or images.shape[1])
    return relight(resampled, np.exp(widths * drawn[:, 5:]))


def affine_matrices(drawn, area, turn=True):
    """Map places in a view to places in its image, by 5 numbers from -1 to 1 for each.

    Of angle, area, mirror and centre (y, x). Places are (y, x) from -1 to 1, the
    centres of the outermost pixels of a side. Returns (N, 2, 3).
    """
    low, high = area
    angle = np.pi * drawn[:, 0] * turn
    side = np.sqrt(low + (high - low) * (drawn[:, 1] + 1) / 2)
    mirror = np.where(turn & (drawn[:, 2] < 0), -1, 1)
    cos, sin = side * np.cos(angle), side * np.sin(angle)
    turned = np.stack([cos, -sin * mirror, sin, cos * mirror], 1).reshape(-1, 2, 2)
    centre = (1 - side)[:, None] * drawn[:, 3:]
    return np.concatenate([turned, centre[..., None]], axis=2)


def resample(images, matrices, size):
    """Read images (N, H, W, C) at affine places, linear between pixels; black beyond.

    Returns (N, size, size, C) float32; see `affine_matrices`.
    """
    N, H, W, C = images.shape
    places = np.linspace(-1, 1, size)
    grid = np.stack([*np.meshgrid(places, places, indexing="ij"), np.ones((size,) * 2)])
    y, x = np.moveaxis(matrices @ grid.reshape(3, -1), 1, 0)  # (N, size * size) each
    y = np.clip((y + 1) / 2 * (H - 1), -1, H) + 1  # in the image with a black rim
    x = np.clip((x + 1) / 2 * (W - 1), -1, W) + 1
    rimmed = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0))).reshape(-1, C)
    top, left = y.astype(int), x.astype(int)
    first = (np.arange(N)[:, None] * (H + 3) + top) * (W + 3) + left
    y, x = np.float32(y - top), np.float32(x - left)  # how far to the next pixel
    view = np.zeros((N, size * size, C), np.float32)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (y if down else 1 - y) * (x if right else 1 - x)
        view += weight[..., None] * rimmed.take(first + down * (W + 3) + right, axis=0)
    return view.reshape(N, size, size, C)


def relight(images, factors):
    """Multiply brightness, contrast, saturation and each channel (N, 3 + C): uint8.

    Contrast is about the mean of what is lit, saturation about each pixel's grey, so
    that all of it is one affine map of an image's colours.
    """
    N, H, W, C = images.shape
    pixels = images.reshape(N, H * W, C)
    lit = (pixels > 1).any(-1).astype(np.float32)  # (N, H * W)
    brightness, contrast, saturation = factors[:, :3, None].swapaxes(0, 1)  # (N, 1)
    gains = brightness * factors[:, 3:]  # (N, C)
    total = np.einsum("np,npc->nc", lit, pixels) * gains
    mean = total.mean(1) / np.maximum(lit.sum(1), 1)
    mix = saturation[..., None] * np.eye(C) + (1 - saturation[..., None]) / C
    colours = np.float32(mix * (gains * contrast)[:, None])  # (N, C to, C from)
    offset = np.float32((1 - contrast[:, 0]) * mean)[:, None, None]
    x = pixels @ colours.swapaxes(1, 2) + offset
    x = np.rint(np.clip(x, 0, 255)) * lit[..., None]
    return x.astype(np.uint8).reshape(N, H, W, C)
