"""Segmentation end to end on a CHASE_DB1-like folder of synthetic eyes."""

import json

import numpy as np
import pytest
from PIL import Image

from tinyssl.commands.annotated import held_out
from tinyssl.commands.pretrain_patches import pretrain_patches
from tinyssl.commands.segment import segment
from tinyssl.data import open_dataset, toy


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


def test_pretraining_leaves_a_report_with_pictures(pretrained):
    config = json.loads((pretrained / "config.json").read_text())
    assert config["data"][0].endswith(": 8 images")
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
    assert results["notes"]["held out"] == "Image_05L, Image_05R"
    assert 0 < results["notes"]["second observer's Dice"] < 1
    page = (tmp_path / "vessels" / "report.html").read_text(encoding="utf-8")
    assert "Vessels found" in page


@pytest.mark.parametrize("task", ["rotation", "shuffling"])
def test_other_ways_to_learn_from_the_same_patches(folder, pretrained, task, tmp_path):
    out = tmp_path / task
    pretrain_patches(folder, task=task, out=out, steps=3, batch_size=4)
    assert task in (out / "report.html").read_text(encoding="utf-8")
    results = segment(
        folder,
        out=tmp_path / "vessels",
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


def test_scratch_alone_needs_no_pretraining(folder, tmp_path):
    options = dict(counts=(1,), seeds=1, steps=2, batch_size=2)
    results = segment(folder, out=tmp_path / "scratch", **options)
    assert {row["init"] for row in results["rows"]} == {"scratch"}


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
        segment(other, out=tmp_path / "run", inits=[pretrained])


def test_data_without_vessels_is_refused(tmp_path):
    Image.fromarray(toy.fundus(1, size=32).images[0]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="needs vessel masks, found none"):
        segment(tmp_path, out=tmp_path / "run")
