"""Quarter turns as compiled loops: in order from the source, in order to the result."""

import numpy as np

from tinyssl._kernels._compile import kernel

ROWS, COLS = 128, 256  # a tile of the result: .4 MB of cache for 3 channels of 4 bytes


@kernel
def rotate(images, turns, out):
    """Turn (N, H, W, B) images counter-clockwise into ``out``."""
    N, H, W, B = images.shape
    rows, cols = out.shape[1:3]
    runs = images.reshape(N, H, W * B)  # a row of a tile is one run of numbers
    plane = np.empty(COLS * (ROWS + 1) * B, images.dtype)
    for n in range(N):
        if turns[n] % 2 == 0:  # rows stay rows
            _walk(images[n].reshape(H * W, B), W, turns[n], out[n])
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
    if turn == 0:
        start, down, right = 0, pitch, 1
    elif turn == 1:
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
