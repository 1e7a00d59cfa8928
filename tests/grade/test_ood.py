"""Out-of-distribution score: images alike pass, others are far."""

import numpy as np
import pytest
import torch

from tinyssl.data import load_images, open_dataset, toy
from tinyssl.data.images import round_mask
from tinyssl.grade import ood
from tinyssl.models import densenet_small


@pytest.fixture(scope="module")
def known():
    torch.manual_seed(0)
    encoder = densenet_small()
    eyes = toy.fundus(160, size=48, rng=0).images
    return encoder, ood.fit(encoder, eyes[:120], eyes[120:]), eyes


def page_of_text(size=48):
    """Return dark lines on white, round like an eye."""
    rng = np.random.default_rng(0)
    page = np.full((size, size, 3), 245, np.uint8)
    for y in range(4, size, 5):
        page[y : y + 2, rng.random(size) < 0.6] = 30
    page[~round_mask(size)] = 0
    return page


def cat(size=48):
    """Return fur: brown noise in stripes, with two green eyes, square."""
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal([150, 110, 70], 25, (size, size, 3)), 0, 255)
    image[:, ::6] *= 0.6
    image[18:24, 12:18] = image[18:24, 30:36] = [90, 160, 60]
    return image.astype(np.uint8)


STRANGE = {
    "text": page_of_text(),
    "cat": cat(),
    "black": np.zeros((48, 48, 3), np.uint8),
    "noise": np.random.default_rng(2).integers(0, 256, (48, 48, 3), np.uint8),
}


def test_what_is_no_eye_is_warned_of_and_new_eyes_seldom(known):
    encoder, rule, _ = known
    for name, image in STRANGE.items():
        assert ood.score(rule, encoder, image[None])[0] > 1.3, name
    eyes = toy.fundus(200, size=48, rng=9).images
    assert (ood.score(rule, encoder, eyes) > 1).mean() < 0.1


def test_limits_are_quantiles_of_mahalanobis_distances_and_either_may_warn(known):
    encoder, rule, eyes = known
    for part, rows in ood.describe(encoder, eyes[120:]).items():
        mean, scale = (rule[part][name].numpy() for name in ("mean", "scale"))
        held = ood.distances(rows, mean, scale)
        assert rule[part]["limit"] == pytest.approx(held.max() * 1.25)  # of 40
    assert rule["images"] == 40
    rows = ood.describe(encoder, eyes[:120])["intensities"]
    z, share = (rows - rows.mean(0)) / rows.std(0), ood.SHRINKAGE["intensities"]
    precision = np.linalg.inv((1 - share) * np.cov(z.T) + share * np.eye(9))
    expected = np.sqrt(np.einsum("ni,ij,nj->n", z[:3], precision, z[:3]))
    mean, scale = (rule["intensities"][name].numpy() for name in ("mean", "scale"))
    actual = ood.distances(rows[:3], mean, scale)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)
    # either distance may warn
    for part in ood.SHRINKAGE:
        narrow = {**rule, part: {**rule[part], "limit": 1e-3}}
        assert ood.score(narrow, encoder, eyes[:1])[0] > 1
    # fewer images than features are no obstacle
    rule = ood.fit(encoder, eyes[:10], eyes[10:20])
    assert np.isfinite(ood.score(rule, encoder, eyes[20:30])).all()


def test_a_real_photograph_is_told_from_synthetic_eyes(known, real_data):
    encoder, rule, _ = known
    table = open_dataset(real_data / "IDRiD" / "B. Disease Grading")
    photographs, _ = load_images(table.select(np.arange(0, 412, 20)), 48)
    for images in (photographs, photographs[:, ::-1, ::-1]):  # and upside down
        assert (ood.score(rule, encoder, images) > 1).all()


def test_texture_is_of_details_inside_what_is_lit():
    eyes = toy.fundus(4, size=48, rng=0).images
    rows = ood.texture(eyes)
    assert rows.shape == (4, 18)
    beyond = eyes.copy()
    beyond[:, ~round_mask(48)] = 5  # darker than what counts as lit
    seen = ood.texture(beyond)[:, :6]  # wider bands reach over the rim
    np.testing.assert_allclose(seen, rows[:, :6], atol=0.02)
    grain = np.random.default_rng(0).normal(0, 8, eyes.shape)
    noisy = np.clip(eyes + grain * (eyes > 40), 0, 255).astype(np.uint8)
    assert (ood.texture(noisy)[:, :3] > rows[:, :3]).all()
