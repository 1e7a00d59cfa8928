"""The ends of float64: answers there are right or refused, never nan by accident."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyssl.metrics import (
    ConfusionAccumulator,
    SSIMAccumulator,
    average_precision,
    cohen_kappa,
    f1_score,
    localization_error,
    mse,
    psnr,
    quadratic_weighted_kappa,
    roc_auc,
)

COSTS = {
    None: lambda a, b: int(a != b),
    "linear": lambda a, b: abs(a - b),
    "quadratic": lambda a, b: (a - b) ** 2,
}
graded = st.tuples(
    st.sampled_from((0, 1, 2, 5, 2**62)),
    st.sampled_from((0, 1, 2, 5, 2**62)),
    st.sampled_from((1e-140, 1e-60, 1e-17, 0.3, 1.0, 7e60)),
)


def exact_kappa(y_true, y_pred, weight, cost):
    """Return kappa by its definition, in fractions; None where it is 0/0."""
    rows = list(zip(y_true, y_pred, map(Fraction, weight), strict=True))
    observed = sum(w * cost(a, b) for a, b, w in rows) * sum(w for *_, w in rows)
    expected = sum(w * v * cost(a, b) for a, _, w in rows for _, b, v in rows)
    return float((expected - observed) / expected) if expected else None


@pytest.mark.parametrize("weights", COSTS)
@given(rows=st.lists(graded, min_size=1, max_size=6))
def test_weights_far_apart_leave_kappas_their_digits(weights, rows):
    y_true, y_pred, weight = zip(*rows, strict=True)
    expected = exact_kappa(y_true, y_pred, weight, COSTS[weights])
    actual = cohen_kappa(y_true, y_pred, weights=weights, sample_weight=weight)
    if expected is None:
        assert math.isnan(actual)
    else:
        assert actual == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("weights", COSTS)
def test_a_sample_of_little_weight_still_counts(weights):
    little = {"weights": weights, "sample_weight": [1e100, 1e-100]}
    assert cohen_kappa([0, 1], [0, 1], **little) == 1
    assert cohen_kappa([2**60, 2**60 + 1], [2**60, 2**60 + 1], **little) == 1


@pytest.mark.parametrize(
    "metric", [cohen_kappa, quadratic_weighted_kappa, roc_auc, average_precision]
)
def test_weights_too_far_apart_are_refused(metric):
    metric([0, 1], [0, 1], sample_weight=[0, 1e-300])
    message = (
        r"sample_weight must be 0 or at least 1e-290 of .* found 1e-300 beside 1\.0"
    )
    with pytest.raises(ValueError, match=message):
        metric([0, 1], [0, 1], sample_weight=[1, 1e-300])


def test_mse_and_psnr_of_large_and_small_values():
    assert mse([1e150], [-1e150]) == pytest.approx(4e300)
    assert psnr([1e100], [0], data_range=1e300) == pytest.approx(4000)
    assert psnr([1.0], [0], data_range=1e-200) == pytest.approx(-4000)
    assert psnr([1e-100], [0], data_range=1e200) == pytest.approx(6000)
    for values in ([1e200], [-1e200]), ([1.7e308], [-1.7e308]):
        for metric, options in ((mse, {}), (psnr, {"data_range": 1})):
            with pytest.raises(ValueError, match="must lie within 1e150 of each other"):
                metric(*values, **options)


def test_distances_beyond_float64_are_refused():
    assert localization_error([1e308], [0.0]) == 1e308
    for far, spacing in ((-1.7e308, 1), (0.0, 10)):
        with pytest.raises(ValueError, match="distances that fit float64, found inf"):
            localization_error([[1], [1.7e308]], [[0], [far]], spacing=spacing)


def test_single_numbers_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="undefined must fit float64, found 10000"):
        quadratic_weighted_kappa([0], [0], undefined=10**400)
    with pytest.raises(ValueError, match="data_range must fit float64, found 10000"):
        psnr([0], [1], data_range=10**400)
    with pytest.raises(ValueError, match=r"data_range must be finite and > 0"):
        psnr([0], [1], data_range=np.longdouble("1e-4000"))  # 0 in float64


@pytest.mark.parametrize("far", [1e19, 2.0**63, -1e300])
def test_labels_beyond_int64_are_refused_for_what_they_are(far):
    with pytest.raises(ValueError, match=r"y_pred must fit int64, found .* position 1"):
        quadratic_weighted_kappa([0, 1], [0, far])
    assert quadratic_weighted_kappa([0, -(2.0**63)], [0, -(2**63)]) == 1


def test_counts_that_leave_float64_are_refused_and_leave_no_trace():
    heavy = ConfusionAccumulator(2)
    heavy.update([0], [1], sample_weight=[1e308])
    before = heavy.compute()
    with pytest.raises(ValueError, match="sample_weight must have a finite sum with"):
        heavy.update([1], [1], sample_weight=[1e308])
    with pytest.raises(ValueError, match="other must have a finite sum with what was"):
        heavy.merge(heavy)
    np.testing.assert_array_equal(heavy.compute(), before)


@pytest.mark.parametrize("words", [np.array([1.0, 2.0]), [["macro"]] * 200])
def test_an_array_is_no_word(words):
    for call in (
        lambda: cohen_kappa([0, 1], [0, 1], weights=words),
        lambda: f1_score([0, 1], [0, 1], average=words),
        lambda: roc_auc([0, 1], [0, 1], average=words),
    ):
        with pytest.raises(ValueError, match=r"must be one of .* found") as caught:
            call()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("number", [2.0, np.array([2, 2]), True])
def test_num_classes_of_two_is_an_integer(number):
    with pytest.raises(TypeError, match="num_classes must be an integer, found"):
        f1_score([0, 1], [0, 1], average="binary", num_classes=number)


def test_options_that_mean_the_same_merge():
    for one, two in (
        ({"channel_axis": -1}, {"channel_axis": 2}),
        ({"window": "uniform"}, {"window": "uniform", "win_size": 7}),
    ):
        SSIMAccumulator(data_range=1, **one).merge(SSIMAccumulator(data_range=1, **two))


@pytest.mark.parametrize(
    ("axis", "error", "message"),
    [
        ("x", TypeError, "channel_axis must be an integer, found 'x'"),
        (1.0, TypeError, "channel_axis must be an integer"),
        (3, ValueError, r"channel_axis must lie in -3\.\.2, found 3"),
        (-4, ValueError, "channel_axis must be >= -3, found -4"),
    ],
)
def test_an_accumulator_refuses_an_axis_at_once(axis, error, message):
    with pytest.raises(error, match=message):
        SSIMAccumulator(data_range=1, channel_axis=axis)


def test_accumulators_refuse_what_is_no_metric_and_no_number():
    counts = ConfusionAccumulator(2)
    counts.update([0], [1])
    with pytest.raises(TypeError, match="metric must be a function, found 'accuracy'"):
        counts.score("accuracy")
    with pytest.raises(TypeError, match="undefined must be a number, found 'x'"):
        SSIMAccumulator(data_range=1).compute(undefined="x")
