"""Laterality: a mirrored right eye is a left eye, in training and in the answer."""

import numpy as np
import torch

from tinyssl.models import sononet_small
from tinyssl.targets.laterality import Laterality, evaluate
from tinyssl.training import train


def eyes(n, seed, side=32):
    """Return noise with a bright disc on the right (1) or on the left (0)."""
    rng = np.random.default_rng(seed)
    images = rng.integers(40, 90, (n, side, side, 3), np.uint8)
    right = rng.integers(0, 2, n)
    for image, eye in zip(images, right, strict=True):
        x = rng.integers(side // 2 + 4, side - 6) if eye else rng.integers(2, 10)
        y = rng.integers(8, 20)
        image[y : y + 4, x : x + 4] = 220
    return images, right


def test_labels_are_exchanged_with_the_mirror():
    images, right = eyes(40, 0)
    task = Laterality(sononet_small())
    seen, labels = task.make_batch(images, right, np.random.default_rng(1))
    assert (labels != right).sum() in range(8, 33)
    places = [np.argwhere(image.max(-1) > 150)[:, 1].mean() for image in seen]
    assert [int(place > 16) for place in places] == labels.tolist()


def test_mirror_image_gets_the_opposite_answer():
    images, _ = eyes(6, 3)
    torch.manual_seed(0)
    task = Laterality(sononet_small())
    straight, mirrored = task.predict(images), task.predict(images[:, :, ::-1])
    np.testing.assert_allclose(straight + mirrored, 1, atol=1e-6)


def test_it_learns_on_which_side_the_disc_lies():
    torch.manual_seed(0)
    task = Laterality(sononet_small())
    train(task, eyes(48, 4), steps=40, batch_size=16, lr=3e-3)
    images, right = eyes(40, 5)
    assert evaluate(right, task.predict(images))["accuracy"] > 0.9


def test_scores():
    scores = evaluate(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    assert scores == {"accuracy": 0.5, "auc": 0.75}
