"""Views: where a pixel comes from, what light may change, and what may not change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import seeds

from tinyssl.data import toy
from tinyssl.pretext.views import affine_matrices, relight, resample, sample_views

SAME = np.eye(2, 3)[None]
shapes = st.tuples(st.integers(1, 3), st.integers(2, 9), st.sampled_from((1, 3)))
images = shapes.flatmap(lambda n: hnp.arrays(np.uint8, (n[0], n[1], n[1], n[2])))


@given(images)
def test_the_identity_gives_the_image_and_a_quarter_turn_its_turn(images):
    size = images.shape[1]
    np.testing.assert_allclose(resample(images, SAME, size), images, atol=1e-3)
    quarter = np.array([[[0, 1.0, 0], [-1, 0, 0]]])  # place (y, x) is from (x, -y)
    turned = resample(images, quarter, size)
    np.testing.assert_allclose(turned, np.rot90(images, axes=(1, 2)), atol=1e-3)


def test_half_the_side_shows_the_middle_and_beyond_the_image_it_is_black():
    ramp = np.arange(0, 90, 10, dtype=np.uint8)
    image = np.broadcast_to(ramp[None, :, None, None], (1, 9, 9, 1))
    half = resample(image, SAME / 2, 5)[0, :, 2, 0]
    np.testing.assert_allclose(half, [20, 30, 40, 50, 60], atol=1e-3)
    moved = resample(image, SAME + np.eye(2, 3, 2), 9)[0, :, 4, 0]
    np.testing.assert_allclose(moved, [40, 50, 60, 70, 80, 0, 0, 0, 0], atol=1e-3)


@given(seeds)
def test_a_crop_has_the_area_asked_for_and_lies_in_the_image(seed):
    drawn = np.random.default_rng(seed).uniform(-1, 1, (50, 5))
    matrices = affine_matrices(drawn, (0.2, 0.6))
    areas = np.abs(np.linalg.det(matrices[..., :2]))
    assert ((areas >= 0.2) & (areas <= 0.6)).all()
    assert np.ptp(areas) > 0.2
    side = np.sqrt(areas)[:, None]
    assert (np.abs(matrices[..., 2]) <= 1 - side + 1e-9).all()
    assert len(set(np.sign(np.linalg.det(matrices[..., :2])))) == 2, "no mirror"
    upright = affine_matrices(drawn, (0.2, 0.6), turn=False)[..., :2]
    np.testing.assert_allclose(upright, side[..., None] * np.eye(2))


@given(images, seeds, st.floats(0, 9))
def test_a_view_is_pure_and_does_not_depend_on_what_follows(images, seed, colour):
    kept = images.copy()
    options = {"colour": colour, "area": (0.3, 1.0), "size": 7}
    view = sample_views(images, rng=np.random.default_rng(seed), **options)
    assert (view.dtype, view.shape[:3]) == (np.uint8, (len(images), 7, 7))
    first = sample_views(images[:1], rng=np.random.default_rng(seed), **options)
    np.testing.assert_allclose(first, view[:1], atol=1)  # of 255
    assert (images == kept).all()


def test_black_stays_black_and_light_does_what_it_says():
    image = np.zeros((2, 5, 4, 3), np.float32)  # the second is black
    image[0, 1:] = (40, 60, 80)
    light = 1 + np.diag([3, -0.5, 1, 2, 0, 0])[:4]
    lit = [[160, 240, 255], [50, 60, 70], [20, 60, 100], [120, 60, 80]]
    for factors, expected in zip(light, lit, strict=True):
        actual = relight(image, np.stack([factors, factors]))
        assert not actual[1].any()
        assert not actual[0, 0].any()
        assert actual[0, 3, 3].tolist() == expected


@pytest.mark.parametrize("channels", [1, 3])
def test_whole_images_in_the_same_light_keep_their_statistics(channels):
    eyes = toy.fundus(6, size=63).images[..., :channels]
    view = sample_views(eyes, rng=np.random.default_rng(0), area=(1, 1), colour=0)
    for statistic in (np.mean, np.std):
        kept, actual = (statistic(x, axis=(1, 2)) for x in (eyes, view))
        np.testing.assert_allclose(actual, kept, rtol=0.03, atol=1)
    assert np.abs(view.astype(int) - eyes).mean() > 5, "nothing was turned"
