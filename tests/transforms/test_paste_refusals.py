"""What cut-and-paste refuses, and in which words."""

import numpy as np
import pytest

from tinyssl.transforms import cut_paste, sample_pastes

GOOD = {
    "images": np.zeros((2, 8, 9, 3), np.uint8),
    "boxes": [[0, 0, 4, 4, 3, 3]] * 2,
    "alphas": [0.5, 1],
    "gains": [[1, 1, 1]] * 2,
}


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"images": np.zeros((8, 9))}, ValueError, r"images must be .N, H, W. or .N,"),
        ({"images": np.zeros((2, 8, 9), bool)}, TypeError, "images must hold numbers"),
        ({"images": np.zeros((2, 0, 9))}, ValueError, "images must not be empty"),
        ({"images": np.zeros((2, 8, 9, 0))}, ValueError, "images must not be empty"),
        ({"images": np.full((2, 8, 9), np.nan)}, ValueError, "images must be finite"),
        ({"images": np.full((2, 8, 9, 3), 2**60)}, ValueError, r"within \+-2\*\*53"),
        ({"images": np.full((2, 8, 9, 3), -(2**60))}, ValueError, "found -1.15292e"),
        ({"boxes": [[0, 0, 4, 4, 3, 3.0]] * 2}, TypeError, "boxes must be integers"),
        ({"boxes": [[0, 0, 4, 4, 3, 3]]}, ValueError, r"boxes must have shape .2, 6.,"),
        ({"boxes": [[0, 0, 6, 4, 3, 3]] * 2}, ValueError, "inside 8 x 9, found .0, 0,"),
        ({"boxes": [[0, 7, 4, 4, 3, 3]] * 2}, ValueError, "inside 8 x 9, found .0, 7,"),
        ({"boxes": [[0, 0, 4, -1, 3, 3]] * 2}, ValueError, "inside 8 x 9"),
        ({"boxes": [[0, 0, 4, 4, 0, 3]] * 2}, ValueError, "inside 8 x 9"),
        ({"boxes": [[0, 0, 4, 4, 3, 2**62]] * 2}, ValueError, "inside 8 x 9"),
        ({"alphas": [0.5]}, ValueError, r"alphas must have shape .2,., found .1,."),
        ({"alphas": [0.5, 1.1]}, ValueError, r"alphas must be in 0..1, found 1.1"),
        ({"alphas": [0.5, np.nan]}, ValueError, "alphas must be finite, found nan"),
        ({"gains": [[1, 1]] * 2}, ValueError, r"gains must have shape .2, 3., found"),
        ({"gains": [[1, -1, 1]] * 2}, ValueError, "gains must be >= 0, found -1"),
        ({"edge": -1}, ValueError, "edge must be >= 0, found -1"),
        ({"edge": 1.5}, TypeError, "edge must be an integer, found 1.5"),
    ],
)
def test_refusals_of_pasting(changed, error, message):
    arguments = GOOD | changed
    edge = arguments.pop("edge", 4)
    with pytest.raises(error, match=message):
        cut_paste(*arguments.values(), edge=edge)


def test_gains_of_all_channels_at_once_and_gray():
    arguments = GOOD | {"images": np.ones((2, 8, 9, 3)), "gains": [[0.5]] * 2}
    alike = GOOD | {"images": np.ones((2, 8, 9, 3)), "gains": [[0.5] * 3] * 2}
    pasted, _ = cut_paste(*arguments.values())
    np.testing.assert_array_equal(pasted, cut_paste(*alike.values())[0])
    gray = GOOD | {"images": np.ones((2, 8, 9)), "gains": [[0.5]] * 2}
    np.testing.assert_array_equal(cut_paste(*gray.values())[0], pasted[..., 0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"area": (0.5, 0.1)}, ValueError, "area must be .low, high. with low <= high"),
        ({"area": ("a", 1)}, TypeError, "area must be two finite numbers > 0, found"),
        ({"alpha": (0.5, 1.5)}, ValueError, "low <= high <= 1, found .0.5, 1.5."),
        ({"alpha": (0, 1)}, ValueError, "alpha must be two finite numbers > 0"),
        ({"aspect": (1, np.inf)}, ValueError, "aspect must be two finite numbers"),
        ({"jitter": 1}, ValueError, "jitter must be < 1, found 1.0"),
        ({"jitter": -0.1}, ValueError, "jitter must be finite and >= 0, found -0.1"),
        ({"region": np.zeros((30, 30))}, ValueError, "region must have 2 or more plac"),
        ({"region": np.eye(30)}, ValueError, "of 4 x 4 pixels, the least area, found"),
        ({"region": np.ones((3, 30, 30))}, ValueError, r"shape .30, 30. or .2, 30, 3"),
        ({"region": np.stack([np.ones((30, 30)), np.eye(30)])}, ValueError, "4 x 4"),
    ],
)
def test_refusals_of_sampling(options, error, message):
    with pytest.raises(error, match=message):
        sample_pastes(2, (30, 30), rng=0, **options)


def test_what_is_impossible_does_not_depend_on_chance():
    region = np.zeros((30, 30))
    region[:4, :4] = 1  # one place for the least square, none for another
    for seed in range(50):
        with pytest.raises(ValueError, match=r"region must have 2 or more .* found 1"):
            sample_pastes(1, (30, 30), rng=seed, region=region)
    region[:4, :5] = 1
    for seed in range(50):
        boxes, _, _ = sample_pastes(1, (30, 30), rng=seed, region=region)
        assert {boxes[0, 1], boxes[0, 3]} == {0, 1}
    with pytest.raises(ValueError, match=r"the image must have 2 .* found 1"):
        sample_pastes(1, (1, 1), rng=0)
