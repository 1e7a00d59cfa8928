"""Dice, IoU, sensitivity, specificity: equal to scikit-learn, laws and refusals."""

import math
from unittest import mock

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from strategies import mask_pairs, small

from tinyssl.metrics import dice, iou, overlap, sensitivity, specificity

TWINS = {
    dice: sklearn.metrics.f1_score,
    iou: sklearn.metrics.jaccard_score,
    sensitivity: sklearn.metrics.recall_score,
    specificity: lambda t, p, **kw: sklearn.metrics.recall_score(
        t, p, pos_label=0, **kw
    ),
}


@pytest.mark.parametrize("metric", TWINS)
@given(mask_pairs(count=3), small)
def test_equals_sklearn_inside_the_region(metric, masks, length):
    true, pred, region = masks
    with mock.patch.object(overlap, "SMALL", length):
        actual = metric(true, pred, region=region, undefined=1.0)
        whole = metric(true, pred, undefined=1.0)
    true_in, pred_in = true[region].astype(int), pred[region].astype(int)
    if true_in.size:
        expected = TWINS[metric](true_in, pred_in, zero_division=1.0)
        assert actual == pytest.approx(expected, abs=1e-12)
    else:
        assert actual == 1.0
    assert whole == metric(true, pred, region=np.ones_like(true), undefined=1.0)


@given(mask_pairs())
def test_dice_and_iou_tell_the_same(masks):
    score = iou(*masks, undefined=1)
    assert dice(*masks, undefined=1) == pytest.approx(2 * score / (1 + score))


@given(mask_pairs())
def test_bytes_of_255_mean_the_same_as_bools(masks):
    as_bytes = [mask.astype(np.uint8) * 255 for mask in masks]
    as_floats = [mask * -0.5 for mask in masks]
    for metric in TWINS:
        expected = metric(*masks)
        np.testing.assert_equal(metric(*as_bytes), expected)
        np.testing.assert_equal(metric(*as_floats), expected)


@given(mask_pairs())
def test_equal_torchmetrics(masks):
    pytest.importorskip("torchmetrics")
    import torch
    from torchmetrics.functional import classification as theirs

    true, pred = (torch.from_numpy(mask.astype(np.int64)) for mask in masks)
    for metric, twin in (
        (dice, theirs.binary_f1_score),
        (iou, theirs.binary_jaccard_index),
        (sensitivity, theirs.binary_recall),
        (specificity, theirs.binary_specificity),
    ):
        expected = float(twin(pred, true))  # 0 where it is undefined
        assert metric(*masks, undefined=0) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "i2", "f4"])
def test_where_a_product_of_bytes_is_wrong(dtype):
    # 12 and 8 pixels, 4 shared, in bytes of 255: 255 * 255 is 1, sums wrap
    true, pred = np.zeros((2, 5, 4))
    true[:3], pred[2:4] = 255, 255
    if dtype == "i1":
        true, pred = (true > 0) * -128, (pred > 0) * -128
    true, pred = true.astype(dtype), pred.astype(dtype)
    for length in (0, 2**62):
        with mock.patch.object(overlap, "SMALL", length):
            assert dice(true, pred) == 2 * 4 / (12 + 8)
            assert iou(true, pred) == 4 / (12 + 8 - 4)
            assert sensitivity(true, pred) == 4 / 12
            assert specificity(true, pred) == (20 - 16) / (20 - 12)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    masks = np.random.default_rng(0).integers(0, 2, (3, 20, 30, 7), np.uint8)
    expected = [metric(*masks[:2], region=masks[2]) for metric in TWINS]
    monkeypatch.setattr(overlap, "SMALL", 0)
    monkeypatch.setattr(overlap, "PART", 100)
    for threads in "123":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert [metric(*masks[:2], region=masks[2]) for metric in TWINS] == expected


@pytest.mark.parametrize("metric", TWINS)
def test_results_are_plain_floats(metric):
    ones, none = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    for masks in ((ones, ones), (ones, none), (none, ones), (none, none)):
        for region in (None, ones, none):
            assert type(metric(*masks, region=region, undefined=1)) is float


@pytest.mark.parametrize("length", [0, 2**62])
def test_undefined(length):
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    with mock.patch.object(overlap, "SMALL", length):
        assert math.isnan(dice(empty, empty))
        assert math.isnan(iou(empty, empty))
        assert math.isnan(sensitivity(empty, full))
        assert math.isnan(specificity(full, full))
        assert dice(empty, full) == iou(empty, full) == 0
        assert dice(full, full) == iou(full, full) == sensitivity(full, full) == 1
        assert specificity(empty, empty) == 1
        assert math.isnan(dice(full, full, region=empty))


@pytest.mark.parametrize("metric", TWINS)
def test_refusals(metric):
    ones = np.ones((2, 2))
    with pytest.raises(ValueError, match=r"mask_true and mask_pred must have one sha"):
        metric(ones, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"region and mask_true must have one shape"):
        metric(ones, ones, region=np.ones(2))
    with pytest.raises(ValueError, match=r"mask_pred must not be NaN, .* \(0, 1\)"):
        metric(ones, [[0, math.nan], [1, 1]])
    with pytest.raises(ValueError, match="region must not be NaN"):
        metric(ones, ones, region=[[0, math.nan], [1, 1]])
    with pytest.raises(TypeError, match="mask_pred must hold numbers, found dtype com"):
        metric(ones, ones * 1j)
    with pytest.raises(TypeError, match="undefined must be a number, found 'one'"):
        metric(ones, ones, undefined="one")
    with pytest.raises(ValueError, match="mask_true must not be empty"):
        metric([], [])
    with pytest.raises(TypeError, match="mask_true must hold numbers"):
        metric([["a"]], [[1]])
