"""What every network keeps, and what SonoNet and the U-Nets have of their own."""

import itertools
import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.models import (
    DenseNet,
    DenseUNet,
    SonoNet,
    UNet,
    densenet_small,
    from_config,
    load_weights,
    sononet_small,
)

# VGG-16's thirteen 3x3 convolutions (Simonyan and Zisserman 2015, configuration D)
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
TINY = {"growth_rate": 4, "block_layers": (1, 2, 2), "stem_channels": 6}


def dense(small):
    return DenseNet(**TINY, small_stem=small)


ENCODERS = {
    "densenet": lambda: dense(False),
    "densenet, small stem": lambda: dense(True),
    "densenet, small": densenet_small,
    "sononet": lambda: SonoNet(width=4),
    "sononet, extra pool": lambda: sononet_small(extra_pool=True),
    "unet": lambda: UNet(out_channels=2, widths=(4, 8, 16)),
    "deep unet": lambda: UNet(out_channels=2, widths=(4, 4, 8, 8)),
}
UNETS = {name: ENCODERS[name] for name in ("unet", "deep unet")} | {
    "dense unet": lambda: DenseUNet(dense(True), out_channels=2),
    "dense unet, paper's stem": lambda: DenseUNet(dense(False), out_channels=2),
}
NETWORKS = ENCODERS | UNETS


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 31)])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_of_any_size_passes(name, size):
    model = NETWORKS[name]()
    actual = model(torch.rand(2, 3, *size)).shape
    if name in UNETS:
        assert actual == (2, 2, *size)
    else:
        assert actual == (2, model.config["num_classes"])


@pytest.mark.parametrize("size", [(28, 28), (64, 45)])
@pytest.mark.parametrize("name", ENCODERS)
def test_stages_go_from_fine_to_coarse_and_end_in_the_features(name, size):
    model = ENCODERS[name]().eval()
    x = torch.rand(2, 3, *size)
    maps = model.stages(x)
    assert [m.shape[1] for m in maps] == model.stage_channels
    areas = [m.shape[2] * m.shape[3] for m in maps]
    assert areas == sorted(set(areas), reverse=True)
    assert torch.equal(maps[-1], model.features(x))
    assert maps[-1].shape[1] == model.num_features


@pytest.mark.parametrize("name", NETWORKS)
def test_config_is_plain_and_rebuilds_the_network(name):
    model = NETWORKS[name]().eval()
    again = from_config(json.loads(json.dumps(model.config))).eval()
    report = load_weights(again, model.state_dict())
    x = torch.rand(1, 3, 40, 40)
    assert again.config == model.config
    assert (report.missing, report.left_over) == ((), ())
    assert torch.equal(again(x), model(x))


def test_config_of_no_network_is_refused():
    with pytest.raises(ValueError, match=r"config\['name'\] must be one of"):
        from_config({"name": "ResNet"})


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_used_except_the_encoders_classifier(name):
    model = NETWORKS[name]()
    model(torch.rand(2, 3, 32, 32)).square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    assert all(n.startswith("encoder.classifier") for n in idle)


def test_sononet_64_has_the_convolutions_of_vgg_16():
    modules = SonoNet().blocks.modules()
    found = [tuple(m.weight.shape) for m in modules if isinstance(m, nn.Conv2d)]
    assert found == [(c_out, c_in, 3, 3) for c_in, c_out in itertools.pairwise(VGG16)]


def test_adaptation_halves_the_channels_and_ends_in_a_norm():
    modules = SonoNet(num_classes=14).adaptation.modules()
    wide, norm, relu, narrow, last = (m for m in modules if not list(m.children()))
    assert tuple(wide.weight.shape) == (256, 512, 1, 1)
    assert tuple(narrow.weight.shape) == (14, 256, 1, 1)
    assert isinstance(norm, nn.BatchNorm2d)
    assert isinstance(relu, nn.ReLU)
    assert isinstance(last, nn.BatchNorm2d)


@pytest.mark.parametrize(("extra", "halvings"), [(False, 4), (True, 5)])
def test_maps_halve_from_block_to_block(extra, halvings):
    maps = sononet_small(extra_pool=extra).stages(torch.rand(2, 3, 64, 96))
    expected = [(64 >> k, 96 >> k) for k in range(halvings + 1)]
    assert [m.shape[2:] for m in maps] == expected


def test_answer_is_the_mean_of_the_class_maps():
    torch.manual_seed(0)
    model = sononet_small(num_classes=3)
    x = torch.rand(2, 3, 48, 48)
    assert model.class_maps(x).min() < 0, "rectified"
    maps = model.eval().class_maps(x)
    torch.testing.assert_close(model(x), maps.flatten(2).mean(2))
    assert maps.shape == (2, 3, 3, 3)


@pytest.mark.parametrize("name", ["unet", "dense unet"])
def test_skips_carry_single_pixels(name):
    torch.manual_seed(0)
    model = UNETS[name]().eval()
    x = torch.rand(1, 3, 32, 32)
    moved = x.clone()
    moved[..., 16, 16] += 1
    change = (model(moved) - model(x)).abs().sum((0, 1))
    near = change[14:19, 14:19].mean()
    assert near > 2 * change.mean()


def test_dense_unet_keeps_the_weights_of_the_encoder_given():
    encoder = dense(False)
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
