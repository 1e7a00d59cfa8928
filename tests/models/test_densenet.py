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


def torchvision_by_hand(x, blocks, growth=32, width=4, classes=1000):
    """Draw weights by torchvision's names and return what it answers with them.

    In plain functions: no module of ours takes part.
    """
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
            new = conv(
                norm_relu(x, f"{name}.norm1"), f"{name}.conv1", width * growth, 1
            )
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
    x = torch.randn(2, 3, 96, 80, generator=torch.Generator().manual_seed(1))
    weights, expected = torchvision_by_hand(x, (6, 12, 24, 16))
    saved = weights
    if old_names:  # "norm.1" for "norm1", and no step counters
        old = {
            name: re.sub(r"(layer.*\.(norm|conv))", r"\1.", name) for name in weights
        }
        saved = {old[k]: v for k, v in weights.items() if "num_batches" not in k}
    torch.save(saved, tmp_path / "densenet121.pth")
    model = densenet121().eval()
    report = load_torchvision(model, tmp_path / "densenet121.pth")
    with torch.no_grad():
        actual = model(x)
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
