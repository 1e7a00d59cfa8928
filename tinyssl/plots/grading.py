"""Figures of a grader: one image graded, and how far its probabilities can be read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tinyssl.plots import _style as style


def grade_bars(
    image: ArrayLike,
    probabilities: ArrayLike,
    names: Sequence[str],
    *,
    answer: int | None = None,
    looked: ArrayLike | None = None,
    note: str | None = None,
    title: str | None = None,
) -> Figure:
    """Show one image, where the grader looked, and the probability of each grade.

    Parameters
    ----------
    image : (H, W, C) uint8 array, or floats in [0, 1]
    probabilities : (K,) array, values in [0, 1]
    names : sequence of K str
    answer : int, optional
        The grade to mark: a median need not be the most probable; else that.
    looked : (H, W) array, optional
        From `tinyssl.downstream.occlusion.occlusion_map`: red raises the grade, blue
        lowers it.
    note : str, optional
        Written below.
    title : str, optional
        Else the most probable grade.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If names are not K.

    Examples
    --------
    >>> image = np.zeros((8, 8, 3), np.uint8)
    >>> grade_bars(image, [0.2, 0.8], ["healthy", "ill"]).get_suptitle()
    'Most probable: ill (0.80)'
    """
    probabilities = np.asarray(probabilities, float)
    if probabilities.shape != (len(names),):
        raise ValueError(
            f"probabilities must be one a name ({len(names)}), "
            f"found shape {probabilities.shape}"
        )
    best = int(np.nan_to_num(probabilities, nan=-1).argmax())
    widths = [1, 1.7] if looked is None else [1, 1, 1.5]
    height = 2.7 if note is None else 3.1
    figure = style.new_figure(style.WIDTH, height, name="grade")
    left, *middle, right = figure.subplots(1, len(widths), width_ratios=widths)
    style.show_image(left, np.asarray(image), interpolation="antialiased")
    if looked is not None:
        _show_looked(middle[0], np.asarray(image), np.asarray(looked))
    _bars(right, probabilities, names, best if answer is None else answer)
    if note:
        words = {"x": 0.0055, "ha": "left", "fontsize": 8.5, "color": style.QUIET}
        figure.supxlabel(note, wrap=True, **words)
    style.headline(
        figure, title or f"Most probable: {names[best]} ({probabilities[best]:.2f})"
    )
    return figure


def _show_looked(ax: Axes, image: np.ndarray, looked: np.ndarray) -> None:
    """Lay the map over the image in grey; say how strong the strongest place is."""
    grey = image.mean(-1) / (255 if image.dtype == np.uint8 else 1)
    style.show_image(ax, 0.35 + 0.5 * grey, vmin=0, vmax=1)
    most = np.abs(looked).max()
    strength = np.abs(looked) / most if most > 0 else np.zeros_like(looked)
    ax.imshow(looked, cmap="RdBu_r", vmin=-most, vmax=most or 1, alpha=0.85 * strength)
    ax.set_title(
        f"red raises the grade,\nblue lowers it (most: {most:.2f})", fontsize=8.5
    )


def _bars(ax: Axes, probabilities: np.ndarray, names: Sequence[str], best: int) -> None:
    """Draw one bar a grade."""
    style.quiet(ax, grid=None)
    colors = [style.BLUE if k == best else "#B8C4CC" for k in range(len(names))]
    places = np.arange(len(names))
    ax.barh(places, np.nan_to_num(probabilities), height=0.62, color=colors)
    for place, value in zip(places, probabilities, strict=True):
        end = float(np.nan_to_num(value)) + 0.015
        ax.text(end, place, style.number(value), va="center", size=9)
    ax.set_yticks(places, [style.wrapped(name, 24) for name in names])
    ax.set(xlim=(0, 1.2), xticks=[0, 0.5, 1], xlabel="probability")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()


def calibration(found: Mapping[str, Any], *, title: str | None = None) -> Figure:
    """Draw how often answers were right against the probability they were given.

    Parameters
    ----------
    found : dict
        From `tinyssl.downstream.calibration.reliability`.
    title : str, optional
        Else whether the intervals reach the diagonal, computed here.

    Returns
    -------
    Figure
    """
    figure = style.new_figure(style.WIDTH * 0.62, 3.9, name="calibration")
    ax = style.quiet(figure.subplots())
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(
        "right as often as said", (0.03, 0.06), rotation=45, fontsize=8.5,
        color=style.QUIET, rotation_mode="anchor",
    )  # fmt: skip
    for k, group in enumerate(found["bins"]):
        ends = [group["low"], group["high"]]
        ax.plot([group["said"]] * 2, ends, color=style.BLUE, linewidth=1.6)
        ax.plot(group["said"], group["right"], "o", color=style.BLUE, markersize=7)
        below = k % 2  # neighbours may stand close
        ax.annotate(
            f"n {group['n']}", (group["said"], ends[1 - below]),
            xytext=(0, -4 if below else 4), va="top" if below else "bottom",
            textcoords="offset points", ha="center", fontsize=8, color=style.QUIET,
        )  # fmt: skip
    ax.set(xlim=(0, 1.02), ylim=(0, 1.08), aspect="equal")
    ax.set(xlabel="probability given to the answer", ylabel="share of answers right")
    style.headline(figure, title or _calibration_finding(found))
    return figure


def _calibration_finding(found: Mapping[str, Any]) -> str:
    """Say whether the grader is surer than it is right."""
    over = [g for g in found["bins"] if g["high"] < g["said"]]
    under = [g for g in found["bins"] if g["low"] > g["said"]]
    if over and not under:
        word = "surer than it is right"
    elif under and not over:
        word = "right more often than it says"
    elif over:
        word = "badly calibrated, both ways"
    else:
        word = "about as sure as it is right"
    return f"The grader is {word}: off by {found['error']:.2f} on average"
