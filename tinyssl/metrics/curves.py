"""Curves over all thresholds of a score: ROC and precision-recall."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks


def roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates at each threshold.

    As `roc_auc`, of one column of scores; undefined fills a rate whose class never
    occurs. Equals scikit-learn's ``roc_curve(..., drop_intermediate=False)``.

    Returns
    -------
    false_positive_rate, true_positive_rate : (m,) float64 array, from 0 to 1
        Rates when "score >= threshold" means positive.
    thresholds : (m,) float64 array, falling
        Distinct scores, after inf, at which nothing is positive. A score of inf follows
        as a threshold of its own; integers beyond 2**53 are listed rounded.

    >>> roc_curve([0, 1], [0.1, 0.4])
    (array([0., 0., 1.]), array([0., 1., 1.]), array([inf, 0.4, 0.1]))
    """
    undefined = _checks.number("undefined", undefined)
    true, false, thresholds = _curve(y_true, y_score, sample_weight)
    return _share(false, undefined), _share(true, undefined), thresholds


def precision_recall_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    undefined: float = math.nan,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and recall at each threshold.

    As `roc_curve`, but recall rises, undefined fills it when no label is positive, and
    no threshold is inf; labels, scores and weights as `roc_auc` has them. This is
    scikit-learn's ``precision_recall_curve`` reversed, without the point (recall 0,
    precision 1) it adds, which belongs to no threshold.
    """
    undefined = _checks.number("undefined", undefined)
    true, false, thresholds = (x[1:] for x in _curve(y_true, y_score, sample_weight))
    return true / (true + false), _share(true, undefined), thresholds


def check(y_true, y_score, sample_weight):
    """Return labels, scores, and weights of order 1, that fit together."""
    y_true = _checks.labels("y_true", y_true)
    y_score = _checks.array("y_score", y_score)
    n = len(y_true)
    if y_score.shape[:1] != (n,) or y_score.ndim > 2:
        rule = f"have shape ({n},) or ({n}, K) as y_true has"
        raise _checks.refusal("y_score", rule, y_score.shape)
    if y_score.ndim == 2 and y_score.shape[1] < 2:
        rule = f"have shape ({n},) or a column for each class, two or more"
        raise _checks.refusal("y_score", rule, y_score.shape)
    _checks.not_nan("y_score", y_score)
    _checks.label_range("y_true", y_true, (2, *y_score.shape[1:])[-1])
    if y_score.dtype.kind == "f":
        y_score = y_score.astype(np.float64, copy=False)
    # what weighs nothing is no threshold either
    return _checks.weighted(sample_weight, y_true, y_score)


def _curve(y_true, y_score, sample_weight):
    y_true, y_score, weights = check(y_true, y_score, sample_weight)
    if y_score.ndim != 1:
        raise _checks.refusal("y_score", "be one-dimensional", f"shape {y_score.shape}")
    return cumulate(y_true == 1, y_score, weights)


def _share(counts, undefined):
    """Return rising counts as a share of the last."""
    return counts / counts[-1] if counts[-1] else np.full(len(counts), undefined)


def cumulate(positive, scores, weights):
    """Return true and false positives (0 first) at each distinct score, falling."""
    order = np.argsort(scores, kind="stable")[::-1]
    positive, scores = positive[order], scores[order]
    ends = np.append(np.flatnonzero(scores[1:] != scores[:-1]), scores.size - 1)
    one = np.ones(scores.size, dtype=np.int64) if weights is None else weights[order]
    true, false = (
        np.concatenate([[0], np.cumsum(np.where(part, one, 0))[ends]])
        for part in (positive, ~positive)
    )
    return true, false, np.concatenate([[np.inf], scores[ends].astype(np.float64)])
