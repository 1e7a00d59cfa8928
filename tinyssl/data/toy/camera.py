"""Light and camera: colour of the fundus, illumination, blur, noise, field of view."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

# Absorbance per unit of blood, melanin and macular pigment in red, green, blue
BLOOD = np.array([0.30, 1.0, 0.85], np.float32)
MELANIN = np.array([0.55, 0.95, 1.15], np.float32)
FUNDUS = np.array([0.98, 0.60, 0.34], np.float32)  # unpigmented
DISC = np.array([1.0, 0.82, 0.56], np.float32)
CUP = np.array([1.0, 0.93, 0.76], np.float32)
EXUDATE = np.array([1.0, 0.90, 0.45], np.float32)
COTTON = np.array([1.0, 0.88, 0.70], np.float32)
DRUSEN = np.array([1.0, 0.80, 0.45], np.float32)


class Camera(NamedTuple):
    """One make of fundus camera."""

    white: tuple[float, float, float]  # balance of red, green, blue
    cut: float  # half-height of the picture in radii; 1 shows the whole circle
    notch: bool
    blur: float  # Gaussian sigma in radii
    noise: float  # standard deviation of a grey value in [0, 1]


CAMERAS = (
    Camera((0.80, 0.78, 0.80), 0.83, True, 0.010, 0.012),
    Camera((0.98, 0.78, 0.40), 0.83, True, 0.012, 0.010),
    Camera((1.00, 0.62, 0.55), 0.75, True, 0.008, 0.015),
    Camera((0.98, 0.66, 0.38), 1.00, False, 0.014, 0.018),
    Camera((0.72, 0.62, 0.62), 1.00, False, 0.010, 0.015),
)


@cache
def pixel_grid(size):
    """(size, size) y and x of the pixels, and the radius of the circle in pixels."""
    radius = 0.49 * size
    axis = ((np.arange(size) - (size - 1) / 2) / radius).astype(np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return y, x, radius


def field_of_view(size, camera):
    """Opacity in [0, 1] of the camera's round window, with its cut and notch."""
    y, x, radius = pixel_grid(size)
    inside = np.minimum(1 - np.hypot(y, x), camera.cut - np.abs(y))
    if camera.notch:  # a square tooth near half past one
        along, across = (x - y) / np.sqrt(2), (x + y) / np.sqrt(2)
        tooth = np.maximum(0.95 - along, np.abs(across) - 0.05)
        inside = np.minimum(inside, tooth)
    return np.clip(inside * radius * 0.7 + 0.5, 0, 1)


@cache
def _spline(size, cells):
    """(size, cells) linear interpolation from a grid over [-1.1, 1.1] to the pixels."""
    y, _, _ = pixel_grid(size)
    place = (y[:, 0] + 1.1) / 2.2 * (cells - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(cells))).astype(
        np.float32
    )


def smooth_noise(rng, size, cells):
    """Random texture whose grain does not depend on the size, (size, size)."""
    grid = rng.standard_normal((cells, cells), np.float32)
    weights = _spline(size, cells)
    return weights @ grid @ weights.T


def take_photograph(rng, scene, camera):
    """Light the scene (size, size, 3), blur it and add noise; values in [0, 1]."""
    size = len(scene)
    y, x, radius = pixel_grid(size)
    tilt = rng.normal(0, 0.16, 2)
    exposure = rng.uniform(0.75, 1.1)
    vignette = rng.uniform(0.1, 0.45)
    haze = rng.uniform(0, 0.22)
    focus = rng.uniform(0.7, 1.8)
    white = np.array(camera.white) * rng.normal(1, 0.05, 3)

    light = exposure * (1 + tilt[0] * y + tilt[1] * x) * (1 - vignette * (y**2 + x**2))
    image = gaussian_filter(scene, (focus * camera.blur * radius,) * 2 + (0,))
    image = image * (1 - haze) + haze * np.array([0.75, 0.5, 0.35], np.float32)
    image *= light[..., None].astype(np.float32) * white.astype(np.float32)
    image += camera.noise * rng.standard_normal(scene.shape, np.float32)
    return image, {"exposure": exposure, "vignette": vignette, "haze": haze}
