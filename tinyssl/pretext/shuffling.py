"""Local pixel shuffling: put the pixels of small windows back in order."""

import numpy as np

from tinyssl.pretext.restoration import ContextRestoration


class PixelShuffling(ContextRestoration):
    """Restore an image in which small windows had their pixels shuffled; L2 loss.

    Parameters
    ----------
    network, patch_size, num_swaps, region, standardise
        As `tinyssl.pretext.ContextRestoration`, so that the two can be compared: the
        windows are drawn as its patches are, two to a swap, and are as large.

    Notes
    -----
    A window keeps its mean and loses texture and edges; context restoration keeps and
    moves them. Zhou et al. draw windows of many sizes, ours are of one size.

    References
    ----------
    Zhou et al. 2019, Models Genesis, MICCAI, section 2 (local pixel shuffling).
    """

    name, volumes = "shuffling", False
    disordered = "The pixels of small windows were shuffled"

    def disorder(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Shuffle the pixels inside each window, one window after another."""
        size, C = self.patch_size, images.shape[-1]
        corners = self.sample(images, rng).reshape(len(images), -1, 2)  # (N, 2T, 2)
        shuffled = images.copy()
        for image, places in zip(shuffled, corners, strict=True):
            for y, x in places:
                window = image[y : y + size, x : x + size]  # all channels together
                window[:] = rng.permutation(window.reshape(-1, C)).reshape(window.shape)
        return shuffled
