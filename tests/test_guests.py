"""The core as a guest in scikit-learn and in torch."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from tinyssl import metrics, transforms

MODEL = LogisticRegression(max_iter=500)
FOLDS = StratifiedKFold(4)
THEIR_QWK = make_scorer(cohen_kappa_score, weights="quadratic", labels=range(4))


@pytest.fixture(scope="module")
def table():
    return make_classification(
        400, n_features=8, n_informative=4, n_classes=4, flip_y=0.2, random_state=0
    )


@pytest.mark.parametrize("num_classes", [2, 4])
def test_roc_auc_scores_probabilities(table, num_classes):
    X, y = table[0], table[1] % num_classes
    ours = make_scorer(metrics.roc_auc, response_method="predict_proba")
    actual = cross_val_score(MODEL, X, y, scoring=ours, cv=FOLDS)
    expected = cross_val_score(MODEL, X, y, scoring="roc_auc_ovr", cv=FOLDS)
    np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_a_search_in_two_workers_is_that_of_scikit_learn(table):
    grid = {"C": [1e-4, 1e-2, 1.0]}
    ours = make_scorer(metrics.quadratic_weighted_kappa, num_classes=4)
    search = GridSearchCV(MODEL, grid, scoring=ours, cv=FOLDS, n_jobs=2).fit(*table)
    theirs = GridSearchCV(MODEL, grid, scoring=THEIR_QWK, cv=FOLDS).fit(*table)
    assert search.best_params_ == theirs.best_params_
    assert 0.2 < search.best_score_ < 1
    for fold in range(4):
        name = f"split{fold}_test_score"
        actual, expected = (s.cv_results_[name] for s in (search, theirs))
        np.testing.assert_allclose(actual, expected, atol=1e-12)


class Puzzles(list):
    """Images that are given with patches swapped, for a DataLoader."""

    def __getitem__(self, i):
        image = super().__getitem__(i)
        swaps = transforms.sample_swaps(image.shape, 8, 5, rng=i)
        return transforms.swap_patches(image, swaps, 8)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker")  # one core
def test_transforms_run_in_the_workers_of_a_data_loader():
    images = np.random.default_rng(0).random((12, 64, 64, 3))
    puzzles = Puzzles(images)
    here = np.stack([puzzles[i] for i in range(12)])
    loader = torch.utils.data.DataLoader(puzzles, 4, num_workers=2, timeout=120)
    np.testing.assert_array_equal(torch.cat([*loader]), here)
    assert (here != images).any(axis=(1, 2, 3)).all()
