"""Quarter turns as compiled loops: in order from the source, in order to the result."""

import numpy as np

from tinyssl._kernels._compile import kernel

ROWS, COLS = (
    128,
    256,
)  # a tile of the result; 3 channels of 4 bytes fill 0.4 MB of cache


@kernel
def rotate(images, turns, out):
    """Turn (N, H, W, B) images counter-clockwise into ``out``, tile by tile."""
    N, H, W, B = images.shape
    rows, cols = out.shape[1:3]
    runs = images.reshape(N, H, W * B)  # a row of a tile is one run of numbers
    plane = np.empty(COLS * (ROWS + 1) * B, images.dtype)
    for n in range(N):
        for top in range(0, rows, ROWS):
            for left in range(0, cols, COLS):
                tile = out[n, top : top + ROWS, left : left + COLS]
                bottom, end = top + tile.shape[0], left + tile.shape[1]
                # where the source of the tile begins
                if turns[n] == 0:
                    y, x = top, left
                elif turns[n] == 1:
                    y, x = left, W - bottom
                elif turns[n] == 2:
                    y, x = H - bottom, W - end
                else:
                    y, x = H - end, top
                _turn_tile(runs[n, y:], x * B, turns[n], plane, tile)


@kernel
def _turn_tile(runs, first, turn, plane, tile):
    """Turn one tile inside a plane that stays in the cache."""
    rows, cols, B = tile.shape
    H, W = (rows, cols) if turn % 2 == 0 else (cols, rows)
    pitch = W | 1  # odd, or the pixels of a column would share one place in the cache
    # read the source in order
    for i in range(H):
        run = runs[i, first : first + W * B]
        kept = plane[i * pitch * B : (i * pitch + W) * B]
        for j in range(W * B):
            kept[j] = run[j]
    # a turn is an affine walk over the pixels: start, one row on, one column on
    if turn == 0:
        start, down, right = 0, pitch, 1
    elif turn == 1:
        start, down, right = W - 1, -1, pitch
    elif turn == 2:
        start, down, right = (H - 1) * pitch + W - 1, -pitch, -1
    else:
        start, down, right = (H - 1) * pitch, 1, -pitch
    # write the result in order
    pixels = plane.reshape(-1, B)
    for i in range(rows):
        line, walk = tile[i], pixels[start + i * down :: right]
        for b in range(B):
            for j in range(cols):
                line[j, b] = walk[j, b]
