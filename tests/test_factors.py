"""The factor profile: what is asked of encoders, and how an answer is scored."""

import json

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinyssl import commands, factors
from tinyssl.data import toy


@pytest.fixture(scope="module")
def eyes():
    return [toy.fundus(160, size=32, rng=seed) for seed in (1, 2)]


def test_a_skill_is_r2_or_twice_the_auc_less_one():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=50)
    guess = truth + rng.normal(size=50)
    assert factors.skill(truth, guess) == pytest.approx(r2_score(truth, guess))
    expected = 2 * roc_auc_score(truth > 0, guess) - 1
    assert factors.skill(truth > 0, guess) == pytest.approx(expected)


def test_features_that_hold_a_factor_know_it_and_noise_knows_nothing(eyes):
    rng = np.random.default_rng(0)
    known = []
    for some in eyes:
        columns = [some.pigment, some.eye == "right", some.lesion_counts["HE"] > 0]
        noise = rng.normal(size=(160, 20))
        known.append(np.column_stack([*columns, noise]))
    found = factors.skills(*known, *eyes)
    assert found["pigment"] > 0.98
    assert found["right or left"] == pytest.approx(1)
    assert found["haemorrhages"] > 0.98
    assert abs(found["cup ratio"]) < 0.2
    empty = factors.skills(*(k[:, 3:] for k in known), *eyes)
    eye = [empty[name] for name in ("pigment", "right or left", "haemorrhages")]
    assert np.abs(eye).max() < 0.25


def test_the_penalty_is_chosen_by_patients_of_the_first_eyes_alone(eyes):
    rng = np.random.default_rng(0)
    some, others = rng.normal(size=(2, 160, 40))
    values = np.column_stack([some @ rng.normal(size=40), rng.normal(size=160)])
    values[:, 0] += rng.normal(size=160)
    names = eyes[0].patient
    folds = np.unique(names, return_inverse=True)[1] % 4
    expected = np.empty((160, 2))
    for j, column in enumerate(values.T):
        errors = []
        for penalty in factors.PENALTIES:
            model = make_pipeline(StandardScaler(), Ridge(alpha=40 * penalty))
            cut = PredefinedSplit(folds)
            guess = cross_val_predict(model, some, column, cv=cut)
            errors.append(np.square(guess - column).mean())
        best = factors.PENALTIES[int(np.argmin(errors))]
        model = make_pipeline(StandardScaler(), Ridge(alpha=40 * best))
        expected[:, j] = model.fit(some, column).predict(others)
    actual = factors.fitted(some, values, others, names)
    assert np.allclose(actual, expected)


def test_a_patient_is_known_by_the_other_eye(eyes):
    some, new = eyes
    pairs = np.repeat(np.random.default_rng(0).normal(size=(80, 30)), 2, axis=0)
    found = factors.skills(pairs, pairs, some, new)
    assert found["patient"] == pytest.approx(1)
    alone = np.random.default_rng(0).normal(size=(160, 30))  # eyes of strangers
    found = factors.skills(alone, alone, some, new)
    assert abs(found["patient"]) < 0.25


def test_what_is_said_follows_from_the_matrix(eyes):
    names = [*factors.factors(eyes[0]), "patient"]
    flat = dict.fromkeys(names, 0.2)
    means = {
        "good": flat | {"haemorrhages": 0.9, "right or left": 0.9},
        "camera one": flat | {"camera": 0.9, "cup ratio": 0.1},
        "random N": flat,
        factors.TAUGHT: flat,
        factors.PIXELS: flat | {"right or left": 0.5},
    }
    networks = {"good": "random N", "camera one": "random N"}
    said = factors.sentences(means, networks)
    assert len(said) == 5
    assert "best after good" in said[0]
    assert "after camera one: these learned the camera" in said[1]
    assert "random weights know more than encoders after camera one." in said[2]
    assert "best after good (0.90)" in said[3]
    assert "more than after camera one" in said[3]
    said = factors.sentences(means, {"good": "random N"})
    assert said[1] == "No task taught the camera alone."
    assert said[2].startswith("Every task taught more of the eye itself than random")


def test_the_command_leaves_a_matrix_a_figure_and_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr(factors, "STEPS", 1)
    run = tmp_path / "run"
    options = {"task": "rotation", "size": 32, "steps": 1, "workers": 1}
    commands.pretrain("toy:8:32", out=run, **options)
    out = tmp_path / "profile"
    results = commands.profile([run, run], eyes=40, out=out)
    saved = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [len(each) for each in saved["skills"].values()] == [2, 3, 1, 1]
    assert saved["means"]["rotation"] == pytest.approx(saved["skills"]["rotation"][0])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert results["said"][0] in page
    assert (out / "figures" / "matrix.png").stat().st_size > 10_000
    commands.pretrain("toy:8:24", out=tmp_path / "other", **options | {"size": 24})
    with pytest.raises(ValueError, match=r"runs must be of one size, found \[24, 32\]"):
        commands.profile([run, tmp_path / "other"], eyes=40, out=tmp_path / "no")
