"""One look for all figures: colours, sizes, headlines, legends.

A figure is at most 4.8 inches wide: a telephone shows that in 350 px, so that letters
of 9 points are 9 px high there. The report shows 108 px an inch.
"""

import itertools
import math
import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from tinyssl.summary import SAME_COMPUTE, SCRATCH, UNTRAINED

# Told apart by colour-blind readers (Okabe, Ito: Color universal design, 2008)
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
LOOKS = list(zip((BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY), "s^vPX*", strict=True))
DASHES = ("-", (0, (6, 1.5)), (0, (2, 1)))
INK, QUIET, FAINT = "#222222", "#666666", "#F3F3F3"

WIDTH = 4.8  # inches
SMALL = {"fontsize": 9, "color": INK}
LETTER = 0.075  # inches, the width of a small letter
LINE = 0.17  # inches, the height of a line of them
GREY_LINES = (":", "-.", "--", (0, (1, 3)))  # of chance and baselines


def new_figure(height, *, name, width=WIDTH):
    """Make an empty figure, sizes in inches; its label names the file."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.set_label(name)
    return figure


def grow(figure, inches):
    """Make room around the axes."""
    figure.set_figheight(figure.get_figheight() + inches)


def headline(figure, text):
    """Put the finding above the finished figure, flush left; return the figure."""
    if text:
        look = {"fontsize": 11, "fontweight": "bold", "color": INK}
        text = text[:1].upper() + text[1:].removesuffix(".")  # a caption goes on
        if dollars := "$" in text:  # Matplotlib would measure its lines as TeX
            text = wrapped(text, 0.75 * figure.get_figwidth())
        figure.suptitle(text, x=0.0055, ha="left", wrap=not dollars, **look)
        grow(figure, 0.2 * math.ceil(len(text) * 0.1 / figure.get_figwidth()) + 0.1)
    for words in figure.findobj(Text):  # a class called "$x" is a name, not TeX
        words.set_parse_math(False)
        letters = words.get_text().encode("utf-8", "backslashreplace")
        words.set_text(letters.decode())  # a file's name may hold what no font can
    return figure


def quiet(ax, *, grid="y"):
    """Take away what carries no data: frame, ticks; leave a faint grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#AAAAAA")
    ax.tick_params(color="#AAAAAA", labelcolor=INK, labelsize=9, length=3)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(**SMALL)
    ax.locator_params(axis="x", nbins=6)  # or 0.00025 would touch 0.00050
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color="#E8E8E8", linewidth=0.8)
    return ax


def legend_below(figure, *axes, patches=()):
    """Name every curve under the axes, and patches of colour."""
    marks = [mark for ax in axes for mark in ax.get_legend_handles_labels()[0]]
    names = {mark.get_label(): mark for mark in [*marks, *patches]}
    widest = LETTER * max(map(len, names)) + 0.6  # inches, with its mark
    columns = max(1, min(len(names), int(figure.get_figwidth() / widest)))
    place = {"loc": "outside lower center", "ncols": columns, "frameon": False}
    figure.legend(names.values(), names, **place, fontsize=9, labelcolor=INK)
    grow(figure, 0.2 * math.ceil(len(names) / columns) + 0.1)


def init_styles(names):
    """Give every initialisation its look, in their order; scratch is always grey."""
    plain = ("#555555", "o", "-")
    fixed = {SCRATCH: plain, UNTRAINED: plain, SAME_COMPUTE: ("#999999", "D", "--")}
    free = itertools.cycle([(*look, dash) for dash in DASHES for look in LOOKS])
    styles = {}
    for name in dict.fromkeys(names):
        color, marker, dash = fixed.get(name) or next(free)
        styles[name] = {"color": color, "marker": marker, "linestyle": dash}
    return styles


def show_image(ax, image):
    """Show one image without axes; a single channel in grey, from 0 to 1."""
    look = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "antialiased"}
    ax.imshow(image, **look)
    ax.set_axis_off()


def check_images(name, images):
    """Return images as floats in [0, 1]; refuse what is not a batch of images."""
    images = np.asarray(images)
    if images.ndim == 5:  # of volumes the middle slice
        images = images[:, images.shape[1] // 2]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or len(images) == 0:
        rule = "must be (N, H, W, 1 or 3) images"
        raise ValueError(f"{name} {rule}, found shape {images.shape}")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"{name} must hold uint8 or floats, found {images.dtype}")
    return np.clip(images / (255.0 if images.dtype == np.uint8 else 1.0), 0, 1)


def wrapped(text, inches):
    """Break small letters to a width."""
    return textwrap.fill(text, max(4, int(inches / LETTER)))


def mean_of_finite(values):
    """Average over the first axis, leaving out nan; nan where nothing is left."""
    return np.ma.filled(np.ma.masked_invalid(values).mean(axis=0), np.nan)


def smooth(values, window):
    """Average finite values over a moving window; the window shrinks at the ends."""
    window = np.ones(max(1, min(window, len(values))))
    finite = np.isfinite(values)
    total = np.convolve(np.where(finite, values, 0), window, "same")
    count = np.convolve(finite, window, "same").round()
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
