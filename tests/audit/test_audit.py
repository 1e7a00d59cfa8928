"""The audit as a command: its answer, its text, its page, and the real data sets."""

import csv
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tinyssl.commands.audit import as_text, audit
from tinyssl.data import DataError, open_dataset, toy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write forty graded eyes in two splits, one of them in both."""
    folder = tmp_path_factory.mktemp("eyes")
    eyes = toy.fundus(80, size=64, rng=0)
    images, grades = eyes.images[::2].copy(), eyes.grades[::2].copy()
    images[31], grades[31] = images[2], (grades[2] + 1) % 5
    lines = ["image,grade,split"]
    for k, (image, grade) in enumerate(zip(images, grades, strict=True)):
        Image.fromarray(image).save(folder / f"e{k:02d}.png")
        lines.append(f"e{k:02d}.png,{grade},{'test' if k >= 30 else 'train'}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "audit"
    return out, audit(folder, out=out)


def test_the_gravest_comes_first(run):
    _, results = run
    order = ["grave", "warning", "note"]
    gravities = [order.index(finding["gravity"]) for finding in results["findings"]]
    assert gravities == sorted(gravities)
    assert results["findings"][0]["kind"] == "copies-across-splits"
    for finding in results["findings"]:
        assert finding["title"]
        assert finding["why"]
        assert finding["advice"]
        assert finding["count"] == len(finding["files"])


def test_files_of_the_run(run):
    out, results = run
    written = json.loads((out / "results.json").read_text())
    assert written["findings"] == json.loads(json.dumps(results["findings"]))
    with (out / "groups.csv").open(newline="") as file:
        groups = {row["image"]: row["group"] for row in csv.DictReader(file)}
    assert groups["e02.png"] == groups["e31.png"]
    assert len(set(groups.values())) == 39


def test_baselines_of_both_splits(run):
    _, results = run
    scored = {(row["baseline"], row["scored_on"]) for row in results["baselines"]}
    for name in ("majority grade", "global intensities", "14 x 14 pixels"):
        assert {(name, "5 folds"), (name, "test")} <= scored


def test_text_is_short_and_names_files(run):
    lines = as_text(run[1]).splitlines()
    assert lines[0].endswith("manifest, 40 images")
    assert lines[2] == "GRAVE   1 picture in two splits"
    assert "e02.png | e31.png" in lines[5]
    assert any(line.startswith("knows nothing") for line in lines)


class Page(HTMLParser):
    """Collect the words and pictures of a page."""

    def __init__(self, text):
        super().__init__()
        self.words, self.pictures = "", 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.pictures += tag == "img"

    def handle_data(self, data):
        self.words += data


def test_page_shows_the_pairs(run):
    page = Page((run[0] / "report.html").read_text(encoding="utf-8"))
    for words in ("1 picture in two splits", "How copies are told", "e02.png | e31"):
        assert words in page.words
    assert page.pictures == sum(bool(f["rows"]) for f in run[1]["findings"])


def test_again_into_the_same_folder_and_not_into_another_run(run, folder, tmp_path):
    out, results = run
    assert audit(folder, out=out)["findings"] == results["findings"]
    with pytest.raises(ValueError, match="holds a run with data="):
        audit("toy:4:32", out=out)


def test_size_that_tells_the_grade(tmp_path):
    eyes = toy.fundus(60, size=64, rng=0)
    lines = ["image,grade"]
    for k, image in enumerate(eyes.images):
        grade = k % 2
        picture = Image.fromarray(image[: 64 - 4 * grade])
        picture.save(tmp_path / f"e{k}.png")
        lines.append(f"e{k}.png,{grade}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    findings = audit(tmp_path, out=tmp_path / "run")["findings"]
    (finding,) = [f for f in findings if f["kind"] == "image-size-tells-the-grade"]
    assert "balanced accuracy 1.00, chance 0.50" in finding["title"]


def test_a_clean_set_yields_nothing(tmp_path):
    results = audit("toy:40:64", out=tmp_path)
    kinds = [finding["kind"] for finding in results["findings"]]
    assert kinds == ["patients-with-several-images"]  # the two eyes of each
    results = audit(_one_eye_each(tmp_path / "one"), out=tmp_path / "run")
    assert results["findings"] == []
    assert "nothing found" in as_text(results)


def _one_eye_each(folder):
    """Write a right eye of each of thirty patients."""
    folder.mkdir()
    for k, image in enumerate(toy.fundus(60, size=64, rng=5).images[::2]):
        Image.fromarray(image).save(folder / f"{k:03d}.png")
    return folder


def test_no_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        audit(tmp_path / "missing", out=tmp_path / "run")


def test_idrid_facts(real_data, tmp_path):
    """Part A's 51 images and, of part B, those tied to them or to each other."""
    root = real_data / "IDRiD"
    if not root.is_dir():
        pytest.skip("no IDRiD here")
    small = _part_of_idrid(root, tmp_path / "IDRiD")
    results = audit(small, out=tmp_path / "run")
    found = {finding["kind"]: finding for finding in results["findings"]}
    identical = {
        tuple(n.split("/")[1] for n in pair) for pair in found["copies-bytes"]["files"]
    }
    assert identical == {
        ("IDRiD_021", "IDRiD_391"),
        ("IDRiD_028", "IDRiD_327"),
        ("IDRiD_045", "IDRiD_333"),
        ("IDRiD_073", "IDRiD_375"),
        ("IDRiD_079", "IDRiD_279"),
    }
    assert found["conflicting-grades-identical"]["count"] == 2
    assert found["copies-bytes-between-parts"]["count"] == 3


