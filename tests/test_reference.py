"""Ring 1: the answer key against the libraries everyone uses."""

import numpy as np
import pytest
import scipy.linalg
import skimage.metrics
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import image_pairs, label_pairs, mask_pairs, ranked, seeds

from tinyssl import reference


@given(label_pairs())
def test_agreement_equals_sklearn(pair):
    expected = sklearn.metrics.confusion_matrix(*pair, labels=range(5))
    np.testing.assert_array_equal(reference.confusion_matrix(*pair, 5), expected)
    assume(np.ptp(np.concatenate(pair)) > 0)
    options = {"weights": "quadratic", "labels": range(5)}
    expected = sklearn.metrics.cohen_kappa_score(*pair, **options)
    actual = reference.quadratic_weighted_kappa(*pair)
    assert actual == pytest.approx(expected, abs=1e-12)


@given(label_pairs())
def test_five_sums_give_the_disagreement_of_all_pairs(pair):
    y_true, y_pred = pair
    n = len(y_true)
    a, b, aa, bb, dd, low, high = reference.rating_sums(y_true, y_pred, 2)
    assert {low, high} <= {*y_true, *y_pred}
    assert dd == np.sum((y_true - y_pred) ** 2)
    all_pairs = np.sum((y_true[:, None] - y_pred[None, :]) ** 2)
    assert n * aa + n * bb - 2 * a * b == all_pairs


@given(image_pairs(least=11, most=20), st.booleans(), st.booleans())
def test_ssim_equals_skimage(images, gaussian, unbiased):
    *images, data_range = images
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2) if gaussian else np.ones(7)
    K = len(taps)
    constants = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    constants += (K**2 / (K**2 - 1) if unbiased else 1.0,)
    actual = reference.ssim_map(*images, taps / taps.sum(), *constants)
    options = {"data_range": data_range, "channel_axis": -1, "sigma": 1.5, "full": True}
    options |= {"gaussian_weights": gaussian, "use_sample_covariance": unbiased}
    images = [image.astype(float) for image in images]
    score, expected = skimage.metrics.structural_similarity(*images, **options)
    edge = slice(K // 2, -(K // 2))
    np.testing.assert_allclose(actual, expected[edge, edge], atol=1e-10)
    assert actual.mean() == pytest.approx(score, abs=1e-10)


@given(seeds, st.integers(1, 6))
def test_frechet_distance_equals_scipy_sqrtm(seed, d):
    rng = np.random.default_rng(seed)
    features1 = rng.normal(size=(d + 20, d)) @ rng.normal(size=(d, d))
    features2 = rng.normal(1, 2, size=(d + 30, d))
    cov1, cov2 = (np.cov(x, rowvar=False).reshape(d, d) for x in (features1, features2))
    shift = features1.mean(axis=0) - features2.mean(axis=0)
    root = scipy.linalg.sqrtm(cov1 @ cov2)
    expected = shift @ shift + np.trace(cov1 + cov2 - 2 * root.real)
    actual = reference.frechet_distance(features1, features2)
    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(ranked())
def test_ranking_equals_sklearn(sample):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    order = np.unique(score, return_inverse=True)[1]  # sklearn refuses infinity
    parts = score[y_true == 1], score[y_true == 0]
    expected = sklearn.metrics.roc_auc_score(y_true, order)
    assert reference.roc_auc(*parts) == pytest.approx(expected, abs=1e-12)
    expected = sklearn.metrics.average_precision_score(y_true, order)
    assert reference.average_precision(*parts) == pytest.approx(expected, abs=1e-12)


@given(mask_pairs())
def test_overlap_counts_equal_sklearn(masks):
    mask1, mask2 = (mask.ravel() for mask in masks)
    table = sklearn.metrics.confusion_matrix(mask1, mask2, labels=[False, True])
    expected = table[1, 1], table[1].sum(), table[:, 1].sum()
    assert reference.overlap_counts(mask1, mask2) == expected


def test_swaps_move_patches_one_after_another_and_turns_are_counter_clockwise():
    image = np.arange(8).reshape(1, 2, 4)
    reference.swap_patches(image, np.array([[[0, 0, 0, 2], [0, 2, 1, 0]]]), 1)
    np.testing.assert_array_equal(image, [[[2, 1, 4, 3], [0, 5, 6, 7]]])
    actual = reference.rotate(np.array([[[1, 2], [3, 4]]] * 4), [0, 1, 2, 3])
    expected = [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    np.testing.assert_array_equal(actual, expected)
