"""Every refusal of a metric: ValueError or TypeError in one line that says why."""

import math

import numpy as np
import pytest
from strategies import lengths, refused

from tinyssl import metrics
from tinyssl.metrics import _ssim, agreement, classification, overlap, ranking


def no(message, *args, **options):
    """Return a row: what is said of a call with these arguments."""
    return args, options, message


NAN, INF, HALF, WORDS, MANY = math.nan, math.inf, [0, 0.5], ["a", "b"], 10**400
ONES, HOLE, EYE = np.ones((2, 2)), np.array([[0, NAN], [1, 1]]), np.eye(2)
GRAY, COLOUR, BIG = np.zeros((16, 16)), np.zeros((16, 16, 3)), np.zeros((90, 90))
HUGE, BOX, ZERO = 1e200 * np.eye(16), {"window": "uniform"}, [0, 0]
ROWS = {
    "confusion_matrix quadratic_weighted_kappa cohen_kappa accuracy": [
        no("y_true must not be empty", [], []),
        no(r"one shape, found \(2,\) and \(1,\)", [0, 1], [0]),
        no("y_true must be one-dimensional", [[0], [1]], [0, 1]),
        no("whole numbers, found 1.2 at position 1", [0, 1.2], [0, 1]),
        no("y_pred must be finite, found nan", [0, 1], [NAN, 1]),
        no("y_true must be finite, found inf", [0, INF], [0, 1]),
        no("must fit int64, found 1e[+]300", [0, 1e300], [0, 1]),
        no("y_pred must fit int64, found .* position 1", [0, 1], [0, 1e19]),
        no("y_pred must fit int64, found .* position 1", [0, 1], [0, 2.0**63]),
        no("y_pred must fit int64, found .* position 1", [0, 1], [0, -1e300]),
        no("TypeError: y_true must hold numbers, found dtype <U1", WORDS, [0, 1]),
        no("y_true cannot be read as an array", [0, [1]], [0, 1]),
        no("TypeError: y_true must hold numbers, found dtype comp", [0, 1j], [0, 1]),
        no("masked values", np.ma.array([0, 1], mask=[0, 1]), [0, 1]),
        no(r"shape \(1,\), found \(2,\)", [0], [0], sample_weight=[1, 2]),
        no("sample_weight must be >= 0", [0], [0], sample_weight=[-1]),
        no("not be zero everywhere", [0], [0], sample_weight=[0]),
        no("weight must be finite", [0], [0], sample_weight=[NAN]),
        no("have a finite sum", [0, 0], [0, 0], sample_weight=[1e308] * 2),
        no("TypeError: sample_weight must hold num", [0], [0], sample_weight="1"),
    ],
    "confusion_matrix quadratic_weighted_kappa cohen_kappa balanced_accuracy": [
        no("lie in 0..1, found -1 at", [0, -1], [0, 1], num_classes=2),
        no("y_true must lie in 0..1, found 2", [0, 2], [0, 1], num_classes=2),
        no("y_pred must lie in 0..4", [0, 1], [0, 7], num_classes=5),
        no("num_classes must be >= 1, found 0", [0], [0], num_classes=0),
        no("TypeError: num_classes must be an integer", [0], [0], num_classes=2.0),
        no("TypeError: num_classes must be an integer", [0], [0], num_classes=True),
    ],
    "confusion_matrix balanced_accuracy": [
        no("y_true must be >= 0, found -1 at position 0", [-1], [0]),
        no("labels must be < 4096 to be counted", [0], [10**9]),
    ],
    "quadratic_weighted_kappa cohen_kappa roc_auc average_precision": [
        no("TypeError: undefined must be a number", [0], [0], undefined=None),
        no("undefined must fit float64, found 10000", [0], [0], undefined=MANY),
        no("1e-290 .* 1e-300 beside 1.0", [0, 1], [0, 1], sample_weight=[1, 1e-300]),
    ],
    "cohen_kappa": [
        no("weights must be one of None, 'linear', 'qua", [0], [0], weights="cubic"),
        no("^weights must be one of .{20,45} found .{5,90}$", [0], [0], weights=ONES),
    ],
    "precision recall f1_score": [
        no("TypeError: average", [0], [0]),
        no("average must be one of 'binary', 'macro'", [0], [0], average="samples"),
        no("^average .{60,70} found .{80}$", [0], [0], average=[["macro"]] * 200),
        no("y_true must not be empty", [], [], average="macro"),
        no("y_true must lie in 0..1, found 2", [0, 2], [0, 1], average="binary"),
        no("2 or left out", [0], [0], average="binary", num_classes=3),
        no("TypeError: num_c", [0], [1], average="binary", num_classes=2.0),
        no("TypeError: num_c", [0], [1], average="binary", num_classes=np.full(2, 2)),
        no("TypeError: num_c", [0], [1], average="binary", num_classes=True),
        no("TypeError: undefined must", [0], [0], average="macro", undefined="nan"),
    ],
    "roc_auc average_precision roc_curve precision_recall_curve": [
        no("y_true must not be empty", [], []),
        no(r"y_score must have shape \(2,\) or \(2, K\)", [0, 1], [1]),
        no(r"y_score must have shape \(2,\) or", [0, 1], [[[0]], [[1]]]),
        no(r"y_score must have shape .* found \(\)", [0, 1], 0.5),
        no(r"two or more, found \(2, 0\)", [0, 1], np.ones((2, 0))),
        no(r"shape \(2,\) or a column for each class", [0, 1], np.ones((2, 1))),
        no("y_score must not be NaN, found nan at", [0, 1], [0, NAN]),
        no("y_true must lie in 0..1, found 2 at", [0, 2], [0, 1]),
        no("y_true must lie in 0..1, found -1 at", [-1, 1], [0, 1]),
        no("y_true must lie in 0..2, found 3", [0, 3], np.ones((2, 3))),
        no("y_true must hold whole numbers", HALF, [0, 1]),
        no("TypeError: y_score must hold numbers", [0, 1], WORDS),
        no("TypeError: y_score must hold numbers, .* comp", [0, 1], [0, 1j]),
        no("sample_weight must be >= 0", [0, 1], [0, 1], sample_weight=[1, -1]),
    ],
    "roc_auc average_precision": [
        no("must be one of 'macro', 'weighted'", [0, 1], [0, 1], average="micro"),
        no("^average must be one of .{26} found .{5,90}$", [0], [0], average=ONES),
    ],
    "roc_curve precision_recall_curve": [
        no("y_score must be one-dimensional", [0, 1], ONES),
        no("TypeError: undefined must be a number", [0, 1], [0, 1], undefined=None),
    ],
    "dice iou sensitivity specificity": [
        no("mask_true and mask_pred must have one shape", ONES, np.ones((2, 3))),
        no("region and mask_true must have one shape", ONES, ONES, region=ONES[0]),
        no(r"mask_pred must not be NaN, .* \(0, 1\)", ONES, HOLE),
        no("region must not be NaN", ONES, ONES, region=HOLE),
        no("TypeError: mask_pred must hold numbers, found dtype com", ONES, ONES * 1j),
        no("TypeError: undefined must be a number", ONES, ONES, undefined="one"),
        no("mask_true must not be empty", [], []),
        no("TypeError: mask_true must hold numbers", [["a"]], [[1]]),
    ],
    "localization_error": [
        no("points_true must not be empty", [], []),
        no("must have one shape", [ZERO], ZERO),
        no("points_true must be finite", [0, NAN], ZERO),
        no(r"must be \(N, D\) or \(D,\)", [[[0.0]]], [[[0.0]]]),
        no("TypeError: points_true must hold numbers", WORDS, ZERO),
        no("spacing must be > 0, found 0", ZERO, [1, 1], spacing=0),
        no(r"have shape \(2,\), found \(3,\)", ZERO, [1, 1], spacing=[1, 2, 3]),
        no("spacing must be finite", ZERO, [1, 1], spacing=INF),
        no("TypeError: spacing must hold numbers", ZERO, [1, 1], spacing="mm"),
        no("that fit float64, found inf", [[1], [1.7e308]], [[0], [-1.7e308]]),
        no("that fit float64, found inf", [[1.7e308]], [[0.0]], spacing=10),
    ],
    "frechet_distance": [
        no("features1 must have n >= 2, found n = 1", [[1, 2]], [[1, 2]] * 3),
        no("features2 must have n >= 2, found n = 0", [1, 2], []),
        no("features, found 2 and 1", np.ones((3, 2)), np.ones((3, 1))),
        no(r"\(n, d\) or \(n,\), found", np.ones((3, 0)), np.ones((3, 0))),
        no(r"features1 must be \(n, d\) or", np.ones((3, 2, 1)), [1, 2]),
        no("features1 must be finite, found nan", [1, NAN], [1, 2]),
        no(r"must lie within ±1e\+30, found 1.0 to 2e", [1, 2], [1, 2e30]),
        no("features1 must lie within", [1, -2e30], [1, 2]),
        no("TypeError: features2 must hold numbers", [1, 2], WORDS),
    ],
    "frechet_distance_from_stats": [
        no("mean1 and mean2 must have one shape", ZERO, EYE, [0], [[1]]),
        no(r"cov1 must have shape \(2, 2\)", ZERO, np.eye(3), ZERO, EYE),
        no(r"mean1 must be \(d,\)", [ZERO], EYE, ZERO, EYE),
        no("mean1 must not be empty", [], EYE, ZERO, EYE),
        no("mean1 must be finite", [0, NAN], EYE, ZERO, EYE),
        no("cov2 must be finite", ZERO, EYE, ZERO, EYE + INF),
        no("mean1 must lie within ±1e", [0, 2e30], EYE, ZERO, EYE),
        no("cov2 must lie within ±1e", ZERO, EYE, ZERO, EYE * 1e62),
        no("cov1 must be symmetric", ZERO, [[1, 1], [0, 1]], ZERO, EYE),
        no("cov2 must be positive semidefinite", ZERO, EYE, ZERO, -EYE),
        no("eigenvalues from -1 to", ZERO, EYE, ZERO, [[1, 2], [2, 1]]),
        no("TypeError: mean2 must hold numbers", ZERO, EYE, WORDS, EYE),
    ],
    "frechet_noise_floor": [
        no("features must have n >= 2, found n = 1", [[1, 2]], 9, rng=0),
        no("n1 must be >= 2, found 1", EYE, 1, rng=0),
        no("n2 must be >= 2, found 0", EYE, 9, 0, rng=0),
        no("TypeError: n1 must be an integer, found 9.5", EYE, 9.5, rng=0),
        no("repeats must be >= 1", EYE, 9, rng=0, repeats=0),
        no("TypeError: rng must be a numpy.random.Gen", EYE, 9, rng="a"),
    ],
    "mse": [
        no("one shape", [0, 1], [0]),
        no("image2 must be finite", [0], [NAN]),
        no("mean square of 0 or of 1e-300..1e300", [1e200], [-1e200]),
        no("mean square of 0 or of 1e-300..1e300", [1.7e308], [-1.7e308]),
    ],
    "psnr": [
        no("mean square of 0 or of 1e-300..1e300", [1e200], [-1e200], data_range=1),
        no("data_range must be finite and > 0", [0], [1], data_range=-1),
        no("data_range must fit float64, found 10000", [0], [1], data_range=MANY),
        no("> 0", [0], [1], data_range=np.longdouble("1e-4000")),  # 0 in float64
    ],
    "ssim": [
        no("image1 and image2 must have one shape", GRAY, COLOUR),
        no("image1 must not be empty", GRAY[:0], GRAY[:0]),
        no("image2 must be finite, found nan", GRAY, GRAY + NAN),
        no(r"found inf at position \(0, 0\)", GRAY + INF, GRAY),
        no(r"image2.* nan at position \(0, 0\)", BIG, BIG * NAN),
        no("image1.* found -inf at position", BIG - INF, BIG),
        no(r"within 100000 data ranges.* found 0 to 1e\+200", HUGE, HUGE),
        no("TypeError: image1 must hold numbers", [WORDS], [WORDS]),
        no("TypeError: image1 must hold numbers", GRAY + 1j, GRAY),
        no("2 axes.*: channel_axis says where the colours", COLOUR, COLOUR),
        no("image1 must have 3 axes", GRAY, GRAY, channel_axis=0),
        no("channel_axis must lie in", COLOUR, COLOUR, channel_axis=3),
        no("channel_axis must be >=", COLOUR, COLOUR, channel_axis=-4),
        no("at least 11 x 11.* a smaller sigma", GRAY[:9], GRAY[:9]),
        no("17 x 17.* a smaller win_size mends", GRAY, GRAY, win_size=17, **BOX),
    ],
    "ssim SSIMAccumulator": [
        no("data_range must be finite and", data_range=0),
        no("TypeError: data_range must be a number", data_range="1"),
        no("data_range must be finite", data_range=INF),
        no("k1 must be finite and > 0", k1=0),
        no("k2 must be finite and > 0", k2=-1),
        no("window must be one of 'gaussian'", window="box"),
        no("win_size is for window='uniform'", win_size=7),
        no("sigma must be at least 1/7", sigma=0.1),
        no("sigma must be finite and > 0", sigma=0),
        no("sigma is for window='gaussian', found 2", sigma=2, **BOX),
        no("win_size must be odd, found 8", win_size=8, **BOX),
        no("win_size must be >= 3, found 1", win_size=1, **BOX),
        no("TypeError: win_size must be an integer, found 7.0", win_size=7.0, **BOX),
    ],
    "SSIMAccumulator": [
        no("TypeError: channel_axis must be an integer, found 'x'", channel_axis="x"),
        no("TypeError: channel_axis must be an integer", channel_axis=1.0),
        no(r"channel_axis must lie in -3\.\.2, found 3", channel_axis=3),
        no("channel_axis must be >= -3, found -4", channel_axis=-4),
    ],
    "ConfusionAccumulator": [
        no("num_classes must be >= 1, found 0", 0),
        no("num_classes must be <= 4096, found 4097", 4097),
        no("TypeError: num_classes must be an integer", 2.0),
    ],
}
CALLS = [(name, *row) for some in ROWS for name in some.split() for row in ROWS[some]]


@lengths
@pytest.mark.parametrize(("name", "args", "options", "message"), CALLS)
def test_refusals(name, args, options, message, length, monkeypatch):
    for module in (_ssim, agreement, classification, overlap, ranking):
        monkeypatch.setattr(module, "SMALL", length)
    if name in ("ssim", "SSIMAccumulator"):
        args = (GRAY, GRAY) if name == "ssim" and not args else args
        options = {"data_range": 1, **options}
    with refused(message):
        getattr(metrics, name)(*args, **options)
