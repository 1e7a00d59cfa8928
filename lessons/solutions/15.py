"""Solutions of lesson 15."""

import numpy as np


def my_pair_loss(cosines, scale):
    losses = []
    for logits in (scale * cosines, scale * cosines.T):
        own = np.exp(np.diagonal(logits))
        losses.append(-np.log(own / np.exp(logits).sum(axis=1)).mean())
    return np.mean(losses)


def my_zero_shot(eyes, yes, no):
    def cosine(a, b):
        lengths = np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
        return a @ b.T / lengths

    there, absent = np.exp(cosine(eyes, yes)), np.exp(cosine(eyes, no))
    return there / (there + absent)
