"""Federated averaging: hospitals train one task, and no image leaves its hospital."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tinyssl.training import train


def federated_average(
    task: nn.Module,
    hospitals: Sequence[Sequence[Any]],
    *,
    rounds: int,
    steps: int,
    average_statistics: bool = True,
    seed: int = 0,
    **training: Any,
) -> list[list[dict[str, float]]]:
    """Train a task in place on data that stays where it is (McMahan et al. 2017).

    In each round every hospital trains a copy for so many ``steps``; the copies'
    weights are averaged, each by its number of images.

    Parameters
    ----------
    task, training
        As `tinyssl.training.train` takes them; each round has a new optimiser.
    hospitals : sequence of sequences of arrays
        The data of each, as ``train`` takes them.
    average_statistics : bool
        Whether BatchNorm's running statistics are averaged too; if not, the task keeps
        those that it had, for the hospitals' cameras differ (Li et al. 2021, FedBN).

    Returns
    -------
    list of list of dict: the last row of the log of each hospital in each round
    """
    if not hospitals or rounds < 1:
        found = f"{len(hospitals)} hospitals and {rounds} rounds"
        raise ValueError(f"hospitals and rounds must be 1 or more, found {found}")
    counts = [len(data[0]) for data in hospitals]
    logs = []
    for number in range(rounds):
        copies = [copy.deepcopy(task) for _ in hospitals]
        options = {"steps": steps, "seed": seed + number, **training}
        pairs = zip(copies, hospitals, strict=True)
        logs.append([train(one, data, **options)[-1] for one, data in pairs])
        states = [one.state_dict() for one in copies]
        for name, value in task.state_dict().items():
            kept = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
            if average_statistics or not kept:
                pairs = zip(counts, states, strict=True)
                parts = [count * state[name].double() for count, state in pairs]
                value.copy_(torch.stack(parts).sum(0) / sum(counts))
    return logs
