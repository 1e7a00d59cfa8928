"""Patch swapping, in place, as a compiled loop."""

from tinyssl._kernels._compile import kernel


@kernel
def swap_patches(images, swaps, patch_size):
    """Swap pairs of patches in place; images are (N, H, W, B) bytes."""
    N, H, W, B = images.shape
    rows = images.reshape(N, H, W * B)  # a row of a patch is one run of bytes
    for n in range(N):
        for y1, x1, y2, x2 in swaps[n]:
            # exchange the two patches through a temporary, one swap after another
            for i in range(patch_size):
                run1 = rows[n, y1 + i, x1 * B : (x1 + patch_size) * B]
                run2 = rows[n, y2 + i, x2 * B : (x2 + patch_size) * B]
                for j in range(len(run1)):
                    keep = run1[j]
                    run1[j] = run2[j]
                    run2[j] = keep
