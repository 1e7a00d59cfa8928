"""Solutions of lesson 20."""

import numpy as np
from scipy import stats


def my_crossing(patient, split):
    places = {}
    for name, part in zip(patient, split, strict=True):
        places.setdefault(name, set()).add(part)
    crosses = [name != "" and len(places[name]) > 1 for name in patient]
    return np.array(crosses, dtype=bool)


def my_wilson(k, n):
    z = stats.norm.ppf(0.975)
    half = z * np.sqrt(k * (n - k) / n + z**2 / 4)
    middle = k + z**2 / 2
    return (middle - half) / (n + z**2), (middle + half) / (n + z**2)
