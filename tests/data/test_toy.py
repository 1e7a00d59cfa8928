"""Laws of the synthetic eye."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label
from scipy.stats import chisquare, rankdata
from strategies import refused

from tinyssl.data import toy

KINDS = ("MA", "HE", "EX", "SE", "NV", "PH")
ARRAYS = ("images", "grades", "vessels", "field_of_view", "disc", "fovea", "eye")
SIGNS = {"vessels": -1, "MA": -1, "HE": -1, "PH": -1, "EX": 1, "disc": 1, "fovea": -1}


@pytest.fixture(scope="module")
def eyes():
    return toy.fundus(400, size=64, rng=0)


@pytest.fixture(scope="module")
def large():
    return toy.fundus(60, size=256, rng=1)


def test_shapes_dtypes_and_ranges(eyes):
    assert len(eyes) == len(eyes.report) == 400
    assert set(eyes.grades) == set(eyes.camera) == {0, 1, 2, 3, 4}
    masks = (eyes.vessels, eyes.field_of_view, *eyes.lesions.values())
    for array, shape, dtype in (
        (eyes.images, (400, 64, 64, 3), np.uint8),
        (eyes.grades, (400,), np.int64),
        *((mask, (400, 64, 64), np.bool_) for mask in masks),
        *((point, (400, 2), np.float64) for point in (eyes.disc, eyes.fovea)),
        (eyes.light["tint"], (400, 3), np.float64),
    ):
        assert (array.shape, array.dtype) == (shape, dtype)


@pytest.mark.parametrize("n", [1, 2, 7, 10])
def test_an_eye_does_not_depend_on_how_many_follow(n):
    expected, actual = toy.fundus(10, rng=5), toy.fundus(n, rng=5)
    for name in ARRAYS:
        assert getattr(actual, name).tobytes() == getattr(expected, name)[:n].tobytes()
    for kind, mask in actual.lesions.items():
        np.testing.assert_array_equal(mask, expected.lesions[kind][:n])
    assert actual.report == expected.report[:n]


def test_a_generator_gives_new_eyes_at_each_call_and_bad_arguments_are_refused():
    rng = np.random.default_rng(0)
    first, *others = (toy.fundus(2, rng=r).images for r in (rng, rng, 4))
    np.testing.assert_array_equal(first, toy.fundus(2, rng=0).images)
    assert not any(np.array_equal(first, other) for other in others)
    for n, size, message in (
        (0, 64, "n must be >= 1, found 0"),
        (2.0, 64, "TypeError: n must be an integer, found 2.0"),
        (1, 15, "size must be >= 16, found 15"),
        (1, "64", "TypeError: size must be an integer, found '64'"),
    ):
        with refused(message):
            toy.fundus(n, size=size)


def test_a_right_eye_has_its_disc_on_the_right_and_a_patient_two_eyes(eyes):
    side = np.where(eyes.eye == "right", 1, -1)
    assert ((eyes.disc[:, 1] - (64 - 1) / 2) * side > 0).all()
    assert ((eyes.disc[:, 1] - eyes.fovea[:, 1]) * side > 0).all()
    assert (eyes.fovea[:, 0] > eyes.disc[:, 0]).all()  # the fovea lies a bit below
    distance = np.hypot(*(eyes.fovea - eyes.disc).T) / eyes.disc_radius
    assert ((distance > 4.6) & (distance < 5.5)).all()  # 2.5 diameters, roughly
    for name in ("patient", "camera", "pigment"):
        values = getattr(eyes, name)
        np.testing.assert_array_equal(values[::2], values[1::2])
    assert len(np.unique(eyes.patient)) == 200
    assert list(eyes.eye[:4]) == ["right", "left", "right", "left"]
    assert np.corrcoef(eyes.grades[::2], eyes.grades[1::2])[0, 1] > 0.5


def test_masks_lie_in_the_field_and_hold_the_lesions_counted(eyes, large):
    outside = ~eyes.field_of_view
    for mask in (eyes.vessels, *eyes.lesions.values()):
        assert not (mask & outside).any()
    assert (eyes.images[outside].max(axis=1) < 128).all()  # the soft edge
    assert 0.01 < eyes.vessels[eyes.field_of_view].mean() < 0.25
    for kind in KINDS:
        expected = large.lesion_counts[kind]
        actual = [label(mask, np.ones((3, 3)))[1] for mask in large.lesions[kind]]
        np.testing.assert_array_equal(actual, expected)
        assert expected.any()


@pytest.mark.parametrize("size", [16, 28, 97, 512])
def test_every_lesion_has_a_pixel_at_any_size(size):
    small = toy.fundus(60 if size == 28 else 2, size=size, rng=2)
    assert small.images.shape[1:] == (size, size, 3)
    assert small.field_of_view.mean() > 0.5
    for kind, counts in small.lesion_counts.items():
        np.testing.assert_array_equal(small.lesions[kind].any(axis=(1, 2)), counts > 0)


@pytest.mark.parametrize("name", SIGNS)
def test_the_picture_is_bright_or_dark_where_the_truth_says(large, name):
    truth = large.lesions[name] if name in KINDS else getattr(large, name)
    differences = []
    for i, green in enumerate(large.images[..., 1].astype(float)):
        if truth.ndim == 3:
            inside, field = truth[i], large.field_of_view[i]
            around = binary_dilation(inside, iterations=5) & ~inside & field
        else:
            places = np.indices((256, 256)) - truth[i][:, None, None]
            away = np.hypot(*places) / large.disc_radius[i]
            inside, around = away < 0.6, (away > 1.5) & (away < 2) & (green > 0)
        if inside.any():
            differences.append(green[inside].mean() - green[around].mean())
    assert np.mean(np.multiply(differences, SIGNS[name]) > 0) > 0.9


def test_grade_rule_and_report_agree_with_the_factors(eyes):
    for expected, *counts in (
        (0, {}),
        (1, {"MA": 9}),
        (2, {"MA": 1, "EX": 1}, {"SE": 1}, {"HE": 9, "EX": 30}),
        (3, {"HE": 10}),
        (4, {"HE": 1, "NV": 1}, {"PH": 1}),
    ):
        for found in counts:
            assert toy.grade_from_counts(dict.fromkeys(KINDS, 0) | found) == expected
    for i, grade in enumerate(eyes.grades):
        counts = {kind: eyes.lesion_counts[kind][i] for kind in KINDS}
        assert grade == toy.grade_from_counts(counts)
    words = {"MA": "microaneurysm", "EX": "hard exudate", "PH": "preretinal"}
    stages = ("No diab", "Mild", "Moderate", "Severe", "Proliferative")
    for i, report in enumerate(eyes.report):
        assert report.startswith(f"{eyes.eye[i].capitalize()} eye.")
        assert stages[eyes.grades[i]] in report
        assert ("No findings" in report) == (eyes.grades[i] == 0)
        for kind, word in words.items():
            assert (word in report.lower()) == (eyes.lesion_counts[kind][i] > 0)


def test_the_class_mix_and_that_the_grade_does_not_lie_in_the_colour():
    many = toy.fundus(1200, size=16, rng=2)
    grades = many.grades[::2]  # one eye a patient: independent
    expected = 600 * np.array([0.49, 0.10, 0.27, 0.06, 0.08])
    assert chisquare(np.bincount(grades, minlength=5), expected).pvalue > 0.01
    # Mean red, green and blue hardly rank the eyes of grade 2 and more
    sick, ranks = many.grades >= 2, rankdata(many.images.mean(axis=(1, 2)), axis=0)
    auc = (ranks[sick].mean(axis=0) - ranks[~sick].mean(axis=0)) / len(many) + 0.5
    assert (np.abs(auc - 0.5) < 0.1).all()


def test_one_seed_shows_the_same_eye_at_every_size():
    small, big = toy.fundus(8, size=64, rng=9), toy.fundus(8, size=192, rng=9)
    np.testing.assert_array_equal(small.grades, big.grades)
    assert small.report == big.report
    for expected, actual in ((big.disc, small.disc), (big.fovea, small.fovea)):
        np.testing.assert_allclose(3 * (actual + 0.5) - 0.5, expected)
    np.testing.assert_allclose(3 * small.disc_radius, big.disc_radius)
    reduced = big.images.reshape(8, 64, 3, 64, 3, 3).mean(axis=(2, 4))
    for expected, actual in zip(reduced, small.images, strict=True):
        assert np.corrcoef(expected.ravel(), actual.ravel())[0, 1] > 0.95
