"""Distance between predicted and true points."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyssl import _checks


def localization_error(
    points_true: ArrayLike, points_pred: ArrayLike, *, spacing: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Euclidean distance of each predicted point from the true one.

    Parameters
    ----------
    points_true, points_pred : (N, D) or (D,) float array, pixels, in one order of axes
    spacing : float or (D,) float array, > 0, default 1
        Size of a pixel along each axis, in the unit the answer should have.

    Returns
    -------
    error : (N,) or () float64 array, >= 0, in units of spacing, by default pixels

    Raises
    ------
    TypeError, ValueError
        If points are not numbers, empty, not finite, or of different shapes, spacing is
        not positive or of another length, or a distance does not fit float64.

    Notes
    -----
    Let a table show mean and median: a single far miss moves the mean.

    Examples
    --------
    >>> localization_error([[0, 0], [10, 10]], [[3, 4], [10, 12]])
    array([5., 2.])
    """
    points_true = _points("points_true", points_true)
    points_pred = _points("points_pred", points_pred)
    _checks.same_shape("points_true", points_true, "points_pred", points_pred)
    spacing = _checks.array("spacing", spacing).astype(np.float64)
    D = points_true.shape[-1]
    if spacing.shape not in ((), (D,)):
        rule = f"be a number or have shape ({D},)"
        raise _checks.refusal("spacing", rule, spacing.shape)
    _checks.finite("spacing", spacing)
    if (spacing <= 0).any():
        raise _checks.refusal("spacing", "be > 0", spacing.min())
    # hypot squares nothing: far points neither overflow nor vanish
    with np.errstate(over="ignore"):
        error = np.hypot.reduce((points_pred - points_true) * spacing, axis=-1)
    if not np.isfinite(error).all():
        names = "points_true, points_pred and spacing"
        raise _checks.refusal(names, "have distances that fit float64", "inf")
    return error


def _points(name, values):
    values = _checks.array(name, values)
    _checks.not_empty(name, values)
    if values.ndim not in (1, 2):
        raise _checks.refusal(name, "be (N, D) or (D,)", f"shape {values.shape}")
    _checks.finite(name, values)
    return np.ascontiguousarray(values, dtype=np.float64)
