"""Patch swapping, in place, as a compiled loop."""

from tinyssl._kernels._compile import kernel


@kernel
def swap_patches(images, swaps, patch_size):
    """Swap pairs of patches in place, in (N, D, H, W, B) bytes; D is 1 for images."""
    N, D, H, W, B = images.shape
    rows = images.reshape(N, D, H, W * B)  # a row of a patch is one run of bytes
    depth, width = min(patch_size, D), patch_size * B
    for n in range(N):
        for z1, y1, x1, z2, y2, x2 in swaps[n]:
            # exchange the two patches through a temporary, one swap after another
            for k in range(depth):
                for i in range(patch_size):
                    run1 = rows[n, z1 + k, y1 + i, x1 * B : x1 * B + width]
                    run2 = rows[n, z2 + k, y2 + i, x2 * B : x2 * B + width]
                    for j in range(width):
                        keep = run1[j]
                        run1[j] = run2[j]
                        run2[j] = keep
