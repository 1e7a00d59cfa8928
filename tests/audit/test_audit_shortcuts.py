"""Baselines that know nothing, and labels that tell the grade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.audit.shortcuts import association, one_hot, score_shortcuts


def scores(features, grades, groups=None, **options):
    groups = np.arange(len(grades)) if groups is None else groups
    rows = score_shortcuts({"x": features}, grades, groups, **options)
    return {(row["baseline"], row["scored_on"]): row for row in rows}


def test_what_tells_the_grade_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 3, 150)
    telling = np.eye(3)[grades] + 0.1 * rng.normal(size=(150, 3))
    found = scores(telling, grades)["x", "5 folds"]
    assert found["accuracy"] == found["auc"] == found["qwk"] == 1
    noise = scores(rng.normal(size=(150, 3)), grades)["x", "5 folds"]
    assert noise["chance"] == pytest.approx(1 / 3)
    assert abs(noise["balanced_accuracy"] - 1 / 3) < 0.12
    assert abs(noise["qwk"]) < 0.2


def test_majority_grade_is_the_floor_and_a_rare_grade_counts_in_balanced_accuracy():
    grades = np.repeat([0, 1, 2], [60, 30, 10])
    row = scores(np.zeros((100, 1)), grades)["majority grade", "5 folds"]
    found = [row[key] for key in ("accuracy", "qwk", "balanced_accuracy")]
    assert found == pytest.approx([0.6, 0, 1 / 3])

    rng = np.random.default_rng(0)
    grades = np.repeat([0, 1], [270, 30])
    hint = 2 * grades[:, None] + rng.normal(size=(300, 1))
    row = scores(hint, grades)["x", "5 folds"]
    assert row["balanced_accuracy"] > 0.74  # .67 if the most probable grade answers
    assert row["accuracy"] == pytest.approx(0.9, abs=0.05)


def test_test_images_are_scored_once_and_never_learned_from_and_groups_stay_whole():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 2, 80)
    split = np.repeat(["train", "test"], [60, 20])
    sign = np.where(split == "train", 1.0, -1.0)
    found = scores((sign * (2 * grades - 1))[:, None], grades, split=split)
    assert found["x", "5 folds"]["images"] == 60
    assert found["x", "5 folds"]["accuracy"] == 1
    assert found["x", "test"]["accuracy"] == 0  # a fit that saw them would do better

    groups = np.repeat(np.arange(30), 4)
    grades = rng.integers(0, 2, 30)[groups]
    who = np.eye(30)[groups]  # tells the patient, so the grade where she was seen
    assert scores(who, grades)["x", "5 folds"]["accuracy"] == 1
    assert scores(who, grades, groups)["x", "5 folds"]["accuracy"] < 0.8


def test_too_little_is_no_score_and_rare_labels_share_a_column():
    assert score_shortcuts({}, np.zeros(9, int), np.arange(9)) == []
    assert score_shortcuts({}, np.arange(2), np.zeros(2)) == []
    one_kind = np.repeat(["train", "test"], [30, 9]), np.repeat([0, 1, 0], [15, 15, 9])
    found = scores(np.zeros((39, 1)), one_kind[1], split=one_kind[0])
    assert np.isnan(found["x", "test"]["auc"])  # one grade has no AUC
    actual = one_hot(np.repeat(["a", "b", "c", "d"], [5, 9, 4, 1]))
    assert actual.sum(axis=0).tolist() == [5, 9, 5]
    assert (actual.sum(axis=1) == 1).all()
    assert one_hot(np.repeat(["a", "b"], [5, 6])).shape == (11, 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=2))
def test_association_is_cramers_v(pairs):
    labels, grades = (np.array(column) for column in zip(*pairs, strict=True))
    v, p = association(labels, grades, repeats=9)
    assert 0 < p <= 1
    a, b = (np.unique(x, return_inverse=True)[1] for x in (labels, grades))
    counts = np.histogram2d(a, b, (np.arange(a.max() + 2), np.arange(b.max() + 2)))[0]
    if min(counts.shape) < 2:
        assert (v, p) == (0, 1)
    else:
        expected = counts.sum(1, keepdims=True) * counts.sum(0) / len(a)
        chi_square = ((counts - expected) ** 2 / expected).sum()
        rank = len(a) * (min(counts.shape) - 1)
        assert v == pytest.approx(np.sqrt(chi_square / rank), abs=1e-12)


def test_chance_association_has_even_p_values():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    p = [association(labels, rng.integers(0, 4, 60), repeats=49)[1] for _ in range(80)]
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) <= 0.05) < 0.12
