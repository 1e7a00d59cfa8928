"""Solutions of lesson 5."""

import numpy as np
from scipy import stats


def my_labelled(patient, order, percent):
    for number in range(1, len(order) + 1):
        mask = np.isin(patient, order[:number])
        if 100 * mask.sum() >= percent * len(patient):
            break
    return mask


def my_differences(rows, start):
    ours = {fold: score for name, fold, score in rows if name == start}
    scratch = {fold: score for name, fold, score in rows if name == "scratch"}
    return np.array([ours[fold] - scratch[fold] for fold in sorted(ours)])


def my_interval(differences, test_share):
    k = len(differences)
    error = np.sqrt(np.var(differences, ddof=1) * (1 / k + test_share))
    half = stats.t.ppf(0.975, k - 1) * error
    return np.mean(differences) - half, np.mean(differences) + half
