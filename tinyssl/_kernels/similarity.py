"""Structural similarity, row by row through a small ring, as a compiled loop."""

import numpy as np

from tinyssl._kernels._compile import kernel


@kernel
def ssim_map(image1, image2, taps, c1, c2, unbias, out):
    """Write the SSIM map of (H, W, C) images to ``out``, and return its sum.

    ``taps`` is a tuple, so its length is known to the compiler, which unrolls the
    sums. ``out`` has one row for each window, or a single one that is used again.
    """
    H, W, C = image1.shape
    K = len(taps)
    wide, narrow = W * C, (W - K + 1) * C  # colours side by side, K taps C apart
    rows1, rows2 = image1.reshape(H, wide), image2.reshape(H, wide)
    centre1, centre2 = _centre(image1), _centre(image2)
    line = np.empty((4, wide))
    ring = np.empty((K, 4, narrow))
    total = 0.0
    for i in range(H):
        # centred before squaring: no digits cancel
        for j in range(wide):
            a, b = rows1[i, j] - centre1[j], rows2[i, j] - centre2[j]
            line[0, j], line[1, j] = a, b
            line[2, j], line[3, j] = a * a + b * b, a * b
        # weighted sums along the row
        for q in range(4):
            _correlate_row(line[q], taps, C, ring[i % K, q])
        row = i - K + 1
        if row < 0:
            continue
        # weighted sums along the column, then the map
        for q in range(4):
            _correlate_column(ring, q, i + 1, taps, line[q, :narrow])
        total += _combine(line, centre1, centre2, c1, c2, unbias, out[row % len(out)])
    return total


@kernel
def _centre(image):
    """Return a mean for each channel, from about 64 x 64 pixels, as a wide row."""
    H, W, C = image.shape
    centre = np.empty(W * C)
    for c in range(C):
        total, count = 0.0, 0
        for i in range(0, H, H // 64 + 1):
            for j in range(0, W, W // 64 + 1):
                total += image[i, j, c]
                count += 1
        centre[c::C] = total / count
    return centre


@kernel
def _correlate_row(line, taps, C, out):
    for j in range(len(out)):
        value = 0.0
        for k in range(len(taps)):
            value += taps[k] * line[j + k * C]
        out[j] = value


@kernel
def _correlate_column(ring, q, oldest, taps, out):
    K = len(taps)
    for j in range(len(out)):
        out[j] = 0.0
    for k in range(K):
        row, tap = ring[(oldest + k) % K, q], taps[k]
        for j in range(len(out)):
            out[j] += tap * row[j]


@kernel
def _combine(line, centre1, centre2, c1, c2, unbias, out):
    """Write one row of the map and return its sum."""
    total = 0.0
    for j in range(len(out)):
        a, b = line[0, j], line[1, j]
        variances = unbias * (line[2, j] - (a * a + b * b))
        covariance = unbias * (line[3, j] - a * b)
        mean1, mean2 = a + centre1[j], b + centre2[j]
        out[j] = min(
            (2 * mean1 * mean2 + c1)
            * (2 * covariance + c2)
            / ((mean1 * mean1 + mean2 * mean2 + c1) * (variances + c2)),
            1.0,
        )
    for value in out:
        total += value
    return total
