"""``restoration`` and ``export-restored``: unseen images, and a whole data set."""

import json

import numpy as np
import pytest
from PIL import Image

from tinyssl.cli import main
from tinyssl.commands import export
from tinyssl.commands.pretrain import pretrain
from tinyssl.data import load_images, load_masks, open_dataset, toy
from tinyssl.transforms import swap_patches

SIZE = 32


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    """Twelve eyes in a manifest, with vessel masks; the last patient unknown."""
    folder = tmp_path_factory.mktemp("eyes")
    found = toy.fundus(12, size=SIZE, rng=0)
    lines = ["image,grade,patient,split,mask:vessel"]
    for k in range(12):
        Image.fromarray(found.images[k]).save(folder / f"e{k}.png")
        Image.fromarray(found.vessels[k]).save(folder / f"v{k}.png")
        patient = found.patient[k] if k < 11 else ""
        mask = f"v{k}.png" if k else ""  # not drawn for the first
        split = "test" if k >= 8 else "train"
        lines.append(f"e{k}.png,{found.grades[k]},{patient},{split},{mask}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(eyes, tmp_path_factory):
    """A run that has seen the training part only."""
    out = tmp_path_factory.mktemp("runs") / "restoration"
    options = {"size": SIZE, "steps": 2, "batch_size": 4, "threads": 1}
    pretrain(eyes, task="restoration", out=out, device="cpu", **options)
    return out


@pytest.fixture(scope="module")
def exported(eyes, run, tmp_path_factory):
    out = tmp_path_factory.mktemp("generated") / "set"
    command = ["export-restored", run, eyes, "--out", out, "--per-image", 2]
    assert main([*map(str, command), "--device", "cpu"]) == 0
    return out


def log_of(exported):
    text = (exported / "swaps.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# Quality


def test_only_unseen_images_are_scored(eyes, run, tmp_path, capsys):
    out = tmp_path / "quality"
    assert main(["restoration", str(run), str(eyes), "--out", str(out)]) == 0
    results = json.loads((out / "results.json").read_text())
    assert [row["image"] for row in results["images"]] == [
        f"e{k}.png" for k in range(8, 12)
    ]
    assert set(results["scores"]["mse_swapped"]) == {"restored", "copy", "difference"}
    assert results["scores"]["mse_unswapped"]["copy"]["mean"] == 0
    assert [line["d"] for line in results["distances"]] == [64, 157]
    printed = capsys.readouterr().out
    assert "4 not seen in pretraining, of 12" in printed
    assert "Than returning the input: " in printed
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "SSIM .95 and FID .17" in page
    assert (out / "figures/restorations.png").exists()


def test_run_that_has_seen_all_is_refused(eyes, run, tmp_path, capsys):
    seen = tmp_path / "seen"
    seen.mkdir()
    for k in range(3):
        (seen / f"e{k}.png").write_bytes((eyes / f"e{k}.png").read_bytes())
    command = ["restoration", str(run), str(seen), "--out", str(tmp_path / "quality")]
    assert main(command) == 2
    assert "was pretrained on all 3 images" in capsys.readouterr().err


def test_folds_restore_what_they_were_blind_to(eyes, tmp_path):
    out = tmp_path / "folds"
    options = {"size": SIZE, "steps": 1, "batch_size": 4, "threads": 1, "folds": 2}
    pretrain(eyes, task="restoration", out=out, device="cpu", **options)
    restorers = export.open_restorers(out, eyes, device="cpu")
    assert list(restorers.tasks) == ["fold0", "fold1"]
    blind = restorers.blind()
    assert None not in blind
    for name, hashed in zip(blind, restorers.hashes, strict=True):
        assert hashed not in restorers.seen[name]
    assert set(blind[:8]) == {"fold0", "fold1"}
    index = np.random.default_rng(0).permutation(12)
    found = export.restore_all(
        restorers, [blind[i] for i in index], index, draw=0, seed=0
    )
    np.testing.assert_array_equal(found.images, restorers.images[index])
    undone = swap_patches(found.disordered, found.swaps[:, ::-1], SIZE // 8)
    np.testing.assert_array_equal(undone, found.images)


@pytest.mark.parametrize(
    ("options", "recorded"), [({}, False), ({"standardise": True}, True)]
)
def test_networks_are_shown_what_they_learned_from(eyes, options, recorded, tmp_path):
    short = {"size": SIZE, "steps": 1, "batch_size": 4, "threads": 1, "device": "cpu"}
    pretrain(eyes, task="restoration", out=tmp_path, task_options=options, **short)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    assert config["task_options"] == {"standardise": recorded}
    open_task = export.open_restorers(tmp_path, eyes, device="cpu").tasks[""]
    assert open_task.standardise is recorded
    # A run of a time before the setting: it was always standardised
    path.write_text(json.dumps(config | {"task_options": {}}))
    open_task = export.open_restorers(tmp_path, eyes, device="cpu").tasks[""]
    assert open_task.standardise
    # ... and it is not gone on with under another scale
    with pytest.raises(ValueError, match=r"task_options=\{\}, this one has"):
        pretrain(eyes, task="restoration", out=tmp_path, task_options=options, **short)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"command": "pretrain", "task": "rotation"},
            "must be a run of pretrain --task",
        ),
        ({"command": "compare"}, "must be a run of pretrain --task"),
        ({"command": "pretrain", "task": "restoration"}, "learned from patches"),
        (
            {"command": "pretrain", "task": "restoration", "size": 9, "folds": 0},
            "was not finished",
        ),
    ],
)
def test_other_runs_are_refused(config, words, eyes, tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [str(tmp_path), str(eyes), "--out", str(tmp_path / "out")]
    for name in ("restoration", "export-restored"):
        assert main([name, *command]) == 2
        assert words in capsys.readouterr().err


# The data set


def test_export_is_read_back_pixel_for_pixel(eyes, exported):
    table = open_dataset(exported)
    assert len(table) == 12 * 5  # original, 2 disordered, 2 restored
    assert table.is_fundus
    images, _ = load_images(table, SIZE)
    source, _ = load_images(open_dataset(eyes), SIZE)
    kinds = np.array([name.split("/")[0] for name in table.names])
    np.testing.assert_array_equal(images[kinds == "original"], source)
    assert set(table.region) == {exported / "field.png"}  # no circle to be guessed
    for image, path in zip(images, table.images, strict=True):
        np.testing.assert_array_equal(image, np.asarray(Image.open(path)))
    for kind in ("original", "disordered", "restored"):
        part = open_dataset(exported / f"{kind}.csv")
        assert {name.split("-")[0].split("/")[0] for name in part.names} == {kind}


def test_disorder_is_undone_by_the_log(exported):
    lines = log_of(exported)
    assert len(lines) == 24
    assert {line["draw"] for line in lines} == {1, 2}
    for line in lines:
        name = f"{line['image']}.png"
        disordered, original = (
            np.asarray(Image.open(exported / kind / name))
            for kind in (f"disordered-{line['draw']}", "original")
        )
        undone = swap_patches(disordered, line["swaps"][::-1], line["patch_size"])
        np.testing.assert_array_equal(undone, original)
        assert line["seen"] == (int(line["source"][1:-4]) < 8)
        assert line["scores"]["copy"]["mse_unswapped"] == 0


def test_nobody_leaks(eyes, exported):
    table, source = open_dataset(exported), open_dataset(eyes)
    place = {line["image"]: line["number"] for line in log_of(exported)}
    rows = [place[name.split("/")[1]] for name in table.names]
    np.testing.assert_array_equal(table.grade, source.grade[rows])
    np.testing.assert_array_equal(table.split, source.split[rows])
    known = source.patient[rows] != ""
    np.testing.assert_array_equal(table.patient[known], source.patient[rows][known])
    assert set(table.patient[~known]) == {"image e11.png"}  # one image, one patient


def test_masks_follow_the_pixels(exported):
    table = open_dataset(exported)
    masks = load_masks(table, "vessel", SIZE)
    lines = {(line["draw"], line["image"]): line for line in log_of(exported)}
    row = {name: k for k, name in enumerate(table.names)}
    first = table.names[0].split("/")[1]
    assert table.masks["vessel"][row[f"original/{first}"]] is None  # never drawn
    for (draw, name), line in lines.items():
        if name == first:
            continue
        moved, original, restored = (
            masks[row[f"{kind}/{name}"]]
            for kind in (f"disordered-{draw}", "original", f"restored-{draw}")
        )
        np.testing.assert_array_equal(restored, original)
        undone = swap_patches(moved, line["swaps"][::-1], line["patch_size"])
        np.testing.assert_array_equal(undone, original)


def test_export_says_where_it_comes_from(eyes, exported):
    text = (exported / "README.md").read_text(encoding="utf-8")
    assert f"from 12 images of {eyes.name}" in text
    assert "licence of the originals" in text
    assert str(eyes.parent) not in text


def test_full_folder_is_refused(eyes, run, exported, capsys):
    command = ["export-restored", str(run), str(eyes), "--out", str(exported)]
    assert main(command) == 2
    assert "must be a new or empty folder" in capsys.readouterr().err


def test_broken_export_leaves_nothing(eyes, run, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(export, "log_lines", fail)
    out = tmp_path / "set"
    out.mkdir()
    with pytest.raises(OSError, match="disk full"):
        export.export_restored(run, eyes, out=out, device="cpu")
    assert list(tmp_path.iterdir()) == [out]
    assert list(out.iterdir()) == []
