"""Dice, IoU, sensitivity and specificity: equal to scikit-learn, and laws."""

import functools
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from strategies import lengths, mask_pairs, numpy_up_to, small

from tinyssl.metrics import dice, iou, overlap, sensitivity, specificity

TWINS = {
    dice: sklearn.metrics.f1_score,
    iou: sklearn.metrics.jaccard_score,
    sensitivity: sklearn.metrics.recall_score,
    specificity: functools.partial(sklearn.metrics.recall_score, pos_label=0),
}


@pytest.mark.parametrize(("metric", "twin"), TWINS.items())
@given(mask_pairs(count=3), small)
def test_equals_sklearn_inside_the_region(metric, twin, masks, length):
    true, pred, region = masks
    with numpy_up_to(overlap, length):
        actual = metric(true, pred, region=region, undefined=1.0)
        whole = metric(true, pred, undefined=1.0)
    true_in, pred_in = true[region].astype(int), pred[region].astype(int)
    if true_in.size:
        expected = twin(true_in, pred_in, zero_division=1.0)
        assert actual == pytest.approx(expected, abs=1e-12)
    else:
        assert actual == 1.0
    assert whole == metric(true, pred, region=np.ones_like(true), undefined=1.0)


@given(mask_pairs())
def test_laws(masks):
    score = iou(*masks, undefined=1)
    assert dice(*masks, undefined=1) == pytest.approx(2 * score / (1 + score))
    for value in (np.uint8(255), 255.0):
        others = [mask * value for mask in masks]
        for metric in TWINS:
            np.testing.assert_equal(metric(*others), metric(*masks))


@lengths
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4"])
def test_where_a_product_of_bytes_is_wrong(dtype, length):
    # 12 and 8 pixels, 4 shared, in bytes of 255: 255 * 255 is 1, sums wrap
    true, pred = np.zeros((2, 5, 4))
    true[:3], pred[2:4] = 255, 255
    masks = true.astype(dtype), pred.astype(dtype)
    with numpy_up_to(overlap, length):
        assert dice(*masks) == 2 * 4 / (12 + 8)
        assert iou(*masks) == 4 / (12 + 8 - 4)
        assert sensitivity(*masks) == 4 / 12
        assert specificity(*masks) == (20 - 16) / (20 - 12)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    masks = np.random.default_rng(0).integers(0, 2, (3, 20, 30, 7), np.uint8)
    expected = [metric(*masks[:2], region=masks[2]) for metric in TWINS]
    monkeypatch.setattr(overlap, "SMALL", 0)
    monkeypatch.setattr(overlap, "PART", 100)
    for threads in "123":
        monkeypatch.setenv("TINYSSL_NUM_THREADS", threads)
        assert [metric(*masks[:2], region=masks[2]) for metric in TWINS] == expected


@lengths
def test_the_ends_of_the_range_and_what_is_undefined(length):
    none, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    with numpy_up_to(overlap, length):
        assert math.isnan(dice(none, none))
        assert math.isnan(iou(none, none))
        assert math.isnan(sensitivity(none, full))
        assert math.isnan(specificity(full, full))
        assert math.isnan(dice(full, full, region=none))
        assert dice(none, full) == iou(none, full) == 0
        assert dice(full, full) == iou(full, full) == sensitivity(full, full) == 1
        assert specificity(none, none) == 1
        for metric in TWINS:
            for masks in ((full, full), (full, none), (none, full), (none, none)):
                for region in (None, full, none):
                    assert type(metric(*masks, region=region, undefined=1)) is float
