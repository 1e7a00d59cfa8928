"""Segmentation end to end on a CHASE_DB1-like folder of synthetic eyes."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tinyssl.commands.annotated import held_out
from tinyssl.commands.pretrain_patches import pretrain_patches
from tinyssl.commands.segment import segment
from tinyssl.data import open_dataset, toy

# A refusal that does not come must fail at once, not train for minutes
QUICK = dict(counts=(1,), seeds=1, steps=1, batch_size=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten eyes of five children, drawn by two observers."""
    folder = tmp_path_factory.mktemp("chase")
    eyes = toy.fundus(10, size=96, rng=0)
    for number, (image, vessels) in enumerate(
        zip(eyes.images, eyes.vessels, strict=True)
    ):
        name = f"Image_{number // 2 + 1:02d}{'LR'[number % 2]}"
        Image.fromarray(image).save(folder / f"{name}.jpg", quality=95)
        for observer in ("1stHO", "2ndHO"):
            Image.fromarray(vessels).save(folder / f"{name}_{observer}.png")
            vessels = np.roll(vessels, 1, axis=1)
    return folder


@pytest.fixture(scope="module")
def pretrained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "patches"
    options = {"patch_size": 6, "num_swaps": 4}
    pretrain_patches(folder, out=out, steps=3, batch_size=4, task_options=options)
    return out


def test_last_fifth_of_the_patients_is_held_out(folder):
    table = open_dataset(folder)
    held = [n for n, out in zip(table.names, held_out(table), strict=True) if out]
    assert held == ["Image_05L", "Image_05R"]


def test_images_of_unknown_patients_are_patients_of_their_own(folder):
    table = open_dataset(folder)
    lost = np.where(np.arange(len(table.names)) < 6, "", table.patient)
    held = held_out(replace(table, patient=lost))
    # one in five of the eight: patients 04 and 05, Image_01L to Image_03R
    assert np.array(table.names)[held].tolist() == ["Image_03R"]
    nobody = np.full(len(table.names), "")
    held = held_out(replace(table, patient=nobody))
    assert np.array(table.names)[held].tolist() == ["Image_05L", "Image_05R"]


def test_pretraining_leaves_a_report_with_pictures(pretrained):
    config = json.loads((pretrained / "config.json").read_text())
    assert config["data"][0].endswith(": 8 images")
    assert config["task_options"]["standardise"] is True  # as segment shows patches
    assert "restored" in (pretrained / "report.html").read_text(encoding="utf-8")
    assert (pretrained / "encoder.pt").exists()


def test_comparison_by_number_of_drawn_images(folder, pretrained, tmp_path):
    results = segment(
        folder,
        out=tmp_path / "vessels",
        inits=[pretrained],
        counts=(1, "all"),
        seeds=2,
        steps=2,
        all_steps=3,
        batch_size=2,
    )
    assert {row["labels"] for row in results["rows"]} == {1, 8}
    assert {row["init"] for row in results["rows"]} == {
        "scratch",
        "restoration",
        "scratch, same compute",
    }
    line = results["measures"][0]
    own = [row for row in results["rows"] if row["labels"] == 1]
    own = [row["sensitivity"] for row in own if row["init"] == line["init"]]
    assert len(own) == 2
    assert line["sensitivity"] == pytest.approx(sum(own) / 2)
    assert {"auc", "specificity", "thin_recall"} < set(line)
    assert results["notes"]["held out"] == "Image_05L, Image_05R"
    assert 0 < results["notes"]["second observer's Dice"] < 1
    page = (tmp_path / "vessels" / "report.html").read_text(encoding="utf-8")
    assert "Vessels found" in page
    for words in ("sensitivity", "Dice, every seed", "thin recall"):
        assert words in page


@pytest.mark.parametrize("task", ["rotation", "shuffling"])
def test_other_ways_to_learn_from_the_same_patches(folder, pretrained, task, tmp_path):
    out = tmp_path / task
    pretrain_patches(folder, task=task, out=out, steps=3, batch_size=4)
    assert task in (out / "report.html").read_text(encoding="utf-8")
    said = []
    results = segment(
        folder,
        out=tmp_path / "vessels",
        say=said.append,
        inits=[pretrained, out],
        transfer=["encoder", "network"],
        counts=(1,),
        seeds=1,
        steps=2,
        batch_size=2,
        same_compute=False,
    )
    expected = {"scratch", "restoration", "restoration, with decoder", task}
    if task == "shuffling":
        expected.add("shuffling, with decoder")
    assert {row["init"] for row in results["rows"]} == expected
    assert not any("a handicap" in line for line in said)


