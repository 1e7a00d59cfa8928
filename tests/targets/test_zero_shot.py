"""Findings asked in words: what counts as one, how answers are scored, whose words."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tinyssl import commands, experiment
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.models import densenet_small
from tinyssl.starts import Start
from tinyssl.targets.zero_shot import ZeroShot, findings

READING = Reading(32, folds=2)


@pytest.fixture(scope="module")
def table():
    return open_dataset("toy:60:32:3")


@pytest.fixture(scope="module")
def cases(table):
    return ZeroShot.read(table, READING)


def test_findings_are_lesions_by_their_full_names_and_no_rare_ones(table, cases):
    names = cases.facts["findings"]
    assert "microaneurysms" in names
    assert "vessel" not in names
    there = cases.columns["findings"][:, names.index("microaneurysms")]
    assert np.array_equal(there, table.masks["MA"].any((1, 2)))
    counts = cases.columns["findings"].sum(0)
    assert counts.min() >= 5
    assert counts.max() <= 55


def test_no_findings_is_no_finding(table):
    """The trap: asked for "no no findings", the answer would be turned around."""
    names = ("No findings", "drusen", "normal", "cysts")
    grade = np.arange(60) % 4
    classes = replace(table, masks={}, class_names=names, grade=grade)
    known = findings(classes)
    assert list(known) == ["drusen", "cysts"]
    assert np.array_equal(known["drusen"], grade == 1)


def test_a_data_set_without_findings_is_refused(table):
    with pytest.raises(ValueError, match="needs a finding in 5 images"):
        ZeroShot.read(replace(table, masks={}, class_names=None), READING)


def test_scores_are_the_mean_auc_and_its_bootstrap(cases):
    rng, held = np.random.default_rng(0), np.arange(60)
    truth = cases.columns["findings"]
    answers = truth + rng.normal(size=truth.shape)
    scores = ZeroShot.score(cases, held, answers)
    each = [roc_auc_score(*pair) for pair in zip(truth.T, answers.T, strict=True)]
    assert scores["auc"] == pytest.approx(np.mean(each))
    for name, value in zip(cases.facts["findings"], each, strict=True):
        assert scores[name] == pytest.approx(value)
    assert scores["low"] < scores["auc"] < scores["high"]
    again = []  # with other draws: how far the mean strays, 1.96 times each way
    for draw in np.random.default_rng(1).integers(60, size=(300, 60)):
        columns = zip(truth[draw].T, answers[draw].T, strict=True)
        again.append(
            np.mean([roc_auc_score(*x) for x in columns if 0 < sum(x[0]) < 60])
        )
    width = scores["high"] - scores["low"]
    assert width == pytest.approx(2 * 1.96 * np.std(again), rel=0.25)
    perfect = ZeroShot.score(cases, held, truth.astype(float))
    assert (perfect["auc"], perfect["low"], perfect["high"]) == (1, 1, 1)


def test_a_finding_that_all_or_none_have_is_left_out_of_the_mean(cases):
    held = np.flatnonzero(cases.columns["findings"][:, 0] > 0)
    answers = np.random.default_rng(0).random((len(held), len(cases.facts["findings"])))
    scores = ZeroShot.score(cases, held, answers)
    assert np.isnan(scores[cases.facts["findings"][0]])
    assert np.isfinite(scores["auc"])


class Reader:
    """Knows of each image how much of the first finding its words should see."""

    def __init__(self, cases):
        self.there, self.asked = cases.columns["findings"], None

    def similarity(self, images, texts):
        self.asked = texts
        there = np.repeat(self.there[: len(images)], 2, axis=1)
        sign = np.tile([1, -1], there.shape[1] // 2)
        return 0.9 * sign * np.where(there, 1, -1)


def test_words_answer_by_the_pair_of_a_finding_and_its_negation(cases):
    reader = Reader(cases)
    answers = ZeroShot.ask(cases, reader, np.arange(60))["zero-shot"]
    assert reader.asked[:2] == ["microaneurysms", "no microaneurysms"]
    assert ZeroShot.score(cases, np.arange(60), answers)["auc"] == 1
    assert 0.12 < answers.min() < answers.max() < 0.88  # cosines: only ranks mean much
    assert ZeroShot.ask(cases, object(), np.arange(60)) == {}


def test_where_no_finding_can_be_scored_the_score_is_unknown(cases):
    answers = np.zeros((1, len(cases.facts["findings"])))
    scores = ZeroShot.score(cases, np.arange(1), answers)
    assert np.isnan([scores[key] for key in ("auc", "low", "high")]).all()


def test_a_run_of_reports_is_asked_beside_what_labels_teach(table, cases, tmp_path):
    config, run = densenet_small().config, tmp_path / "run"
    options = {"steps": 2, "batch_size": 8, "size": 32, "workers": 1}
    commands.pretrain("toy:16:32:4", task="text", out=run, **options)
    starts = {"text": Start(run)}
    beside = {"encoder": config, "labels": [0.5, 1.0]}
    rows = experiment.frozen_rows(ZeroShot, cases, starts, **beside)
    asked = [row for row in rows if row["init"] == "text: zero-shot"]
    assert len(asked) == 4  # two folds, two shares
    by_fold = {row["fold"]: row["scores"]["auc"] for row in asked}
    assert all(row["scores"]["auc"] == by_fold[row["fold"]] for row in asked)
    inits = {row["init"] for row in rows}
    assert "text: linear probe" in inits
    assert any(init.startswith("random weights") for init in inits)
