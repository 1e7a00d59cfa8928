"""Context restoration: put swapped patches back (Chen et al. 2019)."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.training import to_tensor
from tinyssl.transforms import sample_swaps, swap_patches


class ContextRestoration(nn.Module):
    """Restore an image in which pairs of small patches were swapped; L2 loss.

    Parameters
    ----------
    network : Module
        Maps (N, C, H, W) to (N, C, H, W): a ``UNet`` with as many outputs as
        inputs, or ``Restorer(encoder)``.
    patch_size : int
        Side of the square patches, in pixels.
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
    The number and size of the swaps are our defaults, not the paper's, which are
    not established here. Swapping keeps the multiset of pixels, so the mean and
    deviation of the disordered image are those of the original; the network's
    answer is in units of them. Logged beside the loss: ``copy``, the error of
    returning the input as it is, the bar to stay under; ``swapped`` and
    ``unswapped``, the errors inside and outside the swapped patches. Seams betray
    a swap, so finding it is easy: only the error inside says whether the network
    knows what belongs there.

    References
    ----------
    Chen et al.: Self-supervised learning for medical image analysis using image
    context restoration, Medical Image Analysis 58, 101539, 2019.
    """

    name = "restoration"
    chance: dict[str, float] = {}  # noqa: RUF012 - the log's "copy" is the bar

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
        self.standardise = standardise
        self.region = region

    @property
    def encoder(self) -> nn.Module:
        """What is carried to the target task: a U-Net whole, else the encoder."""
        restorer = isinstance(self.network, Restorer)
        return self.network.encoder if restorer else self.network

    def make_batch(
        self, images: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Disorder each image; the targets are the images and where they changed."""
        disordered = self.disorder(images, rng)
        changed = (disordered != images).any(-1)  # (N, H, W)
        return disordered, (images, changed)

    def disorder(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Swap patches, each image by its own draw."""
        return swap_patches(images, self.sample(images, rng), self.patch_size)

    def sample(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the swaps of a batch, (N, T, 4)."""
        N, T, shape = len(images), self.num_swaps, images.shape[1:3]
        swaps = sample_swaps(shape, self.patch_size, N * T, rng=rng, region=self.region)
        return swaps.reshape(N, T, 4)

    def forward(
        self, inputs: torch.Tensor, targets: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Mean squared error in units of each image's own variance."""
        images, changed = targets  # (N, C, H, W), (N, 1, H, W)
        mean, deviation = field_statistics(inputs)
        wanted = (images - mean) / deviation
        given = (inputs - mean) / deviation
        restored = self.network(given if self.standardise else inputs)
        error = (restored - wanted).square().mean(1, keepdim=True)  # (N, 1, H, W)
        logs = {
            "copy": (given - wanted).square().mean(),
            "swapped": (error * changed).sum() / changed.sum().clamp_min(1),
            "unswapped": (error * (1 - changed)).sum() / (1 - changed).sum(),
            "copy_swapped": F.mse_loss(given, wanted)
            * changed.numel()
            / changed.sum().clamp_min(1),
        }
        return error.mean(), logs

    @torch.no_grad()
    def evaluate(self, images: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
        """Disorder every image once and average what training logs: "mse", "copy"...

        Returns
        -------
        dict
            "mse" of the whole image and "copy", that of returning the input; the
            same inside the swapped patches, "swapped" and "copy_swapped"; and
            "unswapped". All in units of each image's own variance.
        """
        self.eval()
        device = next(self.parameters()).device
        inputs, targets = to_tensor(self.make_batch(images, rng), device)
        loss, logs = self(inputs, targets)
        return {"mse": float(loss)} | {key: float(logs[key]) for key in logs}

    @torch.no_grad()
    def restore(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the restored images, values in [0, 1] like the inputs."""
        mean, deviation = field_statistics(inputs)
        given = (inputs - mean) / deviation if self.standardise else inputs
        restored = self.network(given)
        return (restored * deviation + mean).clamp(0, 1)


class Restorer(nn.Module):
    """An encoder and a few deconvolutions, for encoders that will classify.

    Parameters
    ----------
    encoder : Module with ``features``, ``num_features`` and ``config``
    channels : int
        Of the answer: the colours of the images, or a map a point.
    widest : int
        Channels of the first deconvolution; each next one has half as many.
    """

    def __init__(self, encoder: nn.Module, *, channels: int = 3, widest: int = 64):
        super().__init__()
        self.encoder = encoder
        with torch.no_grad():  # how often the encoder halves the image
            probe = torch.zeros(1, encoder.config["in_channels"], 64, 64)
            encoder_was_training = encoder.training
            reduction = 64 // encoder.eval().features(probe).shape[-1]
            encoder.train(encoder_was_training)
        layers: list[nn.Module] = []
        c_in, c_out = encoder.num_features, widest
        for _ in range(reduction.bit_length() - 1):
            layers += [
                nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(inplace=True),
            ]
            c_in, c_out = c_out, max(16, c_out // 2)
        self.decoder = nn.Sequential(*layers, nn.Conv2d(c_in, channels, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return an image of the input's size."""
        H, W = x.shape[-2:]
        restored = self.decoder(self.encoder.features(x))
        if restored.shape[-2:] != (H, W):  # sides the encoder rounded down
            restored = F.interpolate(restored, (H, W), mode="bilinear")
        return restored


def field_statistics(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per image and channel over its lit pixels.

    Parameters
    ----------
    images : (N, C, H, W) float tensor, values in [0, 1]

    Returns
    -------
    mean, deviation : (N, C, 1, 1) tensors
        The deviation is at least 0.02, so that a flat image stays finite.
    """
    lit = (images.amax(1, keepdim=True) > 12 / 255).float()  # (N, 1, H, W)
    count = lit.sum((2, 3), keepdim=True).clamp_min(1)
    mean = (images * lit).sum((2, 3), keepdim=True) / count
    variance = ((images - mean).square() * lit).sum((2, 3), keepdim=True) / count
    return mean, variance.sqrt().clamp_min(0.02)
