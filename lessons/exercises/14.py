"""Exercises of lesson 14: teach yourself."""

import numpy as np
from hypothesis import strategies as st

from tinyssl.check.exercise import Exercise, Law, gives, unchanged

numbers = st.integers(-4, 5).map(float)
weights = st.integers(1, 3).flatmap(
    lambda d: st.lists(st.tuples(*[numbers] * d), min_size=1, max_size=6)
)


def my_teacher(students, momentum):
    teacher = students[0]
    for student in students[1:]:
        teacher = momentum * teacher + (1 - momentum) * student
    return teacher


laws = {
    "A student that never changes is its own teacher.": gives(
        lambda students, momentum: students[0],
        lambda students, momentum: (0 * students + students[0], momentum),
    ),
    "With a momentum of 0 the teacher is the last student.": gives(
        lambda students, momentum: students[-1],
        lambda students, momentum: (students, 0.0),
    ),
    "With a momentum of 1 the teacher never moves.": gives(
        lambda students, momentum: students[0],
        lambda students, momentum: (students, 1.0),
    ),
    "All weights 1 larger: the teacher's too.": Law(
        lambda f, students, momentum: (
            np.add(f(students, momentum), 1),
            f(students + 1, momentum),
        ),
        labels=("larger", "of larger"),
    ),
}
hints = """
- the teacher begins as the first student; each later student moves it a little
- step by step: teacher = momentum * teacher + (1 - momentum) * student
- teacher = students[0]; for student in students[1:]: move it; return teacher
- a momentum near 1 is a slow teacher: momentum is the share that stays
      my_teacher(students, 1 - momentum)
- the first student is where the teacher begins, not 0
      students[0] -> 0 * students[0]
- a plain mean counts all students alike: the last ones must count most
      students.mean(axis=0) + 0 * momentum
"""
cases = st.tuples(weights.map(np.array), st.sampled_from((0.5, 0.9, 0.0, 0.25, 1.0)))
teacher = Exercise(my_teacher, cases, laws=laws, hints=hints)

counts = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.tuples(*[st.integers(0, 4)] * k).filter(any), min_size=1, max_size=5
    )
)


def distributions(rows):
    rows = np.array(rows, float)
    return (rows / rows.sum(axis=1, keepdims=True),)


def entropy(p):
    return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1)


def my_two_entropies(p):
    return entropy(p).mean(), entropy(p.mean(axis=0))


laws = {
    "All images on one output: 0 and 0.": gives(
        (0.0, 0.0), lambda p: np.eye(len(p[0]))[[0] * len(p)]
    ),
    "All outputs alike: ln K twice.": gives(
        lambda p: [np.log(len(p[0]))] * 2, lambda p: 0 * p + 1 / len(p[0])
    ),
    "Each output for one image: 0 and ln K.": gives(
        lambda p: (0.0, np.log(len(p))), lambda p: np.eye(len(p[0]))
    ),
    "All images alike: twice the same.": Law(
        lambda f, p: (f(p)[0], f(p)[1]),
        lambda p: 0 * p + p[0],
        labels=("the first", "the second"),
    ),
    "Outputs in another order: the same entropies.": unchanged(
        lambda p: (p[:, ::-1],), "reversed"
    ),
}
hints = """
- first the entropy of each row, then their mean; second the mean row, then its entropy
- the entropy is -(p * np.log(p)).sum() along the outputs; where p is 0 the term is 0
- np.log(np.where(p > 0, p, 1)) is 0 where p is 0
- the entropy of the mean comes second, the mean of the entropies first
      my_two_entropies(p)[::-1]
- the mean distribution is over the images (axis 0), one number for each output
      p.mean(axis=0) -> p.mean(axis=1)
- entropies are in natural logarithms here, so that the largest is ln K, not in bits
      np.divide(my_two_entropies(p), np.log(2))
"""
two_entropies = Exercise(
    my_two_entropies, counts.map(distributions), laws=laws, hints=hints
)
