"""What the networks share: stages, convolutions with norms, how weights are drawn."""

import torch
from torch import nn
from torch.nn import functional as F


def of(kind, dims):
    """Return torch's layer of a kind for images or volumes: of("Conv", 3) is Conv3d."""
    return getattr(nn, f"{kind}{dims}d")


class Encoder(nn.Module):
    """A network whose ``stages(x)`` are maps from fine to coarse.

    `num_features` are the channels of ``features(x)``, `stage_channels` those of each
    stage, and `config` the arguments as plain values, for `tinyssl.models.from_config`.
    """

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to the coarsest maps (N, num_features, h, w)."""
        return self.stages(x)[-1]


def halve(x):
    """Keep the largest of each 2 x 2 values; one pixel stays one pixel."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def halving_stages(blocks, x):
    """Return the map after each block, fine to coarse, with a halving between them."""
    maps = [blocks[0](x)]
    for block in blocks[1:]:
        maps.append(block(halve(maps[-1])))
    return maps


def convolution(in_channels, out_channels, kernel=3):
    """Return a convolution that keeps the size, with BN and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def initialise(module):
    """Draw a convolution's weights after He et al. (2015)."""
    if isinstance(module, (nn.Conv2d, nn.Conv3d)):
        nn.init.kaiming_normal_(module.weight)
