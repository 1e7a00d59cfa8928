"""What every network keeps, what each has of its own, and DenseNet's weights."""

import itertools
import json
import re
from collections import Counter
from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl import models
from tinyssl.models import DenseNet, DenseUNet, SonoNet, UNet, from_config, load_weights

# VGG-16's thirteen 3x3 convolutions (Simonyan and Zisserman 2015, configuration D)
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
TINY = {"growth_rate": 4, "block_layers": (1, 2, 2), "stem_channels": 6}
assert_equal = partial(torch.testing.assert_close, rtol=0, atol=0)


def dense(small_stem=False, **options):
    return DenseNet(**TINY | options, small_stem=small_stem)


ENCODERS = {
    "densenet": dense,
    "densenet, small stem": lambda: dense(True),
    "densenet, small": models.densenet_small,
    "sononet": lambda: SonoNet(width=4),
    "sononet, extra pool": lambda: models.sononet_small(extra_pool=True),
    "vit": lambda: models.ViT(patch_size=6, dim=16, depth=2),
    "unet": lambda: UNet(out_channels=2, widths=(4, 8, 16)),
    "deep unet": lambda: UNet(out_channels=2, widths=(4, 4, 8, 8)),
    "folded unet": lambda: UNet(out_channels=2, widths=(4, 8, 8), fold=3),
}
UNETS = {name: ENCODERS[name] for name in ("unet", "deep unet", "folded unet")} | {
    "dense unet": lambda: DenseUNet(dense(True), out_channels=2),
    "dense unet, paper's stem": lambda: DenseUNet(dense(), out_channels=2),
}
NETWORKS = ENCODERS | UNETS


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 31)])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_of_any_size_passes(name, size):
    model = NETWORKS[name]()
    actual = model(torch.rand(2, 3, *size)).shape
    expected = (2, *size) if name in UNETS else (model.config["num_classes"],)
    assert actual == (2, *expected)


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
    with pytest.raises(ValueError, match=r"config\['name'\] must be one of"):
        from_config({"name": "ResNet"})
    # every weight is used except the encoder's classifier
    model(torch.rand(2, 3, 32, 32)).square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    assert all(n.startswith("encoder.classifier") for n in idle)


def test_sononet_64_and_densenet121_have_the_layers_of_their_papers():
    modules = SonoNet().blocks.modules()
    found = [tuple(m.weight.shape) for m in modules if isinstance(m, nn.Conv2d)]
    assert found == [(c_out, c_in, 3, 3) for c_in, c_out in itertools.pairwise(VGG16)]
    # the adaptation halves the channels and ends in a norm
    modules = SonoNet(num_classes=14).adaptation.modules()
    layers = [m for m in modules if not list(m.children())]
    convolution_norm = [nn.Conv2d, nn.BatchNorm2d]
    assert [type(m) for m in layers] == [*convolution_norm, nn.ReLU, *convolution_norm]
    shapes = [tuple(convolution.weight.shape) for convolution in layers[::3]]
    assert shapes == [(256, 512, 1, 1), (14, 256, 1, 1)]
    model = models.densenet121()
    modules = list(model.modules())
    kernels = Counter(m.kernel_size for m in modules if isinstance(m, nn.Conv2d))
    pools = [m for m in modules if isinstance(m, nn.AvgPool2d | nn.AdaptiveAvgPool2d)]
    assert sum(p.numel() for p in model.parameters()) == 7_978_856
    assert kernels == {(7, 7): 1, (3, 3): 58, (1, 1): 61}
    assert len(pools) == 4
    assert sum(isinstance(m, nn.Linear) for m in modules) == 1


def test_maps_halve_from_block_to_block_and_the_answer_is_the_mean_of_the_last():
    for extra, halvings in ((False, 4), (True, 5)):
        maps = models.sononet_small(extra_pool=extra).stages(torch.rand(2, 3, 64, 96))
        expected = [(64 >> k, 96 >> k) for k in range(halvings + 1)]
        assert [m.shape[2:] for m in maps] == expected
    torch.manual_seed(0)
    model = models.sononet_small(num_classes=3)
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
    assert change[14:19, 14:19].mean() > 2 * change.mean()


def test_dense_unet_keeps_the_weights_of_the_encoder_given():
    encoder = dense()
    before = deepcopy(encoder.state_dict())
    assert_equal(DenseUNet(encoder).encoder.state_dict(), before)


