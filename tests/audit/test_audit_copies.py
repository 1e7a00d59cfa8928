"""Each leak and each fault of a file is planted in a clean set, and must be found."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps

from tinyssl.anonymous import Key
from tinyssl.audit import count_grades, count_sizes, open_parts
from tinyssl.audit.files import find_files
from tinyssl.audit.look import look
from tinyssl.audit.page import short_name
from tinyssl.data import copies, open_dataset, toy


def test_an_image_is_named_with_its_folder_and_grades_and_sizes_are_counted(clean):
    names = ["val/24", "a/b/IDRiD_007.jpg", "24.png", "in a long folder name/7.png"]
    looks = SimpleNamespace(shown=names, grade=[3, 0, -1, -1])
    expected = ["val/24 (3)", "b/IDRiD_007 (0)", "24", "ng folder name/7"]
    assert [short_name(looks, row) for row in range(4)] == expected
    looks = look(open_parts([clean.save()], Key()))
    lines = count_grades(looks)
    assert [line["images"] for line in lines] == [6, 18]  # test, train
    for grade, expected in enumerate(np.bincount([row["grade"] for row in clean.rows])):
        assert sum(line["grades"].get(str(grade), 0) for line in lines) == expected
    size = {"part": "clean", "height": 96, "width": 96, "images": 24}
    assert count_sizes(looks) == [size]


@pytest.mark.parametrize(
    ("name", "k", "split", "kind"),
    [
        ("again.png", 1, "", "identical"),
        ("again.bmp", 1, "", "identical"),  # other bytes, the same pixels
        ("again.png", 0, "train", "across-splits"),  # told once
    ],
)
def test_an_identical_image(clean, told, name, k, split, kind):
    grade = clean.rows[k]["grade"] if split else ""  # neither conflicts
    clean.add(name, clean.image(k), grade, split=split)
    assert told(clean.save()) == {f"copies-{kind}": [[f"e{k}.png", name]]}


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,  # saved again
        lambda image: image.resize((72, 72), Image.Resampling.LANCZOS),
        lambda image: image.point(lambda value: int(0.7 * value)),
        ImageOps.mirror,
        lambda image: image.transpose(Image.Transpose.ROTATE_90),
        lambda image: Image.fromarray(np.roll(image, (3, -4), axis=(0, 1))),
    ],
)
def test_a_near_duplicate(clean, told, change):
    for k in (1, 2, 3):
        image = np.asarray(change(Image.fromarray(clean.image(k))))
        clean.add(f"again{k}.jpg", image, clean.rows[k]["grade"], quality=60)
    ((kind, files),) = told(clean.save()).items()
    expected = [[f"e{k}.png", f"again{k}.jpg"] for k in (1, 2, 3)]
    assert (kind, sorted(files)) == ("copies-similar", expected)


@pytest.mark.parametrize(
    ("name", "kind", "severity"),
    [("a.png", "identical", "grave"), ("a.jpg", "similar", "warning")],
)
def test_conflicting_grades(clean, found, name, kind, severity):
    one = int(clean.rows[1]["grade"])
    clean.add(name, clean.image(1), (one + 2) % 5)
    findings = found(clean.save())
    assert set(findings) == {f"copies-{kind}", f"conflicting-grades-{kind}"}
    finding = findings[f"conflicting-grades-{kind}"]
    assert (finding["severity"], finding["files"]) == (severity, [["e1.png", name]])
    assert finding["title"].endswith(f"with grades {one} and {(one + 2) % 5}")


def test_a_patient_in_two_splits_is_grave_and_twice_in_one_a_note(clean, found):
    clean.rows[4]["patient"] = clean.rows[5]["patient"]  # test and train
    clean.rows[1]["patient"] = clean.rows[2]["patient"]
    across, within = found(clean.save()).values()
    assert (across["kind"], across["severity"]) == ("patients-across-splits", "grave")
    assert across["files"] == [["e4.png", "e5.png"]]
    assert (within["title"], within["severity"]) == ("1 patient with 2 images", "note")


def test_pairs_of_eyes_by_name(clean, told, eyes):
    names = "12_left.png", "12_right.png", "13_right.png"
    for k, name in enumerate(names):
        clean.add(name, eyes.images[48 + 2 * k], split="test" if k == 1 else "train")
    assert told(clean.save()) == {"eyes-by-name-across-splits": [[*names[:2]]]}


@pytest.mark.parametrize("number", [2, 9])  # of one visit; of one program
def test_visits_by_the_note_in_the_files_but_copies_are_none(clean, told, eyes, number):
    for k, note in enumerate([b"saver 1.234"] * number + [b"040120171"]):
        clean.add(f"v{k}x.jpg", eyes.images[48 + 2 * k], quality=95, comment=note)
    kind = "visits-with-several-images"
    expected = {kind: [["v0x.jpg", "v1x.jpg"]]} if number == 2 else {}
    assert told(clean.save()) == expected
    for name in ("a.jpg", "b.jpg"):
        image = clean.image(1)[::-1].copy()
        clean.add(name, image, clean.rows[1]["grade"], quality=95, comment=b"1234")
    assert told(clean.save()).get(kind) == expected.get(kind)


def test_copies_between_two_data_sets(clean, told, plant, tmp_path):
    other = plant(tmp_path / "other", range(48, 64, 2))
    other.add("borrowed.png", clean.image(7), clean.rows[7]["grade"])
    for row in (*clean.rows, *other.rows):
        row["split"] = ""
    pair = ["clean: e7.png", "other: borrowed.png"]
    expected = {"copies-identical-between-parts": [pair]}
    assert told(clean.save(), other.save()) == expected


def test_small_images_are_told_as_the_leak_guard_does(tmp_path, told, found):
    path = tmp_path / "x.npz"
    y, x = np.mgrid[:28, :28]
    chest = np.abs(x - 13.5) * 6 + 3 * np.cos(y / 2)  # one like the other
    noise = np.random.default_rng(0).normal(scale=2, size=(12, 28, 28))
    images = np.linspace(20, 130, 12)[:, None, None] + chest + noise
    images[7] = images[3]
    np.savez(path, train_images=images.astype(np.uint8), train_labels=np.zeros(12, int))
    assert told(path) == {"copies-identical": [["train/3", "train/7"]]}
    # what the guard ties the audit names
    images = toy.fundus(6, size=28, rng=0).images.mean(-1).clip(2, 252)  # gray: no eyes
    noise = np.random.default_rng(0).integers(-2, 3, (3, 28, 28))
    images = np.concatenate([images, images[:3] + noise]).astype(np.uint8)
    small = copies.thumbnails(np.repeat(images[..., None], 3, axis=3))
    first, second = copies.same_pairs(small, small)
    tied = np.column_stack([first, second])[first < second].tolist()
    assert tied == [[0, 6], [1, 7], [2, 8]]
    np.savez(path, train_images=images, train_labels=np.zeros(9, int))
    ((kind, finding),) = found(path).items()
    assert (kind, sorted(finding["rows"])) == ("copies-similar", tied)


def test_the_tree_finds_all_pairs_that_are_near():
    rng = np.random.default_rng(0)
    broad = rng.uniform(40, 200, (150, 2, 2, 3)).repeat(8, 1).repeat(8, 2)
    small = (broad + rng.uniform(-20, 20, (150, 16, 16, 3))).astype(np.uint8)
    for shift in (2, 3, 4):  # in all pixels alike, and in most
        most = rng.random((30, 16, 16, 3)) < 0.95
        small = np.concatenate([small, small[:30] + np.uint8(shift) * most])
    noisy = small[:30] + rng.integers(-4, 5, (30, 16, 16, 3))
    small = np.concatenate([small, noisy.astype(np.uint8)])
    rows = small.reshape(len(small), -1).astype(float)
    apart = np.square(rows[:, None] - rows[None, :100]).mean(2)
    expected = np.nonzero(apart < copies.SAME**2)
    assert len(expected[0]) == 100 + 3 * 30
    found = copies.same_pairs(small, small[:100])
    np.testing.assert_array_equal(found, expected)
    assert len(copies.same_pairs(small[:0], small)[0]) == 0


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


def test_a_mask_used_for_two_images(clean, told):
    for name in ("m3.png", "m4.png"):
        Image.new("1", (96, 96)).save(clean.folder / name)  # empty ones are alike
    (clean.folder / "m5.png").write_bytes((clean.folder / "m6.png").read_bytes())
    twice = [["clean: e5.png, vessel", "clean: e6.png, vessel"]]
    assert told(clean.save()) == {"masks-twice": twice}


def test_masks_as_stored_pixels_fit_and_several_labels_are_a_finding(clean, told):
    exif, image = Image.Exif(), Image.new("RGB", (96, 64), "red")
    exif[0x0112] = 6
    image.save(clean.folder / "e1.png", exif=exif)
    labels = Image.fromarray(np.arange(96 * 96, dtype=np.uint8).reshape(96, 96) // 64)
    for name in ("m5.png", "m6.png"):
        labels.save(clean.folder / name)
    for width, kinds in ((96, set()), (48, {"masks-of-other-proportions"})):
        Image.new("1", (width, 64), 1).save(clean.folder / "m1.png")
        findings = told(clean.save())
        assert {kind for kind in findings if "masks-of" in kind} == kinds
        assert "masks-twice" not in findings
        assert len(findings["masks-unreadable"]) == 2
        assert "two values, found 0, 1, 2, 3" in findings["masks-unreadable"][0][0]


def test_gray_dark_and_blurred_images_and_gray_where_all_are(clean, told, tmp_path):
    gray, dark, coarse = (Image.fromarray(clean.image(k)) for k in (1, 2, 3))
    gray.convert("L").save(clean.folder / "e1.png")
    Image.fromarray(np.asarray(dark) // 5).save(clean.folder / "e2.png")
    coarse = coarse.resize((6, 6)).resize((96, 96), Image.Resampling.BICUBIC)
    coarse.save(clean.folder / "e3.png")
    expected = {"gray": [["e1.png"]], "dark": [["e2.png"]], "blurred": [["e3.png"]]}
    assert told(clean.save()) == expected
    (tmp_path / "gray").mkdir()
    for k in range(4):
        noise = np.random.default_rng(k).integers(0, 255, (64, 64), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"gray/{k}.png")
    assert told(tmp_path / "gray") == {}


def test_arrays_and_idrid_parts_are_opened(tmp_path):
    eyes = toy.fundus(4, size=28, rng=0)
    np.savez(tmp_path / "x.npz", train_images=eyes.images, train_labels=eyes.grades)
    parts = open_parts([tmp_path / "x.npz", "toy:3:32"], Key())
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
    assert list(open_parts([root], Key())) == parts
    assert len(open_dataset(root)) == 1
