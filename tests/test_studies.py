"""Commands end to end: pretraining, every target task, and the page each leaves."""

import json
import shutil

import numpy as np
import pytest
from html_page import Page
from PIL import Image

from tinyssl import commands, demo, targets
from tinyssl.data import toy

ANY = pytest.mark.parametrize("target", targets.TARGETS)
# A refusal that does not come must fail at once, not train for minutes
QUICK = {"images": (2,), "repeats": 1, "steps": 1, "batch_size": 2, "workers": 1}
UNTRAINED = {"images": (2,), "workers": 1}
OWN_DATA, MASKS = "toy:20:64", {"mask", "EX"}  # masks have no folds here


def pretrain(data, out, task="restoration", **options):
    options = {"steps": 2, "batch_size": 4, "workers": 1, "size": 64} | options
    commands.pretrain(str(data), task=task, out=out, **options)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten eyes of five children in the layout of CHASE_DB1, by two observers."""
    folder = tmp_path_factory.mktemp("chase")
    eyes = toy.fundus(10, size=96, rng=0)
    for k, (image, vessels) in enumerate(zip(eyes.images, eyes.vessels, strict=True)):
        name = f"Image_{k // 2 + 1:02d}{'LR'[k % 2]}"
        Image.fromarray(image).save(folder / f"{name}.jpg", quality=95)
        for observer in ("1stHO", "2ndHO"):
            Image.fromarray(vessels).save(folder / f"{name}_{observer}.png")
            vessels = np.roll(vessels, 1, axis=1)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of pretraining on other synthetic eyes: whole images and patches."""
    place = tmp_path_factory.mktemp("runs")
    for task in ("restoration", "rotation"):
        pretrain("toy:12:64:7", place / task, task)
        options = {"encoder": "unet", "widths": (4, 8), "field_width": 0}
        pretrain("toy:12:64:7", place / f"u-{task}", task, **options)
    return place


def finetune(data, out, target="grade", **options):
    quick = QUICK if targets.find(target).trains else UNTRAINED
    options = quick | {"folds": 0 if target in MASKS else 2} | options
    return commands.finetune(str(data), target=target, out=out, **options)


def page_of(out):
    return Page((out / "report.html").read_text(encoding="utf-8"))


@ANY
def test_every_target_is_compared_and_leaves_a_page(target, runs, tmp_path):
    prefix = "u-" if target == "mask" else ""
    init = [runs / f"{prefix}restoration", runs / f"{prefix}rotation"]
    out, said = tmp_path / "run", []
    kind, settings = targets.find(target), {"images": (2, "all")}
    settings |= {"steps": 2} if kind.trains else {}
    transfer = ("frozen", "encoder", *(["network"] if kind.decodes else []))
    settings |= {"init": init, "transfer": transfer, "log": said.append}
    if target == "mask":
        settings |= {"all_steps": 3, "repeats": 2}
    results = finetune(OWN_DATA, out, target, **settings)

    still = {"restoration, frozen", "rotation, frozen", "random weights, frozen"}
    found = {row["init"] for row in results["rows"]}
    plain = {"scratch", "scratch, same compute"} if kind.trains else {"random weights"}
    assert {*plain, "restoration", "rotation"} <= found
    assert ("restoration, with decoder" in found) == kind.decodes
    assert "rotation, with decoder" not in found  # it trains none
    probed = {line["init"].split(":")[0] for line in results.get("frozen", ())}
    if kind.trains:
        assert still <= (probed if kind.probes else found)
    else:
        assert found == {*plain, "restoration", "rotation"}
    assert results["summary"][0]["metric"] == next(iter(kind.metrics))
    assert set(results["more"]) <= set(kind.metrics)

    saved = json.loads((out / "results.json").read_text())
    assert saved["summary"] == json.loads(json.dumps(results["summary"]))
    page = page_of(out)
    minus = f"minus {results['rows'][0]['init']}"
    for words in (minus, "verdict", "every", kind.title, kind.measure[:30]):
        assert words in page.text
    assert all(figure["alt"] for figure in page.attributes("img"))
    assert "report:" in results["lines"][-1]
    assert any("images" in line for line in said)
    assert json.loads((out / "config.json").read_text())["target"] == target


