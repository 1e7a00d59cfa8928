"""Calibration: how often a grader is right when it says 0.7.

Asked of images that the answering model had never seen: in cross-validation each
labelled image is answered by the one model that did not train on it.
"""

import numpy as np

from tinyssl.targets import grading

BINS = 5  # equally filled, so that few images still say something in each


def wilson(right, n):
    """Return the 95 % interval of a share that was seen ``right`` times in n."""
    from scipy.stats import binomtest  # half a second, which grading need not wait for

    found = binomtest(right, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def reliability(grades_true, probabilities, *, head):
    """Compare the probability "said" of each answer with how often it was "right".

    By five groups of images, "from" the least "to" the most sure, with Wilson's
    interval. "error" is the expected calibration error (Guo et al. 2017; it is above 0
    by chance), "brier" the squared distance from the truth (Brier 1950).
    """
    N, K = probabilities.shape
    answers = grading.decode(probabilities, head)
    said = probabilities[np.arange(N), answers]
    right = answers == grades_true
    groups = []
    for index in np.array_split(np.argsort(said, kind="stable"), min(BINS, N)):
        low, high = wilson(int(right[index].sum()), len(index))
        ends = {"from": float(said[index[0]]), "to": float(said[index[-1]])}
        means = {"said": float(said[index].mean()), "right": float(right[index].mean())}
        groups.append({**ends, "n": len(index), **means, "low": low, "high": high})
    error = sum(g["n"] * abs(g["said"] - g["right"]) for g in groups) / N
    brier = np.square(probabilities - np.eye(K)[grades_true]).sum(1).mean()
    return {"bins": groups, "error": error, "brier": float(brier), "n": N}


def group_of(found, probability):
    """Return the group of an answer; between two of them the less sure one."""
    for group in reversed(found["bins"]):
        if probability >= group["from"]:
            return group
    return found["bins"][0]
