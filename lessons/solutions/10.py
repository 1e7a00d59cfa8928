"""Solutions of lesson 10."""

import numpy as np


def my_whiten(x, ridge):
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    turned = (x - x.mean(axis=0)) @ vectors  # into the axes of the directions
    return turned / np.sqrt(values + ridge) @ vectors.T


def my_kmeans_step(points, centres):
    nearest = (points @ centres.T).argmax(axis=1)
    moved = centres.copy()
    for k in range(len(centres)):
        total = points[nearest == k].sum(axis=0)
        if total.any():
            moved[k] = total / np.linalg.norm(total)
    return moved
