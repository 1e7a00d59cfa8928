"""The answer key: each algorithm of the core in its shortest correct NumPy form.

Read it beside ``tinyssl._kernels``, which computes the same faster, and beside the
lessons, which derive it. Nothing here checks its input, and only tests and lessons
import it, so that one error cannot hide in both texts.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


# ---- agreement ---------------------------------------------------------------------
def confusion_matrix(y_true, y_pred, num_classes):
    """Count how often each true class was given each predicted class."""
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(table, (y_true, y_pred), 1)
    return table


def num_used(table):
    """Return how many classes a table has without the last that do not occur."""
    occurs = np.flatnonzero(table.any(axis=0) | table.any(axis=1))
    return max(occurs, default=0) + 1


def rating_sums(y_true, y_pred, origin):
    """Return the five sums of quadratic weighted kappa, and the range."""
    # the range tells the caller whether a sum can have wrapped
    low, high = min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())
    # distances from the origin, and between the raters
    a, b = y_true.astype(np.int64) - origin, y_pred.astype(np.int64) - origin
    d = a - b
    return a.sum(), b.sum(), (a * a).sum(), (b * b).sum(), (d * d).sum(), low, high


def byte_sums(y_true, y_pred):
    """Return the five sums for labels of one byte."""
    return rating_sums(y_true, y_pred, 0)[:5]


def quadratic_weighted_kappa(y_true, y_pred):
    """One minus the squared disagreement observed over that of all pairs."""
    # disagreement observed, and expected from all pairs (a_i, b_j)
    observed = np.mean((y_true - y_pred) ** 2.0)
    expected = np.mean((y_true[:, None] - y_pred[None, :]) ** 2.0)
    return 1 - observed / expected


def count_equal(y_true, y_pred):
    """Count the positions where two arrays agree."""
    return np.sum(y_true == y_pred)


# ---- likeness ----------------------------------------------------------------------
def ssim_map(image1, image2, taps, c1, c2, unbias):
    """Return the SSIM of each window of (H, W, C) images (Wang et al. 2004, eq. 13)."""
    weights = np.outer(taps, taps)
    windows1, windows2 = (
        sliding_window_view(image.astype(np.float64), weights.shape, axis=(0, 1))
        for image in (image1, image2)
    )
    mean1 = (weights * windows1).sum(axis=(-2, -1), keepdims=True)
    mean2 = (weights * windows2).sum(axis=(-2, -1), keepdims=True)
    # centred before squaring: no digits cancel
    a, b = windows1 - mean1, windows2 - mean2
    # weighted sums along the row and the column, then the map
    variances = unbias * (weights * (a * a + b * b)).sum(axis=(-2, -1))
    covariance = unbias * (weights * a * b).sum(axis=(-2, -1))
    mean1, mean2 = mean1[..., 0, 0], mean2[..., 0, 0]
    return (
        (2 * mean1 * mean2 + c1)
        * (2 * covariance + c2)
        / ((mean1 * mean1 + mean2 * mean2 + c1) * (variances + c2))
    )


def ssim_volume(volume1, volume2, taps, c1, c2, unbias):
    """As ``ssim_map`` of (D, H, W, C) volumes."""
    weights = taps[:, None, None] * np.outer(taps, taps)
    windows1, windows2 = (
        sliding_window_view(volume.astype(np.float64), weights.shape, axis=(0, 1, 2))
        for volume in (volume1, volume2)
    )

    def mean(values):
        return (weights * values).sum(axis=(-3, -2, -1), keepdims=True)

    mean1, mean2 = mean(windows1), mean(windows2)
    # centred before squaring: no digits cancel
    a, b = windows1 - mean1, windows2 - mean2
    # weighted sums across planes, along the column and the row, then the map
    variances, covariance = unbias * mean(a * a + b * b), unbias * mean(a * b)
    luminance = (2 * mean1 * mean2 + c1) / (mean1 * mean1 + mean2 * mean2 + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2))[..., 0, 0, 0]


def box_ssim_map(image1, image2, size, c1, c2, unbias):
    """As ``ssim_map`` with ``size`` equal taps."""
    return ssim_map(image1, image2, np.full(size, 1 / size), c1, c2, unbias)


def frechet_distance_from_stats(mean1, cov1, mean2, cov2):
    """Return the Frechet distance of two Gaussians (Dowson and Landau 1982)."""
    # the symmetric square root of the first covariance
    values, vectors = np.linalg.eigh(cov1)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    # tr sqrt(S1^½ S2 S1^½), from eigenvalues that are real
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov2 @ root), 0, None)).sum()
    return np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * cross


def frechet_distance(features1, features2):
    """Return the Frechet distance of Gaussians fitted to (n, d) features."""
    return frechet_distance_from_stats(
        features1.mean(axis=0),
        np.atleast_2d(np.cov(features1, rowvar=False)),
        features2.mean(axis=0),
        np.atleast_2d(np.cov(features2, rowvar=False)),
    )


def frechet_noise_floor(mean, cov, n1, n2, rng):
    """Return the Frechet distance of two samples of one Gaussian."""
    return frechet_distance(
        rng.multivariate_normal(mean, cov, n1), rng.multivariate_normal(mean, cov, n2)
    )


# ---- ranking -----------------------------------------------------------------------
def sortable_keys(scores, chosen):
    """Encode the chosen float64 scores as uint64 of the same order, -0.0 as 0.0."""
    # the sign bit flipped, and for negative scores all bits
    bits = (scores[chosen] + 0.0).view(np.uint64)
    sign = np.uint64(2**63)
    return np.where(bits < sign, bits ^ sign, ~bits)


def radix_sort(keys):
    """Sort uint64 keys."""
    return np.sort(keys)


def count_below(scores, others):
    """Count for each score how many of the others are lower."""
    return (others[None, :] < scores[:, None]).sum(axis=1)


def roc_auc(positive, negative):
    """Return the chance that a positive scores higher than a negative."""
    # pairs won, and lost; the ties among them count half
    pairs = len(positive) * len(negative)
    won = count_below(positive, negative).sum()
    lost = count_below(negative, positive).sum()
    return (pairs + won - lost) / (2 * pairs)


def average_precision(positive, negative):
    """Average the precision at each positive's score."""
    # positives and negatives that score at least as high
    true = len(positive) - count_below(positive, positive)
    false = len(negative) - count_below(positive, negative)
    return np.mean(true / (true + false))


