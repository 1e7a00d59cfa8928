"""Figures of scores: against the training step, and against the labels."""

import math
from itertools import cycle

import numpy as np
from matplotlib.ticker import LogLocator

from tinyssl.plots import _style as style
from tinyssl.summary import (
    SCRATCH,
    Metric,
    by_labels,
    finding,
    metric_of,
    name_group,
    name_groups,
    number,
    outcome,
    reference,
)


def pretext_curves(logs, *, chance=None, metric="loss", title=None):
    """Draw what a pretext task logged, batch by batch, against the training step.

    ``logs`` are, by name, a log a fold, of ``tinyssl.training.train``: thin lines, and
    their smoothed mean. Drawn too: ``chance``, what guessing scores, and the error of
    copying the input where rows hold it ("copy", "copy_" and the metric).
    """
    logs = {name: [fold for fold in folds if fold] for name, folds in logs.items()}
    logs = {name: folds for name, folds in logs.items() if folds}
    if not logs:
        raise ValueError("logs must hold at least one row of one fold, found none")
    word = {"swapped": "error inside the changed patches"}.get(metric, metric)
    figure = style.new_figure(2.8, name=f"pretext-{'-'.join(logs)}-{metric}")
    ax = style.quiet(figure.subplots())
    alone = {"color": style.INK} if len(logs) == 1 else {}  # no initialisation's colour
    levels = {} if chance is None else {"chance": chance}
    found = []
    for name, look in style.init_styles(logs).items():
        folds, of = logs[name], "" if alone else f" of {name}"
        window = min(map(len, folds)) // 15
        _, mean = _draw(ax, folds, metric, look | alone, window)
        ax.lines[-1].set_label(name)
        found.append(f"{name} ends at {word} {number(mean[-1])}")
        copied = "copy" if metric == "loss" else f"copy_{metric}"
        if copied in folds[0][0]:
            means = [style.mean_of_finite(_values(fold, copied)) for fold in folds]
            levels[f"copying the input{of}"] = style.mean_of_finite(means)
    for (name, level), dash in zip(levels.items(), cycle(style.GREY_LINES)):
        found.append(f"{name}: {number(level)}")
        look = {"color": style.QUIET, "linestyle": dash, "linewidth": 1.2}
        ax.axhline(level, label=found[-1], **look)
    ax.set_xlabel("training step")
    ax.set_ylabel(style.wrapped(f"{word}, training batches", 2.4))
    ax.margins(x=0.01)
    if metric == "loss":
        ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", nbins=6, integer=True)
    style.legend_below(figure, ax)
    return style.headline(figure, title or "; ".join(found))


def _values(curve, metric):
    return np.array([point.get(metric) for point in curve], dtype=float)


def _draw(ax, curves, metric, look, window=1):
    """Draw a line a curve, and their smoothed mean, as far as all go: returned."""
    look = {key: look[key] for key in ("color", "linestyle")}
    steps = [_values(curve, "step") for curve in curves]
    values = [_values(curve, metric) for curve in curves]
    for curve in zip(steps, values, strict=True):
        ax.plot(*curve, **look, alpha=0.25, linewidth=0.7)
    n = min(map(len, curves))
    mean = style.mean_of_finite([own[:n] for own in values])
    middle = np.mean([own[:n] for own in steps], axis=0), style.smooth(mean, window)
    ax.plot(*middle, **look, linewidth=2.1)
    return middle


