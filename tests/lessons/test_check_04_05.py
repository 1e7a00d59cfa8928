"""Lessons 4 and 5: what learners write is answered as the lessons promise."""

import math

import numpy as np
import pytest
from scipy import stats

from tinyssl import check
from tinyssl.check import exercise


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Begin every test with the first hint."""
    monkeypatch.setattr(exercise, "failures", {})


# Written as a learner would, not as the planted answers are


def clockwise(images):
    out = np.empty((len(images), 4, *images.shape[1:]), images.dtype)
    for n, image in enumerate(images):
        for k in range(4):
            out[n, k] = np.rot90(image, -k)
    return out


def one_row(images):
    return np.array([np.rot90(image, k) for image in images for k in range(4)])


def through_softmax(logits, turns):
    e = np.exp(logits)
    p = e / e.sum(1, keepdims=True)
    return -np.mean([np.log(row[t]) for row, t in zip(p, turns, strict=True)])


def summed(logits, turns):
    z = logits - logits.max(1, keepdims=True)
    return sum(
        np.log(np.exp(row).sum()) - row[t] for row, t in zip(z, turns, strict=True)
    )


def neighbours(table):
    good = table[:2, :2].sum() + table[2:, 2:].sum()
    way = np.trace(table) / good if good else np.nan
    return [good / table.sum(), way]


def accuracy_twice(table):
    parity = sum(table[i, j] for i in range(4) for j in range(4) if (i - j) % 2 == 0)
    return [parity / table.sum(), np.diag(table).sum() / table.sum()]


def stop_before(patient, order, percent):
    chosen, room = [], percent * len(patient) / 100
    for name in order:
        room -= np.sum(patient == name)
        if room < 0:
            break
        chosen.append(name)
    return np.array([name in chosen for name in patient])


def by_share_of_patients(patient, order, percent):
    count = int(np.ceil(percent / 100 * len(order)))
    return np.array([name in order[:count] for name in patient])


def one_more(patient, order, percent):
    reached = np.cumsum([np.sum(patient == name) for name in order])
    place = np.searchsorted(reached, percent / 100 * len(patient), side="right")
    return np.isin(patient, order[: place + 1])


def as_folds_come(rows, start):
    ours = {fold: score for name, fold, score in rows if name == start}
    scratch = {fold: score for name, fold, score in rows if name == "scratch"}
    return [ours[fold] - scratch[fold] for fold in ours]


def as_rows_come(rows, start):
    ours = np.array([row[2] for row in rows if row[0] == start])
    scratch = np.array([row[2] for row in rows if row[0] == "scratch"])
    return ours - scratch


def from_the_mean(rows, start):
    rows = sorted(rows, key=lambda row: row[1])
    scratch = np.mean([score for name, _, score in rows if name == "scratch"])
    return [score - scratch for name, _, score in rows if name == start]


def plain(differences, test_share):
    mean, k = np.mean(differences), len(differences)
    return stats.t.interval(0.95, k - 1, mean, stats.sem(differences) + 1e-300)


def normal(differences, test_share):
    k = len(differences)
    s = np.std(differences, ddof=1) * np.sqrt(1 / k + test_share)
    return np.mean(differences) - 1.96 * s, np.mean(differences) + 1.96 * s


def too_free(differences, test_share):
    k, mean = len(differences), np.mean(differences)
    error = np.sqrt(np.var(differences, ddof=1) * (1 / k + test_share))
    return mean - stats.t.ppf(0.975, k) * error, mean + stats.t.ppf(0.975, k) * error


@pytest.mark.parametrize(
    ("asked", "answer", "hint"),
    [
        (check.four_turns, clockwise, "the other way round"),
        (check.four_turns, one_row, "in an axis of their own"),
        (check.cross_entropy, through_softmax, "exp(1000) is infinite"),
        (check.cross_entropy, summed, "twice as large would cost twice"),
        (check.axis_and_way, neighbours, "0 belongs to 180"),
        (check.axis_and_way, accuracy_twice, "not of all: this is the accuracy"),
        (check.labelled, stop_before, "one patient too early"),
        (check.labelled, by_share_of_patients, "percent is of the images"),
        (check.labelled, one_more, "one patient more"),
        (check.differences, as_folds_come, "not their order"),
        (check.differences, as_rows_come, "formed as the rows come"),
        (check.differences, from_the_mean, "easy folds look like gains"),
        (check.interval, plain, "the plain interval"),
        (check.interval, too_free, "k - 1 degrees of freedom"),
        (check.interval, normal, "1.96 belongs to a known variance"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint, few_cases):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


def test_the_smallest_wrong_turn_is_one_image_of_two_pixels():
    _, text = check.four_turns.examine(clockwise)
    assert "images = [[[0, 1], [2, 3]]]" in text


def test_large_logits_are_what_the_law_names():
    _, text = check.cross_entropy.examine(through_softmax)
    assert "1000" in text
    assert "expected  1.386" in text


def test_other_right_ways_pass():
    def turns_in_a_loop(images):
        turned = [images]
        for _ in range(3):
            turned.append(turned[-1].swapaxes(1, 2)[:, ::-1])
        return np.stack(turned, 1)

    def by_logaddexp(logits, turns):
        each = np.logaddexp.reduce(logits, axis=1)
        return float(np.mean(each - np.choose(turns, logits.T)))

    assert check.four_turns.examine(turns_in_a_loop)[0]
    assert check.cross_entropy.examine(by_logaddexp)[0]


def test_the_smallest_unpaired_rows_are_two_folds():
    _, text = check.differences.examine(as_rows_come)
    assert "law       The order of the rows does not matter." in text
    given = text.split("rows = ")[1].split("]")[0]
    assert given.count("(") <= 9  # three starts, two or three folds


def test_other_right_ways_of_lesson_5_pass():
    def labelled(patient, order, percent):
        mask, names = np.zeros(len(patient), bool), iter(order)
        while mask.sum() * 100 < percent * len(patient):
            mask |= patient == next(names)
        return mask.astype(int)

    def interval(differences, test_share):
        d, k = np.array(differences), len(differences)
        scale = np.sqrt(d.var(ddof=1) * (1 / k + test_share)) + 1e-300
        return list(stats.t.interval(0.95, k - 1, loc=d.mean(), scale=scale))

    assert check.labelled.examine(lambda *case: labelled(*case) > 0)[0]
    assert check.interval.examine(interval)[0]


# Errors that no learner is expected to make, one for each law that hints do not need


def louder_when_large(logits, turns):
    ahead = logits[np.arange(len(turns)), turns] - logits.mean(axis=1)
    return math.log(4) - np.mean(ahead) * (1 + logits.max() ** 2)


def counts_for_shares(table):
    return [table[0::2, 0::2].sum() + table[1::2, 1::2].sum(), np.trace(table)]


def last_one_left_out(patient, order, percent):
    return patient != order[-1]


def from_either_end(patient, order, percent):
    ends = order if percent < 50 else order[::-1]
    for number in range(1, len(order) + 1):
        mask = np.isin(patient, ends[:number])
        if 100 * mask.sum() >= percent * len(patient):
            return mask


def never_sure(differences, test_share):
    return np.mean(differences) - 0.1, np.mean(differences) + 0.1


def gains_only(differences, test_share):
    return np.min(differences), np.mean(differences)


@pytest.mark.parametrize(
    ("asked", "answer", "law"),
    [
        (check.cross_entropy, louder_when_large, "A number added to all four"),
        (check.axis_and_way, counts_for_shares, "Where all answers are right"),
        (check.labelled, last_one_left_out, "100 % are all images"),
        (check.labelled, from_either_end, "A smaller share lies inside"),
        (check.interval, never_sure, "Folds that all agree"),
        (check.interval, gains_only, "Which start is called the first"),
    ],
)
def test_each_law_can_fail(asked, answer, law, few_cases):
    passed, text = asked.examine(answer)
    assert not passed
    assert f"law       {law}" in text
