"""Patch swapping, in place, as a compiled loop."""

from tinyssl._kernels._compile import kernel


@kernel
def swap_patches(images, swaps, patch_size):
    """Swap pairs of patches in place; images are (N, H, W, B) bytes."""
    N, T, _ = swaps.shape
    B = images.shape[3]
    for n in range(N):
        for t in range(T):
            y1, x1, y2, x2 = swaps[n, t]
            # exchange the two patches through a temporary, one swap after another
            for i in range(patch_size):
                row1 = images[n, y1 + i]
                row2 = images[n, y2 + i]
                for j in range(patch_size):
                    for b in range(B):
                        keep = row1[x1 + j, b]
                        row1[x1 + j, b] = row2[x2 + j, b]
                        row2[x2 + j, b] = keep
