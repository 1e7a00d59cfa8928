"""Label efficiency: nothing leaks, every start gets the same, order does not matter."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tinyssl import experiments, runs
from tinyssl.commands.finetune import refuse_leaks
from tinyssl.data import toy
from tinyssl.models import DenseNet
from tinyssl.study import Study, assign_folds
from tinyssl.summary import SAME_COMPUTE

TINY = DenseNet(
    growth_rate=4, block_layers=(1, 1), stem_channels=8, num_classes=2, small_stem=True
).config


@given(
    patients=st.lists(st.integers(0, 12), min_size=30, max_size=60),
    seed=st.integers(0, 9),
)
def test_folds_part_no_patient_and_hold_out_no_test_image(patients, seed):
    groups = np.array(patients)
    rng = np.random.default_rng(seed)
    grades = rng.integers(-1, 4, len(groups))
    split = np.where(np.arange(len(groups)) == 0, "test", "train")
    kept = groups != groups[0]  # the other eye of a test patient is no training image
    inside = groups[(grades >= 0) & kept]
    if len(np.unique(inside)) < 3:
        return
    fold = assign_folds(grades, groups, 3, split=split, seed=seed)
    assert (fold[~kept] == -2).all()
    assert (fold[(grades >= 0) & kept] >= 0).all()
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    eyes = toy.fundus(60, size=16, rng=0)
    groups = np.unique(eyes.patient, return_inverse=True)[1]
    split = np.where(groups >= 26, "test", "train")
    return Study(
        images=eyes.images,
        grades=eyes.grades,
        groups=groups,
        fold=assign_folds(eyes.grades, groups, 2, split=split),
        encoder=TINY,
        num_grades=5,
        is_fundus=True,
        hashes=runs.content_hashes(eyes.images),
        out=tmp_path_factory.mktemp("study"),
    )


def job(study, **changes):
    found = {"init": "scratch", "fraction": 0.5, "fold": 0, "head": "softmax"}
    found |= {
        "epochs": 1,
        "batch_size": 8,
        "lr": 1e-3,
        "extra_steps": 0,
        "least_steps": 60,
    }
    return found | {"weights": None, "save": None} | changes


def pretrain(study, fold=0, steps=2):
    train = {"steps": steps, "batch_size": 4, "lr": 1e-3}
    experiments.pretrain_fold(
        study,
        {"task": "rotation", "fold": fold, "folder": f"rotation/fold{fold}"}
        | {"task_options": {}, "weights": None, "train": train},
    )
    return study.out / f"rotation/fold{fold}/encoder.pt"


def test_pretraining_sees_neither_held_out_nor_test_images(study):
    _, saved = runs.load_encoder(pretrain(study))
    seen = set(saved["seen"])
    for fold, hashed in zip(study.fold, study.hashes, strict=True):
        assert (hashed in seen) == (fold == 1)


def test_encoder_that_saw_the_held_out_images_is_refused(study):
    paths = [pretrain(study, 0), pretrain(study, 1)]
    refuse_leaks(study, {"rotation": paths})
    with pytest.raises(ValueError, match=r"pretrained on \d+ of the \d+ images held"):
        refuse_leaks(study, {"rotation": paths[::-1]})


def test_starts_share_labels_head_and_batches(study, monkeypatch):
    seen = []

    def spy(task, data, **options):
        head = task.linear.weight.detach().clone()
        seen.append((data[1].tolist(), head, options["steps"], options["seed"]))
        return [{"step": 0, "seconds": 0.0}]

    monkeypatch.setattr(experiments, "train", spy)
    experiments.finetune_fold(study, job(study))
    path = pretrain_with_real_loop(study, monkeypatch)
    monkeypatch.setattr(experiments, "train", spy)
    experiments.finetune_fold(study, job(study, init="rotation", weights=path))
    experiments.finetune_fold(study, job(study, extra_steps=7))
    (labels, head, steps, seed), other, longer = seen
    assert other[0] == labels
    assert torch.equal(other[1], head)
    assert (other[2], other[3]) == (steps, seed)
    assert longer[2] == steps + 7


def pretrain_with_real_loop(study, monkeypatch):
    monkeypatch.undo()
    return pretrain(study)


def test_pretrained_weights_reach_the_grader(study, monkeypatch):
    path = pretrain(study, steps=3)
    saved, _ = runs.load_encoder(path)
    found = {}

    def spy(task, data, **options):
        found.update(task.encoder.state_dict())
        return [{"step": 0, "seconds": 0.0}]

    monkeypatch.setattr(experiments, "train", spy)
    experiments.finetune_fold(study, job(study, weights=path))
    for name, tensor in saved.state_dict().items():
        assert torch.equal(found[name], tensor), name


def test_label_efficiency_gives_one_row_a_start_share_and_fold(study):
    paths = [pretrain(study, 0), pretrain(study, 1)]
    options = dict(fractions=(0.5, 1.0), epochs=1, batch_size=8, pretrain_images=16)
    rows = experiments.label_efficiency(study, inits={"rotation": paths}, **options)
    cells = {(row["init"], row["fraction"], row["fold"]) for row in rows}
    assert len(rows) == len(cells) == 3 * 2 * 2
    for row in rows:
        assert -1 <= row["qwk"] <= 1 or np.isnan(row["qwk"])
        assert row["test"].keys() == {"qwk", "accuracy", "auc"}
        assert row["curve"][-1][0] == row["steps"]
    extra = [row["steps"] for row in rows if row["init"] == SAME_COMPUTE]
    plain = [row["steps"] for row in rows if row["init"] == "scratch"]
    assert np.subtract(extra, plain).tolist() == [2] * 4
    ensembles = experiments.ensemble_rows(study, rows)
    assert len(ensembles) == 3 * 2
    baselines = experiments.baseline_rows(study, (0.5, 1.0))
    assert {row["init"] for row in baselines} == {
        "majority grade",
        "global intensities",
    }
