"""Solutions of lesson 14."""

import numpy as np


def my_teacher(students, momentum):
    teacher = students[0]
    for student in students[1:]:
        teacher = momentum * teacher + (1 - momentum) * student
    return teacher


def my_two_entropies(p):
    mean = p.mean(axis=0)
    each = -np.sum(p * np.log(np.where(p > 0, p, 1)), axis=1)
    return each.mean(), -np.sum(mean * np.log(np.where(mean > 0, mean, 1)))
