"""Bag of words: the target is the image's own histogram, whatever the view."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.pretext.bow import BagOfWords
from tinyssl.training import train

SHAPE = {"num_filters": 16, "patch_size": 5, "stride": 3}


class Blind(nn.Module):
    num_features = 2

    def features(self, x):
        return torch.zeros(len(x), 2, 3, 3)


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(60, size=39, rng=0).images


def fitted(images, encoder=None, **options):
    torch.manual_seed(0)
    task = BagOfWords(encoder or Blind(), **SHAPE | options)
    task.fit(images, rng=np.random.default_rng(0))
    return task


def targets_of(task, images, seed=0):
    return task.make_batch(images, rng=np.random.default_rng(seed))[1]


@pytest.mark.parametrize("n", [60, 9])
def test_targets_are_the_principal_components_of_the_dictionarys_answers(eyes, n):
    task, images = fitted(eyes[:n]), eyes[:n]
    x = PatchDictionary(**SHAPE, rng=np.random.default_rng(0)).fit(images)
    x = x.features(images).astype(float)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    count = min(64, (s > 0.01 * s[0]).sum())
    assert count <= min(n - 1, 48)
    actual = targets_of(task, images)
    assert actual.shape == (n, 64)
    signs = np.sign((actual[:, :count] * u[:, :count]).sum(0))
    expected = u[:, :count] * signs * np.sqrt(n)  # of variance 1
    first = slice(0, 6)  # the last are close to one another, and may mix
    np.testing.assert_allclose(actual[:, first], expected[:, first], atol=0.02)
    np.testing.assert_allclose(actual[:, :count].std(0), 1, atol=0.02)
    assert not actual[:, count:].any()
    weights = task.words.weights.numpy()
    np.testing.assert_allclose(weights[:count], s[:count] / s[0], atol=1e-3)
    assert not weights[count:].any()


def test_targets_are_the_images_own_and_survive_a_file(eyes):
    task, loaded = fitted(eyes[:40]), BagOfWords(Blind(), **SHAPE)
    loaded.load_state_dict(task.state_dict())
    assert (len(task.words.known), loaded.words.known) == (40, {})
    some = np.concatenate([eyes[30:50], eyes[30:31]])
    some[-1, 25:] //= 2  # the upper part is that of an image that it knows
    first, other_views, alone = (
        targets_of(task, some),
        targets_of(task, some, seed=1),
        np.concatenate([targets_of(loaded, some[i : i + 1]) for i in range(21)]),
    )
    np.testing.assert_array_equal(first, other_views)
    np.testing.assert_array_equal(first, alone)
    assert len(np.unique(first, axis=0)) == 21
    views = (task.make_batch(some, rng=np.random.default_rng(k))[0] for k in (0, 1))
    assert not np.array_equal(*views)


def test_the_mean_histogram_is_the_bar(eyes):
    task = fitted(eyes)
    nn.init.zeros_(task.head.weight)
    nn.init.zeros_(task.head.bias)
    scores = task.evaluate(eyes, np.random.default_rng(0))
    assert scores["error"] == scores["bar"] == pytest.approx(1, abs=0.02)
    assert scores["r2"] == 0
    answers, targets = torch.rand(2, 64), torch.rand(2, 64)
    weights = task.words.weights
    expected = ((answers - targets) ** 2 * weights).sum() / (2 * weights.sum())
    assert task.error(answers, targets) == pytest.approx(expected.item(), rel=1e-5)


def test_the_dictionary_itself_answers_the_image_but_not_its_views(eyes, monkeypatch):
    """The trap: without views there is nothing to learn that the words do not know."""
    task = fitted(eyes)
    scores = task.evaluate(eyes, np.random.default_rng(0))
    assert scores["dictionary"] > 0.2
    monkeypatch.setattr("tinyssl.pretext.bow.sample_views", lambda images, rng: images)
    assert task.evaluate(eyes, np.random.default_rng(0))["dictionary"] == 0


def test_grey_images_have_words_too(eyes):
    grey = eyes[:9, :, :, :1]
    task = fitted(grey)
    inputs, targets = task.make_batch(grey, rng=np.random.default_rng(0))
    assert (inputs.shape, targets.shape) == (grey.shape, (9, 64))
    np.testing.assert_array_equal(targets, targets_of(fitted(grey.repeat(3, 3)), grey))


def test_a_few_steps_tell_histograms_of_unseen_eyes(tiny_encoder):
    images = toy.fundus(96, size=40, rng=0).images
    task = fitted(images[:64], tiny_encoder)
    train(task, (images[:64],), steps=60, batch_size=32, lr=5e-3)
    scores = task.evaluate(images[64:], np.random.default_rng(0))
    assert scores["r2"] > 0.1
    assert scores["error"] < scores["bar"] - 0.1


def test_what_it_refuses(eyes):
    with pytest.raises(ValueError, match=r"fit\(images\) must come before batches"):
        targets_of(BagOfWords(Blind()), eyes)
    with pytest.raises(ValueError, match="stride must be >= 1, found 0"):
        fitted(eyes, stride=0)
    with pytest.raises(ValueError, match="images must have 16 patches or more"):
        fitted(0 * eyes)
