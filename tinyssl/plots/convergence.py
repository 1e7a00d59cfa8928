"""The figure of convergence: the held-out score against the training step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinyssl.plots import _style as style
from tinyssl.summary import SCRATCH

COLUMN = {"qwk": 1, "accuracy": 2}  # of a row's "curve"


def convergence(
    rows: Sequence[Mapping[str, Any]],
    *,
    fractions: Sequence[float] | None = None,
    metric: str = "qwk",
    title: str | None = None,
) -> Figure:
    """Draw the held-out score against the training step, one panel a label share.

    Parameters
    ----------
    rows : list of dict
        From ``tinyssl.experiments.label_efficiency``: "init", "fraction", "fold"
        and "curve", a list of (step, qwk, accuracy).
    fractions : sequence of float, optional
        The shares to show; else all.
    metric : {"qwk", "accuracy"}
    title : str, optional
        Else when each start reaches the final score of scratch at the smallest
        share, computed here.

    Returns
    -------
    Figure
        A thin line a fold, a bold one their mean. The steps are on a logarithmic
        axis where one start trains more than three times as long as another.

    Raises
    ------
    ValueError
        If metric is unknown, or no row has one of the shares.
    """
    if metric not in COLUMN:
        raise ValueError(f"metric must be qwk or accuracy, found {metric!r}")
    shares = sorted({row["fraction"] for row in rows})
    if fractions is not None:
        shares = [share for share in shares if share in set(fractions)]
    if not shares:
        raise ValueError("rows must hold one of the label shares, found none")
    columns = min(3, len(shares))
    lines = math.ceil(len(shares) / columns)
    figure = style.new_figure(
        max(2.45 * columns, 4.2), 2.1 * lines + 0.9, name="convergence"
    )
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    looks = style.start_styles(row["init"] for row in rows)
    for ax in grid.flat[len(shares) :]:
        ax.set_axis_off()
    for ax, share in zip(grid.flat, shares, strict=False):
        style.quiet(ax)
        longest = []
        for init, look in looks.items():
            curves = _curves(rows, init, share, COLUMN[metric])
            if not curves:
                continue
            for steps, values in curves:
                ax.plot(steps, values, color=look["color"], alpha=0.2, linewidth=0.7)
            steps, mean = _mean_curve(curves)
            line = {"color": look["color"], "linestyle": look["linestyle"]}
            ax.plot(steps, mean, **line, linewidth=2, label=init)
            longest.append(steps[-1])
        ax.set_title(
            f"{style.percent(share)} of the labels", fontsize=9.5, loc="left", pad=4
        )
        if longest and max(longest) > 3 * min(longest):
            ax.set_xscale("log")
            ax.minorticks_off()
        else:
            ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    name = style.METRICS[metric]
    figure.supxlabel("training step", fontsize=9.5)
    figure.supylabel(f"held-out {name}", fontsize=9.5)
    style.legend_below(figure, grid[0, 0])
    style.headline(figure, title or _finding(rows, list(looks), shares[0], metric))
    return figure


def _curves(
    rows: Sequence[Mapping[str, Any]], init: str, share: float, column: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return steps and values of each fold."""
    curves = [
        np.array(row["curve"], dtype=float).reshape(-1, 3)
        for row in rows
        if row["init"] == init and row["fraction"] == share
    ]
    return [(curve[:, 0], curve[:, column]) for curve in curves if len(curve)]


def _mean_curve(
    curves: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Average the folds evaluation by evaluation; folds may differ by a few steps."""
    n = min(len(steps) for steps, _ in curves)
    steps = np.mean([steps[:n] for steps, _ in curves], axis=0)
    return steps, style.mean_of_finite(np.array([values[:n] for _, values in curves]))


def _finding(
    rows: Sequence[Mapping[str, Any]], inits: list[str], share: float, metric: str
) -> str:
    """Say when each start first reaches the score at which scratch ends."""
    name = style.METRICS[metric]
    beside = _curves(rows, SCRATCH, share, COLUMN[metric])
    where = f"At {style.percent(share)} of the labels"
    if not beside:
        return f"{where}: held-out {name} against the training step"
    steps, mean = _mean_curve(beside)
    parts = []
    for init in (init for init in inits if init != SCRATCH):
        curves = _curves(rows, init, share, COLUMN[metric])
        if not curves:
            continue
        own_steps, own = _mean_curve(curves)
        there = np.flatnonzero(own >= mean[-1])
        when = f"after {own_steps[there[0]]:.0f}" if len(there) else "never"
        parts.append(f"{init} {when}")
    text = f"{where} scratch ends at {name} {style.number(mean[-1])} after "
    text += f"{steps[-1]:.0f} steps"
    return text + (f"; reached by {style.join_words(parts)}" if parts else "")
