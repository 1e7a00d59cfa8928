"""Structural similarity, row by row through a small ring, as compiled loops.

Loops over a row stay plain: then the compiler proves their arrays apart at run time
and handles several columns at once. The four quantities that are filtered (both images,
the sum of their squares, their product) lie side by side in one long row; what a filter
mixes where two of them meet is never read.
"""

import numpy as np

from tinyssl._kernels._compile import kernel

PAD = 40  # values, so that rows of a power of two do not fight for one cache line


@kernel
def ssim_map(
    image1, image2, taps, c1, c2, unbias, centres, start, stop, tile, out, sums, far
):
    """Write rows ``start`` to ``stop`` of the SSIM map of (H, W, C) images to ``out``.

    ``taps`` are symmetric, ``centres`` (2, W * C) values near those of each image.
    ``out`` has a row for each row of the map, or fewer that are used again; ``sums``,
    zeros at first, adds up each ``tile`` rows, column by column. A window is NaN where
    the mean square of its centred values, of both images, is more than ``far``.
    """
    H, W, C = image1.shape
    K, wide = len(taps), W * C  # colours side by side, taps C apart
    rows1, rows2 = image1.reshape(H, wide), image2.reshape(H, wide)
    length = 4 * wide + PAD
    # one piece of memory: a row written a little beyond a multiple of 4 KiB from the
    # row that is read would make the reader wait
    lines = np.empty((K + 2) * length)
    ring, columns = lines[: K * length], lines[K * length :][: 4 * wide]
    windows = lines[(K + 1) * length :][: 4 * wide]
    narrow = windows[: 4 * wide - (K - 1) * C]
    below, beside = np.empty(K, np.int64), np.arange(K) * C  # where each tap starts
    for i in range(start, stop + K - 1):
        # centred before squaring: no digits cancel
        four = ring[i % K * length :][: 4 * wide].reshape(4, wide)
        _products(rows1[i], rows2[i], centres, four)
        row = i - K + 1
        if row < start:
            continue
        # weighted sums along the column and the row, then the map
        for k in range(K):
            below[k] = (row + k) % K * length
        _filter(ring, below, taps, columns)
        _filter(columns, beside, taps, narrow)
        scores = out[row % len(out)]
        _combine(windows.reshape(4, wide), 1, centres, c1, c2, unbias, scores, far)
        _add(scores, sums[row // tile])


@kernel
def box_ssim_map(
    image1, image2, size, c1, c2, unbias, centres, start, stop, tile, out, sums, far
):
    """As ``ssim_map`` with ``size`` equal taps: sums that slide down the columns.

    They start anew every ``tile`` rows, so that rounding cannot build up. Integer
    ``centres``, 0 for bytes, ask for integer sums, which are exact.
    """
    H, W, C = image1.shape
    wide = W * C
    rows1, rows2 = image1.reshape(H, wide), image2.reshape(H, wide)
    columns = np.empty((4, wide), centres.dtype)
    windows = np.empty(4 * wide, centres.dtype)
    nothing = np.zeros(4 * wide, centres.dtype)
    pixels, shifts = size * size, np.empty((2, wide))  # what centring takes of a sum
    for j in range(wide):
        shifts[0, j], shifts[1, j] = centres[0, j] * pixels, centres[1, j] * pixels
    for top in range(start, stop, tile):
        columns[:] = 0
        for i in range(top, min(top + tile, stop) + size - 1):
            # sums along the column: one row enters, one leaves
            if i - top < size:
                _slide(rows1[i], rows2[i], centres[0], centres[1], centres, columns)
            else:
                old1, old2 = rows1[i - size], rows2[i - size]
                _slide(rows1[i], rows2[i], old1, old2, centres, columns)
            row = i - size + 1
            if row < top:
                continue
            # sums along the row, then the map
            narrow = windows[: 4 * wide - (size - 1) * C]
            _sum_row(columns.reshape(4 * wide), size, C, nothing, narrow)
            scores, four = out[row % len(out)], windows.reshape(4, wide)
            _combine(four, pixels, shifts, c1, c2, unbias, scores, far)
            _add(scores, sums[row // tile])


@kernel
def ssim_volume(
    volume1, volume2, taps, c1, c2, unbias, centres, start, stop, tile, out, sums, far
):
    """As ``ssim_map`` of (D, H, W, C) volumes: planes ``start`` to ``stop`` of the map.

    ``out`` has its rows plane after plane, and ``tile`` is a number of planes.
    """
    D, H, W, C = volume1.shape
    K, wide = len(taps), W * C
    rows1, rows2 = volume1.reshape(D, H, wide), volume2.reshape(D, H, wide)
    length = 4 * wide + PAD
    ring, lines = np.empty(K * H * length), np.empty((K + 2) * length)
    columns = lines[K * length :][: 4 * wide]
    windows = lines[(K + 1) * length :][: 4 * wide]
    narrow = windows[: 4 * wide - (K - 1) * C]
    below, beside = np.empty(K, np.int64), C * np.arange(K)  # where each tap starts
    for i in range(start, stop + K - 1):
        # centred before squaring: no digits cancel
        for j in range(H):
            four = ring[(i % K * H + j) * length :][: 4 * wide].reshape(4, wide)
            _products(rows1[i, j], rows2[i, j], centres, four)
        plane = i - K + 1
        if plane < start:
            continue
        for j in range(H):
            # weighted sums across planes, along the column and the row, then the map
            for k in range(K):
                below[k] = ((plane + k) % K * H + j) * length
            _filter(ring, below, taps, lines[j % K * length :][: 4 * wide])
            row = j - K + 1
            if row < 0:
                continue
            for k in range(K):
                below[k] = length * ((row + k) % K)
            _filter(lines, below, taps, columns)
            _filter(columns, beside, taps, narrow)
            scores = out[(plane * (H - K + 1) + row) % len(out)]
            _combine(windows.reshape(4, wide), 1, centres, c1, c2, unbias, scores, far)
            _add(scores, sums[plane // tile])


@kernel
def _products(row1, row2, centres, four):
    for j in range(len(row1)):
        a, b = row1[j] - centres[0, j], row2[j] - centres[1, j]
        four[0, j], four[1, j] = a, b
        four[2, j], four[3, j] = a * a + b * b, a * b


@kernel
def _filter(values, starts, taps, out):
    """Add up what ``taps`` weigh: the k-th the values from ``starts[k]`` on."""
    middle = len(taps) // 2
    centre = values[starts[middle] :]
    for k in range(0, middle, 5):
        t0, a0, b0 = _pair(values, starts, taps, k)
        t1, a1, b1 = _pair(values, starts, taps, k + 1)
        t2, a2, b2 = _pair(values, starts, taps, k + 2)
        t3, a3, b3 = _pair(values, starts, taps, k + 3)
        t4, a4, b4 = _pair(values, starts, taps, k + 4)
        for j in range(len(out)):
            five = (
                t0 * (a0[j] + b0[j])
                + t1 * (a1[j] + b1[j])
                + t2 * (a2[j] + b2[j])
                + t3 * (a3[j] + b3[j])
                + t4 * (a4[j] + b4[j])
            )
            out[j] = five + (out[j] if k else taps[middle] * centre[j])


@kernel
def _pair(values, starts, taps, k):
    """Return a weight and what the two taps that share it see; beyond them it is 0."""
    weight = taps[k] if k < len(taps) // 2 else 0.0
    k = min(k, len(taps) // 2)
    return weight, values[starts[k] :], values[starts[len(taps) - 1 - k] :]


@kernel
def _slide(new1, new2, old1, old2, centres, columns):
    kind = columns.dtype.type  # int32 stays int32: Numba would widen it
    for j in range(len(new1)):
        a, b = kind(new1[j] - centres[0, j]), kind(new2[j] - centres[1, j])
        c, d = kind(old1[j] - centres[0, j]), kind(old2[j] - centres[1, j])
        columns[0, j] += kind(a - c)
        columns[1, j] += kind(b - d)
        columns[2, j] += kind(a * a + b * b - (c * c + d * d))
        columns[3, j] += kind(a * b - c * d)


@kernel
def _sum_row(line, size, C, nothing, out):
    for k in range(0, size, 7):
        # seven values, of which those beyond the window are nothing
        r0 = line[k * C :]
        r1 = line[(k + 1) * C :] if k + 1 < size else nothing
        r2 = line[(k + 2) * C :] if k + 2 < size else nothing
        r3 = line[(k + 3) * C :] if k + 3 < size else nothing
        r4 = line[(k + 4) * C :] if k + 4 < size else nothing
        r5 = line[(k + 5) * C :] if k + 5 < size else nothing
        r6 = line[(k + 6) * C :] if k + 6 < size else nothing
        for j in range(len(out)):
            seven = r0[j] + r1[j] + r2[j] + r3[j] + r4[j] + r5[j] + r6[j]
            out[j] = seven + out[j] if k else seven


@kernel
def _combine(four, pixels, shifts, c1, c2, unbias, out, far):
    """Write scores from sums over windows whose weights add up to ``pixels``."""
    c1, c2, pixels = c1 * pixels**2, c2 * pixels**2 / unbias, float(pixels)
    far = far * pixels**2
    for j in range(len(out)):
        a, b = float(four[0, j]), float(four[1, j])
        squares = pixels * four[2, j]
        variances = squares - (a * a + b * b)
        covariance = pixels * four[3, j] - a * b
        a, b = a + shifts[0, j], b + shifts[1, j]
        # true_divide: / looks for zeros first, one column at a time
        score = np.true_divide(
            (2 * a * b + c1) * (2 * covariance + c2),
            (a * a + b * b + c1) * (variances + c2),
        )
        score = score if squares <= far else np.nan
        out[j] = 1.0 if score > 1 else score


@kernel
def _add(scores, sums):
    for j in range(len(scores)):
        sums[j] += scores[j]
