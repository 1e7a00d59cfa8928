"""Thin vessels: lines of known width, told apart at every angle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data.crop import field_width
from tinyssl.targets.overlap import thin_vessels, thin_width


def line(width, angle, side=101):
    """Return a straight line through the middle, its width exact along the axes."""
    y, x = np.mgrid[:side, :side] - side // 2
    turn = np.deg2rad(angle)
    across = np.round(x * np.sin(turn) - y * np.cos(turn), 9)  # exact ties
    return (across > -width / 2) & (across <= width / 2)


@given(st.integers(2, 12), st.integers(-2, 4), st.sampled_from([0, 90]))
def test_straight_lines_are_thin_below_the_width_and_not_from_it_on(width, more, angle):
    if width + more < 1:
        return
    mask = line(width + more, angle)
    expected = mask if more < 0 else np.zeros_like(mask)
    np.testing.assert_array_equal(thin_vessels(mask, width=width), expected)


@given(st.integers(3, 12), st.sampled_from([-1, 1]), st.floats(0, 180))
def test_at_any_angle_a_pixel_tells_them_apart(width, more, angle):
    mask = line(width + more, angle)
    thin = thin_vessels(mask, width=width)
    inner = np.s_[20:-20, 20:-20]  # the frame cuts a slanting line
    assert thin[inner].sum() == (mask[inner].sum() if more < 0 else 0)


def test_a_thin_branch_is_thin_and_its_wide_parent_is_not():
    parent, branch = line(12, 0), line(3, 90)
    thin = thin_vessels(parent | branch, width=5)
    assert not thin[parent].any()
    far = np.abs(np.arange(101) - 50) > 12
    assert np.array_equal(thin[far], branch[far])


def test_neither_a_jagged_rim_nor_what_the_frame_cuts_nor_nothing_is_thin():
    jagged = line(12, 0)
    jagged[[43, 56]] |= np.random.default_rng(0).random((2, 101)) < 0.4
    cut, nothing = line(24, 0), np.zeros((9, 7), bool)
    for mask, width in ((jagged, 5), (cut, 24), (nothing, 3)):
        assert not thin_vessels(mask, width=width).any()


@pytest.mark.parametrize("width", [0, -1, np.nan])
def test_a_width_below_a_pixel_is_refused(width):
    with pytest.raises(ValueError, match="width must be at least 1 pixel, found"):
        thin_vessels(np.ones((3, 3), bool), width=width)


def test_the_width_follows_the_field_of_view():
    for width, expected in ((540, 3), (918, 5), (1630, 9), (60, 2)):
        region = np.zeros((20, width + 7), bool)
        region[:, 3 : width + 3] = True
        assert (field_width(region), thin_width(region)) == (width, expected)
    assert field_width(np.zeros((4, 4), bool)) == 0
