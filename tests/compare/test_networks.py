"""``restoration`` and ``export-restored``: unseen images, and a whole data set."""

import json
import shutil
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image

from tinyssl import runs
from tinyssl.cli import main
from tinyssl.commands import export_restored, restoration
from tinyssl.compare import export
from tinyssl.compare.restored import open_networks
from tinyssl.data import load_images, load_masks, open_dataset, toy
from tinyssl.transforms import swap_patches

SIZE = 32
CPU = {"device": "cpu"}
equal = np.testing.assert_array_equal


def pretrained(data, out, task="restoration", folds=0):
    options = f"--task {task} --size {SIZE} --folds {folds} --steps 2 --batch-size 4"
    options += " --threads 1 --workers 1 --device cpu --out"
    assert main(["pretrain", str(data), *options.split(), str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def eyes(tmp_path_factory, save):
    """Twelve eyes in a manifest, with vessel masks; the last patient unknown."""
    found = toy.fundus(12, size=SIZE, rng=0)
    names = [f"{kind}{k}.png" for kind in "ev" for k in range(12)]
    both = [*found.images, *found.vessels]
    folder = save(tmp_path_factory.mktemp("eyes"), both, names)
    lines = ["image,grade,patient,split,mask:vessel"]
    for k in range(12):
        patient = found.patient[k] if k < 11 else ""
        mask = f"v{k}.png" if k else ""  # not annotated for the first
        split = "test" if k >= 8 else "train"
        lines.append(f"e{k}.png,{found.grades[k]},{patient},{split},{mask}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(eyes, tmp_path_factory):
    return pretrained(eyes, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def exported(eyes, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("generated") / "set"
    command = ["export-restored", run, eyes, "--out", out, "--per-image", 2]
    assert main([*map(str, command), "--device", "cpu"]) == 0
    return out


@pytest.fixture(scope="module")
def log(exported):
    text = (exported / "swaps.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_only_unseen_images_are_scored(eyes, run, tmp_path):
    printed = "\n".join(restoration(run, eyes, out=tmp_path, **CPU)["lines"])
    results = json.loads((tmp_path / "results.json").read_text())
    names = [row["image"] for row in results["images"]]
    assert names == [f"e{k}.png" for k in range(8, 12)]
    assert set(results["scores"]["mse_swapped"]) == {"restored", "copy", "difference"}
    assert results["scores"]["mse_unswapped"]["copy"]["mean"] == 0
    assert [line["d"] for line in results["distances"]] == [64, 157]
    assert "4 not seen in pretraining, of 12" in printed
    assert "MSE in swapped patches: restored" in printed
    assert "Than returning the input: " in printed
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "SSIM .95 and FID .17" in page
    assert "Copy: the disordered" in page
    assert "Difference: restored" in page
    assert (tmp_path / "figures/restorations.png").exists()


def test_images_saved_again_were_seen_and_all_seen_refused(eyes, run, save, tmp_path):
    paths = [eyes / f"e{k}.png" for k in range(12)]
    names = [f"{path.stem}.bmp" for path in paths]  # other bytes, the same pictures
    again = save(tmp_path / "again", map(Image.open, paths), names)
    seen = runs.load_plain(run / "encoder.pt")["seen"]
    networks = open_networks(run, again, skip_bad=False, **CPU)
    assert not set(runs.content_hashes(networks.table.images)) & set(seen)
    order = [int(name[1:].removesuffix(".bmp")) for name in networks.table.names]
    equal(~networks.unseen, np.isin(runs.content_hashes(paths), seen)[order])
    assert 0 < networks.unseen.sum() < 12
    # a run that has seen all is refused
    (tmp_path / "three").mkdir()
    for path in paths[:3]:
        shutil.copy(path, tmp_path / "three")
    with pytest.raises(ValueError, match="was pretrained on all 3 images"):
        restoration(run, tmp_path / "three", out=tmp_path / "quality", **CPU)


def test_folds_restore_what_they_were_blind_to(eyes, tmp_path):
    out = pretrained(eyes, tmp_path / "folds", folds=2)
    networks = open_networks(out, eyes, skip_bad=False, **CPU)
    assert networks.unseen.all()
    assert networks.encoder == out / "fold0" / "encoder.pt"
    hashes = runs.content_hashes(networks.table.images)
    states = [task.state_dict() for task in networks.tasks]
    for fold in ("fold0", "fold1"):
        weights = runs.load_plain(out / fold / "task.pt")
        seen = runs.load_plain(out / fold / "encoder.pt")["seen"]
        same = [all(torch.equal(own[k], weights[k]) for k in own) for own in states]
        assert any(same)
        assert not set(np.array(hashes)[same]) & set(seen)
    index = np.random.default_rng(0).permutation(12)
    found = networks.restore(index, draw=0, seed=0)
    equal(found.images, networks.images[index])
    equal(swap_patches(found.disordered, found.swaps[:, ::-1], SIZE // 8), found.images)


@pytest.mark.parametrize("standardise", [False, True])
def test_networks_are_shown_what_they_learned_from(standardise, eyes, run, tmp_path):
    path = shutil.copytree(run, tmp_path / "run") / "config.json"
    options = {"task_options": {"standardise": standardise, "num_swaps": 3}}
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
    task = open_networks(path.parent, eyes, skip_bad=False, **CPU).tasks[0]
    assert (task.standardise, task.num_swaps) == (standardise, 3)
    assert task.region.shape == (SIZE, SIZE)  # of these images


def test_tasks_that_swap_not_are_not_exported_that_restore_not_refused(eyes, tmp_path):
    run = pretrained(eyes, tmp_path / "run", task="shuffling")
    results = restoration(run, eyes, out=tmp_path / "out", features=("random",), **CPU)
    assert results["scores"]["mse_swapped"]["copy"]["mean"] > 0
    printed = "\n".join(results["lines"])
    assert "MSE in changed patches: restored" in printed
    assert "swapped" not in printed
    with pytest.raises(ValueError, match="otherwise than by swapping patches"):
        export_restored(run, eyes, out=tmp_path / "set", **CPU)
    assert not (tmp_path / "set").exists()
    run = pretrained(eyes, tmp_path / "rotation", task="rotation")
    with pytest.raises(ValueError, match="a task that restores images: pretrain rot"):
        restoration(run, "no images are read", out=tmp_path / "none", **CPU)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"command": "compare"}, "must be a run of pretrain with a task that restores"),
        ({"command": "pretrain", "task": "restoration"}, "learned from patches"),
        ({"command": "pretrain", "size": 9, "patch_size": 8}, "learned from patches"),
        ({"command": "pretrain", "size": 9, "folds": 0}, "was not finished"),
        ({"command": "pretrain", "size": 9, "folds": 2}, "was not finished"),
    ],
)
def test_other_runs_are_refused(config, words, eyes, tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [str(tmp_path), str(eyes), "--out", str(tmp_path / "out")]
    for name in ("restoration", "export-restored"):
        assert main([name, *command]) == 2
        (said,) = capsys.readouterr().err.strip().splitlines()
        assert words in said


def test_export_is_read_back_pixel_for_pixel_and_nobody_leaks(eyes, exported, log):
    table, source = open_dataset(exported), open_dataset(eyes)
    assert len(table) == 12 * 5  # original, 2 disordered, 2 restored
    assert table.is_fundus
    images, _ = load_images(table, SIZE)
    kinds = np.array([name.split("/")[0] for name in table.names])
    equal(images[kinds == "original"], load_images(source, SIZE)[0])
    assert set(table.region) == {exported / "field.png"}  # no circle to be guessed
    equal(images, np.stack([Image.open(path) for path in table.images]))
    for kind in ("original", "disordered", "restored"):
        part = open_dataset(exported / f"{kind}.csv")
        assert {name.split("-")[0].split("/")[0] for name in part.names} == {kind}
    # nobody leaks
    place = {line["image"]: line["number"] for line in log}
    rows = [place[name.split("/")[1]] for name in table.names]
    equal(table.grade, source.grade[rows])
    equal(table.split, source.split[rows])
    known = source.patient[rows] != ""
    equal(table.patient[known], source.patient[rows][known])
    assert set(table.patient[~known]) == {"image e11.png"}  # one image, one patient


def test_disorder_is_undone_by_the_log_and_masks_follow_the_pixels(exported, log):
    assert [line["draw"] for line in log] == [1] * 12 + [2] * 12
    table = open_dataset(exported)
    masks = dict(zip(table.names, load_masks(table, "vessel", SIZE), strict=True))
    first = table.names[0].split("/")[1]  # never annotated
    assert table.masks["vessel"][table.names.index(f"original/{first}")] is None
    for line in log:
        name, swaps, patch_size = line["image"], line["swaps"][::-1], line["patch_size"]
        files = f"original/{name}", f"disordered-{line['draw']}/{name}"
        original, moved = (np.asarray(Image.open(exported / f"{f}.png")) for f in files)
        equal(swap_patches(moved, swaps, patch_size), original)
        assert line["seen"] == (int(line["source"][1:-4]) < 8)
        assert line["scores"]["copy"]["mse_unswapped"] == 0
        if name != first:
            original, moved = (masks[file] for file in files)
            equal(swap_patches(moved, swaps, patch_size), original)
            equal(masks[f"restored-{line['draw']}/{name}"], original)


def test_export_says_its_origin_or_fails(eyes, run, exported, tmp_path, monkeypatch):
    text = (exported / "README.md").read_text(encoding="utf-8")
    assert f"from 12 images of {eyes.name}" in text
    assert "licence of the originals" in text
    assert str(eyes.parent) not in text
    with pytest.raises(ValueError, match="must be a new or empty folder"):
        export_restored(run, eyes, out=exported, **CPU)
    # a broken export leaves nothing
    fail = mock.Mock(side_effect=OSError("disk full"))
    monkeypatch.setattr(export, "score_images", fail)
    out = tmp_path / "set"
    out.mkdir()
    with pytest.raises(OSError, match="disk full"):
        export_restored(run, eyes, out=out, **CPU)
    assert list(tmp_path.iterdir()) == [out]
    assert list(out.iterdir()) == []
