"""Numba loops of the synthetic eye: grow the vessel tree, paint lines and spots.

Lengths are in radii of the field of view (y down, x right, centre 0) until a
painter multiplies them by the radius in pixels: any size shows the same eye.
"""

import numpy as np
from numba import njit

STEP = 0.035  # length of one vessel segment
THINNEST = 0.006  # width at which a vessel ends

# A spot: elongation is long over short axis; angle that of the long axis in radians
# from x to y; lobes the depth of the outline's waves, 0 is an ellipse; softness the
# half-width of the edge over the radius; level a flat top, as of settled blood.
FLOATS = ("y", "x", "radius", "elongation", "angle", "lobes", "softness", "opacity")
SPOT = np.dtype([*((name, "f8") for name in FLOATS), ("level", "?")])


@njit(cache=True, nogil=True)
def grow_vessels(trunks, centre, fovea_distance, noise):
    """Walk (T, 6) trunks outwards, forking: (S, 6) y0, x0, y1, x1, width, tone.

    The disc is at 0 and the fovea at x = -fovea_distance; a trunk is y, x, heading,
    width, tone, arcade (signed height of the arch round the macula; 0 walks freely).
    Each step uses one row of noise (S_max, 4), uniform in [-1, 1].
    """
    max_segments = noise.shape[0]
    segments = np.empty((max_segments, 6))
    walkers = np.empty((max_segments + len(trunks), 6))  # a stack
    waiting, s = len(trunks), 0
    walkers[:waiting] = trunks[::-1]
    while waiting > 0 and s < max_segments:
        waiting -= 1
        y, x, heading, width, tone, arcade = walkers[waiting]
        curl = 0.06 * noise[s, 3] if arcade == 0 else 0.0
        since_fork = 0
        while width > THINNEST and s < max_segments:
            wander, chance, share, side = noise[s]
            share, side = abs(share), np.sign(side)
            # Step: arcades aim at their arch a little ahead, the others wander
            heading += 0.2 * wander + curl
            if arcade != 0:
                heading += _turn_to_arch(y, x, heading, arcade)
            y_next, x_next = y + STEP * np.sin(heading), x + STEP * np.cos(heading)
            segments[s] = (y, x, y_next, x_next, width, tone)
            s += 1
            y, x = y_next, x_next
            width *= 0.982
            since_fork += 1
            # Stop: outside the photograph, or at the vessel-free fovea
            outside = np.hypot(y - centre[0], x - centre[1]) > 1.05
            if outside or np.hypot(y, x + fovea_distance) < 0.15:
                break
            # Fork: a thinner daughter leaves to one side, the parent bends away
            if since_fork > 2 and chance > 0.45:
                angle = heading + side * (0.5 + 0.5 * share)
                child = width * (0.45 + 0.35 * share)
                walkers[waiting] = (y, x, angle, child, tone, 0.0)
                waiting += 1
                heading -= side * 0.12
                width *= 0.95
                since_fork = 0
    return segments[:s]


@njit(cache=True, nogil=True)
def _turn_to_arch(y, x, heading, arcade):
    """Angle by which to turn towards a parabola that opens round the macula."""
    ahead = max(-x, 0.0) + 0.07
    arch = arcade * np.sqrt(ahead) * (1.0 - 0.2 * ahead)
    turn = np.arctan2(arch - y, -ahead - x) - heading
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    return min(max(turn, -0.45), 0.45)


@njit(cache=True, nogil=True)
def _rows(low, high, size):
    return max(int(np.floor(low)), 0), min(int(np.ceil(high)) + 1, size)


