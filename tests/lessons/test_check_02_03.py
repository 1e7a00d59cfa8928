"""Lessons 2 and 3: they derive the answer key, and answer what learners write."""

import math

import numpy as np
import pytest
from lesson_form import LESSONS, body, functions

from tinyssl import check
from tinyssl.check import exercise

KEY = functions(LESSONS.parent / "tinyssl/reference.py")


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Begin every test with the first hint."""
    monkeypatch.setattr(exercise, "failures", {})


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("02", "ssim_map"),
        ("02", "frechet_distance_from_stats"),
        ("02", "frechet_distance"),
        ("03", "swap_patches"),
        ("03", "rotate"),
    ],
)
def test_derived_as_in_the_answer_key(number, name):
    (path,) = LESSONS.glob(f"{number}_*.py")
    assert body(functions(path)[name]) == body(KEY[name])


# Written as a learner would, not as the planted answers are


def one_range(window1, window2, data_range):
    x, y = window1.astype(float), window2.astype(float)
    m1, m2 = x.mean(), y.mean()
    covariance = ((x - m1) * (y - m2)).mean()
    top = (2 * m1 * m2 + 0.0001) * (2 * covariance + 0.0009)
    return top / ((m1**2 + m2**2 + 0.0001) * (x.var() + y.var() + 0.0009))


def squares_first(window1, window2, data_range):
    m1, m2 = np.mean(window1), np.mean(window2)
    v1 = np.mean(window1**2) - m1**2
    v2 = np.mean(window2**2) - m2**2
    covariance = np.mean(window1 * window2) - m1 * m2
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    top = (2 * m1 * m2 + c1) * (2 * covariance + c2)
    return top / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2))


def by_sample(window1, window2, data_range):
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    (v1, covariance), (_, v2) = np.cov(window1.ravel(), window2.ravel())
    m1, m2 = window1.mean(dtype=float), window2.mean(dtype=float)
    first = (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1)
    return first * (2 * covariance + c2) / (v1 + v2 + c2)


def improvement(ssim_copied, ssim_restored):
    return ssim_restored - ssim_copied


def divides_by_zero(ssim_copied, ssim_restored):
    return 1 - (1 - ssim_restored) / (1 - ssim_copied)


def of_variances(mean1, variances1, mean2, variances2):
    return ((mean1 - mean2) ** 2 + (variances1 - variances2) ** 2).sum()


def rooted(mean1, variances1, mean2, variances2):
    spread = np.sqrt(variances1) - np.sqrt(variances2)
    return np.sqrt((mean1 - mean2) @ (mean1 - mean2) + spread @ spread)


def last_left_out(swap, height, width, patch_size):
    y1, x1, y2, x2 = swap
    places = np.isin([y1, y2], range(height - patch_size)).all()
    places &= np.isin([x1, x2], range(width - patch_size)).all()
    return places and (abs(y1 - y2) >= patch_size or abs(x1 - x2) >= patch_size)


def apart_both_ways(swap, height, width, patch_size):
    y1, x1, y2, x2 = swap
    if max(y1, y2) + patch_size > height or max(x1, x2) + patch_size > width:
        return False
    return abs(y1 - y2) >= patch_size and abs(x1 - x2) >= patch_size


def again(image, swaps, patch_size):
    image = image.copy()
    for y1, x1, y2, x2 in swaps:
        for dy in range(patch_size):
            for dx in range(patch_size):
                keep = image[y1 + dy, x1 + dx]
                image[y1 + dy, x1 + dx] = image[y2 + dy, x2 + dx]
                image[y2 + dy, x2 + dx] = keep
    return image


def shuffle_again(tiles, order):
    return np.array([tiles[i] for i in order])


@pytest.mark.parametrize(
    ("asked", "answer", "hint"),
    [
        (check.ssim_window, one_range, "do not grow with data_range"),
        (check.ssim_window, squares_first, "digits cancel"),
        (check.ssim_window, by_sample, "divide by n - 1"),
        (check.gain, improvement, "divide by what was left"),
        (check.gain, divides_by_zero, "return nan there"),
        (check.frechet_diagonal, of_variances, "take their roots"),
        (check.frechet_diagonal, rooted, "stays squared"),
        (check.fits, last_left_out, "off by one"),
        (check.fits, apart_both_ways, "Say or, not and"),
        (check.undo_swaps, again, "The last swap is undone first"),
        (check.undo_tiles, shuffle_again, "you need the inverse"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint, few_cases):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


def test_the_smallest_case_is_three_tiles_in_a_circle():
    _, text = check.undo_tiles.examine(shuffle_again)
    assert "order = [1, 2, 0]" in text or "order = [2, 0, 1]" in text


def test_the_smallest_swaps_share_a_pixel():
    _, text = check.undo_swaps.examine(again)
    assert "patch_size = 1" in text
    assert text.count("], [") == 4  # given, expected, got: 2 x 2; and two swaps


def test_a_changed_input_is_told():
    def in_place(image, swaps, patch_size):
        image[:] = again(image, swaps[::-1], patch_size)
        return image

    passed, text = check.undo_swaps.examine(in_place)
    assert not passed
    assert "changed its input" in text


def test_an_endless_search_for_a_place_ends():
    def forever(swap, height, width, patch_size):
        while max(swap) >= 0:
            pass

    passed, text = check.fits.examine(forever)
    assert not passed
    assert "no answer within" in text


def test_other_right_ways_pass():
    def gain(ssim_copied, ssim_restored):
        left = 1 - ssim_copied
        return math.nan if left == 0 else 1 - (1 - ssim_restored) / left

    def back(tiles, order):
        return np.array([tiles[list(order).index(i)] for i in range(len(order))])

    assert check.gain.examine(gain)[0]
    assert check.undo_tiles.examine(back)[0]
