"""Quarter turns as a compiled loop over cache-sized tiles."""

from tinyssl._kernels._compile import kernel

TILE = 32  # pixels; 32 x 32 pixels of 12 bytes, read and written, fit a 32 KiB cache


@kernel
def rotate(images, turns, out):
    """Turn (N, H * W, B) images of ``out``'s height and width counter-clockwise."""
    N, rows, cols, B = out.shape
    for n in range(N):
        # a turn is an affine walk over the source: start, one row on, one column on
        if turns[n] == 0:
            start, down, right = 0, cols, 1
        elif turns[n] == 1:
            start, down, right = rows - 1, -1, rows
        elif turns[n] == 2:
            start, down, right = rows * cols - 1, -cols, -1
        else:
            start, down, right = rows * (cols - 1), 1, -rows
        source = images[n]
        for top in range(0, rows, TILE):
            for left in range(0, cols, TILE):
                for i in range(top, min(top + TILE, rows)):
                    for j in range(left, min(left + TILE, cols)):
                        pixel = start + i * down + j * right
                        for b in range(B):
                            out[n, i, j, b] = source[pixel, b]
