"""Laws of folds, label subsets and content groups; copies of an image are known."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from strategies import refused, seeds

from tinyssl.data import toy
from tinyssl.data.copies import content_groups, seen_before, thumbnails
from tinyssl.data.folds import assign_folds, label_subset, stratified_group_folds
from tinyssl.runs import load_thumbnails, save_thumbnails

fractions = st.floats(0.01, 1.0)


@st.composite
def labelled(draw, max_size=60):
    """Return grades 0..4 and groups of an often uneven data set."""
    n = draw(st.integers(2, max_size))
    grades = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    return np.array(grades), np.array(groups)


@given(labelled(), st.integers(2, 6), seeds)
def test_folds_keep_groups_whole_and_are_never_empty(data, num_folds, seed):
    grades, groups = data
    if len(np.unique(groups)) < num_folds:
        with pytest.raises(ValueError, match=r"num_folds must lie in 2\.\."):
            stratified_group_folds(grades, groups, num_folds, rng=seed)
        return
    folds = stratified_group_folds(grades, groups, num_folds, rng=seed)
    assert set(folds.tolist()) == set(range(num_folds))
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    again = stratified_group_folds(grades, groups, num_folds, rng=seed)
    np.testing.assert_array_equal(folds, again)


@given(st.lists(st.integers(0, 4), min_size=6, max_size=80), st.integers(2, 6), seeds)
def test_folds_of_single_images_are_balanced_to_one(grades, num_folds, seed):
    grades = np.array(grades)
    folds = stratified_group_folds(grades, np.arange(len(grades)), num_folds, rng=seed)
    for part in (folds, *(folds[grades == grade] for grade in np.unique(grades))):
        assert np.ptp(np.bincount(part, minlength=num_folds)) <= 1


def test_folds_of_pairs_are_nearly_balanced():
    rng = np.random.default_rng(0)
    grades = rng.choice(5, 1000, p=[0.49, 0.10, 0.27, 0.06, 0.08])
    folds = stratified_group_folds(grades, np.arange(1000) // 2, 5, rng=0)
    counts = np.array([np.bincount(grades[folds == k], minlength=5) for k in range(5)])
    assert np.ptp(counts, axis=0).max() <= 3
    assert np.ptp(counts.sum(axis=1)) <= 6


@given(labelled(), st.sampled_from(["grades", "points", "masks"]), seeds)
def test_folds_part_no_group_and_hold_out_no_test_image(data, kind, seed):
    grades, groups = data
    n, is_labelled = len(grades), (grades > 0) | (kind != "grades")
    points, masks = np.ones((n, 2)), [np.eye(2)] * n
    truth = {"grades": grades - 1, "points": points, "masks": masks}[kind]
    split = np.where(np.arange(n) == 0, "test", "train")
    kept = groups != groups[0]  # the other eye of a test patient is no training image
    if len(np.unique(groups[is_labelled & kept])) < 2:
        return
    fold = assign_folds(truth, groups, 2, split=split, seed=seed)
    assert (fold[~kept] == -2).all()
    assert (fold[is_labelled & kept] >= 0).all()
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1


@given(labelled(), fractions, fractions, seeds)
def test_subsets_are_nested_whole_groups_with_every_grade(data, one, other, seed):
    grades, groups = data
    small, large, everything = (
        label_subset(grades, groups, fraction, rng=seed)
        for fraction in (min(one, other), max(one, other), 1.0)
    )
    assert set(small.tolist()) <= set(large.tolist())
    np.testing.assert_array_equal(everything, np.arange(len(grades)))
    assert (np.diff(small) > 0).all()
    assert set(grades[small].tolist()) == set(grades.tolist())
    assert not set(groups[small].tolist()) & set(np.delete(groups, small).tolist())
    # No more than one group, or one group a grade, beyond what was asked.
    wanted, largest = min(one, other) * len(grades), np.bincount(groups).max()
    assert wanted - 1e-6 <= len(small)
    assert len(small) <= max(wanted, len(np.unique(grades)) * largest) + largest


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
def test_subset_has_the_mix_of_the_whole_and_seeds_differ(fraction):
    sizes = np.array([490, 100, 270, 60, 80])
    grades, groups = np.repeat(np.arange(5), sizes), np.arange(1000)
    chosen = label_subset(grades, groups, fraction, rng=3)
    assert len(chosen) == round(1000 * fraction)
    np.testing.assert_allclose(np.bincount(grades[chosen]), fraction * sizes, atol=1.5)
    other = label_subset(grades, groups, fraction, rng=4)
    assert set(chosen.tolist()) != set(other.tolist())


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.sampled_from(["", "p1", "p2", "p3"]), min_size=30, max_size=30),
)
def test_content_groups_are_the_connected_components(contents, patients):
    n = len(contents)
    images, patient = np.array(contents, np.uint8)[:, None], np.array(patients[:n])
    same_patient = (patient[:, None] == patient) & (patient != "")[:, None]
    linked = (images == images.T) | same_patient
    for _ in range(n):  # reachable by any number of links
        linked = linked @ linked
    groups = content_groups(images, patient)
    np.testing.assert_array_equal(groups[:, None] == groups, linked)
    _, first = np.unique(groups, return_index=True)
    assert (np.diff(first) > 0).all()  # numbered by first appearance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fraction": 0}, r"fraction must lie in \(0, 1\], found 0"),
        ({"fraction": 1.5}, r"fraction must lie in \(0, 1\], found 1.5"),
        ({"groups": [1]}, r"found shapes \(3,\) and \(1,\)"),
        ({"grades": [], "groups": []}, "at least 1"),
        ({"grades": [0, 1, -1]}, "found -1 at position 2"),
        ({"grades": [0, 1, 0.5]}, "TypeError: grades must be integers, found float64"),
    ],
)
def test_refusals(change, message):
    arguments = {"grades": [0, 1, 1], "groups": [0, 1, 2], "fraction": 0.5, **change}
    with refused(message):
        label_subset(**arguments, rng=0)
    with refused(r"num_folds must lie in 2\.\.3"):
        stratified_group_folds([0, 1, 1], [0, 1, 2], 1, rng=0)
    with refused("patient must have 2 entries, found 3"):
        content_groups(np.zeros((2, 1)), np.array(["a", "b", "c"]))


def saved_anew(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(80, size=96, rng=0).images[::2]  # an eye a patient


def test_neither_compression_nor_another_size_hides(eyes):
    saved = [[saved_anew(image, quality) for image in eyes] for quality in (95, 75, 50)]
    smaller = [np.asarray(Image.fromarray(image).resize((64, 64))) for image in eyes]
    for again in (*saved, smaller):
        assert seen_before(thumbnails(eyes), thumbnails(again)).all()


def test_a_copy_saved_again_joins_its_group_and_other_eyes_are_other_eyes(eyes):
    images = [*eyes[:3], saved_anew(eyes[1], 75)]
    patient = np.array(["a", "b", "c", "d"])
    assert content_groups(images, patient).tolist() == [0, 1, 2, 3]
    small = thumbnails(images)
    assert content_groups(images, patient, small).tolist() == [0, 1, 2, 1]
    assert not seen_before(thumbnails(eyes[:20]), thumbnails(eyes[20:])).any()
    small = thumbnails(eyes[:2])
    assert seen_before(small[1:], small).tolist() == [False, True]
    assert seen_before(thumbnails([]), small).tolist() == [False, False]
    assert seen_before(small, thumbnails([])).tolist() == []


def test_thumbnails_are_saved_and_loaded_and_other_files_refused(eyes, tmp_path):
    save_thumbnails(tmp_path / "a.npy", thumbnails(eyes[:3]))
    assert np.array_equal(load_thumbnails(tmp_path / "a.npy"), thumbnails(eyes[:3]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
    # missing, with code inside, or of another size
    np.save(tmp_path / "code.npy", np.array([{}], object), allow_pickle=True)
    for name in ("missing.npy", "code.npy"):
        with pytest.raises(ValueError, match=f"{name} is missing or damaged"):
            load_thumbnails(tmp_path / name)
    np.save(tmp_path / "large.npy", np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="must hold thumbnails of 16 x 16 pixels"):
        load_thumbnails(tmp_path / "large.npy")
