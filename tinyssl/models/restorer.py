"""A decoder for encoders that will classify: a few deconvolutions up to full size."""

import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.models.unet import DenseUNet, UNet


class Restorer(nn.Module):
    """An encoder and a few deconvolutions up to the size of the image.

    Parameters
    ----------
    encoder : Module with ``features`` and ``num_features``
    channels : int
        Of the answer: the colours of the images, or a map a point.
    widest : int
        Channels of the first deconvolution; each next one has half as many.
    in_channels : int
        Of the images.
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        channels: int = 3,
        widest: int = 64,
        in_channels: int = 3,
    ):
        super().__init__()
        self.encoder = encoder
        with torch.no_grad():  # how often the encoder halves the image
            was_training = encoder.training
            probe = encoder.eval().features(torch.zeros(1, in_channels, 64, 64))
            reduction = 64 // probe.shape[-1]
            encoder.train(was_training)
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


def mapping(encoder: nn.Module, *, channels: int) -> nn.Module:
    """Return a network that maps (N, C, H, W) to (N, channels, H, W).

    A U-Net answers itself; any other encoder gets a decoder.

    Examples
    --------
    >>> from tinyssl.models import densenet_small
    >>> mapping(densenet_small(), channels=2)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 2, 32, 32])
    """
    if isinstance(encoder, (UNet, DenseUNet)):
        return encoder
    return Restorer(encoder, channels=channels)
