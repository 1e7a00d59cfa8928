"""Figures: titles tell the truth, marks sit where the data are, no global moves."""

import io
import itertools
import math
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from tinyssl import plots
from tinyssl.plots import _style as style
from tinyssl.summary import summarise


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def experiment(folds=3, shares=(0.1, 1.0), gain=0.2, long=1):
    """Return rows in which rotation beats scratch by gain, restoration varies."""
    rows = []
    for fraction in shares:
        for fold in range(folds):
            scores = {"scratch": 0.3 + 0.01 * fold}
            scores["rotation"] = scores["scratch"] + gain + 0.001 * fold
            scores["restoration"] = scores["scratch"] + 0.1 * (-1) ** fold
            for init, qwk in scores.items():
                steps = 80 * (long if init == "restoration" else 1)
                curve = [[steps // 2, qwk / 2, 0.4], [steps, qwk, 0.5]]
                row = {"init": init, "fraction": fraction, "fold": fold, "qwk": qwk}
                rows.append(row | {"curve": curve, "labels": 10})
    return rows


def draw(figure):
    """Render, so that layout errors and warnings come out."""
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure


def lines_of(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


# The whole set


def all_figures(rng):
    images = rng.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    changed = np.zeros((3, 16, 16), bool)
    changed[:2, 4:8, 4:8] = True
    rows = experiment()
    log = [{"step": s, "loss": 1.0, "swapped": 0.5, "copy_swapped": 1} for s in (0, 1)]
    yield plots.image_grid(images, titles=["a", "b", "c"], title="three")
    yield plots.turns(images, [0, 1, 2], [0, 1, 3])
    yield plots.restorations(images, images[::-1], images, changed)
    yield plots.pretext_curves({"rotation": [log, log]}, chance=1.386)
    yield plots.pretext_curves({"restoration": [log]}, metric="swapped")
    yield plots.label_efficiency(summarise(rows), baselines=summarise(rows[:1]))
    yield plots.differences(summarise(rows))
    yield plots.convergence(rows)
    yield plots.confusion([[3, 1], [0, 0]])
    yield plots.vessels(images[0], changed[0], rng.random((16, 16)), ~changed[1])
    yield plots.grade_bars(images[0], [0.5, math.nan, 0.5], ["a", "b", "c"])


def test_every_figure_draws_has_a_finding_and_a_name_and_moves_nothing_global(rng):
    before = dict(mpl.rcParams)
    names = []
    for figure in all_figures(rng):
        draw(figure)
        assert figure.get_suptitle()
        names.append(figure.get_label())
    assert all(names)
    assert len(set(names)) == len(names)
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_imported():
    code = "import sys, tinyssl.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_start_keeps_its_colour_whatever_stands_beside_it():
    alone = style.start_styles(["rotation"])
    beside = style.start_styles(["mae", "rotation", "jigsaw", "scratch"])
    assert alone["rotation"] == beside["rotation"]
    assert len({look["color"] for look in beside.values()}) == 4


# Single fold, nan


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("broken", [False, True])
def test_few_folds_and_undefined_scores_still_draw(folds, broken):
    rows = experiment(folds, shares=(0.05,))
    if broken:
        for row in rows:
            row["qwk"] = math.nan
            row["curve"] = [[step, math.nan, acc] for step, _, acc in row["curve"]]
    summary = summarise(rows)
    draw(plots.label_efficiency(summary, baselines=summary))
    draw(plots.convergence(rows))
    figure = draw(plots.differences(summary))
    clear = folds > 1 and not broken
    assert ("Rotation: gain" in figure.get_suptitle()) == clear


def test_names_with_dollar_signs_are_names_not_formulas():
    draw(plots.confusion([[1, 1], [0, 1]], labels=["$a_{", "b$"]))
    rows = [row | {"init": row["init"] + " $x_{$"} for row in experiment()]
    draw(plots.convergence(rows))


# Images


def test_turns_counts_what_was_right(rng):
    images = rng.random((4, 8, 8, 3))
    figure = plots.turns(images, [0, 1, 2, 3], [0, 1, 2, 0])
    assert figure.get_suptitle().startswith("3 of 4")
    assert figure.axes[3].get_title() == "270°, said 0°"


def test_restoration_error_is_that_inside_the_patches_only(rng):
    images = rng.random((2, 12, 12, 3))
    changed = np.zeros((2, 12, 12), bool)
    changed[:, 2:6, 2:6] = True
    disordered = np.where(changed[..., None], 1 - images, images)
    half = np.where(changed[..., None], (images + disordered) / 2, rng.random())
    figure = plots.restorations(images, disordered, half, changed)
    assert "is 25\xa0% of copying" in figure.get_suptitle()
    perfect = plots.restorations(images, disordered, images, changed)
    assert "is 0\xa0% of copying" in perfect.get_suptitle()
    nothing = plots.restorations(images, images, images, np.zeros_like(changed))
    assert draw(nothing).get_suptitle() == "Nothing was swapped"


def test_vessels_outside_the_field_of_view_do_not_count():
    truth = np.zeros((8, 8), bool)
    truth[:, 2] = truth[:, 6] = True
    region = np.zeros((8, 8), bool)
    region[:, :4] = True
    probability = np.where(region, truth, ~truth).astype(float)  # all wrong outside
    image = np.zeros((8, 8, 3), np.uint8)
    figure = plots.vessels(image, truth, probability, region)
    assert figure.get_suptitle().startswith("Dice 1.000")


def test_confusion_says_true_before_answered():
    figure = plots.confusion([[5, 3], [1, 0]], labels=["no", "yes"])
    assert "no taken for yes (3)" in figure.get_suptitle()
    nearly = plots.confusion([[999, 1], [0, 1000]], labels=["no", "yes"])
    assert nearly.get_suptitle().startswith("1999 of 2000 answered right; ")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:4] == ["5", "62\xa0%", "3", "38\xa0%"]


# Curves


def test_smoothing_keeps_a_constant_and_skips_nan():
    values = np.full(20, 3.0)
    values[4] = math.nan
    assert style.smooth(values, 5) == pytest.approx(np.full(20, 3.0))
    assert np.isnan(style.mean_of_finite([[math.nan], [math.nan]])).all()


def test_pretext_curve_shows_every_fold_the_mean_and_the_bar():
    logs = [[{"step": s, "swapped": v, "copy_swapped": 2.0} for s in range(3)] for v in
            (1.0, 1.4)]  # fmt: skip
    figure = plots.pretext_curves({"restoration": logs}, metric="swapped")
    folds, (mean,) = figure.axes[0].lines[:2], lines_of(figure.axes[0], "restoration")
    assert [line.get_ydata()[0] for line in folds] == [1.0, 1.4]
    assert mean.get_ydata() == pytest.approx([1.2] * 3)
    assert figure.get_suptitle().endswith("1.20; copying the input scores 2.00")


def test_label_efficiency_plots_every_fold_and_names_both_ends():
    summary = summarise(experiment())
    figure = plots.label_efficiency(summary)
    drawn = {tuple(line.get_ydata()) for line in figure.axes[0].lines}
    for line in summary:
        assert tuple(line["values"]) in drawn
    assert "at 10\xa0% of the labels: rotation 0.51" in figure.get_suptitle()


def test_differences_are_filled_only_when_the_interval_leaves_zero_out():
    figure = plots.differences(summarise(experiment(gain=-0.2)))
    (loss,) = lines_of(figure.axes[0], "rotation")
    (unclear,) = lines_of(figure.axes[0], "restoration")
    assert loss.get_ydata() == pytest.approx([-0.199])
    assert loss.get_markerfacecolor() == style.STARTS["rotation"]["color"]
    assert unclear.get_markerfacecolor() == "white"
    title = figure.get_suptitle()
    assert "Rotation: loss at 10\xa0% and 100\xa0%" in title
    assert "restoration: not clear of scratch" in title
    none = plots.differences(summarise(experiment(gain=0)))
    assert none.get_suptitle() == "No start is clear of scratch"


@pytest.mark.parametrize(("long", "scale"), [(2, "linear"), (8, "log")])
def test_convergence_axis_is_logarithmic_only_where_lengths_differ(long, scale):
    figure = draw(plots.convergence(experiment(long=long), fractions=[0.1]))
    (ax,) = figure.axes
    assert ax.get_xscale() == scale
    assert "rotation: there by step 80" in figure.get_suptitle()


# Refusals


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: plots.image_grid(np.zeros((8, 8, 3), np.uint8)), "images must be"),
        (lambda: plots.image_grid(np.zeros((1, 8, 8, 3)), titles=[]), "titles must"),
        (lambda: plots.pretext_curves({"rotation": [[]]}), "logs must"),
        (lambda: plots.label_efficiency([]), "summary must"),
        (lambda: plots.differences([]), "summary must"),
        (lambda: plots.convergence([], metric="loss"), "metric must"),
        (lambda: plots.convergence(experiment(), fractions=[0.3]), "rows must"),
        (lambda: plots.confusion([[1, 2]]), "matrix must"),
        (lambda: plots.confusion([[1]], labels=["a", "b"]), "labels must"),
        (lambda: plots.grade_bars(np.zeros((4, 4, 3)), [1.0], []), "probabilities"),
    ],
)
def test_bad_input_is_refused_by_name(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_images_of_integers_other_than_uint8_are_refused():
    with pytest.raises(TypeError, match="images must hold uint8 or floats"):
        plots.image_grid(np.zeros((1, 8, 8, 3), np.int64))


def test_points_inside_their_circle_are_counted():
    truth = np.full((3, 2, 2), 10.0)
    found = truth + np.array([[[0, 3], [0, 3.1]], [[9, 0], [0, 0]], [[0, 0], [0, 0]]])
    figure = plots.localizations(
        np.zeros((3, 20, 20, 3), np.uint8), truth, found, radius=3
    )
    assert figure.get_suptitle() == "4 of 6 points found within their circle"
    assert len(figure.axes) == 3


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"points_pred must be \(1, 2, 2\)"):
        plots.localizations(
            np.zeros((1, 8, 8, 3), np.uint8),
            np.zeros((1, 2, 2)),
            np.zeros((1, 2)),
            radius=1,
        )