# ---- overlap -----------------------------------------------------------------------
def overlap_counts(mask_true, mask_pred):
    """Return the pixels in both masks, in the first, and in the second."""
    # whatever is not 0 belongs to the object
    a, b = mask_true != 0, mask_pred != 0
    return np.sum(a & b), np.sum(a), np.sum(b)


# ---- transforms --------------------------------------------------------------------
def swap_patches(images, swaps, patch_size):
    """Swap pairs of patches in place, one swap after another: squares or cubes."""
    for image, pairs in zip(images, swaps, strict=True):
        for corners in pairs.reshape(-1, 2, pairs.shape[1] // 2):
            patch1, patch2 = (
                image[tuple(slice(start, start + patch_size) for start in corner)]
                for corner in corners
            )
            # exchange the two patches through a temporary, one swap after another
            keep = patch1.copy()
            patch1[:] = patch2
            patch2[:] = keep


def rotate(images, turns):
    """Turn square images counter-clockwise by quarter turns."""
    return np.stack([np.rot90(x, k) for x, k in zip(images, turns, strict=True)])


# ---- tiles, patches and pastes -----------------------------------------------------
def permute_tiles(image, rows, cols, order):
    """Cut one image into tiles and join them in another order."""
    tiles = [t for row in np.split(image, rows) for t in np.split(row, cols, axis=1)]
    tiles = [tiles[i] for i in order]
    lines = [
        np.concatenate(tiles[i : i + cols], axis=1) for i in range(0, len(tiles), cols)
    ]
    return np.concatenate(lines)


def patchify(images, patch_size):
    """Lay out each patch of (N, H, W, C) images as a row: pixel by pixel."""
    N, H, W, C = images.shape
    rows, cols = H // patch_size, W // patch_size
    pixels = images.reshape(N, rows, patch_size, cols, patch_size, C)
    return np.einsum("nypxqc->nyxpqc", pixels).reshape(N, rows * cols, -1)


def patchify_volumes(volumes, patch_size):
    """Lay out each cube of (N, D, H, W, C) volumes as a row."""
    N, D, H, W, C = volumes.shape
    size, grid = patch_size, [side // patch_size for side in (D, H, W)]
    pixels = volumes.reshape(N, grid[0], size, grid[1], size, grid[2], size, C)
    return np.einsum("nzoypxqc->nzyxopqc", pixels).reshape(N, np.prod(grid), -1)


def cut_paste(image, box, alpha, gain, edge):
    """Mix a piece of an (H, W, C) float image into it elsewhere."""
    y1, x1, y2, x2, h, w = box
    # the piece in other colours, of the same range
    piece = np.clip(image[y1 : y1 + h, x1 : x1 + w] * gain, image.min(), image.max())
    # faded out at its edges
    widths = [min(edge, (length - 1) // 2) for length in (h, w)]
    rises = [np.hanning(2 * width + 3)[1 : width + 1] for width in widths]
    fades = [
        np.concatenate([rise, np.ones(length - 2 * len(rise)), rise[::-1]])
        for rise, length in zip(rises, (h, w), strict=True)
    ]
    mask = np.zeros(image.shape[:2])
    mask[y2 : y2 + h, x2 : x2 + w] = alpha * np.outer(*fades)
    # mixed with what it covers
    pasted = image.copy()
    pasted[y2 : y2 + h, x2 : x2 + w] = piece
    return image + mask[..., None] * (pasted - image), mask
