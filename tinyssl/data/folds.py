"""Who is in which fold, and whose labels are known: by patient, with all grades.

Two eyes of one patient, or two copies of one image, must never stand on both sides of
a split: `tinyssl.data.copies.content_groups` says which images belong together.
"""

import numpy as np


def stratified_group_folds(grades, groups, num_folds, *, rng):
    """Assign each image to a fold; groups stay whole, grades are spread evenly.

    Greedy: a group goes to the fold whose sum over grades of squared counts, each
    divided by the grade's frequency, grows least. Where every group is one image, the
    counts of a grade in two folds differ by at most one, and so do the folds' sizes.

    Grades are (N,) integers, 0 or more, and groups (N,); `num_folds` lies in 2 .. the
    number of groups; else a TypeError or ValueError. `rng` breaks the ties. Returned is
    (N,) int64 in 0 .. num_folds - 1; no fold is empty.

    >>> folds = stratified_group_folds([0, 0, 0, 0, 1, 1], range(6), 2, rng=0)
    >>> np.bincount(folds[:4]), np.bincount(folds[4:])
    (array([2, 2]), array([1, 1]))
    """
    group_of, counts = _count_grades(grades, groups)
    num_groups = len(counts)
    if not 2 <= num_folds <= num_groups:
        rule = f"must lie in 2..{num_groups}, the number of groups"
        raise ValueError(f"num_folds {rule}; found {num_folds}")
    shuffle = np.random.default_rng(rng)
    frequency = np.maximum(counts.sum(axis=0), 1)
    # Large groups first, while there is room to even them out; then grade by grade.
    keys = [shuffle.random(num_groups), _rarest_grade(counts), -counts.sum(axis=1)]
    fold_counts = np.zeros((num_folds, counts.shape[1]))
    fold_of_group = np.empty(num_groups, np.int64)
    for group in np.lexsort(keys):
        growth = fold_counts / frequency @ counts[group]
        ties = [shuffle.random(num_folds), fold_counts.sum(axis=1), growth.round(12)]
        fold = np.lexsort(ties)[0]
        fold_of_group[group] = fold
        fold_counts[fold] += counts[group]
    return fold_of_group[group_of]


def assign_folds(truth, groups, num_folds, *, split=None, seed=0):
    """As `stratified_group_folds`, for the labelled images outside the test set.

    Of `truth` -1 is unlabelled; an array of more axes or a list, such as points, counts
    as one grade. Returned is the fold in which an image is held out: (N,) int64, -2 for
    images whose `split` is "test" and for their groups, -1 for unlabelled ones, unless
    one of their group is held out, and they with it.
    """
    if not isinstance(truth, np.ndarray) or truth.ndim > 1:
        truth = np.zeros(len(truth), np.int64)
    fold = np.full(len(truth), -1, np.int64)
    if split is not None:
        fold[np.isin(groups, groups[split == "test"])] = -2
    inside = np.flatnonzero((truth >= 0) & (fold == -1))
    known = truth[inside], groups[inside]
    fold[inside] = stratified_group_folds(*known, num_folds, rng=seed)
    for i in np.flatnonzero(fold == -1):
        of_group = fold[(groups == groups[i]) & (fold >= 0)]
        fold[i] = of_group[0] if len(of_group) else -1
    return fold


def label_subset(grades, groups, fraction, *, rng):
    """Choose the images whose labels may be used: a share of them, in whole groups.

    As `stratified_group_folds`. Returned are, in ascending (M,) int64, the rows of the
    fewest groups that hold ``fraction * N`` images, of a fraction in (0, 1], and every
    grade. With the same seed a smaller share lies inside a larger one.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must lie in (0, 1], found {fraction}")
    group_of, counts = _count_grades(grades, groups)
    shuffled = np.random.default_rng(rng).permutation(len(counts))
    # One group for each grade that the groups before do not hold, rarest grade first.
    covering = []
    for grade in np.argsort(counts.sum(axis=0), kind="stable"):
        having = shuffled[counts[shuffled, grade] > 0]
        if len(having) and not counts[covering, grade].any():
            covering.append(int(having[0]))
    # The others grade by grade, each grade's groups evenly spaced over 0 .. 1.
    rarest = _rarest_grade(counts)[shuffled]
    place = np.empty(len(counts))
    for grade in np.unique(rarest):
        rows = np.flatnonzero(rarest == grade)
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    place[np.isin(shuffled, covering)] = -1
    order = shuffled[np.argsort(place, kind="stable")]
    sizes = counts[order].sum(axis=1).cumsum()
    enough = 1 + np.searchsorted(sizes, fraction * len(group_of) - 1e-9)
    return np.flatnonzero(np.isin(group_of, order[: max(enough, len(covering))]))


def _count_grades(grades, groups):
    """Return each image's group as 0 .. G-1, and the (G, K) images of each grade."""
    grades, groups = np.asarray(grades), np.asarray(groups)
    if grades.ndim != 1 or grades.shape != groups.shape or not len(grades):
        rule = "grades and groups must be two lists of one length, at least 1"
        raise ValueError(f"{rule}; found shapes {grades.shape} and {groups.shape}")
    if grades.dtype.kind not in "iu":
        raise TypeError(f"grades must be integers, found {grades.dtype}")
    if grades.min() < 0:
        found = f"{grades.min()} at position {grades.argmin()}"
        hint = "select the labelled images first"
        raise ValueError(f"grades must be 0 or more, found {found}: {hint}")
    names, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), int(grades.max()) + 1), np.int64)
    np.add.at(counts, (group_of, grades), 1)
    return group_of, counts


def _rarest_grade(counts):
    """Return for each group the grade in it that is rarest over all groups."""
    frequency = counts.sum(axis=0)
    return np.where(counts > 0, frequency, np.iinfo(np.int64).max).argmin(axis=1)
