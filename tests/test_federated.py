"""Federated averaging beside plain training and plain arithmetic."""

import copy

import numpy as np
import pytest
import torch

from tinyssl.data import toy
from tinyssl.federated import federated_average
from tinyssl.targets import Grading
from tinyssl.training import train

HOW = {"batch_size": 4, "lr": 1e-2}


@pytest.fixture(scope="module")
def hospitals():
    eyes = toy.fundus(24, size=24, rng=0)
    parts = np.split(np.arange(24), [6, 14])
    return [(eyes.images[part], eyes.grades[part]) for part in parts]


@pytest.fixture
def task(tiny_encoder):
    torch.manual_seed(1)
    return Grading(tiny_encoder)


def weights(task):
    return {name: value.clone() for name, value in task.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_one_hospital_is_plain_training(task, hospitals):
    plain = copy.deepcopy(task)
    federated_average(task, hospitals[:1], rounds=3, steps=2, seed=5, **HOW)
    for number in range(3):
        train(plain, hospitals[0], steps=2, seed=5 + number, **HOW)
    assert same(weights(task), weights(plain))


def test_the_average_weighs_hospitals_by_their_images(task, hospitals):
    copies = [copy.deepcopy(task) for _ in hospitals]
    for one, data in zip(copies, hospitals, strict=True):
        train(one, data, steps=2, **HOW)
    log = federated_average(task, hospitals, rounds=1, steps=2, **HOW)
    assert [len(row) for row in log] == [3]
    states = [weights(one) for one in copies]
    for name, value in task.named_parameters():
        parts = [state[name].numpy() for state in states]
        expected = np.average(parts, axis=0, weights=[6, 8, 10])
        assert np.allclose(value.detach().numpy(), expected, atol=1e-6), name


@pytest.mark.parametrize("average", [True, False])
def test_statistics_of_cameras_are_averaged_or_stay(average, task, hospitals):
    before = weights(task)
    options = {"rounds": 1, "steps": 2, "average_statistics": average}
    federated_average(task, hospitals, **options, **HOW)
    moved = [
        not torch.equal(v, before[k])
        for k, v in weights(task).items()
        if "running" in k
    ]
    assert moved
    assert all(moved) if average else not any(moved)
    assert not torch.equal(task.linear.weight, before["linear.weight"])


def test_no_hospital_and_no_round_are_refused(task, hospitals):
    with pytest.raises(ValueError, match="found 0 hospitals and 1 rounds"):
        federated_average(task, [], rounds=1, steps=1)
    with pytest.raises(ValueError, match="found 3 hospitals and 0 rounds"):
        federated_average(task, hospitals, rounds=0, steps=1)
