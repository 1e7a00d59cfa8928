"""Gaussians fitted to samples, and the trace that joins two of them.

A *part* is all that a set of samples says about its covariance S: S itself, (d, d), or,
where n <= d, rows A, (n - 1, d), with A^T A = S. Nothing here checks its input.
"""

import numpy as np

BLOCK = 2**22  # numbers centred at once: 32 MiB of float64, whatever n
LARGE = 1024  # features from which LAPACK's own routines pay for importing SciPy
EPS = np.finfo(np.float64).eps
SMALLEST = 1e-290  # of squares: below it float64 loses digits
COARSE = 1e-10  # share of a trace that rounding may cost before we take the slow way


def mean(features):
    """Return the mean, summed about the first sample: far from 0 costs no digits."""
    origin = features[0].astype(np.float64)
    total = sum((block - origin).sum(axis=0) for block in _blocks(features))
    return origin + total / len(features)


def scatter(features, centre):
    """Return the sum of outer products of the centred samples, (d, d)."""
    total = np.zeros((features.shape[1],) * 2)
    for block in _blocks(features):
        block -= centre
        total += block.T @ block
    return total


def part(features, centre):
    """Return the sample covariance, or, where n <= d, rows that give it."""
    n, d = features.shape
    if n > d:
        return scatter(features, centre) / (n - 1)
    # a reflection that takes (1, ..., 1) to the first axis: n - 1 rows are left, and
    # no direction is empty merely because centred samples sum to 0
    centred = features.astype(np.float64, order="C") - centre
    return (centred[1:] - centred[0] / (1 + np.sqrt(n))) / np.sqrt(n - 1)


def triangle(features, centre):
    """Return the triangular F with F^T F the covariance: QR, nothing is squared."""
    root = np.empty((0, features.shape[1]))
    for block in _blocks(features):
        block -= centre
        root = np.linalg.qr(np.vstack([root, block]), mode="r")
    return root / np.sqrt(len(features) - 1)


def variance(part):
    """Return the trace of the covariance."""
    return np.vdot(part, part) if len(part) < part.shape[1] else np.trace(part)


def cross_trace(part1, part2):
    """Return tr sqrt(S1^½ S2 S1^½), or None where squares are too coarse for it."""
    rows1, rows2 = (len(part) < part.shape[1] for part in (part1, part2))
    if rows1 and rows2:
        return nuclear_norm(part1 @ part2.T)
    if rows2:
        part1, part2 = part2, part1
    if rows1 or rows2:
        norm1, product = np.linalg.norm(part1 @ part1.T), part1 @ part2 @ part1.T
    else:
        norm1, product = np.linalg.norm(part1), _congruence(part1, part2)
    if product is None:
        return None
    return _root_trace(product, EPS * norm1 * np.linalg.norm(part2))


def nuclear_norm(matrix):
    """Return the sum of the singular values."""
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    squares = matrix @ matrix.T
    # a fifth of the time of the singular values, where it is as good
    total = _root_trace(squares, EPS * np.linalg.norm(squares))
    if total is None:
        return np.linalg.svd(matrix, compute_uv=False).sum()
    return total


def spectrum(part):
    """Return the eigenvalues of the covariance that are not 0."""
    values = np.linalg.eigvalsh(part @ part.T if len(part) < part.shape[1] else part)
    return values[values >= len(values) * EPS * values[-1]]


def _blocks(features):
    """Yield samples as C-ordered float64 copies, so that one order gives one answer."""
    rows = max(1, BLOCK // features.shape[1])
    for start in range(0, len(features), rows):
        yield np.array(features[start : start + rows], dtype=np.float64, order="C")


def _congruence(cov1, cov2):
    """Return L^T S2 L, its lower triangle at least, or None; L L^T = S1 (Cholesky)."""
    if len(cov1) >= LARGE:
        # half NumPy's time at d = 2048: no copy, half the products (itype=2: L^T S2 L)
        from scipy.linalg import lapack

        root, failed = lapack.dpotrf(cov1.T, lower=1)
        return None if failed else lapack.dsygst(cov2.T, root, itype=2, lower=1)[0]
    try:
        root = np.linalg.cholesky(cov1)
    except np.linalg.LinAlgError:
        return None
    return root.T @ cov2 @ root


def _root_trace(product, noise):
    """Return the sum of square roots of the eigenvalues, or None if noise spoils it."""
    values = np.linalg.eigvalsh(product, UPLO="L")
    if values[0] <= SMALLEST:
        return None
    roots = np.sqrt(values)
    # rounding has no favourite direction: of its norm an eigenvalue r² feels a d-th,
    # and r that over 2r; tests hold what passes to ten digits
    if (noise / len(roots) / roots).sum() > 2 * COARSE * roots.sum():
        return None
    return roots.sum()
