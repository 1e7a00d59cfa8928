"""Cut and paste: where it is drawn, what it changes, and what it must not touch."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from laws import assert_uniform, covered, free, pure
from strategies import batches, discs, seeds

from tinyssl import reference
from tinyssl.transforms import cut_paste, sample_pastes


@given(discs(), seeds, st.sampled_from(["none", "one", "each"]))
def test_pieces_come_from_the_region_and_land_in_it(disc, seed, kind):
    H, W = disc.shape
    each = np.stack([disc, np.ones_like(disc), disc & (np.arange(W) < W // 2)])
    region = {"none": None, "one": disc, "each": each}[kind]
    boxes, *looks = sample_pastes(3, (H, W, 2), rng=seed, region=region)
    assert (boxes.shape, boxes.dtype) == ((3, 6), np.int64)
    assert [look.shape for look in looks] == [(3,), (3, 2)]
    where = np.ones((H, W), bool) if region is None else region
    for mask, box in zip(np.broadcast_to(where, (3, H, W)), boxes, strict=True):
        y1, x1, y2, x2, h, w = box
        assert (y1, x1) != (y2, x2)
        assert covered(mask, (y1, x1), (h, w))
        assert covered(mask, (y2, x2), (h, w))
        # rounded to pixels, half a pixel each side
        assert (h + 0.5) * (w + 0.5) >= 0.02 * H * W
        assert (h - 0.5) * (w - 0.5) <= 0.15 * H * W


def test_shapes_and_looks_are_as_asked():
    boxes, alphas, gains = sample_pastes(4000, (900, 1100, 3), rng=0)
    y1, x1, y2, x2, h, w = boxes.T
    places = [y1 / (900 - h), x1 / (1100 - w), y2 / (900 - h), x2 / (1100 - w)]
    drawn = [h * w / 990_000, np.log(h / w), alphas, *gains.T]
    ranges = [(0.02, 0.15), np.log([0.3, 3.3]), (0.6, 1.0), *[(0.9, 1.1)] * 3]
    for values, (start, stop) in zip(drawn, ranges, strict=True):
        assert start - 0.005 < values.min() < values.max() < stop + 0.005
        law = (start, stop - start)
        assert scipy.stats.kstest(values, "uniform", args=law).pvalue > 1e-3
    # drawn independently
    assert np.abs(np.corrcoef([*drawn, *places]) - np.eye(10)).max() < 0.07
    # without a range
    options = {"area": (0.1, 0.1), "aspect": (2.5, 2.5), "alpha": (1, 1), "jitter": 0}
    boxes, alphas, gains = sample_pastes(5, (40, 40), rng=0, **options)
    np.testing.assert_array_equal(boxes[:, 4:], [[20, 8]] * 5)
    np.testing.assert_array_equal(alphas, np.ones(5))
    np.testing.assert_array_equal(gains, np.ones((5, 1)))


@pytest.mark.parametrize("region", [None, np.ones((7, 6)), np.tri(7, 6, 2)])
def test_both_places_are_uniform(region):
    options = {"region": region, "area": (9 / 42, 9 / 42), "aspect": (1, 1)}
    boxes, _, _ = sample_pastes(4000, (7, 6), rng=0, **options)
    places = free(np.ones((7, 6)) if region is None else region, (3, 3))
    pairs = itertools.permutations(places, 2)
    assert_uniform(boxes[:, :4], [np.concatenate(pair) for pair in pairs])


def test_what_does_not_fit_moves_towards_the_small_square():
    region = np.zeros((50, 50))
    region[:, 20:31] = 1  # 11 wide; most drawn shapes are wider
    drawn = sample_pastes(500, (50, 50), rng=0)[0][:, 4:]
    sizes = sample_pastes(500, (50, 50), rng=0, region=region)[0][:, 4:]
    fits = drawn[:, 1] <= 11
    np.testing.assert_array_equal(sizes[fits], drawn[fits])
    # the first of four steps that fits; the square of the least area is 7 x 7 pixels
    steps = np.array([0.75, 0.5, 0.25, 0])[:, None, None]
    tried = np.rint(7 + steps * (drawn[~fits] - 7))
    first = (tried[..., 1] <= 11).argmax(axis=0)
    np.testing.assert_array_equal(sizes[~fits], tried[first, np.arange(len(first))])
    assert np.bincount(first).min() > 10


@given(batches(), seeds, st.integers(0, 6))
def test_what_is_pasted(images, seed, edge):
    images = images.real + (-3 if images.dtype.kind in "fc" else 0)
    images = images.astype(np.uint8) if images.dtype == bool else images
    N, H, W, C = images.shape
    images = images.repeat(2, axis=1)  # room for two places
    boxes, alphas, gains = sample_pastes(N, (2 * H, W, C), rng=seed, area=(0.1, 0.4))
    pasted, mask = pure(cut_paste, images, boxes, alphas, gains, edge=edge)
    assert (mask.shape, mask.dtype) == ((N, 2 * H, W), np.float32)
    for n in range(N):
        expected, share = reference.cut_paste(
            images[n].astype(np.float64), boxes[n], alphas[n], gains[n], edge
        )
        np.testing.assert_allclose(mask[n], share, rtol=1e-6)
        close = 0.5 + 1e-4 if images.dtype.kind in "iu" else 1e-4
        np.testing.assert_allclose(pasted[n], expected, rtol=0, atol=close)
        # the mask is the box, and nothing else is touched
        y, x, h, w = boxes[n, 2:]
        inside = np.zeros((2 * H, W), bool)
        inside[y : y + h, x : x + w] = True
        np.testing.assert_array_equal(mask[n] > 0, inside)
        assert pasted[n][~inside].tobytes() == images[n][~inside].tobytes()
        assert mask[n].max() == np.float32(alphas[n])
        assert images[n].min() <= pasted[n].min() <= pasted[n].max() <= images[n].max()


def test_the_mask_says_exactly_how_colours_were_mixed():
    images = np.random.default_rng(0).random((4, 30, 40))
    boxes, alphas, gains = sample_pastes(4, (30, 40), rng=0, jitter=0)
    pasted, mask = cut_paste(images, boxes, alphas, gains)
    for n, (y1, x1, y2, x2, h, w) in enumerate(boxes):
        share = mask[n, y2 : y2 + h, x2 : x2 + w].astype(np.float64)
        piece = images[n, y1 : y1 + h, x1 : x1 + w]
        under = images[n, y2 : y2 + h, x2 : x2 + w]
        expected = (1 - share) * under + share * piece
        actual = pasted[n, y2 : y2 + h, x2 : x2 + w]
        np.testing.assert_allclose(actual, expected, rtol=1e-15)


def test_edges_are_hard_or_soft():
    image = np.zeros((1, 9, 20))
    box = [[0, 0, 1, 5, 7, 11]]
    mask = cut_paste(image, box, [0.8], [[1]], edge=0)[1][0]
    assert (mask[1:8, 5:16] == np.float32(0.8)).all()
    mask = cut_paste(image, box, [1], [[1]], edge=2)[1][0]
    np.testing.assert_allclose(mask[4, 5:9], [0.25, 0.75, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(mask[1:4, 10], [0.25, 0.75, 1], rtol=1e-6)
    np.testing.assert_array_equal(mask[1:8, 5:16], mask[1:8, 5:16][::-1, ::-1])


def test_no_opacity_changes_no_bit_and_no_images_stay_none():
    images = np.array([[[-0.0, -0.0, -1.0, 1.0]]])
    pasted, mask = cut_paste(images, [[0, 2, 0, 0, 1, 2]], [0], [[1]])
    assert pasted.tobytes() == images.tobytes()
    assert not mask.any()
    drawn = sample_pastes(0, (8, 8, 3), rng=0)
    pasted, mask = cut_paste(np.zeros((0, 8, 8, 3)), *drawn)
    assert (pasted.shape, mask.shape) == ((0, 8, 8, 3), (0, 8, 8))


def test_large_values_of_floats():
    images = np.array([[[3e38, 1e38, -3e38, 0]]], np.float32)
    for dtype, scale in [(np.float32, 1), (np.float64, 5e269)]:
        big = images.astype(dtype) * dtype(scale)
        pasted, _ = cut_paste(big, [[0, 0, 0, 1, 1, 2]], [0.5], [[2]], edge=0)
        expected = (big[0, 0, 1] / 2) + (big[0, 0, 0] / 2)
        assert pasted[0, 0, 1] == pytest.approx(expected, rel=1e-6)


def test_gains_of_all_channels_at_once_and_gray():
    images, rest = np.ones((2, 8, 9, 3)), ([[0, 0, 4, 4, 3, 3]] * 2, [0.5, 1])
    pasted, _ = cut_paste(images, *rest, [[0.5]] * 2)
    np.testing.assert_array_equal(pasted, cut_paste(images, *rest, [[0.5] * 3] * 2)[0])
    gray, _ = cut_paste(images[..., 0], *rest, [[0.5]] * 2)
    np.testing.assert_array_equal(gray, pasted[..., 0])


def test_what_is_impossible_does_not_depend_on_chance():
    region = np.zeros((30, 30))
    region[:4, :4] = 1  # one place for the least square, none for another
    for seed in range(50):
        with pytest.raises(ValueError, match=r"region must have 2 or more .* found 1"):
            sample_pastes(1, (30, 30), rng=seed, region=region)
    region[:4, :5] = 1
    for seed in range(50):
        boxes, _, _ = sample_pastes(1, (30, 30), rng=seed, region=region)
        assert {boxes[0, 1], boxes[0, 3]} == {0, 1}