@ANY
def test_scratch_alone_is_only_read_again_and_elsewhere_the_same(target, tmp_path):
    first = finetune(OWN_DATA, tmp_path / "a", target)
    alone = "scratch" if targets.find(target).trains else "random weights"
    assert {row["init"] for row in first["rows"]} == {alone}
    page = page_of(tmp_path / "a").text
    assert f"No initialisation stands beside {alone}" in page
    assert ("majority grade" in page) == (target in ("grade", "class"))
    bytes_ = (tmp_path / "a" / "results.json").read_bytes()
    jobs = sorted((tmp_path / "a" / "jobs").iterdir())
    before = [job.stat().st_mtime_ns for job in jobs]
    finetune(OWN_DATA, tmp_path / "a", target)
    assert [job.stat().st_mtime_ns for job in jobs] == before
    assert (tmp_path / "a" / "results.json").read_bytes() == bytes_
    elsewhere = finetune(OWN_DATA, tmp_path / "b", target)
    assert elsewhere["summary"] == first["summary"]


def test_encoders_of_a_targets_folds_work_and_what_they_saw_is_refused(runs, tmp_path):
    for target in ("points", "grade"):
        options = {"folds": 2, "target": target}
        init = [pretrain(OWN_DATA, tmp_path / f"p-{target}", "rotation", **options)]
        results = finetune(OWN_DATA, tmp_path / target, target, init=init)
        assert {row["init"] for row in results["rows"]} >= {"rotation"}
    with pytest.raises(ValueError, match=r"fold0\.\.fold2 with one each for --folds 3"):
        finetune(OWN_DATA, tmp_path / "x", folds=3, init=init)
    found = r"was pretrained on 6 of the 6 images held out in fold 0.*--transductive"
    with pytest.raises(ValueError, match=found):
        finetune("toy:12:64:7", tmp_path / "y", init=[runs / "rotation"])
    assert not (tmp_path / "y").exists()


def test_two_runs_of_one_task_stand_beside_each_other(runs, tmp_path):
    other = shutil.copytree(runs / "rotation", tmp_path / "longer")
    settings = {"init": [runs / "rotation", other], "same_compute": False}
    for target in ("grade", "points"):
        results = finetune(OWN_DATA, tmp_path / target, target, **settings)
        found = {row["init"] for row in results["rows"]}
        assert found == {"scratch", "rotation rotation", "rotation longer"}


def test_vessels_of_a_real_layout_beside_a_second_observer(folder, tmp_path):
    options = {"encoder": "unet", "widths": (4, 8), "num_swaps": 4}
    init = [pretrain(folder, tmp_path / "patches", **options)]
    config = json.loads((tmp_path / "patches" / "config.json").read_text())
    assert (config["images"], config["field_width"]) == (10, 540)
    assert "restored" in page_of(tmp_path / "patches").text.lower()
    settings = {"init": init, "images": (1, "all"), "all_steps": 2}
    results = finetune(folder, tmp_path / "vessels", "mask", **settings)
    assert {row["n"] for row in results["rows"]} == {1, 8}
    assert results["notes"]["held out"] == "Image_05L, Image_05R"
    assert 0 < results["notes"]["second observer's Dice"] < 1
    page = page_of(tmp_path / "vessels").text
    for words in ("thin recall", "sensitivity", "Dice", "second observer"):
        assert words in page
    with pytest.raises(ValueError, match="learned from patches of fields 540 px wide"):
        finetune(folder, tmp_path / "other", "mask", field_width=80, **settings)


def test_patches_are_learned_blind_to_the_folds_of_the_masks(folder, tmp_path):
    how = {"encoder": "unet", "widths": (4, 8), "num_swaps": 4, "target": "vessel"}
    init = [pretrain(folder, tmp_path / "patches", folds=2, **how)]
    assert len([*init[0].glob("fold*/encoder.pt")]) == 2
    settings = {"init": init, "images": (1,), "all_steps": 2, "folds": 2, "repeats": 1}
    results = finetune(folder, tmp_path / "vessels", "mask", **settings)
    assert {row["fold"] for row in results["rows"]} == {0, 1}


