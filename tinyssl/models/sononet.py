"""SonoNet: VGG's convolutions, and class maps in place of its wide linear layers."""

import torch
from torch import nn

from tinyssl.models import layers


class SonoNet(layers.Encoder):
    """VGG-like network whose answer is the mean of a map of scores for each class.

    Parameters
    ----------
    width : int
        Channels of the first block: 64, 32 or 16 in the paper; then 2, 4, 8, 8 times.
    num_classes, in_channels : int, outputs, and channels of the image
    extra_pool : bool
        Halve once more after the last block, as VGG does: Chen et al. added a pooling
        stage to localise, where they do not say; each position sees more of the image.

    Notes
    -----
    Thirteen 3x3 convolutions and four halvings as in VGG-16, with batch normalisation;
    then two 1x1 convolutions, to half the channels and to the classes. The last is not
    rectified, and its mean over all positions goes to the softmax: ``class_maps(x)``
    shows where each class was seen.

    References
    ----------
    Baumgartner et al. 2017, SonoNet, IEEE Transactions on Medical Imaging
    36(11):2204-2215, section III and figure 3.
    Chen et al. 2019: see `tinyssl.pretext.ContextRestoration`.

    Examples
    --------
    >>> model = SonoNet(width=4, num_classes=2)
    >>> model.features(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 32, 4, 4])
    """

    BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # times width, convolutions

    def __init__(
        self,
        *,
        width: int = 64,
        num_classes: int = 1000,
        in_channels: int = 3,
        extra_pool: bool = False,
    ):
        super().__init__()
        self.config = {"name": "SonoNet", "width": width, "num_classes": num_classes}
        self.config |= {"in_channels": in_channels, "extra_pool": extra_pool}
        self.blocks = nn.ModuleList()
        self.stage_channels = []
        channels = in_channels
        for times, convolutions in self.BLOCKS:
            block = nn.Sequential()
            for _ in range(convolutions):
                block.append(layers.convolution(channels, times * width))
                channels = times * width
            self.blocks.append(block)
            self.stage_channels.append(channels)
        if extra_pool:
            self.stage_channels.append(channels)
        self.num_features = channels
        self.adaptation = nn.Sequential(
            layers.convolution(channels, channels // 2, kernel=1),
            nn.Conv2d(channels // 2, num_classes, 1, bias=False),
            nn.BatchNorm2d(num_classes),
        )
        self.apply(layers.initialise)

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the map after each block, and the extra pooling, fine to coarse."""
        maps = layers.halving_stages(self.blocks, x)
        return [*maps, layers.halve(maps[-1])] if self.config["extra_pool"] else maps

    def class_maps(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to scores (N, num_classes, h, w) by place."""
        return self.adaptation(self.features(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to logits (N, num_classes)."""
        return self.class_maps(x).mean((2, 3))


def sononet_small(num_classes: int = 5, *, extra_pool: bool = False) -> SonoNet:
    """Return a SonoNet for the CPU: 8 channels wide, 233,378 parameters."""
    return SonoNet(width=8, num_classes=num_classes, extra_pool=extra_pool)
