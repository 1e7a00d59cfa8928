"""How far grades can be told without looking at the eye.

What reaches far here, a network will find first: the size of the picture, the kind of
file, how bright it is. A method that does not beat these numbers has learned nothing.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinyssl import metrics
from tinyssl.data.folds import stratified_group_folds
from tinyssl.downstream.baselines import logistic_regression, majority

MOST_ROWS = 2000  # images a regression is fitted on; more change the third decimal
PENALTY = 0.1  # a feature: many pixels are held back more than nine intensities
RARE = 5  # images; a size that fewer have goes with the other rare ones


def score_shortcuts(
    features: Mapping[str, np.ndarray],
    grades: np.ndarray,
    groups: np.ndarray,
    *,
    split: np.ndarray | None = None,
    folds: int = 5,
    rng: int = 0,
) -> list[dict]:
    """Score logistic regressions on what is known without knowing eyes.

    Parameters
    ----------
    features : dict of str to (N, D) array
        By name of the baseline; the majority grade is added.
    grades : (N,) int array, 0 or more
    groups : (N,) array
        Images with equal entries stay in one fold.
    split : (N,) str array, optional
        Where it says ``"test"``, images are left out of the folds, and scored by a fit
        to all others.
    folds : int
    rng : int

    Returns
    -------
    list of dict
        One a baseline and place: ``"baseline"``, ``"scored_on"`` (``"5 folds"`` or
        ``"test"``), ``"images"``, and ``"accuracy"``, ``"balanced_accuracy"``,
        ``"chance"`` (one over the number of grades), ``"qwk"``, ``"auc"``. Empty where
        fewer than two grades or groups are known.

    Notes
    -----
    For the balanced accuracy each probability is divided by the grade's share of the
    training images, so that every grade counts the same; all others take the most
    probable grade. With more than 2,000 images to learn from, 2,000 are drawn.
    """
    test = np.zeros(len(grades), bool) if split is None else split == "test"
    train = ~test
    folds = min(folds, len(np.unique(groups[train])))
    if len(np.unique(grades[train])) < 2 or folds < 2:
        return []
    places = np.full(len(grades), -1)
    places[train] = stratified_group_folds(grades[train], groups[train], folds, rng=rng)
    rows = []
    for name, table in {"majority grade": None, **features}.items():
        answers = _cross_validate(table, grades, places, folds, rng)
        rows.append(_score(name, f"{folds} folds", grades[train], answers[train]))
        if test.any():
            answer = _fit(table, grades, train, test, rng)
            rows.append(_score(name, "test", grades[test], answer))
    return rows


def _cross_validate(
    features: np.ndarray | None,
    grades: np.ndarray,
    places: np.ndarray,
    folds: int,
    rng: int,
) -> NDArray[np.float64]:
    """Return probabilities and, beside them, those weighted by rarity: (N, 2, K)."""
    answers = np.zeros((len(grades), 2, int(grades.max()) + 1))
    for fold in range(folds):
        held = places == fold
        train = (places >= 0) & ~held
        answers[held] = _fit(features, grades, train, held, rng)
    return answers


def _fit(
    features: np.ndarray | None,
    grades: np.ndarray,
    train: np.ndarray,
    held: np.ndarray,
    rng: int,
) -> NDArray[np.float64]:
    """Fit to some rows and answer for others: (M, 2, K), plain and weighted."""
    K = int(grades.max()) + 1
    chosen = np.flatnonzero(train)
    if len(chosen) > MOST_ROWS:
        chosen = np.random.default_rng(rng).choice(chosen, MOST_ROWS, replace=False)
    share = majority(grades[chosen], int(held.sum()), K)
    if features is None:
        probabilities = share
    else:
        probabilities = logistic_regression(
            features[chosen],
            grades[chosen],
            features[held],
            num_grades=K,
            penalty=max(1.0, PENALTY * features.shape[1]),
        )
    weighted = np.divide(probabilities, share, np.zeros_like(share), where=share > 0)
    return np.stack([probabilities, weighted], axis=1)


def _score(name: str, place: str, grades: np.ndarray, answers: np.ndarray) -> dict:
    """Return the scores of one baseline."""
    probabilities, weighted = answers[:, 0], answers[:, 1]
    plain = probabilities.argmax(axis=1)
    K = answers.shape[2]
    aucs = [
        metrics.roc_auc((grades == grade).astype(int), probabilities[:, grade])
        for grade in range(K)
        if 0 < (grades == grade).sum() < len(grades)
    ]
    return {
        "baseline": name,
        "scored_on": place,
        "images": len(grades),
        "accuracy": metrics.accuracy(grades, plain),
        "balanced_accuracy": _balanced(grades, weighted.argmax(axis=1)),
        "chance": 1 / len(np.unique(grades)),
        "qwk": metrics.quadratic_weighted_kappa(grades, plain, num_classes=K),
        "auc": float(np.mean(aucs)) if aucs else float("nan"),
    }


def _balanced(grades: np.ndarray, answers: np.ndarray) -> float:
    """Return the mean over the grades there are of the share answered right."""
    shares = [np.mean(answers[grades == grade] == grade) for grade in np.unique(grades)]
    return float(np.mean(shares))


def one_hot(labels: np.ndarray) -> NDArray[np.float64]:
    """Return a column a label; labels that fewer than 5 images have share one.

    Examples
    --------
    >>> one_hot(np.repeat(["a", "b", "c"], [6, 5, 1])).sum(axis=0)
    array([6., 5., 1.])
    """
    names, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    common = np.flatnonzero(counts >= RARE)
    place = np.full(len(names), len(common))
    place[common] = np.arange(len(common))
    columns = np.eye(len(common) + 1)[place[which]]
    return columns[:, columns.any(axis=0)]


def association(
    labels: np.ndarray, grades: np.ndarray, *, repeats: int = 999, rng: int = 0
) -> tuple[float, float]:
    """Measure how far a label and the grade go together, against chance.

    Parameters
    ----------
    labels, grades : (N,) arrays
    repeats : int
        How often the grades are shuffled.
    rng : int

    Returns
    -------
    cramers_v : float
        0 none, 1 one tells the other.
    p_value : float
        Share of the shuffled grades, and these, that go together as far.

    References
    ----------
    Cramer: Mathematical Methods of Statistics, 1946, chapter 21.

    Examples
    --------
    >>> association(np.repeat(["big", "small"], 20), np.repeat([0, 1], 20))
    (1.0, 0.001)
    """
    which = np.unique(labels, return_inverse=True)[1]
    grades = np.unique(grades, return_inverse=True)[1]
    rows, columns = which.max() + 1, grades.max() + 1
    if min(rows, columns) < 2:
        return 0.0, 1.0
    expected = np.outer(np.bincount(which), np.bincount(grades)) / len(grades)

    def chi_square(shuffled: np.ndarray) -> float:
        table = np.bincount(which * columns + shuffled, minlength=rows * columns)
        return float(((table.reshape(rows, columns) - expected) ** 2 / expected).sum())

    shuffle = np.random.default_rng(rng)
    found = chi_square(grades)
    as_far = sum(
        chi_square(shuffle.permutation(grades)) >= found * (1 - 1e-9)
        for _ in range(repeats)
    )
    v = np.sqrt(found / (len(grades) * (min(rows, columns) - 1)))
    return float(v), (as_far + 1) / (repeats + 1)
