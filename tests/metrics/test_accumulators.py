"""Accumulators: any split, any order and any process give the answer of all at once."""

import copy
import math
import multiprocessing
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_pairs, refused, seeds

from tinyssl import metrics
from tinyssl.metrics import ConfusionAccumulator, GaussianAccumulator

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


def gaussian(*pieces):
    """Return an accumulator of features that has seen some pieces."""
    accumulator = GaussianAccumulator()
    for piece in pieces:
        accumulator.update(piece)
    return accumulator


def counts(num_classes=3, y_true=(0, 1, 2), y_pred=(0, 1, 1)):
    """Return an accumulator of labels that has seen some."""
    accumulator = ConfusionAccumulator(num_classes)
    accumulator.update(y_true, y_pred)
    return accumulator


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


@given(label_pairs(), seeds)
def test_any_split_of_labels_gives_one_table(pair, seed):
    rng = np.random.default_rng(seed)
    actual = gather(lambda: ConfusionAccumulator(5), cut(rng, *pair), rng)
    table = actual.compute()
    assert table.dtype == np.int64
    expected = metrics.confusion_matrix(*pair, num_classes=5)
    np.testing.assert_array_equal(table, expected)
    for metric, options in SCORES:
        expected, score = metric(*pair, **options), actual.score(metric, **options)
        np.testing.assert_allclose(score, expected, rtol=0, atol=1e-12)


@given(label_pairs(), seeds)
def test_weights_add_up(pair, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, len(pair[0])) / 4
    actual = counts(5, *pair)
    for y_true, y_pred, w in cut(rng, *pair, weights):
        actual.update(y_true, y_pred, sample_weight=w)
    expected = metrics.confusion_matrix(*pair, num_classes=5, sample_weight=weights + 1)
    assert actual.table.dtype == np.float64
    np.testing.assert_array_equal(actual.compute(), expected)


@given(seeds, st.sampled_from((2, 5, 9, 60)), st.sampled_from((0.0, 1e4)))
def test_any_split_of_features_gives_one_gaussian(seed, n, far):
    rng = np.random.default_rng(seed)
    features = rng.normal(far, 1, (n, 4)) * [1, 1, 2, 0.5]
    actual = gather(GaussianAccumulator, cut(rng, features), rng)
    assert actual.count == n
    mean = features.mean(axis=0)
    np.testing.assert_allclose(actual.mean, mean, rtol=0, atol=1e-13 * (far + 9))
    expected = (features - mean).T @ (features - mean) / (n - 1)
    size = np.trace(expected)
    np.testing.assert_allclose(actual.covariance, expected, atol=1e-11 * size)
    np.testing.assert_array_equal(actual.covariance, actual.covariance.T)
    if n > 4:
        others = rng.normal(far + 1, 2, (50, 4))
        one, other = gaussian(features), gaussian(others)
        expected = one.compute(other)
        direct = metrics.frechet_distance(features, others)
        assert expected == pytest.approx(direct, rel=1e-7)
        assert actual.compute(other) == pytest.approx(expected, rel=1e-9)
        assert other.compute(actual) == pytest.approx(expected, rel=1e-9)


def test_empty_ones_merge_and_take_what_others_have():
    pairs = counts(2, [0, 1, 1], [1, 1, 1])
    features = gaussian([[1.0], [3.0]])
    for full in (pairs, features):
        empty = copy.deepcopy(full)
        empty.reset()
        before = state(full)
        full.merge(empty)
        assert state(full) == before
        empty.merge(full)
        assert state(empty) == before
    pairs.merge(pairs)
    np.testing.assert_array_equal(pairs.compute(), [[0, 2], [0, 4]])
    features.merge(features)
    assert (features.count, features.mean, features.scatter) == (4, 2, 4)


def test_a_far_mean_is_right_to_its_last_digits():
    features = np.random.default_rng(0).normal(1e4, 1, (100_000, 2))
    expected = math.fsum(features[:, 0]) / len(features)
    assert abs(gaussian(features).mean[0] - expected) <= 2 * np.spacing(1e4)


@pytest.mark.parametrize(("n1", "n2"), [(9, 30), (30, 9), (9, 9)])
def test_fewer_samples_than_features_warn_and_agree(n1, n2):
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(n1, 20)), rng.normal(size=(n2, 20))
    parts = [gaussian(x[:4], x[4:]) for x in sets]
    with pytest.warns(UserWarning, match="9 samples of 20 features") as caught:
        actual = parts[0].compute(parts[1])
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="9 samples of 20 features"):
        expected = metrics.frechet_distance(*sets)
    assert actual == pytest.approx(expected, rel=1e-7)


