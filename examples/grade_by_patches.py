"""The patch dictionary in scikit-learn: choose a model by training images, score once.

    python examples/grade_by_patches.py                      synthetic eyes
    python examples/grade_by_patches.py retinamnist.npz      or any file of MedMNIST

No network and no torch: filters are learned from the training images without labels,
and ``PatchDictionary`` is a step of a pipeline. The macro AUC of five folds of the
training images chooses; the test images are looked at once, by what was chosen.
"""

import argparse

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinyssl.data import toy
from tinyssl.dictionary import PatchDictionary
from tinyssl.metrics import accuracy, quadratic_weighted_kappa, roc_auc


def read(path):
    """Return images and labels to learn from, then those to test on."""
    if path is None:
        eyes = toy.fundus(240, size=28, rng=0)
        x, y = eyes.images, eyes.grades
        return x[:160], y[:160], x[160:], y[160:]
    with np.load(path) as parts:
        x, y = (
            np.concatenate([parts[f"train_{kind}"], parts[f"val_{kind}"]])
            for kind in ("images", "labels")
        )
        return x, y.ravel(), parts["test_images"], parts["test_labels"].ravel()


def candidates(filters, trees):
    """Return models to choose among, by the side of their patches."""
    found, leaf = {}, {"min_samples_leaf": 3, "random_state": 0}
    for side in (3, 5, 7):
        patches = PatchDictionary(patch_size=side, stride=1, num_filters=filters)
        linear = StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)
        found[f"{side} px, logistic"] = make_pipeline(patches, *linear)
        forest = ExtraTreesClassifier(trees, **leaf)
        found[f"{side} px, {trees} trees"] = make_pipeline(patches, forest)
    return found


def scores(y, shares):
    """Return a line of scores of (n, K) shares that classes got."""
    grades = shares.argmax(1)
    found = roc_auc(y, shares), accuracy(y, grades), quadratic_weighted_kappa(y, grades)
    return "macro AUC {:.3f}, accuracy {:.3f}, QWK {:.3f}".format(*found)


def main():
    """Print a line a candidate, then what was chosen on the test images."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", nargs="?", help="an .npz of MedMNIST")
    parser.add_argument("--filters", type=int, default=192)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--trees", type=int, default=300)
    args = parser.parse_args()
    x, y, x_test, y_test = read(args.data)
    folds, known = StratifiedKFold(args.folds, shuffle=True, random_state=0), {}
    models = candidates(args.filters, args.trees)
    for name, model in models.items():
        shares = cross_val_predict(model, x, y, cv=folds, method="predict_proba")
        known[name] = roc_auc(y, shares)
        print(f"{name}: {scores(y, shares)}", flush=True)
    best = max(known, key=known.get)
    shares = models[best].fit(x, y).predict_proba(x_test)
    print(f"chosen: {best}; {len(y_test)} test images: {scores(y_test, shares)}")


if __name__ == "__main__":
    main()
