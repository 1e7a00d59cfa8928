"""Cases: no patient and no copy on both sides, whoever asks; draws that nest."""

from pathlib import Path

import numpy as np
import pytest
from data.test_folds import saved_anew
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.cases import ALWAYS, LEFT_OUT, TEST, Reading, draw_labelled, gather
from tinyssl.data import Table, toy

EYES = toy.fundus(24, size=96, rng=0)


def table(images=EYES.images, **columns):
    names = tuple(f"eye{i:02d}" for i in range(len(images)))
    columns = {"grade": EYES.grades[: len(images)], "is_fundus": False} | columns
    return Table("x", Path("x"), names, np.asarray(images), **columns)


def study(found, *, held=None, **reading):
    grades = found.grade
    columns = {"image": found.images, "grade": grades}
    options = {"labelled": grades >= 0, "strata": grades, "classes": "grade"}
    return gather(found, Reading(**reading), columns, held=held, **options)


@given(
    patients=st.lists(st.integers(0, 9), min_size=24, max_size=24),
    official=st.integers(0, 23),
    seed=st.integers(0, 9),
)
def test_no_patient_is_on_both_sides_of_any_fold(patients, official, seed):
    patient = np.array([f"p{k}" for k in patients])
    split = np.where(np.arange(24) == official, "test", "train")
    if len(set(patients) - {patients[official]}) < 3:
        return
    cases = study(table(patient=patient, split=split), folds=3, seed=seed)
    for fold in range(3):
        scored = cases.groups[np.r_[cases.held(fold), cases.test]]
        assert not np.isin(cases.groups[cases.part(fold, labelled=False)], scored).any()
    assert cases.test.tolist() == [official]  # its mates are not scored with it
    mates = (patient == patient[official]) & (split != "test")
    assert (cases.fold[mates] == LEFT_OUT).all()


def test_an_unlabelled_eye_of_a_held_out_patient_is_held_out_with_it():
    grades = EYES.grades.copy()
    grades[1::2] = -1
    patient = np.repeat([f"p{k}" for k in range(12)], 2)
    cases = study(table(grade=grades, patient=patient), folds=3)
    assert (cases.fold[1::2] == cases.fold[::2]).all()
    assert not np.isin(np.arange(1, 24, 2), np.r_[cases.held(0), cases.held(1)]).any()


@pytest.fixture(params=["pixels", "saved anew"])
def copies(request):
    """Return eyes whose last is the first again: the same pixels, or saved anew."""
    first = EYES.images[0]
    again = first if request.param == "pixels" else saved_anew(first, 80)
    return np.concatenate([EYES.images[:-1], again[None]])


def test_copies_stay_together_in_folds(copies):
    for seed in range(5):
        cases = study(table(copies), folds=3, seed=seed)
        assert cases.fold[0] == cases.fold[-1]


def test_a_copy_of_what_is_scored_is_left_out_of_training_and_said(copies):
    said, last = [], np.arange(24) == 23
    official = table(copies, split=np.where(last, "test", "train"))
    for found, held in ((table(copies), last), (official, None)):
        cases = study(found, held=held, log=said.append)
        assert cases.fold[0] == LEFT_OUT
        assert 0 not in cases.part(0, labelled=False)
        assert 0 not in cases.part(None, labelled=False)
    assert sum("left out of training: 1 images" in line for line in said) == 2


def test_transductive_sees_the_official_test_images_only_without_folds():
    found = table(split=np.where(np.arange(24) < 4, "test", "train"))
    assert (study(found).fold[:4] == TEST).all()
    assert (study(found, transductive=True).fold == ALWAYS).all()
    assert (study(found, transductive=True, folds=2).fold[:4] == TEST).all()


def test_folds_want_labels_outside_of_the_official_test_images():
    split = np.where(np.arange(24) < 4, "test", "train")
    few = np.where(split == "test", EYES.grades, -1)
    for found in (table(grade=few, split=split), table(grade=few - 9)):
        with pytest.raises(ValueError, match="--folds needs labelled images that are"):
            study(found, folds=2)
        assert study(found).num_folds == 0


def test_another_data_set_is_scored_and_trains_nothing():
    second = table(EYES.images[12:20], grade=EYES.grades[12:20])
    both = study(table(EYES.images[:12])).scored_on(study(second))
    assert both.num_folds == 1
    assert both.part(0, labelled=True).tolist() == list(range(12))
    assert both.held(0).tolist() == list(range(12, 20))
    assert np.array_equal(both.columns["grade"][12:], EYES.grades[12:20])
    assert both.test_share == 0


def test_another_data_set_with_a_copy_of_this_one_is_refused(copies):
    with pytest.raises(ValueError, match="1 of the 3 held-out images are also among"):
        study(table(EYES.images[:12])).scored_on(study(table(copies[-3:])))


def test_more_images_bring_no_copy_of_what_is_held_out(copies):
    few = study(table(EYES.images[:12]), held=np.arange(12) == 0)
    more = few.with_more(study(table(copies[-3:])))
    assert len(more) == 15
    seen = more.part(0, labelled=False).tolist()
    assert seen == [*range(1, 12), 12, 13]  # the copy is the last
    assert not more.labelled[12:].any()


@given(st.integers(0, 20), st.integers(0, 2))
def test_fewer_labels_lie_inside_more(seed, fold):
    cases = study(table(patient=np.repeat([f"p{k}" for k in range(12)], 2)), folds=3)
    options = {"run": fold, "fold": fold, "seed": seed}
    for labels in ((0.2, 0.5, 1.0), (1, 4, 9)):
        chosen = [set(draw_labelled(cases, n, **options)) for n in labels]
        assert chosen[0] <= chosen[1] <= chosen[2]
        assert chosen[2] <= set(cases.part(fold, labelled=True))
        pairs = [{i ^ 1 for i in some} for some in chosen]
        assert labels[-1] != 1.0 or pairs == chosen  # a share is of whole patients
    assert [len(c) for c in chosen] == [1, 4, 9]
    most = len(cases.part(fold, labelled=True))
    with pytest.raises(ValueError, match=rf"images must lie in 1\.\.{most}, found"):
        draw_labelled(cases, most + 1, **options)


def test_classes_take_turns_at_the_head():
    grades = np.array([0] * 20 + [1] * 3 + [2])
    cases = study(table(grade=grades), held=np.arange(24) == 0)
    for run in range(10):
        first = draw_labelled(cases, 3, run=run, fold=0, seed=0)
        assert set(grades[first]) == {0, 1, 2}
    some, other = (set(draw_labelled(cases, 5, run=k, fold=0, seed=0)) for k in (0, 1))
    assert some != other


def test_another_label_or_pixel_is_another_study():
    one = study(table()).fingerprint()
    assert one == study(table()).fingerprint()
    grades, images = EYES.grades.copy(), EYES.images.copy()
    grades[3] += 1
    images[5, 9, 9] += 1
    assert one != study(table(grade=grades)).fingerprint()
    assert one != study(table(images)).fingerprint()
