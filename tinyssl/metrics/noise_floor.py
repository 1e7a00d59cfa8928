"""What the Frechet distance shows between two samples of one and the same Gaussian."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks
from tinyssl.metrics import _gaussian, frechet


def frechet_noise_floor(
    features: ArrayLike,
    n1: int,
    n2: int | None = None,
    *,
    rng: np.random.Generator | int,
    repeats: int = 20,
) -> NDArray[np.float64]:
    """Frechet distances that two samples of one Gaussian show by chance alone.

    Parameters
    ----------
    features : (n, d) float array
        Features; a Gaussian is fitted to them. (n,) is one feature.
    n1, n2 : int, >= 2
        Sizes of the two samples; n2 is n1 if left out.
    rng : Generator or int
        Source of the samples.
    repeats : int, >= 1
        Number of pairs of samples.

    Returns
    -------
    distances : (repeats,) float64 array, >= 0
        One distance a pair. A distance between real sets of n1 and n2 that lies
        among these says nothing.

    Raises
    ------
    TypeError
        If features are not numbers, sizes not integers, or rng no source.
    ValueError
        As `frechet_distance` for features; if n1, n2 < 2 or repeats < 1.

    Notes
    -----
    Each is the `frechet_distance` of two drawn samples. No sample is drawn, though:
    the distance is the same in the axes of the covariance, and there a sample's mean
    and covariance have known laws (normal and Wishart), so that 50,000 samples cost
    what d + 1 do. With n <= d features the fitted Gaussian is flat, and the floor
    that of its n - 1 dimensions.

    References
    ----------
    Bartlett 1933, "On the theory of statistical regression", Proceedings of the
    Royal Society of Edinburgh 53:260-283 (the Wishart law as a triangle).

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(1000, 64))
    >>> float(frechet_noise_floor(features, 200, rng=0).mean().round(1))
    10.8
    """
    features, centre = frechet.samples("features", features)
    n1 = _checks.integer("n1", n1, least=2)
    n2 = n1 if n2 is None else _checks.integer("n2", n2, least=2)
    repeats = _checks.integer("repeats", repeats, least=1)
    rng = _checks.generator(rng)
    deviations = np.sqrt(_gaussian.spectrum(_gaussian.part(features, centre)))
    return np.array([_chance(deviations, n1, n2, rng) for _ in range(repeats)])


def _chance(deviations, n1, n2, rng):
    """Return the distance of two samples of a Gaussian with these deviations."""
    shift = deviations * rng.standard_normal(len(deviations)) * np.sqrt(1 / n1 + 1 / n2)
    root1, root2 = (_sample_root(deviations, n, rng) for n in (n1, n2))
    total = np.vdot(root1, root1) + np.vdot(root2, root2)
    return frechet.distance(shift, total, _gaussian.nuclear_norm(root1 @ root2.T))


def _sample_root(deviations, n, rng):
    """Draw F with F^T F the covariance of n samples of independent features."""
    d, freedom = len(deviations), n - 1
    if freedom < d:
        rows = rng.standard_normal((freedom, d))
    else:
        rows = np.triu(rng.standard_normal((d, d)), 1)
        np.fill_diagonal(rows, np.sqrt(rng.chisquare(freedom - np.arange(d))))
    return rows * deviations / np.sqrt(freedom)