def torchvision_by_hand(x, blocks, growth=32, width=4, classes=1000):
    """Return weights by torchvision's names and its answer, by no module of ours."""
    weights, draw = {}, torch.Generator().manual_seed(0)

    def conv(x, name, out, size, **options):
        drawn = torch.randn(out, x.shape[1], size, size, generator=draw)
        weights[f"{name}.weight"] = drawn * (2 / (x.shape[1] * size**2)) ** 0.5
        return F.conv2d(x, weights[f"{name}.weight"], **options)

    def norm_relu(x, name):
        n = x.shape[1]
        mean = weights[f"{name}.running_mean"] = torch.randn(n, generator=draw) * 0.1
        var = weights[f"{name}.running_var"] = torch.rand(n, generator=draw) + 0.5
        scale = weights[f"{name}.weight"] = torch.rand(n, generator=draw) + 0.5
        shift = weights[f"{name}.bias"] = torch.randn(n, generator=draw) * 0.1
        weights[f"{name}.num_batches_tracked"] = torch.tensor(7)
        return F.relu(F.batch_norm(x, mean, var, scale, shift))

    x = conv(x, "features.conv0", 64, 7, stride=2, padding=3)
    x = F.max_pool2d(norm_relu(x, "features.norm0"), 3, 2, 1)
    for b, layers in enumerate(blocks, 1):
        for j in range(1, layers + 1):
            name = f"features.denseblock{b}.denselayer{j}"
            new = norm_relu(x, f"{name}.norm1")
            new = conv(new, f"{name}.conv1", width * growth, 1)
            new = norm_relu(new, f"{name}.norm2")
            new = conv(new, f"{name}.conv2", growth, 3, padding=1)
            x = torch.cat([x, new], 1)
        if b < len(blocks):
            name = f"features.transition{b}"
            x = norm_relu(x, f"{name}.norm")
            x = F.avg_pool2d(conv(x, f"{name}.conv", x.shape[1] // 2, 1), 2)
    x = norm_relu(x, "features.norm5").mean((2, 3))
    head = torch.randn(classes, x.shape[1], generator=draw) / x.shape[1] ** 0.5
    bias = torch.randn(classes, generator=draw)
    weights |= {"classifier.weight": head, "classifier.bias": bias}
    return weights, F.linear(x, head, bias)


@pytest.mark.parametrize("old_names", [False, True])
def test_torchvision_weights_give_the_same_outputs(tmp_path, old_names):
    x = torch.randn(2, 3, 96, 80, generator=torch.Generator().manual_seed(1))
    weights, expected = torchvision_by_hand(x, (6, 12, 24, 16))
    saved = weights
    if old_names:  # "norm.1" for "norm1", and no step counters
        old = re.compile(r"(layer.*\.(norm|conv))")
        kept = {k: v for k, v in weights.items() if "num_batches" not in k}
        saved = {old.sub(r"\1.", name): value for name, value in kept.items()}
    torch.save(saved, tmp_path / "densenet121.pth")
    model = models.densenet121().eval()
    report = models.load_torchvision(model, tmp_path / "densenet121.pth")
    with torch.no_grad():
        actual = model(x)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    assert report.left_over == ()
    assert all(n.endswith("num_batches_tracked") for n in report.missing)
    assert len(report.matched) == len(saved)


def test_a_head_of_another_size_stays_random_and_other_weights_are_refused():
    source, model = dense(num_classes=4), dense(num_classes=5)
    head = model.classifier.weight.clone()
    report = load_weights(model, source.state_dict())
    assert report.left_over == ("classifier.weight", "classifier.bias")
    assert report.missing == report.left_over
    assert torch.equal(model.classifier.weight, head)
    assert torch.equal(model.stem.conv.weight, source.stem.conv.weight)
    assert "left over 2 (classifier.weight, classifier.bias)" in str(report)
    # weights of another network are refused and change nothing
    model = dense()
    before = deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=r"all \d+ tensors of the model but its"):
        load_weights(model, dense(growth_rate=5).state_dict())
    assert_equal(model.state_dict(), before)


def test_files_that_are_no_weights_are_refused_in_one_line(tmp_path):
    (tmp_path / "text.pth").write_text("not a checkpoint")
    torch.save([1, 2], tmp_path / "list.pth")
    for name, error, words in (
        ("missing", FileNotFoundError, "no file of weights at"),
        ("text", ValueError, r"text\.pth is not a file of plain weights"),
        ("list", ValueError, r"must hold a state_dict .* found list"),
    ):
        with pytest.raises(error, match=words):
            models.load_torchvision(dense(), tmp_path / f"{name}.pth")


@pytest.mark.parametrize("size", [(32, 48), (31, 47)])
def test_a_folded_unet_sees_squares_of_pixels_as_channels(size):
    folded = UNet(widths=(4, 8), fold=2, out_channels=3).eval()
    plain = UNet(widths=(4, 8), in_channels=12, out_channels=12).eval()
    plain.load_state_dict(folded.state_dict())
    x = torch.rand(2, 3, *size)
    whole = F.pad(x, (0, 48 - size[1], 0, 32 - size[0]), mode="replicate")
    y = plain(torch.stack([whole[:, c, i::2, j::2] for c in range(3)
                           for i in (0, 1) for j in (0, 1)], 1))  # fmt: skip
    expected = torch.zeros(2, 3, 32, 48)
    for k in range(12):
        expected[:, k // 4, k % 4 // 2 :: 2, k % 2 :: 2] = y[:, k]
    assert_equal(folded(x), expected[..., : size[0], : size[1]])
    with pytest.raises(ValueError, match="fold must be >= 1, found 0"):
        UNet(fold=0)
