"""Rotation: labels from the pixels, no way to cheat by the border, and learning."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import seeds

from tinyssl.data import toy
from tinyssl.pretext import Rotation
from tinyssl.pretext.inputs import turn_invariant_field
from tinyssl.training import train

batches = st.integers(1, 4).flatmap(lambda n: hnp.arrays(np.uint8, (n, 9, 9, 3)))


@given(batches, seeds)
def test_field_equals_its_turns_and_undoing_the_turn_gives_the_image(images, seed):
    field = turn_invariant_field(images)
    for turn in range(1, 4):
        np.testing.assert_array_equal(np.rot90(field, turn, (1, 2)), field)
    assert not (field & (images.max(-1) <= 12)).any()
    task = Rotation(Stub(), hide_border=False)
    inputs, turns = task.make_batch(images, rng=np.random.default_rng(seed))
    for image, turned, turn in zip(images, inputs, turns, strict=True):
        undone = np.rot90(turned, -turn)
        assert (undone == image).all() or (undone == image[:, ::-1]).all()


def test_cut_off_border_reaches_no_network_and_a_blind_one_stays_at_chance():
    eyes = toy.fundus(4, size=32, rng=0).images.copy()
    eyes[:, :5] = 0  # a camera that cuts the top
    inputs, turns = Rotation(Stub()).make_batch(eyes, rng=np.random.default_rng(0))
    inputs[:, 5:27, 5:27] = 0
    assert not inputs.any(), "rows cut in one orientation must be dark in all"
    assert len(set(turns)) > 1
    task = Rotation(Stub())
    scores = task.evaluate(toy.fundus(8, size=32).images, np.random.default_rng(0))
    assert scores["accuracy"] == pytest.approx(0.25)
    assert np.array(scores["confusion"]).sum(1).tolist() == [8] * 4
    assert task.chance["loss"] == pytest.approx(math.log(4))


@pytest.mark.parametrize("standardise", [True, False])
def test_the_network_sees_what_it_was_promised(standardise):
    task = Rotation(Stub(), standardise=standardise)
    inputs = torch.rand(2, 3, 8, 8) / 8 + 0.5
    task.logits(inputs)
    seen = task.encoder.seen
    if standardise:
        torch.testing.assert_close(seen.mean((2, 3)), torch.zeros(2, 3))
        torch.testing.assert_close(seen.std((2, 3), correction=0), torch.ones(2, 3))
    else:
        assert seen is inputs


class Stub(torch.nn.Module):
    """Features that are the mean colour: no information on the turn."""

    num_features = 3

    def features(self, x):
        self.seen = x
        return x.mean((2, 3), keepdim=True)


def test_axis_is_learnt_at_once_and_the_half_turn_is_the_hard_part(tiny_encoder):
    eyes = toy.fundus(240, size=32, rng=0).images
    torch.manual_seed(0)
    task = Rotation(tiny_encoder)
    train(task, (eyes[:200],), steps=400, batch_size=16, lr=5e-3)
    scores = task.evaluate(eyes[200:], np.random.default_rng(0))
    confusion = np.array(scores["confusion"])
    same_axis = confusion[::2, ::2].sum() + confusion[1::2, 1::2].sum()
    assert same_axis / confusion.sum() > 0.7, scores  # chance is one half
    assert scores["accuracy"] > 0.3, scores
