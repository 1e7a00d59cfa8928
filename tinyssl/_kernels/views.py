"""Affine views with bilinear interpolation, as a compiled loop."""

import numpy as np

from tinyssl._kernels._compile import kernel


@kernel
def warp(images, matrices, out):
    """Read (N, H, W, C) uint8 images through affine maps; black outside."""
    N, H, W, C = images.shape
    for n in range(N):
        m = matrices[n]
        for i in range(H):
            v = (2 * i + 1) / H - 1  # pixel centre, the image reaches from -1 to 1
            for j in range(W):
                u = (2 * j + 1) / W - 1
                # where the output pixel lies in the input, in pixels
                y = ((m[0, 0] * v + m[0, 1] * u + m[0, 2] + 1) * H - 1) / 2
                x = ((m[1, 0] * v + m[1, 1] * u + m[1, 2] + 1) * W - 1) / 2
                # its four neighbours and their weights
                top, left = int(np.floor(y + 1e-9)), int(np.floor(x + 1e-9))
                down, right = np.float32(y - top), np.float32(x - left)
                inside = 0 <= top < H - 1 and 0 <= left < W - 1
                for c in range(C):
                    total = np.float32(0.5)  # rounds to nearest
                    for a in range(2):
                        wy = down if a else 1 - down
                        for b in range(2):
                            wx = right if b else 1 - right
                            if inside or (0 <= top + a < H and 0 <= left + b < W):
                                total += wy * wx * images[n, top + a, left + b, c]
                    out[n, i, j, c] = np.uint8(max(total, np.float32(0)))
