"""A few labels: same images for every start, nested draws, what is carried over."""

import numpy as np
import pytest
import torch

from tinyssl import models, runs
from tinyssl.data import toy
from tinyssl.downstream.few_labels import (
    FewLabels,
    build,
    draw,
    draws,
    few_labels,
    start_from,
)
from tinyssl.downstream.starts import Start
from tinyssl.pretext import ContextRestoration, Restorer
from tinyssl.summary import summarise

ENCODER = models.SonoNet(width=2, num_classes=2).config


def shared(target="localization", n=12, **options):
    eyes = toy.fundus(n, size=32, rng=0)
    points = np.stack([eyes.disc, eyes.fovea], 1)
    right = (eyes.eye == "right").astype(np.int64)
    truth = points if target == "localization" else right
    fold = np.arange(n) // 2 % 3  # the two eyes of a patient together
    options = {"encoder": ENCODER, "batch_size": 2} | options
    return FewLabels(target, eyes.images, truth, fold, **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder as pretraining leaves it: encoder.pt and task.pt."""
    out = tmp_path_factory.mktemp("restoration")
    torch.manual_seed(5)
    task = ContextRestoration(Restorer(models.from_config(ENCODER)))
    runs.save_encoder(out / "encoder.pt", task.encoder, task="restoration", seen=[])
    runs.save_state(out / "task.pt", task.state_dict())
    return out


@pytest.fixture(scope="module")
def rows(run, tmp_path_factory):
    inits = {"restoration": Start(run), "with decoder": Start(run, "network")}
    return few_labels(
        shared(inits=inits),
        out=tmp_path_factory.mktemp("few"),
        counts=(1, 3, "all"),
        steps=2,
        pretrain_images=6,
    )


def test_every_start_gets_the_same_images_and_steps(rows):
    for labels in (1, 3, 8):
        for fold in range(3):
            cell = [r for r in rows if (r["labels"], r["fold"]) == (labels, fold)]
            trained = [r for r in cell if "steps" in r]
            steps = {r["init"]: r["steps"] for r in trained}
            assert len({tuple(r["chosen"]) for r in trained}) == 1
            assert len(trained[0]["chosen"]) == labels
            assert steps.pop("scratch, same compute") == 5
            assert steps == dict.fromkeys(("scratch", "restoration", "with decoder"), 2)
            assert {r["init"] for r in cell} - set(steps) >= {"mean place"}


def test_nothing_that_is_scored_was_trained_on(rows):
    for row in rows:
        if "chosen" in row:
            assert not set(row["chosen"]) & set(row["held"])
            assert len(row["held"]) == len(row["answers"])


def test_fewer_images_lie_inside_more():
    chosen = {(run, n): set(c) for run, _, n, c in draws(shared(), (1, 3, "all"), 2)}
    assert len(chosen) == 2 * 3 * 3
    for run in range(6):
        assert chosen[run, 1] < chosen[run, 3] < chosen[run, 8]
    assert chosen[0, 3] != chosen[3, 3]  # another repeat, another draw


def test_both_eyes_are_among_the_first_two():
    eyes = np.array([0] * 9 + [1])
    for seed in range(20):
        order = draw(np.arange(10), eyes, rng=seed)
        assert set(eyes[order[:2]]) == {0, 1}
        assert sorted(order) == list(range(10))


def test_rows_go_into_the_summary_with_the_error_told_the_right_way(rows):
    table = summarise(rows, metric="error", by="labels", test_share=0.5)
    assert {line["labels"] for line in table} == {1, 3, 8}


def test_laterality_runs_the_same_way(run, tmp_path):
    inits = {"restoration": Start(run)}
    options = dict(counts=(2,), steps=2, repeats=2)
    rows = few_labels(shared("laterality", inits=inits), out=tmp_path, **options)
    assert {r["init"] for r in rows} == {"scratch", "restoration", "majority eye"}
    assert {r["fold"] for r in rows} == set(range(6))
    assert all(0 <= r["accuracy"] <= 1 for r in rows)


def test_finished_jobs_are_not_run_again(tmp_path, monkeypatch):
    options = dict(out=tmp_path, counts=(1,), steps=1)
    first = few_labels(shared(), **options)
    monkeypatch.setattr("tinyssl.downstream.few_labels.train", None)
    assert few_labels(shared(), **options) == first


@pytest.mark.parametrize("transfer", ["encoder", "network"])
def test_what_is_carried_over(run, transfer):
    torch.manual_seed(1)
    task = build("localization", models.from_config(ENCODER))
    before = {n: t.clone() for n, t in task.state_dict().items()}
    start_from(task, Start(run, transfer))
    saved = runs.load_plain(run / "task.pt")
    last = len(task.network.decoder) - 1
    for name, tensor in task.state_dict().items():
        carried = name.startswith("network.encoder.")
        if transfer == "network":
            head = name.startswith(f"network.decoder.{last}.")
            carried |= name.startswith("network.decoder.") and not head
        expected = saved[name] if carried else before[name]
        assert torch.equal(tensor, expected), name


def test_a_decoder_that_is_not_there_is_refused(run, tmp_path):
    task = build("laterality", models.from_config(ENCODER))
    with pytest.raises(ValueError, match="the target task has none"):
        start_from(task, Start(run, "network"))
    saved, _ = runs.load_encoder(run / "encoder.pt")
    runs.save_encoder(tmp_path / "encoder.pt", saved, task="rotation", seen=[])
    runs.save_state(tmp_path / "task.pt", {"head.weight": torch.zeros(4)})
    task = build("localization", models.from_config(ENCODER))
    with pytest.raises(ValueError, match="transfer=network needs a decoder, the run"):
        start_from(task, Start(tmp_path, "network"))


def test_more_labels_than_there_are_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"counts must lie in 1\.\.8, found 9"):
        few_labels(shared(), out=tmp_path, counts=(9,), steps=1)
