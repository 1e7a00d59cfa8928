"""The examples run as they stand, on small inputs, and are short enough to copy."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tinyssl.data import toy

EXAMPLES = Path(__file__).parents[1] / "examples"
COPIED = "compare_folders grade_image grade_by_patches pretrain_folder"
COPIED += " segment_vessels use_metrics vessels_together"


def run(*words):
    """Run Python with warnings as errors; return what it printed."""
    command = [sys.executable, "-W", "error", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", COPIED.split())
def test_examples_to_copy_are_short(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("use_metrics.py", "QWK|AUC|SSIM|PSNR|Dice of nothing nan|n = 100, d = 6"),
        ("compare_folders.py", "SSIM, 80 paired by name|The sets differ"),
        ("calibrate_distance.py --repeats 2 --sizes 20", "n =  20: above the floor"),
        ("grade_by_patches.py --filters 8 --trees 9 --folds 2", "9 trees: |80 test"),
        ("segment_vessels.py", "10 images annotated, 2 held out|thin recall 0."),
        ("vessels_together.py", "choose the threshold 0.|network 1: |average: Dice 0."),
    ],
)
def test_an_example_prints_what_it_found(line, words):
    name, *options = line.split()
    printed = run(EXAMPLES / name, *options)
    assert all(word in printed for word in words.split("|"))


def test_a_task_and_an_encoder_of_ones_own_end_in_a_page(tmp_path):
    printed = run(EXAMPLES / "own_pretext.py", "--steps", 5, "--out", tmp_path)
    assert "The larger crop is named for" in printed
    assert "A task of my own" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_a_backbone_of_another_package_is_an_encoder(package, tmp_path):
    pytest.importorskip(package)
    line = ("own_pretext.py", "--backbone", "resnet18", "--steps", 2)
    assert "named for" in run(EXAMPLES / line[0], *line[1:], "--out", tmp_path)


def test_a_masked_autoencoder_for_volumes_is_shown(tmp_path):
    picture = tmp_path / "volumes.png"
    printed = run(EXAMPLES / "mae_volume.py", "--steps", 4, "--out", picture)
    assert "error of hidden cubes" in printed
    with Image.open(picture) as image:
        assert image.size[0] > 300


def test_every_pretext_task_is_a_row_of_a_table():
    words = ("--tasks", "rotation", "--seeds", 1, "--data", "toy:40", "--steps", 2)
    printed = run(EXAMPLES / "every_pretext.py", *words, "--markdown")
    assert "| rotation | accuracy | 0.250 |" in printed


@pytest.mark.parametrize("engine", ["dask.distributed", "mpi4py.futures"])
def test_a_cluster_gives_the_rows_of_two_processes(engine, tmp_path):
    pytest.importorskip(engine)
    words = ("cluster_jobs.py", "toy:24:16", "--size", 16, "--steps", 2, "--out")
    name = engine.partition(".")[0].removesuffix("4py")
    where = {"dask": [], "mpi": ["-m", "mpi4py.futures"]}[name]
    found = run(*where, EXAMPLES / words[0], *words[1:], tmp_path / "a", "--on", name)
    expected = run(EXAMPLES / words[0], *words[1:], tmp_path / "b")
    assert found == expected
    assert found.count("QWK") == 4


def test_many_images_are_measured_stage_by_stage(tmp_path):
    words = ("many_images.py", 500, "--only", "open", "--out", tmp_path)
    printed = run(EXAMPLES / words[0], *words[1:])
    assert printed.count("| open_dataset | 500 |") == 1
    assert len([*tmp_path.glob("eyes-500/*/*.jpg")]) == 500


def test_use_metrics_needs_no_torch():
    code = (
        "import runpy, sys; sys.modules['torch'] = None; "
        f"runpy.run_path({str(EXAMPLES / 'use_metrics.py')!r}, run_name='__main__')"
    )
    run("-c", code)


def test_pretrain_a_folder_then_grade_an_image(tmp_path):
    printed = run(EXAMPLES / "pretrain_folder.py", "toy:40:32", 2, tmp_path / "cache")
    assert printed.count("QWK") == 4
    finetune = ["finetune", "toy:20:32", "--size", 32, "--fractions", 100, "--folds", 2]
    finetune += ["--steps", 4, "--workers", 1, "--out", tmp_path / "grader"]
    run("-m", "tinyssl", *finetune)
    photo = tmp_path / "eye.png"
    Image.fromarray(toy.fundus(1, size=64, rng=5).images[0]).save(photo)
    answer = [tmp_path / "grader", photo, tmp_path / "a.png"]
    printed = run(EXAMPLES / "grade_image.py", *answer)
    assert "held-out images answered about as surely were right" in printed
    assert (tmp_path / "a.png").is_file()
