"""Starts: what is carried over, what is refused, and how runs are named."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from data.test_folds import saved_anew
from test_cases import study, table

from tinyssl import experiment, models, runs, targets
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.starts import (
    Start,
    agree,
    carry,
    images_processed,
    name_starts,
    notes_of,
    refuse_leaks,
)

SONONET = models.SonoNet(width=2, num_classes=2, extra_pool=True).config
UNET = models.UNet(widths=(4, 8)).config
SIZE = 64


def pretrained(out, task="restoration", config=SONONET, cases=None, folds=0, **more):
    """Leave a run folder as pretraining does."""
    if cases is None:
        reading = Reading(SIZE, folds, labelled=folds > 0)
        cases = targets.Grading.read(open_dataset(f"toy:12:{SIZE}:5"), reading)
    steps = {"steps": 2, "batch_size": 2}
    experiment.pretrain(task, cases, encoder=config, out=out, lr=0.1, **steps)
    known = {"command": "pretrain", "task": task, "encoder": config} | steps
    runs.claim(out, known | cases.settings() | {"init": None} | more)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return runs of three tasks with a decoder of deconvolutions, and with a U-Net."""
    place = tmp_path_factory.mktemp("runs")
    for task in ("restoration", "rotation"):
        pretrained(place / task, task)
        pretrained(place / f"u-{task}", task, UNET)
    pretrained(place / "folds", "rotation", folds=3)
    return place


def points(config=SONONET):
    torch.manual_seed(9)
    encoder = experiment.new_encoder(config, channels=2)
    return targets.Localization.build(encoder, None)


def changed(task, start, fold=None):
    """Return the names of the tensors that carrying over has changed."""
    before = {k: v.clone() for k, v in task.state_dict().items()}
    carry(task, start, fold)
    after = task.state_dict()
    return {k for k in before if not torch.equal(before[k], after[k])}, after


@pytest.mark.parametrize("carried", ["encoder", "network", "frozen"])
def test_of_a_decoder_of_deconvolutions_all_but_the_last_layer(folder, carried):
    task, run = points(), folder / "restoration"
    moved, after = changed(task, Start(run, carried))
    saved = runs.load_plain(run / "task.pt")
    last = f"network.decoder.{len(task.network.decoder) - 1}."
    for name in moved:
        assert torch.equal(after[name], saved[name]), name
    decoder = {name for name in moved if name.startswith("network.decoder.")}
    assert bool(decoder) == (carried == "network")
    assert not any(name.startswith(last) for name in moved)  # colours, not places
    weights = {n for n in after if n.endswith("weight") and ".blocks." in n}
    assert weights <= moved


@pytest.mark.parametrize("carried", ["encoder", "network"])
def test_of_a_u_net_all_but_its_head(folder, carried):
    moved, after = changed(points(UNET), Start(folder / "u-restoration", carried))
    saved = runs.load_encoder(folder / "u-restoration" / "encoder.pt")[0].state_dict()
    parts = ("down.",) if carried == "encoder" else ("down.", "decoder.")
    for name in moved:
        assert name.removeprefix("network.").startswith(parts)
        assert torch.equal(after[name], saved[name.removeprefix("network.")])
    assert {name.split(".")[1] + "." for name in moved} == set(parts)


def test_a_decoder_that_is_not_there_is_refused(folder, tmp_path):
    eye = targets.Laterality(models.from_config(SONONET))
    with pytest.raises(ValueError, match="the target task has none"):
        carry(eye, Start(folder / "restoration", "network"), None)
    with pytest.raises(ValueError, match="needs a decoder, the run"):
        carry(points(), Start(folder / "rotation", "network"), None)


def test_another_architecture_or_a_missing_tensor_is_refused(folder, tmp_path):
    other = models.SonoNet(width=3, num_classes=2, extra_pool=True).config
    with pytest.raises(ValueError, match="missing, too many or of another shape"):
        carry(points(other), Start(folder / "restoration"), None)
    encoder = folder / "restoration" / "encoder.pt"
    state = runs.load_plain(encoder)
    name = next(n for n in state["state_dict"] if n.endswith("0.weight"))
    state["state_dict"] = {k: v for k, v in state["state_dict"].items() if k != name}
    runs.save_state(tmp_path / "encoder.pt", state)
    task = points()
    before = {k: v.clone() for k, v in task.state_dict().items()}
    with pytest.raises(ValueError, match="tensor"):
        carry(task, Start(tmp_path), None)
    assert all(torch.equal(v, before[k]) for k, v in task.state_dict().items())


def test_runs_are_named_by_task_and_by_what_comes_with_it(folder):
    inits = [folder / name for name in ("restoration", "rotation", "u-rotation")]
    named = name_starts(inits, ["encoder", "network", "frozen"], folds=3)
    assert list(named) == [
        "restoration",
        "restoration, with decoder",
        "restoration, frozen",
        "rotation rotation",  # two of one task: by their folders
        "rotation rotation, frozen",
        "rotation u-rotation",
        "rotation u-rotation, frozen",
    ]
    assert named["restoration, with decoder"].carried == "network"
    assert list(name_starts(inits[1:2], ["network"], folds=1)) == ["rotation"]
    assert list(name_starts([inits[0]] * 2, ["encoder"], folds=1)) == ["restoration"]


