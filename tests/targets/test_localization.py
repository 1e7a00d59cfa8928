"""Localisation: views move the points along, the map's mode is the answer."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from targets.test_segmentation import Pointwise
from tinyssl.data import load_masks, open_dataset
from tinyssl.models import UNet
from tinyssl.targets import localization
from tinyssl.targets.localization import Localization, decode, evaluate, gaussian
from tinyssl.training import train


def dots(n, seed, side=24):
    """Return images with a white dot and a grey one, and their places."""
    points = np.random.default_rng(seed).integers(4, side - 4, (n, 2, 2)).astype(float)
    images = np.zeros((n, side, side, 3), np.uint8)
    for image, pair in zip(images, points.astype(int), strict=True):
        for (y, x), value in zip(pair, (255, 120), strict=True):
            image[y, x] = value
    return images, points


@given(st.integers(0, 1000))
def test_mirrored_and_shifted_points_stay_on_their_dots(seed):
    images, points = dots(3, seed, side=30)
    rng = np.random.default_rng(seed)
    seen, moved = localization.mirror(images, points, rng.random(3) < 0.5)
    seen, moved = localization.shift(seen, moved, rng.integers(-3, 4, (3, 2)))
    for image, (bright, dim) in zip(seen, moved, strict=True):
        assert image[tuple(dim.astype(int))][0] in (120, 255)
        assert image[tuple(bright.astype(int))][0] in (120, 255)


def test_a_shift_brings_in_black_and_no_shift_changes_nothing():
    images = np.full((1, 6, 6, 3), 9, np.uint8)
    moved, points = localization.shift(images, np.zeros((1, 1, 2)), np.array([[2, -1]]))
    assert not moved[0, :2].any()
    assert not moved[0, :, -1].any()
    assert points.tolist() == [[[2, -1]]]
    still, _ = localization.shift(images, np.zeros((1, 1, 2)), np.zeros((1, 2), int))
    np.testing.assert_array_equal(still, images)


@given(st.floats(0, 15), st.floats(0, 19), st.floats(0.5, 3))
def test_gaussian_adds_up_to_one_and_is_highest_next_to_the_point(y, x, sigma):
    target = gaussian(torch.tensor([[[y, x]]]), 16, 20, sigma)
    assert target.sum().item() == pytest.approx(1, rel=1e-5)
    row, col = np.unravel_index(int(target.argmax()), (16, 20))
    assert max(abs(row - y), abs(col - x)) <= 0.51


def test_decoding_gives_a_centre_between_pixels_and_not_between_two_candidates():
    points = torch.tensor([[[10.3, 7.8], [12.0, 20.5]]])
    found = decode(gaussian(points, 32, 32, 2.0), 2.0)
    torch.testing.assert_close(found, points, atol=0.2, rtol=0)
    points = torch.tensor([[[8.0, 8.0]], [[8.0, 30.0]]])
    strong, weak = gaussian(points, 17, 40, 1.0).split(1)
    found = decode(0.55 * strong + 0.45 * weak, 1.0)
    torch.testing.assert_close(found, points[:1], atol=0.01, rtol=0)


def mean_place(points, n):
    cases = SimpleNamespace(columns={"points": points})
    return Localization.baselines(cases, slice(None), range(n))["mean place"]


def test_dots_are_found_after_training_and_not_by_a_guess():
    torch.manual_seed(0)
    images, points = dots(64, 1)
    task = Localization(UNet(out_channels=2, widths=(8, 16)))
    held, truth = dots(16, 2)
    blind = evaluate(truth, mean_place(points, 16), side=24, disc_diameter=0.2)
    train(task, (images, points), steps=120, batch_size=16, lr=1e-2)
    after = evaluate(truth, task.predict(held), side=24, disc_diameter=0.2)
    assert blind["within"] < 0.3
    assert after["within"] > 0.9, after


def test_mirrored_view_is_turned_back():
    image = np.zeros((1, 15, 21, 3), np.uint8)
    image[0, 4, 6] = 255
    task = Localization(Pointwise(channels=2, scale=50.0))
    points, probability = task.predict(image), task.maps(image)
    np.testing.assert_allclose(points, [[[4, 6], [4, 6]]], atol=1e-3)
    assert probability.shape == (1, 2, 15, 21)
    assert probability[0, :, 4, 6].min() > 0.99  # the mirrored view has it there too


def test_scores_are_in_disc_diameters():
    truth = np.array([[[10.0, 10.0], [40.0, 40.0]], [[20.0, 20.0], [50.0, 50.0]]])
    moved = truth + np.array([[[0, 5], [0, 5.1]], [[10, 0], [0, 0]]])
    scores = evaluate(truth, moved, side=100, disc_diameter=0.1)
    expected = {"error": 2.01 / 4, "disc error": 1.5 / 2, "fovea error": 0.51 / 2}
    within = ("within", "disc within", "fovea within")  # half a diameter itself is in
    expected |= dict.fromkeys(within, 0.5)
    assert scores == pytest.approx(expected, rel=1e-12)


def test_guess_is_the_mean_place_of_the_training_points():
    points = np.array([[[0.0, 2.0], [4.0, 4.0]], [[2.0, 4.0], [8.0, 0.0]]])
    assert mean_place(points, 3).tolist() == [[[1, 3], [6, 2]]] * 3


def test_a_probe_answers_inside_the_image_whatever_the_features():
    points = np.array([[[8.0, 20.0], [40.0, 30.0]], [[9.0, 24.0], [44.0, 30.0]]])
    study = SimpleNamespace(columns={"points": points}, facts={"size": 64})
    some, others = np.array([[1.0], [1.1]]), np.array([[-90.0], [1.05], [90.0]])
    found = Localization.probe(study, np.arange(2), some, others)["linear probe"]
    assert found.min() == 0
    assert found.max() == 63
    np.testing.assert_allclose(found[1], points.mean(0))  # inside it stays


def test_disc_diameters_are_those_of_the_drawn_discs(real_data):
    folder = real_data / "IDRiD" / "A. Segmentation"
    if not folder.is_dir():
        pytest.skip("no IDRiD segmentation here")
    area = load_masks(open_dataset(folder), "OD", 128).sum((1, 2))
    measured = np.median(2 * np.sqrt(area[area > 0] / np.pi)) / 128
    assert abs(localization.DISC_DIAMETER - measured) < 0.004
