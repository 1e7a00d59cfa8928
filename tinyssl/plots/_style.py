"""One look for all figures: colours, sizes, headlines, and numbers as words."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

# Told apart by colour-blind readers (Okabe, Ito: Color universal design, 2008)
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INK, QUIET, FAINT = "#222222", "#666666", "#DDDDDD"

WIDTH = 6.6  # inches; the report shows 108 px an inch, the width of its text

STARTS = {
    "scratch": {"color": "#555555", "marker": "o"},
    "scratch, same compute": {"color": "#999999", "marker": "D", "linestyle": "--"},
    "rotation": {"color": BLUE, "marker": "s"},
    "restoration": {"color": VERMILLION, "marker": "^"},
    "shuffling": {"color": GREEN, "marker": "v"},
}
OTHERS = (
    {"color": PURPLE, "marker": "P"},
    {"color": ORANGE, "marker": "X"},
    {"color": SKY, "marker": "*"},
)
METRICS = {"qwk": "QWK", "auc": "macro AUC", "accuracy": "accuracy", "dice": "Dice"}
METRICS |= {"error": "error in disc diameters", "within": "share within half a disc"}
METRICS |= {"average_precision": "average precision", "thin_recall": "thin recall"}
FULL_NAMES = METRICS | {"qwk": "quadratic weighted kappa (QWK)"}


def new_figure(width: float, height: float, *, name: str) -> Figure:
    """Make an empty figure, sizes in inches; its label names the file."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.set_label(name)
    return figure


def headline(figure: Figure, text: str | None) -> None:
    """Put the finding above the finished figure, flush left, broken to its width."""
    if text:
        look = {"fontsize": 11, "fontweight": "bold", "color": INK}
        text = text[:1].upper() + text[1:]
        figure.suptitle(text, x=0.0055, ha="left", wrap=True, **look)
    for words in figure.findobj(Text):  # a class called "$x" is a name, not TeX
        words.set_parse_math(False)


def quiet(ax: Axes, *, grid: str | None = "y") -> Axes:
    """Take away what carries no data: frame, ticks; leave a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#AAAAAA")
    ax.tick_params(color="#AAAAAA", labelcolor=INK, labelsize=9, length=3)
    ax.xaxis.label.set(size=9.5, color=INK)
    ax.yaxis.label.set(size=9.5, color=INK)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color="#E8E8E8", linewidth=0.8)
    return ax


def legend_below(figure: Figure, source: Axes) -> None:
    """Explain the marks under the axes, where there is more than one."""
    handles, labels = source.get_legend_handles_labels()
    if len(handles) > 1:
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=len(labels) if len(labels) < 5 else 3,
            frameon=False,
            fontsize=9,
            labelcolor=INK,
        )


def show_image(ax: Axes, image: np.ndarray, **options: Any) -> None:
    """Show one image without axes; an image of one channel in grey."""
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        options = {"cmap": "gray"} | options
    ax.imshow(image, **{"interpolation": "nearest"} | options)
    ax.set_axis_off()


def start_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give every start its colour and marker; unknown ones take the next free."""
    names = list(dict.fromkeys(names))
    unknown = [name for name in names if name not in STARTS]
    styles = {name: STARTS[name] for name in names if name in STARTS}
    styles |= {n: OTHERS[i % len(OTHERS)] for i, n in enumerate(unknown)}
    return {name: {"linestyle": "-"} | styles[name] for name in names}


def check_images(name: str, images: Any) -> np.ndarray:
    """Refuse what is not a batch of uint8 images, or floats in [0, 1]."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or len(images) == 0:
        raise ValueError(
            f"{name} must be (N, H, W, 1 or 3) images, found shape {images.shape}"
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"{name} must hold uint8 or floats, found {images.dtype}")
    return images


def as_unit(images: np.ndarray) -> np.ndarray:
    """Return float images in [0, 1]."""
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    return np.clip(images / scale, 0, 1)


# Numbers as words


def percent(share: float) -> str:
    """Write a share as "5 %", with a space that does not break."""
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


def number(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Write a number with a real minus; a dash when it is not finite."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def wrapped(text: str, columns: int) -> str:
    """Break a label between its words."""
    return textwrap.fill(text, columns, break_long_words=False)


def join_words(words: Sequence[str]) -> str:
    """Join as "a, b and c"."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def mean_of_finite(values: np.ndarray) -> np.ndarray:
    """Average over the first axis, leaving out nan; nan where nothing is left."""
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    total = np.where(finite, values, 0).sum(0)
    count = finite.sum(0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Average finite values over a moving window; the window shrinks at the ends."""
    window = max(1, min(window, len(values)))
    finite = np.isfinite(values)
    total = np.convolve(np.where(finite, values, 0), np.ones(window), "same")
    count = np.convolve(finite, np.ones(window), "same").round()
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
