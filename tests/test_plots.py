"""Figures: titles tell the truth, marks sit where the data are, no global moves."""

import io
import itertools
import math
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from strategies import refused

from tinyssl import plots
from tinyssl.plots import _style as style
from tinyssl.summary import SAME_COMPUTE, Metric, finding, summarise

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
POINTS = np.zeros((3, 2, 2)), np.zeros((3, 2))
QWK = Metric("QWK")


def experiment(runs=3, labels=(0.1, 1.0), gain=0.2, long=1):
    """Return rows in which rotation beats scratch by gain, restoration varies."""
    rows = []
    for share, run in itertools.product(labels, range(runs)):
        scores = {"scratch": 0.3 + 0.01 * run}
        scores["rotation"] = scores["scratch"] + gain + 0.001 * run
        scores["restoration"] = scores["scratch"] + 0.1 * (-1) ** run
        for init, qwk in scores.items():
            steps = 80 * (long if init == "restoration" else 1)
            curve = [{"step": steps // 2, "qwk": qwk / 2}, {"step": steps, "qwk": qwk}]
            row = {"init": init, "labels": share, "run": run, "scores": {"qwk": qwk}}
            rows.append(row | {"curve": curve})
    return rows


def draw(figure):
    figure.savefig(io.BytesIO(), format="png", dpi=40)  # layout errors come out
    return figure


def named(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def all_figures():
    changed = np.zeros((3, 16, 16), bool)
    changed[:2, 4:8, 4:8] = True
    rows, points = experiment(), np.full((3, 2, 2), 8.0)
    log = [{"step": s, "loss": 1.0, "swapped": 0.5, "copy_swapped": 1} for s in (0, 1)]
    bins = [{"said": 0.5, "right": 0.4, "low": 0.3, "high": 0.6, "n": 9}]
    files = [f"IDRiD_{k:03d}_original_left.jpg (grade {k})" for k in range(3)]
    words = {"names": ["grey", "colour"], "titles": files, "title": "two"}
    yield plots.strip([IMAGES[..., :1], IMAGES], **words)
    yield plots.answered([IMAGES], [0, 1, 2], [0, 1, 3], labels="abcd")
    yield plots.restorations(IMAGES, IMAGES[::-1], IMAGES, changed)
    yield plots.pairs(IMAGES, IMAGES[::-1], [0.1, 1.0, 0.2], names=["a", "b", "c"])
    yield plots.localizations(IMAGES, points, points + 3, radius=2)
    yield plots.pretext_curves({"rotation": [log, log]}, chance=1.386)
    yield plots.pretext_curves({"restoration": [log]}, metric="swapped")
    summary, known = (summarise(some, "qwk", QWK) for some in (rows, rows[:1]))
    yield plots.label_efficiency(summary, baselines=known)
    yield plots.differences(summary)
    yield plots.convergence(rows)
    yield plots.confusion([[3, 1], [0, 0]])
    yield plots.vessels(IMAGES[0], changed[0], IMAGES[1, ..., 0] / 255, ~changed[1])
    yield plots.grade_bars(IMAGES[0], [0.5, math.nan, 0.5], ["a", "b", "c"], note="n")
    yield plots.calibration({"bins": bins, "error": 0.1})
    yield plots.distances(1.0, {"exchanged": [0.5, 2.0]}, interval=(0.5, 1.5))


def test_every_figure_draws_has_a_finding_and_a_name_and_moves_nothing_global():
    code = "import sys, tinyssl.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    before = dict(mpl.rcParams)
    names = []
    for figure in map(draw, all_figures()):
        assert figure.get_suptitle()
        assert figure.get_figwidth() < style.WIDTH + 0.01  # its letters stay readable
        names.append(figure.get_label())
        figure.draw_without_rendering()
        boxes = [ax.title.get_window_extent() for ax in figure.axes if ax.get_title()]
        pairs = itertools.combinations(boxes, 2)
        assert not any(one.overlaps(other) for one, other in pairs)
    assert len({*names} - {""}) == len(names)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("largest", [3e-9, 1.8e-3, 0.018, 0.18, 7.0, 60_000, 600_000])
def test_numbers_along_an_axis_do_not_touch(largest):
    steps = np.linspace(0, largest, 40).tolist()
    log = [{"step": step, "loss": 1.0} for step in steps]
    near = plots.distances(0.3 * largest, {"exchanged": steps})
    for figure in map(draw, (near, plots.pretext_curves({"rotation": [log]}))):
        (ax,) = figure.axes
        figure.draw_without_rendering()
        texts = [text for text in ax.get_xticklabels() if text.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        assert len(boxes) > 2
        assert all(b.x0 - a.x1 > 4 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("rows", [1, 2, 17])
def test_names_and_numbers_of_a_matrix_do_not_touch(rows):
    columns = [f"{k} preretinal haemorrhages" for k in range(15)]
    values = {
        f"supervised by grades {k}": dict.fromkeys(columns, 0.998) for k in range(rows)
    }
    figure = plots.matrix(values, title="a title that takes three lines " * 4)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    for texts in (ax.get_yticklabels(), ax.texts[: len(columns)]):
        boxes = [text.get_window_extent().padded(1) for text in texts]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("shares", [(0.1,), (0.1, 1.0), (0.1, 0.5, 1.0)])
def test_a_long_name_of_a_score_stays_below_the_finding(shares):
    how = Metric("mean error in diameters of the optic disc", higher=False)
    figure = draw(plots.convergence(experiment(labels=shares), how=how, title="Short"))
    figure.draw_without_rendering()
    name, title = (
        next(text for text in figure.findobj(Text) if word in text.get_text())
        for word in ("diameters", "Short")
    )
    box, above = name.get_window_extent(), title.get_window_extent()
    assert figure.bbox.y0 <= box.y0
    assert box.y1 <= above.y0


def test_an_initialisation_keeps_its_look_and_no_two_share_one():
    names = ["scratch", SAME_COMPUTE, *(f"method {k}" for k in range(14))]
    looks = style.init_styles(names)
    assert len(set(map(str, looks.values()))) == len(names)
    assert len({look["color"] for look in style.init_styles(names[:8]).values()}) == 8
    assert style.init_styles(names[2:]) == {name: looks[name] for name in names[2:]}


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("broken", [False, True])
def test_few_runs_and_undefined_scores_still_draw(runs, broken):
    rows = experiment(runs, labels=(0.05,))
    for row in rows if broken else ():
        row["scores"] = {"qwk": math.nan}
        row["curve"] = [point | {"qwk": None} for point in row["curve"]]
    summary = summarise(rows, "qwk", QWK)
    draw(plots.label_efficiency(summary, baselines=summary))
    draw(plots.convergence(rows))
    figure = draw(plots.differences(summary))
    assert ("rotation gained" in figure.get_suptitle()) == (runs > 1 and not broken)


def test_names_with_dollar_signs_are_names_not_formulas():
    draw(plots.confusion([[1, 1], [0, 1]], labels=["$a_{", "b$"]))
    rows = [row | {"init": row["init"] + " $x_{$"} for row in experiment()]
    draw(plots.convergence(rows))
    title = "A$x_$.png " + 5 * "$y^{$ "  # a headline is broken into lines too
    words = {"title": title, "note": title, "looked": np.eye(16)}
    figure = draw(plots.grade_bars(IMAGES[0], [0.3, 0.7], [title, "b"], **words))
    assert "A$x_$.png" in figure.get_suptitle()


def test_a_strip_goes_on_below_the_fourth_column():
    first = np.arange(6).reshape(6, 1, 1, 1) / 100 * np.ones((6, 8, 8, 1))
    figure = plots.strip([first, first + 0.1], names=["a", "b"], titles=list("uvwxyz"))
    shown = [float(ax.images[0].get_array()[0, 0]) for ax in figure.axes]
    expected = [0, 1, 2, 3, 10, 11, 12, 13, 4, 5, 14, 15]
    assert shown == pytest.approx(np.divide(expected, 100))
    assert {ax.images[0].get_clim() for ax in figure.axes} == {(0, 1)}
    assert "".join(ax.get_title() for ax in figure.axes) == "uvwxyz"
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["a", "b"] * 2


def test_answers_are_counted_and_the_wrong_ones_marked():
    asked = [np.zeros((4, 8, 8, 3))], [0, 1, 2, 3], [0, 1, 2, 0]
    figure = plots.answered(*asked, labels="abcd", what="places")
    assert figure.get_suptitle() == "3 of 4 places answered right; chance is 1 in 4"
    assert [ax.get_title() for ax in figure.axes] == ["a ✓", "b ✓", "c ✓", "d, said a"]
    colors = [ax.title.get_color() for ax in figure.axes]
    assert colors == [style.INK] * 3 + [style.VERMILLION]


def test_restoration_error_is_that_inside_the_patches_and_a_spoilt_rest_is_said():
    rng = np.random.default_rng(0)
    images = rng.random((2, 12, 12, 3))
    changed = np.zeros((2, 12, 12), bool)
    changed[:, 2:6, 2:6] = True
    disordered = np.where(changed[..., None], 1 - images, images)
    half = np.where(changed[..., None], (images + disordered) / 2, images)
    title = "Inside the changed patches the error is 25\xa0% of copying the input"
    assert plots.restorations(images, disordered, half, changed).get_suptitle() == title
    spoilt = np.where(changed[..., None], half, 1 - images)
    found = plots.restorations(images, disordered, spoilt, changed).get_suptitle()
    ratio = np.square(images - spoilt).sum() / np.square(images - disordered).sum()
    assert found.startswith(f"{title}, over the whole images ")
    assert found.endswith(f" {ratio:.1f} times")
    nothing = plots.restorations(images, images, images, np.zeros_like(changed))
    assert draw(nothing).get_suptitle() == "Nothing was changed"


def test_vessels_outside_the_field_of_view_do_not_count():
    column = np.tile(np.arange(8), (8, 1))
    truth, region = np.isin(column, (2, 6)), column < 4
    probability = np.where(region, truth, ~truth).astype(float)  # all wrong outside
    figure = plots.vessels(IMAGES[0, :8, :8], truth, probability, region)
    assert figure.get_suptitle().startswith("Dice 1.000")


def test_points_inside_their_circle_are_counted():
    truth = np.full((3, 2, 2), 10.0)
    found = truth + np.array([[[0, 3], [0, 3.1]], [[9, 0], [0, 0]], [[0, 0], [0, 0]]])
    figure = plots.localizations(IMAGES, truth, found, radius=3)
    assert figure.get_suptitle() == "4 of 6 points found within their circle"
    assert len(figure.axes) == 3


def test_confusion_says_true_before_answered():
    figure = plots.confusion([[5, 3], [1, 0]], labels=["no", "yes"])
    assert figure.get_suptitle().endswith("; most often no is taken for yes (3)")
    nearly = plots.confusion([[999, 1], [0, 1000]], labels=["no", "yes"])
    assert nearly.get_suptitle().startswith("1999 of 2000 answered right; ")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:4] == ["5", "62\xa0%", "3", "38\xa0%"]


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ([0.5, 0.8], "about as sure as it is right"),
        ([0.3, 0.8], "surer than it is right"),
        ([0.5, 0.95], "right more often than it says"),
        ([0.3, 0.95], "badly calibrated, both ways"),
    ],
)
def test_calibration_says_whether_the_answers_are_as_sure_as_right(rights, words):
    bins = [
        {"said": said, "right": right, "low": right - 0.1, "high": right + 0.1, "n": n}
        for said, right, n in zip((0.5, 0.8), rights, (82, 83), strict=True)
    ]
    figure = draw(plots.calibration({"bins": bins, "error": 0.05}))
    assert figure.get_suptitle() == f"The grader is {words}: off by 0.050 on average"
    assert named(figure) == ["82–83 answers, 95 % interval", "right as often as said"]


def test_smoothing_keeps_a_constant_and_skips_nan():
    values = np.full(20, 3.0)
    values[4] = math.nan
    assert style.smooth(values, 5) == pytest.approx(np.full(20, 3.0))
    assert np.isnan(style.mean_of_finite([[math.nan], [math.nan]])).all()
    assert style.mean_of_finite([[math.nan, 1], [2, 4]]) == pytest.approx([2, 2.5])


def test_pretext_curve_shows_every_fold_the_mean_and_the_bar():
    logs = [
        [{"step": s, "swapped": level, "copy_swapped": 2.0} for s in range(3)]
        for level in (1.0, 1.4)
    ]
    figure = plots.pretext_curves({"restoration": logs}, metric="swapped")
    drawn = [line.get_ydata()[0] for line in figure.axes[0].lines]
    assert drawn == pytest.approx([1.0, 1.4, 1.2, 2.0])
    assert figure.get_suptitle().endswith(" 1.200; copying the input: 2.000")
    assert named(figure) == ["restoration", "copying the input: 2.000"]


def test_label_efficiency_plots_every_run_in_its_slot_and_names_every_line():
    summary = summarise(experiment(), "qwk", QWK)
    known = [line | {"init": "blind"} for line in summary if line["init"] == "scratch"]
    figure = plots.label_efficiency(summary, baselines=known)
    (ax,) = figure.axes
    drawn = {(*line.get_ydata(), *np.round(line.get_xdata())) for line in ax.lines}
    for line in summary:
        assert (*line["values"], *[0 if line["labels"] == 0.1 else 1] * 3) in drawn
    assert named(figure) == ["scratch", "rotation", "restoration", "blind"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10\xa0%", "100\xa0%"]
    assert figure.get_suptitle() == finding(summary, baselines=known)
    crowd = [line | {"init": f"init {k}"} for k in range(9) for line in summary]
    (ax,) = plots.label_efficiency(crowd).axes
    x = np.concatenate([line.get_xdata() for line in ax.lines])
    assert np.abs(x - np.round(x)).max() <= 0.25  # never nearer to another slot


def test_differences_are_filled_only_when_the_interval_excludes_zero():
    summary = summarise(experiment(labels=(0.1,), gain=-0.2), "qwk", QWK)
    figure = plots.differences(summary)
    loss, unclear = (a for a in figure.axes[0].lines if len(a.get_xdata()) == 1)
    assert loss.get_ydata() == pytest.approx([-0.199])
    assert loss.get_markerfacecolor() == loss.get_color()
    assert unclear.get_markerfacecolor() == "white"
    assert named(figure) == ["rotation", "restoration"]
    assert figure.get_suptitle() == finding(summary)


@pytest.mark.parametrize(("long", "scale"), [(2, "linear"), (8, "log")])
def test_convergence_axis_is_logarithmic_only_where_lengths_differ(long, scale):
    rows = experiment(labels=(0.1,), long=long)
    figure = draw(plots.convergence(rows, how=QWK))
    (ax,) = figure.axes
    assert ax.get_xscale() == scale
    assert figure.get_suptitle().startswith(
        "At 10\xa0% of the labels scratch ends at QWK 0.310 after 80 steps; "
        "rotation: there by step 80; restoration: there by step"
    )


def test_convergence_of_an_error_waits_for_it_to_fall():
    rows = experiment(labels=(2,))
    for point in itertools.chain(*(row["curve"] for row in rows)):
        point["error"] = 1 - point["qwk"]
    how = Metric("error", higher=False)
    title = plots.convergence(rows, metric="error", how=how).get_suptitle()
    assert title.startswith("At 2\xa0images scratch ends at error 0.69")
    assert "rotation: there by step 80" in title


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: plots.strip([IMAGES[0]]), "rows must be"),
        (lambda: plots.strip([IMAGES], titles=[]), "titles one a column"),
        (lambda: plots.strip([IMAGES, IMAGES[:1]]), "images and titles one a column"),
        (lambda: plots.strip([IMAGES], names=["a", "b"]), "names must be one a row"),
        (lambda: plots.pairs(IMAGES, IMAGES[:, 1:], [1] * 3), "must be of one shape"),
        (lambda: plots.pretext_curves({"rotation": [[]]}), "logs must"),
        (lambda: plots.label_efficiency([]), "summary must"),
        (lambda: plots.differences([]), "summary must"),
        (lambda: plots.convergence(experiment(), metric="loss"), "rows must"),
        (lambda: plots.convergence([]), "rows must"),
        (lambda: plots.confusion([[1, 2]]), "matrix must"),
        (lambda: plots.confusion([[1]], labels=["a", "b"]), "labels must"),
        (lambda: plots.grade_bars(np.zeros((4, 4, 3)), [1.0], []), "probabilities"),
        (lambda: plots.vessels(IMAGES[0], *IMAGES[..., :8, 0]), "must share height"),
        (lambda: plots.localizations(IMAGES, *POINTS, radius=1), "points_pred must"),
        (lambda: plots.strip([IMAGES.astype(int)]), "TypeError: rows must hold u"),
    ],
)
def test_bad_input_is_refused_by_name(call, match):
    with refused(match):
        call()


