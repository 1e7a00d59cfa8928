"""Accumulators: any split, any order and any process give the answer of all at once."""

import copy
import math
import multiprocessing
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_pairs, seeds

from tinyssl import metrics
from tinyssl.metrics import (
    ConfusionAccumulator,
    GaussianAccumulator,
    confusion_matrix,
    frechet_distance,
)

SCORES = [
    (metrics.accuracy, {}),
    (metrics.balanced_accuracy, {"num_classes": 5}),
    (metrics.quadratic_weighted_kappa, {"undefined": -2.0}),
    (metrics.cohen_kappa, {"weights": "linear", "undefined": -2.0}),
    (metrics.f1_score, {"average": "macro", "num_classes": 5}),
    (metrics.precision, {"average": None, "num_classes": 5}),
]


def state(accumulator):
    """Return an accumulator's whole state as bytes."""
    return pickle.dumps([copy.copy(value) for value in vars(accumulator).values()])


def gather(new, pieces, rng):
    """Fill one accumulator a piece, some through pickle, and merge in any order."""
    parts = [new()]  # and one that stays empty
    for piece in pieces:
        parts.append(new())
        parts[-1].update(*piece)
    while len(parts) > 1:
        rng.shuffle(parts)
        part = parts.pop()
        if rng.random() < 0.3:
            part = pickle.loads(pickle.dumps(part))
        before = state(part)
        parts[0].merge(part)
        assert state(part) == before
    return parts[0]


def cut(rng, *arrays):
    """Cut arrays at the same places into pieces of at least one row."""
    n = len(arrays[0])
    edges = np.flatnonzero(rng.random(n - 1) < rng.random()) + 1
    return list(zip(*(np.split(array, edges) for array in arrays), strict=True))


def test_a_metric_of_all_labels_from_the_table_alone():
    y_true, y_pred = [0, 1, 2, 2, 1], [0, 2, 2, 2, 1]
    seen = ConfusionAccumulator(3)
    seen.update(y_true[:2], y_pred[:2])
    seen.update(y_true[2:], y_pred[2:])
    kappa = metrics.quadratic_weighted_kappa
    assert seen.score(kappa) == pytest.approx(kappa(y_true, y_pred), abs=1e-12)


def test_empty_ones_merge_and_take_what_others_have():
    counts, features = ConfusionAccumulator(2), GaussianAccumulator()
    counts.update([0, 1, 1], [1, 1, 1])
    features.update([[1.0], [3.0]])
    for full in (counts, features):
        empty = copy.deepcopy(full)
        empty.reset()
        before = state(full)
        full.merge(empty)
        assert state(full) == before
        empty.merge(full)
        assert state(empty) == before
    counts.merge(counts)
    np.testing.assert_array_equal(counts.compute(), [[0, 2], [0, 4]])
    features.merge(features)
    assert (features.count, features.mean, features.scatter) == (4, 2, 4)


@given(label_pairs(), seeds)
def test_any_split_of_labels_gives_one_table(pair, seed):
    pieces = cut(np.random.default_rng(seed), *pair)
    actual = gather(
        lambda: ConfusionAccumulator(5), pieces, np.random.default_rng(seed)
    )
    table = actual.compute()
    assert table.dtype == np.int64
    np.testing.assert_array_equal(table, confusion_matrix(*pair, num_classes=5))
    for metric, options in SCORES:
        expected = metric(*pair, **options)
        np.testing.assert_allclose(
            actual.score(metric, **options), expected, rtol=0, atol=1e-12
        )


@given(label_pairs(), seeds)
def test_weights_add_up(pair, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, len(pair[0])) / 4
    actual = ConfusionAccumulator(5)
    actual.update(*pair)
    for y_true, y_pred, w in cut(rng, *pair, weights):
        actual.update(y_true, y_pred, sample_weight=w)
    expected = confusion_matrix(*pair, num_classes=5, sample_weight=weights + 1)
    assert actual.table.dtype == np.float64
    np.testing.assert_array_equal(actual.compute(), expected)


@given(seeds, st.sampled_from((2, 5, 9, 60)), st.sampled_from((0.0, 1e4)))
def test_any_split_of_features_gives_one_gaussian(seed, n, far):
    rng = np.random.default_rng(seed)
    features = rng.normal(far, 1, (n, 4)) * [1, 1, 2, 0.5]
    actual = gather(GaussianAccumulator, cut(rng, features), rng)
    whole = GaussianAccumulator()
    whole.update(features)
    assert actual.count == n
    expected = features.mean(axis=0)
    np.testing.assert_allclose(actual.mean, expected, rtol=0, atol=1e-13 * (far + 9))
    centred = features - features.mean(axis=0)
    expected = centred.T @ centred / (n - 1)
    size = np.trace(expected)
    np.testing.assert_allclose(actual.covariance, expected, atol=1e-11 * size)
    np.testing.assert_array_equal(actual.covariance, actual.covariance.T)
    other = GaussianAccumulator()
    other.update(rng.normal(far + 1, 2, (50, 4)))
    if n > 4:
        one, another = whole.compute(other), actual.compute(other)
        assert another == pytest.approx(one, rel=1e-9)
        assert other.compute(actual) == pytest.approx(another, rel=1e-9)


