"""How far grades can be told without looking at the eye.

What reaches far here, a network will find first: the size of the image, the kind of
file, how bright it is. A method that does not beat these numbers has learned nothing.
"""

import numpy as np

from tinyssl import metrics
from tinyssl.audit.findings import tell
from tinyssl.data.folds import stratified_group_folds
from tinyssl.rows import take
from tinyssl.summary import mean_of
from tinyssl.targets.baselines import global_intensities, logistic_regression, majority

MOST_ROWS = 2000  # images a regression is fitted on; more change the third decimal
PENALTY = 0.1  # a feature: many pixels are held back more than nine intensities
RARE = 5  # images; a size that fewer have goes with the other rare ones


def find_shortcuts(looks, groups):
    """Return findings, scores of baselines, and associations with the grade."""
    findings, baselines, associations = [], [], []
    graded = looks.grade >= 0
    for part in np.unique(looks.part[graded]).tolist():
        rows = np.flatnonzero(graded & (looks.part == part))
        grades, split = looks.grade[rows], looks.split[rows]
        coarse = take(looks.coarse, rows)
        halved = coarse.reshape(-1, 14, 2, 14, 2, 3).sum((2, 4), np.uint16)
        features = {
            "global intensities": global_intensities(coarse),
            "14 x 14 pixels": halved.reshape(len(rows), -1),
        }
        sizes = np.column_stack([looks.height[rows], looks.width[rows]])
        names = np.array(["{} x {}".format(*size) for size in sizes])
        labels = {"image size": names, "kind of file": looks.camera[rows]}
        for label, kinds in labels.items():
            if len(np.unique(kinds)) > 1:
                features[label] = one_hot(kinds)
        scores = []
        if len(rows) >= 20:  # five folds of four
            scores = score_shortcuts(features, grades, groups[rows], split=split)
        baselines += [{"part": part} | row for row in scores]
        scored = {row["baseline"]: row for row in scores if row["scored_on"] != "test"}
        for label, kinds in labels.items():
            number, (v, p) = len(np.unique(kinds)), association(kinds, grades)
            line = {"part": part, "label": label, "kinds": number, "v": v, "p": p}
            associations.append(line)
            row = scored.get(label, {})
            score, chance = row.get("balanced_accuracy", 0.0), row.get("chance", 1.0)
            if p <= 0.01 and score >= chance + 0.05:
                kind = f"{label.replace(' ', '-')}-tells-the-grade"
                text = f"{number} kinds, Cramer's V {v:.2f}, p {p:.3f}"
                said = f"balanced accuracy {score:.2f}, chance {chance:.2f}"
                findings += tell(kind, [[text]], part=part, score=said)
    return findings, baselines, associations


def score_shortcuts(features, grades, groups, *, split=None, folds=5, rng=0):
    """Score the majority grade, and logistic regressions on named (N, D) features.

    Groups stay in one fold; the "test" split is scored by a fit to all others. For the
    balanced accuracy probabilities are divided by the grades' shares in training.
    """
    test = np.zeros(len(grades), bool) if split is None else split == "test"
    train, K = ~test, int(grades.max()) + 1
    folds = min(folds, len(np.unique(groups[train])))
    if len(np.unique(grades[train])) < 2 or folds < 2:
        return []
    places = np.full(len(grades), folds)  # of the test: one fold more
    places[train] = stratified_group_folds(grades[train], groups[train], folds, rng=rng)

    def answer(table, learned, asked):
        """Return probabilities of those asked (M, K), and the same over the shares."""
        chosen = np.flatnonzero(learned)
        if len(chosen) > MOST_ROWS:
            chosen = np.random.default_rng(rng).choice(chosen, MOST_ROWS, replace=False)
        answers = share = majority(grades[chosen], int(asked.sum()), K)
        if table is not None:
            known = table[chosen], grades[chosen], table[asked]
            penalty = max(1.0, PENALTY * table.shape[1])
            answers = logistic_regression(*known, num_grades=K, penalty=penalty)
        return answers, np.divide(answers, share, np.zeros_like(share), where=share > 0)

    scores = []
    for name, table in {"majority grade": None, **features}.items():
        answers = np.zeros((2, len(grades), K))
        for fold in np.unique(places):
            held = places == fold
            answers[:, held] = answer(table, train & ~held, held)
        for place, rows in {f"{folds} folds": train, "test": test}.items():
            if rows.any():
                scores.append(_score(name, place, grades[rows], *answers[:, rows]))
    return scores


def _score(name, place, grades, probabilities, weighted):
    """Return the scores of one baseline; its macro AUC is of the grades there are."""
    plain, K = probabilities.argmax(axis=1), probabilities.shape[1]
    return {
        "baseline": name,
        "scored_on": place,
        "images": len(grades),
        "accuracy": metrics.accuracy(grades, plain),
        "qwk": metrics.quadratic_weighted_kappa(grades, plain, num_classes=K),
        "auc": mean_of(metrics.roc_auc(grades, probabilities, average=None)),
        "balanced_accuracy": metrics.balanced_accuracy(grades, weighted.argmax(axis=1)),
        "chance": 1 / len(np.unique(grades)),
    }


def one_hot(labels):
    """Return a column a label; labels that fewer than 5 images have share one."""
    _, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    common = counts >= RARE
    place = np.where(common, np.cumsum(common) - 1, common.sum())
    return np.eye(len(counts[common]) + (not common.all()))[place[which]]


def association(labels, grades, *, repeats=999, rng=0):
    """Return Cramer's V, 1 if a label tells the grade, and its p by shuffled grades."""
    from scipy import stats  # takes longer to import than all else here

    def cramers_v(grades):
        table = stats.contingency.crosstab(labels, grades).count
        return stats.contingency.association(table)

    if min(len(np.unique(labels)), len(np.unique(grades))) < 2:
        return 0.0, 1.0
    shuffle = {"permutation_type": "pairings", "alternative": "greater"}
    shuffle |= {"n_resamples": repeats, "random_state": np.random.default_rng(rng)}
    found = stats.permutation_test((grades,), cramers_v, **shuffle)
    return float(found.statistic), float(found.pvalue)
