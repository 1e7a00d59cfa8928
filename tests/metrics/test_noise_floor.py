"""The noise floor: the law of distances between samples that really are drawn."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl import reference
from tinyssl.metrics import frechet_noise_floor

FEATURES = np.random.default_rng(0).normal(size=(300, 4)) * [3, 2, 2, 2] + 7


@pytest.mark.parametrize("widest", [1, 9])
@pytest.mark.parametrize(("n1", "n2"), [(2, 2), (3, 30), (5, 5), (40, 12)])
def test_the_law_is_that_of_drawn_samples(n1, n2, widest):
    rng = np.random.default_rng(0)
    features = FEATURES * [widest, 1, 1, 1]
    mean, cov = features.mean(axis=0), np.cov(features, rowvar=False)
    expected = [
        reference.frechet_noise_floor(mean, cov, n1, n2, rng) for _ in range(600)
    ]
    actual = frechet_noise_floor(features, n1, n2, rng=0, repeats=600)
    assert scipy.stats.ks_2samp(actual, expected).pvalue > 0.01


@pytest.mark.parametrize(("n", "expected"), [(50, 43.5), (200, 11.0), (1000, 2.2)])
def test_64_independent_features(n, expected):
    features = np.random.default_rng(1).normal(size=(20_000, 64))
    actual = frechet_noise_floor(features, n, rng=0)
    assert actual.shape == (20,)
    assert actual.mean() == pytest.approx(expected, rel=0.03)


@given(seeds, st.sampled_from((3, 4, 60)), st.integers(2, 9))
def test_invariances(seed, n, size):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    expected = frechet_noise_floor(features, size, 5, rng=seed, repeats=3)
    for other, scale in (
        (features + 9, 1),
        (features @ rotation, 1),
        (features[::-1], 1),
        (features * 3, 9),
    ):
        actual = frechet_noise_floor(other, size, 5, rng=seed, repeats=3) / scale
        np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-9)


def test_sizes_generators_and_no_spread():
    floors = [frechet_noise_floor(FEATURES, n, rng=0).mean() for n in (10, 100, 1000)]
    assert floors[0] > 5 * floors[1] > 25 * floors[2]
    expected = frechet_noise_floor(FEATURES, 9, 9, rng=0)
    np.testing.assert_array_equal(frechet_noise_floor(FEATURES, 9, rng=0), expected)
    np.testing.assert_array_equal(frechet_noise_floor(np.ones((9, 3)), 5, rng=0), 0)
    # a generator moves on and a seed does not
    rng = np.random.default_rng(0)
    both = [frechet_noise_floor(FEATURES, 9, rng=rng, repeats=10) for _ in range(2)]
    np.testing.assert_array_equal(np.concatenate(both), expected)
