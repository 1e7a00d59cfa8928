"""Quarter turns as compiled loops: in order from the source, in order to the result."""

import numpy as np

from tinyssl._kernels._compile import kernel

ROWS, COLS = 128, 256  # a tile of the result: .4 MB of cache for 3 channels of 4 bytes
RUN = 1536  # numbers, of which each third is chosen


@kernel
def rotate(images, turns, out):
    """Turn (N, H, W, B) images counter-clockwise into ``out``."""
    N, H, W, B = images.shape
    rows, cols = out.shape[1:3]
    runs = images.reshape(N, H, W * B)  # a row of a tile is one run of numbers
    plane = np.empty(COLS * (ROWS + 1) * B, images.dtype)
    chosen = np.zeros((2, RUN), images.dtype)  # all bits of the first, the third of 3
    for j in range(0, RUN, 3):
        chosen[0, j] = chosen[1, j + 2] = ~np.uint64(0)
    for n in range(N):
        if turns[n] == 0:
            out[n] = images[n]
            continue
        if turns[n] == 2 and (B == 1 or (B == 3 and images.itemsize == 1)):
            _reverse(images[n].reshape(-1), B, chosen, out[n].reshape(-1))
            continue
        if turns[n] == 2:  # rows stay rows
            _walk(images[n].reshape(H * W, B), W, 2, out[n])
            continue
        if B == 1 and images.itemsize == 1 and cols % 8 == 0:
            _turn_bytes(runs[n], turns[n], plane, out[n].reshape(rows, cols))
            continue
        for top in range(0, rows, ROWS):
            for left in range(0, cols, COLS):
                tile = out[n, top : top + ROWS, left : left + COLS]
                # where the source of the tile begins
                if turns[n] == 1:
                    y, x = left, W - top - tile.shape[0]
                else:
                    y, x = H - left - tile.shape[1], top
                _turn_tile(runs[n, y:], x * B, turns[n], plane, tile)


@kernel
def _reverse(numbers, B, chosen, out):
    """Write pixels of ``B`` numbers, 1 or 3, from the last to the first.

    Places are unsigned: none is negative, so that the compiler reverses whole vectors.
    """
    size, last, two = len(out), np.uint64(len(out) - 1), np.uint64(2)
    if B == 1:
        for j in range(np.uint64(size)):
            out[j] = numbers[last - j]
        return
    out[:3], out[size - 3 :] = numbers[size - 3 :], numbers[:3]
    first, third = chosen
    for start in range(3, size - 3, RUN):
        part = out[start : min(start + RUN, size - 3)]
        last = np.uint64(size - 1 - start)
        for j in range(np.uint64(len(part))):
            # the numbers of a pixel keep their order: the first lies two before
            here = numbers[last - j]
            part[j] = (
                here
                ^ ((here ^ numbers[last - j - two]) & first[j])
                ^ ((here ^ numbers[last - j + two]) & third[j])
            )


@kernel
def _turn_bytes(source, turn, plane, out):
    """Turn rows of bytes, eight side by side: then eight columns are one number."""
    rows, cols = out.shape
    eights, numbers = plane.view(np.uint64), out.view(np.uint64)
    for top in range(0, rows, ROWS):
        size = min(ROWS, rows - top)
        x = rows - top - size if turn == 1 else top
        for start in range(0, cols, COLS):
            stop = min(start + COLS, cols)
            for left in range(start, stop, 8):
                # eight rows of the source, the first byte of each, the second, ...
                y, down = (left, 1) if turn == 1 else (cols - 1 - left, -1)
                r0, r1 = source[y][x:], source[y + down][x:]
                r2, r3 = source[y + 2 * down][x:], source[y + 3 * down][x:]
                r4, r5 = source[y + 4 * down][x:], source[y + 5 * down][x:]
                r6, r7 = source[y + 6 * down][x:], source[y + 7 * down][x:]
                kept = plane[(left - start) * (ROWS + 1) :]
                for j in range(size):
                    k = 8 * j
                    kept[k], kept[k + 1] = r0[j], r1[j]
                    kept[k + 2], kept[k + 3] = r2[j], r3[j]
                    kept[k + 4], kept[k + 5] = r4[j], r5[j]
                    kept[k + 6], kept[k + 7] = r6[j], r7[j]
            # in order to the result
            for i in range(size):
                line = numbers[top + i][start // 8 : stop // 8]
                chosen = eights[size - 1 - i if turn == 1 else i :]
                for j in range(len(line)):
                    line[j] = chosen[j * (ROWS + 1)]


@kernel
def _turn_tile(runs, first, turn, plane, tile):
    """Turn rows into columns by way of a plane that stays in the cache."""
    rows, cols, B = tile.shape
    pitch = rows | 1  # odd, or the pixels of a column would share a place in the cache
    for i in range(cols):
        run = runs[i, first : first + rows * B]
        kept = plane[i * pitch * B : (i * pitch + rows) * B]
        for j in range(rows * B):
            kept[j] = run[j]
    _walk(plane.reshape(-1, B), pitch, turn, tile)


@kernel
def _walk(pixels, pitch, turn, out):
    """Write a turn in order; rows of the source begin ``pitch`` pixels apart."""
    rows, cols, B = out.shape
    # a turn is an affine walk over the source: start, one row on, one column on
    if turn == 1:
        start, down, right = rows - 1, -1, pitch
    elif turn == 2:
        start, down, right = (rows - 1) * pitch + cols - 1, -pitch, -1
    else:
        start, down, right = (cols - 1) * pitch, 1, -pitch
    for i in range(rows):
        line, walk = out[i], pixels[start + i * down :: right]
        # channel by channel: no short loop inside a long one
        for b in range(B):
            for j in range(cols):
                line[j, b] = walk[j, b]