def test_any_mask_is_a_target_and_another_data_set_can_be_scored(folder, tmp_path):
    settings = {"images": ("all",), "all_steps": 1, "widths": (4, 8)}
    out = tmp_path / "run"
    results = finetune("toy:40:64", out, "EX", test="toy:8:64:7", **settings)
    scores = results["rows"][0]["scores"]
    assert "thin_recall" not in scores
    assert len(scores["dice_per_image"]) == 8
    shows = 8 - scores["dice_per_image"].count(None)
    assert results["notes"]["held-out images that show it"] == f"{shows} of 8"
    assert "Hard exudates" in page_of(out).text
    with pytest.raises(ValueError, match="held-out images are also among"):
        finetune(folder, tmp_path / "x", "mask", test=str(folder), **settings)


def test_pretraining_goes_on_from_another_run_and_with_more_images(runs, tmp_path):
    more = {"init": runs / "rotation", "unlabelled": ("toy:4:64:3",)}
    out = pretrain("toy:8:64:9", tmp_path / "on", "rotation", **more)
    config = json.loads((out / "config.json").read_text())
    assert config["init"] == str(runs / "rotation")
    assert (config["images"], config["and"]) == (12, ["toy:4:64:3"])
    with pytest.raises(ValueError, match="was pretrained on"):  # by the first
        finetune("toy:12:64:7", tmp_path / "x", init=[out])


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        (pretrain, {"widths": (4, 8)}, "--widths belongs to --encoder unet"),
        (pretrain, {"field_width": 99}, "--field-width belongs to --encoder unet"),
        (pretrain, {"folds": 2, "transductive": True}, "--transductive goes without"),
        (pretrain, {"task": "astrology"}, "must be one of"),
        (pretrain, {"task": "rotation", "num_swaps": 3}, "num_swaps"),
        (finetune, {"epochs": 2}, "--epochs and --steps: give one of them"),
        (finetune, {"images": (99,)}, r"images must lie in 1\.\.\d+, found 99"),
        (finetune, {"target": "points", "head": "softmax"}, "head"),
        (finetune, {"target": "EXX"}, "needs EXX masks"),
        (finetune, {"transfer": ("network",)}, "network: grade has no decoder"),
        (finetune, {"widths": (4, 8)}, "--widths belongs to --encoder unet"),
        (
            finetune,
            {"target": "anomaly", "steps": 9},
            "--steps belongs to targets that",
        ),
        (finetune, {"target": "anomaly", "lr": 0.1}, "--target anomaly trains nothing"),
        (
            finetune,
            {"target": "anomaly", "normal": "x"},
            r"normal class \(--normal NAME",
        ),
    ],
)
def test_what_a_study_does_not_do_is_refused(tmp_path, command, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        command(OWN_DATA, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_demo_shows_images_both_tasks_curves_and_the_table(monkeypatch, tmp_path):
    small = {"IMAGES": 40, "SIZE": 24, "FOLDS": 2, "LABELS": [0.5, 1.0]}
    small["PRETRAINING"] = {"steps": 2, "batch_size": 8, "lr": 1e-3}
    small["FINETUNING"] = {"epochs": 1, "least_steps": 2, "batch_size": 8, "lr": 1e-3}
    for name, value in small.items():
        monkeypatch.setattr(demo, name, value)
    results = commands.demo(out=tmp_path / "demo", workers=1)
    inits = {line["init"] for line in results["summary"]}
    assert inits == {"scratch", "scratch, same compute", *demo.TASKS}
    assert set(results["pretraining"]) == set(demo.TASKS)
    page = page_of(tmp_path / "demo")
    for words in (*(f"Pretext task: {t}" for t in demo.TASKS), "Convergence", "Frozen"):
        assert words in page.text
    assert len(page.attributes("img")) >= 8
    again = commands.demo(out=tmp_path / "other", workers=1)
    assert results["summary"] == again["summary"]
