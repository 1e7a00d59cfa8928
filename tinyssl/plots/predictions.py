"""Figures of answers: a confusion matrix and a vessel map."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from tinyssl.plots import _style as style


def confusion(
    matrix: ArrayLike, *, labels: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Show a confusion matrix: counts, and shares of each row.

    Parameters
    ----------
    matrix : (K, K) int array
        ``matrix[i, j]`` counts images of true class i answered as j.
    labels : sequence of K str, optional
        Else 0..K-1.
    title : str, optional
        Else how many are right, and right within one class, computed here.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If matrix is not square, or labels are not K.

    Examples
    --------
    >>> confusion([[8, 2], [1, 9]]).get_suptitle().split("; ")[1]
    'the commonest slip: 0 taken for 1 (2)'
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"matrix must be square, found shape {matrix.shape}")
    K = len(matrix)
    labels = [str(k) for k in range(K)] if labels is None else list(labels)
    if len(labels) != K:
        raise ValueError(f"labels must be one a class ({K}), found {len(labels)}")
    total = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, total, out=np.zeros((K, K)), where=total > 0)

    side = 1.6 + 0.74 * K
    figure = style.new_figure(max(side, 4.6), side, name="confusion")
    ax = style.quiet(figure.subplots(), grid=None)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.15)
    for (i, j), count in np.ndenumerate(matrix):
        color = "white" if shares[i, j] > 0.6 else style.INK
        ax.text(
            j, i - 0.1, f"{count:g}", ha="center", va="center", size=10.5, color=color
        )
        text = style.percent(round(shares[i, j], 2)) if total[i, 0] else "–"
        ax.text(j, i + 0.22, text, ha="center", va="center", size=7.5, color=color)
    ax.set_xticks(range(K), [style.wrapped(label, 12) for label in labels])
    ax.set_yticks(range(K), [style.wrapped(label, 16) for label in labels])
    ax.set(xlabel="answered", ylabel="true")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=8)
    style.headline(figure, title or _confusion_finding(matrix, labels))
    return figure


def _confusion_finding(matrix: np.ndarray, labels: Sequence[str]) -> str:
    """Say how often the answer is right and where it most often is not."""
    total = matrix.sum()
    if total == 0:
        return "No image was answered"
    text = f"{np.trace(matrix):g} of {total:g}"  # 99.6 % is not all
    off = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    if not off.any():
        return text + " answered right"
    i, j = np.unravel_index(off.argmax(), off.shape)
    return (
        f"{text} answered right; the commonest slip: "
        f"{labels[i]} taken for {labels[j]} ({off[i, j]:g})"
    )


def vessels(
    image: ArrayLike,
    truth: ArrayLike,
    probability: ArrayLike,
    region: ArrayLike,
    *,
    threshold: float = 0.5,
    title: str | None = None,
) -> Figure:
    """Show an image, its vessels as drawn and as found, and where the two differ.

    Parameters
    ----------
    image : (H, W, C) uint8 array, or floats in [0, 1]
    truth : (H, W) bool array
    probability : (H, W) float array, values in [0, 1]
    region : (H, W) bool array
        The field of view: nothing outside it is counted.
    threshold : float
        Probability from which a pixel counts as vessel.
    title : str, optional
        Else Dice, sensitivity and precision, computed here.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the four are not of one height and width.
    """
    image = style.as_unit(np.asarray(image))
    truth, region = np.asarray(truth, bool), np.asarray(region, bool)
    probability = np.asarray(probability, float)
    shapes = [image.shape[:2], truth.shape, probability.shape, region.shape]
    if len(set(shapes)) > 1:
        raise ValueError(
            "image, truth, probability, region must share height and width, found "
            + ", ".join(map(str, shapes))
        )
    found = (probability >= threshold) & region
    masks = {  # colour-blind safe, and no two of one lightness
        "missed": (~found & truth & region, style.SKY),
        "too much": (found & ~truth, style.VERMILLION),
        "right": (found & truth, "#F5F5F5"),
    }
    counts = {name: int(mask.sum()) for name, (mask, _) in masks.items()}

    # Errors on a faded grey image
    grey = image.mean(-1, keepdims=True) if image.ndim == 3 else image[..., None]
    overlay = np.repeat(0.55 * grey, 3, axis=2)
    for mask, colour in masks.values():
        overlay[mask] = to_rgb(colour)

    H, W = truth.shape
    figure = style.new_figure(style.WIDTH, style.WIDTH * H / W + 0.9, name="vessels")
    panels = {
        "image": image,
        "truth": truth & region,
        "probability": np.where(region, probability, 0),
        f"errors at threshold {threshold:g}": overlay,
    }
    grid = figure.subplots(2, 2)
    for ax, (name, panel) in zip(grid.flat, panels.items(), strict=True):
        style.show_image(ax, panel, vmin=0, vmax=1, interpolation="antialiased")
        ax.set_title(name, fontsize=9.5, color=style.INK, pad=4)
    edge = {"edgecolor": "#999999", "linewidth": 0.6}
    keys = [
        Patch(facecolor=colour, label=f"{name} ({counts[name]:,} px)", **edge)
        for name, (_, colour) in masks.items()
    ]
    place = {"loc": "outside lower right", "ncols": 3}
    figure.legend(handles=keys, frameon=False, fontsize=9, **place)
    style.headline(figure, title or _vessel_finding(*counts.values()))
    return figure


def _vessel_finding(missed: int, extra: int, right: int) -> str:
    """Say how well truth and answer overlap, in pixels."""
    if not missed + extra + right:
        return "No vessel is there and none was found"
    dice = 2 * right / (2 * right + extra + missed)
    sensitivity = right / (right + missed) if right + missed else None
    precision = right / (right + extra) if right + extra else None
    return (
        f"Dice {dice:.3f} inside the field of view: {style.number(sensitivity)} of the "
        f"vessel pixels found, {style.number(precision)} of those found are right"
    )
