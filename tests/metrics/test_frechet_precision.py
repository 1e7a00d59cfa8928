"""Frechet distance in arbitrary precision, and where the usual programs go wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import refused, seeds

from tinyssl.metrics import _gaussian, frechet_distance, frechet_distance_from_stats

ignore_few = pytest.mark.filterwarnings("ignore:.*mostly bias")
shapes = st.tuples(*[st.sampled_from((2, 3, 4, 5, 9))] * 2, st.integers(1, 4))


@pytest.fixture(scope="module")
def mp():
    """Return mpmath at 60 digits: twice float64's 16, squared away twice, are left."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        yield mpmath.mp


def exact_from_stats(mp, mean1, cov1, mean2, cov2):
    """Return |m1 - m2|² + tr(S1 + S2 - 2 sqrt(S1^½ S2 S1^½)), and tr(S1 + S2)."""
    cov1, cov2 = mp.matrix(cov1), mp.matrix(cov2)
    values, vectors = mp.eigsy(cov1)
    root = vectors * mp.diag([mp.sqrt(max(v, 0)) for v in values]) * vectors.T
    squares = mp.eigsy(root * cov2 * root, eigvals_only=True)
    cross = mp.fsum(mp.sqrt(max(v, 0)) for v in squares)
    total = mp.fsum(cov[i, i] for cov in (cov1, cov2) for i in range(cov.rows))
    shift = mp.fsum((a - b) ** 2 for a, b in zip(mean1, mean2, strict=True))
    return float(shift + total - 2 * cross), float(total)


def exact_moments(mp, features):
    """Return the mean and the covariance of what the floats stand for."""
    n, d = features.shape
    rows = mp.matrix(features.astype(np.float64).tolist())
    mean = [mp.fsum(rows[i, j] for i in range(n)) / n for j in range(d)]
    centred = mp.matrix([[rows[i, j] - mean[j] for j in range(d)] for i in range(n)])
    return mean, centred.T * centred / (n - 1)


def blend(rng, n, d, smallest):
    """Return features with one direction of hardly any spread, far from 0."""
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    scales = np.append(rng.uniform(0.5, 3, d - 1), smallest)
    return rng.normal(size=(n, d)) * scales @ basis + rng.normal(0, 5, d)


@ignore_few
@settings(max_examples=40)
@given(seeds, shapes, st.sampled_from((0.0, 1e-12, 1e-8, 1e-5, 1e-3, 1.0)))
def test_features_in_60_digits(mp, seed, shape, smallest):
    n1, n2, d = shape
    rng = np.random.default_rng(seed)
    sets = blend(rng, n1, d, smallest), blend(rng, n2, d, 1.0)
    # what is wide in one is narrow in the other
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    spread = np.logspace(4, -4, d)
    crossed = rng.normal(size=(n1, d)) * spread @ basis, sets[1] / spread @ basis
    for features1, features2 in (sets, sets[::-1], (sets[0], sets[0] * 1.5), crossed):
        moments = (exact_moments(mp, x) for x in (features1, features2))
        expected, total = exact_from_stats(mp, *itertools.chain(*moments))
        actual = frechet_distance(features1, features2)
        assert actual == pytest.approx(expected, rel=1e-10, abs=2e-10 * total)


@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.integers(0, 4), st.integers(0, 4))
def test_singular_statistics_in_60_digits(mp, seed, d, rank1, rank2):
    rng = np.random.default_rng(seed)
    mean1, mean2 = rng.normal(size=(2, d))
    rows = (rng.integers(-9, 10, (rank, d)) for rank in (rank1, rank2))
    cov1, cov2 = (np.asarray(x.T @ x, dtype=float) for x in rows)  # exact, of that rank
    stats = mean1, cov1, mean2, cov2
    expected, total = exact_from_stats(mp, *stats)
    actual = frechet_distance_from_stats(*stats)
    assert actual == pytest.approx(expected, rel=1e-9, abs=1e-9 * total)


@settings(max_examples=40)
@given(seeds, st.integers(2, 4), st.sampled_from((1e-20, 1e-16, 1e-13, 1e-9, 1e-4)))
def test_nearly_singular_statistics_keep_half_the_digits(mp, seed, d, smallest):
    rng = np.random.default_rng(seed)
    covs = []
    for least in (smallest, 1.0):
        basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
        cov = basis * np.append(rng.uniform(0.5, 3, d - 1), least) @ basis.T
        covs.append((cov + cov.T) / 2)
    stats = np.zeros(d), covs[0], np.zeros(d), covs[1]
    expected, total = exact_from_stats(mp, *stats)
    actual = frechet_distance_from_stats(*stats)
    # a variance below rounding is read as 0: sqrt(d 2.2e-16 * 3 * 3) of the trace
    assert actual == pytest.approx(expected, abs=2e-7 * total)


