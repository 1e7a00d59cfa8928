"""Structure and the pairs compared; baselines that know nothing, and labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.audit import copies
from tinyssl.audit.copies import TURNS, propose, similarities, turn_views
from tinyssl.audit.look import seen_area, structure
from tinyssl.audit.shortcuts import association, one_hot, score_shortcuts
from tinyssl.data import toy
from tinyssl.data.copies import thumbnails
from tinyssl.dictionary import unit

S = 64
WHOLE = np.ones((S, S), bool)
PAIR, BOTH_WAYS = np.array([[0, 1]]), np.array([[0, 1], [1, 0]])


def draw_view(seed):
    """Draw blotches of all sizes, such as a JPEG would keep."""
    rng = np.random.default_rng(seed)
    view = np.zeros((S, S))
    for step in (2, 4, 8, 16):
        view += np.kron(rng.normal(size=(S // step, S // step)), np.ones((step, step)))
    return np.clip(128 + 20 * view, 30, 255).astype(np.uint8)


def turned(view, turn):
    return turn_views(view[None], turn)[0]


def inverse(turn):
    """Search the turn that takes another one back."""
    view = draw_view(0)
    (found,) = [t for t in TURNS if (turned(turned(view, turn), t) == view).all()]
    return found


@given(seeds, seeds, st.sampled_from(TURNS), st.integers(-7, 7), st.integers(-7, 7))
def test_similarity_is_one_for_copies_and_at_most_one(one, other, turn, dy, dx):
    view = draw_view(one)
    views = view, (view * np.linspace(0.5, 1, S)).astype(np.uint8), draw_view(other)
    image, dark, stranger = (structure(one, WHOLE) for one in views)
    moved = np.roll(turned(image, turn), (dy, dx), axis=(0, 1))
    again = similarities(np.stack([image, moved]), PAIR, turn=inverse(turn))
    assert again == pytest.approx(1, abs=1e-5)
    assert similarities(np.stack([image, dark]), PAIR) > 0.9
    assert dark.std() == pytest.approx(image.std(), rel=0.1)
    forth, back = similarities(np.stack([image, stranger]), BOTH_WAYS)
    assert forth == pytest.approx(back, abs=1e-5)
    assert forth <= 1 + 1e-5


def test_blank_images_and_what_lies_outside_the_area_take_no_part():
    blank = structure(np.zeros((S, S), np.uint8), WHOLE)
    assert (blank == 0).all()
    pair = np.stack([blank, structure(draw_view(0), WHOLE)])
    assert similarities(pair, np.array([[0, 0], [0, 1]])).tolist() == [0, 0]
    view, area = draw_view(0), np.zeros((S, S), bool)
    area[8:-8, 8:-8] = True
    other = np.where(area, view, 0).astype(np.uint8)
    np.testing.assert_array_equal(structure(view, area), structure(other, area))
    # the seen area leaves the rim out, and what is cut
    view = np.full((S, S, 3), 120, np.uint8)
    view[: S // 4] = 0  # the camera cut it off
    area = seen_area(view)
    assert not area[: S // 4].any()
    assert not area[:, :3].any()
    assert area[S // 2, S // 2]


@given(seeds, st.sampled_from(TURNS))
def test_whoever_resembles_another_most_is_paired_with_it(seed, turn):
    rng = np.random.default_rng(seed)

    def view(base, noise, turn=(0, 0)):
        """Vary an image, in light of its own, and turn it."""
        light = rng.uniform(-90, 90, 2) @ np.indices((S, S)).reshape(2, -1) / S
        changed = base / 3 + 60 + rng.normal(scale=noise, size=(S, S))
        lit = np.clip(changed + light.reshape(S, S), 0, 255).astype(np.uint8)
        return np.repeat(turned(lit, turn)[..., None], 3, axis=2)

    base, others = draw_view(seed), [draw_view(seed + k) for k in range(1, 30)]
    back = inverse(turn)
    views = [view(base, 40), view(base, 1), *(view(other, 1) for other in others)]
    views += [view(base, 1, back), view(base, 40, back)]
    pairs = propose(thumbnails(views), turn, 1).tolist()
    n, alike = len(views), {0, 1, len(views) - 2, len(views) - 1}
    # What is nearest to the first, and to the last, has others that are nearer to it
    assert any(i == 0 and j in alike for i, j in pairs)
    assert any(j == n - 1 and i in alike for i, j in pairs)
    assert all(i < j for i, j in pairs)
    assert len({tuple(pair) for pair in pairs}) == len(pairs) < 2 * n


@pytest.mark.parametrize("turn", TURNS)
def test_among_many_a_turned_copy_is_sought_in_the_cells_around(monkeypatch, turn):
    monkeypatch.setattr(copies, "CELL", 10)  # 12 cells of 120 images
    images, others = toy.fundus(100, size=32, rng=0).images, np.arange(100, 120)
    copied = turn_views(images[:20] + np.uint8(3) * (images[:20] > 0), inverse(turn))
    small = thumbnails(np.concatenate([images, copied]))
    looked = list(copies.neighbourhoods(*[unit(small.reshape(120, -1) - 90.0)] * 2))
    assert sorted(np.concatenate([rows for rows, _ in looked])) == list(range(120))
    assert sum(len(rows) * len(near) for rows, near in looked) < 0.9 * 120**2
    found = {*map(tuple, propose(small, turn, 2))}
    assert {*zip(range(20), others, strict=True)} <= found


@pytest.mark.parametrize("axis", [0, 1])
def test_shifts_count_up_to_an_eighth_of_the_side_in_both_directions(axis):
    image = np.random.default_rng(0).integers(-50, 50, (64, 64)).astype(np.int8)
    for shift, same in ((8, True), (-8, True), (9, False), (-9, False)):
        pair = np.stack([image, np.roll(image, shift, axis)])
        assert (similarities(pair, np.array([[0, 1]]))[0] > 0.9) == same


@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_pairs_are_proposed_where_few(n):
    small = np.random.default_rng(n).integers(0, 256, (n, 16, 16, 3), np.uint8)
    for turn in TURNS:
        pairs = propose(small, turn, 5)
        assert pairs.tolist() == np.column_stack(np.triu_indices(n, 1)).tolist()


def scores(features, grades, groups=None, **options):
    groups = np.arange(len(grades)) if groups is None else groups
    rows = score_shortcuts({"x": features}, grades, groups, **options)
    return {(row["baseline"], row["scored_on"]): row for row in rows}


def test_what_tells_the_grade_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 3, 150)
    telling = np.eye(3)[grades] + 0.1 * rng.normal(size=(150, 3))
    found = scores(telling, grades)["x", "5 folds"]
    assert found["accuracy"] == found["auc"] == found["qwk"] == 1
    noise = scores(rng.normal(size=(150, 3)), grades)["x", "5 folds"]
    assert noise["chance"] == pytest.approx(1 / 3)
    assert abs(noise["balanced_accuracy"] - 1 / 3) < 0.12
    assert abs(noise["qwk"]) < 0.2


def test_majority_grade_is_the_floor_and_a_rare_grade_counts_in_balanced_accuracy():
    grades = np.repeat([0, 1, 2], [60, 30, 10])
    row = scores(np.zeros((100, 1)), grades)["majority grade", "5 folds"]
    found = [row[key] for key in ("accuracy", "qwk", "balanced_accuracy")]
    assert found == pytest.approx([0.6, 0, 1 / 3])
    rng = np.random.default_rng(0)
    grades = np.repeat([0, 1], [270, 30])
    hint = 2 * grades[:, None] + rng.normal(size=(300, 1))
    row = scores(hint, grades)["x", "5 folds"]
    assert row["balanced_accuracy"] > 0.74  # .67 if the most probable grade answers
    assert row["accuracy"] == pytest.approx(0.9, abs=0.05)


def test_test_images_are_scored_once_and_never_learned_from_and_groups_stay_whole():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 2, 80)
    split = np.repeat(["train", "test"], [60, 20])
    sign = np.where(split == "train", 1.0, -1.0)
    found = scores((sign * (2 * grades - 1))[:, None], grades, split=split)
    assert found["x", "5 folds"]["images"] == 60
    assert found["x", "5 folds"]["accuracy"] == 1
    assert found["x", "test"]["accuracy"] == 0  # a fit that saw them would do better
    groups = np.repeat(np.arange(30), 4)
    grades = rng.integers(0, 2, 30)[groups]
    who = np.eye(30)[groups]  # tells the patient, so the grade where she was seen
    assert scores(who, grades)["x", "5 folds"]["accuracy"] == 1
    assert scores(who, grades, groups)["x", "5 folds"]["accuracy"] < 0.8


def test_too_little_is_no_score_and_rare_labels_share_a_column():
    assert score_shortcuts({}, np.zeros(9, int), np.arange(9)) == []
    assert score_shortcuts({}, np.arange(2), np.zeros(2)) == []
    one_kind = np.repeat(["train", "test"], [30, 9]), np.repeat([0, 1, 0], [15, 15, 9])
    found = scores(np.zeros((39, 1)), one_kind[1], split=one_kind[0])
    assert np.isnan(found["x", "test"]["auc"])  # one grade has no AUC
    actual = one_hot(np.repeat(["a", "b", "c", "d"], [5, 9, 4, 1]))
    assert actual.sum(axis=0).tolist() == [5, 9, 5]
    assert (actual.sum(axis=1) == 1).all()
    assert one_hot(np.repeat(["a", "b"], [5, 6])).shape == (11, 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=2))
def test_association_is_cramers_v(pairs):
    labels, grades = (np.array(column) for column in zip(*pairs, strict=True))
    v, p = association(labels, grades, repeats=9)
    assert 0 < p <= 1
    a, b = (np.unique(x, return_inverse=True)[1] for x in (labels, grades))
    counts = np.histogram2d(a, b, (np.arange(a.max() + 2), np.arange(b.max() + 2)))[0]
    if min(counts.shape) < 2:
        assert (v, p) == (0, 1)
    else:
        expected = counts.sum(1, keepdims=True) * counts.sum(0) / len(a)
        chi_square = ((counts - expected) ** 2 / expected).sum()
        rank = len(a) * (min(counts.shape) - 1)
        assert v == pytest.approx(np.sqrt(chi_square / rank), abs=1e-12)


def test_chance_association_has_even_p_values():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    p = [association(labels, rng.integers(0, 4, 60), repeats=49)[1] for _ in range(80)]
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) <= 0.05) < 0.12
