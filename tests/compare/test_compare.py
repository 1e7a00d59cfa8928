"""``compare`` as a person uses it: words, numbers, a page, refusals."""

import json

import numpy as np
import pytest

from tinyssl.cli import main
from tinyssl.commands import compare
from tinyssl.compare.pages import interval
from tinyssl.data import toy
from tinyssl.metrics import ssim

EYES = toy.fundus(200, size=32, rng=0).images[::2]  # one eye a patient
REAL = EYES[:50]
NOISE = np.random.default_rng(0).normal(0, 12, REAL.shape)
NOISY = np.clip(REAL + NOISE, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, save):
    root = tmp_path_factory.mktemp("sets")
    save(root / "real", REAL)
    save(root / "noisy", NOISY)
    save(root / "other", EYES[50:], [f"eye{k}.png" for k in range(50)])
    save(root / "small", REAL[:3, :24, :24])
    return root


@pytest.fixture
def run(folders, tmp_path):
    """Return what compares two of the folders, or other sets, by eight features."""

    def run(*names, out=tmp_path / "run", **options):
        pair = (name if ":" in str(name) else folders / name for name in names)
        return compare(*pair, out=out, **{"dim": 8, "device": "cpu"} | options)

    return run


def printed(results):
    return "\n".join(results["lines"])


def test_pairs_are_scored_beside_random_pairs(run, tmp_path):
    results = run("real", "noisy")
    assert [row["real"] for row in results["pairs"]] == [f"{k:02d}" for k in range(50)]
    expected = ssim(REAL[7], NOISY[7], data_range=255, channel_axis=2)
    assert results["pairs"][7]["ssim"] == pytest.approx(expected)
    mean = results["similarity"]["ssim"]
    assert mean["paired"]["low"] > mean["random"]["high"]
    psnr, mse = (results["similarity"][key]["paired"] for key in ("psnr", "mse"))
    assert psnr["low"] == pytest.approx(-10 * np.log10(mse["high"]))
    assert results["set"]["p"] <= 0.005
    for word in ("n = 50 and 50", "d = 8", "random network", "noise floor", "255"):
        assert word in printed(results)
    assert "The sets differ" in printed(results)
    assert results["lines"][-1] == f"report: {tmp_path}/run/report.html"
    # ... in the run folder
    saved = json.loads((tmp_path / "run/results.json").read_text())
    assert saved["notes"] == results["notes"]
    assert "lines" not in saved
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "Random: paired" in page
    assert "Copy:" not in page  # of images that nothing restored
    assert results["notes"]["verdict"].split(":")[0] in page
    for word in ("paired at random", "exchanged", "one Gaussian", "FID 0.17", "0.9999"):
        assert word in page
    figures = {path.name for path in (tmp_path / "run/figures").iterdir()}
    assert figures == {"pairs.png", "distance.png"}


def test_same_seed_same_numbers(run, tmp_path):
    first, second = (run("real", "noisy", out=tmp_path / k, seed=0) for k in "01")
    third = run("real", "noisy", out=tmp_path / "2", seed=1)
    np.testing.assert_equal(first | {"lines": 0}, second | {"lines": 0})
    assert third["set"]["distance"] != first["set"]["distance"]  # another network
    with pytest.raises(ValueError, match="holds a run with generated="):
        run("real", "other", out=tmp_path / "0")


def test_other_eyes_cannot_be_told_apart_and_few_are_warned_of(run):
    results = run("real", "other", dim=None)
    assert results["pairs"] == []
    words = "0 paired by name, 50 real and 50 generated without partner"
    assert words in results["notes"]["images"]
    assert "cannot be told from two samples of one distribution" in printed(results)
    assert "SSIM" not in printed(results)
    warning = results["notes"]["WARNING"]
    assert "50 images for 64 features" in warning
    assert "--dim 12" in warning


def test_pairs_are_found_wherever_they_stand_and_two_files_are_one(run, save, tmp_path):
    alike = np.where(REAL > 12, REAL - REAL // 64, REAL)
    names = ["+first.png", *(f"{k:02d}.png" for k in range(50))]  # all move by one
    results = run("real", save(tmp_path / "alike", [REAL[0], *alike], names))
    assert len(results["pairs"]) == 50
    assert "0 real and 1 generated without" in results["notes"]["images"]
    assert (results["set"]["n1"], results["set"]["n2"]) == (50, 51)
    # exchanging an eye with itself, a shade darker, moves nothing far
    chance, floor = (np.median(results["set"][k]) for k in ("exchanged", "floor"))
    assert chance < floor / 4
    results = run("real/03.png", "noisy/04.png", out=tmp_path / "two")
    assert (results["set"], len(results["pairs"])) == (None, 1)  # whatever their names
    assert "needs two images on either side" in printed(results)
    assert "no set to compare" in (tmp_path / "two/report.html").read_text("utf-8")
    same = run("real/03.png", "real/03.png", out=tmp_path / "same")
    assert same["notes"]["PSNR of pairs"] == "inf dB"


def test_patients_stay_whole_where_known_and_floats_are_as_bytes(run, tmp_path):
    both = run("toy:24:32", "toy:24:32:5", out=tmp_path / "both")
    assert both["notes"]["patients"] == "kept whole"
    one = run("toy:24:32", "real", out=tmp_path / "one")
    assert "taken as independent" in one["notes"]["patients"]
    np.save(tmp_path / "real.npy", REAL.astype(np.float32) / 255)
    np.save(tmp_path / "bytes.npy", REAL)
    results = run(tmp_path / "real.npy", tmp_path / "bytes.npy")
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
    sets, out = [str(folders / "real"), str(folders / second)], tmp_path / "run"
    assert main(["compare", *sets, "--out", str(out), *options]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("tinyssl compare: ")
    assert words in said
    assert not out.exists()  # the corrected command may have it


def test_an_interval_has_real_minus_signs_and_no_ends_where_none_are_known():
    known = {"mean": -0.5, "low": -1, "high": 2e-5}
    assert interval(known, 2, "g") == "−0.5 [−1, 2e−05]"
    assert interval(known | {"low": np.nan}) == "−0.500"
    assert interval(known | {"mean": np.nan}) == "–"
