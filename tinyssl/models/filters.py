"""A bank of filters: what a patch dictionary answers, as maps."""

import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import _checks, _patches
from tinyssl.models.layers import Encoder


class FilterBank(Encoder):
    """One layer of filters that see normalised patches: relu(x . weight - bias).

    Parameters
    ----------
    num_filters, patch_size, stride, in_channels : int
        As `tinyssl.dictionary.PatchDictionary` has them; channels of the image.

    Notes
    -----
    Of images with values in [0, 1]; 0 where a patch is not in the field of view. The
    filters begin as random directions. After `take` the maps are a dictionary's
    responses, whitening and threshold included.

    Examples
    --------
    >>> FilterBank(num_filters=8).features(torch.rand(1, 3, 32, 45)).shape
    torch.Size([1, 8, 14, 20])
    """

    def __init__(
        self,
        *,
        num_filters: int = 192,
        patch_size: int = 6,
        stride: int = 2,
        in_channels: int = 3,
    ):
        super().__init__()
        self.config = {"num_filters": num_filters, "patch_size": patch_size}
        self.config |= {"stride": stride, "in_channels": in_channels}
        for name, value in self.config.items():
            _checks.integer(name, value, least=1)
        self.config["name"] = "FilterBank"
        self.num_features, self.stage_channels = num_filters, [num_filters]
        shape = (num_filters, in_channels, patch_size, patch_size)
        self.weight = nn.Parameter(F.normalize(torch.randn(shape), dim=(1, 2, 3)))
        self.bias = nn.Parameter(torch.full((num_filters,), 0.25))

    @torch.no_grad()
    def take(self, dictionary):
        """Take over the filters of a `tinyssl.dictionary.PatchDictionary`."""
        K, C, s, _ = self.weight.shape
        weight = torch.from_numpy(dictionary.projection_.T).reshape(K, s, s, C)
        self.weight.copy_(weight.movedim(3, 1))
        self.bias.copy_(torch.from_numpy(dictionary.offset_))

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps (N, K, h, w), the only stage."""
        size, stride = self.config["patch_size"], self.config["stride"]
        mean = F.avg_pool2d(x.mean(1, keepdim=True), size, stride)  # (N, 1, h, w)
        square = F.avg_pool2d(x.square().mean(1, keepdim=True), size, stride)
        variance = (square - mean.square()).clamp_min(0)
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)  # no mean
        answers = F.conv2d(x, weight, stride=stride)
        answers = answers / (variance + _patches.FLAT).sqrt()
        responses = F.relu(answers - self.bias[:, None, None])
        darkest = -F.max_pool2d(-x.amax(1, keepdim=True), size, stride)
        inside = (darkest > _patches.BLACK) & (mean >= _patches.DARK)
        return [responses * inside]
