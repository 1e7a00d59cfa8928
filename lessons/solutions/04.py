"""Solutions of lesson 4."""

import numpy as np


def my_four_turns(images):
    turned = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    return np.stack(turned, axis=1)


def my_cross_entropy(logits, turns):
    z = logits - logits.max(axis=1, keepdims=True)
    wanted = z[np.arange(len(turns)), turns]
    return np.mean(np.log(np.exp(z).sum(axis=1)) - wanted)


def my_axis_and_way(table):
    on_axis = table[0::2, 0::2].sum() + table[1::2, 1::2].sum()
    way = np.trace(table) / on_axis if on_axis else np.nan
    return on_axis / table.sum(), way
