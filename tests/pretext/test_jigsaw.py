"""Jigsaw: the label names the order, one set for good, and what slopes betray."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds
from torch import nn

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.pretext import Jigsaw
from tinyssl.training import to_tensor, train

SIDES = [(24, 25, 3), (9, 12, 21, 1)]


class Halves(nn.Module):  # which side of a tile is brighter, and nothing finer
    num_features = 12

    def features(self, x):
        return nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)[..., None, None]


class Small(nn.Module):  # of images or volumes: what a task asks for, and no more
    num_features = 16

    def __init__(self, dims=2):
        super().__init__()
        self.dims, conv = dims, {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        self.layer = conv({2: 3, 3: 1}[dims], 16, 3, stride=2)

    def features(self, x):
        return self.layer(x).relu()


class Anew(Jigsaw):  # a set drawn anew for each batch
    def make_batch(self, images, rng):
        anew = rng.permuted(self.permutations.numpy(), axis=1)
        self.permutations = torch.from_numpy(anew)
        return super().make_batch(images, rng)


@given(seeds, st.sampled_from(SIDES))
def test_the_label_names_the_order_of_the_cells(seed, sides):
    grid = 6 - len(sides)
    number = np.zeros(sides[:-1], np.uint8)  # of the cell, in reading order
    for place, side in zip(np.indices(sides[:-1]), sides, strict=False):
        number = grid * number + place // (side // grid)
    images = np.broadcast_to(np.uint8(number)[..., None], (4, *sides))
    task = Jigsaw(Small(len(sides) - 1), num_permutations=20)
    tiles, labels = task.make_batch(images, np.random.default_rng(seed))
    seen = tiles.reshape(4, grid ** (len(sides) - 1), -1)
    expected = task.permutations.numpy()[labels][..., None]
    np.testing.assert_array_equal(seen, np.broadcast_to(expected, seen.shape))


def test_the_set_is_fixed_and_saved():
    task, other = Jigsaw(Small()), Jigsaw(Small())
    assert torch.equal(task.permutations, other.permutations)
    assert len({tuple(row) for row in task.permutations.tolist()}) == 100
    other.load_state_dict(task.state_dict() | {"permutations": 8 - task.permutations})
    assert torch.equal(other.permutations, 8 - task.permutations)
    assert Jigsaw(Small(), num_permutations=7).chance["accuracy"] == 1 / 7


@pytest.mark.parametrize("sides", SIDES)
def test_every_permutation_of_every_image_is_asked(sides):
    images = np.random.default_rng(0).integers(0, 256, (4, *sides), np.uint8)
    task, right, placed = Jigsaw(Small(len(sides) - 1), num_permutations=60), [], []
    nn.init.normal_(task.head[0].weight, std=9)  # so that answers differ
    scores = task.evaluate(images, np.random.default_rng(5))
    tiles = task.cut(images, np.random.default_rng(5))
    for label, order in enumerate(task.permutations):
        seen = task.look(to_tensor(tiles[:, order])).flatten(1)
        said = task.head(seen).argmax(1)
        right.append((said == label).float().mean())
        placed.append((task.permutations[said] == order).float().mean())
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert scores["placed"] == pytest.approx(np.mean(placed))
    assert scores["placed"] > scores["accuracy"]
    nn.init.zeros_(task.head[0].weight)  # blind: one answer to all
    scores = task.evaluate(images, np.random.default_rng(5))
    assert [scores["accuracy"], scores["bar"]] == pytest.approx([1 / 60, 1 / 60])


def accuracy(kind, encoder, images, steps, **options):
    torch.manual_seed(0)
    task, half = kind(encoder(), **options), len(images) // 2
    how = {"steps": steps, "batch_size": 16, "lr": 1e-2, "channels_last": False}
    train(task, (images[:half],), **how)
    return task.evaluate(images[half:], np.random.default_rng(1))["accuracy"]


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(128, size=32, rng=0).images


def test_60_steps_beat_chance_and_a_set_drawn_anew_stays_at_it(eyes):
    """The trap: labels that name another order each time."""
    asked = {"num_permutations": 10, "region": round_mask(32)}
    assert accuracy(Jigsaw, Small, eyes, 60, **asked) > 0.15
    assert accuracy(Anew, Small, eyes, 60, **asked) < 0.13


def test_the_slope_of_the_light_would_give_the_order_away(eyes, monkeypatch):
    """The trap: an eye is darker at its rim, whatever is seen there."""
    asked = {"num_permutations": 20, "region": round_mask(32)}
    assert accuracy(Jigsaw, Halves, eyes, 120, **asked) < 0.5
    monkeypatch.setattr("tinyssl.pretext.jigsaw.levelled", lambda x: x)
    assert accuracy(Jigsaw, Halves, eyes, 120, **asked) > 0.7


def test_volumes_are_put_in_order_too():
    place = np.indices((8, 16, 16))
    wave = sum(p * (p // side) for p, side in zip(place, (4, 8, 8), strict=True))
    phase = np.random.default_rng(0).uniform(0, 6, (60, 1, 1, 1))
    # stripes of a direction for each cell
    volumes = np.uint8(128 + 100 * np.sin(1.6 * wave + phase))[..., None]
    assert accuracy(Jigsaw, lambda: Small(3), volumes, 60, num_permutations=24) > 0.5


def test_what_it_cannot_ask_or_cut_is_refused():
    with pytest.raises(ValueError, match="num_permutations must be >= 2, found 1"):
        Jigsaw(Small(), num_permutations=1)
    for dims, found in ((2, 5), (3, 4)):
        with pytest.raises(ValueError, match=f"have {dims + 2} axes, found {found}"):
            Jigsaw(Small(dims)).cut(np.zeros([9] * found), np.random.default_rng(0))
