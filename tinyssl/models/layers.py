"""What the networks share: stages, convolutions with norms, how weights are drawn."""

import torch
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """A network whose ``stages(x)`` are maps from fine to coarse.

    Attributes
    ----------
    num_features : int
        Channels of ``features(x)``.
    stage_channels : list of int
        Channels of each map in ``stages(x)``.
    config : dict
        The arguments as plain values, for `tinyssl.models.from_config`.
    """

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to the coarsest maps (N, num_features, h, w)."""
        return self.stages(x)[-1]


def halve(x: torch.Tensor) -> torch.Tensor:
    """Keep the largest of each 2 x 2 values; one pixel stays one pixel."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def halving_stages(blocks: nn.ModuleList, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the map after each block, fine to coarse, with a halving between them."""
    maps = [blocks[0](x)]
    for block in blocks[1:]:
        maps.append(block(halve(maps[-1])))
    return maps


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
