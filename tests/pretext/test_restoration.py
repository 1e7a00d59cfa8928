"""Patches: where they lie. Restoring: what is disordered, honest errors, learning."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.models import Restorer, UNet
from tinyssl.pretext import ContextRestoration, PixelShuffling
from tinyssl.pretext.inputs import field_statistics
from tinyssl.pretext.patches import cut_patches, move_to_objects, sample_corners
from tinyssl.training import to_tensor, train

BOTH = pytest.mark.parametrize("kind", [ContextRestoration, PixelShuffling])


class Copy(torch.nn.Module):
    def forward(self, x):
        return x


def batch(task, images, seed=0):
    return to_tensor(task.make_batch(images, rng=np.random.default_rng(seed)))


def noise(n, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), np.uint8)


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(12, size=32, rng=0).images


@given(seeds)
def test_a_shuffled_window_keeps_its_pixels_with_all_channels_together(seed):
    task = PixelShuffling(Copy(), patch_size=5, num_swaps=1)
    images = noise(1, 16, seed)
    (after,), _ = task.make_batch(images, np.random.default_rng(seed))
    before, outside = images[0], np.ones((16, 16), bool)
    for y, x in task.sample(images, np.random.default_rng(seed)).reshape(2, 2):
        pair = (image[y : y + 5, x : x + 5].reshape(-1, 3) for image in (before, after))
        first, second = (pixels[np.lexsort(pixels.T)] for pixels in pair)
        np.testing.assert_array_equal(first, second)
        outside[y : y + 5, x : x + 5] = False
    np.testing.assert_array_equal(before[outside], after[outside])
    assert (before != after).any()


def test_shuffling_disturbs_the_same_places_as_context_restoration():
    changed = []
    for kind in (PixelShuffling, ContextRestoration):
        task = kind(Copy(), patch_size=4, num_swaps=3)
        changed.append(task.make_batch(noise(3, 24), np.random.default_rng(5))[1][1])
    assert np.equal(*changed).mean() > 0.98  # noise seldom equals itself


@BOTH
def test_pixels_outside_the_region_are_untouched(kind, eyes):
    region = round_mask(32)
    task = kind(Copy(), patch_size=4, num_swaps=9, region=region)
    disordered, (images, changed) = task.make_batch(eyes, np.random.default_rng(0))
    assert images is eyes
    assert not changed[:, ~region].any()
    np.testing.assert_array_equal(changed, (disordered != eyes).any(-1))
    assert changed.any((1, 2)).all()


@BOTH
def test_copying_the_input_costs_what_the_log_calls_copy(kind, eyes):
    task = kind(Copy(), patch_size=4, num_swaps=5)
    loss, logs = task(*batch(task, eyes))
    assert loss.item() == pytest.approx(logs["copy"].item())
    assert logs["swapped"].item() == pytest.approx(logs["copy_swapped"].item())
    assert logs["unswapped"].item() == 0
    assert logs["copy"].item() > 0.01


def test_error_is_in_units_of_the_images_own_variance(eyes):
    task = ContextRestoration(Copy(), patch_size=4, num_swaps=5)
    inputs, (images, changed) = batch(task, eyes)
    losses = [
        task(low + span * inputs, (low + span * images, changed))[0].item()
        for low, span in ((0.1, 0.9), (0.3, 0.6))
    ]  # no pixel is black: all count
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


class Standardise(torch.nn.Module):
    """Answer with the input at zero mean and unit deviation; keep what was seen."""

    def forward(self, x):
        self.seen = x
        mean, deviation = field_statistics(x)
        return (x - mean) / deviation


@pytest.mark.parametrize("standardise", [True, False])
def test_the_network_sees_what_it_was_promised(eyes, standardise):
    network = Copy() if standardise else Standardise()
    task = ContextRestoration(network, patch_size=4, standardise=standardise)
    inputs, targets = batch(task, eyes)
    loss, logs = task(inputs, targets)
    assert loss.item() == pytest.approx(logs["copy"].item(), rel=1e-5)
    torch.testing.assert_close(task.restore(inputs), inputs)
    if not standardise:  # the target tasks of whole images show [0, 1] too
        assert network.seen is inputs
    # a flat image stays finite; of 255, whose variance is exactly 0
    task = ContextRestoration(Copy(), patch_size=4, num_swaps=2)
    loss, logs = task(*batch(task, np.full((2, 16, 16, 1), 255, np.uint8)))
    assert torch.isfinite(torch.stack([loss, *logs.values()])).all()


def test_restored_images_lie_between_zero_and_one_and_a_unet_is_carried_whole(eyes):
    torch.manual_seed(0)
    network = UNet(out_channels=3, widths=(4, 8))
    task = ContextRestoration(network, patch_size=4).eval()
    restored = task.restore(to_tensor(eyes))
    assert restored.shape == (12, 3, 32, 32)
    assert ((restored >= 0) & (restored <= 1)).all()
    assert task.encoder is network


def test_restorer_answers_at_the_size_it_was_asked(tiny_encoder):
    network = Restorer(tiny_encoder)
    for side in (28, 32, 45):
        assert network(torch.rand(2, 3, side, side)).shape == (2, 3, side, side)
    assert ContextRestoration(network).encoder is tiny_encoder


@BOTH
def test_patches_are_restored_better_than_by_copying(kind, eyes):
    torch.manual_seed(0)
    network = UNet(out_channels=3, widths=(8, 16, 32))
    task = kind(network, patch_size=6, num_swaps=4, region=round_mask(32))
    train(task, (eyes,), steps=150, batch_size=8, lr=5e-3)
    scores = task.evaluate(eyes, np.random.default_rng(1))
    assert scores["swapped"] < 0.7 * scores["copy_swapped"], scores


def disc(height, width, radius):
    y, x = np.ogrid[:height, :width]
    return (y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2


@given(seeds, st.integers(1, 40), st.integers(1, 24))
def test_patches_lie_in_the_image_with_their_centre_in_the_field(seed, size, radius):
    regions = [disc(50, 47, radius), disc(40, 60, radius)]
    corners = sample_corners(regions, size, rng=seed)
    for region, (y, x) in zip(regions, corners, strict=True):
        height, width = region.shape
        assert 0 <= y <= height - size
        assert 0 <= x <= width - size
        assert region[y + size // 2, x + size // 2]


def test_every_centre_is_drawn_about_equally_often_and_the_ends_are_reached():
    region = np.zeros((12, 12), bool)
    region[3:6, 4:7] = True
    corners = sample_corners([region] * 4500, 4, rng=0)
    places, counts = np.unique(corners, axis=0, return_counts=True)
    assert len(places) == 9
    assert ((counts - 500.0) ** 2 / 500).sum() < 26  # chi-square, 8 d.o.f., p = .001
    corners = sample_corners([np.ones((9, 7), bool)] * 500, 4, rng=0)
    assert (*corners.min(0), *corners.max(0)) == (0, 0, 5, 3)
    region = np.zeros((200, 200), bool)
    region[150, 60] = True
    assert sample_corners([region], 9, rng=0).tolist() == [[146, 56]]


@pytest.mark.parametrize("size", [33, 5])
def test_a_patch_that_does_not_fit_is_refused(size):
    region = np.zeros((32, 40), bool)
    region[0, 0] = True
    with pytest.raises(ValueError, match=f"patch size {size} must fit .* in image 0"):
        sample_corners([region], size, rng=0)


def test_moved_patches_hold_the_object_and_lie_in_the_image():
    mask = np.zeros((50, 60), bool)
    mask[0, 0] = mask[49, 59] = mask[20, 30] = True
    corners = np.zeros((300, 2), np.int64)
    moved = move_to_objects(corners, [mask] * 300, 16, share=1, rng=0)
    assert (*moved.min(0), *moved.max(0)) == (0, 0, 34, 44)
    assert cut_patches([mask] * 300, moved, 16).any((1, 2)).all()
    offsets = np.array([20, 30]) - moved[(moved > 0).all(1) & (moved < 34).all(1)]
    # anywhere in the patch, not always its middle
    assert (offsets.min(), offsets.max()) == (0, 15)
    # a share of them, and none where nothing is
    mask = np.zeros((50, 60), bool)
    mask[40:, 50:] = True
    corners = np.zeros((2000, 2), np.int64)
    moved = move_to_objects(corners, [mask] * 2000, 8, share=0.5, rng=0)
    assert 920 < moved.any(1).sum() < 1080
    assert not corners.any()
    nothing = [np.zeros((50, 60), bool)] * 2000
    assert not move_to_objects(corners, nothing, 8, share=1, rng=0).any()
