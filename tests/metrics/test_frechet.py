"""Frechet distance: closed forms, invariances, singular covariances and refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl import reference
from tinyssl.metrics import frechet_distance, frechet_distance_from_stats

few_or_many = st.sampled_from((2, 3, 5, 6, 40))  # samples of 5 features


def features(seed, n1, n2, d=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n1, d)), rng.normal(1, 2, size=(n2, d))


@pytest.mark.filterwarnings("ignore:.*mostly bias")
@given(seeds, few_or_many, few_or_many)
def test_equals_the_reference(seed, n1, n2):
    sets = features(seed, n1, n2)
    expected = reference.frechet_distance(*sets)
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*mostly bias")
@given(seeds, few_or_many, few_or_many)
def test_statistics_give_the_same_as_features(seed, n1, n2):
    sets = features(seed, n1, n2)
    stats = [part for x in sets for part in (x.mean(axis=0), np.cov(x, rowvar=False))]
    expected = frechet_distance(*sets)
    actual = frechet_distance_from_stats(*stats)
    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*mostly bias")
@given(seeds, few_or_many, few_or_many)
def test_invariances(seed, n1, n2):
    sets = features(seed, n1, n2)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    expected = pytest.approx(frechet_distance(*sets), rel=1e-9, abs=1e-9)
    assert frechet_distance(*sets[::-1]) == expected
    assert frechet_distance(*(x[::-1] for x in sets)) == expected
    assert frechet_distance(*(x @ rotation for x in sets)) == expected
    assert frechet_distance(*(x + 7 for x in sets)) == expected
    assert frechet_distance(*(x * 3 for x in sets)) / 9 == expected
    assert frechet_distance(sets[0], sets[0]) <= 1e-6
    shift = np.arange(5.0)
    moved = frechet_distance(sets[0], sets[0] + shift)
    assert moved == pytest.approx(shift @ shift, abs=1e-6)


@given(seeds, st.integers(1, 6))
def test_commuting_covariances_have_a_closed_form(seed, d):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    scales = rng.choice([0.0, 1e-8, 1.0, 100.0], (2, d))
    cov1, cov2 = ((basis * s) @ basis.T for s in scales)
    mean1, mean2 = rng.normal(size=(2, d))
    roots = np.sqrt(scales)
    expected = np.sum((mean1 - mean2) ** 2) + np.sum((roots[0] - roots[1]) ** 2)
    actual = frechet_distance_from_stats(mean1, cov1, mean2, cov2)
    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_far_mean_costs_no_digits(dtype):
    sets = [np.round(x * 64) / 64 for x in features(0, 200, 300)]
    expected = frechet_distance(*sets)  # multiples of 1/64: the offset rounds nothing
    moved = [(x + 1e4).astype(dtype) for x in sets]
    assert frechet_distance(*moved) == pytest.approx(expected, rel=1e-9)


@given(seeds, st.sampled_from((0.0, 1e-12, 1e-9, 1e-7, 1.0)))
def test_nearly_singular_covariances_cost_no_digits(seed, smallest):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    scales = np.array([1, 1, 1, 0.5, smallest, smallest])
    cov = (basis * scales) @ basis.T
    zero = np.zeros(6)
    assert frechet_distance_from_stats(zero, cov, zero, cov) <= 1e-12
    actual = frechet_distance_from_stats(zero, cov, zero, 4 * cov)
    assert actual == pytest.approx(scales.sum(), abs=1e-12)


@given(seeds, st.sampled_from((0.0, 1e-9, 1e-5, 1e-3, 1.0)))
def test_nearly_dependent_features_cost_no_digits(seed, smallest):
    rng = np.random.default_rng(seed)
    centred = rng.normal(size=(50, 4))
    centred = np.linalg.qr(centred - centred.mean(axis=0))[0]  # covariance 1/49
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    scales1, scales2 = np.array([1, 1, 1, smallest]), np.array([3, 1, 2, 1])
    sample1, sample2 = centred * scales1 @ rotation, centred * scales2 @ rotation
    expected = np.sum((scales1 - scales2) ** 2) / 49
    precision = 1e-11  # 1e-10 of the variances, which are some tenths
    assert frechet_distance(sample1, sample2) == pytest.approx(expected, abs=precision)
    assert frechet_distance(sample1, sample1) <= precision


def test_one_dimension():
    actual = frechet_distance([0.0, 2, 0, 2], [10.0, 14, 10, 14])
    deviations = math.sqrt(4 / 3), math.sqrt(16 / 3)
    expected = (1 - 12) ** 2 + (deviations[0] - deviations[1]) ** 2
    assert actual == pytest.approx(expected)
    assert frechet_distance_from_stats(1, 4, 3, 9) == pytest.approx(4 + 1)


def test_constant_features_have_no_spread():
    zeros, ones = np.zeros((9, 3)), np.ones((9, 3))
    assert frechet_distance(zeros, ones) == 3
    singular = np.zeros((3, 3))
    assert frechet_distance_from_stats(zeros[0], singular, ones[0], singular) == 3
    actual = frechet_distance_from_stats(zeros[0], singular, ones[0], np.eye(3))
    assert actual == pytest.approx(6)


def test_a_mixture_of_few_and_many_samples():
    few, many = features(0, 4, 40)
    with pytest.warns(UserWarning, match="4 samples of 5 features"):
        expected = reference.frechet_distance(few, many), frechet_distance(few, many)
    assert expected[1] == pytest.approx(expected[0], rel=1e-6)


@pytest.mark.parametrize("side", [1, 63, 64, 65, 130])
def test_asymmetry_is_seen_wherever_it_is(side):
    cov, zero = np.eye(side), np.zeros(side)
    for row, column in ((side - 1, 0), (side - 1, side // 2), (side // 3, side - 1)):
        skew = cov.copy()
        skew[row, column] += 1e-9
        if row == column:
            frechet_distance_from_stats(zero, cov, zero, skew)
            continue
        with pytest.raises(ValueError, match="cov2 must be symmetric, found entries 1"):
            frechet_distance_from_stats(zero, cov, zero, skew)


def test_asymmetry_within_rounding_is_averaged():
    cov, zero = np.array([[2, 1], [1, 2]], dtype=np.float32), np.zeros(2)
    skew = cov.copy()
    skew[0, 1] = np.nextafter(skew[0, 1], np.float32(2))
    expected = frechet_distance_from_stats(zero, skew, zero, 9 * cov)
    assert frechet_distance_from_stats(zero, skew.T, zero, 9 * cov) == expected


def test_few_samples_warn():
    with pytest.warns(UserWarning, match="5 samples of 5 features: the Frechet dist"):
        frechet_distance(*features(0, 5, 40))


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            ([[1, 2]], [[1, 2]] * 3),
            ValueError,
            "features1 must have n >= 2, found n = 1",
        ),
        (([1, 2], []), ValueError, "features2 must have n >= 2, found n = 0"),
        ((np.ones((3, 2)), np.ones((3, 1))), ValueError, "features, found 2 and 1"),
        ((np.ones((3, 0)), np.ones((3, 0))), ValueError, r"\(n, d\) or \(n,\), found"),
        ((np.ones((3, 2, 1)), [1, 2]), ValueError, r"features1 must be \(n, d\) or"),
        (([1, math.nan], [1, 2]), ValueError, "features1 must be finite, found nan"),
        (([1, 2], [1, 2e30]), ValueError, r"must lie within ±1e\+30, found 1.0 to 2e"),
        (([1, -2e30], [1, 2]), ValueError, "features1 must lie within"),
        (([1, 2], ["a", "b"]), TypeError, "features2 must hold numbers"),
    ],
)
def test_refusals(args, error, message):
    with pytest.raises(error, match=message):
        frechet_distance(*args)


EYE = np.eye(2)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (([0, 0], EYE, [0], [[1]]), ValueError, "mean1 and mean2 must have one shape"),
        (
            ([0, 0], np.eye(3), [0, 0], EYE),
            ValueError,
            r"cov1 must have shape \(2, 2\)",
        ),
        (([[0, 0]], EYE, [0, 0], EYE), ValueError, r"mean1 must be \(d,\)"),
        (([], EYE, [0, 0], EYE), ValueError, "mean1 must not be empty"),
        (([0, math.nan], EYE, [0, 0], EYE), ValueError, "mean1 must be finite"),
        (([0, 0], EYE, [0, 0], EYE + math.inf), ValueError, "cov2 must be finite"),
        (([0, 2e30], EYE, [0, 0], EYE), ValueError, "mean1 must lie within ±1e"),
        (([0, 0], EYE, [0, 0], EYE * 1e62), ValueError, "cov2 must lie within ±1e"),
        (([0, 0], [[1, 1], [0, 1]], [0, 0], EYE), ValueError, "cov1 must be symmetric"),
        (([0, 0], EYE, [0, 0], -EYE), ValueError, "cov2 must be positive semidefinite"),
        (([0, 0], EYE, [0, 0], [[1, 2], [2, 1]]), ValueError, "eigenvalues from -1 to"),
        (([0, 0], EYE, ["a", "b"], EYE), TypeError, "mean2 must hold numbers"),
    ],
)
def test_refusals_of_statistics(args, error, message):
    with pytest.raises(error, match=message):
        frechet_distance_from_stats(*args)
