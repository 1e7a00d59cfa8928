"""Each fact is planted in a clean set of synthetic eyes, and must be found there."""

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tinyssl.data import DataError, toy
from tinyssl.data.audit import (
    count_grades,
    count_sizes,
    find_copies,
    find_files,
    find_leaks,
    look,
    open_parts,
)
from tinyssl.data.audit.leaks import short_name

SIZE = 96


@pytest.fixture(scope="module")
def eyes():
    """Twenty-four eyes of as many patients, and ten that are in no clean set."""
    both = toy.fundus(68, size=SIZE, rng=3)
    return both.images[::2], both.grades[::2]


@pytest.fixture
def clean(tmp_path, eyes):
    """Write a data set without fault; tests plant one and save it again."""
    return Planted(tmp_path / "clean", *eyes)


class Planted:
    """A manifest and its images, to be changed before it is read."""

    def __init__(self, folder: Path, images, grades, n=24):
        self.folder, self.spare = folder, images[n:]
        self.rows = []
        folder.mkdir(parents=True)
        for k in range(n):
            split = "test" if k % 4 == 0 else "train"
            self.add(f"eye{k:03d}.png", images[k], grades[k], f"p{k}", split)

    def add(self, name, image, grade=0, patient="", split="train", **more):
        if image is not None:
            Image.fromarray(image).save(self.folder / name)
        row = {"image": name, "grade": int(grade), "patient": patient, "split": split}
        self.rows.append(row | more)

    def image(self, k):
        return np.asarray(Image.open(self.folder / self.rows[k]["image"]))

    def save(self, **options):
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with (self.folder / "manifest.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return self.folder


def found(*folders):
    """Return what an audit finds, by kind."""
    looks = look(open_parts(folders))
    findings = [*find_leaks(looks, find_copies(looks)), *find_files(looks)]
    assert len({finding.kind for finding in findings}) == len(findings)
    return {finding.kind: finding for finding in findings}


@pytest.mark.parametrize(
    ("name", "grade", "short"),
    [
        ("val/24", 3, "val/24 (3)"),
        ("a/b/IDRiD_007.jpg", 0, "IDRiD_007 (0)"),
        ("24.png", -1, "24"),
        ("a folder with a long name/7.png", -1, "th a long name/7"),
    ],
)
def test_a_number_is_named_with_its_folder(name, grade, short):
    looks = SimpleNamespace(name=[name], grade=[grade])
    assert short_name(looks, 0) == short


def test_a_clean_data_set_yields_no_finding(clean):
    assert found(clean.save()) == {}


def test_the_test_of_the_clean_can_fail(clean):
    clean.add("again.png", clean.image(1), clean.rows[1]["grade"])
    assert set(found(clean.save())) == {"copies-bytes"}


def test_the_same_bytes_twice(clean):
    clean.add("again.png", clean.image(1), clean.rows[1]["grade"])
    finding = found(clean.save())["copies-bytes"]
    assert finding.files == [["eye001.png", "again.png"]]
    assert (finding.gravity, finding.count) == ("warning", 1)


def test_the_same_pixels_in_other_bytes(clean):
    picture = Image.fromarray(clean.image(1))
    picture.save(clean.folder / "again.bmp")
    clean.add("again.bmp", None, clean.rows[1]["grade"])
    assert found(clean.save())["copies-pixels"].files == [["eye001.png", "again.bmp"]]


def saved_again(picture):
    return picture, {"quality": 60}


def halved(picture):
    return picture.resize((SIZE * 3 // 4, SIZE * 3 // 4), Image.Resampling.LANCZOS), {}


def darker(picture):
    return picture.point(lambda value: int(0.7 * value)), {}


def mirrored(picture):
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), {}


def turned(picture):
    return picture.transpose(Image.Transpose.ROTATE_90), {}


def moved(picture):
    return Image.fromarray(np.roll(np.asarray(picture), (3, -4), axis=(0, 1))), {}


@pytest.mark.parametrize(
    "change", [saved_again, halved, darker, mirrored, turned, moved]
)
def test_the_same_picture_changed(clean, change):
    for k in (1, 2, 3):
        picture, options = change(Image.fromarray(clean.image(k)))
        picture.save(clean.folder / f"again{k}.jpg", **{"quality": 95} | options)
        clean.add(f"again{k}.jpg", None, clean.rows[k]["grade"])
    expected = [[f"eye{k:03d}.png", f"again{k}.jpg"] for k in (1, 2, 3)]
    findings = found(clean.save())
    assert set(findings) == {"copies-picture"}
    assert sorted(findings["copies-picture"].files) == expected


def test_copies_across_splits_are_grave(clean):
    clean.add("again.png", clean.image(0), clean.rows[0]["grade"], split="train")
    findings = found(clean.save())
    assert findings["copies-across-splits"].gravity == "grave"
    assert findings["copies-across-splits"].files == [["eye000.png", "again.png"]]
    assert "copies-bytes" not in findings  # said once


def test_conflicting_grades_of_identical_images(clean):
    clean.add("again.png", clean.image(1), (clean.rows[1]["grade"] + 2) % 5)
    finding = found(clean.save())["conflicting-grades-identical"]
    assert finding.gravity == "grave"
    assert finding.files == [["eye001.png", "again.png"]]


def test_conflicting_grades_of_one_picture_saved_again(clean):
    Image.fromarray(clean.image(1)).save(clean.folder / "again.jpg", quality=70)
    clean.add("again.jpg", None, (clean.rows[1]["grade"] + 2) % 5)
    findings = found(clean.save())
    assert "conflicting-grades-identical" not in findings
    assert findings["conflicting-grades-similar"].gravity == "warning"


def test_a_patient_across_splits(clean):
    clean.rows[4]["patient"] = clean.rows[5]["patient"]  # test and train
    finding = found(clean.save())["patients-across-splits"]
    assert finding.gravity == "grave"
    assert finding.files == [["eye004.png", "eye005.png"]]


def test_two_eyes_in_two_splits_are_said(clean):
    for row in clean.rows:
        row["eye"] = ""
    clean.rows[4] |= {"patient": clean.rows[5]["patient"], "eye": "left"}
    clean.rows[5]["eye"] = "right"
    title = found(clean.save())["patients-across-splits"].title
    assert title == "1 patient in two splits, 1 of them with the two eyes apart"


def test_patients_with_several_images_are_a_note(clean):
    clean.rows[1]["patient"] = clean.rows[2]["patient"]
    finding = found(clean.save())["patients-with-several-images"]
    assert (finding.gravity, finding.count) == ("note", 1)


def test_pairs_of_eyes_by_name(clean):
    for k, name in enumerate(("12_left.png", "12_right.png", "13_right.png")):
        clean.add(name, clean.spare[k], split="test" if k == 1 else "train")
    findings = found(clean.save())
    finding = findings["eyes-by-name-across-splits"]
    assert finding.files == [["12_left.png", "12_right.png"]]
    assert "eyes-by-name-with-several-images" not in findings


def test_visits_by_the_note_in_the_files(clean):
    for k, day in enumerate(("030120171", "030120171", "040120171")):
        picture = Image.fromarray(clean.spare[k])
        picture.save(clean.folder / f"visit{k}.jpg", quality=95, comment=day.encode())
        clean.add(f"visit{k}.jpg", None)
    finding = found(clean.save())["visits-with-several-images"]
    assert finding.files == [["visit0.jpg", "visit1.jpg"]]


def test_a_note_that_a_program_leaves_is_no_visit(clean):
    for k in range(9):
        picture = Image.fromarray(clean.spare[k])
        picture.save(clean.folder / f"v{k}x.jpg", quality=95, comment=b"saver 1.234")
        clean.add(f"v{k}x.jpg", None)
    assert found(clean.save()) == {}


def test_copies_between_two_data_sets(clean, eyes, tmp_path):
    images, grades = eyes
    other = Planted(tmp_path / "other", images[24:], grades[24:], n=8)
    other.add("borrowed.png", clean.image(7), clean.rows[7]["grade"])
    for row in (*clean.rows, *other.rows):
        row["split"] = ""
    findings = found(clean.save(), other.save())
    assert set(findings) == {"copies-bytes-between-parts"}
    expected = [["clean: eye007.png", "other: borrowed.png"]]
    assert findings["copies-bytes-between-parts"].files == expected


def test_counts_of_grades_and_sizes(clean):
    looks = look(open_parts([clean.save()]))
    lines = count_grades(looks)
    assert [(line["split"], line["images"]) for line in lines] == [
        ("test", 6),
        ("train", 18),
    ]
    grades = np.bincount([row["grade"] for row in clean.rows])
    for grade, expected in enumerate(grades):
        assert sum(line["grades"].get(str(grade), 0) for line in lines) == expected
    size = {"part": "clean", "height": SIZE, "width": SIZE, "images": 24}
    assert count_sizes(looks) == [size]


def test_nothing_readable_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="none of the images can be read"):
        look(open_parts([tmp_path]))


def test_small_pictures_of_other_things_are_compared_by_their_bytes_only(tmp_path):
    y, x = np.mgrid[:28, :28]
    chest = np.abs(x - 13.5) * 8 + 3 * np.cos(y / 2)  # one like the other
    noise = np.random.default_rng(0).normal(scale=2, size=(12, 28, 28))
    images = np.clip(60 + chest + noise, 0, 255).astype(np.uint8)
    images[7] = images[3]
    np.savez(tmp_path / "x.npz", train_images=images, train_labels=np.zeros(12, int))
    findings = found(tmp_path / "x.npz")
    assert set(findings) == {"copies-bytes"}
    assert findings["copies-bytes"].files == [["train/3", "train/7"]]
