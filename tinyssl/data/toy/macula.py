"""The synthetic macula: optical coherence tomography of which every factor is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from tinyssl import _checks

SHAPE = (16, 48, 64)  # slices, depth, columns
# Of the seven layers: how bright each is, and its share of the retina away from the pit
LAYERS = ("nerve fibre", "ganglion cell", "inner plexiform", "inner nuclear")
LAYERS += ("outer plexiform", "outer nuclear", "pigment epithelium")
BRIGHT = np.array([0.85, 0.5, 0.65, 0.35, 0.6, 0.22, 0.95])
SHARE = np.array([0.14, 0.16, 0.14, 0.12, 0.08, 0.26, 0.10])
PITTED = np.array([1.0, 1.0, 0.95, 0.9, 0.6, 0.1, 0.0])  # what the pit takes of each
VITREOUS, CHOROID, SHINES = 0.04, 0.3, 0.75  # SHINES: the choroid below atrophy
CLASSES = ("normal", "drusen", "cysts", "atrophy")


@dataclass(frozen=True)
class Volumes:
    """Synthetic volumes of the macula and what they were made from.

    Axes are (slice, depth, column). ``lesions`` are masks of "drusen", "cysts" and
    "atrophy"; of ``lesion_counts`` some may touch. A right eye has its disc at right.
    """

    images: NDArray[np.uint8]  # (N, D, H, W, 1)
    classes: NDArray[np.int64]  # (N,) in 0..3: CLASSES, the last kind that is there
    lesions: dict[str, NDArray[np.bool_]]  # (N, D, H, W) each
    lesion_counts: dict[str, NDArray[np.int64]]  # (N,)
    surfaces: NDArray[np.float64]  # (N, 8, D, W) depth of the layers' borders, pixels
    fovea: NDArray[np.float64]  # (N, 2) slice and column of the pit
    pit: NDArray[np.float64]  # (N,) share of the retina missing at its bottom
    thickness: NDArray[np.float64]  # (N,) of the retina, in pixels
    speckle: NDArray[np.float64]  # (N,) strength
    motion: NDArray[np.int64]  # (N,) jump of the later slices in pixels; 0: none
    shadows: NDArray[np.int64]  # (N,) vessels
    eye: NDArray[np.str_]  # (N,) "right" or "left"
    patient: NDArray[np.str_]  # (N,) "v0001", ...: a right eye, then its left one

    def __len__(self) -> int:
        return len(self.images)


def volumes(n: int, *, rng: np.random.Generator | int = 0) -> Volumes:
    """Draw synthetic volumes of 16 x 48 x 64 voxels; as `fundus` in all it keeps.

    Half are normal; of the others drusen lift the pigment epithelium, cysts are dark in
    the inner nuclear layer, and where the epithelium is lost the choroid shines.
    Vessels, speckle, motion and the pit's shape do not depend on the class.

    Speed: 190 volumes a second of one core (``python -m timeit -s "from
    tinyssl.data import toy" "toy.volumes(100)"``).

    >>> volumes(2, rng=0).images.shape
    (2, 16, 48, 64, 1)
    """
    n = _checks.integer("n", n, least=1)
    found = []
    for number, child in enumerate(np.random.default_rng(rng).spawn((n + 1) // 2)):
        thickness, ill = child.uniform(20, 26), child.random() < 0.5
        for eye, eye_rng in zip(("right", "left"), child.spawn(2), strict=True):
            kind = eye_rng.integers(1, 4) if ill and eye_rng.random() < 0.8 else 0
            drawn = _sample_volume(eye_rng, int(kind), thickness, eye == "left")
            found.append(drawn | {"eye": eye, "patient": f"v{number + 1:04d}"})
    return Volumes(**collate(found[:n]))


def _sample_volume(rng, kind, thickness, mirrored):
    """Draw one macula as a right eye, and mirror it if it is a left one."""
    D, H, W = SHAPE
    v, u = np.meshgrid(np.linspace(-1, 1, D), np.linspace(-1, 1, W), indexing="ij")
    # Surfaces, from the vitreous down
    fovea, pit = rng.uniform(-0.2, 0.2, 2), rng.uniform(0.35, 0.6)
    hollow = pit * np.exp(-((v - fovea[0]) ** 2 + (u - fovea[1]) ** 2) / 0.12)
    floor = rng.uniform(34, 38) + rng.normal(0, 1.2, 2) @ [u.ravel(), v.ravel()]
    floor = floor.reshape(D, W) - rng.uniform(0, 3) * u**2  # (D, W)
    layers = thickness * SHARE[:, None, None] * (1 - PITTED[:, None, None] * hollow)
    layers[0] *= 1 + 0.4 * u  # nerve fibres are thicker towards the disc
    # Lesions: how many, where and how large
    counts = dict.fromkeys(CLASSES[1:], 0)
    spots = np.zeros((3, D, W))
    for k in range(1, kind + 1):
        if k == kind or rng.random() < 0.3:
            count = int(rng.integers(1, 4 if k == 3 else 7))
            counts[CLASSES[k]] = count
            spots[k - 1] = _spots(rng, u, v, count, (0.12, 0.1, 0.25)[k - 1])
    drusen, cysts, atrophy = spots
    lifted = floor - 4.5 * drusen
    borders = lifted - np.cumsum(layers[::-1], axis=0)  # the top of each layer, upward
    surfaces = np.concatenate([borders[::-1], lifted[None]])  # (8, D, W)
    # Light: each border adds the difference of two layers, over a pixel
    depth = np.arange(H)[:, None]
    bright = np.broadcast_to(BRIGHT[:, None, None], (7, D, W)).copy()
    bright[6] *= 1 - 0.75 * atrophy
    below = CHOROID + (SHINES - CHOROID) * atrophy
    above = np.full((D, W), VITREOUS)
    steps = np.diff(np.concatenate([[above], bright, [below]]), axis=0)
    image = np.full((D, H, W), VITREOUS)
    for border, step in zip(surfaces, steps, strict=True):
        image += step[:, None] * np.clip(depth - border[:, None] + 0.5, 0, 1)
    masks = {"atrophy": (atrophy > 0.5)[:, None] & _between(depth, surfaces[6:8])}
    masks["drusen"] = _between(depth, (lifted, floor)) & (drusen > 0.2)[:, None]
    image[masks["drusen"]] = 0.55
    middle = surfaces[3:5].mean(0)[:, None]
    masks["cysts"] = np.abs(depth - middle) < 3.5 * np.sqrt(cysts)[:, None] - 0.4
    image[masks["cysts"]] = 0.07
    fade = np.clip((depth - floor[:, None]) / 14, 0, 1)
    image *= 1 - 0.7 * fade
    # Shadows of vessels, along the slices, from the nerve fibres down
    shadows = int(rng.integers(1, 5))
    for _ in range(shadows):
        at = rng.uniform(-1, 1) + rng.normal(0, 0.15) * v
        dark = 0.55 * (np.abs(u - at) < 0.035)
        image *= 1 - dark[:, None] * (depth > surfaces[1][:, None])
    # The scan: speckle, a jump of the eye, bytes
    speckle = rng.uniform(0.25, 0.5)
    noise = rng.standard_gamma(1 / speckle**2, image.shape) * speckle**2
    image = uniform_filter1d(image * noise, 2, axis=2)
    first, jump = int(rng.integers(3, D - 3)), int(rng.integers(1, 4))
    motion = jump if rng.random() < 0.3 else 0
    for part, above in ((image, VITREOUS), *((mask, False) for mask in masks.values())):
        part[first:] = np.roll(part[first:], motion, axis=1)
        part[first:, :motion] = above
    surfaces[:, first:] += motion
    if mirrored:
        image, surfaces = image[..., ::-1], surfaces[..., ::-1]
        masks = {name: mask[..., ::-1] for name, mask in masks.items()}
        fovea = fovea * (1, -1)
    known = {"classes": kind, "lesions": masks, "lesion_counts": counts, "pit": pit}
    known |= {"images": np.uint8(np.rint(255 * np.clip(image, 0, 1)))[..., None]}
    known |= {"surfaces": surfaces, "fovea": (fovea + 1) / 2 * (D - 1, W - 1)}
    known |= {"thickness": thickness, "speckle": speckle, "motion": motion}
    return known | {"shadows": shadows}


def _spots(rng, u, v, count, radius):
    """Draw smooth spots with values up to 1 on the map of slices and columns."""
    centres = rng.uniform(-0.8, 0.8, (count, 2))
    radii = radius * rng.uniform(0.7, 1.4, count)
    away = (u[..., None] - centres[:, 0]) ** 2 + (v[..., None] - centres[:, 1]) ** 2
    return np.clip(1.5 - 1.5 * away / (2 * radii) ** 2, 0, 1).max(-1)


def _between(depth, two):
    """Mark the voxels (D, H, W) between two surfaces (2, D, W)."""
    return (depth >= two[0][:, None]) & (depth < two[1][:, None])


def collate(eyes):
    """Turn a list of dicts into a dict of arrays (of dicts, into dicts of arrays)."""
    collated = {name: [eye[name] for eye in eyes] for name in eyes[0]}
    for name, values in collated.items():
        if isinstance(values[0], dict):
            collated[name] = collate(values)
        elif name != "report":
            collated[name] = np.array(values)
    return collated