@njit(cache=True, nogil=True)
def paint_lines(segments, size, radius):
    """Coverage and depth of blood (size, size) of (S, 6) segments, antialiased."""
    cover = np.zeros((size, size), np.float32)
    blood = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    for s in range(len(segments)):
        y0, x0, y1, x1 = middle + radius * segments[s, :4]
        half, tone = 0.5 * radius * segments[s, 4], segments[s, 5]
        dy, dx, reach = y1 - y0, x1 - x0, half + 0.5
        length2 = dy * dy + dx * dx + 1e-12
        top, bottom = _rows(min(y0, y1) - reach, max(y0, y1) + reach, size)
        left, right = _rows(min(x0, x1) - reach, max(x0, x1) + reach, size)
        for i in range(top, bottom):
            for j in range(left, right):
                # Distance of the pixel from the segment
                along = ((i - y0) * dy + (j - x0) * dx) / length2
                along = min(max(along, 0.0), 1.0)
                away = np.hypot(i - y0 - along * dy, j - x0 - along * dx)
                # Share of a unit pixel inside the line
                share = min(0.5, away + half) - max(-0.5, away - half)
                if share <= 0.0:
                    continue
                # Blood is deepest on the axis, where a wide vessel has its reflex
                depth = 1.0 - 0.35 * min((away / reach) ** 2, 1.0)
                if half > 1.2 and away < 0.35 * half:
                    depth *= 0.8
                cover[i, j] = max(cover[i, j], share)
                blood[i, j] = max(blood[i, j], share * depth * tone)
    return cover, blood


@njit(cache=True, nogil=True)
def paint_spots(spots, size, radius):
    """Opacity and mask (size, size) of (K,) spots, 4 x 4 samples a pixel."""
    alpha = np.zeros((size, size), np.float32)
    mask = np.zeros((size, size), np.bool_)
    middle = (size - 1) / 2
    for k in range(len(spots)):
        spot = spots[k]
        y, x = middle + radius * spot.y, middle + radius * spot.x
        reach = radius * spot.radius * spot.elongation
        reach = reach * (1 + spot.lobes) * (1 + spot.softness) + 0.5
        top, bottom = _rows(y - reach, y + reach, size)
        left, right = _rows(x - reach, x + reach, size)
        for i in range(top, bottom):
            for j in range(left, right):
                total, inside = 0.0, 0
                for sample in range(16):
                    v = (i - y + (sample // 4 - 1.5) / 4) / radius
                    u = (j - x + (sample % 4 - 1.5) / 4) / radius
                    rho = _depth_in_spot(v, u, spot)
                    edge = (1 + spot.softness - rho) / (2 * spot.softness)
                    total += min(max(edge, 0.0), 1.0)
                    inside += rho < 1.0
                alpha[i, j] = max(alpha[i, j], spot.opacity * total / 16)
                mask[i, j] |= inside >= 4
        # However small, a spot owns the pixel of its centre
        i, j = int(np.rint(y)), int(np.rint(x))
        if 0 <= i < size and 0 <= j < size:
            mask[i, j] = True
    return alpha, mask


@njit(cache=True, nogil=True)
def _depth_in_spot(v, u, spot):
    """Distance of a point from the centre: 1 on the outline of the spot."""
    if spot.level and v < -0.15 * spot.radius:
        return np.inf
    cos, sin = np.cos(spot.angle), np.sin(spot.angle)
    a = (cos * u + sin * v) / (spot.radius * spot.elongation)
    b = (cos * v - sin * u) / spot.radius
    rho = np.hypot(a, b)
    if spot.lobes > 0:
        theta = np.arctan2(b, a)
        wave = np.cos(3 * theta + 9 * spot.angle) + np.sin(5 * theta)
        rho /= 1 + 0.5 * spot.lobes * wave
    return rho


@njit(cache=True, nogil=True)
def keep_apart(y, x, reach, kind, quota, gap):
    """Mark at most quota[kind] circles of each kind, first come, a gap apart."""
    keep = np.zeros(y.size, np.bool_)
    left = quota.copy()
    for k in range(y.size):
        free = left[kind[k]] > 0
        for other in range(k):
            if free and keep[other]:
                apart = np.hypot(y[k] - y[other], x[k] - x[other])
                free = apart >= reach[k] + reach[other] + gap
        if free:
            keep[k] = True
            left[kind[k]] -= 1
    return keep
