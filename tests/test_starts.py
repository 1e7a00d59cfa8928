"""Starts: what is carried over, what is refused, and how runs are named."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from data.test_folds import saved_anew
from test_cases import study, table

from tinyssl import experiment, models, runs, starts, targets
from tinyssl.cases import Reading
from tinyssl.data import open_dataset
from tinyssl.starts import Start, agree, carry, name_starts, notes_of, refuse_leaks

SONONET = models.SonoNet(width=2, num_classes=2, extra_pool=True).config
UNET = models.UNet(widths=(4, 8)).config
SIZE = 64


def read(seed, target="grade", size=SIZE, folds=3, **options):
    """Return a study of twelve synthetic eyes: of seed 5, what all runs have seen."""
    reading = Reading(size, folds, **options)
    return targets.find(target).read(open_dataset(f"toy:12:{size}:{seed}"), reading)


def pretrained(out, task="restoration", config=SONONET, folds=0, init=None):
    """Leave a run folder as pretraining does."""
    cases = read(5, folds=folds, labelled=folds > 0)
    steps = {"steps": 2, "batch_size": 2}
    experiment.pretrain(task, cases, encoder=config, out=out, lr=0.1, **steps)
    known = {"command": "pretrain", "task": task, "encoder": config, "init": init}
    runs.claim(out, known | steps | cases.settings())
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


@pytest.fixture
def rotation(folder):
    return {"rotation": Start(folder / "rotation")}


def points(config=SONONET):
    torch.manual_seed(9)
    return targets.Localization.build(experiment.new_encoder(config, channels=2), None)


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
    assert {n for n in after if n.endswith("weight") and ".blocks." in n} <= moved


@pytest.mark.parametrize("carried", ["encoder", "network"])
def test_of_a_u_net_all_but_its_head(folder, carried):
    moved, after = changed(points(UNET), Start(folder / "u-restoration", carried))
    saved = runs.load_encoder(folder / "u-restoration" / "encoder.pt")[0].state_dict()
    parts = ("down.",) if carried == "encoder" else ("down.", "decoder.")
    for name in moved:
        assert name.removeprefix("network.").startswith(parts)
        assert torch.equal(after[name], saved[name.removeprefix("network.")])
    assert {name.split(".")[1] + "." for name in moved} == set(parts)


def test_no_decoder_another_architecture_or_a_missing_tensor_refused(folder, tmp_path):
    eye = targets.Laterality(models.from_config(SONONET))
    wide = points(models.SonoNet(width=3, num_classes=2, extra_pool=True).config)
    for task, run, carried, message in (
        (eye, "restoration", "network", "the target task has none"),
        (points(), "rotation", "network", "needs a decoder, the run"),
        (wide, "restoration", "encoder", "missing, too many or of another shape"),
    ):
        with pytest.raises(ValueError, match=message):
            carry(task, Start(folder / run, carried), None)
    state = runs.load_plain(folder / "restoration" / "encoder.pt")
    name = next(n for n in state["state_dict"] if n.endswith("0.weight"))
    state["state_dict"] = {k: v for k, v in state["state_dict"].items() if k != name}
    runs.save_state(tmp_path / "encoder.pt", state)
    task = points()
    before = {k: v.clone() for k, v in task.state_dict().items()}
    with pytest.raises(ValueError, match="tensor"):
        carry(task, Start(tmp_path), None)
    assert all(torch.equal(v, before[k]) for k, v in task.state_dict().items())
    # nor is part of a decoder carried over
    shutil.copy(folder / "restoration" / "encoder.pt", tmp_path)
    state = runs.load_plain(folder / "restoration" / "task.pt")
    name = next(n for n in state if n.startswith("network.decoder."))
    runs.save_state(tmp_path / "task.pt", {k: v for k, v in state.items() if k != name})
    with pytest.raises(ValueError, match=r"task.pt must hold the .* tensors"):
        carry(task, Start(tmp_path, "network"), None)
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


def test_what_is_no_run_of_pretraining_is_refused(folder, rotation, tmp_path):
    runs.claim(tmp_path / "other", {"command": "finetune"})
    for run, message in (
        (tmp_path, "is not a run folder: it has no config"),
        (tmp_path / "other", "must be a run of pretrain"),
        (folder / "folds", r"fold0\.\.fold4 with one each"),
    ):
        with pytest.raises(ValueError, match=message):
            name_starts([run], ["encoder"], folds=5)
    with pytest.raises(ValueError, match="must have one encoder"):
        agree(rotation | {"u-rotation": Start(folder / "u-rotation")})
    assert (agree(rotation), agree({})) == (SONONET, {})


@pytest.mark.parametrize("target", targets.TARGETS)
def test_an_encoder_that_saw_what_any_target_scores_is_refused(rotation, target):
    refuse_leaks(read(4, target), rotation)
    with pytest.raises(ValueError, match=r"was pretrained on \d of the \d images held"):
        refuse_leaks(read(5, target), rotation)


def test_a_copy_that_was_saved_again_is_seen_whatever_its_hash(rotation):
    old = open_dataset(f"toy:12:{SIZE}:5")
    again = np.stack([saved_anew(image, 85) for image in old.images])
    cases = targets.Grading.read(replace(old, images=again), Reading(SIZE, 3))
    assert not set(cases.hashes) & set(rotation["rotation"].seen(None))
    with pytest.raises(ValueError, match="was pretrained on"):
        refuse_leaks(cases, rotation)


def test_a_fold_takes_its_own_encoder_that_is_blind_to_it_alone(folder, rotation):
    start, cases = Start(folder / "folds"), read(5)
    assert [start.folder(k).name for k in range(3)] == ["fold0", "fold1", "fold2"]
    assert rotation["rotation"].folder(2) == folder / "rotation"
    refuse_leaks(cases, {"rotation": start})
    turned = replace(cases, fold=np.where(cases.fold >= 0, (cases.fold + 1) % 3, -1))
    with pytest.raises(ValueError, match="held out in fold 0; pretrain with --folds 3"):
        refuse_leaks(turned, {"rotation": start})


def test_another_size_is_said_and_other_views_are_refused(rotation):
    (line,) = notes_of(read(4, size=32), rotation)
    assert "learned at 64 px and is shown 32 px here" in line
    assert notes_of(read(4), rotation) == []
    with pytest.raises(ValueError, match="learned from whole images, this run shows"):
        notes_of(read(4, "mask", folds=0), rotation)


def test_compute_counts_the_runs_before(folder, tmp_path):
    assert starts.images_processed(folder / "rotation") == 4
    later = pretrained(tmp_path / "later", init=str(folder / "rotation"))
    assert starts.images_processed(later) == 8
    assert json.loads((later / "config.json").read_text())["init"]


def test_what_is_no_number_of_steps_is_refused(folder, tmp_path):
    config = runs.read_config(folder / "rotation")
    for wrong in ({"steps": "x"}, {"batch_size": None}, {"steps": -1}, {"init": 7}):
        runs.write_json(tmp_path / "config.json", config | wrong)
        with pytest.raises(ValueError, match="must hold steps and batch_size"):
            starts.images_processed(tmp_path)
    runs.write_json(tmp_path / "config.json", config | {"steps": 0})
    assert starts.images_processed(tmp_path) == 0


def test_every_fold_begins_with_the_weights_that_the_seed_gives(tmp_path):
    options = {"encoder": SONONET, "steps": 1, "batch_size": 2, "lr": 1e-9}
    experiment.pretrain("rotation", read(5), out=tmp_path, seed=4, **options)
    torch.manual_seed(4)
    first = next(models.from_config(SONONET).parameters())
    for fold in range(3):
        saved = runs.load_encoder(Start(tmp_path).folder(fold) / "encoder.pt")[0]
        torch.testing.assert_close(next(saved.parameters()), first)


def test_continued_pretraining_has_seen_both(folder, rotation, tmp_path):
    cases, start = study(table()), rotation["rotation"]
    cases.facts["size"] = 96
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
