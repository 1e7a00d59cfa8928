"""Views: random flips, rotations, zooms, shifts and lighting of square images.

``sample_views`` and ``sample_adjustments`` draw; ``warp`` and ``adjust`` are pure.
"""

import numpy as np

from tinyssl import _kernels


def sample_views(
    n: int,
    *,
    rng: np.random.Generator | int,
    flip: bool = True,
    max_angle: float = 180.0,
    zoom: float = 0.1,
    shift: float = 0.05,
) -> np.ndarray:
    """Draw affine maps for ``warp``.

    Parameters
    ----------
    n : int
        Number of maps.
    rng : Generator or int
    flip : bool
        Mirror left and right with probability one half.
    max_angle : float
        Degrees; the rotation is uniform in [-max_angle, max_angle].
    zoom : float
        The scale is log-uniform in [1 / (1 + zoom), 1 + zoom].
    shift : float
        Both shifts are uniform within this share of the side.

    Returns
    -------
    (n, 2, 3) float64 array
        Row-major maps from output to input: (y, x) = matrix @ (v, u, 1), with all
        four coordinates running from -1 to 1 between the outer edges of the image.

    Examples
    --------
    >>> sample_views(3, rng=0).shape
    (3, 2, 3)
    """
    rng = np.random.default_rng(rng)
    angle = np.radians(rng.uniform(-max_angle, max_angle, n))
    scale = np.exp(rng.uniform(-1, 1, n) * np.log1p(zoom))
    mirror = np.where(flip & (rng.random(n) < 0.5), -1.0, 1.0)
    offset = 2 * shift * rng.uniform(-1, 1, (n, 2))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    rows = np.stack([cos, -sin * mirror, offset[:, 0]], 1)
    columns = np.stack([sin, cos * mirror, offset[:, 1]], 1)
    return np.stack([rows, columns], 1)


def warp(images: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Look at images through affine maps: bilinear, black outside.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
    matrices : (N, 2, 3) array
        As ``sample_views`` draws them.

    Returns
    -------
    (N, H, W, C) uint8 array
        A new array. The identity map returns the images bit for bit.

    Raises
    ------
    TypeError
        If the images are not uint8.
    ValueError
        If a shape is wrong.

    Examples
    --------
    >>> image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    >>> mirror = np.array([[[1.0, 0, 0], [0, -1, 0]]])
    >>> warp(image, mirror)[0, 0, :, 0]
    array([3, 2, 1, 0], dtype=uint8)
    """
    images = np.asarray(images)
    matrices = np.asarray(matrices, dtype=np.float64)
    if images.dtype != np.uint8:
        raise TypeError(f"images must be uint8, found {images.dtype}")
    if images.ndim != 4:
        raise ValueError(f"images must be (N, H, W, C), found shape {images.shape}")
    if matrices.shape != (len(images), 2, 3):
        raise ValueError(
            f"matrices must be ({len(images)}, 2, 3) for {len(images)} images, "
            f"found {matrices.shape}"
        )
    warped = np.empty(images.shape, np.uint8)
    _kernels.views.warp(np.ascontiguousarray(images), matrices, warped)
    return warped


def sample_adjustments(
    n: int,
    *,
    rng: np.random.Generator | int,
    brightness: float = 0.1,
    contrast: float = 0.15,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw gains and offsets for ``adjust``.

    Parameters
    ----------
    n : int
    rng : Generator or int
    brightness : float
        Offsets are uniform within this share of the full range.
    contrast : float
        Gains are uniform in [1 - contrast, 1 + contrast].

    Returns
    -------
    gains, offsets : (n,) float64 arrays
        One number an image: all channels alike, for the colour of a lesion is a
        finding, not a nuisance.

    Examples
    --------
    >>> gains, offsets = sample_adjustments(4, rng=0)
    >>> gains.shape, offsets.shape
    ((4,), (4,))
    """
    rng = np.random.default_rng(rng)
    gains = 1 + rng.uniform(-contrast, contrast, n)
    return gains, 255 * rng.uniform(-brightness, brightness, n)


def adjust(images: np.ndarray, gains: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Multiply and shift intensities; black background stays black.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
    gains, offsets : (N,) arrays

    Returns
    -------
    (N, H, W, C) uint8 array
        ``clip(gain * value + offset)``, rounded, where any channel is above 0.

    Examples
    --------
    >>> image = np.array([[[[0, 0, 0], [100, 0, 0]]]], np.uint8)
    >>> adjust(image, [1.5], [5.0])[0, 0].tolist()
    [[0, 0, 0], [155, 5, 5]]
    """
    images = np.asarray(images)
    gains, offsets = (
        np.asarray(a, dtype=np.float32)[:, None, None, None] for a in (gains, offsets)
    )
    adjusted = np.clip(np.rint(images * gains + offsets), 0, 255).astype(np.uint8)
    return adjusted * images.any(-1, keepdims=True)
