"""The audit as a command: its answer, its text, its page, and the real data sets."""

import csv
import json
import re

import pytest

from tinyssl.audit import as_text
from tinyssl.commands import audit
from tinyssl.data import DataError, open_dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory, plant):
    """Audit thirty-four eyes in two splits, and one of them again in the other."""
    folder = tmp_path_factory.mktemp("eyes")
    eyes = plant(folder / "data", range(0, 68, 2))
    eyes.rows[1]["patient"] = eyes.rows[2]["patient"]
    eyes.add("again.png", eyes.image(2), (eyes.rows[2]["grade"] + 1) % 5, split="test")
    return eyes.save(), folder / "run", audit(eyes.folder, out=folder / "run")


def test_files_of_the_run_and_the_most_severe_comes_first(run):
    _, out, results = run
    findings = results["findings"]
    severities = [finding["severity"] for finding in findings]
    assert severities == sorted(severities, key=["grave", "warning", "note"].index)
    assert findings[0]["kind"] == "copies-across-splits"
    for finding in findings:
        assert all(finding[key] for key in ("title", "why", "advice"))
        assert finding["count"] == len(finding["files"])
    written = json.loads((out / "results.json").read_text())
    assert written["findings"] == json.loads(json.dumps(findings))
    with (out / "groups.csv").open(newline="") as file:
        groups = {row["image"]: row["group"] for row in csv.DictReader(file)}
    assert groups["e1.png"] == groups["e2.png"] == groups["again.png"]
    assert (len(groups), len(set(groups.values()))) == (35, 33)
    scored = {(row["baseline"], row["scored_on"]) for row in results["baselines"]}
    for name in ("majority grade", "global intensities", "14 x 14 pixels"):
        assert {(name, "5 folds"), (name, "test")} <= scored


def test_text_and_page_name_files_and_show_the_pairs_and_so_again(run):
    folder, out, results = run
    lines = as_text(results).splitlines()
    assert lines[0].endswith("manifest, 35 images")
    assert lines[2] == "GRAVE   1 image in two splits"
    assert "e2.png | again.png" in lines[5]
    assert any(line.startswith("knows nothing") for line in lines)
    page = (out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", page)
    for words in ("1 image in two splits", "How copies are told", "e2.png | again"):
        assert words in text
    assert page.count("<img ") == sum(bool(f["rows"]) for f in results["findings"])
    assert audit(folder, out=out)["findings"] == results["findings"]
    with pytest.raises(ValueError, match="holds a run with data="):
        audit("toy:4:32", out=out)


@pytest.mark.parametrize(("number", "unlike"), [(60, 0), (20, 6)])
def test_size_that_tells_the_grade_and_by_chance(tmp_path, plant, eyes, number, unlike):
    planted = plant(tmp_path / "data")
    for k, image in enumerate(eyes.images[:number]):
        planted.add(f"{k}.png", image[: 96 - 4 * (k % 2)], (k + (k < unlike)) % 2)
    findings = audit(planted.save(), out=tmp_path / "run")["findings"]
    told = [f for f in findings if f["kind"] == "image-size-tells-the-grade"]
    if unlike:  # balanced accuracy .70, p .17
        assert told == []
    else:
        assert "balanced accuracy 1.00, chance 0.50" in told[0]["title"]
        assert told[0]["files"] == [["2 kinds, Cramer's V 1.00, p 0.001"]]


def test_a_clean_set_yields_nothing(tmp_path, clean):
    results = audit("toy:40:64", out=tmp_path / "toy")
    kinds = [finding["kind"] for finding in results["findings"]]
    assert kinds == ["patients-with-several-images"]  # the two eyes of each
    results = audit(clean.save(), out=tmp_path / "run")
    assert results["findings"] == []
    assert "nothing found" in as_text(results)


def test_a_refused_audit_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        audit(tmp_path / "missing", out=tmp_path / "run")
    (tmp_path / "a.jpg").write_text("no image")
    with pytest.raises(DataError, match="none of the images can be read"):
        audit(tmp_path, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def on_real_data(real_data, tmp_path):
    def run(name):
        if not (real_data / name).exists():
            pytest.skip(f"no {name} here")
        return audit(real_data / name, out=tmp_path)

    return run


def test_idrid_facts(on_real_data):
    results = on_real_data("IDRiD")
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


def test_chase_two_eyes_of_each_child(on_real_data):
    (finding,) = on_real_data("CHASE_DB1")["findings"]
    assert finding["title"] == "10 patients with 20 images"


def test_retinamnist_pixels_know_something(real_data, on_real_data):
    results = on_real_data("MedMNIST/retinamnist.npz")
    rows = {(row["baseline"], row["scored_on"]): row for row in results["baselines"]}
    pixels = rows["14 x 14 pixels", "test"]
    assert pixels["accuracy"] == pytest.approx(0.525, abs=0.02)
    assert pixels["auc"] == pytest.approx(0.721, abs=0.02)
    found = {finding["kind"]: finding for finding in results["findings"]}
    assert set(found) == {"copies-similar", "dark", "blurred"}
    table = open_dataset(real_data / "MedMNIST/retinamnist.npz")
    grade = dict(zip(table.names, table.grade, strict=True))
    assert found["copies-similar"]["count"] >= 28
    for first, second in found["copies-similar"]["files"]:
        assert grade[first] == grade[second]  # no false alarm
        assert first.split("/")[0] == second.split("/")[0]
