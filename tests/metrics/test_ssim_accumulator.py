"""SSIM of batches: any split, any order of merging and any process give one answer."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

from tinyssl.metrics import SSIMAccumulator, ssim

OPTIONS = {"data_range": 255, "window": "uniform", "win_size": 3}


def pairs(seed, count, shape=(9, 8)):
    """Two batches of bytes."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (2, count, *shape)).astype(np.uint8)


@given(seeds, st.integers(1, 9), st.data())
def test_any_split_and_any_order_give_the_same_bits(seed, count, data):
    images1, images2 = pairs(seed, count)
    expected = SSIMAccumulator(**OPTIONS)
    expected.update(images1, images2)
    cuts = sorted(data.draw(st.sets(st.integers(1, count))) | {0, count})
    parts = []
    for start, stop in itertools.pairwise(cuts):
        part = SSIMAccumulator(**OPTIONS)
        part.update(images1[start:stop], images2[start:stop])
        parts.append(pickle.loads(pickle.dumps(part)))
    actual = SSIMAccumulator(**OPTIONS)
    for part in data.draw(st.permutations(parts)):
        actual.merge(part)
    assert actual.compute() == expected.compute()
    assert actual.totals.tolist() == expected.totals.tolist()
    assert actual.count == count


@given(seeds, st.sampled_from(((9, 8), (20, 20), (9, 400))))
def test_it_is_the_mean_of_ssim(seed, shape):
    images1, images2 = pairs(seed, 3, shape)
    options = {"data_range": 255, "window": "uniform", "sample_covariance": True}
    scores = [ssim(a, b, **options) for a, b in zip(images1, images2, strict=True)]
    actual = SSIMAccumulator(**options)
    actual.update(images1, images2)
    assert actual.compute() == pytest.approx(np.mean(scores), abs=1e-15)


@pytest.mark.parametrize("axis", [-1, 0, 2, -3])
def test_colours_lie_where_they_lie_in_one_image(axis):
    images1, images2 = pairs(0, 4, (20, 30, 3))
    expected = SSIMAccumulator(data_range=255, channel_axis=-1)
    expected.update(images1, images2)
    actual = SSIMAccumulator(data_range=255, channel_axis=axis)
    batch_axis = axis if axis < 0 else axis + 1
    actual.update(*(np.moveaxis(x, -1, batch_axis) for x in (images1, images2)))
    assert actual.compute() == expected.compute()


def test_sizes_may_differ_and_images_count_alike():
    actual = SSIMAccumulator(data_range=1)
    actual.update(np.zeros((3, 11, 20)), np.zeros((3, 11, 20)))
    actual.update(np.zeros((1, 30, 20)), np.ones((1, 30, 20)))
    c1 = 0.01**2
    assert actual.compute() == pytest.approx((3 + c1 / (1 + c1)) / 4, abs=1e-12)


def test_negative_scores_and_many_images_add_up():
    image = np.linspace(0, 1, 256).reshape(1, 16, 16)
    score = ssim(image[0], 1 - image[0], data_range=1)
    actual = SSIMAccumulator(data_range=1)
    actual.update(image, 1 - image)
    for _ in range(30):
        actual.merge(actual)
    assert score < -0.8
    assert actual.count == 2**30
    assert actual.compute() == pytest.approx(score, abs=1e-15)


def test_nothing_seen_is_undefined():
    actual = SSIMAccumulator(data_range=1)
    assert np.isnan(actual.compute())
    assert actual.compute(undefined=0.0) == 0.0
    actual.update(np.zeros((1, 16, 16)), np.zeros((1, 16, 16)))
    assert (actual.count, actual.compute()) == (1, 1.0)
    actual.reset()
    assert (actual.count, actual.compute(undefined=-1.0)) == (0, -1.0)


ZEROS = np.zeros((2, 16, 16))


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
    with pytest.raises(ValueError, match=message):
        actual.update(images1, images2)
    assert actual.count == 0


def test_refusals_of_options_and_of_others():
    with pytest.raises(ValueError, match="data_range must be finite and > 0"):
        SSIMAccumulator(data_range=0)
    with pytest.raises(TypeError, match="other must be a SSIMAccumulator, found a int"):
        SSIMAccumulator(data_range=1).merge(3)
    for name, value in [("data_range", 2), ("channel_axis", -1), ("k2", 0.1)]:
        others = SSIMAccumulator(**{"data_range": 1, name: value})
        with pytest.raises(ValueError, match=f"other must have {name}=.* found"):
            SSIMAccumulator(data_range=1).merge(others)
