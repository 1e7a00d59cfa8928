"""Figures of training: what pretexts log, and held-out scores, against the step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullLocator,
    StrMethodFormatter,
)

from tinyssl.plots import _style as style
from tinyssl.summary import SCRATCH

Lines = Sequence[Mapping[str, Any]]
COLUMN = {"qwk": 1, "accuracy": 2}  # of a row's "curve"
COPY = {"loss": "copy", "swapped": "copy_swapped", "unswapped": "copy_unswapped"}


def pretext_curves(
    logs: Mapping[str, Sequence[Lines]],
    *,
    chance: float | None = None,
    metric: str = "loss",
    title: str | None = None,
) -> Figure:
    """Draw what a pretext task logged against the training step.

    Parameters
    ----------
    logs : dict of name to a list of logs, one a fold
        A log is the list of rows that ``tinyssl.training.train`` returns.
    chance : float, optional
        What guessing scores; drawn as a dotted line. Where the rows hold the error
        of copying the input, that is drawn instead.
    metric : str
        Key of the rows.
    title : str, optional
        Else where the curves end, computed here.

    Returns
    -------
    Figure
        A thin line a fold, and their smoothed mean.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> rows = [{"step": 0, "loss": 1.5}, {"step": 1, "loss": 0.7}]
    >>> pretext_curves({"rotation": [rows]}, chance=1.386).get_suptitle()
    'Rotation ends at loss 0.70; chance is 1.39'
    """
    logs = {name: [fold for fold in folds if fold] for name, folds in logs.items()}
    logs = {name: folds for name, folds in logs.items() if folds}
    if not logs:
        raise ValueError("logs must hold at least one row of one fold, found none")
    word = {"swapped": "error inside the swapped patches"}.get(metric, metric)
    figure = style.new_figure(
        style.WIDTH, 3.4, name=f"pretext-{'-'.join(logs)}-{metric}"
    )
    ax = style.quiet(figure.subplots())
    findings = []
    for name, look in style.start_styles(logs).items():
        steps, curves = _log_values(logs[name], metric)
        for values in curves:
            ax.plot(steps, values, color=look["color"], alpha=0.25, linewidth=0.6)
        mean = style.smooth(style.mean_of_finite(curves), len(steps) // 15)
        ax.plot(steps, mean, color=look["color"], linewidth=2.2, label=name)
        finding = f"{name} ends at {word} {style.number(mean[-1])}"
        if COPY.get(metric) in logs[name][0][0]:
            bar = style.mean_of_finite(_log_values(logs[name], COPY[metric])[1])
            level = float(style.mean_of_finite(bar))
            _dotted(ax, level, f"copying the input ({level:.2f})")
            finding += f"; copying the input scores {level:.2f}"
        findings.append(finding)
    if chance is not None:
        _dotted(ax, chance, f"chance ({chance:.2f})")
        findings.append(f"chance is {chance:.2f}")
    ax.set(xlabel="training step", ylabel=word)
    ax.margins(x=0.01)
    if metric == "loss":
        ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    style.legend_below(figure, ax)
    style.headline(figure, title or "; ".join(findings))
    return figure


def _log_values(folds: Sequence[Lines], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return steps (n,) and values (folds, n) over the steps all folds have."""
    n = min(len(rows) for rows in folds)
    values = [[row.get(key, math.nan) for row in rows[:n]] for rows in folds]
    steps = np.array([row["step"] + 1 for row in folds[0][:n]])
    return steps, np.array(values, dtype=float)


def _dotted(ax: Axes, level: float, label: str) -> None:
    """Draw a level to compare with, named in place."""
    ax.axhline(level, color=style.QUIET, linestyle=":", linewidth=1.2)
    ax.annotate(
        label, (1, level), xycoords=("axes fraction", "data"), xytext=(-2, 3),
        textcoords="offset points", ha="right", fontsize=8.5, color=style.QUIET,
    )  # fmt: skip


