"""Figures of images: a grid, turned images, disordered and restored ones."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tinyssl.plots import _style as style

SIDE = 1.5  # inches an image of a grid has at most


def image_grid(
    images: ArrayLike,
    *,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    title: str | None = None,
) -> Figure:
    """Show images side by side, in reading order.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array, or floats in [0, 1]
    titles : sequence of N str, optional
        One above each image.
    columns : int
        Images in a row.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        If images are not a batch of images, or titles are not N.

    Examples
    --------
    >>> len(image_grid(np.zeros((3, 8, 8, 3), np.uint8)).axes)
    3
    """
    images = style.check_images("images", images)
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            f"titles must be one an image ({len(images)}), found {len(titles)}"
        )
    columns = max(1, min(columns, len(images)))
    rows = math.ceil(len(images) / columns)
    H, W = images.shape[1:3]
    side = min(SIDE, style.WIDTH / columns)  # inches
    height = (side * H / W + (0.2 if titles is not None else 0)) * rows
    height += 0.3 if title else 0
    figure = style.new_figure(max(side * columns, 3.8), height, name="images")
    for i, image in enumerate(images):
        ax = figure.add_subplot(rows, columns, i + 1)
        style.show_image(ax, image)
        if titles is not None:
            ax.set_title(titles[i], fontsize=8.5, color=style.INK, pad=3)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    style.headline(figure, title)
    return figure


def turns(
    inputs: ArrayLike,
    turns_true: ArrayLike,
    turns_pred: ArrayLike | None = None,
    *,
    columns: int = 8,
    title: str | None = None,
) -> Figure:
    """Show turned images with the turn that was asked, and the one answered.

    Parameters
    ----------
    inputs : (N, S, S, C) uint8 array, or floats in [0, 1]
        As the network sees them.
    turns_true : (N,) int array, values 0..3
        Quarter turns, counter-clockwise.
    turns_pred : (N,) int array, values 0..3, optional
    columns : int
        Images in a row.
    title : str, optional
        Else the share answered right, computed here.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = turns(np.zeros((2, 8, 8, 3), np.uint8), [0, 1], [0, 3])
    >>> figure.get_suptitle()
    '1 of 2 turns answered right; chance is 1 in 4'
    """
    degrees = [f"{90 * int(k)}°" for k in np.asarray(turns_true)]
    if turns_pred is None:
        title = title or "Which way is up? The turn applied is the label"
        figure = image_grid(inputs, titles=degrees, columns=columns, title=title)
    else:
        right = np.asarray(turns_true) == np.asarray(turns_pred)
        texts = [
            f"{degree} ✓" if ok else f"{degree}, said {90 * int(k)}°"
            for degree, ok, k in zip(degrees, right, turns_pred, strict=True)
        ]
        found = f"{right.sum()} of {len(right)} turns answered right; chance is 1 in 4"
        figure = image_grid(inputs, titles=texts, columns=columns, title=title or found)
        for ax, ok in zip(figure.axes, right, strict=True):
            ax.title.set_color(style.INK if ok else style.VERMILLION)
    figure.set_label("turns")
    return figure


def restorations(
    images: ArrayLike,
    disordered: ArrayLike,
    restored: ArrayLike,
    changed: ArrayLike,
    *,
    title: str | None = None,
) -> Figure:
    """Show originals, disordered images, what came back, and where it is wrong.

    Parameters
    ----------
    images, disordered, restored : (N, H, W, C) uint8 arrays, or floats in [0, 1]
    changed : (N, H, W) bool array
        Where a patch was swapped; outlined on the disordered images.
    title : str, optional
        Else the error inside the swapped patches, computed here.

    Returns
    -------
    Figure
        Four rows, one column an image. Under each column the mean squared error
        inside the swapped patches, restored against copied, values in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If the arrays are not batches of images of one shape.
    """
    named = {"images": images, "disordered": disordered, "restored": restored}
    batches = [style.as_unit(style.check_images(*pair)) for pair in named.items()]
    if len({batch.shape for batch in batches}) > 1:
        shapes = ", ".join(str(batch.shape) for batch in batches)
        raise ValueError(f"the images must be of one shape, found {shapes}")
    original, before, after = batches
    N, H, W, _ = original.shape
    changed = np.asarray(changed, dtype=bool).reshape(N, H, W)
    copied = _error_inside(original, before, changed)
    left = _error_inside(original, after, changed)

    # Four rows of images
    cell = min(1.3, (style.WIDTH - 1.8) / N)  # inches
    width, height = max(cell * N + 1.8, 4.4), 4 * cell + 1
    figure = style.new_figure(width, height, name="restorations")
    grid = figure.subplots(4, N, squeeze=False)
    for row, batch in zip(grid, batches, strict=False):
        for ax, image in zip(row, batch, strict=True):
            style.show_image(ax, image, vmin=0, vmax=1)
    for ax, mask in zip(grid[1], changed, strict=True):
        if mask.any() and not mask.all():
            ax.contour(mask, levels=[0.5], colors=style.SKY, linewidths=0.7)
    error = np.abs(after - original).mean(-1)  # (N, H, W)
    scale = max(0.05, float(np.quantile(error, 0.995)))
    for ax, image in zip(grid[3], error, strict=True):
        style.show_image(ax, image, cmap="magma", vmin=0, vmax=scale)

    # Words and numbers around them
    names = ("original", "disordered", "restored", "error")
    for ax, name in zip(grid[:, 0], names, strict=True):
        _write_beside(ax, -0.08, 0.5, name, ha="right", va="center")
    _write_beside(grid[3, 0], -0.08, -0.06, "MSE inside\nif copied", ha="right")
    for ax, *pair in zip(grid[3], left, copied, strict=True):
        text = "\n".join(style.number(value, 4) for value in pair)
        _write_beside(ax, 0.5, -0.06, text, ha="center")
    bar = figure.colorbar(
        grid[3, -1].images[0], ax=grid, shrink=0.2, anchor=(0, 0), pad=0.01
    )
    bar.ax.tick_params(labelsize=8, length=2, color=style.QUIET)
    bar.set_label("mean absolute", fontsize=8, color=style.INK)
    bar.outline.set_visible(False)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    style.headline(figure, title or _restoration_finding(left, copied))
    return figure


def _restoration_finding(left: np.ndarray, copied: np.ndarray) -> str:
    """Say how much of the error of copying is left."""
    if not np.nansum(copied):
        return "Nothing was swapped"
    share = style.percent(round(np.nansum(left) / np.nansum(copied), 2))
    return f"Inside the swapped patches the error is {share} of copying the input"


def _write_beside(
    ax: Axes, x: float, y: float, text: str, *, ha: str, va: str = "top"
) -> None:
    """Write at a place given in sides of the image."""
    look = {"fontsize": 8.5, "color": style.INK, "transform": ax.transAxes}
    ax.text(x, y, text, ha=ha, va=va, **look)


def _error_inside(
    images: np.ndarray, others: np.ndarray, changed: np.ndarray
) -> np.ndarray:
    """Mean squared error inside the mask, an image: (N,); nan where it is empty."""
    squared = np.square(images - others).mean(-1)  # (N, H, W)
    count = changed.sum((1, 2))
    total = (squared * changed).sum((1, 2))
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
