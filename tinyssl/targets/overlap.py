"""How well a map finds what is annotated; thin vessels, which Dice hardly notices."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tinyssl import metrics
from tinyssl.data.crop import field_width

THRESHOLD = 0.6  # a pixel is found from this probability on
RIM = 2  # pixels of a wide vessel's edge that may be jagged
THIN = 3 / 540  # of the field's width: 3 px in DRIVE, whose field is 540 px wide


def thin_width(region: NDArray[np.bool_]) -> int:
    """Return the width in pixels below which a vessel of this field is thin."""
    return max(2, round(THIN * field_width(region)))


def thin_vessels(mask: NDArray[np.bool_], *, width: float) -> NDArray[np.bool_]:
    """Return the part of a mask (H, W) of vessels narrower than a width in pixels.

    A straight vessel as wide as ``width``, which is at least 1, is not thin.

    Notes
    -----
    A vessel is wide where a disc fits into it that holds no pixel centre of the
    background and is half a pixel wider than the width: a straight line w pixels wide
    leaves room for a disc of w to w + 1, by its angle. What these discs sweep, and the
    jagged rim within two pixels of that, is wide; the rest of the mask is thin.

    References
    ----------
    Yan, Yang, Cheng (2018), IEEE TBME 65(9):1912-1923.
    """
    if not width >= 1:
        raise ValueError(f"width must be at least 1 pixel, found {width}")
    # looked at beyond the frame as well: vessels do not end where the image does
    side = math.ceil(width) + 2
    padded = np.pad(mask, side, mode="edge")
    # on a grid of half pixels, with the background at the pixels' centres
    room = np.ones([2 * length - 1 for length in padded.shape], bool)
    room[::2, ::2] = padded
    if room.all():
        return np.zeros_like(mask)
    diameter = ndimage.distance_transform_edt(room)  # a radius in half pixels
    wide = diameter >= width + 0.5
    if not wide.any():
        return mask.copy()
    reach = width + 0.5 + 2 * RIM  # half pixels
    swept = ndimage.distance_transform_edt(~wide)[::2, ::2] <= reach
    return mask & ~swept[side:-side, side:-side]


def evaluate(
    probability, mask, region, *, threshold=THRESHOLD, thin=None
) -> dict[str, float]:
    """Score probabilities (H, W) against a mask in the field of view, both (H, W) bool.

    "dice", "auc" and "sensitivity", nan where the mask is empty; "specificity", which
    false alarms lower; and "accuracy", which papers print: finding nothing at all
    scores about 0.9. ``thin``, from `thin_vessels`, adds "thin_recall", the share found
    of their pixels. The threshold is never chosen on images that are scored.
    """
    found = probability >= threshold
    truth, answer = mask[region].astype(int), found[region].astype(int)
    scores = {
        "dice": metrics.dice(mask, found, region=region) if truth.any() else np.nan,
        "auc": metrics.roc_auc(truth, probability[region]),
        "sensitivity": metrics.sensitivity(mask, found, region=region),
        "specificity": metrics.specificity(mask, found, region=region),
        "accuracy": metrics.accuracy(truth, answer),
    }
    if thin is not None:
        scores["thin_recall"] = metrics.sensitivity(thin, found, region=region)
    return {name: float(score) for name, score in scores.items()}