def convergence(rows, *, metric="qwk", how=None, title=None):
    """Draw the held-out score against the training step, a panel for each labels.

    As `pretext_curves`, of the "curve" of an experiment's rows. Steps are logarithmic
    where one initialisation trains more than three times as long as another.
    """
    how = how or Metric(metric)
    rows = [row for row in rows if any(metric in x for x in row.get("curve", ()))]
    groups = by_labels(rows)
    if not groups:
        raise ValueError(f"rows must hold curves of {metric}, found none")
    columns = min(2, len(groups))
    lines = math.ceil(len(groups) / columns)
    height = 1.9 * lines
    figure = style.new_figure(height, name="convergence")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for ax in grid.flat[len(groups) :]:
        ax.remove()
    looks = style.init_styles(row["init"] for row in rows)
    ends = [[row["curve"][-1]["step"] for row in group] for group in groups.values()]
    logarithmic = any(max(last) > 3 * min(last) for last in ends)
    means = []  # of each group, by initialisation
    for ax, (name, group) in zip(grid.flat, groups.items(), strict=False):
        style.quiet(ax).set_title(name_groups([name]), loc="left", **style.SMALL)
        means.append({})
        for init, look in looks.items():
            curves = [row["curve"] for row in group if row["init"] == init]
            if curves:
                means[-1][init] = _draw(ax, curves, metric, look)
                ax.lines[-1].set_label(init)
        if logarithmic:
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
        else:
            ax.locator_params(axis="x", nbins=4, integer=True)
    for ax in grid.flat[max(0, len(groups) - columns) : len(groups)]:
        ax.set_xlabel("training step", **style.SMALL)
    words = style.wrapped(f"held-out {how.words}", height - 0.4)
    figure.supylabel(words, **style.SMALL)
    style.legend_below(figure, *figure.axes)
    first, found = next(iter(groups)), _reached(means[0], how)
    return style.headline(figure, title or f"At {name_groups([first])} {found}")


def _reached(means, metric):
    """Say when each initialisation is first as good as scratch at its end."""
    if SCRATCH not in means:
        return f"the held-out {metric.words} against the training step"
    steps, scores = means[SCRATCH]
    end, sign = number(scores[-1]), 1 if metric.higher else -1
    found = f"scratch ends at {metric.words} {end} after {steps[-1]:.0f} steps"
    for init, (own_steps, own) in means.items():
        if not init.startswith(SCRATCH):
            there = own_steps[sign * own >= sign * scores[-1]]
            step = f"by step {there[0]:.0f}" if len(there) else "never"
            found += f"; {init}: there {step}"
    return found


def label_efficiency(summary, *, baselines=(), title=None):
    """Draw a summary's scores against the labels, every run a point."""
    figure, ax, inits = _slots(summary, 3.2, "label-efficiency")
    for init, (look, lines) in inits.items():
        for x, line in lines.items():
            dots = {"color": look["color"], "linewidth": 0.8, "alpha": 0.55}
            ax.plot([x] * len(line["values"]), line["values"], ".-", **dots)
        means = np.array([line["avg"] for line in lines.values()], dtype=float)
        edge = {"markersize": 7, "markeredgecolor": "white", "markeredgewidth": 0.8}
        ax.plot(list(lines), means, **look, **edge, linewidth=1.8, label=init)
    places = {name: x for x, name in enumerate(by_labels(summary))}
    known = style.init_styles(line["init"] for line in baselines)
    for init, dash in zip(known, cycle(style.GREY_LINES)):
        look = {"color": style.QUIET, "linestyle": dash, "linewidth": 1.4}
        ax.plot([], [], **look, label=init)
        for line in (line for line in baselines if line["init"] == init):
            x, level = places[name_group(line["labels"])], np.float64(line["avg"])
            ax.plot([x - 0.5, x + 0.5], [level, level], **look)
    ax.margins(y=0.08)
    ax.set_ylabel(f"held-out {metric_of(summary[0]).words}")
    style.legend_below(figure, ax)
    return style.headline(figure, title or finding(summary, baselines=baselines))


