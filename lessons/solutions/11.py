"""Solutions of lesson 11."""

import numpy as np


def my_level(patch):
    h, w = patch.shape
    y, x = np.arange(h) - (h - 1) / 2, np.arange(w) - (w - 1) / 2
    level = patch - patch.mean()
    down = (level * y[:, None]).mean() / (y**2).mean()
    right = (level * x).mean() / (x**2).mean()
    return level - down * y[:, None] - right * x


def my_least_distance(orders):
    least = orders.shape[1]
    for i, a in enumerate(orders):
        for b in orders[:i]:
            least = min(least, (a != b).sum())
    return least