def _part_of_idrid(root, folder):
    """Link part A, and the twenty rows of part B that matter here."""
    grading = "B. Disease Grading"
    numbers = [21, 28, 45, 73, 79, 102, 279, 327, 333, 366, 369, 375, 391]
    numbers += [1, 5, 100, 150, 200, 250, 300]
    (folder / grading / "1. Original Images" / "a. Training Set").mkdir(parents=True)
    (folder / grading / "2. Groundtruths").mkdir()
    table = open_dataset(root / grading)
    lines = ["Image name,Retinopathy grade"]
    for number in numbers:
        name = f"train/IDRiD_{number:03d}"
        row = table.names.index(name)
        path = table.images[row]
        place = folder / grading / "1. Original Images" / "a. Training Set" / path.name
        place.write_bytes(path.read_bytes())
        lines.append(f"{path.stem},{table.grade[row]}")
    labels = folder / grading / "2. Groundtruths" / "Training Labels.csv"
    labels.write_text("\n".join(lines) + "\n")
    part = "A. Segmentation"
    for path in sorted((root / part / "1. Original Images").rglob("*.jpg"))[:8]:
        place = folder / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    (folder / part / "2. All Segmentation Groundtruths").mkdir()
    return folder


def test_chase_two_eyes_of_each_child(real_data, tmp_path):
    if not (real_data / "CHASE_DB1").is_dir():
        pytest.skip("no CHASE_DB1 here")
    results = audit(real_data / "CHASE_DB1", out=tmp_path)
    (finding,) = results["findings"]
    assert finding["title"] == "10 patients with 20 images"


def test_retinamnist_pixels_know_something(real_data, tmp_path):
    path = real_data / "MedMNIST" / "retinamnist.npz"
    if not path.is_file():
        pytest.skip("no RetinaMNIST here")
    results = audit(path, out=tmp_path)
    rows = {(row["baseline"], row["scored_on"]): row for row in results["baselines"]}
    pixels = rows["14 x 14 pixels", "test"]
    assert pixels["accuracy"] == pytest.approx(0.525, abs=0.02)
    assert pixels["auc"] == pytest.approx(0.721, abs=0.02)
    (copies,) = [f for f in results["findings"] if f["kind"] == "copies-picture"]
    table = open_dataset(path)
    grade = dict(zip(table.names, table.grade, strict=True))
    assert copies["count"] > 20
    for first, second in copies["files"]:  # copies have one grade: no false alarm
        assert grade[first] == grade[second]
        assert first.split("/")[0] == second.split("/")[0]
    assert np.unique([f["kind"] for f in results["findings"]]).size > 1


def test_a_refused_audit_leaves_nothing(tmp_path):
    (tmp_path / "eyes").mkdir()
    (tmp_path / "eyes" / "a.jpg").write_text("no picture")
    with pytest.raises(DataError, match="none of the images can be read"):
        audit(tmp_path / "eyes", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
