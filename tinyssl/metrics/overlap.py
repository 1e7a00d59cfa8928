"""Overlap of two masks, or of the classes of two label maps: Dice, IoU and others."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks, _kernels, _threads
from tinyssl.metrics.agreement import confusion_matrix

# Up to this many pixels NumPy is quick enough not to load Numba for: 36 us here, 25 us
# one larger (timeit of dice(a, a), a = np.arange(100000) % 3 > 0, and 100001).
SMALL = 100_000
PART = 4_000_000  # pixels a thread: fewer do not pay for waking one on a busy machine


def dice(
    mask_true: ArrayLike,
    mask_pred: ArrayLike,
    *,
    region: ArrayLike | None = None,
    num_classes: int | None = None,
    ignore: int | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Twice the shared area over the sum of both areas.

    Parameters
    ----------
    mask_true, mask_pred : array of one shape
        Masks of bool, 0/1 or 0/255; label maps with num_classes. All pixels count
        together, those of a batch too.
    region : array of the same shape, optional; only pixels where it is not 0 count
    num_classes : int, 1 to 4095, optional
        K: masks are label maps in 0..K-1, and each class is scored against all others.
    ignore : int, optional
        With num_classes: pixels whose true label it is do not count (255, say, where
        nobody judged). To leave the background out of a mean, drop its value instead.
    undefined : float, default nan; for two empty masks (0/0), and an ignored class

    Returns
    -------
    score : float in [0, 1], or (K,) float64 array with num_classes
        1 is equal masks, 0 no shared pixel.

    Raises
    ------
    TypeError, ValueError
        If masks are not numbers, empty arrays, hold NaN, or have different shapes; if
        they are probabilities (threshold them) or label maps without num_classes, or
        labels are out of range.

    Notes
    -----
    Equals scikit-learn's ``f1_score`` on the flattened masks, and with num_classes its
    ``f1_score(..., average=None)``. Dice 1945, Ecology 26:297-302.

    Examples
    --------
    >>> dice([0, 1, 2, 2], [0, 1, 1, 2], num_classes=3).round(2)
    array([1.  , 0.67, 0.67])
    """
    given = mask_true, mask_pred, region, num_classes, ignore, undefined
    return _ratio(lambda both, true, pred, area: (2 * both, true + pred), *given)


def iou(
    mask_true: ArrayLike,
    mask_pred: ArrayLike,
    *,
    region: ArrayLike | None = None,
    num_classes: int | None = None,
    ignore: int | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Shared area over joint area: intersection over union, the Jaccard index.

    As `dice`. Equals scikit-learn's ``jaccard_score`` on the flattened masks. Jaccard
    1901, Bull. Soc. Vaudoise des Sciences Naturelles 37:547-579.
    """
    given = mask_true, mask_pred, region, num_classes, ignore, undefined
    return _ratio(lambda both, true, pred, area: (both, true + pred - both), *given)


def sensitivity(
    mask_true: ArrayLike,
    mask_pred: ArrayLike,
    *,
    region: ArrayLike | None = None,
    num_classes: int | None = None,
    ignore: int | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Share of the object that is found: 1 is nothing missed.

    As `dice`, but undefined when the true mask is empty. Equals scikit-learn's
    ``recall_score`` on the flattened masks.
    """
    given = mask_true, mask_pred, region, num_classes, ignore, undefined
    return _ratio(lambda both, true, pred, area: (both, true), *given)


def specificity(
    mask_true: ArrayLike,
    mask_pred: ArrayLike,
    *,
    region: ArrayLike | None = None,
    num_classes: int | None = None,
    ignore: int | None = None,
    undefined: float = math.nan,
) -> float | NDArray[np.float64]:
    """Share of the background that is left alone: 1 is no false alarm.

    As `dice`, but undefined when the true mask is full. Equals scikit-learn's
    ``recall_score(..., pos_label=0)`` on the flattened masks. Give a region: without it
    the black frame of a fundus image counts as background well recognised.
    """
    given = mask_true, mask_pred, region, num_classes, ignore, undefined
    return _ratio(
        lambda both, true, pred, area: (area - true - (pred - both), area - true),
        *given,
    )


def _ratio(share, mask_true, mask_pred, region, num_classes, ignore, undefined):
    """Divide what ``share`` says of the pixels in both masks, in each, and in all."""
    undefined = _checks.number("undefined", undefined)
    if num_classes is not None:
        table = _table(mask_true, mask_pred, region, num_classes, ignore)
        counts = table.diagonal(), table.sum(axis=1), table.sum(axis=0), table.sum()
        part, whole = share(*counts)
        used = (whole > 0) & (np.arange(num_classes) != ignore)
        scores = np.full(num_classes, undefined)
        return np.divide(part, whole, out=scores, where=used)
    if ignore is not None:
        raise ValueError(f"ignore must come with num_classes, found ignore={ignore!r}")
    mask_true = _checks.two_valued("mask_true", mask_true)
    mask_pred = _checks.two_valued("mask_pred", mask_pred)
    _checks.same_shape("mask_true", mask_true, "mask_pred", mask_pred)
    area = mask_true.size
    if region is not None:
        region = _checks.mask("region", region)
        _checks.same_shape("region", region, "mask_true", mask_true)
        area = int(np.count_nonzero(region))
        mask_true, mask_pred = mask_true * region, mask_pred * region
    if mask_true.size <= SMALL:
        true, pred = mask_true != 0, mask_pred != 0
        counts = [int(np.count_nonzero(x)) for x in (true & pred, true, pred)]
    else:
        masks = mask_true.ravel(), mask_pred.ravel()
        parts = _threads.in_parts(_kernels.agreement.overlap_counts, masks, least=PART)
        counts = [int(sum(part)) for part in parts]
    part, whole = share(*counts, area)
    return part / whole if whole else undefined


def _table(mask_true, mask_pred, region, num_classes, ignore):
    """Return the confusion matrix of the pixels that count."""
    K = _checks.integer("num_classes", num_classes, 1, _checks.LARGEST_TABLE - 1)
    mask_true = _checks.array("mask_true", mask_true)
    mask_pred = _checks.array("mask_pred", mask_pred)
    _checks.same_shape("mask_true", mask_true, "mask_pred", mask_pred)
    counted = np.ones(mask_true.shape, bool)
    if region is not None:
        counted = _checks.mask("region", region)
        _checks.same_shape("region", counted, "mask_true", mask_true)
    if ignore is not None:
        counted = counted & (mask_true != _checks.integer("ignore", ignore, -(2**63)))
    pair = []
    for name, values in (("mask_true", mask_true), ("mask_pred", mask_pred)):
        values = _checks.labels(name, np.where(counted, values, 0).ravel())
        _checks.label_range(name, values, K)
        # pixels that do not count are a class of their own
        pair.append(np.where(counted.ravel(), values.astype(np.int64), K))
    return confusion_matrix(*pair, num_classes=K + 1)[:K, :K]
