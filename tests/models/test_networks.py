"""What every network keeps: its size, its stages, its configuration, its weights."""

import json

import pytest
import torch

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
