"""Views of an image: another place, turn, size and light, and the same eye."""

import numpy as np


def sample_views(images, *, rng, area=(0.85, 1.0), colour=1.0, size=None):
    """Draw one view of each image: turned, mirrored, cropped, in another light.

    The turn is any, the crop a square of this share of the image's ``area``, shown at
    ``size`` pixels across. ``colour`` scales how far the light may change; at 1 the
    logarithms of brightness and contrast by .1, of each channel's gain by .05, of
    saturation by .08. These are mild views: strong ones destroy a lesion's size and
    colour. Of (N, H, W, C) uint8 images; black stays black.
    """
    N, S = len(images), size or images.shape[1]
    resampled = resample(images, sample_matrices(N, rng, area), S)
    return relight(resampled, rng, colour)


def sample_matrices(n, rng, area):
    """Draw affine maps (n, 2, 3) from places in a view to places in its image.

    Places are (y, x) from -1 to 1, the centres of the outermost pixels of a side.
    """
    angle, side = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(*area, n))
    mirror = rng.choice([-1, 1], n)
    cos, sin = side * np.cos(angle), side * np.sin(angle)
    turn = np.stack([cos, -sin * mirror, sin, cos * mirror], 1).reshape(n, 2, 2)
    centre = (1 - side)[:, None] * rng.uniform(-1, 1, (n, 2))
    return np.concatenate([turn, centre[..., None]], axis=2)


def resample(images, matrices, size):
    """Read images (N, H, W, C) at affine places, linear between pixels; black beyond.

    Returns (N, size, size, C) float32; see `sample_matrices`.
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
    view = np.zeros((N, size * size, C), np.float32)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - down - y + top) * np.abs(1 - right - x + left)
        pixels = rimmed[first + down * (W + 3) + right]
        view += weight[..., None].astype(np.float32) * pixels
    return view.reshape(N, size, size, C)


def relight(images, rng, colour):
    """Change brightness, contrast, saturation and the gain of each channel: uint8."""
    N, C = len(images), images.shape[-1]
    lit = images.max(-1, keepdims=True) > 1  # (N, H, W, 1)
    widths = colour * np.array([0.1, 0.1, 0.08, *[0.05] * C])
    factors = np.exp(rng.uniform(-widths, widths, (N, 3 + C))).astype(np.float32)
    brightness, contrast, saturation = factors[:, :3].T[..., None, None, None]
    x = images * brightness * factors[:, None, None, 3:]
    mean = (x * lit).mean((1, 2, 3), keepdims=True) / lit.mean((1, 2, 3), keepdims=True)
    x = (x - mean) * contrast + mean
    grey = x.mean(-1, keepdims=True)
    x = (x - grey) * saturation + grey
    return np.uint8(np.rint(np.clip(x, 0, 255)) * lit)