def test_a_far_mean_is_right_to_its_last_digits():
    features = np.random.default_rng(0).normal(1e4, 1, (100_000, 2))
    actual = GaussianAccumulator()
    actual.update(features)
    expected = math.fsum(features[:, 0]) / len(features)
    assert abs(actual.mean[0] - expected) <= 2 * np.spacing(1e4)


@given(seeds, st.sampled_from((5, 6, 60)))
def test_compute_equals_frechet_distance(seed, n):
    rng = np.random.default_rng(seed)
    sets = rng.normal(1e4, 1, (n, 4)), rng.normal(1e4, 2, (50, 4))
    parts = GaussianAccumulator(), GaussianAccumulator()
    for part, features in zip(parts, sets, strict=True):
        part.update(features)
    expected = frechet_distance(*sets)
    assert parts[0].compute(parts[1]) == pytest.approx(expected, rel=1e-7)


def test_fewer_samples_than_features_warn_and_agree():
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(2, 9, 20))
    parts = GaussianAccumulator(), GaussianAccumulator()
    for part, features in zip(parts, sets, strict=True):
        part.update(features[:4])
        part.update(features[4:])
    with pytest.warns(UserWarning, match="9 samples of 20 features") as caught:
        actual = parts[0].compute(parts[1])
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="9 samples of 20 features"):
        expected = frechet_distance(*sets)
    assert actual == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("few", [0, 1])
def test_one_side_of_few_samples_is_enough_for_the_warning(few):
    sizes, rng = [30, 30], np.random.default_rng(0)
    sizes[few] = 4
    parts = GaussianAccumulator(), GaussianAccumulator()
    for part, n in zip(parts, sizes, strict=True):
        part.update(rng.normal(size=(n, 5)))
    with pytest.warns(UserWarning, match="4 samples of 5 features"):
        parts[0].compute(parts[1])


@pytest.mark.parametrize(
    "form",
    [
        np.ndarray.tolist,
        np.asfortranarray,
        lambda x: x.astype(">f8"),
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: pytest.importorskip("torch").from_numpy(x),
    ],
)
def test_every_form_gives_the_same_bits(form):
    features = np.random.default_rng(0).normal(size=(30, 4))
    expected, actual = GaussianAccumulator(), GaussianAccumulator()
    expected.update(features)
    actual.update(form(features))
    assert state(actual) == state(expected)
    actual.update(features.astype(np.float16))
    assert actual.count == 60
    assert actual.mean.dtype == actual.scatter.dtype == np.float64


def test_reset_forgets_the_number_of_features_too():
    gaussian, counts = GaussianAccumulator(), ConfusionAccumulator(3)
    gaussian.update(np.eye(3))
    counts.update([0, 1], [1, 2], sample_weight=[1, 2])
    gaussian.reset()
    counts.reset()
    assert state(gaussian) == state(GaussianAccumulator())
    assert state(counts) == state(ConfusionAccumulator(3))
    gaussian.update([[1.0, 2.0]])
    assert gaussian.count == 1


def test_merged_and_computed_arrays_are_not_shared():
    first, second = GaussianAccumulator(), GaussianAccumulator()
    second.update(np.eye(3))
    first.merge(second)
    before = state(second)
    first.mean[:] = first.scatter[:] = 9
    assert state(second) == before
    counts = ConfusionAccumulator(2)
    counts.compute()[:] = 9
    assert not counts.table.any()
    second.merge(second)
    assert second.count == 6
    np.testing.assert_allclose(second.mean, 1 / 3)


def filled(half):
    """Return both accumulators of one half of the data; runs in another process."""
    features = np.random.default_rng(0).normal(size=(80, 4))[half::2]
    counts, gaussian = ConfusionAccumulator(4), GaussianAccumulator()
    counts.update(np.arange(40) % 4, features.argmax(axis=1))
    gaussian.update(features)
    return counts, gaussian


def test_two_spawned_processes_fill_halves():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        (counts, gaussian), (counts2, gaussian2) = pool.map(filled, range(2))
    counts.merge(counts2)
    gaussian.merge(gaussian2)
    features = np.random.default_rng(0).normal(size=(80, 4))
    expected = confusion_matrix(np.arange(80) // 2 % 4, features.argmax(axis=1))
    np.testing.assert_array_equal(counts.compute(), expected)
    np.testing.assert_allclose(gaussian.covariance, np.cov(features, rowvar=False))
