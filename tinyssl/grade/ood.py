"""An out-of-distribution score: whether an image looks like those trained on.

The rule
    Describe an image twice: by nine global intensities, and by the encoder's features
    averaged over space. Measure for each the Mahalanobis distance from the training
    images of one fold. The image looks unlike them when either distance is larger
    than in 995 of 1,000 images that the fold held out: of images like those, about
    one in a hundred is warned about by chance. The rule sees that an image is unlike
    the others, not that it is graded wrongly: that happens to images like them too.
"""

from typing import Any

import numpy as np
import torch

from tinyssl.targets.baselines import global_intensities
from tinyssl.training import to_tensor

SHARE = 0.995  # of held-out images that neither distance may warn about
# Towards equal variances. The features are about as many as the images, and their
# small principal components are noise; the intensities are nine.
SHRINKAGE = {"intensities": 0.01, "features": 0.3}


@torch.no_grad()
def describe(encoder, images):
    """Return the rows of "intensities" and of "features"."""
    encoder.eval()
    device = next(encoder.parameters()).device
    rows = []
    for start in range(0, len(images), 64):
        features = encoder.features(to_tensor(images[start : start + 64], device))
        rows.append(features.mean((2, 3)).cpu().double().numpy())
    return {"intensities": global_intensities(images), "features": np.concatenate(rows)}


def fit(encoder, seen, held_out):
    """Learn how far images of this kind lie from one another.

    The encoder was trained on ``seen`` and not on ``held_out``, (N, S, S, C) uint8
    arrays. Of "intensities" and "features" each has the tensors "mean" and "scale" and
    the "limit" of the distance; "images" is how many set the limit.

    References
    ----------
    Lee, Lee, Lee, Shin 2018, "A simple unified framework for detecting
    out-of-distribution samples and adversarial attacks", NeurIPS, section 2: theirs
    has a mean for each class and several layers.
    """
    known: dict[str, Any] = {"images": len(held_out)}
    held = describe(encoder, held_out)
    for part, rows in describe(encoder, seen).items():
        mean, deviation = rows.mean(0), rows.std(0)
        deviation = np.maximum(deviation, 1e-3 * deviation.max() + 1e-12)
        covariance = np.cov((rows - mean) / deviation, rowvar=False)
        covariance *= 1 - SHRINKAGE[part]
        covariance[np.diag_indices_from(covariance)] += SHRINKAGE[part]
        scale = np.linalg.inv(np.linalg.cholesky(covariance)) / deviation
        limit = np.quantile(mahalanobis(held[part], mean, scale), SHARE)
        known[part] = {"mean": torch.from_numpy(mean), "limit": float(limit)}
        known[part]["scale"] = torch.from_numpy(scale)
    return known


def mahalanobis(rows, mean, scale):
    """Return the length of each row in units of the training images' spread."""
    return np.linalg.norm((rows - mean) @ scale.T, axis=1)


def score(known, encoder, images):
    """Return the larger of the two distances of each image, over its limit: (N,).

    More than 1 is unlike the training images.
    """
    ratios = []
    for part, rows in describe(encoder, images).items():
        mean, scale = (known[part][name].numpy() for name in ("mean", "scale"))
        ratios.append(mahalanobis(rows, mean, scale) / known[part]["limit"])
    return np.maximum(*ratios)