def test_scratch_alone_needs_no_pretraining(folder, tmp_path):
    options = dict(counts=(1,), seeds=1, steps=2, batch_size=2)
    results = segment(folder, out=tmp_path / "scratch", **options)
    assert {row["init"] for row in results["rows"]} == {"scratch"}
    page = (tmp_path / "scratch" / "report.html").read_text(encoding="utf-8")
    assert "No start differed" not in page  # there was none to differ
    assert "nothing to compare" in page


def test_synthetic_eyes_need_no_folder(tmp_path):
    options = dict(counts=(1,), seeds=1, steps=2, batch_size=2)
    results = segment("toy:4:64", out=tmp_path / "toy", **options)
    assert len(results["rows"]) == 1


def test_network_that_saw_the_held_out_eyes_is_refused(folder, pretrained, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in folder.glob("Image_05*"):
        (other / path.name).write_bytes(path.read_bytes())
    for path in folder.glob("Image_04*"):
        target = path.name.replace("_04", "_06")
        (other / target).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="was pretrained on 2 of the 2 held-out"):
        segment(other, out=tmp_path / "run", inits=[pretrained], **QUICK)


def test_held_out_eyes_saved_anew_are_refused_too(folder, pretrained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for path in folder.glob("Image_0[45]?.jpg"):
        number = {"4": "5", "5": "4"}[path.name[7]]
        target = other / f"Image_0{number}{path.name[8:]}"
        Image.open(path).save(target, quality=80)  # other bytes, other pixels
    with pytest.raises(ValueError, match="was pretrained on 2 of the 2 held-out"):
        segment(other, out=tmp_path / "run", inits=[pretrained], **QUICK)


def test_an_eye_on_both_sides_is_refused(folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    Image.open(other / "Image_01L.jpg").save(other / "Image_05L.jpg", quality=80)
    with pytest.raises(ValueError, match="1 of the 2 held-out images are also among"):
        segment(other, out=tmp_path / "run", **QUICK)


def test_another_data_set_is_scored_at_its_own_size(folder, tmp_path):
    options = dict(counts=("all",), seeds=1, all_steps=2, batch_size=2)
    out = tmp_path / "transfer"
    results = segment(folder, test="toy:3:160:7", out=out, field_width=80, **options)
    assert results["rows"][0]["labels"] == 10  # no eye of the first is held out
    assert len(results["rows"][0]["dice_per_image"]) == 3
    assert results["notes"]["of"] == "toy:3:160:7"
    assert results["more"]["thin_recall"][0]["metric"] == "thin_recall"


def test_pretraining_at_another_size_is_refused(folder, pretrained, tmp_path):
    options = QUICK | {"field_width": 80}
    with pytest.raises(ValueError, match="at fields 540 px wide, this run looks at 80"):
        segment(folder, out=tmp_path / "run", inits=[pretrained], **options)


def test_lesions_are_scored_by_average_precision_too(tmp_path):
    options = dict(counts=(1,), seeds=1, steps=2, batch_size=2)
    out = tmp_path / "lesions"
    results = segment("toy:40:64", mask="EX", out=out, **options)
    row = results["rows"][0]
    assert "thin_recall" not in row
    assert 0 <= row["average_precision"] <= 1
    shown = results["notes"]["held-out images that show it"]
    assert shown == f"{8 - row['dice_per_image'].count(None)} of 8"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Hard exudates: segmentation with few drawn images" in page
    assert "Hard exudates found" in page


def test_a_lesion_that_no_training_image_shows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="SE must be drawn in a training image"):
        segment("toy:6:48:7", mask="SE", out=tmp_path / "run", **QUICK)


def test_data_without_vessels_is_refused(tmp_path):
    Image.fromarray(toy.fundus(1, size=32).images[0]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="needs vessel masks, found none"):
        segment(tmp_path, out=tmp_path / "run", **QUICK)


def test_an_unknown_mask_and_a_single_patient_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"mask must be one of vessel, .* found 'XX'"):
        segment("toy:2:48", mask="XX", out=tmp_path / "run", **QUICK)
    with pytest.raises(ValueError, match="all images are of one patient"):
        segment("toy:2:48", out=tmp_path / "run", **QUICK)


def test_a_run_of_another_kind_is_refused(folder, tmp_path):
    config = {"command": "pretrain", "task": "rotation", "size": 64}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="must be a run of pretrain --encoder unet"):
        segment(folder, out=tmp_path / "run", inits=[tmp_path], **QUICK)
