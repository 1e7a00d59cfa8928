"""SonoNet: the paper's layers, sizes, and class maps whose mean is the answer."""

import itertools

import pytest
import torch
from torch import nn

from tinyssl.models import SonoNet, sononet_small

# VGG-16's thirteen 3x3 convolutions (Simonyan and Zisserman 2015, configuration D)
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


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
