"""Lessons 6 and 9: the checks answer what learners write."""

import numpy as np
import pytest
from scipy import stats

from tinyssl import check
from tinyssl.check import exercise, lesson06
from tinyssl.summary import paired_interval


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


def masked(image, other, where):
    squared = (image / 255 - other / 255) ** 2
    return squared[where].mean() if where.any() else np.nan


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


def over_nothing(restored, copied):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nansum(restored) / np.nansum(copied)


def p_of(first, second, orders, beyond, own=1):
    both, n = np.concatenate([first, second]), len(first)
    sides = [(both[o[:n]], both[o[n:]]) for o in orders]
    count = sum(beyond(a, b, first, second) for a, b in sides)
    return (own + count) / (own + len(orders))


def apart(a, b):
    return (np.mean(a) - np.mean(b)) ** 2


def never_counts_itself(first, second, orders):
    def beyond(a, b, x, y):
        return apart(a, b) > apart(x, y) - 1e-9

    return p_of(first, second, orders, beyond, own=0)


def only_farther(first, second, orders):
    def beyond(a, b, x, y):
        return apart(a, b) > apart(x, y) + 1e-9

    return p_of(first, second, orders, beyond)


def one_sided(first, second, orders):
    def beyond(a, b, x, y):
        return a.mean() - b.mean() >= x.mean() - y.mean() - 1e-9

    return p_of(first, second, orders, beyond)


def welch(restored, copied):
    n = len(restored)
    error = np.sqrt(np.var(restored, ddof=1) / n + np.var(copied, ddof=1) / n)
    mean = np.mean(restored) - np.mean(copied)
    half = stats.t.ppf(0.975, n - 1) * error
    return mean, mean - half, mean + half


def of_endless(restored, copied):
    gains = np.subtract(restored, copied)
    half = 1.96 * np.std(gains, ddof=1) / len(gains) ** 0.5
    return gains.mean(), gains.mean() - half, gains.mean() + half


def of_images(restored, copied):
    gains = restored - copied
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1)
    return [gains.mean(), gains.mean() - half, gains.mean() + half]


SSIM_FACTS = ["copied", "data_range"]
FRECHET_FACTS = ["d", "features", "floor", "n1", "n2"]


def asks_all(report):
    return [k for k in sorted(SSIM_FACTS + FRECHET_FACTS) if report.get(k) is None]


def zero_is_nothing(report):
    names = SSIM_FACTS if "ssim" in report else []
    names = names + (FRECHET_FACTS if "frechet" in report else [])
    return sorted(name for name in names if not report.get(name))


def none_is_stated(report):
    names = SSIM_FACTS if "ssim" in report else []
    names = names + (FRECHET_FACTS if "frechet" in report else [])
    return sorted(set(names) - set(report))


def unsorted(report):
    names = SSIM_FACTS if "ssim" in report else []
    names = names + (FRECHET_FACTS if "frechet" in report else [])
    return [name for name in names if report.get(name) is None]


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
        (check.share_left, over_nothing, "no share of nothing"),
        (check.exchange_test, never_counts_itself, "p can become 0"),
        (check.exchange_test, only_farther, ">=, not >"),
        (check.exchange_test, one_sided, "square it"),
        (check.paired_gain, welch, "as strangers"),
        (check.paired_gain, of_endless, "1.96 is for endless images"),
        (check.paired_gain, of_images, "single images scatter"),
        (check.missing, asks_all, "owes no data range"),
        (check.missing, zero_is_nothing, "0 is stated"),
        (check.missing, none_is_stated, "None is not stated"),
        (check.missing, unsorted, "sort at the end"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


@pytest.mark.parametrize(
    ("asked", "answer", "law"),
    [
        (check.moved, lambda s, h, w, p: np.ones((h, w), bool), "No swaps"),
        (
            check.masked_mse,
            lambda a, b, where: (masked(a, b, where), 2 * masked(a, b, ~where)),
            "Turning the mask round",
        ),
        (
            check.paired_gain,
            lambda a, b: (a.mean() - b.mean(), (a - b).min(), a.mean() - b.mean()),
            "Exchanging both",
        ),
        (check.missing, lambda report: sorted(report), "lacks nothing"),
    ],
)
def test_a_law_no_planted_answer_breaks_can_fail(asked, answer, law):
    _, text = asked.examine(answer)
    assert law in text


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


def test_the_smallest_report_states_one_score():
    _, text = check.missing.examine(none_is_stated)
    assert text.count("0.5") == 1
    assert "None" in text


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

    def as_in_the_lesson(first, second, orders):  # no allowance for rounding
        def beyond(a, b, x, y):
            return apart(a, b) >= apart(x, y)

        return p_of(first, second, orders, beyond)

    def by_the_library(restored, copied):
        return paired_interval(restored - copied)

    assert check.exchange_test.examine(as_in_the_lesson)[0]
    assert check.paired_gain.examine(by_the_library)[0]
    assert check.moved.examine(by_pixel)[0]
    assert check.masked_mse.examine(by_count)[0]
