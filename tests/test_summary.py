"""Summaries: paired intervals against scipy, pairing by run, plain findings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tinyssl import summary
from tinyssl.summary import (
    SAME_COMPUTE,
    UNTRAINED,
    Metric,
    format_table,
    join_words,
    number,
)

METRICS = {"qwk": Metric("QWK"), "error": Metric("disc diameters", higher=False)}


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0, 1))
def test_interval_is_scipys_widened_by_overlapping_folds(differences, share):
    mean, low, high = summary.paired_interval(differences)
    if np.ptp(differences) > 1e-6:
        expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high))
    assert low <= mean <= high
    _, wide_low, wide_high = summary.paired_interval(differences, test_share=share)
    expected = (high - low) * np.sqrt(1 + len(differences) * share)
    assert wide_high - wide_low == pytest.approx(expected)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0, 1))
def test_p_is_scipys_and_agrees_with_the_interval(differences, share):
    p = summary.paired_p(differences)
    if np.ptp(differences) > 1e-6:
        expected = stats.ttest_1samp(differences, 0).pvalue
        assert p == pytest.approx(expected, abs=1e-12)
    p = summary.paired_p(differences, test_share=share)
    _, low, high = summary.paired_interval(differences, test_share=share)
    if min(abs(low), abs(high)) > 1e-9:
        assert (p < 0.05) == (low > 0 or high < 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.randoms())
def test_holm_is_the_step_down_of_the_paper(p, random):
    lines = [{"p": value} for value in p] + [{"init": "scratch"}]
    random.shuffle(lines)
    summary.holm(lines)
    compared = [line for line in lines if "p" in line]
    assert not any("holm" in line for line in lines if "p" not in line)
    for level in (0.01, 0.05, 0.5):
        rejected = set()  # the smallest p against level / m, the next against / (m - 1)
        for rank, line in enumerate(sorted(compared, key=lambda line: line["p"])):
            if line["p"] * (len(p) - rank) >= level:
                break
            rejected.add(id(line))
        assert {id(x) for x in compared if x["holm"] < level} == rejected


def test_a_verdict_falls_where_many_were_compared():
    d = [0.02, 0.05, 0.01, 0.04]
    line = {"difference": 0.03, "metric": "qwk", "p": summary.paired_p(d)}
    line |= dict(zip(("low", "high"), summary.paired_interval(d)[1:], strict=True))
    assert 0.025 < line["p"] < 0.05
    assert summary.outcome(summary.holm([line])[0]) == "gain"
    assert summary.outcome(summary.holm([line, line | {"p": 0.9}])[0]) == "unclear"


def test_one_run_says_nothing():
    assert summary.paired_p([0.3]) == summary.paired_p([0.3, np.nan]) == 1
    assert (summary.paired_p([0.3, 0.3]), summary.paired_p([0, 0])) == (0, 1)
    assert summary.paired_interval([0.3]) == (0.3, -np.inf, np.inf)
    assert summary.paired_interval([0.3, np.nan])[1:] == (-np.inf, np.inf)


def rows(labels=0.5, metric="qwk", **scores):
    """Return rows of an experiment; scores are given run by run."""
    return [
        {"init": init, "labels": labels, "run": run, "scores": {metric: value}}
        for init, values in scores.items()
        for run, value in enumerate(values)
    ]


def table_of(made):
    return summary.summarise(made, "qwk", METRICS["qwk"])


def test_differences_are_paired_by_run_not_by_order():
    made = rows(scratch=[0.1, 0.5, 0.9], rotation=[0.2, 0.6, 1.0])
    table = table_of([*made[:3], *made[:2:-1]])
    assert table[1]["values"] == [0.2, 0.6, 1.0]
    assert table[1]["difference"] == pytest.approx(0.1)
    assert table[1]["low"] == pytest.approx(0.1, abs=1e-9)
    assert "difference" not in table[0]
    assert [table[0][key] for key in ("min", "avg", "max")] == [0.1, 0.5, 0.9]
    expected = stats.t.interval(0.95, 2, 0.5, stats.sem([0.1, 0.5, 0.9]))
    assert table[0]["interval"] == pytest.approx(expected)
    corrected = summary.summarise(made, "qwk", METRICS["qwk"], test_share=0.25)
    assert np.ptp(corrected[0]["interval"]) > np.ptp(expected)


def test_unlike_runs_are_not_compared():
    table = table_of(rows(scratch=[0.1, 0.2], rotation=[0.3]))
    assert "difference" not in table[1]
    assert summary.outcome(table[1]) == summary.verdict(table[1]) == ""


def test_one_image_and_all_the_labels_are_not_one_group():
    table = table_of(rows(1, scratch=[0.1]) + rows(1.0, scratch=[0.9]))
    assert [line["avg"] for line in table] == [0.1, 0.9]
    assert list(summary.by_labels(table)) == ["1\xa0image", "100\xa0%"]


def test_undefined_score_is_unclear_and_does_not_stop_the_table():
    table = table_of(rows(scratch=[0.1, 0.2], rotation=[None, 0.4]))
    assert np.isnan([table[1][key] for key in ("difference", "min", "avg")]).all()
    assert (table[1]["low"], table[1]["high"]) == (-np.inf, np.inf)
    assert summary.verdict(table[1]) == "– unclear"
    assert format_table(table).splitlines()[-1].split()[-5:] == [*"–––", "–", "unclear"]


@pytest.mark.parametrize("metric", ["qwk", "error"])
@pytest.mark.parametrize(
    ("low", "word"), [(0.1, "gain"), (-0.2, "LOSS"), (-0.05, "unclear")]
)
def test_verdict_says_gain_loss_or_unclear(metric, low, word):
    line = {"difference": low + 0.05, "low": low, "high": low + 0.1, "metric": metric}
    line |= {"higher": metric != "error"}
    swapped = {"gain": "LOSS", "LOSS": "gain"} if metric == "error" else {}
    assert summary.outcome(line) == swapped.get(word, word)
    assert summary.verdict(line).split(" [")[0] == number(low + 0.05, sign=True)


def test_the_best_mean_of_an_error_is_the_smallest():
    error = {"metric": "error", "higher": False}
    lines = [error | {"avg": mean} for mean in (0.9, 0.5, None)]
    assert summary.best_average(lines) == 0.5
    assert math.isnan(summary.best_average(lines[2:]))


def test_text_table_shows_every_initialisation():
    text = format_table(table_of(rows(scratch=[-0.25], rotation=[0.5])))
    assert text.startswith("QWK\n")
    assert len(text.splitlines()) == 4
    for words in ("−0.250", "50 %", "+0.750 [−∞, +∞] unclear"):
        assert words in text


def two(metric="qwk", **scores):
    """Summarise scores at a tenth of the labels and at all, three runs each."""
    made = []
    for init, levels in scores.items():
        for labels, level in zip((0.1, 1.0), levels, strict=True):
            made += rows(labels, metric, **{init: [level, level + 0.001, level]})
    return summary.summarise(made, metric, METRICS[metric])


@pytest.mark.parametrize("metric", ["qwk", "error"])
@pytest.mark.parametrize(
    ("init", "scores", "words"),
    [
        ("mae", (0.3, 0.3), "No significant difference from scratch"),
        ("scratch", (0.3, 0.3), "No initialisation stands beside scratch"),
        ("mae", (0.4, 0.3), "mae gained at 10%; no other significant difference"),
        ("mae", (0.4, 0.1), "mae gained at 10%; mae LOST at 100%"),
        (SAME_COMPUTE, (0.4, 0.5), "scratch with same compute gained at 10% and 100%"),
        (
            "a, frozen: linear probe",
            (0.4, 0.5),
            "linear probe of a gained at 10% and 100%",
        ),
        ("a b: probe", (0.1, 0.1), "probe of a b LOST at 10% and 100%"),
    ],
)
def test_finding_says_who_gained_and_who_lost(init, scores, words, metric):
    levels = {"scratch": (0.3, 0.3), init: scores}
    if metric == "error":  # more of it is a loss
        levels = {name: (1 - low, 1 - high) for name, (low, high) in levels.items()}
    said = summary.finding(two(metric, **levels))
    said = said.replace("\xa0", "").replace(" of the labels", "")
    assert (
        said.removeprefix("Against scratch, ") == f"{words} ({METRICS[metric].words})"
    )
    assert said.startswith("Against scratch, ") == ("at 10%" in words)


def test_finding_names_together_who_fared_alike():
    alike = ("mae", "bow", "a b, frozen: probe", "c, frozen: probe")
    levels = dict.fromkeys(alike, (0.4, 0.1)) | {"random weights: probe": (0.1, 0.3)}
    said = summary.finding(two(scratch=(0.3, 0.3), **levels)).replace("\xa0", "")
    assert said == (
        "Against scratch, mae and bow gained at 10% of the labels; "
        "probe of a b and c gained at 10% of the labels; "
        "probe of random weights LOST at 10% of the labels; "
        "mae and bow LOST at 100% of the labels; "
        "probe of a b and c LOST at 100% of the labels; "
        "no other significant difference (QWK)"
    )


@pytest.mark.parametrize(
    ("metric", "intensities", "where"),
    [
        ("qwk", (0.3, 0.3), None),
        ("qwk", (0.4, 0.6), "10\xa0%"),
        ("qwk", (0.6, 0.9), "10\xa0% and 100\xa0%"),
        ("qwk", (math.nan, 0.7), "100\xa0%"),
        ("error", (0.6, 0.3), "100\xa0%"),
    ],
)
def test_what_needs_no_network_is_said(metric, intensities, where):
    networks = two(metric, scratch=(0.3, 0.3), rotation=(0.4, 0.7))
    known = two(metric, intensities=intensities, chance=(0.0, 0.0))
    if metric == "error":
        known = [line for line in known if line["init"] == "intensities"]
    said = summary.finding(networks, baselines=known).split(". ")[1:]
    words = f"No network beat intensities at {where} of the labels"
    assert said == ([words] if where else [])


def test_numbers_and_names_are_written_one_way():
    found = [number(value) for value in (-0.25, 1, -0.0004, None, math.nan)]
    assert found == ["−0.250", "1.000", "0.000", "–", "–"]
    assert [number(x, 2, sign=True) for x in (0.5, -math.inf)] == ["+0.50", "−∞"]
    assert number(-0.0004, sign=True) == "−0.000"  # which way it went
    found = [*map(summary.name_group, (1, 10, np.int64(2), 0.05, 0.125, 1.0))]
    found = [name.replace("\N{NO-BREAK SPACE}", "_") for name in found]
    assert found == ["1_image", "10_images", "2_images", "5_%", "12.5_%", "100_%"]
    assert summary.percent(34.3) == "3430\xa0%"
    assert [join_words("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_where_nothing_trains_random_weights_stand_in_the_place_of_scratch():
    made = rows(**{UNTRAINED: [0.1, 0.5, 0.9], "rotation": [0.2, 0.6, 1.0]})
    table = table_of(made)
    assert table[1]["difference"] == pytest.approx(0.1)
    assert "minus random weights [95 % interval]" in format_table(table)
    assert summary.finding(table).startswith("Against random weights, rotation gained")
    alone = table_of(made[:3])
    assert "No initialisation stands beside random weights" in summary.finding(alone)
    assert "minus" not in format_table(alone)


def test_means_of_scores_are_of_the_runs_that_define_them_with_the_most_labels():
    made = [*rows(scratch=[9.0]), *rows(1.0, a=[0.5, math.nan, 1.0], b=[math.nan])]
    found = summary.means_of(made, ["qwk"])
    assert found["a"] == {"qwk": 0.75}
    assert list(found) == ["a", "b"]
    assert math.isnan(found["b"]["qwk"])
