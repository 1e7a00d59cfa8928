"""Context restoration: put swapped patches back (Chen et al. 2019)."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import ranks
from tinyssl.pretext.inputs import field_statistics
from tinyssl.task import OnNetwork, Pretext
from tinyssl.training import to_tensor
from tinyssl.transforms import sample_swaps, swap_patches


class ContextRestoration(OnNetwork, Pretext):
    """Restore an image, or a volume, in which small patches were swapped; L2 loss.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, C, H, W): a ``UNet`` with as many outputs as
        inputs, or ``tinyssl.models.Restorer(encoder)``.
    patch_size : int, side of the square patches in pixels; an eighth of whole images
    num_swaps : int, pairs swapped one after the other (T in the paper)
    region : (H, W) bool array, optional, which holds the patches, as black asks nothing
    standardise : bool, as `tinyssl.task.Pretext` has it; so it restores better

    Notes
    -----
    The number and size of the swaps are our defaults, not the paper's. Swapping keeps
    an image's mean and deviation; errors are in units of them. Logged beside the loss:
    ``copy``, the error of returning the input, the bar to stay under; ``swapped`` and
    ``copy_swapped``, both inside what changed; ``unswapped``, outside it. Seams betray
    a swap: only the error inside says whether the network knows what belongs there.

    References
    ----------
    Chen et al.: Self-supervised learning for medical image analysis using image
    context restoration, Medical Image Analysis 58, 101539, 2019.
    """

    name, main, volumes = "restoration", "swapped", True
    carries = ("encoder", "network")
    sized = {"patch_size": lambda side: max(2, side // 8)}  # noqa: RUF012
    disordered = "Pairs of patches were swapped"
    finding = (
        "{task.disordered}; the network puts them back. Mean squared error inside the "
        "changed patches of the {where}: {swapped:.3f}, where copying the input leaves "
        "{copy_swapped:.3f}; outside them {unswapped:.3f}, where copying leaves 0 (in "
        "units of each image's variance)."
    )

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
        self.network, self.patch_size, self.num_swaps = network, patch_size, num_swaps
        self.standardise, self.region = standardise, region

    def make_batch(self, images, rng):
        """Disorder each image; the targets are the images and where they changed."""
        disordered = self.disorder(images, rng)
        changed = (disordered != images).any(-1, keepdims=images.ndim == 5)
        return disordered, (images, changed)  # (N, H, W) or (N, D, H, W, 1)

    def disorder(self, images, rng):
        """Swap patches, each image by its own draw."""
        return swap_patches(images, self.sample(images, rng), self.patch_size)

    def sample(self, images, rng):
        """Draw the swaps of a batch, (N, T, 4), of volumes (N, T, 6)."""
        N, T, shape = len(images), self.num_swaps, images.shape[1:-1]
        how = {"spatial_dims": len(shape), "region": self.region}
        swaps = sample_swaps(shape, self.patch_size, N * T, rng=rng, **how)
        return swaps.reshape(N, T, -1)

    def forward(self, inputs, targets):
        """Mean squared error in units of each image's own variance."""
        images, changed = targets  # (N, C, H, W), (N, 1, H, W)
        mean, deviation = field_statistics(inputs)
        given, wanted = ((x - mean) / deviation for x in (inputs, images))
        restored = self.network(given if self.standardise else inputs)
        error = (restored - wanted).square().mean(1, keepdim=True)  # (N, 1, H, W)
        copied, count = F.mse_loss(given, wanted), ranks.mean(changed.sum())
        same, count = changed.numel() - count, count.clamp_min(1)
        return error.mean(), {
            "copy": copied,
            "swapped": (error * changed).sum() / count,
            "unswapped": (error * (1 - changed)).sum() / same,
            "copy_swapped": copied * changed.numel() / count,
        }

    @torch.no_grad()
    def evaluate(self, images, rng):
        """Disorder every image once; return the "mse" and what training logs."""
        loss, logs = self.eval()(*to_tensor(self.make_batch(images, rng), self.device))
        scores = {key: float(value) for key, value in {"mse": loss, **logs}.items()}
        return scores | {"bar": scores["copy_swapped"]}

    @torch.no_grad()
    def restore(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the restored images, values in [0, 1] like the inputs."""
        mean, deviation = field_statistics(inputs)
        given = (inputs - mean) / deviation if self.standardise else inputs
        return (self.network(given) * deviation + mean).clamp(0, 1)

    def figures(self, images, scores, *, rng):
        """Show images, disordered and restored ones, and where they are wrong."""
        from tinyssl import plots

        inputs, (images, changed) = self.make_batch(images, rng)
        restored = self.restore(to_tensor(inputs, self.device)).movedim(1, -1)
        if images.ndim == 5:  # the middle slice
            changed = changed[:, images.shape[1] // 2, ..., 0]
        figure = plots.restorations(images, inputs, restored.cpu().numpy(), changed)
        caption = "Original, disordered (changed patches outlined), restored, error."
        return [(figure, caption)]
