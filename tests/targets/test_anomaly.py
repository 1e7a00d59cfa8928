"""Anomaly: normal images alone teach, distance scores, look-alikes are asked apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from html_page import Page
from sklearn.metrics import roc_auc_score
from test_pretexts import OwnEncoder

from tinyssl import experiment
from tinyssl.cases import Reading
from tinyssl.cli import main
from tinyssl.data import open_dataset, toy
from tinyssl.summary import UNTRAINED
from tinyssl.targets.anomaly import Anomaly
from tinyssl.targets.baselines import distances, gaussian

READING = Reading(32, folds=3)


@pytest.fixture(scope="module")
def table():
    return open_dataset("toy:120:32:3")


@pytest.fixture(scope="module")
def cases(table):
    return Anomaly.read(table, READING)


def task_of(encoder=None):
    torch.manual_seed(0)
    return Anomaly(encoder or OwnEncoder())


def test_abnormal_training_images_have_no_influence(table, cases, tmp_path):
    ill = table.grade > 0
    assert np.array_equal(cases.labelled, ~ill)
    assert cases.scored.all()
    noise = np.random.default_rng(0).integers(0, 256, table.images.shape, np.uint8)
    images = np.where(ill[:, None, None, None], noise, cases.columns["image"])
    changed = replace(cases, columns=cases.columns | {"image": images})
    states = []
    for k, study in enumerate((cases, changed)):
        options = {"encoder": OwnEncoder, "out": tmp_path / str(k), "labels": ["all"]}
        rows = experiment.compare_starts(Anomaly, study, {}, **options)
        assert not ill[[i for row in rows for i in row["chosen"]]].any()
        assert {row["init"] for row in rows} == {UNTRAINED}
        load = experiment.loader(Anomaly, study, **options)
        states.append([load(UNTRAINED, run).state_dict() for run in range(3)])
    for one, other in zip(*states, strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_features_are_judged_by_direction_and_a_blind_encoder_scores_one_half(cases):
    held = cases.held(0)
    for value in (0.0, 3.7):
        blind = OwnEncoder()
        blind.features = lambda x, v=value: torch.full((len(x), 6, 2, 2), v)
        task = task_of(blind)
        task.fit(cases.images(cases.part(0, labelled=True)))
        scores = Anomaly.score(cases, held, task.predict(cases.images(held)))
        assert {v for v in scores.values() if np.isfinite(v)} == {0.5}
    task, some = task_of(), cases.images(cases.part(0, labelled=True))
    rows = task.embed(cases.images(held))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    task.fit(some)
    expected = distances(rows, *gaussian(task.embed(some)))
    assert task.predict(cases.images(held)) == pytest.approx(expected, rel=1e-3)


def test_every_kind_is_asked_beside_normal_eyes_and_look_alikes_among_them(cases):
    eyes, answers = (
        toy.fundus(120, size=32, rng=3),
        np.random.default_rng(0).random(120),
    )
    normal = eyes.grades == 0
    found = Anomaly.score(cases, np.arange(120), answers)
    expected = {"auc": eyes.grades > 0, "2: moderate": eyes.grades == 2}
    expected |= {"hard exudates": eyes.lesion_counts["EX"] > 0}
    for name, ill in expected.items():
        some = normal | ill
        assert found[name] == pytest.approx(roc_auc_score(ill[some], answers[some]))
    spots = eyes.distractor_counts
    for name, n in {**spots, "": sum(spots.values())}.items():
        many = (n > np.median(n[normal]))[normal]
        actual = found[f"look-alikes {name}".strip()]
        assert actual == pytest.approx(roc_auc_score(many, answers[normal]))
    assert len(found) == len(cases.facts["asked"]) == 1 + 4 + 6 + 6


def test_the_normal_class_is_named_or_grade_0_and_must_be_there(table):
    def labelled(*names, ordered=False, **options):
        classes = replace(table, class_names=names, ordered=ordered, factors={})
        classes = replace(classes, grade=np.arange(120) % len(names))
        found = Anomaly.read(classes, READING, **options)
        return np.unique(found.columns["grade"][found.labelled]).tolist()

    assert labelled("cataract", "Normal eye") == [1]
    assert labelled("a", "b", "c", ordered=True) == [0]
    assert labelled("a", "b", normal="b") == [1]
    for names, options in ((("a", "b"), {}), (("a", "b"), {"normal": "c"})):
        with pytest.raises(ValueError, match=r"a normal class \(--normal NAME\).*'a'"):
            labelled(*names, **options)


def test_a_study_ends_in_its_page_and_another_set_can_be_scored(tmp_path):
    words = ["finetune", "toy:40:32", "--target", "anomaly", "--size", 32]
    words += ["--images", 2, "all", "--workers", 1, "--test", "toy:24:32:8"]
    assert main([*words, "--out", tmp_path]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert {row["init"] for row in results["rows"]} == {UNTRAINED}
    known = {row["init"] for row in results["asked"]}
    assert known == {"mean image", "global intensities"}
    for row in (*results["rows"], *results["asked"]):
        assert {"auc", "3: severe", "look-alikes drusen"} <= set(row["scores"])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "without training" in page.text
    assert "found best" in page.text
    assert "scratch" not in page.text
