"""Scores of whole images at their own size, of networks and of a second person."""

import numpy as np
import pytest
import torch
from torch import nn

from tinyssl.downstream.annotated import Annotated, score, second_observer
from tinyssl.downstream.segmentation import Segmentation


class Red(nn.Module):
    """Answer with the first colour."""

    def __init__(self):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return 4 * x[:, :1]


def drawn(*masks, noise=0):
    """Return images whose red is the mask, half as large as the mask."""
    rng = np.random.default_rng(0)
    images = []
    for mask in masks:
        red = np.where(mask[::2, ::2], 192, 64) + rng.normal(0, noise, (30, 40))
        images.append(np.repeat(red[..., None].astype(np.uint8), 3, 2))
    return Annotated(images, list(masks), [np.ones_like(m) for m in masks])


def square(top, side):
    mask = np.zeros((60, 80), bool)
    mask[top : top + side, 20 : 20 + side] = True
    return mask


def test_what_is_seen_small_is_scored_in_full():
    part = drawn(square(10, 20), square(30, 16))
    scores = score(Segmentation(Red()), part)
    assert scores["dice"] > 0.9
    assert scores["dice_per_image"][0] > scores["dice_per_image"][1]
    assert scores["dice"] == pytest.approx(np.mean(scores["dice_per_image"]))
    assert scores["average_precision"] > 0.95


def test_training_sees_masks_at_the_size_of_the_images():
    part = drawn(square(10, 20))
    images, masks, regions = part.select([0])
    assert images[0].shape[:2] == masks[0].shape == regions[0].shape == (30, 40)
    assert regions[0].dtype == bool
    assert 4 * masks[0].sum() == pytest.approx(400, rel=0.02)


def test_an_image_without_the_object_has_no_dice_but_its_false_alarms_count():
    task, empty = Segmentation(Red()), np.zeros((60, 80), bool)
    alone = score(task, drawn(square(10, 20)), thin=False)
    part = drawn(square(10, 20), empty)
    with_empty = score(task, part, thin=False)
    assert with_empty["dice"] == alone["dice"]
    assert np.isnan(with_empty["dice_per_image"][1])
    part.images[1][5:25, 5:25] = 255  # surer than of the square
    alarmed = score(task, part, thin=False)
    assert alarmed["dice"] == alone["dice"]
    assert alarmed["average_precision"] < with_empty["average_precision"] - 0.2
    assert alarmed["specificity"] < with_empty["specificity"]


def test_nothing_drawn_anywhere_is_nan_and_not_zero():
    scores = score(Segmentation(Red()), drawn(np.zeros((60, 80), bool)), thin=False)
    assert np.isnan(scores["dice"])
    assert np.isnan(scores["average_precision"])
    assert scores["specificity"] == 1.0


def test_second_observer_counts_only_the_field():
    part = drawn(square(10, 20))
    others = [part.masks[0].copy()]
    others[0][50:] = True
    upper = np.zeros_like(part.masks[0])
    upper[:50] = True
    part = Annotated(part.images, part.masks, [upper])
    actual = second_observer(part, others, thin=False)
    assert actual == {"dice": 1.0, "sensitivity": 1.0, "specificity": 1.0}


def test_second_observer_who_misses_the_thin_vessel():
    mask = np.zeros((60, 80), bool)
    mask[10:22] = mask[40:41] = True
    other = mask.copy()
    other[40] = False
    actual = second_observer(drawn(mask), [other])
    assert actual["thin_recall"] == 0.0
    assert actual["sensitivity"] == pytest.approx(12 / 13)
