"""Shrinking images and masks, and bringing probabilities back to size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data.crop import resize, working_shape

sides = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(sides, sides)
def test_a_flat_array_stays_flat(shape, wanted):
    for array in (np.full((*shape, 3), 77, np.uint8), np.ones(shape, bool)):
        resized = resize(array, wanted)
        assert resized.shape[:2] == wanted
        np.testing.assert_allclose(resized.astype(float), float(array.flat[0]))
        assert resize(array, shape) is array


def test_a_shrunk_mask_keeps_its_area_and_its_place():
    mask = np.zeros((80, 120), bool)
    mask[20:40, 60:90] = True
    small = resize(mask, (40, 60))
    assert small.dtype == np.float32
    assert 4 * small.sum() == pytest.approx(mask.sum(), rel=0.01)
    rows, columns = np.nonzero(small >= 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 19, 30, 44)


def test_there_and_back_a_smooth_map_is_hardly_changed():
    y, x = np.mgrid[:60, :90] / 90
    expected = np.sin(3 * y) * np.cos(4 * x)
    actual = resize(resize(expected, (30, 45)), (60, 90))
    np.testing.assert_allclose(actual, expected, atol=0.03)


@pytest.mark.parametrize(
    ("width", "expected"), [(540, (360, 540)), (0, (720, 1080)), (5000, (720, 1080))]
)
def test_fields_shrink_to_the_width_and_are_never_enlarged(width, expected):
    region = np.ones((720, 1080), bool)
    assert working_shape(region, width) == expected
    assert working_shape(np.zeros((10, 10), bool), 5) == (10, 10)
    region[:, :540] = False  # the field counts, and not the black around it
    assert working_shape(region, 270) == (360, 540)
