"""Calibration: groups, intervals, and graders that are too sure or not sure enough."""

import numpy as np
import pytest

from tinyssl.grade.calibration import group_of, reliability, wilson


def answers(n, right, said, seed=0):
    """Return n answers of grade 1 in 0..1, right with one chance, said with another."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < right).astype(int)
    said = np.clip(rng.normal(said, 0.02, n), 0.51, 0.99)
    return truth, np.stack([1 - said, said], 1)


@pytest.mark.parametrize(("right", "said"), [(0.7, 0.7), (0.6, 0.9), (0.9, 0.6)])
def test_error_is_the_distance_between_said_and_right(right, said):
    found = reliability(*answers(4000, right, said), head="softmax")
    assert found["error"] == pytest.approx(abs(said - right), abs=0.03)
    over = found["bins"][2]["said"] - found["bins"][2]["right"]
    assert over == pytest.approx(said - right, abs=0.06)


def test_every_image_is_in_one_group_with_the_interval_by_hand():
    found = reliability(*answers(203, 0.5, 0.7), head="softmax")
    assert sum(group["n"] for group in found["bins"]) == found["n"] == 203
    ends = [end for group in found["bins"] for end in (group["from"], group["to"])]
    assert ends == sorted(ends)
    for group in found["bins"]:
        assert group["low"] <= group["right"] <= group["high"]
    # the interval and the Brier score by hand
    share, z = 0.8, 1.959964  # Wilson 1927: of 8 in 10
    middle = share + z**2 / 20
    reach = z * np.sqrt(share * (1 - share) / 10 + z**2 / 400)
    ends = [(middle + side * reach) / (1 + z**2 / 10) for side in (-1, 1)]
    assert wilson(8, 10) == pytest.approx(ends, abs=1e-6)
    probability = np.array([[0.8, 0.2], [0.6, 0.4]])
    found = reliability(np.array([0, 1]), probability, head="softmax")
    assert found["brier"] == pytest.approx((0.2**2 + 0.2**2 + 0.6**2 + 0.6**2) / 2)


def test_ordinal_answers_are_judged_by_their_own_probability_in_their_group():
    probability = np.array([[0.45, 0.1, 0.45]])  # the median grade is 1
    found = reliability(np.array([1]), probability, head="continuation")
    assert found["bins"][0]["said"] == pytest.approx(0.1)
    assert found["bins"][0]["right"] == 1
    found = {"bins": [{"from": 0.3, "to": 0.4}, {"from": 0.6, "to": 0.9}]}
    for probability, expected in ((0.1, 0.3), (0.35, 0.3), (0.5, 0.3), (0.95, 0.6)):
        assert group_of(found, probability)["from"] == expected
