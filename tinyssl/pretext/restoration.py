"""Context restoration: put swapped patches back (Chen et al. 2019)."""

import numpy as np
from torch import nn

from tinyssl import models
from tinyssl.pretext.restoring import Restoring
from tinyssl.transforms import sample_swaps, swap_patches


class ContextRestoration(Restoring):
    """Restore an image in which pairs of small patches were swapped; L2 loss.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, C, H, W): a ``UNet`` with as many outputs as
        inputs, or ``tinyssl.models.Restorer(encoder)``.
    patch_size : int
        Side of the square patches, in pixels; an eighth of whole images.
    num_swaps : int
        Pairs swapped one after the other (T in the paper).
    region : (H, W) bool array, optional
        Patches are drawn inside it: a swap between two black corners asks nothing.
    standardise : bool
        Show the network each image at zero mean and unit deviation: it restores
        better. Without, it sees [0, 1]. An encoder to be carried over must see what
        its target task will show: [0, 1] in grading, localisation and laterality.

    Notes
    -----
    The number and size of the swaps are our defaults; the paper's are not established
    here. Swapping keeps the pixels, and so the mean and deviation that the network's
    answer is in units of. What is logged: `tinyssl.pretext.restoring.Restoring`.

    References
    ----------
    Chen et al.: Self-supervised learning for medical image analysis using image
    context restoration, Medical Image Analysis 58, 101539, 2019.
    """

    name = "restoration"
    disordered = "Pairs of patches were swapped"

    def __init__(
        self,
        network: nn.Module,
        *,
        patch_size: int = 8,
        num_swaps: int = 10,
        region: np.ndarray | None = None,
        standardise: bool = True,
    ):
        super().__init__()
        self.network = network
        self.patch_size = patch_size
        self.num_swaps = num_swaps
        self.region = region
        self.standardise = standardise

    @classmethod
    def build(cls, encoder, *, image_size, region=None, standardise=False, **options):
        """Put it around a U-Net as it is, around any other encoder with a decoder."""
        options = {"patch_size": max(2, image_size // 8), "region": region} | options
        network = models.mapping(encoder, channels=3)
        return cls(network, standardise=standardise, **options)

    def disorder(self, images, rng):
        """Swap patches, each image by its own draw."""
        return swap_patches(images, self.sample(images, rng), self.patch_size)

    def sample(self, images, rng):
        """Draw the swaps of a batch, (N, T, 4)."""
        N, T, shape = len(images), self.num_swaps, images.shape[1:3]
        swaps = sample_swaps(shape, self.patch_size, N * T, rng=rng, region=self.region)
        return swaps.reshape(N, T, 4)
