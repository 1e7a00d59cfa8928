"""The synthetic eye: fundus photographs of which every factor is known."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from tinyssl.data.toy import camera as camera_
from tinyssl.data.toy._kernels import paint_lines, paint_spots
from tinyssl.data.toy.anatomy import sample_anatomy
from tinyssl.data.toy.lesions import (
    GRADE_SHARES,
    KINDS,
    grade_from_counts,
    sample_counts,
    sample_distractors,
    sample_lesions,
    sample_tufts,
)

__all__ = ["Fundus", "fundus", "grade_from_counts"]


@dataclass(frozen=True)
class Fundus:
    """Synthetic fundus photographs and everything they were made of."""

    images: np.ndarray
    grades: np.ndarray
    vessels: np.ndarray
    lesions: dict[str, np.ndarray]
    lesion_counts: dict[str, np.ndarray]
    field_of_view: np.ndarray
    disc: np.ndarray
    disc_radius: np.ndarray
    fovea: np.ndarray
    eye: np.ndarray
    patient: np.ndarray
    camera: np.ndarray
    pigment: np.ndarray
    exposure: np.ndarray
    report: list[str]

    def __len__(self):
        return len(self.images)


def fundus(n, *, size=64, rng=0):
    """Draw n synthetic fundus photographs."""
    rng = np.random.default_rng(rng)
    rows = []
    for number, child in enumerate(rng.spawn((n + 1) // 2)):
        patient = {
            "patient": f"p{number + 1:04d}",
            "camera": int(child.integers(len(camera_.CAMERAS))),
            "pigment": float(child.uniform(0, 1)),
        }
        severity = child.standard_normal()
        for eye, eye_rng in zip(("right", "left"), child.spawn(2), strict=True):
            if len(rows) < n:
                rows.append(_draw_eye(eye_rng, size, eye, severity, patient))

    def stack(name):
        return np.array([row[name] for row in rows])

    return Fundus(
        images=stack("image"),
        grades=stack("grade"),
        vessels=stack("vessels"),
        lesions={k: np.array([row["lesions"][k] for row in rows]) for k in KINDS},
        lesion_counts={k: np.array([row["counts"][k] for row in rows]) for k in KINDS},
        field_of_view=stack("field_of_view"),
        disc=stack("disc"),
        disc_radius=stack("disc_radius"),
        fovea=stack("fovea"),
        eye=stack("eye"),
        patient=stack("patient"),
        camera=stack("camera"),
        pigment=stack("pigment"),
        exposure=stack("exposure"),
        report=[row["report"] for row in rows],
    )


def _draw_eye(rng, size, eye, severity, patient):
    """One eye of a patient: a dict of its picture and factors."""
    camera = camera_.CAMERAS[patient["camera"]]
    # Grade: the two eyes of a patient share most of their severity
    level = norm.cdf(np.sqrt(0.8) * severity + np.sqrt(0.2) * rng.standard_normal())
    grade = min(int(np.searchsorted(np.cumsum(GRADE_SHARES), level)), 4)
    anatomy = sample_anatomy(rng)
    spots = sample_lesions(rng, sample_counts(rng, grade), anatomy, camera.cut)
    counts = {kind: len(spots[kind]) for kind in KINDS}
    grade = grade_from_counts(counts)

    # Paint
    y, x, radius = camera_.pixel_grid(size)
    scene, masks, vessels = _paint(rng, size, anatomy, spots, patient["pigment"])
    flip = slice(None, None, -1) if eye == "left" else slice(None)
    image, light = camera_.take_photograph(rng, scene[:, flip], camera)
    window = camera_.field_of_view(size, camera)
    inside = window >= 0.5
    image = (255 * np.clip(image, 0, 1) * window[..., None] + 0.5).astype(np.uint8)

    def place(point):
        pixel = (size - 1) / 2 + radius * point
        return np.array([pixel[0], size - 1 - pixel[1] if eye == "left" else pixel[1]])

    return {
        "image": image,
        "grade": grade,
        "vessels": vessels[:, flip] & inside,
        "lesions": {kind: mask[:, flip] & inside for kind, mask in masks.items()},
        "counts": counts,
        "field_of_view": inside,
        "disc": place(anatomy.disc),
        "disc_radius": radius * anatomy.disc_radius,
        "fovea": place(anatomy.fovea),
        "eye": eye,
        **patient,
        **light,
        "report": f"{eye.capitalize()} eye. "
        + ("No findings." if grade == 0 else f"Grade {grade}."),
    }


def _mix(scene, alpha, colour):
    """Lay a colour over the scene."""
    scene += alpha[..., None] * (colour - scene)


def _paint(rng, size, anatomy, spots, pigment):
    """The lit-from-nowhere scene of a right eye: scene, lesion masks, vessel mask."""
    y, x, radius = camera_.pixel_grid(size)
    fake = sample_distractors(rng, anatomy)
    alphas, masks = {}, {}
    for kind in KINDS:
        alphas[kind], masks[kind] = paint_spots(spots[kind], size, radius)
    cover, tuft = paint_lines(sample_tufts(rng, spots["NV"]), size, radius)
    masks["NV"] = cover >= 0.25
    cover, vessel = paint_lines(anatomy.vessels, size, radius)

    # Choroid: pigment with cloudy and striped texture, darker at the macula
    melanin = 0.25 + 0.75 * pigment
    melanin = melanin + 0.10 * camera_.smooth_noise(rng, size, 5)
    melanin += (0.05 + 0.08 * pigment) * camera_.smooth_noise(rng, size, 14)
    melanin += (0.03 + 0.1 * pigment) * np.abs(camera_.smooth_noise(rng, size, 36))
    away = np.hypot(y - anatomy.fovea[0], x - anatomy.fovea[1])
    melanin += rng.uniform(0.3, 0.6) * np.exp(-((away / 0.2) ** 2))
    melanin += 0.25 * np.exp(-((away / 0.06) ** 2))
    melanin += 0.9 * paint_spots(fake["pigment"], size, radius)[0]
    scene = camera_.FUNDUS * np.exp(-melanin[..., None] * camera_.MELANIN)

    # Bright structures
    from_disc = np.hypot(y - anatomy.disc[0], (x - anatomy.disc[1]) * 1.1)
    edge = (anatomy.disc_radius - from_disc) * radius
    _mix(scene, 0.9 * np.clip(edge / 1.5 + 0.5, 0, 1), camera_.DISC)
    cup = (anatomy.disc_radius * anatomy.cup_ratio - from_disc) * radius
    _mix(scene, 0.8 * np.clip(cup / 2 + 0.5, 0, 1), camera_.CUP)
    _mix(scene, paint_spots(fake["drusen"], size, radius)[0], camera_.DRUSEN)
    _mix(scene, alphas["SE"], camera_.COTTON)
    _mix(scene, alphas["EX"], camera_.EXUDATE)

    # Blood
    blood = np.maximum(0.8 * vessel, 0.8 * tuft)
    for kind in ("MA", "HE", "PH"):
        blood = np.maximum(blood, alphas[kind])
    scene *= np.exp(-blood[..., None] * camera_.BLOOD)
    _mix(scene, paint_spots(fake["reflex"], size, radius)[0], np.float32(1))
    scene *= 1 - paint_spots(fake["dust"], size, radius)[0][..., None]
    return scene.astype(np.float32), masks, cover >= 0.25
