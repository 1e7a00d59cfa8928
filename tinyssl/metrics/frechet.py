"""Frechet distance between two Gaussians, or two sets of features, and its noise."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _gaussian

LIMIT = 1e30  # a larger feature is refused: its eighth power might overflow
MOST = 2**53  # samples: a larger number is not exact in float64


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
    TypeError, ValueError
        If features are not numbers, not finite, beyond ±1e30, of fewer than two
        samples, or of different numbers of features.

    Notes
    -----
    Say n, d and the features with the number. It is biased upward, the more the smaller
    n: `frechet_noise_floor` says how far, and a UserWarning where a set has no more
    samples than features, that it is mostly bias. Covariances divide by n - 1, and the
    value is that of pytorch-fid's ``calculate_frechet_distance`` and of torch-fidelity.
    With S1 = L L^T, tr sqrt(S1 S2) is the sum of the roots of the eigenvalues of
    L^T S2 L; for few samples, of the singular values of A B^T, with A and B the centred
    samples; where rounding could cost more than 1e-10 of it, of products of QR factors.
    Beside the features it needs 0.2 GiB at d = 2048 (examples/benchmark.py --memory).
    Dowson and Landau 1982, Journal of Multivariate Analysis 12:450-455; Heusel et al.
    2017, "GANs trained by a two time-scale update rule ...", equation 6.

    Examples
    --------
    >>> round(frechet_distance([[0.0], [2.0]] * 9, [[3.0], [5.0]] * 9), 6)
    9.0
    """
    features1, mean1 = samples("features1", features1)
    features2, mean2 = samples("features2", features2)
    if len(mean1) != len(mean2):
        rule, found = "have one number of features", f"{len(mean1)} and {len(mean2)}"
        raise _checks.refusal("features1 and features2", rule, found)
    warn_few(min(len(features1), len(features2)), len(mean1))
    part1, part2 = _gaussian.part(features1, mean1), _gaussian.part(features2, mean2)
    total = _gaussian.variance(part1) + _gaussian.variance(part2)
    cross = _gaussian.cross_trace(part1, part2)
    if cross is None:
        root1 = _gaussian.triangle(features1, mean1)
        root2 = _gaussian.triangle(features2, mean2)
        cross = _gaussian.nuclear_norm(root1 @ root2.T)
    return _distance(mean1 - mean2, total, cross)


def frechet_distance_from_stats(
    mean1: ArrayLike, cov1: ArrayLike, mean2: ArrayLike, cov2: ArrayLike
) -> float:
    """Frechet distance between two Gaussians given by mean and covariance.

    As `frechet_distance`, but of statistics that somebody else computed; refused where
    a covariance is not symmetric or not positive semidefinite beyond rounding. Where
    Cholesky fails for one, which is singular then or nearly, S1 = F F^T by its
    eigenvectors, and the trace is the sum of the roots of the eigenvalues of F^T S2 F,
    or, where rounding spoils them, of the singular values of F^T F2.

    Parameters
    ----------
    mean1, mean2 : (d,) float array, or float, within ±1e30
    cov1, cov2 : (d, d) float array, or float, within ±1e61; singular ones included

    >>> round(frechet_distance_from_stats([0, 0], np.eye(2), [3, 4], 4 * np.eye(2)), 6)
    27.0
    """
    mean1, cov1, rounding1 = _statistics("mean1", mean1, "cov1", cov1)
    mean2, cov2, rounding2 = _statistics("mean2", mean2, "cov2", cov2)
    _checks.same_shape("mean1", mean1, "mean2", mean2)
    total = np.trace(cov1) + np.trace(cov2)
    cross = _gaussian.cross_trace(cov1, cov2)
    if cross is None:
        root1 = _covariance_root("cov1", cov1, rounding1)
        if 0 < root1.shape[1] < len(root1) and _semidefinite(cov2, rounding2):
            cross = _gaussian.cross_trace(root1.T, cov2)
    if cross is None:
        root2 = _covariance_root("cov2", cov2, rounding2)
        cross = _gaussian.nuclear_norm(root1.T @ root2)
    return _distance(mean1 - mean2, total, cross)


