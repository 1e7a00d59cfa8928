"""Weights as people have them: wrapped, prefixed, in colour, for other classes."""

import pytest
import torch

from models.test_networks import dense
from tinyssl.models import load_torchvision

SOURCE = dense(num_classes=2).state_dict()


def prefixed(prefix):
    return {prefix + name: tensor for name, tensor in SOURCE.items()}


def load(content, path, **options):
    torch.save(content, path)
    model = dense(**{"num_classes": 2} | options)
    return str(load_torchvision(model, path)), model.state_dict()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (prefixed("module."), "without the prefix module."),
        (prefixed("model.backbone."), "without the prefix model.backbone."),
        (prefixed("_orig_mod.encoder."), "without the prefix _orig_mod.encoder."),
        ({"model": SOURCE, "optimizer": {"state": {}}}, "taken from model"),
        ({"epoch": 3, "a": {"b": prefixed("net.")}}, "taken from a.b; without"),
        (
            prefixed("encoder.") | {"projector.weight": torch.ones(2)},
            "left over 1 (pro",
        ),
    ],
)
def test_wrapped_and_prefixed_weights_are_all_found_and_it_is_said(
    tmp_path, content, words
):
    report, loaded = load(content, tmp_path / "w.pth")
    assert words in report
    assert "missing 0" in report
    assert all(torch.equal(loaded[name], SOURCE[name]) for name in SOURCE)


def test_a_grey_model_answers_to_grey_as_the_colours_do_to_grey(tmp_path):
    report, loaded = load(SOURCE, tmp_path / "w.pth", in_channels=1)
    assert "stem.conv.weight: summed over red, green and blue" in report
    grey, colour = dense(num_classes=2, in_channels=1), dense(num_classes=2)
    grey.load_state_dict(loaded)
    colour.load_state_dict(SOURCE)
    x = torch.rand(2, 1, 32, 32)
    expected = colour.eval()(x.expand(-1, 3, -1, -1))
    torch.testing.assert_close(grey.eval()(x), expected)


def test_a_head_for_other_classes_is_left_out_and_said(tmp_path):
    report, _ = load(prefixed("module."), tmp_path / "w.pth", num_classes=5)
    assert "left over 2 (classifier.weight, classifier.bias)" in report


STEM = "stem.conv.weight"
LAST = [name for name in SOURCE if not name.startswith("classifier")][-2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SOURCE | {STEM: SOURCE[STEM] * torch.nan}, "found nan or infinity in stem"),
        (SOURCE | {STEM: SOURCE[STEM] / 0}, "found nan or infinity in stem"),
        ({k: v for k, v in SOURCE.items() if k != LAST}, "found 1 missing"),
        (SOURCE | {STEM: SOURCE[STEM][:, :2]}, "found 1 missing"),
        (prefixed("teacher.") | prefixed("student."), "found student. and teacher."),
        ({"state_dict": SOURCE, "ema": SOURCE}, "found state_dict. and ema."),
        ({"state_dict": {"fc.weight": torch.ones(2)}}, "must hold a state_dict"),
        (SOURCE | {"epoch": 3}, "must hold a state_dict"),
    ],
)
def test_other_weights_are_refused_by_name_and_change_nothing(tmp_path, content, words):
    model = dense(num_classes=2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"w\.pth: ") as caught:
        load_torchvision(model, tmp_path / "w.pth")
    assert words in str(caught.value)
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
