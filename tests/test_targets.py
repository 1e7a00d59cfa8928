"""The contract of every target task: whatever the table names must keep it.

A task that adds itself to `tinyssl.targets.TARGETS` is tested here; what is its own
stands in ``tests/targets/``.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_pretexts import OwnEncoder, leaves

from tinyssl import experiment, runs, targets
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.models import UNet
from tinyssl.starts import Start
from tinyssl.summary import SAME_COMPUTE, SCRATCH, UNTRAINED
from tinyssl.task import Target
from tinyssl.training import to_tensor, train

ANY = pytest.mark.parametrize("name", targets.TARGETS)
TRAINS = [name for name in targets.TARGETS if targets.find(name).trains]
TRAINED = pytest.mark.parametrize("name", TRAINS)
FITTED = pytest.mark.parametrize("name", [*{*targets.TARGETS} - {*TRAINS}])
DATA = "toy:24:64"  # twelve patients


@pytest.fixture(scope="module")
def cases():
    """Return one study a target, each read once."""
    reading = Reading(size=32, folds=3)
    table = open_dataset(DATA)
    return {name: targets.find(name).read(table, reading) for name in targets.TARGETS}


def build(name, cases, encoder=None):
    torch.manual_seed(0)
    return targets.find(name).build(encoder or OwnEncoder(), cases[name])


def batch(task, cases, rng=0):
    columns = cases.take(task.columns, range(4))
    return task.make_batch(*columns, rng=np.random.default_rng(rng))


@TRAINED
def test_a_batch_follows_from_the_generator_and_leaves_the_images_alone(name, cases):
    task, study = build(name, cases), cases[name]
    kept = [np.copy(image) for image in study.images(range(4))]
    first, again, other = (leaves(batch(task, study, rng)) for rng in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    for image, before in zip(study.images(range(4)), kept, strict=True):
        assert np.array_equal(image, before)


@TRAINED
def test_an_encoder_of_ones_own_needs_features_and_their_number(name, cases):
    own = OwnEncoder()
    task = build(name, cases, own)
    assert task.encoder is own
    loss, logs = task(*to_tensor(batch(task, cases[name])))
    assert torch.isfinite(loss)
    assert all(torch.isfinite(torch.as_tensor(v)) for v in logs.values())
    columns = cases[name].take(task.columns, range(4))
    how, losses = {"steps": 2, "batch_size": 2}, []
    for precision in ("float32", "bfloat16"):
        rows = train(build(name, cases), columns, precision=precision, **how)
        losses.append([row["loss"] for row in rows])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@FITTED
def test_what_is_fitted_leaves_the_encoder_alone_and_follows_from_the_data(name, cases):
    own, study = OwnEncoder(), cases[name]
    task = build(name, cases, own)
    before = [p.clone() for p in own.parameters()]
    states = []
    for index in (range(6), range(6), range(6, 12)):
        task.fit(*study.take(task.columns, index))
        states.append(torch.cat([b.flatten() for b in task.buffers()]).clone())
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
    assert all(map(torch.equal, before, own.parameters()))


@TRAINED
def test_a_frozen_encoder_stays_as_it_is(name, cases):
    channels = targets.find(name).channels
    task = build(name, cases, UNet(out_channels=channels, widths=(4, 8)))
    before = {k: v.clone() for k, v in task.encoder.state_dict().items()}
    head = torch.cat([p.flatten() for p in task.parameters()]).clone()
    task.freeze()
    columns = cases[name].take(task.columns, range(4))
    train(task, columns, steps=2, batch_size=2, lr=1e-2)
    for key, tensor in task.encoder.state_dict().items():
        if not key.startswith(("decoder.", "head.")):
            assert torch.equal(tensor, before[key]), key
    assert not torch.equal(torch.cat([p.flatten() for p in task.parameters()]), head)


@ANY
def test_answers_are_scored_the_same_again_by_the_main_metric_at_least(name, cases):
    kind, study = targets.find(name), cases[name]
    task, held = build(name, cases), study.held(0)
    answers = (task.predict(study.images(held)) for _ in range(2))
    scores, again = (kind.score(study, held, one) for one in answers)
    assert runs.plain(scores) == runs.plain(again)
    assert next(iter(kind.metrics)) in scores  # the main one
    for key, metric in kind.metrics.items():
        assert metric.words
        if key in scores and metric.higher:
            assert math.isnan(scores[key]) or -1 <= scores[key] <= 1


@ANY
def test_baselines_and_probes_answer_every_held_out_case(name, cases):
    kind, study = targets.find(name), cases[name]
    part, held = study.part(0, labelled=True), study.held(0)
    answers = dict(kind.baselines(study, part, held))
    if kind.probes:
        both = (experiment.features(build(name, cases), study, i) for i in (part, held))
        answers |= kind.probe(study, part, *both)
        assert {"linear probe", "nearest neighbours"} <= set(answers)
    main = next(iter(kind.metrics))
    for one in answers.values():
        assert np.isfinite(kind.score(study, held, one)[main])


def test_frozen_encoders_see_only_what_is_asked_of_them(cases, monkeypatch):
    study, kind, seen = cases["grade"], targets.find("grade"), {}
    filters, described = experiment.random_filters, experiment.features

    def watched(some, index, fold, seed):
        seen[fold] = index
        return filters(some, index, fold, seed)

    def whole(task, some, index):
        seen["every"] = index
        return described(task, some, index)

    monkeypatch.setattr(experiment, "random_filters", watched)
    monkeypatch.setattr(experiment, "features", whole)
    how = {"labels": [3, 6], "repeats": 2}
    experiment.frozen_rows(kind, study, {}, encoder=lambda **_: OwnEncoder(), **how)
    asked = {fold: [study.held(fold)] for fold in range(3)}
    for cell, chosen in experiment.plan(study, [3, 6], 2, 0):
        asked[cell["fold"]].append(chosen)
    for fold, index in asked.items():
        assert set(seen[fold]) == set(np.concatenate(index))
        assert len(seen[fold]) < len(study)
    assert len(seen["every"]) == len(study)


def alike(scores, others):
    """Compare scores; a Xeon's last digits depend on where memory lies."""
    pairs = [np.array([scores[k], others[k]], float) for k in scores | others]
    return all(np.allclose(*pair, atol=1e-6, equal_nan=True) for pair in pairs)