def test_a_summary_by_number_of_images_and_an_error_that_falls():
    lines = [
        {"init": init, "labels": n, "metric": "error", "values": [value, value]}
        | {"min": value, "avg": value, "max": value}
        for n, init, value in (
            (1, "scratch", 0.9),
            (1, "rotation", 0.5),
            (10, "scratch", 0.2),
            (10, "rotation", 0.3),
        )
    ]
    lines[1] |= {"difference": -0.4, "low": -0.5, "high": -0.3}
    lines[3] |= {"difference": 0.1, "low": 0.05, "high": 0.15}
    title = plots.label_efficiency(lines, metric="error").get_suptitle()
    assert "at 1\xa0image: rotation 0.50" in title
    assert "at 10\xa0images: scratch is best, 0.20" in title
    title = plots.differences(lines).get_suptitle()
    assert title == "Rotation: gain at 1\xa0image and loss at 10\xa0images"


def test_starts_that_score_alike_have_no_best():
    lines = [
        {"init": init, "labels": 32, "metric": "accuracy", "values": [1.0, 1.0]}
        | {"min": 1.0, "avg": 1.0, "max": 1.0, "difference": 0, "low": 0, "high": 0}
        for init in ("scratch", "rotation")
    ]
    title = plots.label_efficiency(lines, metric="accuracy").get_suptitle()
    assert title == "Mean accuracy at 32\xa0images: all alike, 1.00"


def test_numbers_of_images_stay_apart_where_groups_are_close():
    bins = [
        {"said": said, "right": 0.42, "low": 0.32, "high": 0.53, "n": 82}
        for said in (0.4, 0.46, 0.53)
    ]
    figure = plots.calibration({"bins": bins, "error": 0.05})
    figure.draw_without_rendering()
    ax = figure.axes[0]
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text().startswith("n ")]
    assert len(boxes) == 3
    pairs = itertools.combinations(boxes, 2)
    assert not any(one.overlaps(other) for one, other in pairs)