def draws(summaries, pairs, *, chance=None, title=None):
    """Draw every run as a dot, their means, and each run's way in a pair as a line.

    ``summaries`` are, by what was asked, of one metric: a panel each, above one scale;
    ``pairs`` name by an initialisation the one it is compared with.
    """
    lines = [line for some in summaries.values() for line in some]
    if not lines:
        raise ValueError("summaries must hold at least one line, found none")
    looks = style.init_styles(line["init"] for line in lines)
    heights = [len(some) for some in summaries.values()]
    figure = style.new_figure(
        0.32 * len(lines) + 0.5 * len(heights) + 0.4, name="draws"
    )
    how = {"squeeze": False, "sharex": True, "height_ratios": heights}
    grid = figure.subplots(len(heights), **how)[:, 0]
    for ax, (asked, some) in zip(grid, summaries.items(), strict=True):
        style.quiet(ax, grid="x").set_title(asked, loc="left", **style.SMALL)
        places = {line["init"]: place for place, line in enumerate(some)}
        values = np.array([line["values"] for line in some], dtype=float)  # (init, run)
        thin = {"color": style.QUIET, "linewidth": 0.8, "alpha": 0.45}
        ax.plot(values, [*places.values()], ".", **thin)
        for one in (one for one in pairs if {one, pairs[one]} <= set(places)):
            both = [places[one], places[pairs[one]]]
            ax.plot(values[both], both, "-", **thin)
        for place, line in enumerate(some):
            look = looks[line["init"]] | {"markeredgecolor": "white"}
            ax.plot(line["avg"], place, **look, markersize=9)
            beside = {"xycoords": ("axes fraction", "data"), "va": "center"}
            ax.annotate(number(line["avg"]), (1.01, place), **beside, **style.SMALL)
        ax.set_yticks(range(len(some)), [line["init"] for line in some])
        ax.set_ylim(len(some) - 0.5, -0.5)
        if chance is not None:
            ax.axvline(chance, color=style.QUIET, linestyle=":", linewidth=1.2)
    grid[-1].set_xlabel(f"held-out {metric_of(lines[0]).words}, mean at the right")
    return style.headline(figure, title)


def differences(summary, *, title=None):
    """Draw the paired difference from scratch, filled where its interval excludes 0."""
    lines = [line for line in summary if "difference" in line]
    if not lines:
        raise ValueError("summary must hold an init beside scratch, found none")
    figure, ax, inits = _slots(lines, 2.9, "differences")
    ax.axhline(0, color=style.INK, linewidth=1)
    for init, (look, own) in inits.items():
        look = look | {"linestyle": "", "markersize": 7}
        ax.plot([], [], **look, label=init)
        for x, line in own.items():
            fill = "white" if outcome(line) == "unclear" else look["color"]
            if math.isfinite(line["high"] - line["low"]):
                ax.vlines(x, line["low"], line["high"], look["color"], linewidth=1.6)
            ax.plot(x, line["difference"], **look, markerfacecolor=fill)
    name = metric_of(lines[0]).words
    minus = f"{name} minus {reference(summary)}"
    text = f"{minus}, mean and 95\N{NO-BREAK SPACE}% interval"
    ax.set_ylabel(style.wrapped(text, 2.0))
    style.legend_below(figure, ax)
    return style.headline(figure, title or finding(lines))


def _slots(lines, height, name):
    """Make axes with a slot for each labels; return looks and lines by place too."""
    if not lines:
        raise ValueError("summary must hold at least one line, found none")
    groups, looks = by_labels(lines), style.init_styles(x["init"] for x in lines)
    figure = style.new_figure(height, name=name)
    ax = style.quiet(figure.subplots())
    for x in range(1, len(groups), 2):
        ax.axvspan(x - 0.5, x + 0.5, color=style.FAINT, zorder=0)
    ax.set_xticks(range(len(groups)), list(groups))
    ax.set(xlabel="labels", xlim=(-0.5, len(groups) - 0.5))
    inits = {}
    for k, (init, look) in enumerate(looks.items()):
        shift = min(0.1, 0.5 / len(looks)) * (k - (len(looks) - 1) / 2)
        places = enumerate(groups.values())
        own = {x + shift: y for x, ys in places for y in ys if y["init"] == init}
        inits[init] = look, own
    return figure, ax, inits
