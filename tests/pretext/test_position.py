"""Relative position: a label that the pixels give, and two ways to guess it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import nn

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.pretext.position import RelativePosition, steps
from tinyssl.training import train

STEPS = steps(2)


class MeanColour(nn.Module):
    """Features that tell light and colour, and nothing of what is seen."""

    num_features = 48

    def features(self, x):
        return 10 * x.mean((2, 3), keepdim=True).repeat(1, 16, 1, 1)


def coordinates(n, size):
    """Return images whose red is the row and whose green is the column."""
    y, x = np.mgrid[:size, :size].astype(np.uint8)
    return np.stack([y, x, np.full_like(y, 9)], -1)[None].repeat(n, axis=0)


def unlit(monkeypatch):
    """Leave light and contrast as they are."""
    monkeypatch.setattr("tinyssl.pretext.position.adjust", lambda x, *_: x)


@given(st.integers(3, 7), st.integers(0, 3), st.integers(0, 2), st.integers(0, 99))
def test_the_label_says_where_the_neighbour_was(size, gap, jitter, seed):
    with pytest.MonkeyPatch.context() as patch:
        unlit(patch)
        options = {"patch_size": size, "gap": gap, "jitter": jitter, "colour": True}
        task = RelativePosition(MeanColour(), **options)
        rng = np.random.default_rng(seed)
        (first, second), places = task.make_batch(coordinates(5, 40), rng=rng)
    assert first.shape == second.shape == (5, size, size, 3)
    apart = second[:, 0, 0, :2].astype(int) - first[:, 0, 0, :2]
    assert np.abs(apart - (size + gap) * STEPS[places]).max() <= jitter


def test_all_nine_places_lie_in_the_region():
    region = round_mask(64)
    task = RelativePosition(MeanColour(), patch_size=8, region=region)
    reach = task.pitch + task.jitter
    for y, x in task.sample_centres(
        np.zeros((200, 64, 64, 1)), np.random.default_rng(0)
    ):
        assert region[y - reach : y + 8 + reach, x - reach : x + 8 + reach].all()


def test_a_place_alone_says_nothing_of_the_answer(monkeypatch):
    unlit(monkeypatch)
    task = RelativePosition(MeanColour(), patch_size=8, colour=True)
    rng = np.random.default_rng(0)
    (first, _), places = task.make_batch(coordinates(4000, 64), rng=rng)
    centres = first[:, 0, 0, :2]
    for place in range(8):
        assert np.abs(centres[places == place].mean(0) - centres.mean(0)).max() < 1.5


def test_grey_hides_the_colours_of_a_lens():
    task = RelativePosition(MeanColour(), patch_size=6)
    (first, _), _ = task.make_batch(coordinates(3, 40), rng=np.random.default_rng(0))
    assert (first == first[..., :1]).all()


def test_an_image_without_room_is_refused():
    task = RelativePosition(MeanColour(), patch_size=12)
    with pytest.raises(ValueError, match="leave room for 50 pixels"):
        task.make_batch(coordinates(1, 60)[:, :, :49], rng=np.random.default_rng(0))
    (patch, _), _ = task.make_batch(coordinates(1, 50), rng=np.random.default_rng(0))
    assert patch.shape == (1, 12, 12, 3)


def test_a_blind_encoder_stays_at_chance():
    blind = MeanColour()
    blind.features = lambda x: torch.zeros(len(x), 48, 1, 1)
    task = RelativePosition(blind, patch_size=6)
    scores = task.evaluate(coordinates(6, 48), np.random.default_rng(0))
    assert scores["accuracy"] == pytest.approx(1 / 8)
    assert np.array(scores["confusion"]).sum(1).tolist() == [6] * 8


def accuracy(encoder, images, **options):
    torch.manual_seed(0)
    task = RelativePosition(encoder, patch_size=10, **options)
    train(task, (images[:-40],), steps=160, batch_size=32, lr=5e-3)
    return task.evaluate(images[-40:], np.random.default_rng(1))["accuracy"]


def test_what_a_lens_and_a_dark_rim_betray_is_hidden(monkeypatch):
    """The trap: where colour and light follow the place, they give the answer."""
    images = 3 * coordinates(240, 48)
    assert accuracy(MeanColour(), images) < 0.5
    unlit(monkeypatch)
    assert accuracy(MeanColour(), images, colour=True) > 0.9


@pytest.mark.parametrize(("gap", "goes_on"), [(0, True), (-1, False)])
def test_a_gap_parts_what_would_go_on(gap, goes_on, monkeypatch):
    """The trap: rims that touch match, whatever is seen."""
    unlit(monkeypatch)
    noise = np.random.default_rng(0).normal(size=(400, 60, 60))
    noise = gaussian_filter(noise, (0, 1, 1))
    images = np.uint8(np.clip(128 + 200 * noise, 0, 255))[..., None].repeat(3, axis=3)
    task = RelativePosition(MeanColour(), patch_size=8, gap=gap, jitter=0)
    (first, second), places = task.make_batch(images, rng=np.random.default_rng(1))
    right = np.flatnonzero((STEPS[places] == (0, 1)).all(1))
    rims = first[right, :, -1, 0].ravel(), second[right, :, 0, 0].ravel()
    assert (np.corrcoef(*rims)[0, 1] > 0.6) == goes_on


def test_160_steps_on_synthetic_eyes_beat_chance(tiny_encoder):
    assert accuracy(tiny_encoder, toy.fundus(160, rng=0).images) > 1 / 8 + 0.05
