"""Tables: paired intervals against scipy, pairing by fold, plain verdicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tinyssl.summary import (
    best_average,
    format_table,
    name_group,
    paired_interval,
    summarise,
    verdict,
)

differences_st = st.lists(st.floats(-1, 1), min_size=2, max_size=8)


@given(differences=differences_st)
def test_plain_interval_is_scipys(differences):
    mean, low, high = paired_interval(differences)
    if np.ptp(differences) > 1e-6:
        expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high))
    assert low <= mean <= high


@given(differences=differences_st, share=st.floats(0, 1))
def test_overlapping_folds_widen_the_interval(differences, share):
    _, low, high = paired_interval(differences)
    _, wide_low, wide_high = paired_interval(differences, test_share=share)
    expected = (high - low) * np.sqrt(1 + len(differences) * share)
    assert wide_high - wide_low == pytest.approx(expected)


def test_one_fold_says_nothing():
    assert paired_interval([0.3]) == (0.3, -np.inf, np.inf)
    assert paired_interval([0.3, np.nan])[1:] == (-np.inf, np.inf)


def rows(**folds):
    return [
        {"init": init, "fraction": 0.5, "fold": fold, "qwk": value}
        for init, values in folds.items()
        for fold, value in values.items()
    ]


def test_differences_are_paired_by_fold_not_by_order():
    table = summarise(
        rows(scratch={0: 0.1, 1: 0.5, 2: 0.9}, rotation={2: 1.0, 0: 0.2, 1: 0.6})
    )
    assert table[1]["values"] == [0.2, 0.6, 1.0]
    assert table[1]["difference"] == pytest.approx(0.1)
    assert table[1]["low"] == pytest.approx(0.1, abs=1e-9)
    assert "difference" not in table[0]
    assert table[0]["avg"] == pytest.approx(0.5)
    assert (table[0]["min"], table[0]["max"]) == (0.1, 0.9)


def test_unlike_folds_are_not_compared():
    table = summarise(rows(scratch={0: 0.1, 1: 0.2}, rotation={0: 0.3}))
    assert "difference" not in table[1]


def test_undefined_score_is_unclear_and_does_not_stop_the_table():
    table = summarise(rows(scratch={0: 0.1, 1: 0.2}, rotation={0: None, 1: 0.4}))
    assert np.isnan(table[1]["difference"])
    assert (table[1]["low"], table[1]["high"]) == (-np.inf, np.inf)
    assert verdict(table[1]).endswith("unclear")
    assert "nan" in format_table(table)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.2, "gain"), (-0.2, -0.1, "LOSS"), (-0.1, 0.1, "unclear")],
)
def test_verdict_says_gain_loss_or_unclear(low, high, word):
    line = {"difference": (low + high) / 2, "low": low, "high": high}
    assert verdict(line).endswith(word)


def test_text_table_shows_every_start():
    text = format_table(summarise(rows(scratch={0: -0.25}, rotation={0: 0.5})))
    assert len(text.splitlines()) == 3
    assert "-0.250" in text
    assert "50 %" in text


def test_a_smaller_error_is_a_gain():
    table = summarise(rows(scratch={0: 0.9, 1: 0.8}, rotation={0: 0.5, 1: 0.41}))
    for line in table:
        line["metric"] = "error"
    assert verdict(table[-1]).endswith("gain")
    assert best_average(table) == table[-1]["avg"]


def test_groups_are_named():
    assert name_group("labels", 1) == "1\N{NO-BREAK SPACE}image"
    assert name_group("labels", 10) == "10\N{NO-BREAK SPACE}images"
    assert name_group("fraction", 0.05) == "5\N{NO-BREAK SPACE}%"
