"""The ends of float64: answers there are right or refused, never nan by accident."""

import numpy as np
import pytest
from strategies import refused

from tinyssl.metrics import (
    ConfusionAccumulator,
    average_precision,
    cohen_kappa,
    f1_score,
    localization_error,
    mse,
    psnr,
    quadratic_weighted_kappa,
    roc_auc,
)


@pytest.mark.parametrize(
    "metric", [cohen_kappa, quadratic_weighted_kappa, roc_auc, average_precision]
)
def test_weights_too_far_apart_are_refused(metric):
    metric([0, 1], [0, 1], sample_weight=[0, 1e-300])
    message = "sample_weight must be 0 or at least 1e-290 of .* found 1e-300 beside 1.0"
    with refused(message):
        metric([0, 1], [0, 1], sample_weight=[1, 1e-300])


def test_mse_and_psnr_of_large_and_small_values():
    assert mse([1e150], [-1e150]) == pytest.approx(4e300)
    assert psnr([1e100], [0], data_range=1e300) == pytest.approx(4000)
    assert psnr([1.0], [0], data_range=1e-200) == pytest.approx(-4000)
    assert psnr([1e-100], [0], data_range=1e200) == pytest.approx(6000)
    for values in ([1e200], [-1e200]), ([1.7e308], [-1.7e308]):
        for metric, options in ((mse, {}), (psnr, {"data_range": 1})):
            with refused("must lie within 1e150 of each other"):
                metric(*values, **options)


def test_distances_beyond_float64_are_refused():
    assert localization_error([1e308], [0.0]) == 1e308
    for far, spacing in ((-1.7e308, 1), (0.0, 10)):
        with refused("distances that fit float64, found inf"):
            localization_error([[1], [1.7e308]], [[0], [far]], spacing=spacing)


def test_single_numbers_beyond_float64_are_refused():
    with refused("undefined must fit float64, found 10000"):
        quadratic_weighted_kappa([0], [0], undefined=10**400)
    with refused("data_range must fit float64, found 10000"):
        psnr([0], [1], data_range=10**400)
    with refused("data_range must be finite and > 0"):
        psnr([0], [1], data_range=np.longdouble("1e-4000"))  # 0 in float64


@pytest.mark.parametrize("far", [1e19, 2.0**63, -1e300])
def test_labels_beyond_int64_are_refused_for_what_they_are(far):
    with refused("y_pred must fit int64, found .* position 1"):
        quadratic_weighted_kappa([0, 1], [0, far])
    assert quadratic_weighted_kappa([0, -(2.0**63)], [0, -(2**63)]) == 1


def test_counts_that_leave_float64_are_refused_and_leave_no_trace():
    heavy = ConfusionAccumulator(2)
    heavy.update([0], [1], sample_weight=[1e308])
    before = heavy.compute()
    with refused("sample_weight must have a finite sum with"):
        heavy.update([1], [1], sample_weight=[1e308])
    with refused("other must have a finite sum with what was"):
        heavy.merge(heavy)
    np.testing.assert_array_equal(heavy.compute(), before)


@pytest.mark.parametrize("words", [np.array([1.0, 2.0]), [["macro"]] * 200])
@pytest.mark.parametrize(
    ("metric", "name"),
    [(cohen_kappa, "weights"), (f1_score, "average"), (roc_auc, "average")],
)
def test_an_array_is_no_word(metric, name, words):
    with refused(f"^{name} must be one of .{{,60}} found .{{,90}}$"):
        metric([0, 1], [0, 1], **{name: words})
