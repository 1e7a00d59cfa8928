"""Labels, masks and scores: equal to torchmetrics, and where it is wrong."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import label_pairs, mask_pairs, ranked

from tinyssl import metrics
from tinyssl.metrics import average_precision, roc_auc

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("torchmetrics.functional.classification")
OVERLAPS = {
    metrics.dice: theirs.binary_f1_score,
    metrics.iou: theirs.binary_jaccard_index,
    metrics.sensitivity: theirs.binary_recall,
    metrics.specificity: theirs.binary_specificity,
}


@given(label_pairs(), st.sampled_from((None, "linear", "quadratic")))
def test_kappas(pair, scheme):
    assume(np.ptp(np.concatenate(pair)) > 0)
    y_true, y_pred = map(torch.from_numpy, pair)
    expected = theirs.multiclass_cohen_kappa(y_pred, y_true, 5, scheme)
    actual = metrics.cohen_kappa(y_true, y_pred, weights=scheme)
    assert actual == pytest.approx(float(expected), abs=1e-5)  # theirs is float32


@given(label_pairs(), st.sampled_from(("macro", "weighted", "micro", None)))
def test_averages_and_accuracy(pair, average):
    y_true, y_pred = map(torch.from_numpy, pair)
    options = {} if average == "macro" else {"num_classes": 5}
    for name in ("precision", "recall", "f1_score"):
        twin = getattr(theirs, f"multiclass_{name}")
        expected = twin(y_pred, y_true, 5, average=average or "none")
        actual = getattr(metrics, name)(y_true, y_pred, average=average, **options)
        np.testing.assert_allclose(actual, expected, atol=1e-6)
    expected = float(theirs.multiclass_accuracy(y_pred, y_true, 5, average="micro"))
    assert metrics.accuracy(y_true, y_pred) == pytest.approx(expected, abs=1e-6)


@given(mask_pairs())
def test_overlaps(masks):
    true, pred = (torch.from_numpy(mask.astype(np.int64)) for mask in masks)
    for metric, twin in OVERLAPS.items():
        expected = float(twin(pred, true))  # 0 if undefined
        assert metric(*masks, undefined=0) == pytest.approx(expected, abs=1e-6)


@given(ranked())
def test_rankings_of_scores_in_0_to_1(sample):
    y_true, score = sample
    assume(0 < y_true.sum() < len(y_true))
    score = np.unique(score, return_inverse=True)[1] / 8
    pair = torch.from_numpy(score), torch.from_numpy(y_true)
    expected = theirs.binary_auroc(*pair), theirs.binary_average_precision(*pair)
    actual = roc_auc(y_true, score), average_precision(y_true, score)
    assert actual == pytest.approx([*map(float, expected)], abs=1e-6)


@pytest.mark.filterwarnings("ignore:No negative samples:UserWarning")
def test_rankings_that_are_wrong_there():
    # three logits in perfect order; a float32 sigmoid makes them one
    y_true, score = torch.tensor([0, 1, 1]), torch.tensor([30.0, 40.0, 50.0])
    assert roc_auc(y_true, score) == average_precision(y_true, score) == 1
    assert float(theirs.binary_auroc(score, y_true)) == 0.5
    # one class: no pair to rank
    y_true = torch.tensor([1, 1, 1])
    assert math.isnan(roc_auc(y_true, score))
    assert float(theirs.binary_auroc(score / 50, y_true)) == 0.0
