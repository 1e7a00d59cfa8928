"""Faults of files, planted one at a time."""

import re

import numpy as np
import pytest
from PIL import Image

from tinyssl.audit import open_parts
from tinyssl.audit.files import find_files
from tinyssl.audit.look import look
from tinyssl.data import open_dataset, toy


def test_truncated_and_alien_files_are_named_with_the_reason(clean, found):
    whole = (clean.folder / "e1.png").read_bytes()
    (clean.folder / "e1.png").write_bytes(whole[: len(whole) // 2])
    (clean.folder / "e2.png").write_bytes(b"no image")
    (first,), (second,) = found(clean.save())["unreadable"]["files"]
    assert re.search("e1.png.*truncated", first)
    assert re.search("e2.png.*not a JPEG", second)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"image": "gone.png"}, "labels-without-images", "gone.png"),
        ({"grade": "severe"}, "rows-refused", "grade must be an integer"),
        ({"grade": ""}, "ungraded", "e4.png"),
    ],
)
def test_rows(clean, found, change, kind, words):
    clean.rows[4] |= change
    ((line,),) = found(clean.save())[kind]["files"]
    assert words in line


def test_images_without_labels(clean, told):
    (clean.folder / "e3.png").rename(clean.folder / "aside.png")
    del clean.rows[3]
    expected = [["clean: aside.png"], ["clean: m3.png"]]
    assert told(clean.save()) == {"images-without-labels": expected}


def test_masks_of_other_sizes_and_proportions(clean, found):
    Image.new("1", (48, 48), 1).save(clean.folder / "m1.png")
    Image.new("1", (96, 48), 1).save(clean.folder / "m2.png")
    (clean.folder / "m3.png").write_bytes(b"no mask")
    findings = found(clean.save())
    for kind, severity, name in (
        ("masks-of-other-sizes", "note", "e1.png"),
        ("masks-of-other-proportions", "warning", "e2.png"),
        ("masks-unreadable", "warning", "m3.png"),
    ):
        assert name in findings[kind]["files"][0][0]
        assert findings[kind]["severity"] == severity


@pytest.mark.parametrize("empty", [False, True])
def test_a_mask_used_for_two_images(clean, told, empty):
    if empty:  # all of these are alike
        Image.new("1", (96, 96)).save(clean.folder / "m6.png")
    (clean.folder / "m5.png").write_bytes((clean.folder / "m6.png").read_bytes())
    twice = [["clean: e5.png, vessel", "clean: e6.png, vessel"]]
    assert told(clean.save()) == ({} if empty else {"masks-twice": twice})


def test_gray_dark_and_blurred_images(clean, told):
    gray, dark, coarse = (Image.fromarray(clean.image(k)) for k in (1, 2, 3))
    gray.convert("L").save(clean.folder / "e1.png")
    Image.fromarray(np.asarray(dark) // 5).save(clean.folder / "e2.png")
    coarse = coarse.resize((6, 6)).resize((96, 96), Image.Resampling.BICUBIC)
    coarse.save(clean.folder / "e3.png")
    expected = {"gray": [["e1.png"]], "dark": [["e2.png"]], "blurred": [["e3.png"]]}
    assert told(clean.save()) == expected


def test_gray_is_nothing_where_all_are(tmp_path, found):
    for k in range(4):
        noise = np.random.default_rng(k).integers(0, 255, (64, 64), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{k}.png")
    assert found(tmp_path) == {}


def test_arrays_and_idrid_parts_are_opened(tmp_path):
    eyes = toy.fundus(4, size=28, rng=0)
    np.savez(tmp_path / "x.npz", train_images=eyes.images, train_labels=eyes.grades)
    parts = open_parts([tmp_path / "x.npz", "toy:3:32"])
    assert [len(table) for table in parts.values()] == [4, 3]
    looks = look(parts)
    assert looks.structure.shape == (7, 28, 28)  # nothing is enlarged
    assert list(find_files(looks)) == []

    root, parts = tmp_path / "IDRiD", ["A. Segmentation", "B. Disease Grading"]
    for part in parts:
        images = root / part / "1. Original Images" / "a. Training Set"
        images.mkdir(parents=True)
        Image.fromarray(eyes.images[0]).save(images / "IDRiD_001.png")
    (root / parts[0] / "2. All Segmentation Groundtruths").mkdir()
    truth = root / parts[1] / "2. Groundtruths"
    truth.mkdir()
    labels = "Image name,Retinopathy grade\nIDRiD_001,2\n"
    (truth / "a. Training Labels.csv").write_text(labels)
    assert list(open_parts([root])) == parts
    assert len(open_dataset(root)) == 1
