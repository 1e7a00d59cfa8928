"""An out-of-distribution score: whether an image looks like those trained on.

An image is unlike those of one fold if its Mahalanobis distance from them, by nine
global intensities or by the encoder's mean features, exceeds that of 995 in 1,000 held-
out images: chance warns of about one in a hundred. Unlike is not graded wrongly.
"""

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
    """Learn how far the images lie that the encoder trained on, and the limit.

    Lee, Lee, Lee, Shin, "A simple unified framework for detecting out-of-distribution
    samples and adversarial attacks", NeurIPS 2018, section 2, have a mean for each
    class and several layers.
    """
    known = {"images": len(held_out)}
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
    """Return the larger distance of each image over its limit: above 1 is unlike."""
    ratios = []
    for part, rows in describe(encoder, images).items():
        mean, scale = (known[part][name].numpy() for name in ("mean", "scale"))
        ratios.append(mahalanobis(rows, mean, scale) / known[part]["limit"])
    return np.maximum(*ratios)
