"""U-Nets: sizes, skips, and what a gradient can reach."""

import json

import pytest
import torch
from torch.nn import functional as F

from tinyssl.models import DenseNet, DenseUNet, UNet, from_config, load_weights


def small_dense_unet(**options):
    encoder = DenseNet(
        growth_rate=4, block_layers=(1, 2, 2), stem_channels=6, **options
    )
    return DenseUNet(encoder, out_channels=2)


NETWORKS = {
    "unet": lambda: UNet(out_channels=2, widths=(4, 8, 16)),
    "deep unet": lambda: UNet(out_channels=2, widths=(4, 4, 8, 8)),
    "dense unet": lambda: small_dense_unet(small_stem=True),
    "dense unet, paper's stem": lambda: small_dense_unet(),
}


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 31)])
@pytest.mark.parametrize("name", NETWORKS)
def test_output_has_the_size_of_the_image(name, size):
    actual = NETWORKS[name]()(torch.rand(2, 3, *size))
    assert actual.shape == (2, 2, *size)


@pytest.mark.parametrize("name", NETWORKS)
def test_config_is_plain_and_rebuilds_the_network(name):
    model = NETWORKS[name]().eval()
    again = from_config(json.loads(json.dumps(model.config))).eval()
    report = load_weights(again, model.state_dict())
    x = torch.rand(1, 3, 24, 24)
    assert (report.missing, report.left_over) == ((), ())
    assert torch.equal(again(x), model(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_used_except_the_encoders_classifier(name):
    model = NETWORKS[name]()
    model(torch.rand(2, 3, 32, 32)).square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    assert all(n.startswith("encoder.classifier") for n in idle)


@pytest.mark.parametrize("name", ["unet", "dense unet"])
def test_skips_carry_single_pixels(name):
    torch.manual_seed(0)
    model = NETWORKS[name]().eval()
    x = torch.rand(1, 3, 32, 32)
    moved = x.clone()
    moved[..., 16, 16] += 1
    change = (model(moved) - model(x)).abs().sum((0, 1))
    near = change[14:19, 14:19].mean()
    assert near > 2 * change.mean()


def test_dense_unet_keeps_the_weights_of_the_encoder_given():
    encoder = DenseNet(growth_rate=4, block_layers=(1, 1), stem_channels=6)
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