def test_a_fold_takes_its_own_encoder(folder):
    start = Start(folder / "folds")
    assert [start.folder(k).name for k in range(3)] == ["fold0", "fold1", "fold2"]
    assert Start(folder / "rotation").folder(2) == folder / "rotation"


def test_what_is_no_run_of_pretraining_is_refused(folder, tmp_path):
    runs.claim(tmp_path / "other", {"command": "finetune"})
    for run, message in (
        (tmp_path, "is not a run folder: it has no config"),
        (tmp_path / "other", "must be a run of pretrain"),
        (folder / "folds", r"fold0\.\.fold4 with one each"),
    ):
        with pytest.raises(ValueError, match=message):
            name_starts([run], ["encoder"], folds=5)
    starts = {name: Start(folder / name) for name in ("rotation", "u-rotation")}
    with pytest.raises(ValueError, match="must have one encoder"):
        agree(starts)
    assert agree({"rotation": Start(folder / "rotation")}) == SONONET
    assert agree({}) == {}


@pytest.mark.parametrize("name", targets.TARGETS)
def test_an_encoder_that_saw_what_is_scored_is_refused_whatever_the_target(
    folder, name, tmp_path
):
    reading = Reading(SIZE, 3)
    kind = targets.find(name)
    new, old = (open_dataset(f"toy:12:{SIZE}:{seed}") for seed in (4, 5))
    starts = {"rotation": Start(folder / "rotation")}
    refuse_leaks(kind.read(new, reading), starts)
    with pytest.raises(ValueError, match=r"was pretrained on \d of the \d images held"):
        refuse_leaks(kind.read(old, reading), starts)


def test_a_copy_that_was_saved_again_is_seen_whatever_its_hash(folder):
    old = open_dataset(f"toy:12:{SIZE}:5")
    again = np.stack([saved_anew(image, 85) for image in old.images])
    cases = targets.Grading.read(replace(old, images=again), Reading(SIZE, 3))
    assert not set(cases.hashes) & set(Start(folder / "rotation").seen(None))
    with pytest.raises(ValueError, match="was pretrained on"):
        refuse_leaks(cases, {"rotation": Start(folder / "rotation")})


def test_encoders_of_folds_are_blind_to_their_own_fold_alone(folder):
    table_ = open_dataset(f"toy:12:{SIZE}:5")
    cases = targets.Grading.read(table_, Reading(SIZE, 3))
    refuse_leaks(cases, {"rotation": Start(folder / "folds")})
    turned = replace(cases, fold=np.where(cases.fold >= 0, (cases.fold + 1) % 3, -1))
    with pytest.raises(ValueError, match="held out in fold 0; pretrain with --folds 3"):
        refuse_leaks(turned, {"rotation": Start(folder / "folds")})


def test_another_size_is_said_and_other_views_are_refused(folder):
    starts = {"rotation": Start(folder / "rotation")}
    small = targets.Grading.read(open_dataset("toy:12:32:4"), Reading(32, 3))
    (line,) = notes_of(small, starts)
    assert "learned at 64 px and is shown 32 px here" in line
    same = targets.Grading.read(open_dataset("toy:12:64:4"), Reading(64, 3))
    assert notes_of(same, starts) == []
    patches = targets.Segmentation.read(open_dataset("toy:12:64:4"), Reading(64))
    with pytest.raises(ValueError, match="learned from whole images, this run shows"):
        notes_of(patches, starts)


def test_compute_counts_the_runs_before(folder, tmp_path):
    assert images_processed(folder / "rotation") == 4
    later = pretrained(tmp_path / "later", init=str(folder / "rotation"))
    assert images_processed(later) == 8
    assert json.loads((later / "config.json").read_text())["init"]


def test_continued_pretraining_has_seen_both(folder, tmp_path):
    cases = study(table())
    cases.facts["size"] = 96
    start = Start(folder / "rotation")
    options = {"encoder": SONONET, "steps": 1, "batch_size": 2, "init": start}
    experiment.pretrain("rotation", cases, out=tmp_path, **options)
    seen = Start(tmp_path).seen(None)
    assert set(seen) == set(start.seen(None)) | set(cases.hashes)
    assert len(Start(tmp_path).thumbnails(None)) == len(seen)
    torch.manual_seed(0)
    fresh = models.from_config(SONONET).state_dict()
    saved = runs.load_encoder(tmp_path / "encoder.pt")[0].state_dict()
    before = runs.load_encoder(folder / "rotation" / "encoder.pt")[0].state_dict()
    name = next(n for n in fresh if n.endswith("weight") and saved[n].ndim == 4)
    near, far = (torch.dist(saved[name], other[name]) for other in (before, fresh))
    assert near < far
