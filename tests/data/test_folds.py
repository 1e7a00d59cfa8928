"""Laws of folds, label subsets and content groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data.copies import content_groups
from tinyssl.data.folds import assign_folds, label_subset, stratified_group_folds


@st.composite
def labelled(draw, max_size=60):
    """Return grades 0..4 and groups of an often uneven data set."""
    n = draw(st.integers(2, max_size))
    grades = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    return np.array(grades), np.array(groups)


seeds = st.integers(0, 2**32 - 1)
fractions = st.floats(0.01, 1.0)


@given(labelled(), st.integers(2, 6), seeds)
def test_folds_keep_groups_whole_and_are_never_empty(data, num_folds, seed):
    grades, groups = data
    num_groups = len(set(groups.tolist()))
    if num_groups < num_folds:
        with pytest.raises(ValueError, match=r"num_folds must lie in 2\.\."):
            stratified_group_folds(grades, groups, num_folds, rng=seed)
        return
    folds = stratified_group_folds(grades, groups, num_folds, rng=seed)
    assert set(folds.tolist()) == set(range(num_folds))
    for group in set(groups.tolist()):
        assert len(set(folds[groups == group].tolist())) == 1
    again = stratified_group_folds(grades, groups, num_folds, rng=seed)
    np.testing.assert_array_equal(folds, again)


@given(st.lists(st.integers(0, 4), min_size=6, max_size=80), st.integers(2, 6), seeds)
def test_folds_of_single_images_are_balanced_to_one(grades, num_folds, seed):
    grades = np.array(grades)
    folds = stratified_group_folds(grades, np.arange(len(grades)), num_folds, rng=seed)
    assert np.ptp(np.bincount(folds, minlength=num_folds)) <= 1
    for grade in set(grades.tolist()):
        assert np.ptp(np.bincount(folds[grades == grade], minlength=num_folds)) <= 1


def test_folds_of_pairs_are_nearly_balanced():
    rng = np.random.default_rng(0)
    grades = rng.choice(5, 1000, p=[0.49, 0.10, 0.27, 0.06, 0.08])
    folds = stratified_group_folds(grades, np.arange(1000) // 2, 5, rng=0)
    counts = np.array([np.bincount(grades[folds == k], minlength=5) for k in range(5)])
    assert np.ptp(counts, axis=0).max() <= 3
    assert np.ptp(counts.sum(axis=1)) <= 6


@pytest.mark.parametrize("truth", [np.ones((8, 2)), [np.eye(2)] * 8])
def test_truth_that_is_no_grade_is_split_by_groups_alone(truth):
    groups, split = np.arange(8) // 2, np.repeat(["test", ""], [1, 7])
    expected = assign_folds(np.zeros(8, int), groups, 3, split=split, seed=5)
    actual = assign_folds(truth, groups, 3, split=split, seed=5)
    np.testing.assert_array_equal(actual, expected)
    assert actual[:2].tolist() == [-2, -2]
    assert set(actual[2:].tolist()) == {0, 1, 2}


@given(labelled(), fractions, fractions, seeds)
def test_a_smaller_subset_lies_inside_a_larger(data, fraction1, fraction2, seed):
    grades, groups = data
    small, large = sorted([fraction1, fraction2])
    inner = label_subset(grades, groups, small, rng=seed)
    outer = label_subset(grades, groups, large, rng=seed)
    assert set(inner.tolist()) <= set(outer.tolist())


@given(labelled(), fractions, seeds)
def test_subset_is_whole_groups_with_every_grade(data, fraction, seed):
    grades, groups = data
    chosen = label_subset(grades, groups, fraction, rng=seed)
    assert (np.diff(chosen) > 0).all()
    assert set(grades[chosen].tolist()) == set(grades.tolist())
    outside = np.delete(groups, chosen)
    assert not set(groups[chosen].tolist()) & set(outside.tolist())
    # No more than one group, or one group a grade, beyond what was asked.
    largest = np.bincount(groups).max()
    num_grades = len(set(grades.tolist()))
    assert len(chosen) >= fraction * len(grades) - 1e-6
    assert len(chosen) <= max(fraction * len(grades), num_grades * largest) + largest


@given(labelled(), seeds)
def test_the_whole_is_everything(data, seed):
    grades, groups = data
    chosen = label_subset(grades, groups, 1.0, rng=seed)
    np.testing.assert_array_equal(chosen, np.arange(len(grades)))


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
def test_subset_has_the_mix_of_the_whole(fraction):
    grades = np.repeat(np.arange(5), [490, 100, 270, 60, 80])
    chosen = label_subset(grades, np.arange(1000), fraction, rng=3)
    assert len(chosen) == round(1000 * fraction)
    expected = fraction * np.array([490, 100, 270, 60, 80])
    np.testing.assert_allclose(np.bincount(grades[chosen]), expected, atol=1.5)


def test_seeds_differ():
    grades, groups = np.repeat([0, 1], 50), np.arange(100)
    first, second = (label_subset(grades, groups, 0.2, rng=seed) for seed in (0, 1))
    assert set(first.tolist()) != set(second.tolist())


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.sampled_from(["", "p1", "p2", "p3"]), min_size=30, max_size=30),
)
def test_content_groups_are_the_connected_components(contents, patients):
    n = len(contents)
    images = np.array(contents, np.uint8)[:, None]
    patient = np.array(patients[:n])
    linked = (images == images.T) | (
        (patient[:, None] == patient) & (patient != "")[:, None]
    )
    for _ in range(n):  # reachable by any number of links
        linked = linked @ linked
    groups = content_groups(images, patient)
    np.testing.assert_array_equal(groups[:, None] == groups, linked)
    _, first = np.unique(groups, return_index=True)
    assert (np.diff(first) > 0).all()  # numbered by first appearance


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"fraction": 0}, ValueError, r"fraction must lie in \(0, 1\], found 0"),
        ({"fraction": 1.5}, ValueError, r"fraction must lie in \(0, 1\], found 1.5"),
        ({"groups": [1]}, ValueError, r"found shapes \(3,\) and \(1,\)"),
        ({"grades": [], "groups": []}, ValueError, "at least 1"),
        ({"grades": [0, 1, -1]}, ValueError, "found -1 at position 2"),
        ({"grades": [0, 1, 0.5]}, TypeError, "grades must be integers, found float64"),
    ],
)
def test_subset_refuses(change, error, message):
    arguments = {"grades": [0, 1, 1], "groups": [0, 1, 2], "fraction": 0.5, **change}
    with pytest.raises(error, match=message):
        label_subset(**arguments, rng=0)


def test_folds_and_groups_refuse():
    with pytest.raises(ValueError, match=r"num_folds must lie in 2\.\.3"):
        stratified_group_folds([0, 1, 1], [0, 1, 2], 1, rng=0)
    with pytest.raises(ValueError, match="patient must have 2 entries, found 3"):
        content_groups(np.zeros((2, 1)), np.array(["a", "b", "c"]))
