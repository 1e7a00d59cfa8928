"""An out-of-distribution score: whether an image looks like those trained on.

An image is unlike those of one fold if its Mahalanobis distance from them, by nine
global intensities, by its texture or by the encoder's mean features, exceeds that of
995 in 1,000 held-out images: chance warns of one or two in a hundred. Texture tells
cameras apart, and drawings from photographs, where colours and learned features do not.
Unlike is not graded wrongly, and an eye upside down looks like one.
"""

from itertools import pairwise

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, minimum_filter

from tinyssl.targets.baselines import distances, global_intensities
from tinyssl.training import to_tensor

SHARE = 0.995  # of held-out images that no distance may warn about
FEW = 10  # images whose largest distance may double: as many say little of the tail
# Towards equal variances. The features are about as many as the images, and their
# small principal components are noise; the intensities are nine, textures eighteen.
SHRINKAGE = {"intensities": 0.01, "texture": 0.1, "features": 0.3}
SIGMAS = (0.7, 1.4, 2.8, 5.6)  # pixels; between two of them lies a band of details
BLACK = 10  # of 255


@torch.no_grad()
def describe(encoder, images):
    """Return the rows of "intensities", "texture" and "features"."""
    encoder.eval()
    device = next(encoder.parameters()).device
    rows = []
    for start in range(0, len(images), 64):
        features = encoder.features(to_tensor(images[start : start + 64], device))
        rows.append(features.mean((2, 3)).cpu().double().numpy())
    known = {"intensities": global_intensities(images), "texture": texture(images)}
    return known | {"features": np.concatenate(rows)}


def texture(images):
    """Describe uint8 images (N, S, S, 3) by the details of four sizes: (N, 18).

    Logarithms of their deviation in each channel, and how much channels share of the
    two finest, inside what is lit.
    """
    rows = []
    for image in images:
        image = image.astype(np.float64)
        lit = minimum_filter(image.max(-1) > BLACK, 7, mode="constant")
        lit = lit if lit.sum() > 50 else np.ones_like(lit)
        blurred = [image, *(gaussian_filter(image, (s, s, 0)) for s in SIGMAS)]
        bands = [(a - b)[lit] for a, b in pairwise(blurred)]
        row = [np.log(band.std(0) + 0.05) for band in bands]
        for band in bands[:2]:
            shared = np.cov(band.T)
            spread = np.sqrt(np.diag(shared)) + 0.05
            row.append((shared / np.outer(spread, spread))[np.triu_indices(3, 1)])
        rows.append(np.concatenate(row))
    return np.array(rows)


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
        distance = distances(held[part], mean, scale)
        limit = np.quantile(distance, SHARE, method="higher")
        limit *= 1 + FEW / len(distance)
        known[part] = {"mean": torch.from_numpy(mean), "limit": float(limit)}
        known[part]["scale"] = torch.from_numpy(scale)
    return known


def score(known, encoder, images):
    """Return the larger distance of each image over its limit: above 1 is unlike."""
    ratios = []
    for part, rows in describe(encoder, images).items():
        mean, scale = (known[part][name].numpy() for name in ("mean", "scale"))
        ratios.append(distances(rows, mean, scale) / known[part]["limit"])
    return np.max(ratios, axis=0)
