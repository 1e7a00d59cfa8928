"""Figures of label efficiency: scores, and differences from scratch, by label share."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinyssl.plots import _style as style
from tinyssl.summary import SCRATCH, best_average, grouped_by, name_group, verdict

Lines = Sequence[Mapping[str, Any]]


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
        From ``tinyssl.summary.summarise``, by fraction or by labels.
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
    by, shares = grouped_by(summary), _shares(summary)
    figure = style.new_figure(style.WIDTH, 4.2, name="label-efficiency")
    ax = style.quiet(figure.subplots())
    looks = style.start_styles(line["init"] for line in summary)
    for i, (init, look) in enumerate(looks.items()):
        lines = {line[by]: line for line in summary if line["init"] == init}
        dodge = 0.12 * (i - (len(looks) - 1) / 2)
        x = np.array([shares.index(share) for share in sorted(lines)]) + dodge
        folds = [
            np.array(lines[share]["values"], dtype=float) for share in sorted(lines)
        ]
        for place, values in zip(x, folds, strict=True):
            dots = {"marker": "o", "markersize": 3, "linewidth": 0.8, "alpha": 0.55}
            ax.plot(np.full(len(values), place), values, color=look["color"], **dots)
        y = [_finite(lines[share]["avg"]) for share in sorted(lines)]
        ax.plot(
            x, y, **look, linewidth=1.8, markersize=7, markeredgecolor="white",
            markeredgewidth=0.8, label=init,
        )  # fmt: skip
    ax.margins(y=0.08)
    _baseline_lines(ax, baselines or (), by, shares)
    _share_axis(ax, by, shares)
    held_out = "images" if by == "labels" else "fold"  # seeds are no folds
    ax.set_ylabel(f"{style.FULL_NAMES.get(metric, metric)}\non the held-out {held_out}")
    style.legend_below(figure, ax)
    style.headline(figure, title or _efficiency_finding(summary, shares, metric))
    return figure


def _baseline_lines(ax: Axes, baselines: Lines, by: str, shares: list[float]) -> None:
    """Draw baselines dotted and name them in place; the lowest from below."""
    levels = {}
    for init in dict.fromkeys(line["init"] for line in baselines):
        cell = {b[by]: _finite(b["avg"]) for b in baselines if b["init"] == init}
        levels[init] = np.array([cell.get(share, math.nan) for share in shares])
    for init, level in levels.items():
        places = np.flatnonzero(np.isfinite(level))
        if not len(places):
            continue
        ax.plot(level, color=style.QUIET, linestyle=(0, (1, 1.5)), linewidth=1.4)
        last = places[-1]
        lowest = len(levels) > 1 and level[last] <= min(
            other[last] for other in levels.values()
        )
        ax.annotate(
            init, (last, level[last]), xytext=(0, -4 if lowest else 4),
            textcoords="offset points", ha="right", va="top" if lowest else "bottom",
            fontsize=8.5, color=style.QUIET,
        )  # fmt: skip


def _efficiency_finding(summary: Lines, shares: list[float], metric: str) -> str:
    """Say what stands where at the smallest and the largest share."""
    parts, by = [], grouped_by(summary)
    for share in dict.fromkeys((shares[0], shares[-1])):
        lines = [line for line in summary if line[by] == share]
        lines = [line for line in lines if math.isfinite(_finite(line["avg"]))]
        cell = {line["init"]: line["avg"] for line in lines}
        if not cell:
            continue
        best = next(init for init in cell if cell[init] == best_average(lines))
        text = f"{best} {style.number(cell[best])}"
        if len(cell) > 1 and len(set(cell.values())) == 1:
            text = f"all alike, {style.number(cell[best])}"
        elif best == SCRATCH and len(cell) > 1:
            text = f"scratch is best, {style.number(cell[best])}"
        elif SCRATCH in cell and best != SCRATCH:
            text += f", scratch {style.number(cell[SCRATCH])}"
        of_labels = " of the labels" if not parts and by == "fraction" else ""
        parts.append(f"at {name_group(by, share)}{of_labels}: {text}")
    return f"Mean {style.METRICS.get(metric, metric)} " + "; ".join(parts)


def differences(summary: Lines, *, title: str | None = None) -> Figure:
    """Draw the paired difference from scratch with its interval, a share and start.

    Parameters
    ----------
    summary : list of dict
        From ``tinyssl.summary.summarise``, by fraction or by labels.
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
    by, shares = grouped_by(lines), _shares(lines)
    figure = style.new_figure(style.WIDTH, 3.6, name="differences")
    ax = style.quiet(figure.subplots())
    ax.axhline(0, color=style.INK, linewidth=1)
    looks = style.start_styles(line["init"] for line in lines)
    for i, (init, look) in enumerate(looks.items()):
        dodge = 0.15 * (i - (len(looks) - 1) / 2)
        look = {"color": look["color"], "marker": look["marker"], "label": init}
        for line in (line for line in lines if line["init"] == init):
            x, y = shares.index(line[by]) + dodge, line["difference"]
            low, high = line["low"], line["high"]
            if math.isfinite(high - low):
                ax.plot([x, x], [low, high], color=look["color"], linewidth=1.6)
            clear = verdict(line).endswith(("gain", "LOSS"))
            fill = look["color"] if clear else "white"
            ax.plot(x, y, **look, markersize=7, markerfacecolor=fill, linestyle="")
            look["label"] = None  # name a start once
    metric = style.METRICS.get(lines[0]["metric"], lines[0]["metric"])
    _share_axis(ax, by, shares)
    label = f"{metric} minus scratch, mean and 95\N{NO-BREAK SPACE}% interval"
    ax.set_ylabel(style.wrapped(label, 30))
    style.legend_below(figure, ax)
    style.headline(figure, title or _difference_finding(lines))
    return figure


def _difference_finding(lines: Lines) -> str:
    """Say for each start at which shares it gained or lost."""
    inits = dict.fromkeys(line["init"] for line in lines)
    by = grouped_by(lines)
    who: dict[str, list[str]] = {}  # what is found, and of which starts
    for init in sorted(inits, key=lambda init: init.startswith(SCRATCH)):
        shares: dict[str, list[str]] = {"gain": [], "LOSS": [], "unclear": []}
        for line in (line for line in lines if line["init"] == init):
            word = verdict(line).rsplit(" ", 1)[-1]
            shares[word].append(name_group(by, line[by]))
        clear = [
            f"{noun} at {style.join_words(shares[word])}"
            for word, noun in (("gain", "gain"), ("LOSS", "loss"))
            if shares[word]
        ]
        found = " and ".join(clear) or "not clear of scratch"
        who.setdefault(found, []).append(init.replace(", with", " with"))
    if list(who) == ["not clear of scratch"] and len(inits) > 1:
        return "No start is clear of scratch"
    return "; ".join(f"{style.join_words(names)}: {f}" for f, names in who.items())


def _shares(lines: Lines) -> list[float]:
    """Return the label shares in ascending order."""
    if not lines:
        raise ValueError("summary must hold at least one line, found none")
    return sorted({line[grouped_by(lines)] for line in lines})


def _share_axis(ax: Axes, by: str, shares: list[float]) -> None:
    """Space the shares evenly: each is about double the one before."""
    names = [str(s) if by == "labels" else name_group(by, s) for s in shares]
    ax.set_xticks(range(len(shares)), names)
    xlabel = "labelled images" if by == "labels" else "share of the labels"
    ax.set(xlabel=xlabel, xlim=(-0.5, len(shares) - 0.5))


def _finite(value: float | None) -> float:
    """Read a number that JSON may have turned into null."""
    return math.nan if value is None else float(value)
