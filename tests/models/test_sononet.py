"""SonoNet: the paper's layers, sizes, and class maps whose mean is the answer."""

import itertools
import json

import pytest
import torch
from torch import nn

from tinyssl.models import SonoNet, from_config, load_weights, sononet_small

# VGG-16's thirteen 3x3 convolutions (Simonyan and Zisserman 2015, configuration D)
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def test_sononet_64_has_the_convolutions_of_vgg_16():
    convolutions = [
        tuple(m.weight.shape)
        for m in SonoNet().blocks.modules()
        if isinstance(m, nn.Conv2d)
    ]
    pairs = itertools.pairwise(VGG16)
    assert convolutions == [(c_out, c_in, 3, 3) for c_in, c_out in pairs]


def test_adaptation_halves_the_channels_and_ends_in_a_norm():
    wide, norm, relu, narrow, last = (
        m
        for m in SonoNet(num_classes=14).adaptation.modules()
        if not list(m.children())
    )
    assert tuple(wide.weight.shape) == (256, 512, 1, 1)
    assert tuple(narrow.weight.shape) == (14, 256, 1, 1)
    assert isinstance(norm, nn.BatchNorm2d)
    assert isinstance(relu, nn.ReLU)
    assert isinstance(last, nn.BatchNorm2d)


@pytest.mark.parametrize(("extra", "halvings"), [(False, 4), (True, 5)])
def test_maps_halve_from_block_to_block(extra, halvings):
    model = sononet_small(extra_pool=extra)
    maps = model.stages(torch.rand(2, 3, 64, 96))
    assert [m.shape[1] for m in maps] == model.stage_channels
    assert [m.shape[2:] for m in maps] == [
        (64 >> k, 96 >> k) for k in range(halvings + 1)
    ]
    assert model.features(torch.rand(2, 3, 64, 96)).shape[1] == model.num_features


def test_any_side_passes():
    assert sononet_small()(torch.rand(2, 3, 17, 33)).shape == (2, 5)


def test_answer_is_the_mean_of_the_class_maps():
    model = sononet_small(num_classes=3).eval()
    x = torch.rand(2, 3, 48, 48)
    expected = model.class_maps(x).flatten(2).mean(2)
    torch.testing.assert_close(model(x), expected)
    assert model.class_maps(x).shape == (2, 3, 3, 3)


def test_class_maps_are_not_rectified():
    torch.manual_seed(0)
    assert sononet_small().class_maps(torch.rand(2, 3, 64, 64)).min() < 0


def test_config_is_plain_and_rebuilds_the_network():
    model = sononet_small(extra_pool=True).eval()
    again = from_config(json.loads(json.dumps(model.config))).eval()
    report = load_weights(again, model.state_dict())
    x = torch.rand(1, 3, 40, 40)
    assert (report.missing, report.left_over) == ((), ())
    assert torch.equal(again(x), model(x))
    assert again.config["extra_pool"]


def test_every_weight_is_used():
    model = sononet_small()
    model(torch.rand(2, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
