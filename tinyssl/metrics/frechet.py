"""Frechet distance between two Gaussians, or two sets of features."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from tinyssl import _checks


def frechet_distance(features1: ArrayLike, features2: ArrayLike) -> float:
    """Frechet distance between Gaussians fitted to two sets of features.

    Parameters
    ----------
    features1, features2 : (n1, d) and (n2, d) float array
        One row a sample, of any features: those of an Inception network make it the
        FID. (n,) is one feature. Computed in float64 whatever the dtype.

    Returns
    -------
    distance : float, >= 0
        Squared units of the features; 0 is the same mean and covariance.

    Raises
    ------
    TypeError
        If features are not numbers.
    ValueError
        If a set has fewer than two samples, features are not finite, or the numbers
        of features differ.

    Warns
    -----
    UserWarning
        If a set has no more samples than features: the value is then mostly bias.

    Notes
    -----
    Say n, d and the features with the number. It is biased upward: two samples of
    one Gaussian are a positive distance apart, the more the smaller n.
    Covariances divide by n - 1, as in pytorch-fid. No covariance and no matrix square
    root is formed: with centred samples A and B, tr sqrt(S1 S2) is the sum of the
    singular values of A B^T, or of their triangular factors where n > d.

    References
    ----------
    Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions", Journal of Multivariate Analysis 12(3):450-455; Heusel et al. 2017,
    "GANs trained by a two time-scale update rule converge to a local Nash
    equilibrium", equation 6.

    Examples
    --------
    >>> round(frechet_distance([[0.0], [2.0]] * 9, [[3.0], [5.0]] * 9), 6)
    9.0
    """
    features1 = _features("features1", features1)
    features2 = _features("features2", features2)
    d1, d2 = features1.shape[1], features2.shape[1]
    if d1 != d2:
        raise ValueError(
            f"features1 and features2 must have one number of features, "
            f"found {d1} and {d2}"
        )
    n = min(len(features1), len(features2))
    if n <= d1:
        warnings.warn(
            f"{n} samples of {d1} features: the Frechet distance is mostly bias",
            stacklevel=2,
        )
    mean1, mean2 = features1.mean(axis=0), features2.mean(axis=0)
    root1, root2 = _scatter_root(features1 - mean1), _scatter_root(features2 - mean2)
    return _distance(mean1, root1, mean2, root2)


def frechet_distance_from_stats(
    mean1: ArrayLike, cov1: ArrayLike, mean2: ArrayLike, cov2: ArrayLike
) -> float:
    """Frechet distance between two Gaussians given by mean and covariance.

    Parameters
    ----------
    mean1, mean2 : (d,) float array, or float
        Means.
    cov1, cov2 : (d, d) float array, or float
        Covariances: symmetric and positive semidefinite, singular ones included.

    Returns
    -------
    distance : float, >= 0
        0 is the same mean and covariance.

    Raises
    ------
    TypeError
        If arguments are not numbers.
    ValueError
        If arguments are empty, not finite, or of shapes that do not fit, or a
        covariance is not symmetric or not positive semidefinite beyond rounding.

    Notes
    -----
    abs(m1 - m2)**2 + tr S1 + tr S2 - 2 tr sqrt(S1^½ S2 S1^½), the value of
    pytorch-fid's ``calculate_frechet_distance``, without its general matrix square
    root, which returns complex or wrong numbers for singular covariances: here
    S = F F^T by Cholesky, or by a symmetric eigendecomposition where S is singular,
    and the last trace is the sum of the singular values of F1^T F2.

    References
    ----------
    Dowson and Landau 1982, as in `frechet_distance`.

    Examples
    --------
    >>> round(frechet_distance_from_stats([0, 0], np.eye(2), [3, 4], 4 * np.eye(2)), 6)
    27.0
    """
    mean1, root1 = _gaussian("mean1", mean1, "cov1", cov1)
    mean2, root2 = _gaussian("mean2", mean2, "cov2", cov2)
    _checks.same_shape("mean1", mean1, "mean2", mean2)
    return _distance(mean1, root1, mean2, root2)


def _distance(mean1, root1, mean2, root2):
    """Return the distance of Gaussians with covariances root @ root.T."""
    shift = mean1 - mean2
    cross = _nuclear_norm(root1.T @ root2)
    spread = np.vdot(root1, root1) + np.vdot(root2, root2)  # both traces
    return max(0.0, float(shift @ shift + (spread - 2 * cross)))


def _nuclear_norm(matrix):
    """Return the sum of the singular values."""
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    # the square root of an eigenvalue is good to 12 digits unless it is tiny, and at
    # d = 1024 the eigenvalues take half the time of the singular values
    squares = np.linalg.eigvalsh(matrix @ matrix.T)
    if squares.size and squares[0] > 1e-8 * squares[-1]:
        return np.sqrt(squares).sum()
    return np.linalg.svd(matrix, compute_uv=False).sum()


def _scatter_root(centred):
    """Return F, (d, min(n, d)), whose F F^T is the sample covariance."""
    n, d = centred.shape
    centred /= np.sqrt(n - 1)
    if n <= d:
        return centred.T
    # many samples: the triangular factor of the covariance, or, where squaring would
    # cost digits, that of the samples, which takes twice as long
    try:
        root = np.linalg.cholesky(centred.T @ centred)
    except np.linalg.LinAlgError:
        root = np.zeros((1, 1))
    pivots = root.diagonal()
    if pivots.min() > 1e-4 * pivots.max():
        return root
    return np.linalg.qr(centred, mode="r").T


def _covariance_root(name, cov, rounding):
    """Return F with F F^T = cov, or refuse."""
    try:
        return np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cov)
    if values[0] < -rounding * max(values[-1], 0.0):
        raise ValueError(
            f"{name} must be positive semidefinite, "
            f"found eigenvalues from {values[0]:.3g} to {values[-1]:.3g}"
        )
    kept = values > 0
    return vectors[:, kept] * np.sqrt(values[kept])


def _features(name, values):
    """Return (n, d) float64 features."""
    values = _checks.array(name, values)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(f"{name} must be (n, d) or (n,), found shape {values.shape}")
    if len(values) < 2:
        raise ValueError(f"{name} must have at least 2 samples, found {len(values)}")
    _checks.finite(name, values)
    return np.ascontiguousarray(values, dtype=np.float64)  # one order, the same bits


def _gaussian(mean_name, mean, cov_name, cov):
    """Return a float64 mean and a root of the covariance."""
    mean, cov = _checks.array(mean_name, mean), _checks.array(cov_name, cov)
    mean, cov = (
        x.reshape((1,) * least) if x.ndim == 0 else x
        for x, least in ((mean, 1), (cov, 2))
    )
    _checks.not_empty(mean_name, mean)
    if mean.ndim != 1:
        raise ValueError(f"{mean_name} must be (d,), found shape {mean.shape}")
    d = len(mean)
    if cov.shape != (d, d):
        raise ValueError(
            f"{cov_name} must have shape ({d}, {d}) as {mean_name} has {d} values, "
            f"found {cov.shape}"
        )
    _checks.finite(mean_name, mean)
    _checks.finite(cov_name, cov)
    precision = np.finfo(cov.dtype if cov.dtype.kind == "f" else np.float64).eps
    rounding = 10 * d * float(precision)
    cov = np.ascontiguousarray(cov, dtype=np.float64)
    skew, largest = np.abs(cov - cov.T).max(), np.abs(cov).max()
    if skew > rounding * largest:
        raise ValueError(
            f"{cov_name} must be symmetric, found entries {skew:.3g} apart"
        )
    mean = np.ascontiguousarray(mean, dtype=np.float64)
    return mean, _covariance_root(cov_name, (cov + cov.T) / 2, rounding)
