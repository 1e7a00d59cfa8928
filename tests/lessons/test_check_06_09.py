"""Lesson 6: the checks answer what learners write."""

import numpy as np
import pytest

from tinyssl import check
from tinyssl.check import exercise, lesson06


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Begin every test with the first hint."""
    monkeypatch.setattr(exercise, "failures", {})


# Written as a learner would, not as the planted answers are


def union(swaps, height, width, patch_size):
    inside = np.zeros((height, width), bool)
    for y1, x1, y2, x2 in swaps:
        inside[y1 : y1 + patch_size, x1 : x1 + patch_size] = True
        inside[y2 : y2 + patch_size, x2 : x2 + patch_size] = True
    return inside


def first_of_each(swaps, height, width, patch_size):
    return union(np.hstack([swaps[:, :2], swaps[:, :2]]), height, width, patch_size)


def one_short(swaps, height, width, patch_size):
    mask = [[False] * width for _ in range(height)]
    for row in swaps:
        for y, x in (row[:2], row[2:]):
            for dy in range(patch_size - 1):
                for dx in range(patch_size - 1):
                    mask[y + dy][x + dx] = True
    return np.array(mask)


def wraps(image, restored, where):
    squared = ((image - restored) / 255) ** 2
    inside = squared[where].mean() if where.any() else np.nan
    return inside, (squared[~where].mean() if (~where).any() else np.nan)


def diluted(image, restored, where):
    squared = (image / 255 - restored / 255) ** 2
    n = squared.size
    return squared[where].sum() / n, squared[~where].sum() / n


def ratios(restored, copied):
    values = [r / c for r, c in zip(restored, copied, strict=True) if c > 0]
    return sum(values) / len(values) if values else np.nan


def restored_share(restored, copied):
    total = np.nansum(copied)
    return (total - np.nansum(restored)) / total if total else np.nan


def spoilt_by_nan(restored, copied):
    return sum(restored) / sum(copied) if sum(copied) != 0 else np.nan


@pytest.mark.parametrize(
    ("asked", "answer", "hint"),
    [
        (check.moved, union, "may bring a pixel home"),
        (check.moved, first_of_each, "the second one moves too"),
        (check.moved, one_short, "lost its last row"),
        (check.masked_mse, wraps, "bytes wrap around"),
        (check.masked_mse, diluted, "divide by all pixels"),
        (check.share_left, ratios, "weighs as much as all others"),
        (check.share_left, restored_share, "what is left was asked for"),
        (check.share_left, spoilt_by_nan, "makes all of it nan"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


def test_the_smallest_swap_is_one_pixel():
    _, text = check.moved.examine(first_of_each)
    assert "patch_size = 1" in text
    assert "One swap moves both patches" in text


def test_a_swap_undone_tells_the_union_from_what_moved():
    swap = np.array([[0, 0, 1, 1]])
    assert lesson06.moved.answer(swap, 2, 2, 1).tolist() == [[1, 0], [0, 1]]
    twice = np.concatenate([swap, swap])
    assert not lesson06.moved.answer(twice, 2, 2, 1).any()
    assert union(twice, 2, 2, 1).sum() == 2


def test_other_right_ways_pass():
    def by_pixel(swaps, height, width, patch_size):
        stands = {(y, x): (y, x) for y in range(height) for x in range(width)}
        for y1, x1, y2, x2 in swaps:
            for dy in range(patch_size):
                for dx in range(patch_size):
                    p, q = (y1 + dy, x1 + dx), (y2 + dy, x2 + dx)
                    stands[p], stands[q] = stands[q], stands[p]
        return np.array(
            [[stands[y, x] != (y, x) for x in range(width)] for y in range(height)]
        )

    def by_count(image, restored, where):
        squared = (image.astype(float) - restored.astype(float)) ** 2 / 255**2
        parts = (where, ~where)
        return [squared[p].sum() / p.sum() if p.sum() else np.nan for p in parts]

    assert check.moved.examine(by_pixel)[0]
    assert check.masked_mse.examine(by_count)[0]