@ANY
def test_a_comparison_gives_all_the_same_and_scores_the_held_out(name, cases, tmp_path):
    kind, study = targets.find(name), cases[name]
    config = UNet(widths=(4, 8)).config
    pretrained = tmp_path / "run"
    options = {"encoder": config, "batch_size": 2}
    experiment.pretrain("rotation", study, out=pretrained, steps=1, **options)
    options |= {"steps": 1, "labels": [2, "all"], "pretrain_images": 4}
    starts = {"rotation": Start(pretrained), "that run again": Start(pretrained)}
    rows = experiment.compare_starts(kind, study, starts, out=tmp_path, **options)
    cells, moved = {}, []
    for row in rows:
        cells.setdefault((row["labels"], row["run"]), []).append(row)
        trains, scored = (set(study.groups[row[key]]) for key in ("chosen", "held"))
        assert not trains & scored, "a patient on both sides"
        assert row["held"] == study.held(row["fold"]).tolist()
    assert len(cells) == 2 * study.num_folds
    for (labels, run), cell in cells.items():
        assert len({tuple(row["chosen"]) for row in cell}) == 1
        assert {row["n"] for row in cell} == {labels}
        steps = [(row["init"], row["steps"]) for row in cell]
        own = dict.fromkeys(starts, int(kind.trains))
        plain = {SCRATCH: 1, SAME_COMPUTE: 3} if kind.trains else {UNTRAINED: 0}
        assert steps == [*(plain | own).items()]
        scores = {row["init"]: row["scores"] for row in cell}
        run_scores, again = (scores[init] for init in starts)
        same = alike(run_scores, again)
        assert same, "other heads or batches for the same start"
        moved.append(run_scores != scores[cell[0]["init"]])
        if labels == 2:
            more = next(c for (n, r), c in cells.items() if r == run and n != 2)
            assert set(cell[0]["chosen"]) < set(more[0]["chosen"])
    assert any(moved), "nothing of the run was carried over"
    load = experiment.loader(kind, study, out=tmp_path, encoder=config, labels=["all"])
    row = next(row for row in rows if row["labels"] != 2 and row["run"] == 1)
    held = study.held(1)
    answers = load(row["init"], 1).predict(study.images(held))
    assert alike(runs.plain(kind.score(study, held, answers)), row["scores"])


def test_all_labels_are_as_many_in_folds_of_any_size(cases):
    uneven = replace(cases["grade"], fold=np.repeat([0, 1, 2], [12, 6, 6]))
    planned = experiment.plan(uneven, ["all"], repeats=1, seed=0)
    assert [len(chosen) for _, chosen in planned] == [12, 12, 12]  # of 12, 18, 18


@ANY
def test_folds_are_read_and_what_lacks_the_labels_is_refused(name, cases, tmp_path):
    kind, study = targets.find(name), cases[name]
    assert study.num_folds == 3
    held = np.concatenate([study.held(fold) for fold in range(3)])
    assert len(np.unique(held)) == len(held)
    bare = replace(open_dataset(DATA), grade=None, eye=None, points={}, masks={})
    with pytest.raises(ValueError, match="needs"):
        kind.read(bare, Reading(size=32, folds=3))
    unlabelled = kind.read(bare, Reading(size=32, labelled=False))
    assert not unlabelled.labelled.any()
    assert len(unlabelled.part(None, labelled=False))


@ANY
def test_its_own_options_are_documented(name):
    kind = targets.find(name)
    assert issubclass(kind, Target)
    assert kind.title
    for option, (_, _, words) in targets.options_of(name).items():
        assert words, f"{option} of {name} is nowhere explained"


def test_any_other_name_is_that_of_a_mask():
    assert targets.find("EX") is targets.find("mask")
    with pytest.raises(AttributeError, match="no attribute 'Astrology'"):
        targets.Astrology  # noqa: B018
