"""Figures of an experiment: loss against steps, scores against the share of labels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinyssl.plots import _style as style
from tinyssl.summary import SCRATCH, verdict

Lines = Sequence[Mapping[str, Any]]
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
    'rotation ends at loss 0.70; chance is 1.39'
    """
    logs = {name: [fold for fold in folds if fold] for name, folds in logs.items()}
    logs = {name: folds for name, folds in logs.items() if folds}
    if not logs:
        raise ValueError("logs must hold at least one row of one fold, found none")
    word = {"swapped": "error inside the swapped patches"}.get(metric, metric)
    figure = style.new_figure(7.2, 3.4, name=f"pretext-{'-'.join(logs)}-{metric}")
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
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
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


# Label efficiency


def label_efficiency(
    summary: Lines,
    *,
    baselines: Lines | None = None,
    metric: str = "qwk",
    title: str | None = None,
) -> Figure:
    """Draw the score against the share of labels, every fold a point.

    Parameters
    ----------
    summary : list of dict
        From ``tinyssl.summary.summarise`` with ``by="fraction"``.
    baselines : list of dict, optional
        The same of the baselines; drawn dotted.
    metric : str
        Names the axis.
    title : str, optional
        Else where scratch and the best start stand at both ends, computed here.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If summary is empty.
    """
    shares = _shares(summary)
    figure = style.new_figure(7.2, 4.2, name="label-efficiency")
    ax = style.quiet(figure.subplots())
    looks = style.start_styles(line["init"] for line in summary)
    for i, (init, look) in enumerate(looks.items()):
        lines = {line["fraction"]: line for line in summary if line["init"] == init}
        dodge = 0.09 * (i - (len(looks) - 1) / 2)
        x = np.array([shares.index(share) for share in sorted(lines)]) + dodge
        y = [_finite(lines[share]["avg"]) for share in sorted(lines)]
        for place, share in zip(x, sorted(lines), strict=True):
            values = np.array(lines[share]["values"], dtype=float)
            ax.plot(
                np.full(len(values), place), values, look["marker"],
                color=look["color"], alpha=0.4, markersize=4, markeredgewidth=0,
            )  # fmt: skip
        ax.plot(x, y, **look, linewidth=1.8, markersize=6.5, label=init)
    names = dict.fromkeys(line["init"] for line in baselines or ())
    for init, dots in zip(names, ((0, (1, 1.5)), (0, (1, 4))) * len(names)):  # noqa: B905
        lines = [line for line in baselines if line["init"] == init]
        lines = [line for line in lines if line["fraction"] in shares]
        lines.sort(key=lambda line: line["fraction"])
        x = [shares.index(line["fraction"]) for line in lines]
        y = [_finite(line["avg"]) for line in lines]
        ax.plot(x, y, color=style.QUIET, linestyle=dots, linewidth=1.4, label=init)
    _share_axis(ax, shares)
    ax.set_ylabel(style.FULL_NAMES.get(metric, metric) + ", held-out fold")
    style.legend_below(figure, ax)
    style.headline(figure, title or _efficiency_finding(summary, shares, metric))
    return figure


def _efficiency_finding(summary: Lines, shares: list[float], metric: str) -> str:
    """Say what stands where at the smallest and the largest share."""
    parts = []
    for share in dict.fromkeys((shares[0], shares[-1])):
        cell = {
            line["init"]: _finite(line["avg"])
            for line in summary
            if line["fraction"] == share and math.isfinite(_finite(line["avg"]))
        }
        if not cell:
            continue
        best = max(cell, key=cell.get)
        text = f"{best} {style.number(cell[best])}"
        if best == SCRATCH and len(cell) > 1:
            text = f"scratch is best, {style.number(cell[best])}"
        elif SCRATCH in cell and best != SCRATCH:
            text += f" against scratch {style.number(cell[SCRATCH])}"
        parts.append(f"{text} at {style.percent(share)}")
    name = style.METRICS.get(metric, metric)
    return f"Mean {name}: " + "; ".join(parts) + " of the labels"


def differences(summary: Lines, *, title: str | None = None) -> Figure:
    """Draw the paired difference from scratch with its interval, a share and start.

    Parameters
    ----------
    summary : list of dict
        From ``tinyssl.summary.summarise`` with ``by="fraction"``.
    title : str, optional
        Else which differences are clear of zero, computed here.

    Returns
    -------
    Figure
        Filled marks are clear of zero, hollow ones are not.

    Raises
    ------
    ValueError
        If no start stands beside scratch.
    """
    lines = [line for line in summary if "difference" in line]
    if not lines:
        raise ValueError("summary must hold a start beside scratch, found none")
    shares = _shares(lines)
    figure = style.new_figure(7.2, 3.6, name="differences")
    ax = style.quiet(figure.subplots())
    ax.axhline(0, color=style.INK, linewidth=1)
    looks = style.start_styles(line["init"] for line in lines)
    for i, (init, look) in enumerate(looks.items()):
        dodge = 0.15 * (i - (len(looks) - 1) / 2)
        look = {"color": look["color"], "marker": look["marker"], "label": init}
        for line in (line for line in lines if line["init"] == init):
            x, y = shares.index(line["fraction"]) + dodge, line["difference"]
            low, high = line["low"], line["high"]
            if math.isfinite(high - low):
                ax.plot([x, x], [low, high], color=look["color"], linewidth=1.6)
            clear = verdict(line).endswith(("gain", "LOSS"))
            fill = look["color"] if clear else "white"
            ax.plot(x, y, **look, markersize=7, markerfacecolor=fill, linestyle="")
            look["label"] = None  # name a start once
    metric = style.METRICS.get(lines[0]["metric"], lines[0]["metric"])
    _share_axis(ax, shares)
    ax.set_ylabel(f"{metric} minus scratch,\nmean and 95 % interval")
    style.legend_below(figure, ax)
    style.headline(figure, title or _difference_finding(lines))
    return figure


def _difference_finding(lines: Lines) -> str:
    """Say for each start at which shares it gained or lost."""
    parts = []
    for init in dict.fromkeys(line["init"] for line in lines):
        words: dict[str, list[str]] = {}
        for line in (line for line in lines if line["init"] == init):
            word = verdict(line).rsplit(" ", 1)[-1]
            words.setdefault(word, []).append(style.percent(line["fraction"]))
        clear = [
            f"{verb} at {style.join_words(words[word])}"
            for word, verb in (("gain", "gains"), ("LOSS", "loses"))
            if word in words
        ]
        parts.append(f"{init} {' and '.join(clear) or 'is not clear of scratch'}")
    return "; ".join(parts)


def _shares(lines: Lines) -> list[float]:
    """Return the label shares in ascending order."""
    if not lines:
        raise ValueError("summary must hold at least one line, found none")
    return sorted({line["fraction"] for line in lines})


def _share_axis(ax: Axes, shares: list[float]) -> None:
    """Space the shares evenly: each is about double the one before."""
    ax.set_xticks(range(len(shares)), [style.percent(share) for share in shares])
    ax.set(xlabel="share of the labels", xlim=(-0.5, len(shares) - 0.5))


def _finite(value: float | None) -> float:
    """Read a number that JSON may have turned into null."""
    return math.nan if value is None else float(value)
