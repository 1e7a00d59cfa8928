"""Solutions of lesson 1."""

import numpy as np


def my_weights(num_classes):
    i, j = np.indices((num_classes, num_classes))
    return (i - j) ** 2 / (num_classes - 1) ** 2


def my_confusion_matrix(y_true, y_pred, num_classes):
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    for i, j in zip(y_true, y_pred, strict=True):
        table[i, j] += 1
    return table


def my_qwk(y_true, y_pred):
    observed = np.mean((y_true - y_pred) ** 2.0)
    expected = np.mean((y_true[:, None] - y_pred[None, :]) ** 2.0)
    return 1 - observed / expected if expected else np.nan
