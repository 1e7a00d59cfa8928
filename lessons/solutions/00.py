"""Solutions of lesson 0."""

import numpy as np


def my_grade(counts):
    if counts["NV"] or counts["PH"]:
        return 4
    if counts["HE"] >= 10:
        return 3
    if counts["HE"] or counts["EX"] or counts["SE"]:
        return 2
    return 1 if counts["MA"] else 0


def my_eye(disc, fovea):
    return "right" if disc[1] > fovea[1] else "left"


def my_folds(patient, num_folds):
    _, number = np.unique(patient, return_inverse=True)
    return number % num_folds
