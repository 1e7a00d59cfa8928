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
    with pytest.raises(ValueError, match="mask_true must not be empty"):
        metric([], [])
    with pytest.raises(TypeError, match="mask_true must hold numbers"):
        metric([["a"]], [[1]])
