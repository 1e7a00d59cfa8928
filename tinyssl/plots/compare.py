"""Figures that compare sets of images: pairs, and a distance beside chance."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tinyssl.plots import _style as style

NAMED = 16  # letters of a name above an image


def pairs(
    images1: ArrayLike,
    images2: ArrayLike,
    scores: Sequence[float],
    *,
    names: Sequence[str] | None = None,
    rows: tuple[str, str] = ("real", "generated"),
    title: str | None = None,
) -> Figure:
    """Show pairs in columns: one image, the other, and where they differ.

    Parameters
    ----------
    images1, images2 : (N, H, W, C) uint8 arrays, or floats in [0, 1]
    scores : sequence of N floats
        SSIM of each pair, written under its column.
    names : sequence of N str, optional
        Written above.
    rows : two str
        What the images are.
    title : str, optional
        Else the range of the scores.

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        If the arrays are not batches of images of one shape.

    Examples
    --------
    >>> images = np.zeros((2, 8, 8, 3), np.uint8)
    >>> len(pairs(images, images, [1.0, 1.0]).axes)  # and a colour bar
    7
    """
    named = dict(zip(("images1", "images2"), (images1, images2), strict=True))
    first, second = (style.as_unit(style.check_images(*pair)) for pair in named.items())
    if first.shape != second.shape or len(scores) != len(first):
        raise ValueError(
            f"images1, images2 and scores must agree, found {first.shape}, "
            f"{second.shape} and {len(scores)} scores"
        )
    N, H, W, _ = first.shape
    cell = min(1.5, (style.WIDTH - 1.6) / N)  # inches
    width, height = max(cell * N + 1.6, 4.2), 3 * cell * H / W + 0.7
    figure = style.new_figure(width, height, name="pairs")
    grid = figure.subplots(3, N, squeeze=False)
    error = np.abs(first - second).mean(-1)  # (N, H, W)
    scale = max(0.02, float(np.quantile(error, 0.995)))
    for column in range(N):
        style.show_image(grid[0, column], first[column], vmin=0, vmax=1)
        style.show_image(grid[1, column], second[column], vmin=0, vmax=1)
        look = {"cmap": "magma", "vmin": 0, "vmax": scale}
        style.show_image(grid[2, column], error[column], **look)
        if names is not None:
            name = names[column][-NAMED:]
            grid[0, column].set_title(name, fontsize=7, color=style.INK, pad=3)
        text = style.number(scores[column], 3)
        place = {"ha": "center", "va": "top", "transform": grid[2, column].transAxes}
        grid[2, column].text(0.5, -0.05, text, fontsize=8.5, color=style.INK, **place)
    for ax, word in zip(grid[:, 0], (*rows, "difference"), strict=True):
        place = {"ha": "right", "va": "center", "transform": ax.transAxes}
        ax.text(-0.08, 0.5, word, fontsize=8.5, color=style.INK, **place)
    place = {"ha": "right", "va": "top", "transform": grid[2, 0].transAxes}
    grid[2, 0].text(-0.08, -0.05, "SSIM", fontsize=8.5, color=style.INK, **place)
    bar = figure.colorbar(
        grid[2, -1].images[0], ax=grid, shrink=0.26, anchor=(0, 0), pad=0.01
    )
    bar.ax.tick_params(labelsize=7.5, length=2, color=style.QUIET)
    bar.outline.set_visible(False)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    best, worst = style.number(max(scores), 3), style.number(min(scores), 3)
    style.headline(figure, title or f"SSIM of the pairs shown: {worst} to {best}")
    return figure


def distances(
    distance: float,
    chance: dict[str, ArrayLike],
    *,
    interval: tuple[float, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Show a distance on one axis with the distances that chance alone gives.

    Parameters
    ----------
    distance : float
    chance : dict of name to array
        Distances of sets that do not differ, a row of dots each.
    interval : (low, high), optional
        Of the distance.
    title : str, optional
        Else how often chance comes as far as the distance.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = distances(3.0, {"exchanged": [0.5, 1.0, 4.0]})
    >>> figure.get_suptitle()
    '1 of 3 sets that do not differ (exchanged) are as far apart'
    """
    rows = {name: np.asarray(values, float) for name, values in chance.items()}
    figure = style.new_figure(style.WIDTH, 1.3 + 0.4 * len(rows), name="distance")
    ax = style.quiet(figure.subplots(), grid="x")
    for y, values in enumerate(rows.values(), start=1):
        spread = 0.22 * np.sin(2.4 * np.arange(len(values)))  # so that dots show
        look = {"s": 9, "color": style.SKY, "alpha": 0.6, "linewidths": 0}
        ax.scatter(values, y + spread, **look)
    if interval is not None and np.isfinite(interval).all():
        ax.plot(interval, (0, 0), color=style.VERMILLION, linewidth=1.6)
    ax.plot([distance], [0], "D", color=style.VERMILLION, markersize=6)
    ax.set_yticks(range(len(rows) + 1), ["these two sets", *rows])
    ax.set_ylim(len(rows) + 0.6, -0.6)
    ax.set_xlim(left=0)
    ax.set_xlabel("Frechet distance, squared units of the features")
    name, values = next(iter(rows.items()))
    near = int((values >= distance * (1 - 1e-9)).sum())
    found = f"{near} of {len(values)} sets that do not differ ({name}) are as far apart"
    style.headline(figure, title or found)
    return figure
