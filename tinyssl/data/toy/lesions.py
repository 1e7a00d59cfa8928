"""Lesions that make the grade, and harmless spots that look like them.

A spot is a row of nine numbers: y, x, radius, elongation, angle, lobes, softness,
opacity, flat top (see `_kernels.paint_spots`); lengths in radii of the field of view.
"""

import numpy as np

from tinyssl.data.toy import _kernels

KINDS = ("MA", "HE", "EX", "SE", "NV", "PH")
GRADE_SHARES = (0.49, 0.10, 0.27, 0.06, 0.08)  # the mix of the APTOS 2019 training set
SEVERE_HAEMORRHAGES = 10


def grade_from_counts(counts):
    """Grade 0..4 of an eye by its lesion counts, after the International Clinical scale.

    Parameters
    ----------
    counts : dict of str to int
        Number of each kind of lesion: MA, HE, EX, SE, NV, PH.

    Returns
    -------
    int
        0 no lesion; 1 microaneurysms only; 2 more than that; 3 at least 10
        haemorrhages; 4 new vessels or a preretinal haemorrhage.

    Examples
    --------
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


def sample_counts(rng, grade):
    """Draw how many lesions of each kind an eye of this grade has."""
    counts = dict.fromkeys(KINDS, 0)
    if grade == 0:
        return counts
    counts["MA"] = 1 + rng.poisson((2, 4, 8, 6)[grade - 1])
    if grade == 2:
        counts["HE"] = min(1 + rng.poisson(3), SEVERE_HAEMORRHAGES - 1)
    if grade >= 3:
        low = SEVERE_HAEMORRHAGES if grade == 3 else 2
        counts["HE"] = low + rng.poisson(5)
    if grade >= 2:
        counts["EX"] = rng.poisson(9) if rng.random() < 0.6 else 0
        counts["SE"] = rng.poisson(0.3 * (grade - 1))
    if grade == 4:
        counts["NV"] = rng.integers(1, 4) if rng.random() < 0.75 else 0
        counts["PH"] = int(counts["NV"] == 0 or rng.random() < 0.3)
    return counts


def sample_lesions(rng, counts, anatomy, cut):
    """Place lesions apart from each other, inside the photograph, off the disc.

    Returns a dict: kind -> (K, 9) spots (for NV only the centres matter).
    """
    quota = np.array([counts[kind] for kind in KINDS])
    if not quota.any():
        return {kind: np.empty((0, 9)) for kind in KINDS}
    drawn = [
        _draw(rng, kind, 8 * number + 8 if number else 0, anatomy)
        for kind, number in zip(KINDS, quota, strict=True)
    ]
    kinds = np.repeat(np.arange(len(KINDS)), [len(spots) for spots in drawn])
    spots = np.concatenate(drawn)
    # Rare and large ones choose their place first
    order = np.lexsort((np.arange(len(spots)), -kinds))
    spots, kinds = spots[order], kinds[order]
    reach = spots[:, 2] * spots[:, 3] * (1 + spots[:, 5])
    away = np.hypot(*(spots[:, :2] - anatomy.disc).T)
    fits = (np.hypot(spots[:, 0], spots[:, 1]) + reach < 0.93) & (
        np.abs(spots[:, 0]) + reach < cut - 0.04
    )
    fits &= (away > anatomy.disc_radius + reach + 0.03) | (kinds == KINDS.index("NV"))
    spots, kinds, reach = spots[fits], kinds[fits], reach[fits]
    table = np.column_stack([spots[:, :2], reach, kinds])
    keep = _kernels.keep_apart(table, quota, 0.03)
    return {kind: spots[keep & (kinds == k)] for k, kind in enumerate(KINDS)}


def _draw(rng, kind, number, anatomy):
    """Candidate spots of one kind, (number, 9)."""
    spots = np.zeros((number, 9))
    if not number:
        return spots
    distance = 0.95 * np.sqrt(rng.random(number))
    around = rng.uniform(-np.pi, np.pi, number)
    spots[:, 0] = distance * np.sin(around)
    spots[:, 1] = distance * np.cos(around)
    spots[:, 3] = 1.0
    spots[:, 4] = rng.uniform(-np.pi, np.pi, number)
    spots[:, 6] = 0.25
    if kind == "MA":
        spots[:, 2] = rng.uniform(0.016, 0.024, number)
        spots[:, 7] = rng.uniform(0.5, 0.9, number)
    elif kind == "HE":
        flame = rng.random(number) < 0.35
        spots[:, 2] = np.where(
            flame, rng.uniform(0.018, 0.028, number), rng.uniform(0.025, 0.05, number)
        )
        spots[:, 3] = np.where(flame, rng.uniform(2, 3, number), 1.2)
        towards = np.arctan2(
            spots[:, 0] - anatomy.disc[0], spots[:, 1] - anatomy.disc[1]
        )
        spots[:, 4] = np.where(flame, towards, spots[:, 4])  # along the nerve fibres
        spots[:, 5] = 0.3
        spots[:, 7] = rng.uniform(0.5, 0.95, number)
    elif kind == "EX":
        # Clusters, more often than not around the macula
        clusters = anatomy.fovea + rng.normal(0, 0.3, (1 + number // 30, 2))
        which = rng.integers(0, len(clusters), number)
        spots[:, :2] = clusters[which] + rng.normal(0, 0.09, (number, 2))
        spots[:, 2] = rng.uniform(0.012, 0.026, number)
        spots[:, 5] = 0.25
        spots[:, 7] = rng.uniform(0.5, 0.95, number)
    elif kind == "SE":
        spots[:, 2] = rng.uniform(0.035, 0.055, number)
        spots[:, 3] = 1.3
        spots[:, 5] = 0.3
        spots[:, 6] = 0.8
        spots[:, 7] = rng.uniform(0.35, 0.7, number)
    elif kind == "NV":
        places = anatomy.vessels[rng.integers(0, len(anatomy.vessels), number), :2]
        spots[:, :2] = places
        spots[:, 2] = rng.uniform(0.07, 0.11, number)
        spots[:, 7] = 1.0
    else:
        spots[:, 2] = rng.uniform(0.07, 0.12, number)
        spots[:, 3] = rng.uniform(1.0, 1.5, number)
        spots[:, 4] = rng.normal(0, 0.15, number)
        spots[:, 7] = rng.uniform(0.8, 1.0, number)
        spots[:, 8] = 1.0
    return spots


def sample_tufts(rng, centres):
    """Fine tangled vessels that sprout from each centre: (S, 6) segments."""
    segments = []
    for centre in centres:
        for start in rng.uniform(-np.pi, np.pi, 9):
            headings = start + np.cumsum(rng.normal(0.35, 0.35, 9))
            steps = (
                0.15 * centre[2] * np.column_stack([np.sin(headings), np.cos(headings)])
            )
            path = centre[:2] + np.cumsum(np.vstack([[0, 0], steps]), axis=0)
            line = np.column_stack([path[:-1], path[1:]])
            segments.append(np.column_stack([line, np.full((9, 2), (0.011, 0.85))]))
    return np.concatenate(segments) if segments else np.empty((0, 6))


def sample_distractors(rng, anatomy):
    """Harmless look-alikes of any eye: pigment, drusen, reflexes, nevus, dust."""

    def scatter(number, radius, opacity, softness, spread=0.45):
        spots = np.zeros((number, 9))
        spots[:, :2] = rng.normal(0, spread, (number, 2))
        spots[:, 2] = rng.uniform(*radius, number)
        spots[:, 3] = rng.uniform(1, 1.3, number)
        spots[:, 4] = rng.uniform(-np.pi, np.pi, number)
        spots[:, 5] = 0.15
        spots[:, 6] = softness
        spots[:, 7] = rng.uniform(*opacity, number)
        return spots

    pigment = scatter(rng.poisson(2.0), (0.012, 0.028), (0.3, 0.9), 0.4)
    if rng.random() < 0.06:
        pigment = np.vstack([pigment, scatter(1, (0.06, 0.12), (0.3, 0.6), 0.6)])
    drusen = scatter(
        rng.poisson(9) if rng.random() < 0.3 else rng.poisson(0.7),
        (0.012, 0.026),
        (0.2, 0.55),
        0.7,
        spread=0.25,
    )
    drusen[:, :2] += anatomy.fovea
    reflex = scatter(rng.poisson(0.8), (0.012, 0.03), (0.1, 0.4), 0.9)
    reflex[:, 3] = rng.uniform(1.5, 5, len(reflex))
    dust = scatter(rng.poisson(0.5), (0.03, 0.06), (0.05, 0.2), 0.5)
    return {"pigment": pigment, "drusen": drusen, "reflex": reflex, "dust": dust}
