"""Inpainting: where the hole is, what fills it, and an error inside it only."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.models import UNet
from tinyssl.pretext import Inpainting
from tinyssl.pretext.inputs import standardised
from tinyssl.training import to_tensor, train


class Copy(torch.nn.Module):
    def forward(self, x):
        return x


class Whole(Inpainting):
    """The trap: an error over the whole image, most of which is a copy."""

    def forward(self, inputs, targets):
        _, logs = super().forward(inputs, targets)
        everywhere = torch.ones_like(targets[1])
        return super().forward(inputs, (targets[0], everywhere))[0], logs


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(128, size=32, rng=0).images


def batch(task, images, seed=0):
    return to_tensor(task.make_batch(images, rng=np.random.default_rng(seed)))


@given(seeds, st.sampled_from([(1, 24, 24), (3, 31, 27)]), st.booleans())
def test_a_rectangle_is_filled_with_the_mean_colour_around_it(seed, shape, round_):
    C, H, W = shape
    images = np.random.default_rng(seed).random((2, H, W, C))
    region = round_mask(24) if round_ and H == W else np.ones((H, W), bool)
    task = Inpainting(Copy(), area=0.2, region=region)
    inputs, (targets, holes) = task.make_batch(images, np.random.default_rng(seed))
    assert targets is images
    for image, holed, hole in zip(images, inputs, holes, strict=True):
        y, x = np.argwhere(hole).T
        top, left, bottom, right = y.min(), x.min(), y.max(), x.max()
        assert len(y) == (bottom - top + 1) * (right - left + 1)
        assert 0.05 * H * W < len(y) < 0.25 * H * W  # sides are whole pixels
        assert region[hole].all()
        np.testing.assert_array_equal(holed[~hole], image[~hole])
        ring = [
            image[i, j]
            for i in range(max(0, top - 3), min(H, bottom + 4))
            for j in range(max(0, left - 3), min(W, right + 4))
            if region[i, j] and not hole[i, j]
        ]
        expected = np.broadcast_to(np.mean(ring, axis=0), (len(y), C))
        np.testing.assert_allclose(holed[hole], expected)


def test_holes_differ_from_image_to_image_and_reach_every_place_of_the_field(eyes):
    task = Inpainting(Copy(), area=0.1, region=round_mask(32))
    _, (_, holes) = task.make_batch(eyes, np.random.default_rng(0))
    assert len({hole.tobytes() for hole in holes}) > 100
    assert (holes.any(0) >= np.pad(round_mask(26), 3)).all()


def test_only_what_is_painted_inside_the_hole_counts(eyes):
    task = Inpainting(Copy())
    inputs, (images, holes) = batch(task, eyes)
    paint = torch.where(holes > 0, images, torch.rand_like(images))
    task.paint = lambda _: paint
    loss, logs = task(inputs, (images, holes))
    assert loss.item() == logs["inside"].item() == 0
    paint = torch.where(holes > 0, images + 0.1, images)
    twice = task(inputs, (images, holes))[0].item()
    paint = torch.where(holes > 0, images + 0.2, images)
    assert task(inputs, (images, holes))[0].item() == pytest.approx(4 * twice)


def test_the_network_sees_what_it_was_promised(eyes):
    seen, (inputs, _) = [], batch(Inpainting(Copy()), eyes)
    for standardise in (False, True):
        task = Inpainting(Copy(), standardise=standardise)
        task.network.register_forward_pre_hook(lambda _, given: seen.extend(given))
        task.paint(inputs)
    assert seen[0] is inputs
    torch.testing.assert_close(seen[1], standardised(inputs))


@pytest.mark.parametrize("channels", [1, 3])
def test_copying_scores_the_bar_in_units_of_each_images_variance(channels):
    images = np.random.default_rng(0).random((4, 24, 25, channels))
    task = Inpainting(Copy())
    inputs, (images, holes) = batch(task, images)
    for span in (0.6, 0.3):  # noise: the mean around a hole is as good as its own
        _, logs = task(0.2 + span * inputs, (0.2 + span * images, holes))
        assert logs["inside"].item() == pytest.approx(logs["ring"].item(), rel=1e-4)
        assert 1 < logs["ring"].item() < 1.3


def test_60_steps_beat_the_mean_colour_and_a_copy_looks_better_still(eyes):
    """The trap: read over the whole image, painting nothing at all looks better."""
    torch.manual_seed(0)
    network = UNet(out_channels=3, widths=(8, 16))
    task = Inpainting(network, region=round_mask(32))
    train(task, (eyes[:64],), steps=60, batch_size=12, lr=2e-2)
    scores = task.evaluate(eyes[64:], np.random.default_rng(1))
    assert scores["inside"] < 0.9 * scores["bar"], scores
    flattered, logs = Whole(Copy())(*batch(task, eyes[64:]))
    assert flattered.item() < 0.3 * scores["inside"]
    assert logs["inside"].item() > scores["inside"]
    assert scores["whole"] < 0.15 * scores["inside"]


@pytest.mark.parametrize("area", [0, 1.5])
def test_a_share_that_is_none_is_refused(area, eyes):
    with pytest.raises(ValueError, match=r"area must be .*, found \("):
        Inpainting(Copy(), area=area).make_batch(eyes[:2], np.random.default_rng(0))


def test_a_hole_that_leaves_no_ring_is_refused():
    region = np.zeros((32, 32), bool)
    region[8:17, 8:17] = True
    task = Inpainting(Copy(), area=0.15, region=region)
    with pytest.raises(ValueError, match=r"area must leave some .* found none"):
        task.make_batch(np.zeros((1, 32, 32, 3)), np.random.default_rng(0))
