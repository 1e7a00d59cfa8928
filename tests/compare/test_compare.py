"""``compare`` as a person uses it: words, numbers, a page, refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from tinyssl import plots
from tinyssl.cli import main
from tinyssl.data import toy
from tinyssl.metrics import ssim


def save(folder, images, names=None):
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        name = names[number] if names else f"{number:02d}"
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Real eyes; the same with noise; and other eyes under other names."""
    root = tmp_path_factory.mktemp("sets")
    eyes = toy.fundus(200, size=32, rng=0).images[::2]  # one eye a patient
    noise = np.random.default_rng(0).normal(0, 12, eyes[:50].shape)
    noisy = np.clip(eyes[:50] + noise, 0, 255).astype(np.uint8)
    save(root / "real", eyes[:50])
    save(root / "noisy", noisy)
    save(root / "other", eyes[50:], [f"eye{k}" for k in range(50)])
    return root


def compare(folders, first, second, out, *options, status=0):
    command = ["compare", str(folders / first), str(folders / second)]
    command += ["--dim", "8", "--device", "cpu", "--out", str(out), *options]
    assert main(command) == status
    path = out / "results.json"
    return json.loads(path.read_text()) if status == 0 else None


def test_pairs_are_scored_beside_random_pairs(folders, tmp_path, capsys):
    results = compare(folders, "real", "noisy", tmp_path / "run")
    assert [row["real"] for row in results["pairs"]] == [f"{k:02d}" for k in range(50)]
    first, second = (
        np.asarray(Image.open(folders / name / "07.png")) for name in ("real", "noisy")
    )
    expected = ssim(first, second, data_range=255, channel_axis=2)
    assert results["pairs"][7]["ssim"] == pytest.approx(expected)
    mean = results["similarity"]["ssim"]
    assert mean["paired"]["low"] > mean["random"]["high"]
    assert results["set"]["p"] <= 0.005
    printed = capsys.readouterr().out
    for word in ("n = 50 and 50", "d = 8", "random network", "noise floor", "255"):
        assert word in printed
    assert "The sets differ" in printed


def test_page_shows_pairs_distance_and_the_wrong_range(folders, tmp_path):
    results = compare(folders, "real", "noisy", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert results["notes"]["verdict"].split(":")[0] in page
    for word in ("paired at random", "exchanged", "one Gaussian", "FID 0.17", "0.9999"):
        assert word in page
    assert {path.name for path in (tmp_path / "run/figures").iterdir()} == {
        "pairs.png",
        "distance.png",
    }


def test_other_eyes_cannot_be_told_apart(folders, tmp_path, capsys):
    results = compare(folders, "real", "other", tmp_path / "run")
    assert results["pairs"] == []
    assert (
        "0 paired by name, 50 real and 50 generated without partner"
        in (results["notes"]["images"])
    )
    printed = capsys.readouterr().out
    assert "cannot be told from two samples of one distribution" in printed
    assert "SSIM" not in printed


def test_few_images_are_warned_of_and_helped(folders, tmp_path, capsys):
    command = ["compare", str(folders / "real"), str(folders / "other")]
    assert main([*command, "--out", str(tmp_path / "run"), "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "50 images for 64 features" in notes["WARNING"]
    assert "--dim 12" in notes["WARNING"]


def test_two_files_are_a_pair_without_a_distance(folders, tmp_path, capsys):
    results = compare(folders, "real/03.png", "noisy/04.png", tmp_path / "run")
    assert results["set"] is None
    assert len(results["pairs"]) == 1
    assert "needs two images on either side" in capsys.readouterr().out
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "no set to compare" in page


def test_a_folder_and_itself(folders, tmp_path, capsys):
    results = compare(folders, "real", "real", tmp_path / "run")
    assert results["set"]["distance"] <= 1e-6
    assert results["similarity"]["ssim"]["paired"]["mean"] == 1
    assert "inf" in capsys.readouterr().out  # PSNR


def test_partners_and_others_are_counted(folders, tmp_path):
    eyes = toy.fundus(6, size=32, rng=5).images
    save(tmp_path / "some", eyes, ["00", "07", "a", "b", "c", "d"])
    results = compare(folders, "real", tmp_path / "some", tmp_path / "run")
    assert [row["real"] for row in results["pairs"]] == ["00", "07"]
    assert "48 real and 4 generated without" in results["notes"]["images"]
    assert (results["set"]["n1"], results["set"]["n2"]) == (50, 6)


def test_pairs_are_found_wherever_they_stand(folders, tmp_path):
    eyes = [np.asarray(Image.open(p)) for p in sorted((folders / "real").iterdir())]
    alike = [np.where(eye > 12, eye - eye // 64, eye) for eye in eyes]
    names = ["+first", *(f"{k:02d}" for k in range(50))]  # all others move by one
    save(tmp_path / "alike", [eyes[0], *alike], names)
    results = compare(folders, "real", tmp_path / "alike", tmp_path / "run")
    assert len(results["pairs"]) == 50
    # exchanging an eye with itself, a shade darker, moves nothing far
    chance, floor = (np.median(results["set"][k]) for k in ("exchanged", "floor"))
    assert chance < floor / 4


def test_same_seed_same_numbers(folders, tmp_path):
    first = compare(folders, "real", "noisy", tmp_path / "a")
    second = compare(folders, "real", "noisy", tmp_path / "b")
    assert first == second
    third = compare(folders, "real", "noisy", tmp_path / "c", "--seed", "1")
    assert third["set"]["distance"] != first["set"]["distance"]  # another network


def test_floats_and_bytes_of_the_same_images_agree(folders, tmp_path):
    images = [np.asarray(Image.open(p)) for p in sorted((folders / "real").iterdir())]
    np.save(tmp_path / "real.npy", np.stack(images).astype(np.float32) / 255)
    np.save(tmp_path / "bytes.npy", np.stack(images))
    results = compare(
        folders, tmp_path / "real.npy", tmp_path / "bytes.npy", tmp_path / "run"
    )
    assert results["similarity"]["ssim"]["paired"]["mean"] == pytest.approx(1)
    assert results["notes"]["data range"] == "1 as read, 255 as read"


@pytest.mark.parametrize(
    ("second", "options", "words"),
    [
        ("nothing", (), "no such file or folder"),
        ("small", (), "--size PX resizes all"),
        ("noisy", ("--features", "nothing"), "features must be random, a run folder"),
        ("noisy", ("--dim", "65"), "dim must lie in 1..64"),
        ("noisy", ("--data-range", "1"), "images of 8 bits have 255, found 1"),
    ],
)
def test_refusals_are_one_line(second, options, words, folders, tmp_path, capsys):
    if second == "small":
        second = save(tmp_path / "small", toy.fundus(3, size=24, rng=0).images)
    compare(folders, "real", second, tmp_path / "run", *options, status=2)
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("tinyssl compare: ")
    assert words in said
    assert not (tmp_path / "run").exists()  # the corrected command may have it


def test_other_settings_in_the_same_folder_are_refused(folders, tmp_path, capsys):
    compare(folders, "real", "noisy", tmp_path / "run")
    compare(folders, "real", "other", tmp_path / "run", status=2)
    assert "holds a run with generated=" in capsys.readouterr().err


def test_figures_refuse_what_does_not_fit():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="images1, images2 and scores must agree"):
        plots.pairs(images, images, [1.0])
    figure = plots.distances(1.0, {"chance": [1.0, 2.0]}, interval=(0.5, 1.5))
    assert figure.get_suptitle().startswith("2 of 2 sets that do not differ")
