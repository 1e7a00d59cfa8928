"""Lessons 7 and 8: what the checks answer to what learners write."""

import time

import numpy as np
import pytest
from lesson_form import LESSONS

from tinyssl import check, metrics
from tinyssl.check import exercise, guarded


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


def row_by_row(logits):
    p = np.exp(logits - logits.max())
    p = p / p.sum(axis=1, keepdims=True)
    y, x = np.indices(p.shape)
    return [(p * y).sum(), (p * x).sum()]


def of_all_eyes(points_true, points_pred, disc_radius):
    return np.linalg.norm(points_pred - points_true) / (2 * disc_radius)


def cut_once(mask_true, mask_pred, view):
    both = (mask_true & mask_pred & view).sum()
    total = mask_true.sum() + mask_pred.sum()
    return 2 * both / total if total else np.nan


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


def frame_counted(mask_true, mask_pred, view):
    return metrics.dice(mask_true, mask_pred)


def nought(mask_true, mask_pred, view):
    return metrics.dice(mask_true, mask_pred, region=view, undefined=0.0)


def jaccard(mask_true, mask_pred, view):
    return metrics.iou(mask_true, mask_pred, region=view)


def last_wins(patches, corners, height, width):
    out = np.empty((height, width))
    out[:] = np.nan
    s = patches.shape[1]
    for i, (y, x) in enumerate(corners):
        out[y : y + s, x : x + s] = patches[i]
    return out


def zeros_left(patches, corners, height, width):
    out, n = np.zeros((height, width)), np.zeros((height, width))
    s = patches.shape[1]
    for i, (y, x) in enumerate(corners):
        out[y : y + s, x : x + s] += patches[i]
        n[y : y + s, x : x + s] += 1
    return out / np.maximum(n, 1)


def by_accuracy(probability, truth, candidates):
    return max(candidates, key=lambda t: np.mean((probability >= t) == truth))


def above(probability, truth, candidates):
    def dice(t):
        found = probability > t
        return 2 * np.sum(found & truth) / (np.sum(found) + np.sum(truth))

    return max(candidates, key=dice)


@pytest.mark.parametrize(
    ("asked", "answer", "hint"),
    [
        (check.soft_argmax, column_first, "the mean row comes first"),
        (check.soft_argmax, highest, "this is the highest pixel"),
        (check.soft_argmax, overflows, "np.exp(1000) is infinite"),
        (check.soft_argmax, row_by_row, "over the whole map"),
        (check.disc_diameters, of_all_eyes, "one length over all eyes"),
        (check.disc_diameters, in_radii, "a diameter is two radii"),
        (check.disc_diameters, in_pixels, "these are pixels"),
        (check.disc_diameters, by_mean_disc, "a disc of its own"),
        (check.mirror_labels, one_too_far, "off by one"),
        (check.mirror_labels, eye_forgotten, "a mirrored right eye is a left eye"),
        (check.mirror_labels, points_forgotten, "its points were left behind"),
        (check.dice_in_view, frame_counted, "the view is not used"),
        (check.dice_in_view, cut_once, "below the line are not"),
        (check.dice_in_view, nought, "0/0 is nan, not 0"),
        (check.dice_in_view, jaccard, "the joint area (IoU)"),
        (check.overlap_average, last_wins, "overwrites the one before"),
        (check.overlap_average, zeros_left, "where no patch lies"),
        (check.threshold, by_accuracy, "likes to mark nothing"),
        (check.threshold, above, "a pixel on the threshold is marked"),
    ],
)
def test_a_wrong_answer_gets_its_own_hint(asked, answer, hint):
    passed, text = asked.examine(answer)
    assert not passed
    assert hint in text
    assert "hint 1 of 3" in text


def test_the_smallest_case_of_a_forgotten_view_is_one_pixel_outside():
    _, text = check.dice_in_view.examine(frame_counted)
    (case,) = (line for line in text.splitlines() if "smallest" in line)
    assert case.count("True") == 1


def test_the_smallest_overlap_is_two_patches():
    _, text = check.overlap_average.examine(last_wins)
    (case,) = (line for line in text.splitlines() if "smallest" in line)
    assert "corners = [[0, 0], [0, 0]]" in case


def test_a_changed_input_is_told():
    def in_place(labels, width):
        labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]
        labels[:, 4] = 1 - labels[:, 4]
        return labels

    passed, text = check.mirror_labels.examine(in_place)
    assert not passed
    assert "changed its input" in text


def test_an_answer_that_waits_for_the_processor_is_no_loop(monkeypatch):
    monkeypatch.setattr(guarded, "SECONDS", 0.2)
    patient = guarded.Guard(lambda: time.sleep(0.6))
    assert guarded.watched(patient, patient) is None


def test_an_endless_search_for_a_threshold_ends():
    def forever(probability, truth, candidates):
        t = candidates[0]
        while True:
            t = min(t, candidates[0])

    passed, text = check.threshold.examine(forever)
    assert not passed
    assert "no answer within" in text


def test_solutions_agree_with_the_library():
    rng = np.random.default_rng(0)
    true, pred, view = rng.random((3, 9, 9)) < 0.5
    seven, eight = solutions("07"), solutions("08")
    expected = metrics.dice(true, pred, region=view)
    assert np.isclose(eight["my_dice_in_view"](true, pred, view), expected)
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

    def f1(mask_true, mask_pred, view):
        hits = (mask_true & mask_pred & view).sum()
        wrong = ((mask_true ^ mask_pred) & view).sum()
        return 2 * hits / (2 * hits + wrong) if hits + wrong else np.nan

    assert check.soft_argmax.examine(marginals)[0]
    assert check.mirror_labels.examine(by_names)[0]
    assert check.dice_in_view.examine(f1)[0]