@ignore_few
@settings(max_examples=40)
@given(seeds, shapes, st.sampled_from((1e-90, 1e-80, 1e-3, 1.0, 1e4, 1e28)))
def test_identical_inputs_are_0_and_never_below(seed, shape, scale):
    n, _, d = shape
    features = np.random.default_rng(seed).normal(size=(n, d)) * scale
    cov = np.atleast_2d(np.cov(features, rowvar=False))
    for actual in (
        frechet_distance(features, features),
        frechet_distance(features, np.roll(features, 1, axis=0)),
        frechet_distance_from_stats(features[0], cov, features[0], cov),
    ):
        assert type(actual) is float
        assert 0 <= actual <= 1e-7 * np.trace(cov)


@ignore_few
@pytest.mark.parametrize("n", [5, 12, 70])
@pytest.mark.parametrize("smallest", [1e-9, 1.0])
def test_blocks_and_lapack_give_the_same(n, smallest, monkeypatch):
    rng = np.random.default_rng(n)
    sets = blend(rng, n, 6, smallest), blend(rng, 40, 6, smallest)
    expected = frechet_distance(*sets)
    monkeypatch.setattr(_gaussian, "BLOCK", 20)  # three samples at a time
    monkeypatch.setattr(_gaussian, "LARGE", 1)
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-9)
    zero, flat = np.zeros(6), np.diag([1.0, 2, 3, 4, 5, 0])
    actual = frechet_distance_from_stats(zero, flat, zero, 4 * np.eye(6))
    assert actual == pytest.approx(np.sum((np.sqrt(np.diag(flat)) - 2) ** 2))
    flat[5, 5] = -1  # its "factor" would pass, squared
    with refused("cov1 must be positive semidefinite"):
        frechet_distance_from_stats(zero, flat, zero, 4 * np.eye(6))


@pytest.mark.parametrize("rank1", [1, 3, 5])
@pytest.mark.parametrize("rank2", [1, 3, 5, 6])
def test_singular_covariances_have_the_distance_of_their_factors(rank1, rank2):
    rng, zero = np.random.default_rng([rank1, rank2]), np.zeros(6)
    factors = [rng.normal(size=(6, rank)) for rank in (rank1, rank2)]
    covs = [factor @ factor.T for factor in factors]
    cross = np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum()
    expected = np.trace(covs[0] + covs[1]) - 2 * cross
    actual = frechet_distance_from_stats(zero, covs[0], zero, covs[1])
    assert actual == pytest.approx(expected, rel=1e-7)
    assert frechet_distance_from_stats(zero, covs[1], zero, covs[0]) == pytest.approx(
        actual, rel=1e-7
    )


def test_a_negative_direction_that_a_singular_covariance_hides_is_refused():
    zero, flat, other = np.zeros(3), np.diag([1.0, 2, 0]), np.diag([1.0, 1, -1e-9])
    with refused("cov2 must be positive semidefinite"):
        frechet_distance_from_stats(zero, flat, zero, other)
    other[2, 2] = -1e-17  # rounding
    found = frechet_distance_from_stats(zero, flat, zero, other)
    assert found == pytest.approx((np.sqrt(2) - 1) ** 2)


def test_a_covariance_that_is_nearly_singular_keeps_all_its_directions():
    zero, variances = np.zeros(3), np.array([1e-14, 0.1, 1])  # too coarse for squares
    found = frechet_distance_from_stats(zero, np.diag(variances), zero, np.eye(3))
    assert found == pytest.approx(np.sum((np.sqrt(variances) - 1) ** 2))


@pytest.mark.parametrize("kind", ["decay", "steps", "factor"])
@pytest.mark.parametrize("size", np.arange(0, 4.1, 0.25))  # of deviations: 1 to 10⁻⁴
def test_what_goes_the_fast_way_keeps_ten_digits(kind, size):
    rng, d = np.random.default_rng([int(4 * size), len(kind)]), 40
    deviations = 10 ** -np.linspace(0, size, d)
    if kind == "steps":
        deviations = np.where(np.arange(d) < d / 2, 1, 10**-size)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    sets = [rng.normal(size=(3 * d, d)) * deviations @ turn for _ in "12"]
    if kind == "factor":
        sets = [rng.normal(size=(3 * d, d)) + 10**size * x[:, :1] for x in sets]
    centres = [_gaussian.mean(x) for x in sets]
    both = list(zip(sets, centres, strict=True))
    found = _gaussian.cross_trace(*(_gaussian.part(*one) for one in both))
    roots = [_gaussian.triangle(*one) for one in both]
    expected = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    assert found is None or found == pytest.approx(expected, rel=1e-10)
    if kind == "decay" and size <= 2.5:  # as features of networks do
        assert found is not None
