"""Anatomy of a right eye: disc, fovea and vessel tree, in radii of the field of view.

Points are (y, x) from the centre, y down and x right, where its disc is (nasal).
"""

from typing import NamedTuple

import numpy as np

from tinyssl.data.toy import _kernels

MAX_SEGMENTS = 2000


class Anatomy(NamedTuple):
    """Where the structures of one right eye are."""

    disc: np.ndarray  # (2,) y, x
    disc_radius: float
    cup_ratio: float  # radius of the cup over radius of the disc
    fovea: np.ndarray  # (2,) y, x
    vessels: np.ndarray  # (S, 6) y0, x0, y1, x1, width, tone


def sample_anatomy(rng):
    """Draw one right eye: the fovea about 2.5 disc diameters temporal, a bit below."""
    disc_radius = rng.uniform(0.115, 0.15)
    distance = 2 * disc_radius * rng.uniform(2.35, 2.7)
    disc = np.array([rng.normal(-0.04, 0.05), rng.uniform(0.42, 0.72)])
    tilt = np.deg2rad(rng.uniform(2, 11))  # dip of the fovea, with the head's tilt
    cos, sin = np.cos(tilt), np.sin(tilt)
    turn = np.array([[cos, -sin], [sin, cos]])  # of (y, x): temporal goes down

    vessels = _sample_vessels(rng, centre=-disc @ turn, distance=distance)
    for ends in (slice(0, 2), slice(2, 4)):
        vessels[:, ends] = vessels[:, ends] @ turn.T + disc
    fovea = turn @ np.array([0.0, -distance]) + disc
    return Anatomy(disc, disc_radius, rng.uniform(0.25, 0.6), fovea, vessels)


def _sample_vessels(rng, *, centre, distance):
    """Artery and vein of four quadrants, forking, with the disc at 0: (S, 6)."""
    trunks = []
    for vertical in (-1, 1):  # superior, inferior
        arch = vertical * rng.uniform(0.72, 0.95)
        for is_vein in (False, True):
            width = rng.uniform(0.030, 0.038) if is_vein else rng.uniform(0.022, 0.028)
            tone = rng.uniform(0.85, 1.0) if is_vein else rng.uniform(0.55, 0.7)
            shift = (0.09 if is_vein else -0.03) * vertical + rng.normal(0, 0.02)
            start = np.array([0.02 * vertical, 0.03]) + rng.uniform(-0.03, 0.03, 2)
            up = vertical * np.pi / 2
            trunks.append([*start, up, width, tone, arch + shift])
            nasal = vertical * rng.uniform(0.25, 1.1)
            rim = start + np.array([0.09 * vertical, 0.01])
            trunks.append([*rim, nasal, 0.7 * width, tone, 0.0])
    for _ in range(rng.integers(1, 4)):  # cilioretinal vessels, towards the macula
        heading = np.pi + rng.uniform(-0.6, 0.6)
        trunks.append([0.0, -0.03, heading, 0.014, rng.uniform(0.6, 0.9), 0.0])
    noise = rng.uniform(-1, 1, (MAX_SEGMENTS, 4))
    return _kernels.grow_vessels(np.array(trunks), centre, distance, noise)
