"""Baselines that know nothing about eyes: what every method has to beat."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from tinyssl._threads import blocks
from tinyssl.dictionary import unit


def majority(grades: np.ndarray, n: int, num_grades: int) -> NDArray[np.float64]:
    """Give each of n images the frequencies of the training grades: (n, num_grades)."""
    counts = np.bincount(grades, minlength=num_grades)
    return np.tile(counts / counts.sum(), (n, 1))


def global_intensities(images: np.ndarray) -> NDArray[np.float64]:
    """Describe uint8 images (N, H, W, C) by numbers that see no lesion.

    Mean, standard deviation and 95th percentile of each channel, in [0, 1]: (N, 3 C).
    """
    found = np.empty((len(images), 3, images.shape[-1]))
    for at in blocks(len(images)):
        flat = images[at].reshape(len(found[at]), -1, images.shape[-1]) / 255.0
        parts = flat.mean(1), flat.std(1), np.percentile(flat, 95, axis=1)
        found[at] = np.stack(parts, axis=1)
    return found.reshape(len(images), -1)


def logistic_regression(
    features, grades, features_new, *, num_grades, penalty=1.0
) -> NDArray[np.float64]:
    """Fit multinomial logistic regression; give probabilities (N, K) for new rows.

    Equals scikit-learn's ``LogisticRegression(C=1 / penalty)`` on features, (M, D) and
    (N, D), standardised by the first; grades, (M,) int, lie in 0..num_grades-1.
    """
    from scipy.optimize import minimize  # here: grading an image need not wait

    X, X_new = _standardised(features, features_new)  # (M, D), (N, D)
    Y = np.eye(num_grades)[grades]  # (M, K)
    D, K = X.shape[1], num_grades

    def loss(parameters):
        W = parameters.reshape(D + 1, K)
        logits = X @ W[:D] + W[D]
        residual = softmax(logits, axis=1) - Y
        gradient = np.vstack([X.T @ residual + penalty * W[:D], residual.sum(0)])
        value = -(Y * log_softmax(logits, axis=1)).sum()
        return value + 0.5 * penalty * (W[:D] ** 2).sum(), gradient.ravel()

    start = np.zeros((D + 1) * K)
    W = minimize(loss, start, jac=True, method="L-BFGS-B").x.reshape(D + 1, K)
    return softmax(X_new @ W[:D] + W[D], axis=1)


def _standardised(features, features_new):
    """Return both in units of the first: mean 0 and, where they vary, deviation 1."""
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (features - mean) / deviation, (features_new - mean) / deviation


def probes(features, features_new, grades, *, num_grades) -> dict[str, NDArray]:
    """Answer from frozen features, by `logistic_regression` and by five neighbours."""
    options = {"num_grades": num_grades, "penalty": max(1.0, 0.1 * features.shape[1])}
    near = nearest(features, features_new, 5)
    return {
        "linear probe": logistic_regression(features, grades, features_new, **options),
        "nearest neighbours": np.eye(num_grades)[grades[near]].mean(1),
    }


def nearest(features: NDArray, features_new: NDArray, count: int) -> NDArray[np.int64]:
    """Return the rows of ``features`` nearest to each new row by cosine: (N, count)."""
    mean = features.mean(0)
    some, others = unit(features - mean), unit(features_new - mean)
    found = np.empty((len(others), min(count, len(some))), np.int64)
    for at in blocks(len(others)):
        order = np.argsort(-(others[at] @ some.T), axis=1, kind="stable")
        found[at] = order[:, :count]
    return found


def gaussian(features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a Gaussian to rows (M, D); give its mean, (D,), and scale, (D, D).

    The scale turns a deviation from the mean into units of spread: see `distances`. The
    covariance is shrunk towards equal variances without correlation, as scikit-learn's
    ``LedoitWolf`` does (Journal of Multivariate Analysis 88, 2004), but by a thousandth
    at least: two rows lie on a line.
    """
    mean, (M, D) = features.mean(0), features.shape
    X = features - mean
    covariance, squares = X.T @ X / M, np.square(X)
    variance = np.trace(covariance) / D or 1.0  # where all rows are equal
    wrong = (np.sum(squares.T @ squares) / M - np.sum(covariance**2)) / M
    apart = np.sum((covariance - variance * np.eye(D)) ** 2)
    shrinkage = np.clip(wrong / apart, 1e-3, 1) if apart else 1.0
    covariance = (1 - shrinkage) * covariance + shrinkage * variance * np.eye(D)
    return mean, np.linalg.inv(np.linalg.cholesky(covariance))


def distances(features, mean, scale) -> NDArray[np.float64]:
    """Return Mahalanobis distances of rows (N, D), in units of the spread: (N,)."""
    return np.linalg.norm((features - mean) @ scale.T, axis=1)


def ridge(features, targets, features_new, *, penalty=1.0) -> NDArray[np.float64]:
    """Fit a line by least squares with a penalty; give its values for new rows."""
    X, X_new = _standardised(features, features_new)
    gram = X @ X.T + penalty * X.shape[1] * np.eye(len(X))  # (M, M): few labels
    centre = targets.mean(0)
    return centre + X_new @ X.T @ np.linalg.solve(gram, targets - centre)
