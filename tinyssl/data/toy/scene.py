"""The painted eye: what light meets on its way, layer by layer, always a right eye."""

import numpy as np

from tinyssl.data.toy._kernels import paint_lines, paint_spots
from tinyssl.data.toy.camera import pixel_grid, smooth_noise
from tinyssl.data.toy.lesions import KINDS, sample_distractors, sample_tufts

# Absorbance of one unit of blood and of melanin in red, green and blue
BLOOD = np.array([0.30, 1.00, 0.85], np.float32)
MELANIN = np.array([0.55, 0.95, 1.15], np.float32)
# Colour of what reflects
FUNDUS = np.array([0.98, 0.60, 0.34], np.float32)
DISC = np.array([1.00, 0.82, 0.56], np.float32)
CUP = np.array([1.00, 0.93, 0.76], np.float32)
DRUSEN = np.array([1.00, 0.80, 0.45], np.float32)
SOFT_EXUDATE = np.array([1.00, 0.88, 0.70], np.float32)
HARD_EXUDATE = np.array([1.00, 0.90, 0.45], np.float32)
WHITE = np.ones(3, np.float32)

COVERED = 0.25  # a pixel belongs to a mask when this share of it is covered


def paint_eye(rng, size, anatomy, lesions, pigment):
    """Return the scene (size, size, 3) float32, vessels, lesions, distractor counts."""
    y, x, radius = pixel_grid(size)
    distractors = sample_distractors(rng, anatomy)
    tufts = sample_tufts(rng, lesions["NV"])

    # Draw every structure as an opacity
    painted = {kind: paint_spots(lesions[kind], size, radius) for kind in KINDS}
    opacity = {kind: alpha for kind, (alpha, _) in painted.items()}
    masks = {kind: mask for kind, (_, mask) in painted.items()}
    for kind, spots in distractors.items():
        opacity[kind], _ = paint_spots(spots, size, radius)
    vessel_cover, vessel_depth = paint_lines(anatomy.vessels, size, radius)
    _, tuft_depth = paint_lines(tufts, size, radius)

    # Pigment absorbs, under everything
    melanin = _sample_melanin(rng, size, anatomy, pigment)
    melanin += 0.9 * np.maximum(opacity["pigment"], opacity["nevus"])
    scene = FUNDUS * np.exp(-melanin[..., None] * MELANIN)

    # Disc and bright deposits cover it
    from_disc = np.hypot(y - anatomy.disc[0], 1.1 * (x - anatomy.disc[1]))
    disc = (anatomy.disc_radius - from_disc) * radius  # pixels inside the rim
    cup = (anatomy.disc_radius * anatomy.cup_ratio - from_disc) * radius
    _cover(scene, 0.9 * np.clip(disc / 1.5 + 0.5, 0, 1), DISC)
    _cover(scene, 0.8 * np.clip(cup / 2 + 0.5, 0, 1), CUP)
    _cover(scene, opacity["drusen"], DRUSEN)
    _cover(scene, opacity["SE"], SOFT_EXUDATE)
    _cover(scene, opacity["EX"], HARD_EXUDATE)

    # Blood absorbs, above it; reflexes and dust come last
    blood = 0.8 * np.maximum(vessel_depth, tuft_depth)
    for kind in ("MA", "HE", "PH"):
        blood = np.maximum(blood, opacity[kind])
    scene *= np.exp(-blood[..., None] * BLOOD)
    _cover(scene, opacity["reflex"], WHITE)
    _cover(scene, opacity["dust"], 0 * WHITE)
    counts = {kind: len(spots) for kind, spots in distractors.items()}
    return scene, vessel_cover >= COVERED, masks, counts


def _cover(scene, opacity, colour):
    """Lay a colour over the scene, in place."""
    if opacity.any():
        scene += opacity[..., None] * (colour - scene)


def _sample_melanin(rng, size, anatomy, pigment):
    """Pigment per pixel: clouds, choroidal stripes, and the dark macula."""
    y, x, _ = pixel_grid(size)
    melanin = 0.25 + 0.75 * pigment + 0.10 * smooth_noise(rng, size, 5, 5)
    melanin += 0.10 * smooth_noise(rng, size, 14, 14)
    stripes = 0.35 * rng.random() ** 2
    melanin += stripes * np.abs(smooth_noise(rng, size, 36, 22))
    away = np.hypot(y - anatomy.fovea[0], x - anatomy.fovea[1])
    melanin += rng.uniform(0.3, 0.6) * np.exp(-((away / 0.2) ** 2))
    melanin += 0.25 * np.exp(-((away / 0.06) ** 2))
    return melanin
