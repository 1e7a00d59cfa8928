"""Folders are read whole, or what was not used is told, or they are refused."""

import numpy as np
import pytest
from strategies import refused

from tinyssl.cases import Reading, gather
from tinyssl.data import DataError, open_dataset

CLASSES = ("A/1.png", "B/2.png")


@pytest.mark.parametrize(
    ("images", "files", "unused"),
    [
        (CLASSES, ("A/1.dcm", "B/2.dcm", "B/3.dcm"), ("3 .dcm (A/1.dcm)",)),
        (CLASSES, ("A/1.xml", "notes.TXT"), ("1 .txt (notes.TXT)", "1 .xml (A/1.xml)")),
        (CLASSES, ("A/.DS_Store", ".git/x.png", "__MACOSX/A/1.png"), ()),
        (
            CLASSES,
            ("A/a.nii.gz", "A/b.gz"),
            ("1 .gz (A/b.gz)", "1 .nii.gz (A/a.nii.gz)"),
        ),
        (CLASSES, ("LICENSE",), ("1 without a suffix (LICENSE)",)),
        (("images/1.png", "masks/1.png", "cover.jpg"), (), None),
        (("images/1.png", "masks/1.png", "b/2.png"), (), ("1 .png (b/2.png)",)),
        (("test/img/1.png", "test/gt/1.png", "a.jpg"), (), ("1 .jpg (a.jpg)",)),
        (("train/1.png", "test/2.png"), ("docs/a.pdf",), ("1 .pdf (docs/a.pdf)",)),
        (("1.png",), ("readings.csv",), ("1 .csv (readings.csv)",)),
        (("1.png",), ("cache/images.npy",), ("1 .npy (cache/images.npy)",)),
    ],
)
def test_files_that_were_not_used_are_counted(folder, images, files, unused):
    root = folder(*images, files=dict.fromkeys(files, ""))
    if unused is None:
        with refused("must hold one folder of images beside masks"):
            open_dataset(root)
        return
    table = open_dataset(root, skip_bad=True)
    assert (table.unused, table.skipped) == (unused, ())
    lines, small = [], np.zeros((len(table), 16, 16, 3), np.uint8)
    columns, labelled = {"image": small}, np.ones(len(table), bool)
    gather(table, Reading(log=lines.append), columns, labelled=labelled)
    assert all(words in lines[0] for words in unused)
    assert ("not used" in lines[0]) == bool(unused)


@pytest.mark.parametrize("suffix", ["jp2", "heic", "AVIF", "svs"])
def test_images_of_kinds_that_are_not_read_are_refused_by_name(folder, suffix):
    root = folder(*CLASSES, files={f"A/3.{suffix}": ""})
    with refused(rf"A/3\.{suffix}: \.{suffix.lower()} files are not read: save it as"):
        open_dataset(root)
    table = open_dataset(root, skip_bad=True)
    assert (table.names, len(table.skipped)) == (CLASSES, 1)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("cover.png", "train/1.png"), r"images and also folders of images \(train\)"),
        (("cover.png", "train/A/1.png", "train/B/1.png"), "images and also folders"),
        (("train/1.png", "train/A/2.png"), r"train: holds images and also .* \(A\)"),
        (("train/A/1.png", "train/B/1.png", "new/1.png"), r"also other .* \(new\)"),
        (("A/1.png", "A/2.png"), "one class folder, A: give that"),
        (("train/A/1.png", "test/A/2.png"), "one class folder, A: give that"),
        (("A/1.png", "A/p1/2.png", "B/1.png"), "A: must hold images, or only folders"),
        (("A/left/1.png", "B/left/2.png"), "of patients.* found left; or give"),
        (("A/p1/x/1.png", "B/p2/x/1.png"), "of patients.* found p1; or give"),
        (
            [f"{k}x/{i}.png" for k in range(21) for i in "12"],
            "21 folders with a median",
        ),
        ([f"k{k}/{i}.png" for k in range(101) for i in "123"], "101 folders with a"),
    ],
)
def test_folders_that_are_not_clear_are_refused(folder, names, message):
    with refused(message):
        open_dataset(folder(*names, size=(4, 6)))


def test_a_class_folder_without_images_is_named(folder):
    root = folder(*CLASSES, files={"C/notes.txt": ""})
    with refused("no image in the class folder C: fill it or take it out"):
        open_dataset(root)


@pytest.mark.parametrize(
    ("names", "patients"),
    [
        (("patient000/1.png", "patient001/2.png"), ["patient000", "patient001"]),
        (("sub-01/anat/1.png", "sub-02/1.png"), ["sub-01", "sub-02"]),
        (("Case 1/a.png", "Case 2/a.png", "Case 2/b.png"), ["Case 1"] + ["Case 2"] * 2),
        (("train/pt_1/1.png", "test/pt_2/1.png"), ["pt_2", "pt_1"]),
        ([f"ID{k}/1.png" for k in range(10, 40)], [f"ID{k}" for k in range(10, 40)]),
    ],
)
def test_folders_of_patients_are_no_classes(folder, names, patients):
    table = open_dataset(folder(*names, size=(4, 6)))
    assert (table.layout, table.grade) == ("patient-folders", None)
    assert table.patient.tolist() == patients


def test_classes_may_hold_folders_of_patients_or_of_splits(folder):
    root = folder("p/wet/12/1.png", "p/wet/13/1.png", "p/dry/9/1.png") / "p"
    table = open_dataset(root)
    assert table.patient.tolist() == ["9", "12", "13"]
    assert [table.class_names[g] for g in table.grade] == ["dry", "wet", "wet"]
    root = folder("s/wet/train/1.png", "s/wet/test/1.png", "s/dry/train/1.png") / "s"
    table = open_dataset(root)
    assert (table.split.tolist(), table.patient) == (["train", "test", "train"], None)


def test_links_are_called_links(folder):
    root = folder("in/A/1.png", "in/B/2.png", "out/C/3.png") / "in"
    links = {"A/gone.png": "nowhere.png", "C": "../out/C"}
    links["B/far.png"] = "../../out/C/3.png"
    for name, target in links.items():
        (root / name).symlink_to(target)
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        "A/gone.png: a link to a missing file: A/gone.png -> nowhere.png",
        "B/far.png: a link out of the folder: B/far.png -> ../../out/C/3.png",
        "C/3.png: a link out of the folder: C -> ../out/C",
    ]


@pytest.mark.parametrize("label", [100, 1_000_000, -2])
def test_labels_of_medmnist_are_classes(tmp_path, label):
    images, path = np.zeros((3, 28, 28), np.uint8), tmp_path / "x.npz"
    for wrong in (label, -1):
        np.savez(path, val_images=images, val_labels=np.array([[0], [wrong], [99]]))
        if wrong == -1:
            assert open_dataset(path).grade.tolist() == [0, -1, 99]
        else:
            with refused(rf"val_labels must lie in 0\.\.99, .* found .*{label}"):
                open_dataset(path)
    np.savez(path, test_images=images, test_labels=np.zeros((3, 14), np.uint8))
    with refused(r"several labels an image \(multi-label\) are not read: save one"):
        open_dataset(path)
