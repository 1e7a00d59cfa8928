"""Predictive coding: which patches are cut, what is asked, what overlap gives away."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data import toy
from tinyssl.pretext.cpc import ASKED, CPC, first_of
from tinyssl.training import to_tensor, train


class Pixels(nn.Module):
    """Features that are a few pixels themselves."""

    num_features = 48

    def features(self, x):
        return nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)[..., None, None]


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(60, 256, (6, 48, 48, 3), np.uint8)


def test_patches_are_all_windows_with_half_overlap(noise, monkeypatch):
    monkeypatch.setattr("tinyssl.pretext.cpc.adjust", lambda x, *_: x)
    patches, lit = CPC(Pixels()).make_batch(noise, np.random.default_rng(0))
    assert lit.shape == (6, 5, 5)
    assert lit.all()
    k = 0
    for image in noise:
        for y in range(0, 33, 8):
            for x in range(0, 33, 8):
                assert np.array_equal(patches[k], image[y : y + 16, x : x + 16])
                k += 1
    assert k == len(patches)


def test_a_prediction_sees_rows_above_it_and_no_other(noise):
    """The gradient of what is predicted for row r reaches rows up to r - 2 alone."""
    task = CPC(Pixels()).eval()
    patches, lit = to_tensor(task.make_batch(noise[:1], np.random.default_rng(0)))
    patches.requires_grad_()
    with torch.no_grad():
        codes = task.to_code(task.encoder.features(patches).flatten(1))
    codes = codes.view(1, 5, 5, -1).requires_grad_()
    columns = codes.transpose(1, 2).flatten(0, 1)
    context = task.from_above(columns)[0].unflatten(0, (1, 5)).transpose(1, 2)
    context[0, 1, 2].sum().backward()  # predicts row 3 of column 2
    reached = codes.grad[0].abs().sum(2) > 0
    assert reached.nonzero().tolist() == [[0, 2], [1, 2]]
    assert task.logits(patches, lit).shape == (15, 15)  # rows 2, 3 and 4


def test_dark_patches_are_neither_predicted_nor_candidates(noise):
    noise[:, :, :24] = 0
    task = CPC(Pixels())
    patches, lit = task.make_batch(noise, np.random.default_rng(0))
    assert lit[:, :, :2].sum() == 0
    known = task.known(torch.from_numpy(lit)[:, None])
    assert known.sum() == (lit[:, 2:] & lit[:, :-2]).sum()
    assert len(task.logits(*to_tensor((patches, lit)))) == known.sum()


def test_equal_scores_cost_the_logarithm_of_the_candidates(noise):
    task = CPC(Pixels())
    nn.init.zeros_(task.predict.weight)
    nn.init.zeros_(task.predict.bias)
    loss, logs = task(*to_tensor(task.make_batch(noise, np.random.default_rng(0))))
    assert loss.item() == pytest.approx(math.log(6 * 15), abs=1e-5)
    assert logs["ln_n"].item() == pytest.approx(math.log(6 * 15))


def test_the_right_one_among_sixteen_is_counted_by_an_independent_text():
    rng = np.random.default_rng(0)
    scores, others = rng.normal(size=(200, 200)), rng.integers(200, size=(200, 15))
    right = [
        all(scores[i, i] > scores[i, j] for j in row if j != i)
        for i, row in enumerate(others)
    ]
    found = first_of(torch.from_numpy(scores), torch.from_numpy(others))
    assert found.item() == pytest.approx(np.mean(right))


def test_a_network_that_knows_nothing_is_at_chance(noise):
    accuracy = []
    for seed in range(5):
        torch.manual_seed(seed)
        task = CPC(Pixels())
        scores = task.evaluate(noise, np.random.default_rng(seed))
        accuracy.append(scores["accuracy"])
    assert scores["bar"] == 1 / ASKED
    assert np.mean(accuracy) == pytest.approx(1 / ASKED, abs=0.06)


@pytest.mark.parametrize(("skip", "copied"), [(0, True), (1, False)])
def test_without_a_row_between_the_overlap_is_copied(skip, copied, noise):
    """The trap: in noise nothing can be foreseen but what was seen already."""
    torch.manual_seed(0)
    images = np.random.default_rng(1).integers(60, 256, (64, 48, 48, 3), np.uint8)
    task = CPC(Pixels(), skip=skip)
    train(task, (images,), steps=150, batch_size=8, lr=5e-3)
    accuracy = task.evaluate(noise, np.random.default_rng(0))["accuracy"]
    assert (accuracy > 0.25) == copied


def test_images_without_room_and_odd_patches_are_refused(noise):
    with pytest.raises(ValueError, match="must leave 3 rows of patches, found 2 in"):
        CPC(Pixels()).make_batch(noise[:, :24, :24], np.random.default_rng(0))
    with pytest.raises(ValueError, match="even number of pixels, 2 or more, found 7"):
        CPC(Pixels(), patch_size=7)


def test_eighty_steps_on_64_eyes_beat_chance_on_others(tiny_encoder):
    eyes, others = (toy.fundus(64, size=48, rng=seed).images for seed in (0, 1))
    task = CPC(tiny_encoder)
    train(task, (eyes,), steps=80, batch_size=8, lr=5e-3)
    scores = task.evaluate(others, np.random.default_rng(0))
    assert scores["accuracy"] > 1.5 / ASKED
