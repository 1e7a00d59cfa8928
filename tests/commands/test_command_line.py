"""The commands as a person uses them: a subprocess, its exit status, its words."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tinyssl.data import toy

SMALL = ["--size", "24", "--folds", "2", "--workers", "1", "--threads", "1"]


def tinyssl(*arguments, status=0, cwd=None):
    command = [sys.executable, "-B", "-m", "tinyssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aptos")
    eyes = toy.fundus(40, size=40, rng=0)
    (folder / "train_images").mkdir()
    lines = ["id_code,diagnosis"]
    for number, (image, grade) in enumerate(zip(eyes.images, eyes.grades, strict=True)):
        Image.fromarray(image).save(folder / f"train_images/eye{number}.png")
        lines.append(f"eye{number},{grade}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    for task in ("rotation", "restoration"):
        common = [*SMALL, "--steps", 4, "--batch-size", 8, "--out", out / task]
        stdout, _ = tinyssl("pretrain", folder, "--task", task, "--json", *common)
        (out / f"{task}.json").write_text(stdout)
    finetune = ["--init", out / "rotation", out / "restoration", "--steps", 4]
    finetune += ["--fractions", 50, 100, "--batch-size", 8, "--out", out / "grader"]
    stdout, stderr = tinyssl("finetune", folder, "--json", *SMALL, *finetune)
    inits = {line["init"] for line in json.loads(stdout)["summary"]}
    assert inits == {"scratch", "scratch, same compute", "rotation", "restoration"}
    assert "a handicap" not in stderr  # pretraining showed what grading shows
    return out


def test_pretrain_leaves_a_whole_run_folder(runs):
    for task, score in (("rotation", "accuracy"), ("restoration", "swapped")):
        results = json.loads((runs / f"{task}.json").read_text())
        assert results["task"] == task
        assert [entry["fold"] for entry in results["scores"]] == [0, 1]
        assert all(score in entry["scores"] for entry in results["scores"])
        found = {path.name for path in (runs / task).iterdir()}
        assert found >= {"config.json", "results.json", "report.html", "figures"}
        for fold in (0, 1):
            place = runs / task / f"fold{fold}"
            assert len((place / "log.jsonl").read_text().splitlines()) == 4
            assert (place / "encoder.pt").exists()
    config = json.loads((runs / "rotation" / "config.json").read_text())
    assert config["seed"] == 0
    assert "torch" in config["versions"]


def test_grade_answers_in_json_and_in_words(runs, folder):
    images = [folder / "train_images" / f"eye{k}.png" for k in (0, 1)]
    place = ["--out", runs / "grades"]
    stdout, _ = tinyssl("grade", runs / "grader", *images, *place, "--json")
    answers = [json.loads(line) for line in stdout.splitlines()]
    assert [answer["image"] for answer in answers] == [str(path) for path in images]
    for answer in answers:
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)
        assert 0 <= answer["grade"] <= 4
        assert Path(answer["picture"]).is_file()
    written = (runs / "grades" / "grades.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in written.splitlines()] == answers
    words, _ = tinyssl("grade", runs / "grader", images[0], *place)
    assert answers[0]["class"] in words


def test_same_command_again_only_reads_and_other_settings_are_refused(runs, folder):
    common = [*SMALL, "--batch-size", 8, "--out", runs / "rotation"]
    command = ["pretrain", folder, "--task", "rotation", *common, "--steps"]
    before = (runs / "rotation/fold0/encoder.pt").stat().st_mtime_ns
    tinyssl(*command, 4)
    assert (runs / "rotation/fold0/encoder.pt").stat().st_mtime_ns == before
    _, stderr = tinyssl(*command, 5, status=2)
    assert "holds a run with steps=4, this one has steps=5" in stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["finetune", "DATA", "--folds", "1"], "num_folds must lie in 2"),
        (["finetune", "missing"], "missing"),
        (["finetune", "UNLABELLED"], "needs images of two grades or more, found none"),
        (["segment", "UNLABELLED"], "needs vessel masks, found none"),
        (["grade", "missing", "x.png"], "missing"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, words, folder, tmp_path):
    places = {"DATA": folder, "UNLABELLED": folder / "train_images"}
    arguments = [places.get(word, word) for word in arguments]
    stdout, stderr = tinyssl(*arguments, status=2, cwd=tmp_path)
    assert stdout == ""
    assert words in stderr.splitlines()[-1]
    assert "usage:" not in stderr
    assert not list(tmp_path.rglob("config.json"))


def test_bad_images_are_named_or_skipped(folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "train_images/eye3.png").write_bytes(b"not an image")
    command = ["pretrain", broken, "--task", "rotation", "--steps", 1, "--threads", 1]
    command += ["--size", 24, "--batch-size", 4, "--out", tmp_path / "run"]
    _, stderr = tinyssl(*command, status=2)
    assert "eye3" in stderr
    _, stderr = tinyssl(*command, "--skip-bad")
    assert "skipped eye3" in stderr
