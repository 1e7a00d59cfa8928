"""Frechet distance and its noise floor: closed forms, laws, singular covariances."""

import functools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import refused, seeds

from tinyssl import reference
from tinyssl.metrics import frechet_distance, frechet_distance_from_stats
from tinyssl.metrics import frechet_noise_floor as noise_floor

few_or_many = st.sampled_from((2, 3, 5, 6, 40))  # samples of 5 features
FEATURES = np.random.default_rng(0).normal(size=(300, 4)) * [3, 2, 2, 2] + 7


def features(seed, n1, n2, d=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n1, d)), rng.normal(1, 2, size=(n2, d))


@pytest.mark.filterwarnings("ignore:.*mostly bias")
@given(seeds, few_or_many, few_or_many)
def test_features_and_their_statistics_equal_the_reference(seed, n1, n2):
    sets = features(seed, n1, n2)
    expected = pytest.approx(reference.frechet_distance(*sets), rel=1e-6, abs=1e-6)
    assert frechet_distance(*sets) == expected
    stats = [part for x in sets for part in (x.mean(axis=0), np.cov(x, rowvar=False))]
    assert frechet_distance_from_stats(*stats) == expected


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
    moved = frechet_distance(sets[0], sets[0] + np.arange(5.0))
    assert moved == pytest.approx(0 + 1 + 4 + 9 + 16, abs=1e-6)


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


def test_one_dimension_and_constant_features():
    actual = frechet_distance([0.0, 2, 0, 2], [10.0, 14, 10, 14])
    expected = (1 - 12) ** 2 + (math.sqrt(4 / 3) - math.sqrt(16 / 3)) ** 2
    assert actual == pytest.approx(expected)
    assert frechet_distance_from_stats(1, 4, 3, 9) == pytest.approx(4 + 1)
    # constant features have no spread
    assert frechet_distance(np.zeros((9, 3)), np.ones((9, 3))) == 3
    zeros, ones, flat = np.zeros(3), np.ones(3), np.zeros((3, 3))
    assert frechet_distance_from_stats(zeros, flat, ones, flat) == 3
    assert frechet_distance_from_stats(zeros, flat, ones, np.eye(3)) == pytest.approx(6)


@pytest.mark.parametrize("side", [2, 130])
@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1)])
def test_asymmetry_is_seen_wherever_it_is(side, row, column):
    skew, zero = np.eye(side), np.zeros(side)
    skew[row, column] += 1e-9
    with refused("cov2 must be symmetric, found entries 1e-09 apart"):
        frechet_distance_from_stats(zero, np.eye(side), zero, skew)


def test_asymmetry_within_rounding_is_averaged():
    cov, zero = np.array([[2, 1], [1, 2]], dtype=np.float32), np.zeros(2)
    skew = cov.copy()
    skew[0, 1] = np.nextafter(skew[0, 1], np.float32(2))
    expected = frechet_distance_from_stats(zero, skew, zero, 9 * cov)
    assert frechet_distance_from_stats(zero, skew.T, zero, 9 * cov) == expected


def test_few_samples_warn():
    with pytest.warns(UserWarning, match="5 samples of 5 features: the Frechet dist"):
        frechet_distance(*features(0, 5, 40))


@pytest.mark.parametrize("widest", [1, 9])
@pytest.mark.parametrize(("n1", "n2"), [(2, 2), (3, 30), (5, 5), (40, 12)])
def test_the_law_of_the_floor_is_that_of_drawn_samples(n1, n2, widest):
    rng = np.random.default_rng(0)
    features = FEATURES * [widest, 1, 1, 1]
    mean, cov = features.mean(axis=0), np.cov(features, rowvar=False)
    floor = reference.frechet_noise_floor
    expected = [floor(mean, cov, n1, n2, rng) for _ in range(600)]
    actual = noise_floor(features, n1, n2, rng=0, repeats=600)
    assert scipy.stats.ks_2samp(actual, expected).pvalue > 0.01


@pytest.mark.parametrize(("n", "expected"), [(50, 43.5), (200, 11.0), (1000, 2.2)])
def test_the_floor_of_64_independent_features(n, expected):
    features = np.random.default_rng(1).normal(size=(20_000, 64))
    actual = noise_floor(features, n, rng=0)
    assert actual.shape == (20,)
    assert actual.mean() == pytest.approx(expected, rel=0.03)


@given(seeds, st.sampled_from((3, 4, 60)), st.integers(2, 9))
def test_invariances_of_the_floor(seed, n, size):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    floors = functools.partial(noise_floor, n1=size, n2=5, rng=seed, repeats=3)
    expected = pytest.approx(floors(features), rel=1e-7, abs=1e-9)
    assert floors(features + 9) == expected
    assert floors(features @ rotation) == expected
    assert floors(features[::-1]) == expected
    assert floors(features * 3) / 9 == expected


def test_floors_of_sizes_generators_and_no_spread():
    floors = [noise_floor(FEATURES, n, rng=0).mean() for n in (10, 100, 1000)]
    assert floors[0] > 5 * floors[1] > 25 * floors[2]
    expected = noise_floor(FEATURES, 9, 9, rng=0)
    np.testing.assert_array_equal(noise_floor(FEATURES, 9, rng=0), expected)
    np.testing.assert_array_equal(noise_floor(np.ones((9, 3)), 5, rng=0), 0)
    # a generator moves on and a seed does not
    rng = np.random.default_rng(0)
    both = [noise_floor(FEATURES, 9, rng=rng, repeats=10) for _ in range(2)]
    np.testing.assert_array_equal(np.concatenate(both), expected)