def test_draws_show_every_run_and_join_the_pairs_alone():
    rows = [
        {"init": init, "labels": 4, "run": run, "scores": {"auc": k / 10 + run / 100}}
        for k, init in enumerate(("pixels", "random", "learned"))
        for run in range(3)
    ]
    asked = {"Severe?": summarise(rows, "auc"), "Right?": summarise(rows[:6], "auc")}
    figure = plots.draws(asked, {"learned": "random"}, chance=0.5)
    first, second = figure.axes
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names == ["pixels", "random", "learned"]
    joined = [
        [line.get_xydata().tolist() for line in ax.lines if line.get_linestyle() == "-"]
        for ax in (first, second)
    ]
    joined = [[xy for xy in lines if len(xy) == 2] for lines in joined]
    assert joined == [[[[0.2 + x, 2], [0.1 + x, 1]] for x in (0, 0.01, 0.02)], []]
    alone = {"Without its pair?": summarise(rows[:3] + rows[6:], "auc")}
    (ax,) = plots.draws(alone, {"learned": "random"}).axes
    assert not [
        x for x in ax.lines if x.get_linestyle() == "-" and len(x.get_xdata()) > 1
    ]
    with pytest.raises(ValueError, match="summaries must hold at least one line"):
        plots.draws({}, {})
