"""Figures of images: strips and grids, and images beside what a network answered."""

import itertools
import math

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Patch

from tinyssl.plots import _style as style
from tinyssl.summary import number, percent

COLUMNS = 4  # images side by side that are still to be seen on a telephone


def strip(rows, *, names=None, titles=None, title=None):
    """Show batches of images under one another, a row each.

    Columns beyond the fourth go on below. ``names``, one a row, stand at the left, the
    N ``titles`` above the columns; a ValueError if they do not agree.
    """
    batches = [style.check_images("rows", row) for row in rows]
    figure, _ = _strip(batches, "strip", names=names, titles=titles)
    return style.headline(figure, title)


def _strip(
    rows, label, *, names=None, titles=None, below=(), columns=COLUMNS, side=1.5
):
    """Lay out rows of images and words; return the figure and its axes (rows, N)."""
    R, N = len(rows), len(rows[0])
    widths = {len(row) for row in rows} | ({N} if titles is None else {len(titles)})
    if widths != {N} or len(names or rows) != R:
        rule = f"images and titles one a column ({N})"
        raise ValueError(f"names must be one a row ({R}), {rule}")
    columns = max(1, min(columns, N))
    blocks, margin = math.ceil(N / columns), 0.9 if names else 0.0
    side = min(side, (style.WIDTH - margin) / columns)
    titles = [style.wrapped(text, side) for text in titles or ()]
    height = sum(side * row[0].shape[0] / row[0].shape[1] for row in rows)
    for words in (titles, below):
        height += style.LINE * max((text.count("\n") + 1 for text in words), default=0)
    width = max(3.8, side * columns + margin)
    figure = style.new_figure(blocks * height, name=label, width=width)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    grid = figure.subplots(blocks * R, columns, squeeze=False)
    axes = grid.reshape(blocks, R, columns).swapaxes(0, 1).reshape(R, -1)
    for ax in axes[:, N:].flat:
        ax.remove()
    axes = axes[:, :N]
    for ax, image in zip(axes.flat, itertools.chain(*rows), strict=True):
        style.show_image(ax, image)
    look = {"xycoords": "axes fraction", **style.SMALL}
    for ax, text in zip(axes[0], titles, strict=False):
        ax.set_title(text, pad=3, **style.SMALL)
    for first in axes[:, ::columns].T:
        for ax, name in zip(first, names or (), strict=False):
            name = style.wrapped(name, margin)
            ax.annotate(name, (-0.06, 0.5), ha="right", va="center", **look)
    for ax, text in zip(axes[-1], below, strict=False):
        ax.annotate(text, (0.5, -0.05), ha="center", va="top", **look)
    return figure, axes


def answered(rows, true, said, *, labels, names=None, what="answers"):
    """As `strip`, with the label of each column and, where it was missed, the answer.

    ``true`` and ``said`` are positions in ``labels``; ``what`` was asked for.
    """
    batches = [style.check_images("rows", row) for row in rows]
    true, said = np.asarray(true), np.asarray(said)
    right = true == said
    texts = [f"{labels[k]}, said {labels[a]}" for k, a in zip(true, said, strict=True)]
    texts = np.where(right, [f"{labels[k]} ✓" for k in true], texts).tolist()
    figure, axes = _strip(batches, "answered", names=names, titles=texts)
    for ax in axes[0, ~right]:
        ax.title.set_color(style.VERMILLION)
    found = f"{right.sum()} of {len(true)} {what} answered right"
    return style.headline(figure, f"{found}; chance is 1 in {len(labels)}")


def _with_error(batches, label, names, **words):
    """Lay out batches and, last, where the last of them differs from the first."""
    shapes = [str(batch.shape) for batch in batches]
    if len(set(shapes)) > 1:
        raise ValueError(f"the images must be of one shape, found {', '.join(shapes)}")
    error = np.abs(batches[-1] - batches[0]).mean(-1)  # (N, H, W)
    names = (*names, "difference")
    figure, axes = _strip([*batches, error], label, names=names, **words)
    scale = max(0.02, float(np.quantile(error, 0.995)))
    for ax in axes[-1]:
        ax.images[0].set(cmap="magma", clim=(0, scale))
    place = {"location": "bottom", "shrink": 0.5, "aspect": 30, "pad": 0.02}
    bar = figure.colorbar(axes[-1, 0].images[0], ax=list(axes.flat), **place)
    bar.set_label("mean absolute difference", **style.SMALL)
    bar.ax.tick_params(labelsize=9, length=2, color=style.QUIET)
    bar.outline.set_visible(False)
    style.grow(figure, 0.5)
    return figure, axes


