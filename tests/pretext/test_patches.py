"""Patches: where they may lie, how they are drawn, what is cut out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.pretext.patches import cut_patches, move_to_objects, sample_corners


def disc(height, width, radius):
    y, x = np.ogrid[:height, :width]
    return (y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 24))
def test_patches_lie_in_the_image_with_their_centre_in_the_field(seed, size, radius):
    regions = [disc(50, 47, radius), disc(40, 60, radius)]
    corners = sample_corners(regions, size, rng=seed)
    for region, (y, x) in zip(regions, corners, strict=True):
        height, width = region.shape
        assert 0 <= y <= height - size
        assert 0 <= x <= width - size
        assert region[y + size // 2, x + size // 2]


def test_every_centre_is_drawn_about_equally_often():
    region = np.zeros((12, 12), bool)
    region[3:6, 4:7] = True
    corners = sample_corners([region] * 4500, 4, rng=0)
    places, counts = np.unique(corners, axis=0, return_counts=True)
    assert len(places) == 9
    assert ((counts - 500.0) ** 2 / 500).sum() < 26  # chi-square, 8 d.o.f., p = .001


def test_first_and_last_rows_and_columns_and_a_field_of_one_pixel_are_reached():
    corners = sample_corners([np.ones((9, 7), bool)] * 500, 4, rng=0)
    assert corners.min(0).tolist() == [0, 0]
    assert corners.max(0).tolist() == [5, 3]
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
    assert moved.min(0).tolist() == [0, 0]
    assert moved.max(0).tolist() == [34, 44]
    assert cut_patches([mask] * 300, moved, 16).any((1, 2)).all()
    offsets = np.array([20, 30]) - moved[(moved > 0).all(1) & (moved < 34).all(1)]
    assert offsets.min() == 0  # anywhere in the patch, not always its middle
    assert offsets.max() == 15


def test_a_share_of_the_patches_is_moved_and_none_where_nothing_is():
    mask = np.zeros((50, 60), bool)
    mask[40:, 50:] = True
    corners = np.zeros((2000, 2), np.int64)
    moved = move_to_objects(corners, [mask] * 2000, 8, share=0.5, rng=0)
    assert 920 < moved.any(1).sum() < 1080
    assert not corners.any()
    nothing = [np.zeros((50, 60), bool)] * 2000
    assert not move_to_objects(corners, nothing, 8, share=1, rng=0).any()
