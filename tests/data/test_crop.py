"""The circle of a photograph is found, and everything goes through one crop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data.crop import (
    Crop,
    center_crop,
    field_of_view,
    looks_like_fundus,
    resize,
    round_mask,
    square_crop,
    working_shape,
)

places = st.integers(-30, 30)
lengths = st.integers(8, 90)
crops = st.builds(Crop, places, places, lengths, height=st.just(60), width=st.just(80))
sides = st.tuples(st.integers(1, 40), st.integers(1, 40))


def photograph(height, width, y, x, radius, notch=False):
    """Return an unevenly lit reddish disc on noisy black."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - y, columns - x) < radius
    if notch:
        inside |= np.hypot(rows - (y - radius), columns - x) < radius / 12
    light = 60 + 120 * columns / width
    image = inside[..., None] * light[..., None] * [1, 0.5, 0.2]
    noise = np.random.default_rng(0).uniform(0, 6, image.shape)
    return (image + noise).astype(np.uint8)


@given(st.floats(80, 120), st.floats(140, 160), st.floats(70, 130), st.booleans())
def test_circle_is_found_though_cut_and_notched(y, x, radius, notch):
    crop = square_crop(photograph(200, 300, y, x, radius, notch=notch))
    middle = crop.top + crop.side / 2 - 0.5, crop.left + crop.side / 2 - 0.5
    np.testing.assert_allclose(middle, (y, x), atol=2)
    assert crop.side == pytest.approx(2 * radius, abs=4)


def test_circle_is_found_from_its_corners_alone_and_cut_away_from_the_edge():
    for radius in (145, 150, 160):  # cut on all sides
        crop = square_crop(photograph(200, 280, 99.5, 139.5, radius))
        assert crop.side == pytest.approx(2 * radius, abs=4)
    image = photograph(200, 300, 99.5, 149.5, 100)
    image[:30] = image[170:] = 0
    crop = square_crop(image)
    assert (crop.top, crop.side) == (pytest.approx(0, abs=4), pytest.approx(200, abs=6))


def test_field_of_view_is_the_largest_area_without_holes_or_all():
    for value in (0, 5, 128, 255):  # no circle
        image = np.full((40, 60, 3), value, np.uint8)
        assert square_crop(image) == center_crop(40, 60)
        assert field_of_view(image).all()
    image = photograph(100, 150, 49.5, 74.5, 45)
    image[45:55, 70:80] = 0  # a dark spot inside
    image[2:8, 2:20] = 200  # a date stamp outside
    actual = field_of_view(image)
    assert actual[50, 75] > actual[5, 5]
    assert actual.sum() == pytest.approx(np.pi * 45**2, rel=0.02)


@given(crops, st.integers(0, 59), st.integers(0, 79))
def test_points_follow_the_pixels(crop, y, x):
    size = crop.side  # no resizing: a pixel goes to a pixel
    image = np.zeros((60, 80), bool)
    image[y, x] = True
    points = crop.points(np.array([[y, x], [np.nan, np.nan]]), size)
    inside = (points[0] >= 0).all() and (points[0] < size).all()
    expected = points[:1].tolist() if inside else []
    assert np.argwhere(crop.apply(image, size)).tolist() == expected
    assert np.isnan(points[1]).all()  # missing stays missing


@given(crops, st.integers(4, 64))
def test_points_follow_a_resized_blob(crop, size):
    rows, columns = np.mgrid[:60, :80]
    blob = np.exp(-((rows - 29.5) ** 2 + (columns - 39.5) ** 2) / 50)
    expected = crop.points(np.array([29.5, 39.5]), size)
    margin = 14 * size / crop.side
    if margin <= expected.min() and expected.max() <= size - 1 - margin:
        weight = crop.apply((blob * 255).astype(np.uint8), size).astype(float)
        y, x = np.mgrid[:size, :size]
        actual = np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()
        np.testing.assert_allclose(actual, expected, atol=0.15)


@given(crops, st.integers(4, 40))
def test_a_reduced_copy_gives_the_same_crop(crop, size):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (15, 20, 3), np.uint8)
    full = small.repeat(4, axis=0).repeat(4, axis=1)
    expected = crop.apply(full, size).mean()
    assert crop.apply(small, size).mean() == pytest.approx(expected, abs=12)


def test_a_mask_is_true_where_half_a_pixel_was_and_floats_are_refused():
    half = np.tile(np.arange(8) < 5, (8, 1))  # shares 1, 1, .5, 0 of wider pixels
    actual = Crop(0, 0, 8, 8, 8).apply(half, 4)
    assert actual[0].tolist() == [True, True, True, False]
    with pytest.raises(TypeError, match="array must be uint8 or bool, found float64"):
        Crop(0, 0, 4, 4, 4).apply(np.zeros((4, 4)), 2)


@given(st.integers(1, 70))
def test_round_mask_does_not_change_when_turned(size):
    mask = round_mask(size)
    np.testing.assert_array_equal(mask, np.rot90(mask))
    assert mask[size // 2].all()
    assert round_mask(4).sum() == 12


def test_eyes_are_told_from_other_images():
    eye = photograph(60, 60, 29.5, 29.5, 30)
    gray = np.repeat(eye.max(axis=-1, keepdims=True), 3, axis=-1)
    full = np.full((60, 60, 3), (180, 90, 40), np.uint8)
    assert looks_like_fundus([eye, eye, gray])
    assert not any(map(looks_like_fundus, ([gray], [full], [])))


@given(sides, sides)
def test_a_flat_array_stays_flat(shape, wanted):
    for array in (np.full((*shape, 3), 77, np.uint8), np.ones(shape, bool)):
        resized = resize(array, wanted)
        assert resized.shape[:2] == wanted
        np.testing.assert_allclose(resized.astype(float), float(array.flat[0]))
        assert resize(array, shape) is array


def test_a_shrunk_mask_keeps_its_area_and_its_place_and_a_smooth_map_its_values():
    mask = np.zeros((80, 120), bool)
    mask[20:40, 60:90] = True
    small = resize(mask, (40, 60))
    assert small.dtype == np.float32
    assert 4 * small.sum() == pytest.approx(mask.sum(), rel=0.01)
    rows, columns = np.nonzero(small >= 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 19, 30, 44)
    y, x = np.mgrid[:60, :90] / 90
    expected = np.sin(3 * y) * np.cos(4 * x)
    actual = resize(resize(expected, (30, 45)), (60, 90))
    np.testing.assert_allclose(actual, expected, atol=0.03)


def test_fields_shrink_to_the_width_and_are_never_enlarged():
    region = np.ones((720, 1080), bool)
    assert working_shape(region, 540) == (360, 540)
    assert working_shape(region, 0) == working_shape(region, 5000) == (720, 1080)
    assert working_shape(np.zeros((10, 10), bool), 5) == (10, 10)
    region[:, :540] = False  # the field counts, and not the black around it
    assert working_shape(region, 270) == (360, 540)
