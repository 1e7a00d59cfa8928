"""Laws of the structure, of its correlation, and of the pairs that are compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.audit.copies import TURNS, propose, similarities, turn_views
from tinyssl.audit.look import seen_area, structure
from tinyssl.data.copies import thumbnails

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
    darker = (view * np.linspace(0.5, 1, S)).astype(np.uint8)
    image, dark, stranger = (
        structure(v, WHOLE) for v in (view, darker, draw_view(other))
    )
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


@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_pairs_are_proposed_where_few(n):
    small = np.random.default_rng(n).integers(0, 256, (n, 16, 16, 3), np.uint8)
    for turn in TURNS:
        pairs = propose(small, turn, 5)
        assert pairs.tolist() == np.column_stack(np.triu_indices(n, 1)).tolist()