def restorations(images, disordered, restored, changed, *, title=None):
    """Show originals, disordered images, what came back, and where it is wrong.

    ``changed``, (N, H, W), is where pixels were moved: outlined. Below are the mean
    squared errors inside it, of what came back and of the disordered image.
    """
    named = {"images": images, "disordered": disordered, "restored": restored}
    original, before, after = (style.check_images(*pair) for pair in named.items())
    changed = np.asarray(changed, dtype=bool)
    squared = (np.square(x - original).mean(-1) for x in (after, before))  # (N, H, W)
    inside = (np.ma.array(errors, mask=~changed) for errors in squared)
    left, copied = (np.ma.filled(x.mean(axis=(1, 2)), np.nan) for x in inside)
    errors = zip(left, copied, strict=True)
    texts = [f"MSE {number(a, 4)}\ncopy {number(b, 4)}" for a, b in errors]
    names, batches = ("original", "disordered", "restored"), (original, before, after)
    figure, axes = _with_error(batches, "restorations", names, below=texts)
    for ax, mask in zip(axes[1], changed, strict=True):
        if mask.any() and not mask.all():
            ax.contour(mask, levels=[0.5], colors=style.SKY, linewidths=0.7)
    found = "Nothing was changed"
    if np.nansum(copied):
        share = percent(round(np.nansum(left) / np.nansum(copied), 2))
        found = f"Inside the changed patches the error is {share} of copying the input"
        whole, copy = (np.square(x - original).mean() for x in (after, before))
        if whole > copy:  # the patches mended, the rest spoilt
            found += f", over the whole images {number(whole / copy, 1)} times"
    return style.headline(figure, title or found)


def pairs(images1, images2, scores, *, names=None, title=None):
    """Show pairs in columns, their SSIM ``scores`` below, and where they differ."""
    named = {"images1": images1, "images2": images2}
    batches = [style.check_images(*pair) for pair in named.items()]
    if {len(batch) for batch in batches} != {len(scores)}:
        counts = [len(images1), len(images2), len(scores)]
        raise ValueError(f"images1, images2 and scores must agree, found {counts}")
    words = {"titles": names, "below": [f"SSIM {number(score)}" for score in scores]}
    figure, _ = _with_error(batches, "pairs", ("real", "generated"), **words)
    found = f"SSIM of the pairs shown: {number(min(scores))} to {number(max(scores))}"
    return style.headline(figure, title or found)


def localizations(images, points_true, points_pred, *, radius, title=None):
    """Show a circle around each true point and a cross at the answer.

    Points are (N, 2, 2) arrays of the disc and the fovea, (y, x) in pixels; an answer
    is right at most ``radius`` pixels from the truth.
    """
    images = style.check_images("images", images)
    truth, found = np.asarray(points_true, float), np.asarray(points_pred, float)
    N = len(images)
    for name, points in (("points_true", truth), ("points_pred", found)):
        if points.shape != (N, 2, 2):
            raise ValueError(f"{name} must be ({N}, 2, 2), found {points.shape}")
    figure, axes = _strip([images], "points", side=style.WIDTH / 2)
    for n, k in np.ndindex(N, 2):
        name, color = (("disc", style.SKY), ("fovea", style.ORANGE))[k]
        ring = {"fill": False, "edgecolor": color, "linewidth": 1.4}
        axes[0, n].add_patch(Circle(truth[n, k, ::-1], radius, **ring))
        answer = {"color": color, "marker": "x", "linestyle": "", "markersize": 6}
        label = f"{name}: circle true, cross found"
        axes[0, n].plot(*found[n, k, ::-1], **answer, label=label)
    style.legend_below(figure, axes[0, 0])
    inside = np.linalg.norm(truth - found, axis=2) <= radius
    text = f"{inside.sum()} of {inside.size} points found within their circle"
    return style.headline(figure, title or text)


def vessels(image, truth, probability, region, *, threshold=0.5, title=None):
    """Show an image, what is annotated and found in it, and where the two differ.

    The image is (H, W, C), the others (H, W). Nothing outside the region counts.
    """
    (image,) = style.check_images("image", np.asarray(image)[None])
    truth, region = np.asarray(truth, bool), np.asarray(region, bool)
    probability = np.asarray(probability, float)
    shapes = [image.shape[:2], truth.shape, probability.shape, region.shape]
    if len(set(shapes)) > 1:
        found = ", ".join(map(str, shapes))
        rule = "image, truth, probability, region must share height and width"
        raise ValueError(f"{rule}, found {found}")
    truth, found = truth & region, (probability >= threshold) & region
    errors = np.repeat(0.55 * image.mean(-1, keepdims=True), 3, axis=2)  # faded, grey
    counts, keys = [], []
    for name, mask, color in (  # colour-blind safe, and no two of one lightness
        ("missed", truth & ~found, style.SKY),
        ("too much", found & ~truth, style.VERMILLION),
        ("right", found & truth, "#F5F5F5"),
    ):
        errors[mask] = to_rgb(color)
        counts.append(int(mask.sum()))
        edge = {"edgecolor": "#999999", "linewidth": 0.6}
        keys.append(Patch(facecolor=color, label=f"{name} ({counts[-1]:,} px)", **edge))
    panels = [image, truth, np.where(region, probability, 0), errors]
    titles = ("image", "annotated", "probability", f"errors at threshold {threshold:g}")
    look = {"titles": titles, "columns": 2, "side": style.WIDTH / 2}
    figure, _ = _strip([panels], "vessels", **look)
    style.legend_below(figure, patches=keys)
    missed, extra, right = counts
    text = "Nothing is annotated and nothing was found"
    if any(counts):
        sensitivity = number(right / (right + missed) if right + missed else None)
        precision = number(right / (right + extra) if right + extra else None)
        text = (
            f"Dice {number(2 * right / (2 * right + extra + missed))} inside the field "
            f"of view: {sensitivity} of the annotated pixels found, {precision} of "
            "those found are right"
        )
    return style.headline(figure, title or text)
