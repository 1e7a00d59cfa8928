"""Image-text contrast: which reports count as one's own, and what words do."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.data import toy
from tinyssl.models.text import NUMBER, TextEncoder, tokenize
from tinyssl.pretext.text import ImageText
from tinyssl.training import to_tensor, train


class Corners(nn.Module):
    """Features that are the mean colour of the upper left corner."""

    num_features = 3

    def features(self, x):
        return x[:, :, :2, :2]


def test_words_become_numbers_whatever_their_case_and_marks():
    (one, other) = tokenize(["No findings.", "NO, findings"])
    assert one.tolist() == other.tolist()
    assert one[:3].tolist() == [NUMBER["no"], NUMBER["findings"], 0]
    unknown = tokenize(["papilloedema", "papilloedema", "chorioretinitis"])[:, 0]
    assert unknown[0] == unknown[1] != unknown[2]
    assert unknown.min() > max(NUMBER.values())
    assert tokenize(["eye " * 99]).shape == (1, 48)


def test_every_word_of_the_synthetic_reports_is_in_the_vocabulary():
    tokens = tokenize(toy.fundus(300, size=16, rng=0).report)
    assert tokens.max() <= max(NUMBER.values())


def test_no_changes_the_word_behind_it_and_padding_nothing():
    torch.manual_seed(0)
    encoder = TextEncoder(width=16)
    tokens = torch.from_numpy(tokenize(["no drusen", "drusen no", "no drusen"]))
    first, turned, again = encoder(tokens)
    assert not torch.allclose(first, turned)
    assert torch.equal(first, again)
    assert torch.allclose(encoder(tokens[:1, :2]), first[None], atol=1e-6)


def test_views_are_not_mirrored_for_reports_name_the_side():
    images = np.zeros((40, 8, 8, 3), np.uint8)
    images[:, :, :4, 0] = 200  # the left half is red
    reports = np.array(["Left eye.", "No findings."] * 20)
    rng = np.random.default_rng(0)
    views, tokens = ImageText(Corners()).make_batch(images, reports, rng)
    assert (views[..., :4, 0].mean((1, 2)) > 4 * views[..., 4:, 0].mean((1, 2))).all()
    assert np.array_equal(tokens, tokenize(reports))


def test_equal_vectors_cost_the_logarithm_of_the_batch_and_guess_half():
    task = ImageText(Corners())
    nn.init.zeros_(task.to_common.weight)  # every image has one vector
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3), np.uint8)
    reports = np.array([f"report {k}" for k in range(40)])
    batch = task.make_batch(images, reports, np.random.default_rng(0))
    with torch.no_grad():
        task.log_scale.fill_(-20.0)  # cosines do not count
        loss, _ = task(*to_tensor(batch))
    assert loss.item() == pytest.approx(math.log(40), abs=1e-4)
    right = [
        task.evaluate(images, reports, np.random.default_rng(s))["accuracy"]
        for s in range(5)
    ]
    assert np.mean(right) == pytest.approx(0.5, abs=0.05)


def test_one_report_for_all_asks_nothing():
    images = np.zeros((3, 8, 8, 3), np.uint8)
    scores = ImageText(Corners()).evaluate(
        images, np.array(["same"] * 3), np.random.default_rng(0)
    )
    assert (scores["accuracy"], scores["reports"]) == (0.5, 1)


def test_equal_reports_cancel_in_the_gradient():
    """Counted as wrong or as right as well, they pull images to the same place."""
    torch.manual_seed(0)
    task, images = ImageText(Corners(), width=8), torch.rand(6, 3, 8, 8)
    tokens = torch.from_numpy(
        tokenize(["drusen", "cyst", "drusen", "cyst"] + ["no"] * 2)
    )
    gradients = []
    same = (tokens[:, None] == tokens).all(-1).float()
    for targets in (None, same / same.sum(1, keepdim=True)):
        task.zero_grad()
        if targets is None:
            task(images, tokens)[0].backward()
        else:
            cosine = task.embed_images(images) @ task.embed_texts(tokens).T
            logits = task.log_scale.exp() * cosine
            losses = [
                nn.functional.cross_entropy(x, targets) for x in (logits, logits.T)
            ]
            (sum(losses) / 2).backward()
        gradients.append(task.to_common.weight.grad.clone())
    assert torch.allclose(*gradients, atol=1e-5)
    assert gradients[0].abs().max() > 1e-3


def test_150_steps_on_64_eyes_beat_chance_on_others(tiny_encoder):
    eyes, others = toy.fundus(64, size=32, rng=0), toy.fundus(200, size=32, rng=1)
    task = ImageText(tiny_encoder)
    columns = (eyes.images, np.array(eyes.report))
    train(task, columns, steps=150, batch_size=32, lr=5e-3)
    task.eval()
    reports = np.array(others.report)
    scores = task.evaluate(others.images, reports, np.random.default_rng(0))
    assert scores["accuracy"] > 0.6
