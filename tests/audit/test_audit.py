"""The audit as a command: its answer, its text, its page, and the real data sets."""

import csv
import json
import re

import pytest
from PIL import Image

from tinyssl.audit import as_text, audit
from tinyssl.data import DataError, open_dataset, toy


def write(folder, images, grades, splits=None):
    """Write a manifest and its images."""
    lines = ["image,grade,split"]
    for k, (image, grade) in enumerate(zip(images, grades, strict=True)):
        Image.fromarray(image).save(folder / f"e{k:02d}.png")
        lines.append(f"e{k:02d}.png,{grade},{splits[k] if splits else ''}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Audit forty graded eyes in two splits, one of them in both."""
    eyes = toy.fundus(80, size=64, rng=0)
    images, grades = eyes.images[::2].copy(), eyes.grades[::2].copy()
    images[31], grades[31] = images[2], (grades[2] + 1) % 5
    splits = ["train"] * 30 + ["test"] * 10
    folder = write(tmp_path_factory.mktemp("eyes"), images, grades, splits)
    out = tmp_path_factory.mktemp("runs") / "audit"
    return folder, out, audit(folder, out=out)


def test_the_most_severe_comes_first(run):
    findings = run[2]["findings"]
    severities = [finding["severity"] for finding in findings]
    assert severities == sorted(severities, key=["grave", "warning", "note"].index)
    assert findings[0]["kind"] == "copies-across-splits"
    for finding in findings:
        assert finding["title"]
        assert finding["why"]
        assert finding["advice"]
        assert finding["count"] == len(finding["files"])


def test_files_of_the_run(run):
    _, out, results = run
    written = json.loads((out / "results.json").read_text())
    assert written["findings"] == json.loads(json.dumps(results["findings"]))
    with (out / "groups.csv").open(newline="") as file:
        groups = {row["image"]: row["group"] for row in csv.DictReader(file)}
    assert groups["e02.png"] == groups["e31.png"]
    assert len(set(groups.values())) == 39


def test_baselines_of_both_splits(run):
    scored = {(row["baseline"], row["scored_on"]) for row in run[2]["baselines"]}
    for name in ("majority grade", "global intensities", "14 x 14 pixels"):
        assert {(name, "5 folds"), (name, "test")} <= scored


def test_text_is_short_and_names_files(run):
    lines = as_text(run[2]).splitlines()
    assert lines[0].endswith("manifest, 40 images")
    assert lines[2] == "GRAVE   1 image in two splits"
    assert "e02.png | e31.png" in lines[5]
    assert any(line.startswith("knows nothing") for line in lines)


def test_page_shows_the_pairs(run):
    _, out, results = run
    page = (out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", page)
    for words in ("1 image in two splits", "How copies are told", "e02.png | e31"):
        assert words in text
    assert page.count("<img ") == sum(bool(f["rows"]) for f in results["findings"])


def test_again_into_the_same_folder_and_not_into_another_run(run):
    folder, out, results = run
    assert audit(folder, out=out)["findings"] == results["findings"]
    with pytest.raises(ValueError, match="holds a run with data="):
        audit("toy:4:32", out=out)


def test_size_that_tells_the_grade(tmp_path):
    images = toy.fundus(60, size=64, rng=0).images
    cut = [image[: 64 - 4 * (k % 2)] for k, image in enumerate(images)]
    write(tmp_path, cut, [k % 2 for k in range(60)])
    findings = audit(tmp_path, out=tmp_path / "run")["findings"]
    (finding,) = [f for f in findings if f["kind"] == "image-size-tells-the-grade"]
    assert "balanced accuracy 1.00, chance 0.50" in finding["title"]
    assert finding["files"] == [["2 kinds, Cramer's V 1.00, p 0.001"]]


def test_a_clean_set_yields_nothing(tmp_path):
    results = audit("toy:40:64", out=tmp_path / "run")
    kinds = [finding["kind"] for finding in results["findings"]]
    assert kinds == ["patients-with-several-images"]  # the two eyes of each
    folder = tmp_path / "one of each"
    folder.mkdir()
    for k, image in enumerate(toy.fundus(60, size=64, rng=5).images[::2]):
        Image.fromarray(image).save(folder / f"{k:03d}.png")
    results = audit(folder, out=tmp_path / "run2")
    assert results["findings"] == []
    assert "nothing found" in as_text(results)


def test_a_refused_audit_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        audit(tmp_path / "missing", out=tmp_path / "run")
    (tmp_path / "a.jpg").write_text("no image")
    with pytest.raises(DataError, match="none of the images can be read"):
        audit(tmp_path, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_idrid_facts(real_data, tmp_path):
    if not (real_data / "IDRiD").is_dir():
        pytest.skip("no IDRiD here")
    results = audit(real_data / "IDRiD", out=tmp_path)
    found = {finding["kind"]: finding for finding in results["findings"]}
    assert {kind: finding["count"] for kind, finding in found.items()} == {
        "conflicting-grades-identical": 2,
        "conflicting-grades-similar": 1,
        "copies-identical": 5,
        "copies-identical-between-parts": 3,
        "copies-similar": 2,
        "copies-similar-between-parts": 43,
        "patients-with-several-images": 126,
    }
    pairs = [[n[-3:] for n in pair] for pair in found["copies-identical"]["files"]]
    known = ("021 391", "028 327", "045 333", "073 375", "079 279")
    assert sorted(pairs) == [pair.split() for pair in known]


def test_chase_two_eyes_of_each_child(real_data, tmp_path):
    if not (real_data / "CHASE_DB1").is_dir():
        pytest.skip("no CHASE_DB1 here")
    (finding,) = audit(real_data / "CHASE_DB1", out=tmp_path)["findings"]
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
    found = {finding["kind"]: finding for finding in results["findings"]}
    assert set(found) == {"copies-similar", "dark", "blurred"}
    table = open_dataset(path)
    grade = dict(zip(table.names, table.grade, strict=True))
    assert found["copies-similar"]["count"] >= 28
    for first, second in found["copies-similar"][
        "files"
    ]:  # of one grade: no false alarm
        assert grade[first] == grade[second]
        assert first.split("/")[0] == second.split("/")[0]
