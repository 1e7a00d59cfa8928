"""Images with what was drawn on them, and how well a network or a person finds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyssl import metrics
from tinyssl.data.resize import resize
from tinyssl.downstream.segmentation import Segmentation, evaluate, predict
from tinyssl.downstream.thin_vessels import thin_width


@dataclass(frozen=True)
class Annotated:
    """Images whose vessels, or lesions of one kind, were drawn; sizes may differ.

    Parameters
    ----------
    images : list of (h, w, C) uint8 arrays
        As `tinyssl.downstream.segmentation.prepare` returns them, at the size at which
        a network looks at them.
    masks, regions : list of (H, W) bool arrays
        What was drawn, and field of view, at the photograph's own size: the size at
        which everything is scored.
    """

    images: list[NDArray[np.uint8]]
    masks: list[NDArray[np.bool_]]
    regions: list[NDArray[np.bool_]]

    def select(self, index: Sequence[int]) -> tuple[list, list, list]:
        """Return the three lists at these positions, all at the images' size.

        Of a shrunk mask the share that it covers of each pixel is left.
        """
        images = [self.images[i] for i in index]
        layers = ([layer[i] for i in index] for layer in (self.masks, self.regions))
        masks, regions = (
            [resize(m, x.shape[:2]) for m, x in zip(layer, images, strict=True)]
            for layer in layers
        )
        return images, masks, [region >= 0.5 for region in regions]


def score(
    task: Segmentation, part: Annotated, *, views: int = 1, thin: bool = True
) -> dict[str, Any]:
    """Find the object in whole images and score it at the photographs' own size.

    Parameters
    ----------
    task : Segmentation
    part : Annotated
    views : int
        See `tinyssl.downstream.segmentation.predict`.
    thin : bool
        Score thin vessels apart.

    Returns
    -------
    dict
        Means over the images of what `evaluate` returns; an image without the object
        has no Dice and is left out of that mean. "average_precision" is the area under
        the precision-recall curve of all pixels of all images together, so that a
        false alarm counts in every image. "dice_per_image" is a list.
    """
    probabilities = [
        resize(predict(task, image, views=views), mask.shape)
        for image, mask in zip(part.images, part.masks, strict=True)
    ]
    scores = _score_each(part, probabilities, thin=thin)
    truth = [m[r] for m, r in zip(part.masks, part.regions, strict=True)]
    found = [p[r] for p, r in zip(probabilities, part.regions, strict=True)]
    pooled = np.concatenate(truth).astype(int), np.concatenate(found)
    result = _means(scores) | {"average_precision": metrics.average_precision(*pooled)}
    return result | {"dice_per_image": [s["dice"] for s in scores]}


def second_observer(
    part: Annotated, others: list[NDArray[np.bool_]], *, thin: bool = True
) -> dict[str, float]:
    """Score a second person's drawing like a network: the ceiling to print.

    Returns
    -------
    dict of float
        "dice", "sensitivity", "specificity" and "thin_recall": means over the images.
    """
    found = _means(_score_each(part, others, thin=thin))
    return {name: found[name] for name in found if name not in ("auc", "accuracy")}


def _score_each(part, probabilities, *, thin):
    """Evaluate each image; a drawing counts as probabilities of 0 and 1."""
    layers = zip(probabilities, part.masks, part.regions, strict=True)
    return [
        evaluate(p, mask, region, thin=thin_width(region) if thin else None)
        for p, mask, region in layers
    ]


def _means(scores: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each score over the images where it is defined."""
    table = {name: np.array([s[name] for s in scores]) for name in scores[0]}
    defined = {name: column[np.isfinite(column)] for name, column in table.items()}
    return {
        name: float(column.mean()) if len(column) else np.nan
        for name, column in defined.items()
    }
