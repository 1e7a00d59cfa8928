"""Pasting: what is pasted where, and the border that gives it away."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from strategies import seeds
from torch import nn

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.pretext.paste import AnatomyPaste
from tinyssl.training import to_tensor, train


class Steps(nn.Module):
    """Features that tell how much neighbouring pixels differ, and nothing else."""

    num_features = 1

    def features(self, x):
        down, right = x.diff(dim=2)[..., 1:], x.diff(dim=3)[:, :, 1:]
        return 10 * (down.abs() + right.abs()).amax(1, keepdim=True)


def batch(images, seed=0, **options):
    task = AnatomyPaste(Steps(), **options)
    return task.make_batch(images, np.random.default_rng(seed))


@given(st.integers(24, 40), st.integers(24, 40), st.sampled_from([1, 3]), seeds)
def test_a_piece_is_pasted_in_the_region_and_the_label_says_where_it_is(h, w, c, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (5, h, w, c), np.uint8)
    region = np.zeros((h, w), bool)
    region[2:-4, 3:-1] = True
    (whole, pasted), labels = batch(images, seed, edge=2, region=region)
    assert labels.tolist() == [[0, 1]] * 5  # of the untouched, of the pasted
    assert np.array_equal(whole, images)
    changed = (pasted != images).any(-1)  # (N, H, W)
    assert changed.any((1, 2)).all()
    assert not (changed & ~region).any()
    for mask in changed:  # one rectangle, of 2 to 15 % of the image, half a pixel off
        y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        sides = y[-1] - y[0] + 1, x[-1] - x[0] + 1
        assert (sides[0] - 0.5) * (sides[1] - 0.5) <= 0.15 * h * w
        assert mask.sum() >= 0.7 * sides[0] * sides[1]
        assert (sides[0] + 2) * (sides[1] + 2) >= 0.02 * h * w


def test_a_piece_has_the_colours_of_the_image_it_comes_from():
    """Red is the image's number: a piece of another image would show."""
    images = np.full((6, 32, 32, 3), 100, np.uint8)
    images[..., 0] = 40 * np.arange(6)[:, None, None]
    (_, pasted), _ = batch(images, jitter=0.0)
    assert np.array_equal(pasted, images)
    (_, pasted), _ = batch(images, jitter=0.3)
    assert (np.abs(pasted.astype(float) - images) <= 0.3 * images + 0.5).all()
    assert (pasted != images).any()


def test_a_blind_encoder_stays_at_chance_and_what_is_shown_says_so():
    blind = Steps()
    blind.features = lambda x: torch.zeros(len(x), 1, 2, 2)
    task = AnatomyPaste(blind)
    eyes = toy.fundus(6, size=32).images
    scores = task.evaluate(eyes, np.random.default_rng(0))
    assert scores["accuracy"] == scores["bar"] == 0.5
    assert scores["found"] == scores["false_alarms"] in (0, 1)
    nn.init.zeros_(task.head.bias)
    loss, _ = task(*to_tensor(task.make_batch(eyes, np.random.default_rng(0))))
    assert loss.item() == pytest.approx(task.chance["loss"])
    assert "Right for 50.0% (chance 50.0%) of the unseen eyes" in task.describe(
        [scores], "unseen eyes"
    )
    (figure, _), _ = task.figures(eyes, [scores], rng=np.random.default_rng(0))
    assert len(figure.axes) == 12  # six images, and the same with a piece


@pytest.mark.parametrize("seed", range(2))
def test_a_hard_border_gives_a_piece_away_and_a_soft_one_does_not(seed):
    """The trap: what finds hard borders scores high, and finds no soft piece."""
    noise = np.random.default_rng(seed).normal(size=(240, 40, 40))
    noise = gaussian_filter(noise, (0, 6, 6)) * 14  # smooth: no border of its own
    images = np.uint8(np.clip(128 + 40 * noise, 0, 255))[..., None]

    def trained(edge):
        torch.manual_seed(seed)
        task = AnatomyPaste(Steps(), edge=edge, jitter=0.0)
        train(task, (images[:160],), steps=100, batch_size=16, lr=0.1, seed=seed)
        return task

    hard, soft = trained(0), trained(4)
    rng = np.random.default_rng
    known, honest = (t.evaluate(images[160:], rng(1)) for t in (hard, soft))
    assert known["accuracy"] > honest["accuracy"] + 0.1 > 0.75
    assert honest["found_hard"] > honest["found"] + 0.15
    assert known["found"] == known["found_hard"] > 0.7
    hard.edge = 4  # what it learned is the border
    assert hard.evaluate(images[160:], rng(1))["found"] < 0.4


@pytest.mark.parametrize("seed", range(2))
def test_60_steps_on_synthetic_eyes_beat_chance(seed, tiny_encoder):
    seen, unseen = (toy.fundus(n, size=32, rng=n + seed).images for n in (64, 128))
    torch.manual_seed(seed)
    # colours of a piece that are easily seen, for so few steps
    task = AnatomyPaste(tiny_encoder, edge=1, jitter=0.8, region=round_mask(32))
    rng = np.random.default_rng
    before = task.evaluate(unseen, rng(1))["accuracy"]
    assert abs(before - 0.5) < 3 * 0.5 / 256**0.5
    train(task, (seen,), steps=60, batch_size=16, lr=5e-3, seed=seed)
    assert task.evaluate(unseen, rng(1))["accuracy"] > 0.62


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edge": -1}, "edge must be >= 0, found -1"),
        ({"jitter": 1.0}, "jitter must be < 1, found 1.0"),
        ({"region": np.eye(32, dtype=bool)}, "region must have 2 or more places"),
        ({"region": np.ones((9, 9), bool)}, "region must have shape"),
    ],
)
def test_what_cannot_be_pasted_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        batch(toy.fundus(2, size=32).images, **options)
