"""SSIM of batches: any split, any order of merging and any process give one answer."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import refused, seeds

from tinyssl.metrics import SSIMAccumulator, ssim

OPTIONS = {"data_range": 255, "window": "uniform", "win_size": 3}
ZEROS = np.zeros((2, 16, 16))


def pairs(seed, count, shape=(9, 8)):
    """Two batches of bytes."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (2, count, *shape)).astype(np.uint8)


def scores(images1, images2, **options):
    """Return an accumulator that has seen a batch."""
    accumulator = SSIMAccumulator(**options)
    accumulator.update(images1, images2)
    return accumulator


@given(seeds, st.integers(1, 9), st.data())
def test_any_split_and_any_order_give_the_same_bits(seed, count, data):
    images = pairs(seed, count)
    expected = scores(*images, **OPTIONS)
    cuts = sorted(data.draw(st.sets(st.integers(1, count))) | {0, count})
    parts = [
        pickle.loads(pickle.dumps(scores(*images[:, start:stop], **OPTIONS)))
        for start, stop in itertools.pairwise(cuts)
    ]
    actual = SSIMAccumulator(**OPTIONS)
    for part in data.draw(st.permutations(parts)):
        actual.merge(part)
    assert actual.compute() == expected.compute()
    assert actual.totals.tolist() == expected.totals.tolist()
    assert actual.count == count


@given(seeds, st.sampled_from(((9, 8), (20, 20), (9, 500))))
def test_it_is_the_mean_of_ssim(seed, shape):
    images = pairs(seed, 3, shape)
    options = {"data_range": 255, "window": "uniform", "sample_covariance": True}
    expected = np.mean([ssim(a, b, **options) for a, b in zip(*images, strict=True)])
    actual = scores(*images, **options).compute()
    assert actual == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("axis", [-1, 0, 2, -3])
def test_colours_lie_where_they_lie_in_one_image(axis):
    images = pairs(0, 4, (20, 30, 3))
    expected = scores(*images, data_range=255, channel_axis=-1)
    moved = np.moveaxis(images, -1, axis if axis < 0 else axis + 2)
    actual = scores(*moved, data_range=255, channel_axis=axis)
    assert actual.compute() == expected.compute()


def test_sizes_may_differ_and_images_count_alike():
    actual = scores(np.zeros((3, 11, 20)), np.zeros((3, 11, 20)), data_range=1)
    actual.update(np.zeros((1, 30, 20)), np.ones((1, 30, 20)))
    c1 = 0.01**2
    assert actual.compute() == pytest.approx((3 + c1 / (1 + c1)) / 4, abs=1e-12)


def test_negative_scores_and_many_images_add_up():
    image = np.linspace(0, 1, 256).reshape(1, 16, 16)
    score = ssim(image[0], 1 - image[0], data_range=1)
    actual = scores(image, 1 - image, data_range=1)
    for _ in range(30):
        actual.merge(actual)
    assert score < -0.8
    assert actual.count == 2**30
    assert actual.compute() == pytest.approx(score, abs=1e-15)


def test_nothing_seen_is_undefined():
    actual = SSIMAccumulator(data_range=1)
    assert np.isnan(actual.compute())
    assert actual.compute(undefined=0.0) == 0.0
    actual.update(ZEROS[:1], ZEROS[:1])
    assert (actual.count, actual.compute()) == (1, 1.0)
    actual.reset()
    assert (actual.count, actual.compute(undefined=-1.0)) == (0, -1.0)


@pytest.mark.parametrize(
    ("images1", "images2", "message"),
    [
        (ZEROS, ZEROS[:1], "images1 and images2 must have one shape"),
        (ZEROS[:0], ZEROS[:0], "images1 must not be empty"),
        (ZEROS[0], ZEROS[0], r"images1 must have 3 axes, found shape \(16, 16\)$"),
        (ZEROS[..., None], ZEROS[..., None], "3 axes.*channel_axis says where"),
        (ZEROS[:, :9], ZEROS[:, :9], "images1 must be at least 11 x 11 pixels"),
        (ZEROS, ZEROS + np.nan, r"images2 must be finite, .* at position \(0, 0, 0\)"),
    ],
)
def test_a_refused_update_adds_nothing(images1, images2, message):
    actual = SSIMAccumulator(data_range=1)
    with refused(message):
        actual.update(images1, images2)
    assert actual.count == 0


def test_only_options_that_mean_the_same_merge():
    box = {"data_range": 1, "window": "uniform"}
    one = SSIMAccumulator(**box, channel_axis=-1)
    one.merge(SSIMAccumulator(**box, channel_axis=2, win_size=7))
    one = SSIMAccumulator(data_range=1)
    with refused("TypeError: other must be a SSIMAccumulator, found a int"):
        one.merge(3)
    with refused("TypeError: undefined must be a number, found 'x'"):
        one.compute(undefined="x")
    for name, value in [("data_range", 2), ("channel_axis", -1), ("k2", 0.1)]:
        with refused(f"other must have {name}=.* found"):
            one.merge(SSIMAccumulator(**{"data_range": 1, name: value}))
