"""U-Nets: skips, weights given, and learning."""

import pytest
import torch
from torch.nn import functional as F

from tinyssl.models import DenseNet, DenseUNet, UNet

TINY = {"growth_rate": 4, "block_layers": (1, 2, 2), "stem_channels": 6}


@pytest.mark.parametrize("is_dense", [False, True])
def test_skips_carry_single_pixels(is_dense):
    torch.manual_seed(0)
    encoder = DenseNet(**TINY, small_stem=True)
    model = (DenseUNet(encoder) if is_dense else UNet(widths=(4, 8, 16))).eval()
    x = torch.rand(1, 3, 32, 32)
    moved = x.clone()
    moved[..., 16, 16] += 1
    change = (model(moved) - model(x)).abs().sum((0, 1))
    near = change[14:19, 14:19].mean()
    assert near > 2 * change.mean()


def test_dense_unet_keeps_the_weights_of_the_encoder_given():
    encoder = DenseNet(**TINY)
    before = {name: t.clone() for name, t in encoder.state_dict().items()}
    model = DenseUNet(encoder)
    for name, tensor in model.encoder.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_unet_learns_to_find_edges():
    torch.manual_seed(0)
    model = UNet(in_channels=1, widths=(4, 8))
    x = (torch.rand(8, 1, 6, 6) > 0.5).float().repeat_interleave(4, 2)
    x = x.repeat_interleave(4, 3)
    y = (F.max_pool2d(x, 3, 1, 1) != -F.max_pool2d(-x, 3, 1, 1)).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
    agreement = ((model(x) > 0) == (y > 0)).float().mean()
    assert agreement > 0.95
