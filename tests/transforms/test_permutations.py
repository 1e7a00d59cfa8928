"""Permutation sets: far apart, checked by brute force; labels; shuffled images."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import assert_uniform, pure
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
    pairs = itertools.combinations(permutations, 2)
    return np.array([np.sum(p != q) for p, q in pairs])


@given(st.integers(1, 5), seeds, st.data())
def test_each_choice_is_the_best_by_brute_force(num_tiles, seed, data):
    size = data.draw(st.integers(1, min(math.factorial(num_tiles), 30)))
    actual = permutation_set(num_tiles, size, rng=seed)
    assert (actual.shape, actual.dtype) == ((size, num_tiles), np.int64)
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
    assert {*map(tuple, actual)} == {*itertools.permutations(range(num_tiles))}


def test_the_set_of_the_jigsaw():
    actual = permutation_set(9, 100)
    np.testing.assert_array_equal(actual, permutation_set(9, 100, rng=0))
    assert (np.sort(actual) == np.arange(9)).all()
    assert distances(actual).min() == 6
    assert distances(actual).mean() == pytest.approx(8.08, abs=0.005)
    assert (actual[:10] != permutation_set(9, 10, rng=1)).any()


@pytest.mark.parametrize(("num_tiles", "least"), [(10, 8), (16, 14), (27, 25)])
def test_more_tiles_than_can_be_looked_through(num_tiles, least):
    actual = permutation_set(num_tiles, 20)
    assert (np.sort(actual) == np.arange(num_tiles)).all()
    assert distances(actual).min() >= least
    np.testing.assert_array_equal(actual, permutation_set(num_tiles, 20))


@given(grids(), seeds, st.booleans())
def test_output_tile_i_is_input_tile_order_i(batch, seed, shared):
    images, grid = batch
    N, L = len(images), grid[0] * grid[1]
    rows = np.random.default_rng(seed).random(L if shared else (N, L)).argsort(axis=-1)
    permuted = pure(permute_tiles, images, grid, rows)
    orders = np.broadcast_to(rows, (N, L))
    tiles = split_tiles(images, grid)[np.arange(N)[:, None], orders]
    np.testing.assert_array_equal(split_tiles(permuted, grid), tiles)
    for actual, image, order in zip(permuted, images, orders, strict=True):
        expected = reference.permute_tiles(image, *grid, order)
        np.testing.assert_array_equal(actual, expected)
    # undone by the inverse, bit for bit
    back = permute_tiles(permuted, grid, np.argsort(rows, axis=-1))
    assert back.tobytes() == images.tobytes()


def test_labels_are_uniform_and_name_their_orders():
    permutations = permutation_set(4, 12)
    labels, orders = sample_permutations(4000, permutations, rng=0)
    assert labels.dtype == orders.dtype == np.int64
    assert_uniform(labels[:, None], np.arange(12)[:, None])
    np.testing.assert_array_equal(orders, permutations[labels])
    assert sample_permutations(0, permutations, rng=0)[1].shape == (0, 4)
