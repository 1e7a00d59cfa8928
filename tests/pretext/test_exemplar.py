"""Exemplar: what counts as a negative, and vectors that are of unit length."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds
from torch import nn

from tinyssl.data import toy
from tinyssl.pretext.exemplar import Exemplar
from tinyssl.training import train


class Noise(nn.Module):
    """Features that say nothing of the image."""

    num_features = 64

    def features(self, x):
        return torch.randn(len(x), 64, 1, 1)


def triplets(z, which, margin):
    """Write the loss out, triplet by triplet, and the share of them in order."""
    z = z / np.sqrt((z**2).sum(1, keepdims=True))
    first, second = np.split(z, 2)
    losses, right = [], []
    for i, anchor in enumerate(first):
        far = [float(((anchor - copy) ** 2).sum()) for copy in second]
        others = [far[j] for j in range(len(far)) if which[j] != which[i]]
        beyond = [d for d in others if d > far[i]]
        negative = min(beyond) if beyond else max(others)
        losses.append(max(0, far[i] - negative + margin))
        right += [(d > far[i]) + (d == far[i]) / 2 for d in others]
    return np.mean(losses), np.mean(right)


@given(st.integers(2, 9), st.floats(0.1, 2), seeds)
def test_the_loss_equals_a_loop_over_triplets(n, margin, seed):
    rng = np.random.default_rng(seed)
    z, which = rng.normal(size=(2 * n, 3)), np.r_[0, 1, rng.integers(0, n, n - 2)]
    task = Exemplar(Noise(), margin=margin)
    loss, logs = task.compare(torch.from_numpy(z), torch.from_numpy(which))
    expected = triplets(z, which, margin)
    assert (float(loss), float(logs["accuracy"])) == pytest.approx(expected)


@given(seeds, st.integers(1, 8))
def test_the_label_says_which_images_are_the_same(seed, different):
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 256, (different, 7, 7, 1), np.uint8)
    drawn = np.r_[np.arange(different), rng.integers(0, different, 6)]
    task = Exemplar(Noise())
    if different < 2:
        with pytest.raises(ValueError, match="hold 2 different images, found 1"):
            task.make_batch(kinds[drawn], rng)
        return
    (first, second), which = task.make_batch(kinds[drawn], rng)
    assert first.shape == second.shape == (len(drawn), 7, 7, 1)
    assert ((which[:, None] == which) == (drawn[:, None] == drawn)).all()


def test_the_same_image_drawn_twice_is_no_negative():
    z = torch.eye(4)[[0, 0, 1, 2, 0, 3, 1, 2]]  # the second copy of the second is off
    apart, task = torch.arange(4), Exemplar(Noise(), margin=1.9)
    same = torch.tensor([0, 0, 1, 2])
    assert float(task.compare(z, same)[1]["accuracy"]) == pytest.approx(0.9)
    assert float(task.compare(z, apart)[1]["accuracy"]) < 0.9


@pytest.mark.parametrize("broken", [False, True])
def test_vectors_normalised_over_the_batch_cannot_keep_the_margin(broken, monkeypatch):
    """The trap: distances that shrink as the batch grows."""
    if broken:
        path = "tinyssl.pretext.exemplar.F.normalize"
        monkeypatch.setattr(path, lambda z: z / z.norm(dim=0))
    losses = []
    for n in (8, 64, 512):
        z = torch.randn(n, 64, generator=torch.Generator().manual_seed(0))
        loss, _ = Exemplar(Noise()).compare(z.repeat(2, 1), torch.arange(n))
        losses.append(float(loss))  # of copies that are equal, and of nothing else
    assert losses[0] == pytest.approx(0, abs=1e-6)
    if broken:
        assert losses[2] > 0.35
    else:
        assert losses[2] < 0.05


def test_a_blind_encoder_stays_at_chance_and_a_collapsed_one_pays_the_margin():
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(1, 256, (200, 5, 5, 3), np.uint8)
    task = Exemplar(Noise(), margin=0.7)
    scores = task.evaluate(images, np.random.default_rng(0))
    assert scores["accuracy"] == pytest.approx(scores["bar"], abs=0.06)  # 200 anchors
    assert task.chance == {"loss": 0.7, "accuracy": 0.5}
    loss, logs = task.compare(torch.ones(10, 4), torch.arange(5))
    assert float(loss) == pytest.approx(0.7)
    assert (float(logs["accuracy"]), float(logs["spread"])) == (0.5, 0)


def test_60_steps_on_synthetic_eyes_put_more_triplets_of_unseen_in_order(tiny_encoder):
    torch.manual_seed(0)
    task, unseen = Exemplar(tiny_encoder), toy.fundus(64, size=31, rng=9).images
    before = task.evaluate(unseen, np.random.default_rng(0))
    train(task, (toy.fundus(64, size=31, rng=0).images,), steps=60, lr=5e-3)
    after = task.evaluate(unseen, np.random.default_rng(0))
    assert after["accuracy"] > max(before["accuracy"], after["bar"] + 0.3), before
    assert before["loss"] == pytest.approx(0.5, abs=0.02)
    assert after["loss"] < 0.46
    with pytest.raises(ValueError, match="margin must be finite and > 0, found 0"):
        Exemplar(tiny_encoder, margin=0)
    with pytest.raises(ValueError, match="hold 2 different images, found 1"):
        task.make_batch(unseen[:1], np.random.default_rng(0))
