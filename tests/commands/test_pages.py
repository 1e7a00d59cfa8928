"""The words above a report: what won, what lost, and what needed no network."""

import pytest

from tinyssl.commands.pages import finding, findings, more_compute, simpler
from tinyssl.summary import SAME_COMPUTE, summarise


def table(**scores):
    """Summarise scores of two shares and three folds, by start."""
    return summarise(
        [
            {"init": init, "fraction": share, "fold": fold, "qwk": value + fold / 1000}
            for init, levels in scores.items()
            for share, value in zip((0.1, 1.0), levels, strict=True)
            for fold in range(3)
        ]
    )


@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        ((0.3, 0.3), "No start differed from scratch beyond its interval."),
        ((0.4, 0.3), "Against scratch: rotation gained at 10"),
        ((0.3, 0.1), "Against scratch: rotation LOST at 100"),
    ],
)
def test_finding_says_who_gained_and_who_lost(rotation, words):
    assert finding(table(scratch=(0.3, 0.3), rotation=rotation)).startswith(words)


def test_a_measure_that_says_something_else_is_said_too():
    main = table(scratch=(0.3, 0.3), rotation=(0.3, 0.3))
    other = table(scratch=(0.3, 0.3), rotation=(0.4, 0.3))
    assert findings(main, {"within": main}) == finding(main)
    assert findings(main, {"within": other}).startswith(
        "No start differed from scratch beyond its interval. "
        "In share within half a disc, against scratch: rotation gained at 10"
    )


def test_the_row_of_same_compute_is_explained_where_it_stands():
    said = more_compute(table(scratch=(0.3, 0.3), **{SAME_COMPUTE: (0.4, 0.4)}))
    assert said.startswith("; “scratch, same compute” also got")
    assert more_compute(table(scratch=(0.3, 0.3), rotation=(0.4, 0.4))) == ""


def test_one_start_is_no_comparison():
    assert finding(table(scratch=(0.3, 0.3))).startswith("One start alone")


@pytest.mark.parametrize(
    ("intensities", "words"),
    [
        ((0.3, 0.3), ""),
        ((0.4, 0.6), " No network beat intensities at 10\xa0%."),
        ((0.6, 0.9), " No network beat intensities at 10\xa0%, 100\xa0%."),
        ((float("nan"), 0.7), " No network beat intensities at 100\xa0%."),
    ],
)
def test_what_needs_no_network_is_said(intensities, words):
    networks = table(scratch=(0.3, 0.3), rotation=(0.4, 0.7))
    known = table(intensities=intensities, chance=(0.0, 0.0))
    assert simpler({"summary": networks, "baselines": known}) == words
