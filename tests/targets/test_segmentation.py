"""Segmentation: patches, whole images put together from patches, and scores."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tinyssl.models import DenseNet, DenseUNet, UNet
from tinyssl.targets.fields import prepare
from tinyssl.targets.overlap import evaluate, thin_vessels
from tinyssl.targets.segmentation import Segmentation
from tinyssl.training import to_tensor, train


class Pointwise(nn.Module):
    """Return the first channels as logits: what is predicted is known exactly."""

    def __init__(self, channels=1, scale=1.0):
        super().__init__()
        self.channels, self.scale = channels, nn.Parameter(torch.tensor(scale))

    def forward(self, x):
        return self.scale * x[:, : self.channels]


def disc(height, width, radius):
    y, x = np.ogrid[:height, :width]
    return (y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2


def eye_with_lines(seed, height=96, width=90):
    """Return an image of dark lines on a shaded disc, its mask and its field."""
    rng = np.random.default_rng(seed)
    region = disc(height, width, min(height, width) / 2)
    mask = np.zeros((height, width), bool)
    for place in rng.integers(8, min(height, width) - 8, 4):
        mask[place : place + 3] = True
    mask = mask.T.copy() if height == width and seed % 2 else mask
    green = np.linspace(90, 170, width) - 40 * mask + rng.normal(0, 3, mask.shape)
    image = np.stack([green + 50, green, green - 60], -1) * region[..., None]
    return np.clip(image, 0, 255).astype(np.uint8), mask & region, region


def test_a_batch_keeps_image_mask_and_field_together():
    _, masks, regions = zip(*(eye_with_lines(s) for s in range(3)), strict=True)
    layers = zip(masks, regions, strict=True)
    marked = [200 * np.stack(pair, -1).astype(np.uint8) for pair in layers]
    task = Segmentation(Pointwise(), patch_size=24)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        pixels, (mask, region) = task.make_batch(marked, masks, regions, rng=rng)
        assert pixels.shape == (3, 24, 24, 2)
        # brightness and contrast are monotone: the two sides stay apart
        for channel, layer in ((0, mask), (1, region)):
            for image, truth in zip(pixels[..., channel], layer, strict=True):
                if truth.any() and not truth.all():
                    assert image[truth].min() > image[~truth].max()


def test_patches_look_where_the_lesion_is():
    image, _, region = eye_with_lines(0)
    mask = np.zeros_like(region)
    mask[40, 50] = True
    for focus, low, high in ((0.0, 0, 60), (0.5, 75, 150), (1.0, 200, 200)):
        task = Segmentation(Pointwise(), patch_size=16, focus=focus)
        _, (found, _) = task.make_batch([image] * 200, [mask] * 200, [region] * 200, 0)
        assert low <= found.any((1, 2)).sum() <= high


def test_prepare_takes_out_illumination_and_keeps_the_outside_neutral():
    image, mask, region = eye_with_lines(0)
    inner = disc(96, 90, 36)
    dimmed = (image * np.linspace(0.6, 1.0, 96)[:, None, None]).astype(np.uint8)
    expected, actual = (prepare(i, region, sigma=8)[..., 1] for i in (image, dimmed))
    assert expected.dtype == np.uint8
    assert (expected[~region] == 128).all()
    assert np.abs(expected.astype(int) - actual)[inner].mean() < 5
    assert expected[mask & inner].mean() < expected[~mask & inner].mean() - 32
    flat = np.full((40, 40, 3), 77, np.uint8)  # no deviation to divide by
    assert (prepare(flat, np.ones((40, 40), bool)) == 128).all()


@given(
    st.tuples(st.integers(3, 70), st.integers(3, 70)),
    st.sampled_from([(16, 8), (16, 16), (20, 7), (64, 32)]),
)
def test_a_pixelwise_network_gives_the_pixels_back(shape, tiles):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 1), dtype=np.uint8)
    task = Segmentation(Pointwise())
    expected = torch.sigmoid(task.logits(to_tensor(image[None])))[0, 0].detach()
    (actual,) = task.predict([image], patch_size=tiles[0], stride=tiles[1])
    assert actual.shape == shape
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_eight_views_of_any_network_turn_and_flip_with_the_image():
    torch.manual_seed(0)
    task = Segmentation(UNet(in_channels=1, widths=(4, 8)))
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 1), dtype=np.uint8)
    options = {"patch_size": 32, "stride": 16}
    (expected,) = task.predict([image], views=8, **options)
    assert np.abs(expected - task.predict([image], **options)[0]).max() > 1e-3
    for change in (np.rot90, np.flipud, np.fliplr):
        changed = np.ascontiguousarray(change(image))
        (actual,) = task.predict([changed], views=8, **options)
        np.testing.assert_allclose(actual, change(expected), atol=1e-5)
    with pytest.raises(ValueError, match=r"views must lie in 1\.\.8, found 9"):
        task.predict([image], views=9)


@pytest.mark.parametrize("options", [{"patch_size": 0}, {"stride": 0}, {"stride": 65}])
def test_tiles_that_would_leave_gaps_are_refused(options):
    with pytest.raises(ValueError, match="stride must lie in 1"):
        Segmentation(Pointwise()).predict([np.zeros((70, 70, 1), np.uint8)], **options)


def test_scores_count_only_the_field_of_view_and_thin_vessels_apart():
    region = np.zeros((4, 4), bool)
    region[:2] = True
    mask = np.zeros((4, 4), bool)
    mask[0] = mask[3] = True
    probability = np.full((4, 4), 0.9)
    probability[3] = 0.1  # all wrong outside
    probability[:2] = [[0.9, 0.8, 0.7, 0.2], [0.1, 0.1, 0.6, 0.1]]
    expected = {"dice": 2 * 3 / (4 + 4), "sensitivity": 3 / 4, "specificity": 3 / 4}
    expected |= {"accuracy": 6 / 8, "auc": 15 / 16}
    assert evaluate(probability, mask, region) == pytest.approx(expected)
    # thin vessels apart
    mask = np.zeros((40, 60), bool)
    mask[5:15] = mask[25:27] = True
    found = mask.astype(float)
    found[25:27, :15] = 0
    actual = evaluate(found, mask, np.ones_like(mask), thin=thin_vessels(mask, width=4))
    assert actual["thin_recall"] == pytest.approx(0.75)


def test_loss_does_not_look_outside_the_field():
    task = Segmentation(Pointwise())
    inputs = torch.rand(2, 1, 8, 8)
    mask = (torch.rand(2, 1, 8, 8) > 0.5).float()
    region = torch.ones(2, 1, 8, 8)
    region[..., 4:] = 0
    expected, _ = task(inputs, (mask, region))
    inputs[..., 4:], mask[..., 4:] = 1.0, 0.0
    actual, _ = task(inputs, (mask, region))
    assert actual.item() == pytest.approx(expected.item())


def dense_unet(**options):
    options |= {"growth_rate": 8, "block_layers": (2, 2), "stem_channels": 8}
    return DenseUNet(DenseNet(small_stem=True, **options))


@pytest.mark.parametrize("network", [partial(UNet, widths=(4, 8)), dense_unet])
def test_training_finds_lines_in_an_image_never_seen(network):
    torch.manual_seed(0)
    eyes = [eye_with_lines(seed, 96, 96) for seed in range(4)]
    images = [prepare(image, region, sigma=8)[..., 1:2] for image, _, region in eyes]
    masks, regions = [e[1] for e in eyes], [e[2] for e in eyes]
    task = Segmentation(network(in_channels=1), patch_size=32)
    train(task, (images[:3], masks[:3], regions[:3]), steps=60, batch_size=8, lr=1e-2)
    (found,) = task.predict(images[3:])
    assert evaluate(found, masks[3], regions[3])["dice"] > 0.75