def frechet_noise_floor(
    features: ArrayLike,
    n1: int,
    n2: int | None = None,
    *,
    rng: np.random.Generator | int,
    repeats: int = 20,
) -> NDArray[np.float64]:
    """Frechet distances that two samples of one Gaussian show by chance alone.

    As `frechet_distance`, of two samples of a Gaussian that is fitted to features: a
    distance between real sets of n1 and n2 that lies among these says nothing. No
    sample is drawn, though: in the axes of the covariance, where the distance is the
    same, a sample's mean and covariance have known laws (normal, and Wishart's as a
    triangle: Bartlett 1933, Proc. Royal Society of Edinburgh 53:260-283), so that
    50,000 samples cost what d + 1 do. With n <= d the floor is of n - 1 dimensions.

    Parameters
    ----------
    features : (n, d) float array, or (n,); what the Gaussian is fitted to
    n1, n2 : int, >= 2; sizes of the two samples, n2 is n1 if left out
    rng : Generator or int, >= 0; source of the samples
    repeats : int, >= 1; number of pairs of samples

    Returns
    -------
    distances : (repeats,) float64 array, >= 0
    """
    features, centre = samples("features", features)
    n1 = _checks.integer("n1", n1, least=2, most=MOST)
    n2 = n1 if n2 is None else _checks.integer("n2", n2, least=2, most=MOST)
    repeats = _checks.integer("repeats", repeats, least=1, most=_checks.LARGEST_DRAW)
    rng = _checks.generator(rng)
    deviations = np.sqrt(_gaussian.spectrum(_gaussian.part(features, centre)))
    d, distances = len(deviations), np.empty(repeats)
    for k in range(repeats):
        shift = deviations * rng.standard_normal(d) * np.sqrt(1 / n1 + 1 / n2)
        root1, root2 = (_sample_root(deviations, n, rng) for n in (n1, n2))
        total = np.vdot(root1, root1) + np.vdot(root2, root2)
        cross = _gaussian.nuclear_norm(root1 @ root2.T)
        distances[k] = _distance(shift, total, cross)
    return distances


def _sample_root(deviations, n, rng):
    """Draw F with F^T F the covariance of n samples of independent features."""
    d, freedom = len(deviations), n - 1
    if freedom < d:
        rows = rng.standard_normal((freedom, d))
    else:
        rows = np.triu(rng.standard_normal((d, d)), 1)
        np.fill_diagonal(rows, np.sqrt(rng.chisquare(freedom - np.arange(d))))
    return rows * deviations / np.sqrt(freedom)


def _distance(shift, total, cross):
    """Return |m1 - m2|² + tr S1 + tr S2 - 2 tr sqrt(S1^½ S2 S1^½), never below 0."""
    return max(0.0, float(shift @ shift + (total - 2 * cross)))


def warn_few(n, d):
    """Warn the caller's caller that a distance of so few samples is mostly bias."""
    if n <= d:
        bias = f"{n} samples of {d} features: the Frechet distance is mostly bias"
        warnings.warn(bias, stacklevel=3)


def samples(name, values, least=2):
    """Return (n, d) features of native byte order and their float64 mean."""
    values = _checks.array(name, values)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise _checks.refusal(name, "be (n, d) or (n,)", f"shape {values.shape}")
    if len(values) < least:
        raise _checks.refusal(name, f"have n >= {least}", f"n = {len(values)}")
    _bounded(name, values, LIMIT)
    return values, _gaussian.mean(values)


def _bounded(name, values, limit):
    """Refuse NaN, infinity, and what would become infinite on the way."""
    low, high = float(values.min()), float(values.max())
    if not (low >= -limit and high <= limit):
        _checks.finite(name, values)
        raise _checks.refusal(name, f"lie within ±{limit:g}", f"{low} to {high}")


def _statistics(mean_name, mean, cov_name, cov):
    """Return a float64 mean and covariance, and how far rounding may bend it."""
    mean, cov = _checks.array(mean_name, mean), _checks.array(cov_name, cov)
    mean = mean[None] if mean.ndim == 0 else mean
    cov = cov[None, None] if cov.ndim == 0 else cov
    _checks.not_empty(mean_name, mean)
    if mean.ndim != 1:
        raise _checks.refusal(mean_name, "be (d,)", f"shape {mean.shape}")
    d = len(mean)
    if cov.shape != (d, d):
        rule = f"have shape ({d}, {d}) as {mean_name} has {d} values"
        raise _checks.refusal(cov_name, rule, cov.shape)
    _bounded(mean_name, mean, LIMIT)
    _bounded(cov_name, cov, 10 * LIMIT**2)
    precision = np.finfo(cov.dtype if cov.dtype.kind == "f" else np.float64).eps
    rounding = 10 * d * float(precision)
    cov = np.ascontiguousarray(cov, dtype=np.float64)
    skew = np.abs(cov - cov.T).max()
    if skew > rounding * np.abs(cov.diagonal()).max():
        raise _checks.refusal(cov_name, "be symmetric", f"entries {skew:.3g} apart")
    mean = np.ascontiguousarray(mean, dtype=np.float64)
    return mean, (cov + cov.T) / 2 if skew else cov, rounding


def _semidefinite(cov, rounding):
    """Look quickly, by Cholesky, whether no eigenvalue is negative beyond rounding."""
    raised = cov + rounding * cov.diagonal().max() * np.eye(len(cov))
    try:
        np.linalg.cholesky(raised)
    except np.linalg.LinAlgError:
        return False
    return True


def _covariance_root(name, cov, rounding):
    """Return F with F F^T = cov, without directions of no variance; or refuse."""
    values, vectors = np.linalg.eigh(cov)
    if values[0] < -rounding * max(values[-1], 0.0):
        found = f"eigenvalues from {values[0]:.3g} to {values[-1]:.3g}"
        raise _checks.refusal(name, "be positive semidefinite", found)
    kept = values >= len(values) * _gaussian.EPS * values[-1]  # all where cov is 0
    return vectors[:, kept] * np.sqrt(values[kept])
