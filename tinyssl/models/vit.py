"""A tiny vision transformer: patches as tokens, and attention between all of them."""

import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.models.layers import Encoder


class Block(nn.Module):
    """Attention between tokens, then two layers on each; both are added to x."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.projection = nn.Linear(dim, dim)
        hidden = nn.Linear(dim, 4 * dim)
        self.mlp = nn.Sequential(hidden, nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        """Map tokens (N, L, D) to tokens."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def attention(self, x):
        """Let each token read from all of its image."""
        qkv = self.qkv(x).unflatten(2, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (N, heads, L, D / heads) each
        read = F.scaled_dot_product_attention(q, k, v)
        return self.projection(read.transpose(1, 2).flatten(2))  # (N, L, D)


def positions(h, w, dim):
    """Return sines and cosines of the rows and columns of a grid: (h w, dim)."""
    waves = 10_000 ** -(torch.arange(dim // 4) / (dim // 4))
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    angles = torch.stack([y, x]).flatten(1)[..., None] * waves  # (2, L, dim / 4)
    return torch.cat([angles.sin(), angles.cos()], 2).transpose(0, 1).flatten(1)


class ViT(Encoder):
    """Vision transformer without a class token: its features are maps, as of any.

    Parameters
    ----------
    patch_size : int, in pixels; sides that are no multiple are padded with black
    dim, depth, heads : int, numbers of a token, blocks, and heads of each block
    num_classes, in_channels : int, outputs of the linear layer; channels of the image

    Notes
    -----
    A masked autoencoder gives ``encode`` but some of the ``tokens(x)``.

    References
    ----------
    Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021.

    Examples
    --------
    >>> ViT(patch_size=8, dim=16).features(torch.zeros(1, 3, 64, 50)).shape
    torch.Size([1, 16, 8, 7])
    """

    def __init__(
        self,
        *,
        patch_size: int = 8,
        dim: int = 64,
        depth: int = 4,
        heads: int = 4,
        num_classes: int = 5,
        in_channels: int = 3,
    ):
        super().__init__()
        if dim % 4 or dim % heads:
            rule = f"dim must be a multiple of 4 and of heads ({heads})"
            raise ValueError(f"{rule}, found {dim}")
        self.config = {"name": "ViT", "patch_size": patch_size, "dim": dim}
        self.config |= {"depth": depth, "heads": heads}
        self.config |= {"num_classes": num_classes, "in_channels": in_channels}
        self.patch_size = patch_size
        self.num_features, self.stage_channels = dim, [dim]
        self.embedding = nn.Conv2d(in_channels, dim, patch_size, stride=patch_size)
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.classifier = nn.Linear(dim, num_classes)

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to their patches, with positions: (N, L, D)."""
        down, right = (-side % self.patch_size for side in x.shape[2:])
        x = F.pad(x, (0, right, 0, down))
        # a common 0.4 would hide how patches differ: rotation was not learned at all
        maps = self.embedding(x - 0.5)  # (N, D, h, w)
        places = positions(*maps.shape[2:], self.num_features)
        return maps.flatten(2).transpose(1, 2) + places.to(maps)

    def encode(self, tokens: torch.Tensor) -> torch.Tensor:
        """Let tokens (N, L, D), all of an image or some, read from one another."""
        return self.norm(self.blocks(tokens))

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the one map there is, (N, D, h, w)."""
        h, w = (-(-side // self.patch_size) for side in x.shape[2:])
        return [self.encode(self.tokens(x)).transpose(1, 2).unflatten(2, (h, w))]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to logits (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))
