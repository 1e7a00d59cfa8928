"""Figures of answers: one image graded, grades confused, probabilities, distances."""

import numpy as np

from tinyssl.plots import _style as style
from tinyssl.summary import number, percent


def grade_bars(
    image,
    probabilities,
    names,
    *,
    answer=None,
    looked=None,
    raised="the grade",
    note=None,
    title=None,
):
    """Show one image, where the grader looked, and the probability of each class.

    The image is (H, W, C), probabilities one a name. ``answer`` is the grade to mark (a
    median need not be the most probable), ``looked`` (H, W), positive where the image
    raises what ``raised`` names.
    """
    (image,) = style.check_images("image", np.asarray(image)[None])
    probabilities, K = np.asarray(probabilities, float), len(names)
    if probabilities.shape != (K,):
        rule = f"must be one a name ({K})"
        raise ValueError(f"probabilities {rule}, found shape {probabilities.shape}")
    best = int(np.nan_to_num(probabilities, nan=-1).argmax())
    rows, height = [["image", "bars"]], 2.2
    if looked is not None:
        rows, height = [["image", "looked"], ["bars", "bars"]], 2.2 + 0.36 * K
    figure = style.new_figure(height, name="grade")
    axes = figure.subplot_mosaic(rows)
    style.show_image(axes["image"], image)
    if looked is not None:
        ax, most = axes["looked"], np.abs(looked).max()
        style.show_image(ax, 0.35 + 0.5 * image.mean(-1))
        alpha = 0.85 * np.abs(looked) / (most or 1)
        ax.imshow(looked, cmap="RdBu_r", vmin=-most, vmax=most or 1, alpha=alpha)
        text = f"red raises {raised}, blue lowers it (most: {number(most)})"
        ax.set_title(style.wrapped(text, 1.5), **style.SMALL)
    ax, places = style.quiet(axes["bars"], grid=None), np.arange(K)
    colors = ["#B8C4CC"] * K
    colors[best if answer is None else answer] = style.BLUE
    lengths = np.nan_to_num(probabilities)
    ax.barh(places, lengths, height=0.62, color=colors)
    for place, end, value in zip(places, lengths, probabilities, strict=True):
        ax.text(end + 0.015, place, number(value), va="center", **style.SMALL)
    ax.set_yticks(places, [style.wrapped(name, 1.7) for name in names])
    ax.set(xlim=(0, 1.25), xticks=[0, 0.5, 1], xlabel="probability")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    if note:
        note = style.wrapped(note, style.WIDTH)
        figure.supxlabel(note, x=0.0055, ha="left", **style.SMALL)
        style.grow(figure, style.LINE * (note.count("\n") + 2))
    found = f"Most probable: {names[best]} ({number(probabilities[best])})"
    return style.headline(figure, title or found)


def calibration(found, *, title=None):
    """Draw how often answers were right against what they said; of a reliability."""
    figure = style.new_figure(3.6, name="calibration", width=4.1)
    ax, bins = style.quiet(figure.subplots()), found["bins"]
    for group in bins:
        ends = [group["low"], group["high"]]
        ax.plot([group["said"]] * 2, ends, color=style.BLUE, linewidth=1.6)
    x, y = ([group[key] for group in bins] for key in ("said", "right"))
    counts = sorted({f(group["n"] for group in bins) for f in (min, max)})
    label = f"{'–'.join(map(str, counts))} answers, 95 % interval"
    ax.plot(x, y, "o", color=style.BLUE, markersize=7, label=label)
    look = {"color": style.QUIET, "linewidth": 1, "linestyle": (0, (4, 3))}
    ax.plot([0, 1], [0, 1], **look, label="right as often as said")
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    ax.set(xlabel="probability given to the answer", ylabel="share of answers right")
    style.legend_below(figure, ax)
    over = any(group["high"] < group["said"] for group in bins)
    under = any(group["low"] > group["said"] for group in bins)
    word = "badly calibrated, both ways" if over else "right more often than it says"
    if not under:
        word = "surer than it is right" if over else "about as sure as it is right"
    found = f"The grader is {word}: off by {number(found['error'])} on average"
    return style.headline(figure, title or found)


def confusion(matrix, *, labels=None, title=None):
    """Show a (K, K) confusion matrix, rows true: counts, and shares of each row."""
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"matrix must be square, found shape {matrix.shape}")
    K = len(matrix)
    labels = [str(k) for k in range(K)] if labels is None else list(labels)
    if len(labels) != K:
        raise ValueError(f"labels must be one a class ({K}), found {len(labels)}")
    total = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, total, out=np.zeros((K, K)), where=total > 0)

    side = 1.4 + 0.7 * K
    figure = style.new_figure(side, name="confusion", width=max(side + 0.3, 4.1))
    ax = style.quiet(figure.subplots(), grid=None)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.15)
    look = {"ha": "center", "va": "center"}
    for (i, j), count in np.ndenumerate(matrix):
        color = "white" if shares[i, j] > 0.6 else style.INK
        ax.text(j, i - 0.12, f"{count:g}", size=10.5, color=color, **look)
        text = percent(round(shares[i, j], 2)) if total[i, 0] else "–"
        ax.text(j, i + 0.24, text, size=9, color=color, **look)
    texts = [style.wrapped(label, 1.3) for label in labels]
    ax.set_yticks(range(K), texts)
    long = max(map(len, labels)) > 9
    ax.set_xticks(range(K), texts, rotation=90 if long else 0)
    ax.set(xlabel="answered", ylabel="true")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    found = f"{np.trace(matrix):g} of {matrix.sum():g} answered right"  # no 99.6 %
    off = matrix * (1 - np.eye(K, dtype=matrix.dtype))
    if off.any():
        i, j = np.unravel_index(off.argmax(), off.shape)
        found += f"; most often {labels[i]} is taken for {labels[j]} ({off[i, j]:g})"
    return style.headline(figure, title or found)


def distances(distance, chance, *, interval=None, title=None):
    """Show a distance with those that chance gives, by name; the first is counted."""
    rows = {name: np.asarray(values, float) for name, values in chance.items()}
    figure = style.new_figure(0.7 + 0.4 * len(rows), name="distance")
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
    near = int((values >= distance).sum())
    found = f"{near} of {len(values)} sets that do not differ ({name}) are as far apart"
    return style.headline(figure, title or found)


def matrix(values, *, title=None):
    """Show numbers from 0 to 1 by row and column: a dict of dicts; dark is more."""
    rows, columns = list(values), list(next(iter(values.values())))
    table = np.array([[values[row][column] for column in columns] for row in rows])
    height = 0.21 * len(rows) + 2.0  # a title of three lines, names of columns
    figure = style.new_figure(height, name="matrix")
    ax = style.quiet(figure.subplots(), grid=None)
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        color = "white" if value > 0.6 else style.INK
        text = "–" if np.isnan(value) else f"{max(0, value):.2f}"
        text = text[0] if text.endswith(".00") else text.lstrip("0")  # a cell is small
        look = {"ha": "center", "va": "center", "size": 7.5, "color": color}
        ax.text(j, i, text, **look)
    ax.set_xticks(range(len(columns)), columns, rotation=90, **style.SMALL)
    ax.set_yticks(range(len(rows)), rows, **style.SMALL)
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return style.headline(figure, title)
