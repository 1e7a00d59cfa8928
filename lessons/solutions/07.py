"""Solutions of lesson 7."""

import numpy as np


def my_soft_argmax(logits):
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    y, x = np.indices(logits.shape)
    return np.array([(weights * y).sum(), (weights * x).sum()])


def my_disc_diameters(points_true, points_pred, disc_radius):
    distance = np.sqrt(((points_pred - points_true) ** 2).sum(axis=1))
    return distance / (2 * disc_radius)


def my_mirror_labels(labels, width):
    labels = labels.copy()
    labels[:, [1, 3]] = width - 1 - labels[:, [1, 3]]
    labels[:, 4] = 1 - labels[:, 4]
    return labels
