"""Class-named folders, plain folders, manifest.csv, and what is none of them."""

import numpy as np
import pytest

from tinyssl.data import DataError, load_masks, load_points, open_dataset


def test_class_folders_in_sorted_order(tmp_path, write_image):
    for name in ("b_ill/1.png", "a_well/2.jpg", "a_well/1.jpg"):
        write_image(tmp_path / name)
    (tmp_path / "a_well" / "._1.jpg").write_bytes(b"left by a Mac")
    table = open_dataset(tmp_path)
    assert table.layout == "class-folders"
    assert table.names == ("a_well/1.jpg", "a_well/2.jpg", "b_ill/1.png")
    assert table.class_names == ("a_well", "b_ill")
    assert table.grade.tolist() == [0, 0, 1]
    assert table.is_fundus


def test_folders_named_by_number_are_grades(tmp_path, write_image):
    for name in ("10/a.png", "2/b.png", "0/c.png"):
        write_image(tmp_path / name)
    table = open_dataset(tmp_path)
    assert dict(zip(table.names, table.grade.tolist(), strict=True)) == {
        "0/c.png": 0,
        "2/b.png": 2,
        "10/a.png": 10,
    }
    assert table.class_names == tuple(str(grade) for grade in range(11))


def test_folders_named_by_long_numbers_are_classes(tmp_path, write_image):
    for name in ("20250131/a.png", "20250201/b.png"):
        write_image(tmp_path / name)
    table = open_dataset(tmp_path)
    assert table.class_names == ("20250131", "20250201")
    assert table.grade.tolist() == [0, 1]


def test_class_folders_below_splits(tmp_path, write_image):
    for name in ("train/dog/1.png", "train/cat/2.png", "val/dog/3.png"):
        write_image(tmp_path / name)
    table = open_dataset(tmp_path)
    assert table.class_names == ("cat", "dog")
    assert table.names == ("train/cat/2.png", "train/dog/1.png", "val/dog/3.png")
    assert table.grade.tolist() == [0, 1, 1]
    assert table.split.tolist() == ["train", "train", "val"]


def test_images_below_splits_have_no_grade(tmp_path, write_image):
    write_image(tmp_path / "train" / "1.png")
    write_image(tmp_path / "test" / "1.png")
    table = open_dataset(tmp_path)
    assert table.layout == "images"
    assert table.names == ("test/1.png", "train/1.png")
    assert table.split.tolist() == ["test", "train"]
    assert table.grade is None


def test_plain_folder(tmp_path, write_image):
    for name in ("b.PNG", "a.jpeg"):
        write_image(tmp_path / name, color=(120, 120, 120))
    (tmp_path / "notes.txt").write_text("hello")
    table = open_dataset(tmp_path)
    assert table.layout == "images"
    assert table.names == ("a.jpeg", "b.PNG")
    assert table.class_names is None
    assert not table.is_fundus  # gray, though on black


def test_images_beside_folders_of_images_are_ambiguous(tmp_path, write_image):
    for name in ("1.png", "ill/2.png", "well/3.png"):
        write_image(tmp_path / name)
    with pytest.raises(DataError, match=r"images and also folders .* \(ill, well\)"):
        open_dataset(tmp_path)


def test_manifest_says_everything(tmp_path, write_image, write_mask):
    write_image(tmp_path / "raw" / "a.png")
    write_image(tmp_path / "raw" / "b.png")
    write_mask(tmp_path / "drawn" / "a.gif")
    (tmp_path / "manifest.csv").write_text(
        "image,name,grade,patient,eye,split,region,Mask:MA,disc_y,disc_x\n"
        "raw/a.png,first,3,p1,OD,train,drawn/a.gif,drawn/a.gif,19.5,29.5\n"
        "raw/b.png,second,,p1,left,test,,,,\n"
    )
    table = open_dataset(tmp_path)
    assert table.layout == "manifest"
    assert table.names == ("first", "second")
    assert table.grade.tolist() == [3, -1]
    assert table.patient.tolist() == ["p1", "p1"]
    assert table.eye.tolist() == ["right", "left"]
    assert table.split.tolist() == ["train", "test"]
    assert table.region[1] is None
    assert load_masks(table, "MA", 8).any(axis=(1, 2)).tolist() == [True, False]
    points = load_points(table, "disc", 8)
    assert np.isfinite(points).all(axis=1).tolist() == [True, False]
    assert open_dataset(tmp_path / "manifest.csv").names == table.names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture\na.png", "must have the columns image; found picture"),
        ("image\n", "must have at least one row"),
        ("image,grde\na.png,1", "unknown column 'grde'; known are image, name, grade"),
        ("image,disc_y\na.png,1", "unknown column 'disc_y'"),
        ("image,eye\na.png,up", "a.png: eye must be left or right, found 'up'"),
        ("image,split\na.png,dev", "split must be train, val or test, found 'dev'"),
        ("image,d_y,d_x\na.png,1,", "d must be two numbers or blank, found '1', ''"),
        ("image,d_y,d_x\na.png,1,inf", "d must be two numbers or blank"),
        ("image,region\na.png,no.png", "a.png: missing file no.png"),
        ("image,mask:MA\na.png,../no.png", "a.png: path leaves the folder"),
        ("image\n/etc/hostname", "path leaves the folder: /etc/hostname"),
        ("image\na\0.png", "path cannot be followed"),
    ],
)
def test_manifest_refuses(tmp_path, write_image, text, message):
    root = tmp_path / "data"
    write_image(root / "a.png")
    (root / "manifest.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        open_dataset(root)


def test_links_must_stay_inside(tmp_path, write_image):
    outside = write_image(tmp_path / "outside.png")
    root = tmp_path / "data"
    inside = write_image(root / "real.png")
    try:
        (root / "escape.png").symlink_to(outside)
        (root / "fine.png").symlink_to(inside)
        (root / "loop.png").symlink_to(root / "loop.png")
    except OSError:
        pytest.skip("this system makes no links")
    with pytest.raises(DataError, match=r"escape\.png: path leaves the folder"):
        open_dataset(root)
    table = open_dataset(root, skip_bad=True)
    assert table.names == ("fine.png", "real.png")
    assert [reason.split(":")[0] for reason in table.skipped] == [
        "escape.png",
        "loop.png",
    ]


def test_unknown_layout_lists_what_is_supported_and_found(tmp_path, write_image):
    write_image(tmp_path / "deep" / "deeper" / "a.png")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for word in ("APTOS", "IDRiD", "CHASE_DB1", "HRF", "DRIVE", "MedMNIST", "manifest"):
        assert word in message
    assert message.endswith("found 1 .txt, folders deep")


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        open_dataset(tmp_path / "none")
    with pytest.raises(DataError, match="found an empty folder"):
        open_dataset(tmp_path)
    (tmp_path / "a.docx").write_bytes(b"")
    with pytest.raises(DataError, match="unknown kind of file"):
        open_dataset(tmp_path / "a.docx")


def test_no_row_is_left(tmp_path):
    (tmp_path / "manifest.csv").write_text("image\ngone.png\n")
    with pytest.raises(DataError, match=r"no image to use; the first row: gone\.png"):
        open_dataset(tmp_path, skip_bad=True)
