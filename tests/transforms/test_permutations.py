"""Permutation sets: far apart, checked by brute force; labels; shuffled images."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from strategies import grids, seeds

from tinyssl import reference
from tinyssl.transforms import (
    permutation_set,
    permute_tiles,
    sample_permutations,
    split_tiles,
)


def distances(permutations):
    """Return the Hamming distances of all pairs."""
    return np.array(
        [np.sum(p != q) for p, q in itertools.combinations(permutations, 2)]
    )


@given(st.integers(1, 5), seeds, st.data())
def test_each_choice_is_the_best_by_brute_force(num_tiles, seed, data):
    size = data.draw(st.integers(1, min(math.factorial(num_tiles), 30)))
    actual = permutation_set(num_tiles, size, rng=seed)
    assert actual.shape == (size, num_tiles)
    assert actual.dtype == np.int64
    every = np.array(list(itertools.permutations(range(num_tiles))))
    assert {*map(tuple, actual)} <= {*map(tuple, every)}
    apart = (every[:, None] != actual[None, :]).sum(axis=-1)
    for k in range(1, size):
        # the largest minimum, then the largest mean
        keys = [(row.min(), row.sum()) for row in apart[:, :k]]
        new = (actual[k] != actual[:k]).sum(axis=-1)
        assert (new.min(), new.sum()) == max(keys)


@pytest.mark.parametrize("num_tiles", [1, 2, 3, 4, 5])
def test_all_permutations_when_all_are_asked_for(num_tiles):
    actual = permutation_set(num_tiles, math.factorial(num_tiles))
    expected = {*itertools.permutations(range(num_tiles))}
    assert {*map(tuple, actual)} == expected


def test_the_set_of_the_jigsaw():
    actual = permutation_set(9, 100)
    np.testing.assert_array_equal(actual, permutation_set(9, 100, rng=0))
    assert (np.sort(actual) == np.arange(9)).all()
    assert distances(actual).min() == 6
    assert distances(actual).mean() == pytest.approx(8.08, abs=0.005)


def test_another_seed_is_another_set():
    assert (permutation_set(9, 10) != permutation_set(9, 10, rng=1)).any()


@pytest.mark.parametrize(("num_tiles", "least"), [(10, 8), (16, 14), (27, 25)])
def test_more_tiles_than_can_be_looked_through(num_tiles, least):
    actual = permutation_set(num_tiles, 20)
    assert (np.sort(actual) == np.arange(num_tiles)).all()
    assert distances(actual).min() >= least
    np.testing.assert_array_equal(actual, permutation_set(num_tiles, 20))


@given(grids(), seeds)
def test_output_tile_i_is_input_tile_order_i(batch, seed):
    images, grid = batch
    N, L = len(images), grid[0] * grid[1]
    before = images.copy()
    orders = np.random.default_rng(seed).random((N, L)).argsort(axis=1)
    permuted = permute_tiles(images, grid, orders)
    np.testing.assert_array_equal(images, before)
    assert permuted.dtype == images.dtype
    assert permuted.flags.c_contiguous
    assert not np.shares_memory(permuted, images)
    tiles = split_tiles(images, grid)[np.arange(N)[:, None], orders]
    np.testing.assert_array_equal(split_tiles(permuted, grid), tiles)
    for actual, image, order in zip(permuted, images, orders, strict=True):
        expected = reference.permute_tiles(image, *grid, order)
        np.testing.assert_array_equal(actual, expected)
    # undone by the inverse, bit for bit
    back = permute_tiles(permuted, grid, np.argsort(orders, axis=-1))
    assert back.tobytes() == images.tobytes()


def test_one_order_serves_all_images():
    images = np.random.default_rng(0).random((3, 6, 9, 2))
    order = permutation_set(9, 1)[0]
    expected = permute_tiles(images, 3, np.tile(order, (3, 1)))
    np.testing.assert_array_equal(permute_tiles(images, 3, order), expected)


def test_labels_are_uniform_and_name_their_orders():
    permutations = permutation_set(4, 12)
    labels, orders = sample_permutations(4000, permutations, rng=0)
    assert labels.dtype == orders.dtype == np.int64
    counts = np.bincount(labels, minlength=12)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    np.testing.assert_array_equal(orders, permutations[labels])
    labels, orders = sample_permutations(0, permutations, rng=0)
    assert labels.shape == (0,)
    assert orders.shape == (0, 4)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((3, 7), ValueError, "size must be <= 3! = 6, found 7"),
        ((9, 10_001), ValueError, "size must be <= 10000, found 10001"),
        ((9, 0), ValueError, "size must be >= 1, found 0"),
        ((0, 1), ValueError, "num_tiles must be >= 1, found 0"),
        ((256, 1), ValueError, "num_tiles must be <= 255, found 256"),
        ((9.0, 1), TypeError, "num_tiles must be an integer, found 9.0"),
    ],
)
def test_refusals_of_sets(args, error, message):
    with pytest.raises(error, match=message):
        permutation_set(*args)


@pytest.mark.parametrize(
    ("permutations", "error", "message"),
    [
        ([0, 1], ValueError, r"permutations must be .P, L. with P >= 1, found .2,."),
        (np.empty((0, 4), int), ValueError, "with P >= 1, found .0, 4."),
        ([[0.0, 1.0]], TypeError, "permutations must be integers, found dtype float64"),
        ([[0, 1], [1, 1]], ValueError, r"be permutations of 0..1, found .1, 1."),
    ],
)
def test_refusals_of_labels(permutations, error, message):
    with pytest.raises(error, match=message):
        sample_permutations(2, permutations, rng=0)


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ([0, 1, 2], r"orders must have shape .4,. or .2, 4., found .3,."),
        ([[0, 1, 2, 3]] * 3, r"found .3, 4."),
        ([1, 2, 3, 4], r"orders must be permutations of 0..3, found .1, 2, 3, 4."),
        ([-1, 0, 1, 2], r"permutations of 0..3, found .-1, 0, 1, 2."),
        ([[[0, 1, 2, 3]]], r"orders must be .L,. or .N, L., found shape .1, 1, 4."),
    ],
)
def test_refusals_of_orders(orders, message):
    with pytest.raises(ValueError, match=message):
        permute_tiles(np.zeros((2, 4, 4)), 2, orders)
