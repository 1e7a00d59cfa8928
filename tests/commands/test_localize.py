"""localize and laterality end to end: refusals, reports, eyes told by points."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyssl.commands.few_labels import compare_few, read_truth
from tinyssl.commands.pretrain import pretrain
from tinyssl.data import Table, open_dataset

SHORT = {"counts": (2, "all"), "folds": 2, "steps": 2, "batch_size": 2}


@pytest.fixture(scope="module")
def runs_of_pretraining(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for task in ("restoration", "rotation"):
        options = dict(task=task, encoder="sononet", size=32, steps=2, batch_size=4)
        pretrain("toy:12:32:7", out=folder / task, **options)
    return [folder / "restoration", folder / "rotation"]


def test_localization_end_to_end(runs_of_pretraining, tmp_path):
    out = tmp_path / "points"
    results = compare_few(
        "localization",
        "toy:12:32",
        out=out,
        inits=runs_of_pretraining,
        transfer=("encoder", "network"),
        **SHORT,
    )
    starts = {"scratch", "scratch, same compute", "restoration", "rotation"}
    starts |= {"restoration, with decoder", "mean place"}
    assert {row["init"] for row in results["rows"]} == starts
    assert {line["metric"] for line in results["summary"]} == {"error"}
    assert set(results["more"]) == {"within"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Points found" in page
    assert "disc diameters" in page
    config = json.loads((out / "config.json").read_text())
    assert config["size"] == 32  # that of the pretraining


def test_laterality_end_to_end(runs_of_pretraining, tmp_path):
    options = dict(inits=runs_of_pretraining[:1], same_compute=False)
    out, said = tmp_path / "eyes", []
    options["say"] = said.append
    results = compare_few("laterality", "toy:12:32", out=out, **options, **SHORT)
    assert not any("a handicap" in line for line in said)
    expected = {"scratch", "restoration", "majority eye"}
    assert {row["init"] for row in results["rows"]} == expected
    assert "Right eye or left" in (out / "report.html").read_text(encoding="utf-8")


def test_a_run_that_saw_another_scale_is_named(runs_of_pretraining, tmp_path):
    run = tmp_path / "old"
    shutil.copytree(runs_of_pretraining[0], run)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"task_options": {}}))
    said, options = [], dict(counts=(2,), folds=2, steps=1, same_compute=False)
    out = tmp_path / "eyes"
    compare_few(
        "laterality", "toy:12:32", out=out, inits=[run], say=said.append, **options
    )
    assert f"--init {run} learned from standardised images" in "".join(said)


def test_an_encoder_that_saw_the_labelled_images_is_refused(
    runs_of_pretraining, tmp_path
):
    with pytest.raises(ValueError, match="was pretrained on 12 of the 12 labelled"):
        compare_few(
            "localization",
            "toy:12:32:7",
            out=tmp_path,
            inits=runs_of_pretraining,
            **SHORT,
        )


def test_a_second_run_of_one_task_is_refused(runs_of_pretraining, tmp_path):
    twice = [runs_of_pretraining[0]] * 2
    with pytest.raises(ValueError, match="is a second run of restoration"):
        compare_few("localization", "toy:12:32", out=tmp_path, inits=twice, **SHORT)


def test_another_size_than_pretraining_is_refused(runs_of_pretraining, tmp_path):
    options = dict(inits=runs_of_pretraining, size=48)
    with pytest.raises(ValueError, match="--size 48 must be 32"):
        compare_few("localization", "toy:12:32", out=tmp_path, **options, **SHORT)


def table_with(points):
    images = np.zeros((2, 10, 10, 3), np.uint8)
    return Table("x", Path("x"), ("a", "b"), images, points=points, is_fundus=False)


def test_points_tell_the_eye_where_no_file_does():
    points = {"disc": np.array([[5.0, 8], [5, 2]]), "fovea": np.full((2, 2), 5.0)}
    assert read_truth("laterality", table_with(points), 10).tolist() == [1, 0]


def test_toy_eyes_say_the_same_as_their_points():
    table = open_dataset("toy:20:64")
    told = read_truth("laterality", table, 64)
    found = read_truth("laterality", replace(table, eye=None), 64)
    np.testing.assert_array_equal(told, found)


@pytest.mark.parametrize(
    ("target", "words"), [("localization", "needs the"), ("laterality", "which eye")]
)
def test_data_that_cannot_tell_are_refused(target, words):
    with pytest.raises(ValueError, match=f"{words}.* points disc and fovea"):
        read_truth(target, table_with({}), 10)
