"""Patches as tokens: encoded where they are visible, decoded everywhere."""

import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.models.vit import Block, positions


class TokenDecoder(nn.Module):
    """Answer every patch of a grid with numbers, from what is known of the visible."""

    def __init__(self, num_features, outputs, *, dim=64):
        super().__init__()
        self.embedding = nn.Linear(num_features, dim)
        self.mask_token = nn.Parameter(0.02 * torch.randn(dim))
        self.block, self.norm = Block(dim, 4), nn.LayerNorm(dim)
        self.head = nn.Linear(dim, outputs)

    def forward(self, known, visible, grid):
        """Map (N, L, num_features), visible in (N, L), to (N, L, outputs)."""
        x = self.embedding(known) + (1 - visible)[..., None] * self.mask_token
        x = x + positions(*grid, x.shape[2]).to(x)
        return self.head(self.norm(self.block(x)))


def encode_visible(encoder, images, visible, grid):
    """Return what an encoder knows of each patch of a grid: (N, L, D).

    A ``ViT`` is given visible patches only, equally many of each image; it knows 0 of
    the others. Any other encoder sees the images, whose masked patches should be black.
    """
    if not hasattr(encoder, "tokens"):
        maps = F.interpolate(encoder.features(images), grid, mode="bilinear")
        return maps.flatten(2).transpose(1, 2)
    tokens, visible = encoder.tokens(images), visible > 0
    some = tokens[visible].unflatten(0, (len(images), -1))  # (N, kept, D)
    read = encoder.encode(some).flatten(0, 1)
    return read.new_zeros(tokens.shape).index_put((visible,), read)


def normalised(patches):
    """Return patches (N, L, P) at mean 0 and variance 1, and mean and deviation."""
    variance, mean = torch.var_mean(patches, 2, keepdim=True)  # unbiased, as in MAE
    deviation = (variance + 1e-6).sqrt()
    return (patches - mean) / deviation, mean, deviation
