"""Light and camera: illumination, blur, noise, and the window one looks through."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

HAZE = np.array([0.75, 0.50, 0.35], np.float32)  # light scattered by a cloudy lens


class Camera(NamedTuple):
    """One make of fundus camera."""

    white: tuple[float, float, float]  # gain of red, green, blue
    half_height: float  # of the window in radii: 1 shows the whole circle
    tab: bool  # a small tab on the rim of the window
    blur: float  # Gaussian sigma in radii
    noise: float  # standard deviation of a value in [0, 1]


CAMERAS = (
    Camera((0.80, 0.78, 0.80), 0.83, True, 0.010, 0.012),
    Camera((0.98, 0.78, 0.40), 0.83, True, 0.012, 0.010),
    Camera((0.95, 0.62, 0.55), 0.75, True, 0.008, 0.015),
    Camera((0.90, 0.66, 0.38), 1.00, False, 0.014, 0.018),
    Camera((0.72, 0.62, 0.62), 1.00, False, 0.010, 0.015),
)


@cache
def pixel_grid(size):
    """Return y and x of the pixels, (size, size) in radii, and the radius in pixels."""
    radius = 0.49 * size
    axis = ((np.arange(size) - (size - 1) / 2) / radius).astype(np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x, radius


@cache
def _splines(size, cells):
    """Quadratic B-splines of a grid over [-1.1, 1.1] at the pixels: (size, cells)."""
    y, _, _ = pixel_grid(size)
    place = (y[:, 0] + 1.1) / 2.2 * (cells - 1)
    away = np.abs(place[:, None] - np.arange(cells))
    near = np.where(away < 0.5, 0.75 - away**2, 0.5 * (1.5 - away) ** 2)
    return np.where(away < 1.5, near, 0).astype(np.float32)


def smooth_noise(rng, size, rows, columns):
    """Draw a texture (size, size) from a grid of random heights, one for all sizes."""
    grid = rng.standard_normal((rows, columns), np.float32)
    return _splines(size, rows) @ grid @ _splines(size, columns).T


@cache
def window(size, camera):
    """Opacity in [0, 1] of the round window of a camera, (size, size)."""
    y, x, radius = pixel_grid(size)
    inside = np.minimum(1 - np.hypot(y, x), camera.half_height - np.abs(y))
    if camera.tab:  # at two o'clock, whatever the eye
        along, across = 0.84 * x - 0.54 * y, 0.54 * x + 0.84 * y
        tab = np.minimum(1.035 - along, 0.045 - np.abs(across))
        inside = np.maximum(inside, np.where(along > 0, tab, -1))
    return np.clip(0.7 * inside * radius + 0.5, 0, 1)


def photograph(rng, scene, camera):
    """Light, blur and record a scene: (size, size, 3) uint8 on black, and the light."""
    light = {
        "exposure": rng.uniform(0.9, 1.45),
        "gradient": rng.normal(0, 0.16, 2),  # y, x; relative change per radius
        "vignetting": rng.uniform(0.1, 0.45),  # relative loss at the rim
        "haze": rng.uniform(0, 0.22),
        "defocus": min(rng.lognormal(-0.2, 0.45), 2.0),  # 1 is the camera's own blur
        "tint": rng.normal(1, 0.05, 3),
    }
    size = len(scene)
    y, x, radius = pixel_grid(size)
    sigma = light["defocus"] * camera.blur * radius
    image = gaussian_filter(scene, (sigma, sigma, 0))
    image += light["haze"] * (HAZE - image)

    # Illumination and the gains of the three channels
    slope = 1 + light["gradient"][0] * y + light["gradient"][1] * x
    shade = 1 - light["vignetting"] * (y**2 + x**2)
    gain = light["exposure"] * np.array(camera.white) * light["tint"]
    image *= (slope * shade)[..., None] * gain.astype(np.float32)

    # Sensor: noise, window, eight bits
    image += camera.noise * rng.standard_normal(image.shape, np.float32)
    image = np.clip(image, 0, 1) * window(size, camera)[..., None]
    return np.rint(255 * image).astype(np.uint8), light