def convergence(
    rows: Lines,
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
    width = style.WIDTH * max(columns, 2) / 3
    figure = style.new_figure(width, 2.1 * lines + 0.9, name="convergence")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    looks = style.start_styles(row["init"] for row in rows)
    for ax in grid.flat[len(shares) :]:
        ax.set_axis_off()
    logarithmic = _lengths_differ(rows, shares)
    for ax, share in zip(grid.flat, shares, strict=False):
        of_share = [row for row in rows if row["fraction"] == share]
        _draw_starts(style.quiet(ax), of_share, looks, COLUMN[metric])
        name = f"{style.percent(share)} of the labels"
        ax.set_title(name, fontsize=9.5, loc="left", pad=4, color=style.INK)
        _step_axis(ax, logarithmic)
    name = style.METRICS[metric]
    for ax in grid.flat[max(0, len(shares) - columns) : len(shares)]:
        ax.set_xlabel("training step")
    for ax in grid[:, 0]:
        ax.set_ylabel(f"held-out {name}")
    style.legend_below(figure, grid[0, 0])
    style.headline(figure, title or _finding(rows, list(looks), shares[0], metric))
    return figure


def _draw_starts(
    ax: Axes, rows: Lines, looks: dict[str, dict[str, Any]], column: int
) -> None:
    """Draw each start: a thin line a fold, a bold one their mean."""
    for init, look in looks.items():
        curves = _curves(rows, init, column)
        for steps, values in curves:
            ax.plot(steps, values, color=look["color"], alpha=0.2, linewidth=0.7)
        if curves:
            line = {"color": look["color"], "linestyle": look["linestyle"]}
            ax.plot(*_mean_curve(curves), **line, linewidth=2, label=init)


def _lengths_differ(rows: Lines, shares: list[float]) -> bool:
    """Say whether, at some share, one start trains three times as long as another."""
    for share in shares:
        last = [
            r["curve"][-1][0] for r in rows if r["fraction"] == share and r["curve"]
        ]
        if last and max(last) > 3 * min(last):
            return True
    return False


def _step_axis(ax: Axes, logarithmic: bool) -> None:
    """Mark a few round numbers of steps."""
    if not logarithmic:
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        return
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def _curves(rows: Lines, init: str, column: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return steps and values of each fold."""
    curves = [
        np.array(row["curve"], dtype=float).reshape(-1, 3)
        for row in rows
        if row["init"] == init
    ]
    return [(curve[:, 0], curve[:, column]) for curve in curves if len(curve)]


def _mean_curve(
    curves: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Average the folds evaluation by evaluation; folds may differ by a few steps."""
    n = min(len(steps) for steps, _ in curves)
    steps = np.mean([steps[:n] for steps, _ in curves], axis=0)
    return steps, style.mean_of_finite(np.array([values[:n] for _, values in curves]))


def _finding(rows: Lines, inits: list[str], share: float, metric: str) -> str:
    """Say when each start first reaches the score at which scratch ends."""
    name = style.METRICS[metric]
    rows = [row for row in rows if row["fraction"] == share]
    beside = _curves(rows, SCRATCH, COLUMN[metric])
    where = f"At {style.percent(share)} of the labels"
    if not beside:
        return f"{where}: held-out {name} against the training step"
    steps, mean = _mean_curve(beside)
    when: dict[str, list[str]] = {}  # the step, and which starts are there by then
    for init in (init for init in inits if not init.startswith(SCRATCH)):
        curves = _curves(rows, init, COLUMN[metric])
        if not curves:
            continue
        own_steps, own = _mean_curve(curves)
        reached = own_steps[own >= mean[-1]]
        step = f"by step {reached[0]:.0f}" if len(reached) else "never"
        when.setdefault(f"there {step}", []).append(init)
    end = f"{where} scratch ends at {name} {style.number(mean[-1])}"
    found = [f"{style.join_words(names)}: {step}" for step, names in when.items()]
    return "; ".join([f"{end} after {steps[-1]:.0f} steps", *found])
