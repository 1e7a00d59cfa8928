"""Lesson 7: what the checks answer to what learners write."""

import numpy as np
import pytest
from lesson_form import LESSONS

from tinyssl import check, metrics
from tinyssl.check import exercise


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Begin every test with the first hint."""
    monkeypatch.setattr(exercise, "failures", {})


def solutions(number):
    """Return the functions of a file of solutions."""
    names = {}
    exec((LESSONS / f"solutions/{number}.py").read_text(encoding="utf-8"), names)
    return names


# Written as a learner would, not as the planted answers are


def column_first(logits):
    p = np.exp(logits) / np.exp(logits).sum()
    H, W = logits.shape
    return np.array(
        [(p.sum(axis=0) * np.arange(W)).sum(), p.sum(axis=1) @ np.arange(H)]
    )


def overflows(logits):
    p = np.exp(logits)
    p = p / p.sum()
    rows, cols = p.sum(axis=1), p.sum(axis=0)
    return np.array([rows @ np.arange(len(rows)), cols @ np.arange(len(cols))])


def highest(logits):
    return np.argwhere(logits == logits.max())[0]


def in_radii(points_true, points_pred, disc_radius):
    distance = np.linalg.norm(points_true - points_pred, axis=1)
    return distance / disc_radius


def in_pixels(points_true, points_pred, disc_radius):
    return metrics.localization_error(points_true, points_pred)


def by_mean_disc(points_true, points_pred, disc_radius):
    distance = np.linalg.norm(points_true - points_pred, axis=1)
    return distance / (2 * np.mean(disc_radius))


def one_too_far(labels, width):
    disc_y, disc_x, fovea_y, fovea_x, right = labels.T
    columns = (disc_y, width - disc_x, fovea_y, width - fovea_x, 1 - right)
    return np.stack(columns, axis=1)


def eye_forgotten(labels, width):
    out = np.array(labels)
    out[:, 1] = (width - 1) - out[:, 1]
    out[:, 3] = (width - 1) - out[:, 3]
    return out


def points_forgotten(labels, width):
    return np.column_stack([labels[:, :4], labels[:, 4] == 0])


@pytest.mark.parametrize(
    ("asked", "answer", "hint"),
    [
        (check.soft_argmax, column_first, "the mean row comes first"),
        (check.soft_argmax, highest, "this is the highest pixel"),
        (check.soft_argmax, overflows, "np.exp(1000) is infinite"),
        (check.disc_diameters, in_radii, "a diameter is two radii"),
        (check.disc_diameters, in_pixels, "these are pixels"),
        (check.disc_diameters, by_mean_disc, "a disc of its own"),
        (check.mirror_labels, one_too_far, "off by one"),
        (check.mirror_labels, eye_forgotten, "a mirrored right eye is a left eye"),
        (check.mirror_labels, points_forgotten, "its points were left behind"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


def test_a_changed_input_is_told():
    def in_place(labels, width):
        labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]
        labels[:, 4] = 1 - labels[:, 4]
        return labels

    passed, text = check.mirror_labels.examine(in_place)
    assert not passed
    assert "changed its input" in text


def test_solutions_agree_with_the_library():
    rng = np.random.default_rng(0)
    seven = solutions("07")
    points, radius = rng.random((2, 5, 2)), rng.random(5) + 1
    expected = metrics.localization_error(*points) / (2 * radius)
    assert np.allclose(seven["my_disc_diameters"](*points, radius), expected)


def test_other_right_ways_pass():
    def marginals(logits):
        p = np.exp(logits - logits.max())
        p /= p.sum()
        rows, cols = p.sum(axis=1), p.sum(axis=0)
        return np.array([rows @ np.arange(len(rows)), cols @ np.arange(len(cols))])

    def by_names(labels, width):
        disc_y, disc_x, fovea_y, fovea_x, right = labels.T
        last = width - 1
        columns = (disc_y, last - disc_x, fovea_y, last - fovea_x, right == 0)
        return np.stack(columns, axis=1)

    assert check.soft_argmax.examine(marginals)[0]
    assert check.mirror_labels.examine(by_names)[0]
