"""Context restoration: swaps inside the region, honest errors, and learning."""

import numpy as np
import pytest
import torch

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.models import Restorer, UNet
from tinyssl.pretext import ContextRestoration
from tinyssl.pretext.inputs import field_statistics
from tinyssl.training import to_tensor, train


class Copy(torch.nn.Module):
    """Return the input: the baseline that the log calls copy."""

    def forward(self, x):
        return x


def batch(task, images, seed=0):
    return to_tensor(task.make_batch(images, rng=np.random.default_rng(seed)))


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(12, size=32, rng=0).images


def test_copying_the_input_costs_what_the_log_calls_copy(eyes):
    task = ContextRestoration(Copy(), patch_size=4, num_swaps=5)
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


def test_pixels_outside_the_region_are_untouched(eyes):
    region = round_mask(32)
    task = ContextRestoration(Copy(), patch_size=4, num_swaps=9, region=region)
    disordered, (images, changed) = task.make_batch(eyes, np.random.default_rng(0))
    assert images is eyes
    assert not changed[:, ~region].any()
    np.testing.assert_array_equal(disordered[:, ~region], eyes[:, ~region])
    assert changed.any((1, 2)).all()


def test_flat_image_stays_finite():
    task = ContextRestoration(Copy(), patch_size=4, num_swaps=2)
    flat = np.full((2, 16, 16, 3), 90, np.uint8)
    loss, logs = task(*batch(task, flat))
    assert torch.isfinite(loss)
    assert all(torch.isfinite(value) for value in logs.values())


def test_restored_images_lie_between_zero_and_one(eyes):
    torch.manual_seed(0)
    task = ContextRestoration(UNet(out_channels=3, widths=(4, 8)), patch_size=4).eval()
    restored = task.restore(to_tensor(eyes))
    assert restored.shape == (12, 3, 32, 32)
    assert restored.min() >= 0
    assert restored.max() <= 1


@pytest.mark.parametrize("side", [28, 32, 45])
def test_restorer_answers_at_the_size_it_was_asked(tiny_encoder, side):
    network = Restorer(tiny_encoder)
    assert network(torch.rand(2, 3, side, side)).shape == (2, 3, side, side)
    assert ContextRestoration(network).encoder is tiny_encoder


def test_unet_is_carried_whole():
    network = UNet(out_channels=3, widths=(4, 8))
    assert ContextRestoration(network).encoder is network


def test_swapped_patches_are_restored_better_than_by_copying(eyes):
    torch.manual_seed(0)
    network = UNet(out_channels=3, widths=(8, 16, 32))
    task = ContextRestoration(network, patch_size=6, num_swaps=4, region=round_mask(32))
    train(task, (eyes,), steps=150, batch_size=8, lr=5e-3)
    scores = task.evaluate(eyes, np.random.default_rng(1))
    assert scores["swapped"] < 0.7 * scores["copy_swapped"], scores
