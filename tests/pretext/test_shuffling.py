"""Local pixel shuffling: windows keep their pixels, all else is left alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data import toy
from tinyssl.data.images import round_mask
from tinyssl.models import UNet
from tinyssl.pretext import ContextRestoration, PixelShuffling
from tinyssl.training import train


class Copy(torch.nn.Module):
    def forward(self, x):
        return x


def noise(n, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), np.uint8)


def one_window(seed):
    """Return an image before and after, and the two windows that were shuffled."""
    task = PixelShuffling(Copy(), patch_size=5, num_swaps=1)
    images = noise(1, 16, seed)
    shuffled, _ = task.make_batch(images, np.random.default_rng(seed))
    windows = task.sample(images, np.random.default_rng(seed)).reshape(2, 2)
    return images[0], shuffled[0], windows


@given(st.integers(0, 10**6))
def test_a_window_keeps_its_pixels_with_all_channels_together(seed):
    before, after, windows = one_window(seed)
    for y, x in windows:
        pair = (image[y : y + 5, x : x + 5].reshape(-1, 3) for image in (before, after))
        first, second = (pixels[np.lexsort(pixels.T)] for pixels in pair)
        np.testing.assert_array_equal(first, second)


@given(st.integers(0, 10**6))
def test_pixels_outside_the_windows_are_untouched(seed):
    before, after, windows = one_window(seed)
    outside = np.ones(before.shape[:2], bool)
    for y, x in windows:
        outside[y : y + 5, x : x + 5] = False
    np.testing.assert_array_equal(before[outside], after[outside])
    assert (before != after).any()


def test_windows_lie_in_the_region_and_inputs_are_not_changed():
    images, region = noise(4, 32), round_mask(32)
    keep = images.copy()
    task = PixelShuffling(Copy(), patch_size=4, num_swaps=6, region=region)
    shuffled, (targets, changed) = task.make_batch(images, np.random.default_rng(0))
    np.testing.assert_array_equal(images, keep)
    assert targets is images
    assert not changed[:, ~region].any()
    np.testing.assert_array_equal(changed, (shuffled != images).any(-1))


def test_it_disturbs_the_same_places_as_context_restoration():
    options = {"patch_size": 4, "num_swaps": 3}
    changed = [
        kind(Copy(), **options).make_batch(noise(3, 24), np.random.default_rng(5))[1][1]
        for kind in (PixelShuffling, ContextRestoration)
    ]
    assert (changed[0] == changed[1]).mean() > 0.98  # noise seldom equals itself


def test_windows_are_put_back_better_than_by_copying():
    torch.manual_seed(0)
    eyes = toy.fundus(12, size=32, rng=0).images
    network = UNet(out_channels=3, widths=(8, 16, 32))
    task = PixelShuffling(network, patch_size=6, num_swaps=4, region=round_mask(32))
    train(task, (eyes,), steps=150, batch_size=8, lr=5e-3)
    scores = task.evaluate(eyes, np.random.default_rng(1))
    assert scores["swapped"] < 0.7 * scores["copy_swapped"], scores


@pytest.mark.parametrize("kind", [PixelShuffling, ContextRestoration])
def test_same_rng_same_batch(kind):
    task = kind(Copy(), patch_size=4, num_swaps=3)
    first, second = (
        task.make_batch(noise(3, 24), np.random.default_rng(2))[0] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
