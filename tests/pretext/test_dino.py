"""DINO: a teacher that follows, the two ways to collapse, and what holds them off."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data import toy
from tinyssl.models import ViT
from tinyssl.pretext.dino import DINO, found
from tinyssl.training import to_tensor, train


class Colours(nn.Module):
    """A layer on the mean colour of each quarter."""

    num_features = 16

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 16, 1)

    def features(self, x):
        return self.layer(nn.functional.adaptive_avg_pool2d(x, 2))


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(64, size=32, rng=0).images


def parameters(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def test_crops_are_two_large_and_four_small(eyes):
    task = DINO(Colours())
    (large, small), targets = task.make_batch(eyes, np.random.default_rng(0))
    assert [x.shape for x in large] == [(64, 32, 32, 3)] * 2
    assert [x.shape for x in small] == [(64, 16, 16, 3)] * 4
    assert targets == ()
    assert not np.array_equal(*large)


def test_the_loss_is_that_of_an_independent_text(eyes):
    torch.manual_seed(0)
    task = DINO(Colours(), outputs=32).eval()
    task.centre.normal_(std=0.1)
    batch = to_tensor(task.make_batch(eyes[:5], np.random.default_rng(0)))
    loss, logs = task(*batch)
    large, small = batch[0]

    def cosines(x, network):
        encoder, head, prototypes = network
        z = head(encoder.features(x).mean((2, 3))).detach().numpy()
        w = prototypes.weight.detach().numpy()
        z, w = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (z, w))
        return z @ w.T

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(1, keepdims=True)

    centre, terms, entropies = task.centre.numpy(), [], []
    for t, crop in enumerate(large):
        p = softmax((cosines(crop, task.teacher) - centre) / 0.04)
        entropies.append(-(p * np.log(p)).sum(1).mean())
        for s, other in enumerate([*large, *small]):
            if s != t:
                q = softmax(cosines(other, task.student) / 0.1)
                terms.append(-(p * np.log(q)).sum(1).mean())
    assert len(terms) == 10
    assert loss.item() == pytest.approx(np.mean(terms), rel=1e-4)
    assert logs["entropy"].item() == pytest.approx(np.mean(entropies), rel=1e-4)
    assert logs["kl"].item() == pytest.approx(
        np.mean(terms) - np.mean(entropies), rel=1e-3
    )


def test_the_teacher_follows_in_training_alone_and_has_no_gradient(eyes):
    torch.manual_seed(0)
    task = DINO(Colours(), momentum=0.9)
    assert torch.equal(parameters(task.teacher), parameters(task.student))
    with torch.no_grad():
        for p in task.student.parameters():
            p.add_(1.0)
    before = parameters(task.teacher)
    batch = to_tensor(task.make_batch(eyes[:4], np.random.default_rng(0)))
    task.eval()
    task(*batch)
    assert torch.equal(parameters(task.teacher), before)
    assert not task.centre.any()
    task.train()
    loss, _ = task(*batch)
    assert torch.allclose(parameters(task.teacher), before + 0.1, atol=1e-6)
    assert task.centre.any()
    loss.backward()
    assert all(p.grad is None for p in task.teacher.parameters())
    assert any("teacher" in name for name in task.state_dict())


@pytest.mark.parametrize(
    ("broken", "low", "high"),
    [({}, 0.05, 0.9), ({"centring": False}, 0, 0.05), ({"sharpening": False}, 0.98, 1)],
)
def test_without_centring_or_sharpening_it_collapses(broken, low, high, eyes):
    """The trap: one output for all images, or all outputs alike."""
    torch.manual_seed(0)
    task = DINO(Colours(), outputs=32, momentum=0.9, **broken)
    log = train(task, (eyes,), steps=150, batch_size=16, lr=1e-2)
    entropy = np.mean([row["entropy"] for row in log[-20:]]) / math.log(32)
    assert low <= entropy <= high


def test_an_image_is_found_by_the_nearest_crop():
    first, second = torch.randn(2, 40, 8)
    expected = [
        int(np.argmax([torch.cosine_similarity(a, b, 0) for b in second])) == i
        for i, a in enumerate(first)
    ]
    assert found(first, second).tolist() == expected
    assert found(first, first).all()


def test_a_vision_transformer_learns_too(eyes):
    torch.manual_seed(0)
    task = DINO(ViT(patch_size=8, dim=16, depth=1), outputs=16)
    rows = train(task, (eyes,), steps=2, batch_size=4)
    assert np.isfinite(rows[-1]["loss"])


def test_sixty_steps_on_64_eyes_beat_random_weights_on_others(tiny_encoder, eyes):
    others = toy.fundus(64, size=32, rng=1).images
    task = DINO(tiny_encoder, momentum=0.9)
    train(task, (eyes,), steps=60, batch_size=16, lr=3e-3)
    scores = task.evaluate(others, np.random.default_rng(0))
    assert scores["bar"] == 1 / 64
    assert scores["accuracy"] > 4 / 64
