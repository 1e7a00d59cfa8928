"""DenseNet, written from the paper: every layer reads all the maps before it."""

from collections import OrderedDict

import torch
from torch import nn

from tinyssl.models.layers import Encoder, initialise, of

NORM = "BatchNorm"  # the kind, of either number of dimensions


class DenseLayer(nn.Module):
    """BN-ReLU-conv 1x1 to ``bottleneck * k`` maps, BN-ReLU-conv 3x3 to k new maps."""

    def __init__(self, in_channels, growth_rate, bottleneck, dims=2):
        super().__init__()
        width, conv, norm = bottleneck * growth_rate, of("Conv", dims), of(NORM, dims)
        self.norm1 = norm(in_channels)
        self.conv1 = conv(in_channels, width, 1, bias=False)
        self.norm2 = norm(width)
        self.conv2 = conv(width, growth_rate, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        """Return x with this layer's k new maps behind it."""
        new = self.conv1(self.relu(self.norm1(x)))
        new = self.conv2(self.relu(self.norm2(new)))
        return torch.cat([x, new], dim=1)  # (N, C + k, h, w)


def _stem(c_in, c_out, small, dims):
    """Return the first layers: stride 4 as in the paper, or stride 2 when small."""
    kernel, conv = 3 if small else 7, of("Conv", dims)
    return OrderedDict(
        conv=conv(c_in, c_out, kernel, 2, padding=kernel // 2, bias=False),
        norm=of(NORM, dims)(c_out),
        relu=nn.ReLU(inplace=True),
        pool=nn.Identity() if small else of("MaxPool", dims)(3, stride=2, padding=1),
    )


def _transition(in_channels, dims):
    """Return the layers between two blocks: half the maps at half the size."""
    return OrderedDict(
        norm=of(NORM, dims)(in_channels),
        relu=nn.ReLU(),  # not in place: the block's output is also a skip
        conv=of("Conv", dims)(in_channels, in_channels // 2, 1, bias=False),
        pool=of("AvgPool", dims)(2),
    )


class DenseNet(Encoder):
    """Densely connected network with bottlenecks and compression (DenseNet-BC).

    Parameters
    ----------
    growth_rate : int
        Maps that each layer adds, k in the paper: layer l reads k_0 + k (l - 1) maps.
    block_layers : sequence of int, layers of each dense block
    stem_channels : int, maps after the first convolution
    bottleneck : int, width of the 1x1 convolution in units of `growth_rate`
    num_classes : int, outputs of the linear layer
    in_channels : int, channels of the image
    small_stem : bool
        Start with a 3x3 convolution of stride 2 instead of the paper's 7x7 of
        stride 2 and its max-pool: for images of 28 to 96 pixels.
    dims : int, 2 for images (N, C, H, W), 3 for volumes (N, C, D, H, W)

    References
    ----------
    Huang, Liu, van der Maaten, Weinberger (2017), Densely connected convolutional
    networks, CVPR, section 3 and table 1.

    Examples
    --------
    >>> model = DenseNet(growth_rate=4, block_layers=(2, 2), stem_channels=8,
    ...                  num_classes=5, small_stem=True)
    >>> model(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 5])
    """

    def __init__(
        self,
        *,
        growth_rate: int = 32,
        block_layers: tuple[int, ...] = (6, 12, 24, 16),
        stem_channels: int = 64,
        bottleneck: int = 4,
        num_classes: int = 1000,
        in_channels: int = 3,
        small_stem: bool = False,
        dims: int = 2,
    ):
        super().__init__()
        if dims not in (2, 3):
            raise ValueError(f"dims must be 2 or 3, found {dims}")
        self.dims = dims
        self.config = {"name": "DenseNet", "growth_rate": growth_rate}
        self.config |= {"block_layers": list(block_layers), "bottleneck": bottleneck}
        self.config |= {"stem_channels": stem_channels, "num_classes": num_classes}
        self.config |= {"in_channels": in_channels, "small_stem": small_stem}
        self.config |= {"dims": dims} if dims != 2 else {}
        self.stem = nn.Sequential(_stem(in_channels, stem_channels, small_stem, dims))
        self.stage_channels = [] if small_stem else [stem_channels]
        self.blocks, self.transitions = nn.ModuleList(), nn.ModuleList()
        channels = stem_channels
        for number, num_layers in enumerate(block_layers):
            if number > 0:
                self.transitions.append(nn.Sequential(_transition(channels, dims)))
                channels //= 2
            block = nn.Sequential()
            for _ in range(num_layers):
                block.append(DenseLayer(channels, growth_rate, bottleneck, dims))
                channels += growth_rate
            self.blocks.append(block)
            self.stage_channels.append(channels)
        self.norm = of(NORM, dims)(channels)
        self.pool = of("AdaptiveAvgPool", dims)(1)
        self.classifier = nn.Linear(channels, num_classes)
        nn.init.zeros_(self.classifier.bias)
        self.num_features = channels
        self.apply(initialise)

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the map before each halving, fine to coarse; the last is normed."""
        before_pool = self.stem[:-1](x)
        x = self.stem.pool(before_pool)
        # a small stem does not pool: its map is the first block's input, no stage
        maps = [] if self.config["small_stem"] else [before_pool]
        for number, block in enumerate(self.blocks):
            if number > 0:
                x = self.transitions[number - 1](x)
            x = block(x)
            maps.append(x)
        maps[-1] = torch.relu(self.norm(x))
        return maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to logits (N, num_classes)."""
        return self.classifier(self.pool(self.features(x)).flatten(1))


def densenet121(num_classes: int = 1000) -> DenseNet:
    """Return DenseNet-121: 7,978,856 parameters at 1,000 classes."""
    return DenseNet(num_classes=num_classes)


def densenet_small(num_classes: int = 5) -> DenseNet:
    """Return a DenseNet for the CPU: 118,690 parameters, images of 28 to 96 pixels.

    Few layers where the maps are large, many where they are small: one step forward and
    back at batch 32 took 513 images a second at 64 pixels, one thread; with 3, 4, 4
    layers it was 232. Command: ``python -m timeit -s "import torch; from tinyssl.models
    import densenet_small as d; torch.set_num_threads(1); f = torch.channels_last;
    m = d().to(memory_format=f); x = torch.rand(32, 3, 64, 64).to(memory_format=f)"
    "m(x).sum().backward()"`` and 32 over its time.
    """
    shape = {"growth_rate": 16, "block_layers": (1, 2, 6, 6), "stem_channels": 24}
    return DenseNet(**shape, bottleneck=2, num_classes=num_classes, small_stem=True)
