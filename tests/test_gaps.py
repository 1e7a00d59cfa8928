"""What planted errors showed to be untested elsewhere."""

import os
import runpy

import numpy as np
import pytest

from tinyssl import _threads, metrics, transforms


@pytest.mark.parametrize("dtype", ["i1", "u1"])
def test_products_of_small_integers_do_not_wrap(dtype):
    labels = np.array([0, 100, 100, 3], dtype), np.array([0, 99, 100, 100], dtype)
    actual = metrics.confusion_matrix(*labels)
    expected = metrics.confusion_matrix(*(part.astype(int) for part in labels))
    np.testing.assert_array_equal(actual, expected)
    assert (actual[100, 99], actual[3, 100], actual.sum()) == (1, 1, 4)


def test_rounding_never_makes_a_distance_negative():
    for seed in range(40):
        features = np.random.default_rng(seed).normal(size=(30, 7))
        assert 0 <= metrics.frechet_distance(features, features) < 1e-12


def test_long_lists_of_grades_far_below_zero_do_not_wrap():
    a, b = np.random.default_rng(0).integers(-1, 1, (2, 3000))
    actual = metrics.quadratic_weighted_kappa(a * 2**40, b * 2**40)
    assert actual == metrics.quadratic_weighted_kappa(a, b)


def test_aspect_is_height_over_width():
    shape, options = (90, 60), {"rng": 0, "area": (0.05, 0.1), "aspect": (2.5, 4)}
    blocks = transforms.sample_blocks(50, shape, **options)[:, 0]
    boxes, _, _ = transforms.sample_pastes(50, shape, **options)
    for height, width in (blocks[:, 2:].T, boxes[:, 4:].T):
        assert (height > 2 * width).all()


def test_a_piece_never_lands_where_it_came_from():
    region = np.zeros((8, 8))
    region[2, 3] = region[6, 1] = 1
    boxes, _, _ = transforms.sample_pastes(
        60, (8, 8), rng=0, region=region, area=(1 / 64, 1 / 64), aspect=(1, 1)
    )
    assert {tuple(box) for box in boxes[:, :4]} == {(2, 3, 6, 1), (6, 1, 2, 3)}


def test_threads_where_the_system_knows_neither_affinity_nor_fork(monkeypatch):
    monkeypatch.delenv("TINYSSL_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    elsewhere = runpy.run_path(_threads.__file__)
    assert elsewhere["num_threads"]() == 3
    assert elsewhere["spread"](lambda i, j: (i, j), 6) == [(0, 2), (2, 4), (4, 6)]
    assert _threads.num_threads() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert _threads.num_threads() == 1


def test_a_forgotten_pool_is_made_again(monkeypatch):
    monkeypatch.setenv("TINYSSL_NUM_THREADS", "2")
    monkeypatch.setattr(_threads, "_pool", None)
    for _ in range(2):
        assert _threads.spread(lambda i, j: j - i, 4) == [2, 2]
        _threads._forget()
        assert _threads._pool is None
