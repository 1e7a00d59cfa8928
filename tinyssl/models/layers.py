"""What the networks share: a convolution with its norm, and how weights are drawn."""

from torch import nn


def convolution(in_channels: int, out_channels: int, kernel: int = 3) -> nn.Sequential:
    """Return a convolution that keeps the size, with BN and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def initialise(module: nn.Module) -> None:
    """Draw a convolution's weights after He et al. (2015)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
