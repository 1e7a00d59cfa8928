"""SimCLR: the loss against a double loop, and what strong colours make forget."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from strategies import seeds
from torch import nn
from torch.nn import functional as F

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.pretext.simclr import SimCLR, nt_xent
from tinyssl.training import to_tensor, train

temperatures = st.floats(0.05, 2)


def double_loop(z, temperature):
    """Write equation 1 of the paper out, as the mean over all 2N views."""
    z, count, total = z / np.sqrt((z**2).sum(1, keepdims=True)), len(z), 0
    for i in range(count):
        j = (i + count // 2) % count
        terms = [math.exp(z[i] @ z[k] / temperature) for k in range(count) if k != i]
        total += math.log(sum(terms)) - z[i] @ z[j] / temperature
    return total / count


def law(pairs, temperature, seed):
    z = np.random.default_rng(seed).normal(size=(2 * pairs, 5))
    actual = float(nt_xent(torch.from_numpy(z), temperature))
    assert actual == pytest.approx(double_loop(z, temperature), rel=1e-9)


@given(st.integers(1, 9), temperatures, seeds)
def test_the_loss_equals_a_double_loop(n, temperature, seed):
    law(n, temperature, seed)


@pytest.mark.parametrize("part", ["torch.Tensor.masked_fill", "F.normalize"])
def test_an_image_as_its_own_negative_or_not_normalised_is_caught(part, monkeypatch):
    monkeypatch.setattr(f"tinyssl.pretext.simclr.{part}", lambda z, *_: z)
    with pytest.raises(AssertionError):
        law(4, 0.5, 0)


@given(st.integers(2, 9), temperatures, seeds)
def test_equal_embeddings_cost_chance_and_the_order_of_pairs_does_not_count(n, t, seed):
    equal = torch.ones(2 * n, 3, dtype=torch.float64)
    assert float(nt_xent(equal, t)) == pytest.approx(math.log(2 * n - 1))
    z = np.random.default_rng(seed).normal(size=(2, n, 4))
    moved = z[::-1, np.random.default_rng(seed).permutation(n)]
    a, b = (float(nt_xent(torch.from_numpy(np.concatenate(x)), t)) for x in (z, moved))
    assert a == pytest.approx(b)


class Noise(nn.Module):
    num_features = 64

    def features(self, x):
        return torch.randn(len(x), 64, 1, 1)


@pytest.mark.parametrize("n", [10, 64, 100])
def test_a_blind_encoder_stays_at_chance_in_groups_of_64(n):
    torch.manual_seed(0)
    task, eyes = SimCLR(Noise(), temperature=100.0), toy.fundus(n, size=17).images
    found = [task.evaluate(eyes, np.random.default_rng(k)) for k in range(8)]
    keys = ("accuracy", "bar", "loss")
    right, bar, loss = (np.mean([s[k] for s in found]) for k in keys)
    assert bar == pytest.approx(1 / (2 * min(n, 64) - 1))
    assert abs(right - bar) < 4 * math.sqrt(bar / (8 * 2 * n))
    assert loss == pytest.approx(math.log(1 / bar), abs=0.01)


class Statistics(nn.Module):  # mixtures of colours and of contrast at three scales
    num_features = 8

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(6, 8)

    def features(self, x):
        x = x[:, :, 6:-6, 6:-6]
        grey = x.mean(1, keepdim=True)
        seen = [F.avg_pool2d(grey, k).std((1, 2, 3)) for k in (1, 2, 4)]
        seen = torch.stack([*seen, *x.mean((2, 3)).T], 1).clamp_min(1e-3)
        return self.mix(seen.log())[..., None, None]


def textures(hues, seed):
    """Return round images of many grains, warm (a hue above 0) or cool."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(len(hues), 24, 24))
    noise = np.stack([gaussian_filter(x, rng.uniform(0.3, 2)) for x in noise])
    grey = 70 + 15 * noise / noise.std((1, 2), keepdims=True)
    colours = np.exp(np.outer(hues, [1, 0, -1]))[:, None, None]
    return np.uint8(grey[..., None] * colours * round_mask(24)[..., None])


def hue_known(colour):
    """Train, and tell how far a hue moves images, beside how far two are apart."""
    torch.manual_seed(0)
    task = SimCLR(Statistics(), area=1.0, colour=colour)
    train(task, (textures(np.linspace(-0.2, 0.2, 200), 0),), steps=100, lr=1e-2)
    warm, cool = (textures(np.full(100, hue), 2) for hue in (0.2, -0.2))  # else alike
    with torch.no_grad():
        warm, cool = (task.represent(to_tensor(x)) for x in (warm, cool))
    moved = (warm - cool).square().sum(1).mean()
    return float(moved / (2 * warm.var(0).sum()))


def test_strong_colours_make_features_forget_the_hue():
    """The trap: what the views change, the features no longer know."""
    assert hue_known(8.0) < 0.5 * hue_known(1.0)


def test_60_steps_on_synthetic_eyes_find_more_views_of_unseen_ones(tiny_encoder):
    torch.manual_seed(0)
    task, unseen = SimCLR(tiny_encoder), toy.fundus(64, size=31, rng=9).images
    before = task.evaluate(unseen, np.random.default_rng(0))
    train(task, (toy.fundus(64, size=31, rng=0).images,), steps=60, lr=5e-3)
    after = task.evaluate(unseen, np.random.default_rng(0))
    assert after["accuracy"] > max(before["accuracy"], 10 * after["bar"]), before
    with pytest.raises(ValueError, match="temperature must be finite and > 0, found 0"):
        SimCLR(tiny_encoder, temperature=0)
