"""Lesions that make the grade, and harmless spots that look like them.

Spots are arrays of `_kernels.SPOT`, lengths in radii of the field of view.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from tinyssl.data.toy import _kernels
from tinyssl.data.toy._kernels import SPOT

KINDS = ("MA", "HE", "EX", "SE", "NV", "PH")
GRADE_SHARES = (0.49, 0.10, 0.27, 0.06, 0.08)  # the mix of APTOS 2019
SHARED_SEVERITY = 0.8  # correlation of the severities of the two eyes of a patient
SEVERE_HAEMORRHAGES = 10
GAP = 0.03  # least distance between the outlines of two lesions

# Ranges of radius, elongation and opacity; lobes and softness of the outline
LOOKS = {
    "MA": ((0.020, 0.028), (1.0, 1.0), (0.4, 1.1), 0.0, 0.25),
    "HE": ((0.030, 0.060), (1.0, 1.4), (0.45, 1.2), 0.2, 0.25),
    "EX": ((0.016, 0.032), (1.0, 1.3), (0.35, 0.95), 0.25, 0.25),
    "SE": ((0.035, 0.055), (1.1, 1.5), (0.4, 0.7), 0.3, 0.8),
    "NV": ((0.070, 0.110), (1.0, 1.0), (1.0, 1.0), 0.0, 0.25),
    "PH": ((0.070, 0.120), (1.0, 1.5), (1.0, 1.4), 0.0, 0.15),
    "pigment": ((0.014, 0.034), (1.0, 1.3), (0.3, 1.0), 0.15, 0.4),
    "nevus": ((0.060, 0.120), (1.0, 1.3), (0.3, 0.6), 0.15, 0.6),
    "drusen": ((0.012, 0.026), (1.0, 1.3), (0.2, 0.65), 0.15, 0.7),
    "reflex": ((0.012, 0.030), (1.5, 5.0), (0.1, 0.4), 0.0, 0.9),
    "dust": ((0.030, 0.060), (1.0, 1.3), (0.05, 0.2), 0.0, 0.5),
}


def grade_from_counts(counts: Mapping[str, int]) -> int:
    """Grade an eye by its lesions, after the International Clinical scale.

    `counts` says how many lesions of each kind there are: microaneurysms MA,
    haemorrhages HE, hard exudates EX, soft exudates SE, tufts of new vessels NV,
    preretinal haemorrhages PH. The grade is 4 with any NV or PH; else 3 with at least
    10 HE, which stand for the scale's "4-2-1" rule; else 2 with any HE, EX or SE; else
    1 with any MA; else 0.

    Wilkinson et al. 2003, "Proposed international clinical diabetic retinopathy and
    diabetic macular edema disease severity scales", Ophthalmology 110(9), table 2.

    >>> grade_from_counts({"MA": 3, "HE": 1, "EX": 0, "SE": 0, "NV": 0, "PH": 0})
    2
    """
    if counts["NV"] + counts["PH"] > 0:
        return 4
    if counts["HE"] >= SEVERE_HAEMORRHAGES:
        return 3
    if counts["HE"] + counts["EX"] + counts["SE"] > 0:
        return 2
    return int(counts["MA"] > 0)


def sample_counts(rng, severity):
    """Draw how many lesions of each kind an eye of a patient has: (6,) int."""
    own = rng.standard_normal()
    level = np.sqrt(SHARED_SEVERITY) * severity + np.sqrt(1 - SHARED_SEVERITY) * own
    grade = np.searchsorted(np.cumsum(GRADE_SHARES)[:-1], ndtr(level))
    counts = dict.fromkeys(KINDS, 0)
    if grade >= 1:
        counts["MA"] = 1 + rng.poisson((4, 5, 9, 8)[grade - 1])
    if grade >= 2:
        counts["EX"] = rng.poisson(12) if rng.random() < 0.55 else 0
        counts["SE"] = rng.poisson(0.3 * (grade - 1))
    if grade == 2:
        counts["HE"] = min(1 + rng.poisson(3), SEVERE_HAEMORRHAGES - 1)
    elif grade == 3:
        counts["HE"] = SEVERE_HAEMORRHAGES + rng.poisson(7)
    elif grade == 4:
        counts["HE"] = 2 + rng.poisson(7)
        counts["NV"] = rng.integers(1, 4) if rng.random() < 0.6 else 0
        counts["PH"] = int(counts["NV"] == 0 or rng.random() < 0.6)
    return np.array([counts[kind] for kind in KINDS])


def sample_lesions(rng, counts, anatomy, half_height):
    """Place lesions apart, in the photograph, off the disc: {kind: (K,) spots}."""
    if not counts.any():
        return {kind: np.empty(0, SPOT) for kind in KINDS}
    # Many more candidates than needed, the rare and large kinds first
    drawn = [
        _sample_candidates(rng, kind, 8 * count + 8 if count else 0, anatomy)
        for kind, count in zip(KINDS, counts, strict=True)
    ]
    spots = np.concatenate(drawn[::-1])
    kinds = np.repeat(np.arange(len(KINDS))[::-1], [len(each) for each in drawn[::-1]])

    # Keep what lies inside the window, off the disc and off each other
    y, x = spots["y"], spots["x"]
    reach = spots["radius"] * spots["elongation"] * (1 + spots["lobes"])
    inside = (np.hypot(y, x) + reach < 0.93) & (abs(y) + reach < half_height - 0.04)
    from_disc = np.hypot(y - anatomy.disc[0], x - anatomy.disc[1])
    off_disc = from_disc > anatomy.disc_radius + reach + GAP
    fits = inside & (off_disc | (kinds == KINDS.index("NV")))
    spots, kinds = spots[fits], kinds[fits]
    keep = _kernels.keep_apart(y[fits], x[fits], reach[fits], kinds, counts, GAP)
    return {kind: spots[keep & (kinds == k)] for k, kind in enumerate(KINDS)}


def _sample_candidates(rng, kind, number, anatomy):
    """Draw spots of one kind of lesion where that kind occurs: (number,) spots."""
    spots = _sample_looks(rng, kind, number)
    if kind == "EX":  # clusters, most of them near the macula
        clusters = anatomy.fovea + rng.normal(0, 0.3, (1 + number // 30, 2))
        place = clusters[rng.integers(len(clusters), size=number)]
        place = place + rng.normal(0, 0.08, (number, 2))
    elif kind == "NV":  # on vessels, those of the disc included
        place = anatomy.vessels[rng.integers(len(anatomy.vessels), size=number), :2]
    else:  # anywhere
        distance = 0.95 * np.sqrt(rng.random(number))
        around = rng.uniform(-np.pi, np.pi, number)
        place = distance[:, None] * np.column_stack([np.sin(around), np.cos(around)])
    spots["y"], spots["x"] = place.T

    if kind == "HE":  # some are flames along the nerve fibres, which meet in the disc
        flame = rng.random(number) < 0.35
        spots["radius"][flame] *= 0.65
        spots["elongation"][flame] *= 2.2
        fibre = np.arctan2(*(place - anatomy.disc).T)
        spots["angle"] = np.where(flame, fibre, spots["angle"])
    if kind == "PH":  # blood settles: its surface is level
        spots["level"] = True
        spots["angle"] *= 0.05
    return spots


def _sample_looks(rng, kind, number):
    """Draw the shape and opacity of spots that have no place yet: (number,) spots."""
    *ranges, lobes, softness = LOOKS[kind]
    spots = np.zeros(number, SPOT)
    names = ("radius", "elongation", "opacity", "angle")
    for name, (low, high) in zip(names, (*ranges, (-np.pi, np.pi)), strict=True):
        spots[name] = rng.uniform(low, high, number)
    spots["lobes"], spots["softness"] = lobes, softness
    return spots


def sample_tufts(rng, centres):
    """Draw the fine tangled vessels that sprout from each centre: (S, 6) segments."""
    start = rng.uniform(-np.pi, np.pi, (len(centres), 9, 1))
    heading = start + np.cumsum(rng.normal(0.35, 0.35, (len(centres), 9, 9)), axis=2)
    step = 0.15 * centres["radius"][:, None, None, None]
    path = step * np.stack([np.sin(heading), np.cos(heading)], axis=-1)
    path = np.insert(np.cumsum(path, axis=2), 0, 0.0, axis=2)  # (K, 9, 10, 2)
    path += np.column_stack([centres["y"], centres["x"]])[:, None, None]
    lines = np.concatenate([path[:, :, :-1], path[:, :, 1:]], axis=-1).reshape(-1, 4)
    return np.column_stack([lines, np.full((len(lines), 2), (0.014, 1.0))])


def sample_distractors(rng, anatomy):
    """Draw the look-alikes that an eye of any grade may have: {kind: (K,) spots}."""
    drusen = 9.0 if rng.random() < 0.3 else 0.7
    counts = {"pigment": rng.poisson(3.0), "nevus": int(rng.random() < 0.06)}
    counts |= {"drusen": rng.poisson(drusen), "reflex": rng.poisson(0.8)}
    counts["dust"] = rng.poisson(0.5)
    distractors = {}
    for kind, number in counts.items():
        spots = _sample_looks(rng, kind, number)
        middle, spread = (anatomy.fovea, 0.25) if kind == "drusen" else ((0, 0), 0.45)
        spots["y"], spots["x"] = rng.normal(middle, spread, (number, 2)).T
        distractors[kind] = spots
    return distractors
