"""Overlap class by class; probabilities and label maps are not taken for masks."""

from math import nan

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from strategies import refused, seeds

from tinyssl.metrics import dice, iou, sensitivity, specificity

PEERS = {
    dice: sklearn.metrics.f1_score,
    iou: sklearn.metrics.jaccard_score,
    sensitivity: sklearn.metrics.recall_score,
}
METRICS = [*PEERS, specificity]
every_metric = pytest.mark.parametrize("metric", METRICS)


@given(seeds, st.sampled_from([2, 4, 300]), st.sampled_from([None, 255, -1, 0, 1]))
def test_each_class_is_scored_against_all_others(seed, K, ignore):
    rng = np.random.default_rng(seed)
    true, other = rng.integers(0, min(K, 5), (2, 5, 6))
    pred = np.where(rng.random((5, 6)) < 0.5, true, other)
    if ignore is not None:
        true[rng.random((5, 6)) < 0.2] = ignore
    counted = (rng.random((5, 6)) < 0.8) & (true != ignore)
    options = {"num_classes": K, "ignore": ignore, "undefined": 0}
    options["region"] = counted | (true == ignore)
    own = np.arange(K) != ignore
    for metric in METRICS:
        actual = metric(true.astype("i2"), pred, **options)
        for k in np.flatnonzero(own):  # a loop over the classes
            expected = metric(true == k, pred == k, region=counted, undefined=0)
            assert actual[k] == expected
        if metric in PEERS and counted.any():
            settings = {"labels": range(K), "average": None, "zero_division": 0}
            expected = PEERS[metric](true[counted], pred[counted], **settings)
            np.testing.assert_allclose(actual, expected * own)


def test_nothing_counted_and_whole_floats():
    everything = dice([255, 255], [0, 1], num_classes=3, ignore=255, undefined=0.5)
    np.testing.assert_array_equal(everything, [0.5] * 3)
    actual = iou(np.array([[0.0, 1], [2, 2]]), [[0, 1], [1, 2]], num_classes=3)
    np.testing.assert_array_equal(actual, [1, 0.5, 0.5])
    # a false alarm on ignored pixels is none, and a miss elsewhere is one
    assert dice([9, 1, 1], [1, 1, 0], num_classes=2, ignore=9).tolist() == [0, 2 / 3]
    np.testing.assert_array_equal(dice([0, 1], [0, 1], num_classes=2, ignore=0)[0], nan)
    np.testing.assert_array_equal(iou([0, 1], [0, 0], num_classes=2, ignore=0)[0], nan)


EYE = np.eye(3)
THRESHOLD, LABELS = "threshold probabilities: mask_pred >= 0.5", "label maps need num_c"


@every_metric
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (EYE * 0.7, rf"{THRESHOLD}\), found 0.7 at position \(0, 0\)"),
        (EYE * 254.5, THRESHOLD),
        ([[0, 1, 2]] * 3, rf"{LABELS}.* mask_pred == 2\), found 2 at"),
        (np.uint8(EYE * 128), LABELS),
        (np.int8(-EYE), LABELS),
        (np.uint8([[0, 1, 255]] * 3), LABELS),
        (np.uint16(EYE * 65535), f"{LABELS}.*found 65535 at"),
    ],
)
def test_only_masks_are_masks(metric, mask, message):
    with refused(f"mask_pred must be a mask of .*{message}"):
        metric(EYE > 0, mask)
    with refused("^mask_true must be a mask of bool, 0/1 or 0/255"):
        metric(EYE * 3, EYE)


@every_metric
def test_masks_of_every_kind_mean_the_same(metric):
    masks = np.random.default_rng(0).random((2, 20, 20)) < 0.5
    for one in (np.uint8(1), np.uint8(255), 1.0, 255.0, np.int64(255)):
        assert metric(masks[0], masks[1] * one) == metric(*masks)


@every_metric
@pytest.mark.parametrize(
    ("true", "pred", "options", "message"),
    [
        ([0, 1], [0, 1], {"ignore": 1}, "ignore must come with num_classes, found"),
        ([0, 3], [0, 1], {"num_classes": 3}, r"mask_true must lie in 0\.\.2, found 3"),
        ([0], [255], {"num_classes": 3, "ignore": 255}, "mask_pred .*found 255"),
        ([0, 1], [0, 0.5], {"num_classes": 3}, "mask_pred must hold whole numbers"),
        ([], [], {"num_classes": 3}, "mask_true must not be empty"),
        ([0], [0], {"num_classes": 3, "region": [[1]]}, "region and mask_true must"),
        ([0], [0], {"num_classes": 4096}, "num_classes must be <= 4095, found 4096"),
        ([0], [0], {"num_classes": 2, "ignore": 1.0}, "TypeError: ignore must be an i"),
    ],
)
def test_label_maps_out_of_range(metric, true, pred, options, message):
    with refused(message):
        metric(true, pred, **options)
