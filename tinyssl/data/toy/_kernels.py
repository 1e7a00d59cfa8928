"""Numba loops of the synthetic eye: grow the vessel tree, paint lines and spots.

Lengths are in radii of the field of view (y down, x right, centre 0) until a
painter multiplies them by the radius in pixels: any size shows the same eye.
"""

import numpy as np
from numba import njit

STEP = 0.035  # length of one vessel segment, in radii

SPOT = np.dtype(
    [
        ("y", "f8"),
        ("x", "f8"),
        ("radius", "f8"),
        ("elongation", "f8"),  # long axis over short axis
        ("angle", "f8"),  # of the long axis, radians from x towards y
        ("lobes", "f8"),  # depth of the waves of the outline, 0 is an ellipse
        ("softness", "f8"),  # half-width of the edge over the radius
        ("opacity", "f8"),
        ("level", "?"),  # a flat top, like blood settled in front of the retina
    ]
)


@njit(cache=True, nogil=True)
def grow_vessels(trunks, centre, fovea_distance, noise, max_segments):
    """Walk (T, 6) trunks outwards, forking: (S, 6) y0, x0, y1, x1, width, tone.

    The disc is at 0 and the fovea at x = -fovea_distance; a trunk is y, x, heading,
    width, tone, arcade (signed height of the arch round the macula, 0 walks freely).
    """
    segments = np.empty((max_segments, 6))
    walkers = np.empty((max_segments, 7))
    num_walkers = trunks.shape[0]
    walkers[:num_walkers, :6] = trunks
    walkers[:num_walkers, 6] = 0.0  # how often it has forked from a trunk
    num_segments, draw = 0, 0
    while num_walkers > 0 and num_segments < max_segments:
        num_walkers -= 1
        y, x, heading, width, tone, arcade, level = walkers[num_walkers]
        curl = 0.06 * noise[draw % noise.size] if arcade == 0 else 0.0
        draw += 1
        since_fork = 0
        while width > 0.006 and num_segments < max_segments:
            # Turn: arcades aim at their arch a little ahead, the others wander
            heading += 0.2 * noise[draw % noise.size] + curl
            if arcade != 0:
                ahead = max(-x, 0.0) + 0.07
                arch = arcade * np.sqrt(ahead) * (1.0 - 0.2 * ahead)
                turn = np.arctan2(arch - y, -ahead - x) - heading
                turn = (turn + np.pi) % (2 * np.pi) - np.pi
                heading += min(max(turn, -0.45), 0.45)
            y_next = y + STEP * np.sin(heading)
            x_next = x + STEP * np.cos(heading)
            segments[num_segments] = (y, x, y_next, x_next, width, tone)
            num_segments += 1
            y, x = y_next, x_next
            width *= 0.982
            since_fork += 1
            # Stop: outside the photograph, or at the vessel-free fovea
            if (y - centre[0]) ** 2 + (x - centre[1]) ** 2 > 1.1:
                break
            if y**2 + (x + fovea_distance) ** 2 < 0.15**2:
                break
            # Fork: a thinner daughter leaves to one side
            chance = noise[(draw + 1) % noise.size]
            size = abs(noise[(draw + 2) % noise.size])
            draw += 3
            if since_fork > 2 and chance > 0.45 and num_walkers < max_segments:
                side = 1.0 if noise[draw % noise.size] > 0 else -1.0
                draw += 1
                child = width * (0.45 + 0.35 * size)
                angle = heading + side * (0.5 + 0.5 * size)
                walkers[num_walkers] = (y, x, angle, child, tone, 0.0, level + 1)
                num_walkers += 1
                heading -= side * 0.12
                width *= 0.95
                since_fork = 0
    return segments[:num_segments]


@njit(cache=True, nogil=True)
def paint_lines(segments, size, radius):
    """Coverage and darkness (size, size) of (S, 6) segments, antialiased."""
    cover = np.zeros((size, size), np.float32)
    dark = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    for s in range(segments.shape[0]):
        y0, x0, y1, x1, width, tone = segments[s]
        y0, x0 = middle + radius * y0, middle + radius * x0
        y1, x1 = middle + radius * y1, middle + radius * x1
        half = 0.5 * radius * width
        dy, dx = y1 - y0, x1 - x0
        length2 = max(dy * dy + dx * dx, 1e-12)
        reach = half + 1.0
        for i in range(
            max(int(min(y0, y1) - reach), 0), min(int(max(y0, y1) + reach) + 2, size)
        ):
            for j in range(
                max(int(min(x0, x1) - reach), 0),
                min(int(max(x0, x1) + reach) + 2, size),
            ):
                # Distance of the pixel from the segment
                along = ((i - y0) * dy + (j - x0) * dx) / length2
                along = min(max(along, 0.0), 1.0)
                away = np.hypot(i - y0 - along * dy, j - x0 - along * dx)
                # Share of a unit pixel inside the line
                share = min(0.5, away + half) - max(-0.5, away - half)
                if share <= 0.0:
                    continue
                share = min(share, 1.0)
                # Blood is deepest on the axis, which a wide vessel reflects
                depth = 0.65 + 0.35 * max(1.0 - (away / (half + 0.5)) ** 2, 0.0)
                if half > 1.2 and away < 0.35 * half:
                    depth *= 0.8
                cover[i, j] = max(cover[i, j], share)
                dark[i, j] = max(dark[i, j], share * depth * tone)
    return cover, dark


@njit(cache=True, nogil=True)
def paint_spots(spots, size, radius):
    """Opacity (size, size) and mask of (K,) spots, 4 x 4 samples a pixel."""
    alpha = np.zeros((size, size), np.float32)
    mask = np.zeros((size, size), np.bool_)
    middle = (size - 1) / 2
    for k in range(spots.shape[0]):
        spot = spots[k]
        elongation, lobes, softness = spot.elongation, spot.lobes, spot.softness
        angle, opacity, level = spot.angle, spot.opacity, spot.level
        y, x = middle + radius * spot.y, middle + radius * spot.x
        r = radius * spot.radius
        cos, sin = np.cos(angle), np.sin(angle)
        reach = r * elongation * (1 + lobes) * (1 + softness) + 1.0
        for i in range(max(int(y - reach), 0), min(int(y + reach) + 2, size)):
            for j in range(max(int(x - reach), 0), min(int(x + reach) + 2, size)):
                if np.hypot(i - y, j - x) > reach:
                    continue
                total, inside = 0.0, 0
                for sub in range(16):
                    v = i - y + (sub // 4 - 1.5) / 4
                    u = j - x + (sub % 4 - 1.5) / 4
                    if level and v < -0.15 * r:
                        continue
                    # Ellipse along the angle, with a lobed outline
                    a = (cos * u + sin * v) / (r * elongation)
                    b = (cos * v - sin * u) / r
                    rho = np.sqrt(a * a + b * b)
                    if lobes > 0 and rho > 0:
                        theta = np.arctan2(b, a)
                        wave = np.cos(3 * theta + 9 * angle) + np.sin(5 * theta)
                        rho /= 1 + 0.5 * lobes * wave
                    inside += rho < 1.0
                    edge = (1 + softness - rho) / (2 * softness)
                    total += min(max(edge, 0.0), 1.0)
                alpha[i, j] = max(alpha[i, j], opacity * total / 16)
                mask[i, j] |= inside >= 4
        # However small, a spot owns the pixel of its centre
        i, j = int(np.rint(y)), int(np.rint(x))
        if 0 <= i < size and 0 <= j < size:
            mask[i, j] = True
    return alpha, mask


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
