"""Solutions of lesson 19."""

import numpy as np


def my_input_gradient(x, w, b, v):
    opened = w @ x + b > 0  # units that answer more than 0
    gradient = w.T @ (v * opened)
    return x * gradient


def my_pointing(heat, target, view):
    if not (target & view).any():
        return np.nan
    inside = heat[view]
    highest = inside == inside.max()
    return target[view][highest].mean()
