"""Laws of the hash and of the correlation behind the audit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.data.audit.copies import join, rows_by
from tinyssl.data.audit.hashes import (
    TURNS,
    close_pairs,
    perceptual_hash,
    random_pairs,
    seen_area,
    similarities,
    structure,
    turn_hashes,
    turn_view,
)

S = 64
SEEDS = st.integers(0, 2**32 - 1)


def draw_view(seed, side=S):
    """Draw blotches of all sizes, such as a JPEG would keep."""
    rng = np.random.default_rng(seed)
    view = np.zeros((side, side))
    for step in (2, 4, 8, 16):
        view += np.kron(
            rng.normal(size=(side // step, side // step)), np.ones((step, step))
        )
    return np.clip(128 + 20 * view, 30, 255).astype(np.uint8)


def whole(side=S):
    return np.ones((side, side), bool)


def bits_apart(first, second):
    return int(np.uint64(first) ^ np.uint64(second)).bit_count()


@given(SEEDS, st.sampled_from(TURNS))
def test_turned_hash_is_the_hash_of_the_turned_picture(seed, turn):
    view = draw_view(seed)
    actual = turn_hashes(np.array([perceptual_hash(view, whole())]), turn)[0]
    expected = perceptual_hash(turn_view(view, turn), whole())
    assert bits_apart(actual, expected) <= 1  # a coefficient may be all but zero


def test_the_eight_turns_are_all_different():
    view = draw_view(0)
    assert len({turn_view(view, turn).tobytes() for turn in TURNS}) == 8


@given(SEEDS)
def test_light_hardly_changes_hash_and_structure(seed):
    view = draw_view(seed)
    slope = np.linspace(0.5, 1, S)
    darker = (view * slope).astype(np.uint8)
    hashes = [perceptual_hash(v, whole()) for v in (view, darker)]
    assert bits_apart(*hashes) <= 10
    pair = np.stack([structure(v, whole()) for v in (view, darker)])
    assert similarities(pair, np.array([[0, 1]]))[0] > 0.9


@given(SEEDS, st.integers(-7, 7), st.integers(-7, 7))
def test_similarity_is_one_for_copies_at_any_small_shift(seed, dy, dx):
    picture = structure(draw_view(seed), whole())
    moved = np.roll(picture, (dy, dx), axis=(0, 1))
    actual = similarities(np.stack([picture, moved]), np.array([[0, 1], [1, 0]]))
    np.testing.assert_allclose(actual, 1, atol=1e-5)


@given(SEEDS, SEEDS)
def test_similarity_is_symmetric_and_at_most_one(one, other):
    pair = np.stack([structure(draw_view(seed), whole()) for seed in (one, other)])
    forth, back = similarities(pair, np.array([[0, 1], [1, 0]]))
    assert forth == pytest.approx(back, abs=1e-5)
    assert forth <= 1 + 1e-5


def test_similarity_finds_the_turn():
    picture = structure(draw_view(1), whole())
    for turn in TURNS:
        inverse = next(
            t
            for t in TURNS
            if (turn_view(turn_view(picture, turn), t) == picture).all()
        )
        pair = np.stack([picture, turn_view(picture, turn)])
        right = similarities(pair, np.array([[0, 1]]), turn=inverse)
        assert right[0] == pytest.approx(1, abs=1e-5)


def test_blank_pictures_resemble_nothing():
    blank = structure(np.zeros((S, S), np.uint8), whole())
    assert (blank == 0).all()
    pair = np.stack([blank, structure(draw_view(0), whole())])
    assert similarities(pair, np.array([[0, 0], [0, 1]])).tolist() == [0, 0]


def test_what_lies_outside_the_area_takes_no_part():
    view = draw_view(0)
    area = np.zeros((S, S), bool)
    area[8:-8, 8:-8] = True
    other = np.where(area, view, 0).astype(np.uint8)
    np.testing.assert_array_equal(structure(view, area), structure(other, area))
    assert perceptual_hash(view, area) == perceptual_hash(other, area)


def test_seen_area_leaves_rim_and_cut_out():
    view = np.full((S, S, 3), 120, np.uint8)
    view[: S // 4] = 0  # the camera cut it off
    area = seen_area(view)
    assert not area[: S // 4].any()
    assert not area[:, :3].any()
    assert area[S // 2, S // 2]


@given(SEEDS, st.integers(2, 40), st.integers(1, 5))
def test_close_pairs_are_the_closest_by_brute_force(seed, n, per_image):
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    others = rng.permutation(hashes)
    pairs, limit, histogram = close_pairs(hashes, others, per_image=per_image)
    expected = {
        (i, j)
        for i in range(n)
        for j in range(i + 1, n)
        if bits_apart(hashes[i], others[j]) <= limit
    }
    few = 4 * per_image * n
    assert len(pairs) == min(few, len(expected))
    assert set(map(tuple, pairs.tolist())) <= expected
    assert histogram.sum() == n * (n - 1) // 2
    distances = [bits_apart(hashes[i], others[j]) for i, j in pairs]
    assert distances == sorted(distances)


def test_random_pairs_are_all_pairs_where_few():
    first, second = random_pairs(5, 100)
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == 10
    first, second = random_pairs(1000, 100)
    assert 90 <= len(first) <= 100
    assert (first < second).all()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_join_gives_one_group_to_what_is_connected(pairs):
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    i, j = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(10, 10))
    expected = connected_components(graph, directed=False)[1]
    actual = join(10, pairs)
    same = expected[:, None] == expected
    np.testing.assert_array_equal(actual[:, None] == actual, same)


def test_rows_by_leaves_single_ones_out():
    rows = rows_by(np.array(["a", "b", "a", "c", "b"]))
    assert [group.tolist() for group in rows] == [[0, 2], [1, 4]]
