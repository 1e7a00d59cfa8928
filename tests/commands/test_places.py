"""Where a command may write, and names that are not UTF-8."""

import os

import pytest
from PIL import Image
from test_command_line import tinyssl

from tinyssl.data import toy

TRAIN = ["--task", "rotation", "--size", 24, "--steps", 1, "--workers", 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images in three classes, two of them alike; no name is UTF-8."""
    place = tmp_path_factory.mktemp("images")
    eyes = toy.fundus(24, size=40, rng=0)
    for k, image in enumerate([*eyes.images[:-1], eyes.images[0]]):
        (place / "abc"[k % 3]).mkdir(exist_ok=True)
        name = os.fsencode(place / "abc"[k % 3]) + b"/\xe9\xff%d.png" % k
        with open(name, "wb") as file:  # noqa: PTH123  a name of bytes
            Image.fromarray(image).save(file, "PNG")
    return place


def held(folder):
    return sorted(os.fsencode(path) for path in folder.rglob("*"))


@pytest.mark.parametrize("place", ["file", "file/in", "data", "data/run", "full"])
@pytest.mark.parametrize("command", ["pretrain", "finetune", "audit"])
def test_a_place_to_write_is_refused_before_anything_is_written(
    folder, tmp_path, command, place
):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    out = folder / place[5:] if place.startswith("data") else tmp_path / place
    before = held(folder), held(tmp_path)
    options = TRAIN if command == "pretrain" else []
    _, stderr = tinyssl(command, folder, *options, "--out", out, status=2)
    assert f"--out {out} must" in stderr.splitlines()[-1]
    assert (held(folder), held(tmp_path)) == before


def test_names_that_are_not_utf_8_go_through_every_command(folder, tmp_path):
    tinyssl("audit", folder, "--out", tmp_path / "audit")
    tinyssl("pretrain", folder, *TRAIN, "--batch-size", 4, "--out", tmp_path / "p")
    few = ["--size", 24, "--folds", 2, "--images", 6, "--steps", 1, "--workers", 1]
    tinyssl("finetune", folder, *few, "--out", tmp_path / "grader")
    image = next((folder / "a").iterdir())
    tinyssl("grade", tmp_path / "grader", image, "--out", tmp_path / "grades")
    assert (tmp_path / "grades" / f"{image.stem}.png").exists()
    for path in (*tmp_path.rglob("*.html"), tmp_path / "audit/groups.csv"):
        path.read_text(encoding="utf-8")  # raises if it is none


def test_a_batch_of_one_names_what_to_change(tmp_path):
    command = ["pretrain", "toy:4:28", *TRAIN, "--size", 28, "--batch-size", 1]
    _, stderr = tinyssl(*command, "--out", tmp_path / "run", status=2)
    assert "batch normalisation" in stderr
    assert "--batch-size 2" in stderr
    assert not (tmp_path / "run").exists()
