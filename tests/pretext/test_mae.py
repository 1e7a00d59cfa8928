"""Masked autoencoder: what is masked, seen and asked, and two ways to look good."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.models import ViT
from tinyssl.pretext import tokens
from tinyssl.pretext.mae import MaskedAutoencoder
from tinyssl.training import to_tensor, train


class Maps(nn.Module):  # an encoder of one's own, on a grid of its own
    num_features = 5

    def __init__(self, channels=3):
        super().__init__()
        self.features = nn.Conv2d(channels, 5, 7, stride=3)


def small(kind=MaskedAutoencoder, *, seed=0, **options):
    torch.manual_seed(seed)
    return kind(ViT(patch_size=8, dim=32, depth=1), **options)


def noise(n, *shape):
    return np.random.default_rng(0).integers(20, 256, (n, *shape), np.uint8)


@pytest.mark.parametrize("region", [None, round_mask(40) & (np.arange(40) < 24)])
def test_a_quarter_of_the_patches_is_visible_and_nothing_of_the_others(region):
    images, task = noise(6, 40, 40, 3), small(region=region)
    (shown, visible), (patches, masked) = task.make_batch(images, 0)
    inside = np.ones(25, bool)
    for k, (i, j) in enumerate(np.ndindex(5, 5)):
        cell = np.s_[8 * i : 8 * i + 8, 8 * j : 8 * j + 8]
        inside[k] = region is None or region[cell].any()
        for n in range(6):
            assert np.array_equal(shown[n][cell], images[n][cell] * visible[n, k])
            np.testing.assert_array_equal(patches[n, k], images[n][cell].ravel())
    assert (visible.sum(1) == (6 if region is None else 3)).all()  # of 25, of 15
    np.testing.assert_array_equal(visible + 1 * masked, np.tile(inside, (6, 1)))
    assert len(np.unique(masked, axis=0)) == 6


def test_the_loss_is_of_masked_patches_in_units_of_their_variance(monkeypatch):
    task, images = small(), noise(3, 24, 40, 3)
    _, (patches, masked) = batch = task.make_batch(images, 0)
    answer = np.arange(patches.size).reshape(patches.shape) % 7 - 3.0
    monkeypatch.setattr(task, "predict", lambda *_: torch.from_numpy(answer))
    loss, logs = task(*to_tensor(batch))
    x, ends = patches / 255, {"axis": 2, "keepdims": True}
    wanted = (x - x.mean(**ends)) / np.sqrt(x.var(ddof=1, **ends) + 1e-6)
    others = np.stack([np.delete(wanted, n, 0).mean(0) for n in range(3)])
    answers = {"mean_patch": others, "flat": 0 * wanted, "masked": answer}
    for name, x in answers.items():
        expected = ((x - wanted) ** 2).mean(2)[masked].mean()
        assert logs[name].item() == pytest.approx(expected, rel=1e-5)
    assert loss == logs["masked"]


def test_a_transformer_encodes_visible_patches_alone():
    encoder, images = small().encoder.eval(), to_tensor(noise(2, 16, 24, 3))
    visible = torch.tensor([[1.0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1]])
    known = tokens.encode_visible(encoder, images, visible, (2, 3))
    for n, kept in enumerate(visible > 0):
        (alone,) = encoder.encode(encoder.tokens(images)[n : n + 1, kept])
        torch.testing.assert_close(known[n, kept], alone)
    assert not known[visible == 0].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_any_encoder_will_do_of_grey_images_and_odd_sizes(channels):
    images = noise(4, 35, 50, channels)
    for encoder in (Maps(channels), ViT(dim=16, depth=1, in_channels=channels)):
        task = MaskedAutoencoder(encoder, channels=channels, standardise=True)
        assert task.make_batch(images, 0)[1][0].shape == (4, 4 * 6, 64 * channels)
        rows = train(task, [images], steps=2, batch_size=4)
        assert np.isfinite(rows[-1]["masked"])
        ((figure, _),) = task.figures(images, [rows[-1] | {"bar": 1.0}], rng=0)
        assert len(figure.axes) == 12


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="patch_size must be the ViT's, 8, found 6"):
        small(patch_size=6)
    with pytest.raises(ValueError, match=r"mask_ratio must be < 1, found 1\.5"):
        small(mask_ratio=1.5).make_batch(noise(1, 16, 16, 3), 0)
    assert MaskedAutoencoder.build(Maps(), image_size=48).patch_size == 6


def test_black_patches_would_flatter():
    """The trap: 0 is wanted and answered, which looks like half the error."""
    images, region = noise(2, 32, 32, 3), np.arange(32) < np.full((32, 1), 16)
    images[:, ~region] = 0
    tasks = small(region=region), small()
    honest, seeming = (task.evaluate(images, 0)["flat"] for task in tasks)
    assert honest == pytest.approx(191 / 192, rel=1e-3)
    assert seeming < 0.75 * honest


class Everywhere(MaskedAutoencoder):  # asks for visible patches too
    def forward(self, inputs, targets):
        return super().forward(inputs, (targets[0], inputs[1] + targets[1]))


def learned(kind, steps, seed=0):
    images, unseen = (toy.fundus(n, size=32, rng=n).images for n in (64, 60))
    task = small(kind, seed=seed, region=round_mask(32))
    train(task, [images], steps=steps, batch_size=32, lr=1e-2, seed=seed)
    return task, unseen


def test_visible_patches_would_flatter():
    """The trap: the same network, asked for them too, seems better."""
    task, unseen = learned(Everywhere, 60)
    batch = to_tensor(task.make_batch(unseen, 0))
    assert task(*batch)[0] < 0.99 * MaskedAutoencoder.forward(task, *batch)[0]


def test_280_steps_on_synthetic_eyes_beat_the_mean_patch():
    task, unseen = learned(MaskedAutoencoder, 280)
    scores = task.evaluate(unseen, 0)
    assert scores["masked"] < scores["bar"] == scores["mean_patch"] < 0.1
