"""Faults of files, planted one at a time."""

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import open_dataset, toy
from tinyssl.data.audit import find_files, look, open_parts

SIZE = 64


@pytest.fixture
def folder(tmp_path):
    """Write twelve eyes with vessel masks, and no fault."""
    eyes = toy.fundus(12, size=SIZE, rng=1)
    lines = ["image,grade,mask:vessel"]
    for k, (image, mask) in enumerate(zip(eyes.images, eyes.vessels, strict=True)):
        Image.fromarray(image).save(tmp_path / f"e{k}.png")
        Image.fromarray(mask).save(tmp_path / f"m{k}.png")
        lines.append(f"e{k}.png,{k % 3},m{k}.png")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def found(folder):
    """Return what is found, by kind."""
    findings = find_files(look(open_parts([folder])))
    return {finding.kind: finding for finding in findings}


def add_row(folder, row):
    with (folder / "manifest.csv").open("a") as file:
        file.write(row + "\n")


def test_no_fault_no_finding(folder):
    assert found(folder) == {}


def test_truncated_and_alien_files_are_named_with_the_reason(folder):
    bytes_of = (folder / "e1.png").read_bytes()
    (folder / "e1.png").write_bytes(bytes_of[: len(bytes_of) // 2])
    (folder / "e2.png").write_bytes(b"no image")
    finding = found(folder)["unreadable"]
    (first,), (second,) = finding.files
    assert "e1.png" in first
    assert "truncated" in first
    assert "e2.png" in second
    assert "not a JPEG" in second


def test_labels_without_images(folder):
    add_row(folder, "gone.png,1,")
    finding = found(folder)["labels-without-images"]
    assert finding.count == 1
    assert "gone.png" in finding.files[0][0]


def test_rows_that_break_a_rule(folder):
    text = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(text.replace("e4.png,1", "e4.png,severe"))
    assert "grade must be an integer" in str(found(folder)["rows-refused"].files)


def test_images_without_labels(folder):
    (folder / "e3.png").rename(folder / "aside.png")
    text = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(text.replace("e3.png,0,m3.png\n", ""))
    files = found(folder)["images-without-labels"].files
    assert [
        file.endswith(name)
        for (file,), name in zip(files, ("aside.png", "m3.png"), strict=True)
    ]
    assert len(files) == 2


def test_ungraded_among_graded(folder):
    text = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(text.replace("e4.png,1", "e4.png,"))
    assert found(folder)["ungraded"].files == [["e4.png"]]


def test_masks_of_other_sizes_and_proportions(folder):
    Image.new("1", (SIZE // 2, SIZE // 2), 1).save(folder / "m1.png")
    Image.new("1", (SIZE, SIZE // 2), 1).save(folder / "m2.png")
    (folder / "m3.png").write_bytes(b"no mask")
    findings = found(folder)
    assert "e1.png" in findings["masks-of-other-sizes"].files[0][0]
    assert findings["masks-of-other-sizes"].gravity == "note"
    assert "e2.png" in findings["masks-of-other-proportions"].files[0][0]
    assert findings["masks-of-other-proportions"].gravity == "warning"
    assert "m3.png" in findings["masks-unreadable"].files[0][0]


def test_a_mask_used_for_two_images(folder):
    (folder / "m5.png").write_bytes((folder / "m6.png").read_bytes())
    files = found(folder)["masks-twice"].files
    assert [[name.split(": ")[1] for name in group] for group in files] == [
        ["e5.png, vessel", "e6.png, vessel"]
    ]


def test_empty_masks_are_all_alike(folder):
    for k in (5, 6):
        Image.new("1", (SIZE, SIZE)).save(folder / f"m{k}.png")
    assert found(folder) == {}


def test_gray_dark_and_blurred_images(folder):
    gray = Image.open(folder / "e1.png").convert("L")
    gray.save(folder / "e1.png")
    dark = np.asarray(Image.open(folder / "e2.png")) // 5
    Image.fromarray(dark).save(folder / "e2.png")
    picture = Image.open(folder / "e3.png")
    coarse = picture.resize((6, 6)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    coarse.save(folder / "e3.png")
    findings = found(folder)
    for kind, name in (("gray", "e1.png"), ("dark", "e2.png"), ("blurred", "e3.png")):
        assert findings[kind].files == [[name]]


def test_gray_is_nothing_where_all_are(tmp_path):
    for k in range(4):
        noise = np.random.default_rng(k).integers(0, 255, (SIZE, SIZE), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{k}.png")
    assert found(tmp_path) == {}


def test_arrays_and_idrid_parts_are_opened(tmp_path):
    eyes = toy.fundus(4, size=28, rng=0)
    np.savez(tmp_path / "x.npz", train_images=eyes.images, train_labels=eyes.grades)
    parts = open_parts([tmp_path / "x.npz", "toy:3:32"])
    assert [len(table) for table in parts.values()] == [4, 3]
    assert find_files(look(parts)) is not None

    root = tmp_path / "IDRiD"
    for part in ("A. Segmentation", "B. Disease Grading"):
        images = root / part / "1. Original Images" / "a. Training Set"
        images.mkdir(parents=True)
        Image.fromarray(eyes.images[0]).save(images / "IDRiD_001.png")
    (root / "A. Segmentation" / "2. All Segmentation Groundtruths").mkdir()
    truth = root / "B. Disease Grading" / "2. Groundtruths"
    truth.mkdir()
    labels = "Image name,Retinopathy grade\nIDRiD_001,2\n"
    (truth / "a. Training Labels.csv").write_text(labels)
    assert list(open_parts([root])) == ["A. Segmentation", "B. Disease Grading"]
    assert len(open_dataset(root)) == 1
