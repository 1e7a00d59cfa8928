"""Solutions of lesson 12."""

import numpy as np


def my_masked_loss(patches, answers, masked):
    wanted = patches[masked] - patches[masked].mean(axis=1, keepdims=True)
    wanted = wanted / wanted.std(axis=1, ddof=1, keepdims=True)
    return np.mean((answers[masked] - wanted) ** 2)


def my_paint(grey, chroma):
    red, blue = grey + chroma[..., 0], grey + chroma[..., 1]
    return np.stack([red, 3 * grey - red - blue, blue], axis=-1)


def my_salient(image, region):
    mean = image[region].mean(axis=0)
    away = np.sqrt(((image - mean) ** 2).sum(axis=2))
    return (away > 2 * away[region].mean()) & region
