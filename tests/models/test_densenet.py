"""DenseNet against the paper's counts and against a stranger's forward pass."""

import re
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tinyssl.models import (
    DenseNet,
    densenet121,
    densenet_small,
    load_torchvision,
    load_weights,
)

TINY = {"growth_rate": 4, "block_layers": (2, 3), "stem_channels": 6, "bottleneck": 2}


def torchvision_weights(blocks, growth=32, channels=64, width=4, classes=1000):
    """Draw a state_dict with torchvision's names and shapes."""
    draw = torch.Generator().manual_seed(0)
    weights = {}

    def conv(name, out, into, size):
        scale = (2 / (into * size * size)) ** 0.5
        weight = torch.randn(out, into, size, size, generator=draw) * scale
        weights[f"{name}.weight"] = weight

    def norm(name, n):
        weights[f"{name}.weight"] = torch.rand(n, generator=draw) + 0.5
        weights[f"{name}.bias"] = torch.randn(n, generator=draw) * 0.1
        weights[f"{name}.running_mean"] = torch.randn(n, generator=draw) * 0.1
        weights[f"{name}.running_var"] = torch.rand(n, generator=draw) + 0.5
        weights[f"{name}.num_batches_tracked"] = torch.tensor(7)

    conv("features.conv0", channels, 3, 7)
    norm("features.norm0", channels)
    for b, layers in enumerate(blocks, 1):
        for j in range(1, layers + 1):
            name = f"features.denseblock{b}.denselayer{j}"
            norm(f"{name}.norm1", channels)
            conv(f"{name}.conv1", width * growth, channels, 1)
            norm(f"{name}.norm2", width * growth)
            conv(f"{name}.conv2", growth, width * growth, 3)
            channels += growth
        if b < len(blocks):
            norm(f"features.transition{b}.norm", channels)
            conv(f"features.transition{b}.conv", channels // 2, channels, 1)
            channels //= 2
    norm("features.norm5", channels)
    head = torch.randn(classes, channels, generator=draw) / channels**0.5
    weights["classifier.weight"] = head
    weights["classifier.bias"] = torch.randn(classes, generator=draw)
    return weights


def forward_by_hand(weights, x, blocks):
    """Run torchvision's names as plain functions: no module of ours takes part."""

    def norm_relu(x, name):
        names = ("running_mean", "running_var", "weight", "bias")
        return F.relu(F.batch_norm(x, *(weights[f"{name}.{n}"] for n in names)))

    def conv(x, name, **options):
        return F.conv2d(x, weights[f"{name}.weight"], **options)

    x = norm_relu(conv(x, "features.conv0", stride=2, padding=3), "features.norm0")
    x = F.max_pool2d(x, 3, 2, 1)
    for b, layers in enumerate(blocks, 1):
        maps = [x]
        for j in range(1, layers + 1):
            name = f"features.denseblock{b}.denselayer{j}"
            new = norm_relu(torch.cat(maps, 1), f"{name}.norm1")
            new = norm_relu(conv(new, f"{name}.conv1"), f"{name}.norm2")
            maps.append(conv(new, f"{name}.conv2", padding=1))
        x = torch.cat(maps, 1)
        if b < len(blocks):
            name = f"features.transition{b}"
            x = F.avg_pool2d(conv(norm_relu(x, f"{name}.norm"), f"{name}.conv"), 2)
    x = norm_relu(x, "features.norm5").mean((2, 3))
    return F.linear(x, weights["classifier.weight"], weights["classifier.bias"])


def test_densenet121_has_the_layers_of_the_paper():
    model = densenet121()
    modules = list(model.modules())
    kernels = Counter(m.kernel_size for m in modules if isinstance(m, nn.Conv2d))
    pools = [m for m in modules if isinstance(m, nn.AvgPool2d | nn.AdaptiveAvgPool2d)]
    assert sum(p.numel() for p in model.parameters()) == 7_978_856
    assert kernels == {(7, 7): 1, (3, 3): 58, (1, 1): 61}
    assert len(pools) == 4
    assert sum(isinstance(m, nn.Linear) for m in modules) == 1


@pytest.mark.parametrize("old_names", [False, True])
def test_torchvision_weights_give_the_same_outputs(tmp_path, old_names):
    blocks = (6, 12, 24, 16)
    weights = torchvision_weights(blocks)
    saved = weights
    if old_names:  # "norm.1" for "norm1", and no step counters
        old = {
            name: re.sub(r"(layer.*\.(norm|conv))", r"\1.", name) for name in weights
        }
        saved = {old[k]: v for k, v in weights.items() if "num_batches" not in k}
    torch.save(saved, tmp_path / "densenet121.pth")
    model = densenet121().eval()
    report = load_torchvision(model, tmp_path / "densenet121.pth")
    x = torch.randn(2, 3, 96, 80, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, actual = forward_by_hand(weights, x, blocks), model(x)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    assert report.left_over == ()
    assert all(n.endswith("num_batches_tracked") for n in report.missing)
    assert len(report.matched) == len(saved)


def test_a_head_of_another_size_stays_random_and_is_reported():
    source, model = DenseNet(**TINY, num_classes=4), DenseNet(**TINY, num_classes=5)
    head = model.classifier.weight.clone()
    report = load_weights(model, source.state_dict())
    assert report.left_over == ("classifier.weight", "classifier.bias")
    assert report.missing == report.left_over
    assert torch.equal(model.classifier.weight, head)
    assert torch.equal(model.stem.conv.weight, source.stem.conv.weight)
    assert "left over 2 (classifier.weight, classifier.bias)" in str(report)


def test_weights_of_another_network_are_refused_and_change_nothing():
    model = DenseNet(**TINY)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    other = DenseNet(**(TINY | {"growth_rate": 5}))
    with pytest.raises(ValueError, match="at least 90 % of the model's tensors, found"):
        load_weights(model, other.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_files_that_are_no_weights_are_refused_in_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of weights at"):
        load_torchvision(densenet_small(), tmp_path / "missing.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    with pytest.raises(ValueError, match=r"text\.pth is not a file of plain weights"):
        load_torchvision(densenet_small(), tmp_path / "text.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"must hold a state_dict .* found list"):
        load_torchvision(densenet_small(), tmp_path / "list.pth")


def test_small_densenet_learns_a_batch_by_heart():
    torch.manual_seed(0)
    model, x = densenet_small(num_classes=5), torch.rand(10, 3, 28, 28)
    y = torch.arange(10) % 5
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(30):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert (model(x).argmax(1) == y).all()
