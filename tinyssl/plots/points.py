"""Figures of points: where disc and fovea are, and where they were found."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from tinyssl.plots import _style as style

COLORS = (style.SKY, style.ORANGE)  # disc, fovea


def localizations(
    images: ArrayLike,
    points_true: ArrayLike,
    points_pred: ArrayLike,
    *,
    radius: float,
    names: Sequence[str] = ("disc", "fovea"),
    columns: int = 4,
    title: str | None = None,
) -> Figure:
    """Show images with a circle around each true point and a cross at the answer.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array, or floats in [0, 1]
    points_true, points_pred : (N, P, 2) arrays
        (y, x) in pixels.
    radius : float
        Of the circles, in pixels: an answer inside is right.
    names : sequence of P str
    columns : int
        Images in a row.
    title : str, optional
        Else how many answers lie inside their circle.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the points are not (N, P, 2).

    Examples
    --------
    >>> images, points = np.zeros((1, 8, 8, 3), np.uint8), np.full((1, 2, 2), 4.0)
    >>> localizations(images, points, points + [0, 3], radius=2).get_suptitle()
    '0 of 2 points found within their circle'
    """
    images = style.check_images("images", images)
    truth, found = np.asarray(points_true, float), np.asarray(points_pred, float)
    N, P = len(images), len(names)
    for name, points in (("points_true", truth), ("points_pred", found)):
        if points.shape != (N, P, 2):
            raise ValueError(f"{name} must be ({N}, {P}, 2), found {points.shape}")
    inside = np.linalg.norm(truth - found, axis=2) <= radius
    columns = min(columns, N)
    rows = math.ceil(N / columns)
    side = style.WIDTH / columns
    figure = style.new_figure(style.WIDTH, side * rows + 0.5, name="points")
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for ax in axes[N:]:
        ax.set_axis_off()
    for ax, image, true, answers in zip(axes, images, truth, found, strict=False):
        style.show_image(ax, image, interpolation="antialiased")
        for k, (y, x) in enumerate(true):
            ring = {"fill": False, "edgecolor": COLORS[k % 2], "linewidth": 1.4}
            ax.add_patch(Circle((x, y), radius, **ring))
            answer = {"color": COLORS[k % 2], "marker": "x", "linestyle": ""}
            ax.plot(
                answers[k, 1], answers[k, 0], **answer, markersize=6, label=names[k]
            )
    handles, _ = axes[0].get_legend_handles_labels()
    labels = [f"{name}: circle true, cross found" for name in names]
    place = {"loc": "outside lower center", "ncols": P}
    figure.legend(handles, labels, frameon=False, fontsize=9, **place)
    found_text = (
        f"{int(inside.sum())} of {inside.size} points found within their circle"
    )
    style.headline(figure, title or found_text)
    return figure
