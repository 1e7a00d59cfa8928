"""Baselines against scikit-learn, and against what they must not see."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from tinyssl.targets import baselines


def test_logistic_regression_is_scikit_learns():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 3, 120)
    features = rng.normal(size=(120, 4)) * [1, 10, 0.1, 1] + grades[:, None] * 0.5
    new = rng.normal(size=(30, 4))
    options = {"num_grades": 3, "penalty": 2.0}
    actual = baselines.logistic_regression(features, grades, new, **options)
    mean, deviation = features.mean(0), features.std(0)
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=5000)
    peer.fit((features - mean) / deviation, grades)
    expected = peer.predict_proba((new - mean) / deviation)
    np.testing.assert_allclose(actual, expected, atol=2e-4)


def test_grade_that_never_occurs_is_improbable_but_allowed():
    features = np.array([[0.0], [1.0], [0.2], [0.9]])
    grades = np.array([0, 2, 0, 2])
    answer = baselines.logistic_regression(features, grades, features, num_grades=4)
    assert answer.shape == (4, 4)
    assert (answer[:, [1, 3]] < answer[:, [0, 2]].max(1, keepdims=True)).all()
    np.testing.assert_allclose(answer.sum(1), 1)


def test_global_intensities_see_no_places():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    shuffled = rng.permutation(image.reshape(36, 3)).reshape(1, 6, 6, 3)
    expected, actual = map(baselines.global_intensities, (image, shuffled))
    np.testing.assert_allclose(actual, expected)
    assert actual.shape == (1, 9)


def test_the_gaussian_is_scikit_learns_and_the_distance_is_minus_log_density():
    rng = np.random.default_rng(0)
    rows, new = (rng.normal(size=(n, 6)) @ rng.normal(size=(6, 6)) for n in (40, 9))
    peer = LedoitWolf().fit(rows)
    found = baselines.distances(new, *baselines.gaussian(rows))
    assert found**2 == pytest.approx(peer.mahalanobis(new))
    inverse = np.linalg.inv(peer.covariance_)
    expected = cdist(new, [peer.location_], "mahalanobis", VI=inverse)[:, 0]
    assert found == pytest.approx(expected)
    density = stats.multivariate_normal(peer.location_, peer.covariance_)
    assert np.argsort(found).tolist() == np.argsort(-density.logpdf(new)).tolist()
    away = np.arange(1, 6)[:, None] * rng.normal(size=6) + rows.mean(0)
    assert (np.diff(baselines.distances(away, *baselines.gaussian(rows))) > 0).all()


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_fewer_images_than_features_stay_finite(count):
    rng = np.random.default_rng(count)
    rows = rng.normal(size=(count, 30))
    found = baselines.distances(rng.normal(size=(5, 30)), *baselines.gaussian(rows))
    assert np.isfinite(found).all()
    assert len(set(found.tolist())) == 5
    same = np.ones((count, 30))
    assert np.isfinite(baselines.distances(rows, *baselines.gaussian(same))).all()