def test_every_form_gives_the_same_bits():
    features = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float16)
    expected = state(gaussian(features.astype(float)))
    for form in (features, np.asfortranarray(features), features.tolist()):
        assert state(gaussian(form)) == expected


def test_reset_forgets_the_number_of_features_and_the_weights_too():
    features, pairs = gaussian(np.eye(3)), counts()
    pairs.update([0, 1], [1, 2], sample_weight=[1, 2])
    features.reset()
    pairs.reset()
    assert state(features) == state(GaussianAccumulator())
    with refused("a covariance must have at least 2 samples, found 0"):
        features.covariance  # noqa: B018
    assert state(pairs) == state(ConfusionAccumulator(3))
    features.update([[1.0, 2.0]])
    assert features.count == 1


def test_merged_and_computed_arrays_are_not_shared():
    first, second = GaussianAccumulator(), gaussian(np.eye(3))
    first.merge(second)
    before = state(second)
    first.mean[:] = first.scatter[:] = 9
    assert state(second) == before
    pairs = ConfusionAccumulator(2)
    pairs.compute()[:] = 9
    assert not pairs.table.any()


def filled(half):
    """Return both accumulators of one half of the data; runs in another process."""
    features = np.random.default_rng(0).normal(size=(80, 4))[half::2]
    return counts(4, np.arange(40) % 4, features.argmax(axis=1)), gaussian(features)


def test_two_spawned_processes_fill_halves():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        (pairs, one), (pairs2, another) = pool.map(filled, range(2))
    pairs.merge(pairs2)
    one.merge(another)
    features = np.random.default_rng(0).normal(size=(80, 4))
    expected = metrics.confusion_matrix(np.arange(80) // 2 % 4, features.argmax(axis=1))
    np.testing.assert_array_equal(pairs.compute(), expected)
    np.testing.assert_allclose(one.covariance, np.cov(features, rowvar=False))


EYE, ONE = gaussian(np.eye(3)), gaussian([[1.0, 2.0, 3.0]])
NONE, NEW = GaussianAccumulator(), ConfusionAccumulator(2)
NAN, LARGE, NO_ROWS = [[1, 2, np.nan]], [[1, 2, 1e31]], np.ones((0, 3))


@pytest.mark.parametrize(
    ("full", "method", "argument", "message"),
    [
        (counts(), "update", ([0, 3], [0, 1]), r"lie in 0\.\.2, found 3"),
        (counts(), "update", ([0.5], [1]), "must hold whole numbers"),
        (counts(), "merge", ConfusionAccumulator(4), "must have 3 classes, found 4"),
        (counts(), "merge", EYE, "TypeError: other must be a ConfusionAcc.* a Gauss"),
        (counts(), "score", "word", "TypeError: metric must be a function, found 'w"),
        (EYE, "update", np.ones((2, 4)), "features must have 3 features, found 4"),
        (EYE, "update", NAN, r"features must be finite, found nan at position \(0, 2"),
        (EYE, "update", LARGE, "features must lie within"),
        (EYE, "update", NO_ROWS, "features must have n >= 1, found n = 0"),
        (EYE, "update", [["a"] * 3], "TypeError: features must hold numbers"),
        (EYE, "merge", gaussian(np.eye(2)), "other must have 3 features, found 2"),
        (EYE, "merge", np.eye(3), "TypeError: other must be a GaussianAccumulator"),
        (EYE, "compute", gaussian(np.eye(2)), "other must have 3 features, found 2"),
        (EYE, "compute", NONE, "other must have at least 2 samples, found 0"),
        (EYE, "compute", None, "TypeError: .* GaussianAccumulator, found a None"),
        (ONE, "compute", EYE, "at least 2 samples, found 1"),
        (NEW, "score", metrics.accuracy, "no labels counted yet: update before score"),
    ],
)
def test_a_refusal_leaves_the_state(full, method, argument, message):
    before = state(full)
    with refused(message):
        getattr(full, method)(*argument if isinstance(argument, tuple) else [argument])
    assert state(full) == before


def test_counts_that_leave_float64_are_refused_and_leave_no_trace():
    heavy = ConfusionAccumulator(2)
    heavy.update([0], [1], sample_weight=[1e308])
    before = state(heavy)
    with refused("sample_weight must have a finite sum with"):
        heavy.update([1], [1], sample_weight=[1e308])
    with refused("other must have a finite sum with what was"):
        heavy.merge(heavy)
    assert state(heavy) == before
